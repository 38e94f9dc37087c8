use serde::{Deserialize, Serialize};

use super::SortDirection;
use super::request_filters::RequestFilters;
use crate::error::InvalidValue;
use crate::request::{PendingReason, StateId, Status};

/// Which requests are asked for, in created order.
///
/// Without any filter it asks for all. A filter that lists choices is met by any one of them; several filters have to be
/// met together. Calling a method again replaces what it asked before; only metadata pairs add up.
///
/// Every method that takes a list refuses an empty one and one of more than [`MAX_CHOICES`](super::MAX_CHOICES): an
/// empty list is mostly a forgotten one, and would otherwise ask for nothing or for everything.
///
/// It can be saved in any self-describing format such as JSON; reading one back checks it like building it does, and
/// refuses filters of unknown names.
///
/// ```
/// use mutator_governance::{RequestQuery, RiskLevel, Status};
///
/// let query = RequestQuery::new()
///     .with_state_ids(["tenant:acme"])?
///     .with_statuses([Status::Pending])?
///     .with_risk_between(RiskLevel::High, None)?;
/// assert_eq!(query.to_string(), "requests with state id tenant:acme, with risk from High on, that are Pending, oldest first");
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RequestFilters", into = "RequestFilters")]
pub struct RequestQuery(pub(super) RequestFilters);

impl RequestQuery {
    /// All requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// The requests that would change this state.
    pub fn of_state(state: StateId) -> Self {
        Self(RequestFilters { state_ids: Some([state].into()), ..RequestFilters::default() })
    }

    /// The requests that wait for something.
    pub fn pending() -> Self {
        Self(RequestFilters { statuses: Some([Status::Pending].into()), ..RequestFilters::default() })
    }

    /// The requests that wait for this.
    pub fn pending_for(reason: PendingReason) -> Self {
        let Self(pending) = Self::pending();
        Self(RequestFilters { pending_reasons: Some([reason].into()), ..pending })
    }

    /// The requests that would change this state and wait for something.
    pub fn pending_of_state(state: StateId) -> Self {
        let Self(pending) = Self::pending();
        Self(RequestFilters { state_ids: Some([state].into()), ..pending })
    }

    /// The queue of requests that wait for approval.
    pub fn pending_approval_queue() -> Self {
        Self::pending_for(PendingReason::Approval)
    }

    /// The filters alone, where another read gives the order.
    pub(super) fn without_order(self) -> Self {
        self.in_order(SortDirection::Ascending)
    }
}

impl TryFrom<RequestFilters> for RequestQuery {
    type Error = InvalidValue;
    fn try_from(filters: RequestFilters) -> Result<Self, InvalidValue> {
        filters.check()?;
        Ok(Self(filters))
    }
}

impl From<RequestQuery> for RequestFilters {
    fn from(query: RequestQuery) -> Self {
        query.0
    }
}
