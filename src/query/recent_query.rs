//! Which recently approved requests are asked for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RequestQuery;
use super::filter::sentence;
use crate::index::approval_activity;
use crate::request::MutationRequest;

/// Which recently approved requests are asked for: those approved or executed with approval activity, the latest approval
/// activity first, then by id.
///
/// A request has approval activity when it has approvals or a decision about approvals. Its time is that of the latest such
/// decision other than the asking for approvals; without one, the time of the request's last change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RecentApprovalFilters", into = "RecentApprovalFilters")]
pub struct RecentApprovalQuery {
    pub(super) request: RequestQuery,
}

/// In a struct of its own, because a query that was saved with an order loses it when it is read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RecentApprovalFilters {
    request: RequestQuery,
}

impl RecentApprovalQuery {
    /// All recently approved requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those that meet this query as well; its order plays no part.
    pub fn of_requests(request: RequestQuery) -> Self {
        Self { request: request.without_order() }
    }

    /// Whether the request is one of those asked for.
    pub fn matches(&self, request: &MutationRequest) -> bool {
        approval_activity(request).is_some() && self.request.matches(request)
    }
}

impl From<RecentApprovalFilters> for RecentApprovalQuery {
    fn from(filters: RecentApprovalFilters) -> Self {
        Self::of_requests(filters.request)
    }
}

impl From<RecentApprovalQuery> for RecentApprovalFilters {
    fn from(query: RecentApprovalQuery) -> Self {
        Self { request: query.request }
    }
}

impl fmt::Display for RecentApprovalQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec!["approved or executed after approval".to_owned()];
        parts.extend(self.request.clauses());
        sentence(f, "requests", &parts, &"latest approval first")
    }
}
