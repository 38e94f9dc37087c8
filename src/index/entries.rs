//! The index entries of a request: the one function that derives indexes from documents.

use std::collections::BTreeSet;

use super::participants::each_text;
use super::ready_entries::each_ready;
use super::{ChosenIndexes, Dimension, Lifetime, SortKey, Term};
use crate::request::{
    Approval, ApprovalDecision, ApprovalState, ApprovalTarget, DecisionCategory, DecisionKind, MutationRequest, Status,
    Step, Timestamp,
};
use crate::workflow;

/// One index entry: this row has this term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct IndexEntry {
    /// The term.
    pub term: Term,
    /// The row, by its sort key.
    pub key: SortKey,
}

/// Every index entry of the request: the one function that derives indexes from documents.
pub fn index_entries(request: &MutationRequest, chosen: &ChosenIndexes) -> BTreeSet<IndexEntry> {
    let mut entries = changing_entries(request, chosen);
    entries.extend(decision_entries(request, 0));
    entries
}

/// The entries that a change of the request can remove: all except those of its decisions.
pub fn changing_entries(request: &MutationRequest, chosen: &ChosenIndexes) -> BTreeSet<IndexEntry> {
    collected(|take| each_changing_entry(request, chosen, take))
}

/// A receiver of entries: a row's key, and the dimension and text of one of its terms.
pub(crate) type Take<'t> = dyn FnMut(&SortKey, Dimension, &str) + 't;

/// Passes on the [`changing_entries`] one by one, those of a row together.
pub(crate) fn each_changing_entry(request: &MutationRequest, chosen: &ChosenIndexes, take: &mut Take<'_>) {
    each_term(request, chosen, &SortKey::created(request.created_at, &request.id), take);
    each_time(request, take);
    if !request.state.awaits_approval() {
        return;
    }
    let open = || request.approvals.iter().filter(|approval| approval.state == ApprovalState::Pending);
    let active = open().map(|approval| approval.step).min();
    let making_way = workflow::making_way(request, active);
    for (place, approval) in request.approvals.iter().enumerate() {
        if approval.state == ApprovalState::Pending {
            let through = making_way.get(&place).into_iter().flatten();
            let through: Vec<&Approval> = through.filter_map(|place| request.approvals.get(*place)).collect();
            each_of_approval(request, approval, active, &through, take);
        }
    }
}

/// The entries that depend only on fields fixed at submission: a change of the request never removes them.
pub(crate) fn filing_entries(request: &MutationRequest) -> BTreeSet<IndexEntry> {
    let is_fixed = |entry: &IndexEntry| entry.term.dimension.lifetime() == Lifetime::Lasting;
    changing_entries(request, &ChosenIndexes::default()).into_iter().filter(is_fixed).collect()
}

/// Whether two revisions of a request have the same fields fixed at submission: target, category, tags, risk, blast
/// radius, the requester's id, the limits on approvers, the named participants and the created time. If not, a store
/// rejects the update with [`Error::submitted_fields_changed`](crate::Error::submitted_fields_changed).
///
/// One of them may exclude more people: whoever amends for the requester is excluded from then on.
pub fn has_same_submission(one: &MutationRequest, other: &MutationRequest) -> bool {
    let (limits, others) = (&one.approver_limits, &other.approver_limits);
    let is_grown = limits.excluded.is_superset(&others.excluded) || others.excluded.is_superset(&limits.excluded);
    limits.distinct == others.distinct
        && is_grown
        && one.execution.retry == other.execution.retry
        && one.participants == other.participants
        && filing_entries(one) == filing_entries(other)
}

/// The entries of the decisions from this ordinal on. Decisions only grow, so these entries are only ever added.
pub fn decision_entries(request: &MutationRequest, first: u32) -> BTreeSet<IndexEntry> {
    collected(|take| each_decision_entry(request, first, take))
}

/// Passes on the [`decision_entries`] one by one, those of a decision together.
pub(crate) fn each_decision_entry(request: &MutationRequest, first: u32, take: &mut Take<'_>) {
    let ids = request.id_comparison;
    for (ordinal, decision) in (0_u32..).zip(&request.decisions).filter(|(ordinal, _)| *ordinal >= first) {
        let key = SortKey::decision(decision.at, &request.id, ordinal, request.created_at);
        take(&key, Dimension::Decision, "");
        take(&key, Dimension::DecisionKind, &decision.kind.to_string());
        for id in decision.by.people() {
            take(&key, Dimension::DecisionActor, &ids.key(id.as_str()));
        }
    }
}

