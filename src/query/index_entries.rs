use std::collections::BTreeSet;

use super::recent_query::approval_activity;
use super::{Dimension, SortKey, Term};
use crate::request::{Approval, ApprovalState, MutationRequest, Step};
use crate::workflow;

/// One entry of the indexes: this row has this term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct IndexEntry {
    /// The term.
    pub term: Term,
    /// The row, by where it stands in the order of its read.
    pub key: SortKey,
}

/// The metadata keys whose pairs are indexed; what is asked of other keys is checked on the request itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexedMetadata(BTreeSet<String>);

impl IndexedMetadata {
    /// These keys.
    pub fn keys(keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// Whether pairs under this key are indexed.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    /// The keys in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Every index entry of the request: the one derivation that indexes are a function of documents by.
pub fn index_entries(request: &MutationRequest, indexed: &IndexedMetadata) -> BTreeSet<IndexEntry> {
    let mut entries = changing_entries(request, indexed);
    entries.extend(decision_entries(request, 0));
    entries
}

/// The entries that a change of the request can remove: all but those of its decisions.
pub fn changing_entries(request: &MutationRequest, indexed: &IndexedMetadata) -> BTreeSet<IndexEntry> {
    let mut entries = Entries::default();
    entries.add_all(&SortKey::created(request.created_at, &request.id), request_terms(request, indexed));
    entries.add_times(request);
    let open = || request.approvals.iter().filter(|approval| approval.state == ApprovalState::Pending);
    if request.state.awaits_approval() {
        let active = open().map(|approval| approval.step).min();
        open().for_each(|approval| entries.add_approval(request, approval, active));
    }
    entries.0
}

/// The entries that come from what is fixed when a request is filed: a change of the request never removes them.
pub(crate) fn filing_entries(request: &MutationRequest) -> BTreeSet<IndexEntry> {
    let is_fixed = |entry: &IndexEntry| entry.term.dimension.is_fixed_at_filing();
    changing_entries(request, &IndexedMetadata::default()).into_iter().filter(is_fixed).collect()
}

/// Whether two revisions of a request agree in what is fixed when it is filed.
pub(crate) fn is_filed_alike(one: &MutationRequest, other: &MutationRequest) -> bool {
    filing_entries(one) == filing_entries(other)
}

/// The entries of the decisions from this ordinal on. Decisions only grow, so these are only ever added to.
pub fn decision_entries(request: &MutationRequest, first: u32) -> BTreeSet<IndexEntry> {
    let mut entries = Entries::default();
    for (ordinal, decision) in (0_u32..).zip(&request.decisions).filter(|(ordinal, _)| *ordinal >= first) {
        let key = SortKey::decision(decision.at, &request.id, ordinal, request.created_at);
        let actor = decision.by.id.as_ref().map(|id| Term::new(Dimension::DecisionActor, id));
        let of_every_decision = [
            Term::whole(Dimension::Decision),
            Term::new(Dimension::DecisionCategory, decision.kind.category().as_str()),
            Term::decision_kind(decision.kind),
        ];
        entries.add_all(&key, of_every_decision.into_iter().chain(actor));
    }
    entries.0
}

fn request_terms(request: &MutationRequest, indexed: &IndexedMetadata) -> Vec<Term> {
    let (target, intent) = (&request.target, &request.intent);
    let mut terms = vec![
        Term::whole(Dimension::All),
        Term::new(Dimension::StateId, &target.state_id),
        Term::new(Dimension::StateType, &target.state_type),
        Term::new(Dimension::MutationType, &target.mutation_type),
        Term::new(Dimension::Category, &intent.category),
        Term::risk(intent.risk),
        Term::status(request.state.status()),
    ];
    terms.extend(request.requested_by.id.as_ref().map(|id| Term::new(Dimension::ActorId, id)));
    terms.extend(intent.tags.iter().map(|tag| Term::new(Dimension::Tag, tag)));
    terms.extend(intent.blast_radius.as_ref().map(|radius| Term::blast_radius(radius.scope)));
    if let Some(pending) = request.state.pending() {
        terms.push(Term::pending_reason(pending.reason));
        terms.push(Term::new(Dimension::PendingOfState, &target.state_id));
    }
    let pairs = request.metadata.iter().filter(|(key, _)| indexed.contains(key));
    terms.extend(pairs.map(|(key, value)| Term::metadata(key, value)));
    terms
}

#[derive(Default)]
struct Entries(BTreeSet<IndexEntry>);

impl Entries {
    fn add_all(&mut self, key: &SortKey, terms: impl IntoIterator<Item = Term>) {
        self.0.extend(terms.into_iter().map(|term| IndexEntry { term, key: key.clone() }));
    }

    fn add(&mut self, dimension: Dimension, key: SortKey) {
        self.0.insert(IndexEntry { term: Term::whole(dimension), key });
    }

    fn add_times(&mut self, request: &MutationRequest) {
        let (id, created) = (&request.id, request.created_at);
        self.add(Dimension::Updated, SortKey::updated(request.updated_at, id, created));
        if let Some(deadline) = workflow::next_deadline(request) {
            self.add(Dimension::Due, SortKey::due(deadline, id));
        }
        if let Some(activity) = approval_activity(request) {
            self.add(Dimension::ApprovalActivity, SortKey::approval_activity(activity, id, created));
        }
    }

    fn add_approval(&mut self, request: &MutationRequest, approval: &Approval, active: Option<Step>) {
        let key = SortKey::approval(request.created_at, &request.id, approval.step, &approval.id);
        let addressees = |ids, roles, groups| {
            let target = &approval.target;
            let ids = target.actor_ids().iter().map(move |id| Term::new(ids, id));
            let roles = target.roles().iter().map(move |role| Term::new(roles, role));
            ids.chain(roles).chain(target.groups().iter().map(move |group| Term::new(groups, group)))
        };
        self.add(Dimension::Approval, key.clone());
        self.add_all(&key, [Term::new(Dimension::ApprovalCategory, &request.intent.category)]);
        self.add_all(&key, addressees(Dimension::ApproverId, Dimension::ApproverRole, Dimension::ApproverGroup));
        if active == Some(approval.step) {
            self.add_all(&key, addressees(Dimension::InboxActor, Dimension::InboxRole, Dimension::InboxGroup));
        }
    }
}
