use std::sync::Arc;

use crate::request::{
    ActorContext, Approval, Decision, Intent, RequestDocument, RequestId, RequestState, Target, Timestamp,
};

/// What stands at the beginning of a document, and in every row about a part of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) id: RequestId,
    pub(crate) target: Target,
    pub(crate) intent: Intent,
    pub(crate) requested_by: Arc<ActorContext>,
    pub(crate) state: RequestState,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The head of a document and parts of it, without the rest.
pub(crate) type Excerpt<Part> = (Head, Vec<Part>);

/// A decision and its place in the history; the first is 0.
pub(crate) type PlacedDecision = (u32, Decision);

/// Whether the decision at this place, made at this time, is wanted.
pub(crate) type IsWanted<'w> = &'w dyn Fn(&Head, u32, Timestamp) -> bool;

/// Takes a document apart into its head and its approvals.
pub(crate) fn approvals_of(document: RequestDocument) -> Excerpt<Approval> {
    let (head, approvals, _) = parts_of(document);
    (head, approvals)
}

/// Takes a document apart into its head and those of its decisions that are wanted.
pub(crate) fn decisions_of(document: RequestDocument, is_wanted: IsWanted<'_>) -> Excerpt<PlacedDecision> {
    let (head, _, decisions) = parts_of(document);
    let wanted = (0_u32..).zip(decisions).filter(|(ordinal, decision)| is_wanted(&head, *ordinal, decision.at));
    let wanted = wanted.collect();
    (head, wanted)
}

fn parts_of(document: RequestDocument) -> (Head, Vec<Approval>, Vec<Decision>) {
    let RequestDocument {
        id, target, intent, requested_by, state, created_at, updated_at, approvals, decisions, ..
    } = document;
    (Head { id, target, intent, requested_by, state, created_at, updated_at }, approvals, decisions)
}