fn collected(each: impl FnOnce(&mut Take<'_>)) -> BTreeSet<IndexEntry> {
    let mut entries = BTreeSet::new();
    each(&mut |key, dimension, text| {
        entries.insert(IndexEntry { term: Term::new(dimension, text), key: key.clone() });
    });
    entries
}

fn each_term(request: &MutationRequest, chosen: &ChosenIndexes, key: &SortKey, take: &mut Take<'_>) {
    let (target, intent) = (&request.target, &request.intent);
    take(key, Dimension::All, "");
    take(key, Dimension::StateId, target.state_id.as_str());
    take(key, Dimension::StateType, target.state_type.as_str());
    take(key, Dimension::MutationType, target.mutation_type.as_str());
    take(key, Dimension::Category, intent.category.as_str());
    take(key, Dimension::Risk, &intent.risk.to_string());
    take(key, Dimension::Status, request.state.status().as_str());
    for id in request.requested_by.people() {
        take(key, Dimension::ActorId, &request.id_comparison.key(id.as_str()));
    }
    for tag in &intent.tags {
        take(key, Dimension::Tag, tag.as_str());
    }
    if let Some(radius) = &intent.blast_radius {
        take(key, Dimension::BlastRadius, &radius.scope.to_string());
    }
    if let Some(pending) = request.state.pending() {
        take(key, Dimension::PendingReason, pending.reason.as_str());
        take(key, Dimension::PendingOfState, target.state_id.as_str());
    }
    for (metadata_key, value) in request.metadata.iter().filter(|(key, _)| chosen.has_metadata(key)) {
        take(key, Dimension::Metadata, &Term::of_pair(Dimension::Metadata, metadata_key, value).text);
    }
    if let Some(id) = &request.requested_by.correlation_id
        && chosen.has(Dimension::CorrelationId)
    {
        take(key, Dimension::CorrelationId, &Term::of_long_text(Dimension::CorrelationId, id).text);
    }
    if chosen.has(Dimension::Participant) {
        let who = workflow::participants(request);
        each_text(&who, request.id_comparison, |text| take(key, Dimension::Participant, text));
    }
}

fn each_time(request: &MutationRequest, take: &mut Take<'_>) {
    let (id, created) = (&request.id, request.created_at);
    if let Some(deadline) = workflow::next_deadline(request) {
        take(&SortKey::due(deadline, id), Dimension::Due, "");
    }
    let own = request.state.pending().filter(|_| request.state.awaits_approval());
    if let Some(deadline) = own.and_then(|pending| pending.expires_at) {
        take(&SortKey::due(deadline, id), Dimension::DecisionDeadline, "");
    }
    each_ready(request, &mut *take);
    if let Some(activity) = approval_activity(request) {
        take(&SortKey::approval_activity(activity, id, created), Dimension::ApprovalActivity, "");
    }
}

/// `through` are the approvals whose vote can make way to this one.
fn each_of_approval(
    request: &MutationRequest,
    approval: &Approval,
    active: Option<Step>,
    through: &[&Approval],
    take: &mut Take<'_>,
) {
    let key = SortKey::approval(request.created_at, &request.id, approval.step, &approval.id);
    take(&key, Dimension::Approval, "");
    take(&key, Dimension::ApprovalCategory, request.intent.category.as_str());
    let comparison = request.id_comparison;
    let mut addressees = |target: &ApprovalTarget, ids, roles, groups| {
        for id in comparison.keys(target.actor_ids()) {
            take(&key, ids, &id);
        }
        for role in comparison.keys(target.roles()) {
            take(&key, roles, &role);
        }
        for group in comparison.keys(target.groups()) {
            take(&key, groups, &group);
        }
    };
    addressees(&approval.recorded_target(), Dimension::ApproverId, Dimension::ApproverRole, Dimension::ApproverGroup);
    if active == Some(approval.step) {
        // The inbox has an approval from the time of its escalation on, which no write marks.
        for target in std::iter::once(approval).chain(through.iter().copied()).map(Approval::target_in_the_end) {
            addressees(&target, Dimension::InboxActor, Dimension::InboxRole, Dimension::InboxGroup);
        }
    }
}

/// The time of the request's latest approval activity; `None` if it is not a recently approved request.
pub(crate) fn approval_activity(request: &MutationRequest) -> Option<Timestamp> {
    if !matches!(request.state.status(), Status::Approved | Status::Executed) {
        return None;
    }
    let mut about_approvals =
        request.decisions.iter().filter(|decision| decision.kind.category() == DecisionCategory::Approval).peekable();
    if request.approvals.is_empty() && about_approvals.peek().is_none() {
        return None;
    }
    let asking = DecisionKind::Approval(ApprovalDecision::Requested);
    let latest = about_approvals.filter(|decision| decision.kind != asking).map(|decision| decision.at).max();
    Some(latest.unwrap_or(request.updated_at))
}
