//! Parts of a document: what rows need, without decoding the rest.

use crate::request::{
    Approval, ApprovalSummary, Decision, IdComparison, Intent, RequestDocument, RequestId, RequestState, Requester,
    Target, Timestamp,
};

/// The beginning of a document, which every row about a part of it shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) id: RequestId,
    pub(crate) target: Target,
    pub(crate) intent: Intent,
    pub(crate) requested_by: Requester,
    pub(crate) state: RequestState,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Not from the bytes: the reader sets it.
    pub(crate) id_comparison: IdComparison,
}

/// The status of all approvals of a document, and the wanted pending ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Approvals {
    pub(crate) summaries: Vec<ApprovalSummary>,
    pub(crate) wanted: Vec<Approval>,
}

/// Decisions, each with its ordinal in the history; the first is 0.
pub(crate) type PlacedDecisions = Vec<(u32, Decision)>;

/// Whether the pending approval with this step and id is wanted.
pub(crate) type IsWantedApproval<'w> = &'w dyn Fn(&Head, u32, &str) -> bool;

/// Whether the decision with this ordinal and time is wanted.
pub(crate) type IsWantedDecision<'w> = &'w dyn Fn(&Head, u32, Timestamp) -> bool;

/// Reads the parts of a document for rows about approvals.
pub(crate) fn approvals_of(document: RequestDocument, is_wanted: IsWantedApproval<'_>) -> (Head, Approvals) {
    let (head, mut wanted, _) = parts_of(document);
    let summaries = ApprovalSummary::of_all(&wanted);
    let mut pending = summaries.iter().map(|standing| standing.is_pending);
    wanted.retain(|approval| {
        pending.next() == Some(true) && is_wanted(&head, approval.step.number(), approval.id.as_str())
    });
    (head, Approvals { summaries, wanted })
}

/// Reads the parts of a document for rows about decisions.
pub(crate) fn decisions_of(document: RequestDocument, is_wanted: IsWantedDecision<'_>) -> (Head, PlacedDecisions) {
    let (head, _, decisions) = parts_of(document);
    let wanted = (0_u32..).zip(decisions).filter(|(ordinal, decision)| is_wanted(&head, *ordinal, decision.at));
    let wanted = wanted.collect();
    (head, wanted)
}

/// Reads the parts of a document that every row shows.
pub(crate) fn head_of(document: RequestDocument) -> Head {
    parts_of(document).0
}

fn parts_of(document: RequestDocument) -> (Head, Vec<Approval>, Vec<Decision>) {
    let RequestDocument {
        id,
        target,
        intent,
        requested_by,
        state,
        created_at,
        updated_at,
        id_comparison,
        approvals,
        decisions,
        ..
    } = document;
    let requested_by = Requester::from(&*requested_by);
    let head = Head { id, target, intent, requested_by, state, created_at, updated_at, id_comparison };
    (head, approvals, decisions)
}
