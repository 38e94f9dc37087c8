//! What of each query an index answers, filter by filter.

use std::collections::BTreeSet;

use super::request_conditions::request_conditions;
use super::{
    DecisionQuery, Dimension, InboxQuery, IndexedMetadata, KeyLayout, KeyRange, PendingApprovalQuery,
    RecentApprovalQuery, RequestQuery, Term,
};
use crate::request::{DecisionKind, IdComparison, PendingReason, RequestId, Status, Tag};

/// One condition of a query that an index answers: a row meets it when one of the terms holds its key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condition {
    /// The terms, of which one is enough. All are of one key layout, and there is at least one.
    pub terms: BTreeSet<Term>,
    /// The filters of the query that need no further check on a row that meets this condition.
    pub(super) covers: Vec<Filter>,
    /// Whether the condition is only there to be read along, never to be checked.
    pub(super) only_drives: bool,
}

/// A filter of a query, to say which ones an index has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    StateIds,
    StateTypes,
    MutationTypes,
    ActorIds,
    Categories,
    AnyTag,
    Tag(Tag),
    Risk,
    BlastRadius,
    Statuses,
    PendingReasons,
    MetadataPair(String),
    ApproverIds,
    ApproverRoles,
    ApproverGroups,
    ApprovalCategories,
    DecisionCategories,
    DecisionKinds,
    DecisionActorIds,
    Created,
    Decided,
    Due,
}

/// What a query says to the planner.
pub trait Conditions: Sized {
    /// What holds every row that could be asked for, for want of anything better to read along.
    fn base(&self) -> Condition;

    /// Every further condition an index could answer.
    fn conditions(&self, indexed: &IndexedMetadata) -> Vec<Condition>;

    /// The stretch of keys that is asked for, and the filter which that answers.
    fn range(&self) -> Option<(KeyRange, Filter)> {
        None
    }

    /// The request ids that are asked for, when the query names them.
    fn ids(&self) -> Option<&BTreeSet<RequestId>>;

    /// The same query without these filters.
    fn without(self, filters: &[Filter]) -> Self;
}

impl Conditions for RequestQuery {
    fn base(&self) -> Condition {
        Condition::driving(Dimension::All)
    }

    fn conditions(&self, indexed: &IndexedMetadata) -> Vec<Condition> {
        request_conditions(&self.0, indexed)
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        Some((KeyRange::earliest_first(self.0.created.as_ref()), Filter::Created))
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.0.ids.as_ref()
    }

    fn without(mut self, filters: &[Filter]) -> Self {
        for filter in filters {
            self.0.remove(filter);
        }
        self
    }
}

impl Conditions for RecentApprovalQuery {
    fn base(&self) -> Condition {
        Condition::driving(Dimension::ApprovalActivity)
    }

    fn conditions(&self, indexed: &IndexedMetadata) -> Vec<Condition> {
        request_conditions(&self.request.0, indexed)
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.request.ids()
    }

    fn without(self, filters: &[Filter]) -> Self {
        Self { request: self.request.without(filters) }
    }
}

impl Conditions for DecisionQuery {
    fn base(&self) -> Condition {
        Condition::driving(Dimension::Decision)
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        Some((KeyRange::latest_first(self.0.decided.as_ref()), Filter::Decided))
    }

    fn conditions(&self, indexed: &IndexedMetadata) -> Vec<Condition> {
        let filters = &self.0;
        let mut conditions = Vec::new();
        conditions.extend(filters.categories.as_ref().map(|categories| {
            let kinds = DecisionKind::all().filter(|kind| categories.contains(&kind.category()));
            Condition::of(kinds.map(Term::decision_kind), [Filter::DecisionCategories])
        }));
        conditions.extend(
            filters.kinds.as_ref().map(|kinds| {
                Condition::of(kinds.iter().map(|kind| Term::decision_kind(*kind)), [Filter::DecisionKinds])
            }),
        );
        conditions.extend(Condition::names(
            Dimension::DecisionActor,
            filters.actor_ids.as_ref(),
            [Filter::DecisionActorIds],
        ));
        conditions.extend(request_conditions(&filters.request.0, indexed));
        conditions
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.0.request.ids()
    }

