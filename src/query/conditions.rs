//! What indexes answer of each query beyond its filter rows: the index to read along, the range of keys, and filters
//! that share an index.

use std::collections::BTreeSet;

use super::approvals::ApprovalFilters;
use super::decisions::DecisionFilters;
use super::filter::AnyOf;
use super::request::RequestFilters;
use super::{DecisionQuery, DueQuery, InboxQuery, PendingApprovalQuery, RecentApprovalQuery, RequestQuery};
use crate::index::{ChosenIndexes, Condition, Conditions, Dimension, Filter, KeyRange, Term};
use crate::request::{DecisionKind, PendingReason, RequestId, Status};

impl Conditions for RequestQuery {
    fn base(&self) -> Condition {
        Condition::whole(Dimension::All)
    }

    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition> {
        request_conditions(&self.0, chosen)
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        Some((KeyRange::earliest_first(self.0.created.as_ref()), RequestFilters::created))
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.0.ids.as_ref().map(AnyOf::set)
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
        Condition::whole(Dimension::ApprovalActivity)
    }

    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition> {
        self.request.conditions(chosen)
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
        Condition::whole(Dimension::Decision)
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        Some((KeyRange::latest_first(self.0.decided.as_ref()), DecisionFilters::decided))
    }

    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition> {
        let mut conditions = Vec::new();
        // A category stands for all its kinds.
        if let Some(categories) = &self.0.categories {
            let kinds = DecisionKind::all().filter(|kind| categories.set().contains(&kind.category()));
            let terms = kinds.map(|kind| Term::new(Dimension::DecisionKind, kind.to_string()));
            conditions.push(Condition::of(terms, [DecisionFilters::categories]));
        }
        conditions.extend(self.0.row_conditions(chosen));
        conditions.extend(self.0.request.conditions(chosen));
        conditions
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.0.request.ids()
    }

    fn without(mut self, filters: &[Filter]) -> Self {
        for filter in filters {
            self.0.remove(filter);
        }
        self.0.request = self.0.request.without(filters);
        self
    }
}

impl Conditions for PendingApprovalQuery {
    /// Only open approvals have index entries of their own; others are found through their requests.
    fn base(&self) -> Condition {
        Condition::whole(if self.asks_only_pending() { Dimension::Approval } else { Dimension::All })
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        self.0.request.range()
    }

    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition> {
        let filters = &self.0;
        let mut request = filters.request.0.clone();
        let mut conditions = Vec::new();
        let of = |asked: Option<&AnyOf<_>>, dimension, filter| {
            asked.map(|asked| Condition::of(asked.terms(dimension), [filter]))
        };
        if self.asks_only_pending() {
            // An index of open approvals implies these two; an index of requests does not.
            request.statuses.get_or_insert_with(|| AnyOf::these([Status::Pending]));
            request.pending_reasons.get_or_insert_with(|| AnyOf::these([PendingReason::Approval]));
            let categories = [
                of(filters.categories.as_ref(), Dimension::ApprovalCategory, ApprovalFilters::categories),
                of(request.categories.as_ref(), Dimension::ApprovalCategory, RequestFilters::categories),
            ];
            let drives = categories.into_iter().flatten().map(|by| Condition::driving(by.terms, by.covers));
            conditions.extend(drives);
            conditions.extend(filters.row_conditions(chosen));
        }
        conditions.extend(of(filters.categories.as_ref(), Dimension::Category, ApprovalFilters::categories));
        conditions.extend(request_conditions(&request, chosen));
        conditions
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.0.request.ids()
    }

    fn without(mut self, filters: &[Filter]) -> Self {
        for filter in filters {
            self.0.remove(filter);
        }
        self.0.request = self.0.request.without(filters);
        self
    }
}

impl Conditions for InboxQuery {
    fn base(&self) -> Condition {
        let mine = Term::new(Dimension::InboxActor, self.addressee());
        let roles = self.roles().iter().map(|role| Term::new(Dimension::InboxRole, role));
        let groups = self.groups().iter().map(|group| Term::new(Dimension::InboxGroup, group));
        Condition::driving(std::iter::once(mine).chain(roles).chain(groups), [])
    }

    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition> {
        let dimension = Dimension::Participant;
        let viewer = self.viewer().filter(|_| chosen.has(dimension));
        viewer.map_or_else(Vec::new, |viewer| viewer.conditions(dimension, &Self::VISIBLE_TO, chosen))
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        None
    }

    fn without(self, filters: &[Filter]) -> Self {
        if filters.iter().any(|filter| filter.is_of(&Self::VISIBLE_TO)) { self.for_every_viewer() } else { self }
    }
}

impl Conditions for DueQuery {
    fn base(&self) -> Condition {
        Condition::whole(Dimension::Due)
    }

    fn conditions(&self, _chosen: &ChosenIndexes) -> Vec<Condition> {
        Vec::new()
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        Some((KeyRange::due_by(self.time()), Filter::named("DueQuery::by")))
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        None
    }

    fn without(self, _filters: &[Filter]) -> Self {
        self
    }
}

fn request_conditions(filters: &RequestFilters, chosen: &ChosenIndexes) -> Vec<Condition> {
    let mut conditions = state_conditions(filters);
    conditions.extend(filters.row_conditions(chosen));
    conditions
}

/// State ids, statuses and pending reasons together, because pending requests of a state have an index of their own.
fn state_conditions(filters: &RequestFilters) -> Vec<Condition> {
    let statuses = filters.statuses.as_ref();
    let only_pending = statuses.is_some_and(|statuses| statuses.set().iter().eq([&Status::Pending]));
    let asks_pending = only_pending || filters.pending_reasons.is_some();
    let mut covers = vec![RequestFilters::state_ids];
    let mut conditions = Vec::new();
    if let Some(reasons) = &filters.pending_reasons {
        conditions.push(Condition::of(reasons.terms(Dimension::PendingReason), [RequestFilters::pending_reasons]));
    }
    if only_pending && filters.state_ids.is_some() {
        covers.push(RequestFilters::statuses);
    } else if let Some(statuses) = statuses {
        conditions.push(Condition::of(statuses.terms(Dimension::Status), [RequestFilters::statuses]));
    }
    if let Some(states) = &filters.state_ids {
        let dimension = if asks_pending { Dimension::PendingOfState } else { Dimension::StateId };
        conditions.push(Condition::of(states.terms(dimension), covers));
    }
    conditions
}
