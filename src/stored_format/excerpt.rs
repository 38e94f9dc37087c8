//! Parts of a document: what rows need, without decoding the rest.

use crate::request::{
    Approval, ApprovalSummary, Decision, IdComparison, Intent, RequestDocument, RequestId, RequestState, Requester,
    Target, Timestamp,
};

/// What stands at the beginning of a document, and in every row about a part of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) id: RequestId,
    pub(crate) target: Target,
    pub(crate) intent: Intent,
    pub(crate) requested_by: Requester,
    pub(crate) state: RequestState,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Not read from the bytes: whoever reads them sets it.
    pub(crate) id_comparison: IdComparison,
}

/// How all approvals of a document stand, and those of the pending ones that were wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Approvals {
    pub(crate) summaries: Vec<ApprovalSummary>,
    pub(crate) wanted: Vec<Approval>,
}

/// Decisions, each with its place in the history; the first is 0.
pub(crate) type PlacedDecisions = Vec<(u32, Decision)>;

/// Whether the pending approval of this step with this id is wanted.
pub(crate) type IsWantedApproval<'w> = &'w dyn Fn(&Head, u32, &str) -> bool;

/// Whether the decision at this place, made at this time, is wanted.
pub(crate) type IsWantedDecision<'w> = &'w dyn Fn(&Head, u32, Timestamp) -> bool;

/// Takes from a document what its rows about approvals show.
pub(crate) fn approvals_of(document: RequestDocument, is_wanted: IsWantedApproval<'_>) -> (Head, Approvals) {
    let (head, mut wanted, _) = parts_of(document);
    let summaries = ApprovalSummary::of_all(&wanted);
    let mut pending = summaries.iter().map(|standing| standing.is_pending);
    wanted.retain(|approval| {
        pending.next() == Some(true) && is_wanted(&head, approval.step.number(), approval.id.as_str())
    });
    (head, Approvals { summaries, wanted })
}

/// Takes from a document what its rows about decisions show.
pub(crate) fn decisions_of(document: RequestDocument, is_wanted: IsWantedDecision<'_>) -> (Head, PlacedDecisions) {
    let (head, _, decisions) = parts_of(document);
    let wanted = (0_u32..).zip(decisions).filter(|(ordinal, decision)| is_wanted(&head, *ordinal, decision.at));
    let wanted = wanted.collect();
    (head, wanted)
}

/// Takes from a document what every row shows.
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
