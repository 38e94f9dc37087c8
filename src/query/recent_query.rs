//! The query for recently approved requests.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::filter::sentence;
use super::{RequestQuery, Viewer};
use crate::index::approval_activity;
use crate::request::MutationRequest;

/// A query for requests that are approved or executed and have approval activity, the latest activity first, then by id.
///
/// A request has approval activity if it has approvals or a decision about approvals. The time of the activity is that of
/// the latest such decision, except `Requested`; without one, the time of the request's last change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "RecentApprovalFilters", into = "RecentApprovalFilters")]
pub struct RecentApprovalQuery {
    pub(super) request: RequestQuery,
}

/// A struct of its own, because reading drops the order of a saved query.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
struct RecentApprovalFilters {
    #[serde(skip_serializing_if = "RequestQuery::finds_all")]
    request: RequestQuery,
}

impl RecentApprovalQuery {
    /// All recently approved requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only requests that also match this query; its order is ignored.
    pub fn of_requests(request: RequestQuery) -> Self {
        Self { request: request.without_order() }
    }

    /// Only requests that this viewer may read: as [`RequestQuery::visible_to`].
    pub fn visible_to(self, viewer: Viewer) -> Self {
        Self { request: self.request.visible_to(viewer) }
    }

    /// Whether this query finds the request.
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
