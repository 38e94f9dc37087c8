//! The query for approvals, and the table of its filters.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::filter::{AnyOf, AnyPerson, FilterRows, QueryDigest, Shape as _, filters, joined, of_requests, sentence};
use super::{RequestQuery, SortDirection};
use crate::json::Strict;
use crate::request::{
    ActorId, Approval, ApprovalState, ApprovalStatus, Category, Group, IdComparison, MutationRequest, Role,
};

/// A query for approvals: one row for each, in the order of created time, request id, step and approval id.
///
/// Without a filter it finds the pending approvals of all requests that wait for approval. It includes overdue ones until
/// a sweep records that they have expired; an [`InboxQuery`](super::InboxQuery) finds what an actor can decide now. Filters
/// combine, and lists are checked, as in a [`RequestQuery`]; it can be saved like one.
///
/// ```
/// use mutator_governance::PendingApprovalQuery;
///
/// let query = PendingApprovalQuery::new().with_roles(["manager"])?;
/// assert_eq!(query.to_string(), "Pending approvals for role manager, of requests that wait for approval, oldest first");
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<ApprovalFilters>", into = "ApprovalFilters")]
pub struct PendingApprovalQuery(pub(super) ApprovalFilters);

filters! {
    ApprovalFilters of PendingApprovalQuery;

    rows of approval: Approval {
        /// Only approvals that are addressed to one of these actors by id. An approval that escalates is
        /// addressed to more of them once a sweep has recorded that; an inbox has it at once.
        approver_ids: AnyPerson<ActorId>, "approver ids", "for",
            index ApproverId, build with_approver_ids(names), from approval.recorded_ids();

        /// Only approvals that are addressed to one of these roles.
        roles: AnyPerson<Role>, "approver roles" fed as "roles", "for role",
            index ApproverRole, build with_roles(names), from approval.recorded_roles();

        /// Only approvals that are addressed to one of these groups.
        groups: AnyPerson<Group>, "approver groups" fed as "groups", "for group",
            index ApproverGroup, build with_groups(names), from approval.recorded_groups();
    }

    rows of request: MutationRequest {
        // Two indexes: one of approvals and one of requests.
        /// Only approvals of requests whose intent has one of these categories.
        categories: AnyOf<Category>, "categories" fed as "approval categories", "in category",
            build with_categories(names), from [&request.intent.category];
    }

    // Rows of their own subject: absent means pending, and the description of the query begins with them.
    rows of state: ApprovalState {
        /// Only approvals with one of these statuses. Defaults to pending ones.
        approval_statuses: AnyOf<ApprovalStatus>, "approval statuses", "at",
            build with_approval_statuses(choices), from [state.status()];
    }

    and {
        /// If false, only of requests that wait for approval.
        of_any_request: bool,
        #[serde(skip_serializing_if = "RequestQuery::finds_all")]
        request: RequestQuery,
        #[serde(skip_serializing_if = "SortDirection::is_ascending")]
        direction: SortDirection,
    }
}
of_requests!(ApprovalFilters of PendingApprovalQuery);

impl PendingApprovalQuery {
    /// The pending approvals of all requests that wait for approval.
    pub fn new() -> Self {
        Self::default()
    }

    /// Includes approvals of requests that do not, or no longer, wait for approval.
    pub fn of_any_request(mut self) -> Self {
        self.0.of_any_request = true;
        self
    }

    /// Sets the order of the created time. Defaults to ascending.
    pub fn in_order(mut self, direction: SortDirection) -> Self {
        self.0.direction = direction;
        self
    }

    /// Whether this approval of the request matches every filter of this query.
    pub fn matches(&self, request: &MutationRequest, approval: &Approval) -> bool {
        self.matches_approval(approval, request.id_comparison) && self.matches_request(request)
    }

    pub(super) fn matches_request(&self, request: &MutationRequest) -> bool {
        (self.0.of_any_request || request.state.awaits_approval())
            && self.0.are_met_by(request, request.id_comparison)
            && self.0.request.matches(request)
    }

    pub(super) fn matches_approval(&self, approval: &Approval, ids: IdComparison) -> bool {
        let is_pending = approval.state.status() == ApprovalStatus::Pending;
        (self.0.approval_statuses.is_some() || is_pending)
            && self.0.are_met_by(&approval.state, ids)
            && self.0.are_met_by(approval, ids)
    }

    /// Whether the query finds only pending approvals of requests that wait for approval, which are the indexed ones.
    pub(super) fn asks_only_pending(&self) -> bool {
        let mut statuses = self.0.approval_statuses.iter().flat_map(AnyOf::set);
        !self.0.of_any_request && statuses.all(|status| *status == ApprovalStatus::Pending)
    }

    pub(super) fn feed(&self, digest: &mut QueryDigest) {
        self.0.feed_rows(digest);
        digest.text("of any request", if self.0.of_any_request { "yes" } else { "no" });
        digest.text("approval order", if self.0.direction.is_ascending() { "ascending" } else { "descending" });
        self.0.request.feed(digest);
    }
}

impl fmt::Display for PendingApprovalQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statuses = self.0.approval_statuses.clone().unwrap_or_else(|| AnyOf::these([ApprovalStatus::Pending]));
        let mut clauses = FilterRows::<Approval>::clauses(&self.0);
        clauses.extend(FilterRows::<MutationRequest>::clauses(&self.0));
        let of = if self.0.of_any_request { "of any request" } else { "of requests that wait for approval" };
        clauses.push(of.to_owned());
        clauses.extend(self.0.request.clauses());
        sentence(f, &format!("{} approvals", joined(statuses.set(), " or ")), &clauses, &self.0.direction)
    }
}
