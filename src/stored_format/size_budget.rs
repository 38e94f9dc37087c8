//! How much of a store's limits a request may take in its state, so that everything that can still happen to it fits.

use super::{DocumentLimit, FormatError, FormatVersion, encode, encode_as};
use crate::error::{Error, Result};
use crate::index::{ChosenIndexes, each_changing_entry};
use crate::request::{
    Approval, ApprovalState, ApprovalTarget, LinkRelation, MutationRequest, RequestDocument, RequestId,
};
use crate::workflow::is_executed_or_failed;

/// A write keeps the server busy for about 3 µs for each entry.
const MAX_ENTRIES: usize = 10_000;

/// The limits of a request: the bytes of its document, and its index entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeBudget {
    pub(crate) document: DocumentLimit,
    /// The bytes of the limit that must stay free, which may be more than the limit.
    pub(crate) kept: usize,
    pub(crate) entries: usize,
}

impl SizeBudget {
    /// The whole limit.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only what Redis stores is repaired"))]
    pub(crate) const fn whole(limit: DocumentLimit) -> Self {
        Self { document: limit, kept: 0, entries: MAX_ENTRIES }
    }

    /// For a new request: leaves space for its decisions.
    pub(crate) fn to_submit(limit: DocumentLimit, request: &MutationRequest) -> Self {
        let kept = kept_to_end(limit, request);
        let for_decisions = (limit.bytes() / 8).max(request.approvals.len().saturating_mul(512));
        let kept = for_decisions.max(kept.saturating_add(2 * limit.share()));
        Self { document: limit.without(kept), kept, entries: MAX_ENTRIES - MAX_ENTRIES / 8 }
    }

    /// For a changed request: leaves space for its largest end, and first for the end of its execution if it is
    /// claimed.
    pub(crate) fn to_change(limit: DocumentLimit, request: &MutationRequest) -> Self {
        let entries = if request.state.status().is_terminal() { 0 } else { MAX_ENTRIES / 32 };
        let kept = kept_to_end(limit, request);
        Self { document: limit.without(kept), kept, entries: MAX_ENTRIES - entries }
    }

    /// # Errors
    /// [`Error::TooManyEntries`] if there are more.
    pub(crate) fn check_entries(self, id: &RequestId, entries: usize) -> Result<()> {
        if entries > self.entries {
            return Err(Error::TooManyEntries { id: id.clone(), entries, limit: self.entries });
        }
        Ok(())
    }

    /// # Errors
    /// [`Error::TooLarge`], [`Error::TooManyEntries`] or [`Error::Unwritable`] if the request does not fit.
    pub(crate) fn check(self, request: &MutationRequest) -> Result<()> {
        encode(request.document(), self.document)
            .map_err(|error| self.unwritable(request, FormatVersion::NEWEST, error))?;
        let mut entries = 0_usize;
        each_changing_entry(request, &ChosenIndexes::default(), &mut |_, _, _| entries = entries.saturating_add(1));
        self.check_entries(&request.id, entries)
    }

    /// The error for a request that this version cannot write.
    pub(crate) fn unwritable(self, request: &MutationRequest, version: FormatVersion, error: FormatError) -> Error {
        let id = request.id.clone();
        match error {
            // A document over the limit was counted only up to the limit.
            FormatError::OverLimit { .. } => {
                let size = size_beside(request.document(), version, self.document);
                Error::TooLarge { id, size, limit: self.document.bytes(), kept: self.kept }
            }
            error => Error::Unwritable { id, error },
        }
    }
}

/// The size of this document for a limit that it does not fit in: its bytes or, if its parts need more memory than the
/// limit allows, the least limit that fits.
fn size_beside(document: &RequestDocument, version: FormatVersion, limit: DocumentLimit) -> usize {
    let fits = |bytes: usize| encode_as(document, version, DocumentLimit::of_bytes(bytes)).is_ok();
    let most = DocumentLimit::MAX.bytes();
    let bytes = encode_as(document, version, DocumentLimit::MAX).map_or(most, |bytes| bytes.len());
    if bytes > limit.bytes() {
        return bytes;
    }
    let (mut too_few, mut enough) = (limit.bytes(), limit.bytes().saturating_add(1));
    while enough < most && !fits(enough) {
        (too_few, enough) = (enough, enough.saturating_mul(2));
    }
    while enough.saturating_sub(too_few) > 1 {
        let between = too_few.midpoint(enough);
        if fits(between) { enough = between } else { too_few = between }
    }
    enough
}

/// The bytes of the limit that stay free in the state of the request.
///
/// Claimed, three shares: one for the end of the attempt, after which the request may be approved again, and two for
/// the end of the request. Open, two, and the expiry of its approvals. Compensable, one, of which each of the two
/// records of its compensation takes half.
fn kept_to_end(limit: DocumentLimit, request: &RequestDocument) -> usize {
    let share = limit.share();
    if !request.state.status().is_terminal() {
        let claimed = if request.execution.claim.is_some() { share } else { 0 };
        return (2 * share).saturating_add(claimed).saturating_add(expiry_of_approvals(request));
    }
    let has_link = |relation| request.execution.links.iter().any(|link| link.relation == relation);
    if has_link(LinkRelation::CompensatedBy) || !is_executed_or_failed(request) {
        return 0;
    }
    if has_link(LinkRelation::BeingCompensatedBy) { share / 2 } else { share }
}

/// A sweep records the expiry and the escalation of all of them in one write, with a decision each that repeats the approval.
fn expiry_of_approvals(request: &RequestDocument) -> usize {
    let can_expire = |approval: &&Approval| approval.state == ApprovalState::Pending && approval.expires_at.is_some();
    let expiries = request.approvals.iter().filter(can_expire).map(|approval| expiry_of(approval, &approval.target));
    // The decision about an escalation names both targets.
    let unrecorded = |approval: &&Approval| approval.state == ApprovalState::Pending && approval.escalation.is_some();
    let escalations = request.approvals.iter().filter(unrecorded).map(|approval| {
        let to =
            approval.escalation.as_ref().filter(|escalation| !escalation.recorded).map(|escalation| &escalation.to);
        to.map_or(0, |to| expiry_of(approval, &approval.target.clone().or(to.clone())))
    });
    expiries.chain(escalations).fold(0, usize::saturating_add)
}

fn expiry_of(approval: &Approval, target: &ApprovalTarget) -> usize {
    const DECISION: usize = 128;
    const AROUND_A_NAME: usize = 16;
    let names = target.actor_ids().iter().map(|name| name.as_str().len());
    let names = names.chain(target.roles().iter().map(|name| name.as_str().len()));
    let names = names.chain(target.groups().iter().map(|name| name.as_str().len()));
    let bytes_of_names: usize = names.map(|length| length.saturating_add(AROUND_A_NAME)).sum();
    let group = approval.quorum.as_ref().map_or(0, |quorum| quorum.group.as_str().len());
    DECISION + approval.id.as_str().len() + group + bytes_of_names
}
