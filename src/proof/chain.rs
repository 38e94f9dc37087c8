//! Extends the chain of a history with each decision.

use super::hashing::{Hash, content_hash, decision_hash, next_head, submission_hash};
use crate::request::{Digest, HashMark, HistoryChain, RequestDocument, Salt};

/// Begins the chain of a history. Decisions that are there already are not covered.
pub(crate) fn begin(document: &mut RequestDocument, salt: Option<Salt>, payload_hash: Option<Hash>) {
    let first = ordinal(document.decisions.len());
    let origin = submission_hash(document, content_hash(document, payload_hash), first, salt);
    let head = Digest::from_bytes(origin);
    let (origin, marks) = (HashMark::of(&origin), Vec::new());
    document.chain = Some(Box::new(HistoryChain { first, head, salt, seal: None, origin, marks }));
}

/// Begins the chain of a history that a release without chains began; one that is there stays.
pub(crate) fn begin_if_absent(document: &mut RequestDocument) {
    if document.chain.is_none() {
        begin(document, None, None);
    }
}

/// Extends the chain by the last decision. Whatever was added before it without being chained stays without a mark, and so
/// is found.
pub(crate) fn extend(document: &mut RequestDocument) {
    let RequestDocument { chain: Some(chain), decisions, .. } = document else { return };
    let Some(last) = decisions.last() else { return };
    let hash = decision_hash(last, chain.salt);
    chain.head = Digest::from_bytes(next_head(chain.head.as_bytes(), &hash));
    chain.marks.push(HashMark::of(&hash));
}

pub(super) fn ordinal(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
