use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::bounds::{check_choices, choices, names};
use super::digest::QuestionDigest;
use super::request_match::is_one_of;
use super::request_text::{Clauses, clauses, joined, sentence};
use super::{RequestQuery, SortDirection};
use crate::error::InvalidValue;
use crate::request::{ActorId, Approval, ApprovalStatus, Category, Group, IdComparison, MutationRequest, Role};

/// Which approvals are asked for: one row for each, in the order of created time, request id, step and approval id.
///
/// Without any filter it asks for the pending approvals of all requests that wait for approval, also for those that are overdue
/// until a sweep records it; what somebody can decide now is in an [`InboxQuery`](super::InboxQuery). Lists are met by any of
/// their choices, several filters have to be met together. Lists that are empty or too long are refused, as in a
/// [`RequestQuery`], and it is saved like one.
///
/// ```
/// use mutator_governance::PendingApprovalQuery;
///
/// let query = PendingApprovalQuery::new().with_roles(["manager"])?;
/// assert_eq!(query.to_string(), "Pending approvals for role manager, of requests that wait for approval, oldest first");
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ApprovalFilters", into = "ApprovalFilters")]
pub struct PendingApprovalQuery(pub(super) ApprovalFilters);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApprovalFilters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approver_ids: Option<BTreeSet<ActorId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) roles: Option<BTreeSet<Role>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) groups: Option<BTreeSet<Group>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) categories: Option<BTreeSet<Category>>,
    /// Only pending ones, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approval_statuses: Option<BTreeSet<ApprovalStatus>>,
    /// Of requests that wait for approval, when false.
    pub(super) of_any_request: bool,
    pub(super) request: RequestQuery,
    #[serde(skip_serializing_if = "SortDirection::is_ascending")]
    pub(super) direction: SortDirection,
}

impl PendingApprovalQuery {
    /// The pending approvals of all requests that wait for approval.
    pub fn new() -> Self {
        Self::default()
    }

    /// That one of these actors may decide by their id.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or an id is not a valid [`ActorId`].
    pub fn with_approver_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.approver_ids = names("approver ids", ActorId::new, ids)?;
        Ok(self)
    }

    /// That holders of one of these roles may decide.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a role is not a valid [`Role`].
    pub fn with_roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.roles = names("approver roles", Role::new, roles)?;
        Ok(self)
    }

    /// That members of one of these groups may decide.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a group is not a valid [`Group`].
    pub fn with_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.groups = names("approver groups", Group::new, groups)?;
        Ok(self)
    }

    /// Of requests whose intent is of one of these categories.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a category is not a valid [`Category`].
    pub fn with_categories(
        mut self,
        categories: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        self.0.categories = names("categories", Category::new, categories)?;
        Ok(self)
    }

    /// That stand at one of these statuses, instead of only pending ones.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty.
    pub fn with_approval_statuses(
        mut self,
        statuses: impl IntoIterator<Item = ApprovalStatus>,
    ) -> Result<Self, InvalidValue> {
        self.0.approval_statuses = choices("approval statuses", statuses)?;
        Ok(self)
    }

    /// Of requests that meet this query as well; its order plays no part.
    pub fn of_requests(mut self, request: RequestQuery) -> Self {
        self.0.request = request.without_order();
        self
    }

    /// Also of requests that do not wait for approval (any more).
    pub fn of_any_request(mut self) -> Self {
        self.0.of_any_request = true;
        self
    }

    /// In this order of the created time.
    pub fn in_order(mut self, direction: SortDirection) -> Self {
        self.0.direction = direction;
        self
    }

    /// Whether this approval of the request meets every filter of this query.
    pub fn matches(&self, request: &MutationRequest, approval: &Approval) -> bool {
        self.matches_approval(approval, request.id_comparison) && self.matches_request(request)
    }

    pub(super) fn matches_request(&self, request: &MutationRequest) -> bool {
        (self.0.of_any_request || request.state.awaits_approval())
            && is_one_of(self.0.categories.as_ref(), &request.intent.category)
            && self.0.request.matches(request)
    }

    pub(super) fn matches_approval(&self, approval: &Approval, ids: IdComparison) -> bool {
        let status = approval.state.status();
        let target = &approval.target;
        self.0.approval_statuses.as_ref().map_or(status == ApprovalStatus::Pending, |asked| asked.contains(&status))
            && self.0.approver_ids.as_ref().is_none_or(|asked| ids.overlap(asked, target.actor_ids()))
            && self.0.roles.as_ref().is_none_or(|asked| ids.overlap(asked, target.roles()))
            && self.0.groups.as_ref().is_none_or(|asked| ids.overlap(asked, target.groups()))
    }

    /// Whether only pending approvals of requests that wait for approval are asked for: those that are indexed.
    pub(super) fn asks_only_pending(&self) -> bool {
        let only_pending = |asked: &BTreeSet<_>| asked.iter().all(|status| *status == ApprovalStatus::Pending);
        !self.0.of_any_request && self.0.approval_statuses.as_ref().is_none_or(only_pending)
    }

    pub(super) fn feed(&self, digest: &mut QuestionDigest) {
        digest.set("approver ids", self.0.approver_ids.as_ref());
        digest.set("roles", self.0.roles.as_ref());
        digest.set("groups", self.0.groups.as_ref());
        digest.set("approval categories", self.0.categories.as_ref());
        digest.set("approval statuses", self.0.approval_statuses.as_ref());
        digest.text("of any request", if self.0.of_any_request { "yes" } else { "no" });
        digest.text("approval order", if self.0.direction.is_ascending() { "ascending" } else { "descending" });
        self.0.request.0.feed(digest);
    }
}

impl TryFrom<ApprovalFilters> for PendingApprovalQuery {
    type Error = InvalidValue;
    fn try_from(mut filters: ApprovalFilters) -> Result<Self, InvalidValue> {
        check_choices("approver ids", filters.approver_ids.as_ref())?;
        check_choices("approver roles", filters.roles.as_ref())?;
        check_choices("approver groups", filters.groups.as_ref())?;
        check_choices("categories", filters.categories.as_ref())?;
        check_choices("approval statuses", filters.approval_statuses.as_ref())?;
        filters.request = filters.request.without_order();
        Ok(Self(filters))
    }
}

impl From<PendingApprovalQuery> for ApprovalFilters {
    fn from(query: PendingApprovalQuery) -> Self {
        query.0
    }
}

impl fmt::Display for PendingApprovalQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statuses = self.0.approval_statuses.clone().unwrap_or_else(|| [ApprovalStatus::Pending].into());
        let mut parts = Clauses::default();
        parts.set("for", " or ", self.0.approver_ids.as_ref());
        parts.set("for role", " or ", self.0.roles.as_ref());
        parts.set("for group", " or ", self.0.groups.as_ref());
        parts.set("in category", " or ", self.0.categories.as_ref());
        parts
            .0
            .push(if self.0.of_any_request { "of any request" } else { "of requests that wait for approval" }.into());
        parts.0.extend(clauses(&self.0.request.0));
        sentence(f, &format!("{} approvals", joined(&statuses, " or ")), &parts.0, &self.0.direction)
    }
}
