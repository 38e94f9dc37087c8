//! Parts of a document: what rows need, without decoding the rest.

use super::gates::Version;
use super::{DocumentLimit, FormatError, document};
use crate::request::{
    Approval, ApprovalSummary, ApproverLimits, Decision, IdComparison, Intent, RequestDocument, RequestId,
    RequestState, Requester, Target, Timestamp,
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
    pub(crate) approver_limits: ApproverLimits,
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

/// A part of a document that rows show.
pub(crate) trait Excerpt: Copy {
    type Parts;

    /// Takes the part out of a decoded document.
    fn of(self, document: RequestDocument) -> (Head, Self::Parts);

    /// Reads the part from a body; what is not wanted is skipped or not read.
    fn decode(self, body: &[u8], version: Version, limit: DocumentLimit) -> Result<(Head, Self::Parts), FormatError>;
}

/// The status of all approvals, and the pending ones whose step and id are wanted.
#[derive(Clone, Copy)]
pub(crate) struct PendingApprovals<'w>(pub(crate) &'w dyn Fn(&Head, u32, &str) -> bool);

/// The decisions whose ordinal and time are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Decisions<'w>(pub(crate) &'w dyn Fn(&Head, u32, Timestamp) -> bool);

impl Excerpt for PendingApprovals<'_> {
    type Parts = Approvals;

    fn of(self, document: RequestDocument) -> (Head, Approvals) {
        let (head, mut wanted, _) = parts_of(document);
        let summaries = ApprovalSummary::of_all(&wanted, &head.approver_limits);
        let mut pending = summaries.iter().map(|summary| summary.is_pending);
        wanted.retain(|approval| {
            pending.next() == Some(true) && (self.0)(&head, approval.step.number(), approval.id.as_str())
        });
        (head, Approvals { summaries, wanted })
    }

    fn decode(self, body: &[u8], version: Version, limit: DocumentLimit) -> Result<(Head, Approvals), FormatError> {
        document::decode_approvals(body, version, limit, self)
    }
}

impl Excerpt for Decisions<'_> {
    type Parts = PlacedDecisions;

    fn of(self, document: RequestDocument) -> (Head, PlacedDecisions) {
        let (head, _, decisions) = parts_of(document);
        let wanted = (0_u32..).zip(decisions).filter(|(ordinal, decision)| (self.0)(&head, *ordinal, decision.at));
        let wanted = wanted.collect();
        (head, wanted)
    }

    fn decode(
        self,
        body: &[u8],
        version: Version,
        limit: DocumentLimit,
    ) -> Result<(Head, PlacedDecisions), FormatError> {
        document::decode_decisions(body, version, limit, self)
    }
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
        approver_limits,
        id_comparison,
        approvals,
        decisions,
        ..
    } = document;
    let requested_by = Requester::from(&*requested_by);
    let head = Head { id, target, intent, requested_by, state, created_at, updated_at, approver_limits, id_comparison };
    (head, approvals, decisions)
}