    fn without(mut self, filters: &[Filter]) -> Self {
        for filter in filters {
            match filter {
                Filter::DecisionCategories => self.0.categories = None,
                Filter::DecisionKinds => self.0.kinds = None,
                Filter::DecisionActorIds => self.0.actor_ids = None,
                Filter::Decided => self.0.decided = None,
                of_request => self.0.request.0.remove(of_request),
            }
        }
        self
    }
}

impl Conditions for PendingApprovalQuery {
    /// Only open approvals are indexed one by one; any others are found through their requests.
    fn base(&self) -> Condition {
        Condition::driving(if self.asks_only_pending() { Dimension::Approval } else { Dimension::All })
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        self.0.request.range()
    }

    fn conditions(&self, indexed: &IndexedMetadata) -> Vec<Condition> {
        let filters = &self.0;
        let mut request = filters.request.0.clone();
        let mut conditions = Vec::new();
        if self.asks_only_pending() {
            // A row index holds open approvals only, so that these two go without saying there; a request index
            // needs to be told.
            request.statuses.get_or_insert_with(|| [Status::Pending].into());
            request.pending_reasons.get_or_insert_with(|| [PendingReason::Approval].into());
            for (asked, filter) in [
                (filters.categories.as_ref(), Filter::ApprovalCategories),
                (request.categories.as_ref(), Filter::Categories),
            ] {
                let condition = Condition::names(Dimension::ApprovalCategory, asked, [filter]);
                conditions.extend(condition.map(|condition| Condition { only_drives: true, ..condition }));
            }
            let (ids, roles, groups) = (&filters.approver_ids, &filters.roles, &filters.groups);
            conditions.extend(Condition::names(Dimension::ApproverId, ids.as_ref(), [Filter::ApproverIds]));
            conditions.extend(Condition::names(Dimension::ApproverRole, roles.as_ref(), [Filter::ApproverRoles]));
            conditions.extend(Condition::names(Dimension::ApproverGroup, groups.as_ref(), [Filter::ApproverGroups]));
        }
        let categories = filters.categories.as_ref();
        conditions.extend(Condition::names(Dimension::Category, categories, [Filter::ApprovalCategories]));
        conditions.extend(request_conditions(&request, indexed));
        conditions
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.0.request.ids()
    }

    fn without(mut self, filters: &[Filter]) -> Self {
        for filter in filters {
            match filter {
                Filter::ApproverIds => self.0.approver_ids = None,
                Filter::ApproverRoles => self.0.roles = None,
                Filter::ApproverGroups => self.0.groups = None,
                Filter::ApprovalCategories => self.0.categories = None,
                of_request => self.0.request.0.remove(of_request),
            }
        }
        self
    }
}

impl Conditions for InboxQuery {
    fn base(&self) -> Condition {
        let mine = Term::new(Dimension::InboxActor, self.actor_id());
        let roles = self.roles().iter().map(|role| Term::new(Dimension::InboxRole, role));
        let groups = self.groups().iter().map(|group| Term::new(Dimension::InboxGroup, group));
        let terms = std::iter::once(mine).chain(roles).chain(groups).collect();
        Condition { terms, covers: Vec::new(), only_drives: true }
    }

    fn conditions(&self, _indexed: &IndexedMetadata) -> Vec<Condition> {
        Vec::new()
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        None
    }

    fn without(self, _filters: &[Filter]) -> Self {
        self
    }
}

impl Condition {
    /// How the keys of its terms are laid out.
    pub(super) fn layout(&self) -> KeyLayout {
        self.terms.first().map_or(KeyLayout::Created, |term| term.dimension.layout())
    }

    /// The condition by the terms that indexes hold where ids of people are compared so.
    pub(super) fn comparing(mut self, ids: IdComparison) -> Self {
        self.terms = self.terms.into_iter().map(|term| term.comparing(ids)).collect();
        self
    }

    pub(super) fn of(terms: impl IntoIterator<Item = Term>, covers: impl Into<Vec<Filter>>) -> Self {
        Self { terms: terms.into_iter().collect(), covers: covers.into(), only_drives: false }
    }

    pub(super) fn driving(dimension: Dimension) -> Self {
        Self { terms: [Term::whole(dimension)].into(), covers: Vec::new(), only_drives: true }
    }

    pub(super) fn names<T: AsRef<str>>(
        dimension: Dimension,
        names: Option<&BTreeSet<T>>,
        covers: impl Into<Vec<Filter>>,
    ) -> Option<Self> {
        names.map(|names| Self::of(names.iter().map(|name| Term::new(dimension, name)), covers))
    }
}
