use crate::query::{Listing, created_order};
use crate::request::{RequestDocument, StateId};

/// One entry of an index: a member of the sorted set at the partition's index prefix + suffix. All scores are 0; the
/// order is that of the members' bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IndexEntry {
    pub(crate) suffix: Vec<u8>,
    pub(crate) member: Vec<u8>,
}

/// The index entries of a document, by how long they stay.
pub(crate) struct IndexEntries {
    /// True for as long as the request exists.
    pub(crate) lasting: Vec<IndexEntry>,
    /// True for this revision; the record names them, so that the next write removes what is no longer true.
    pub(crate) current: Vec<IndexEntry>,
}

/// The one derivation of index entries from a document.
pub(crate) fn index_entries(document: &RequestDocument) -> IndexEntries {
    let created = created_order(document.created_at, &document.id);
    let entry = |suffix: Vec<u8>| IndexEntry { suffix, member: created.clone() };
    let lasting = vec![entry(all()), entry(state(&document.target.state_id))];
    let mut current = Vec::new();
    if document.state.pending().is_some() {
        current.push(entry(pending()));
        current.push(entry(pending_in_state(&document.target.state_id)));
    }
    IndexEntries { lasting, current }
}

/// The suffix of the index that holds a list.
pub(crate) fn suffix_of(listing: &Listing) -> Vec<u8> {
    match listing {
        Listing::State(state_id) => state(state_id),
        Listing::Pending => pending(),
        Listing::PendingInState(state_id) => pending_in_state(state_id),
    }
}

/// All requests.
fn all() -> Vec<u8> {
    b"a".to_vec()
}

/// The requests that would change a state.
fn state(state: &StateId) -> Vec<u8> {
    [b"t:", state.as_str().as_bytes()].concat()
}

/// The pending requests.
fn pending() -> Vec<u8> {
    b"p".to_vec()
}

/// The pending requests that would change a state.
fn pending_in_state(state: &StateId) -> Vec<u8> {
    [b"p:", state.as_str().as_bytes()].concat()
}
