use std::collections::{BTreeMap, BTreeSet};

use crate::query::{self, Dimension, IndexedMetadata, Term};
use crate::request::MutationRequest;

/// One entry of an index: a member of the sorted set at the partition's index prefix + suffix. All scores are 0; the
/// order is that of the members' bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IndexEntry {
    pub(crate) suffix: Vec<u8>,
    pub(crate) member: Vec<u8>,
}

/// The index entries of a request that do not come from its decisions.
pub(crate) struct IndexEntries {
    /// True for as long as the request exists: they come from what is fixed when it is filed.
    pub(crate) lasting: Vec<IndexEntry>,
    /// True for this revision, by member. The record names them, so that the next write removes what is no longer true.
    pub(crate) current: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
}

/// The derivation of [`query::changing_entries`] in this store's bytes.
pub(crate) fn index_entries(request: &MutationRequest, indexed: &IndexedMetadata) -> IndexEntries {
    let mut entries = IndexEntries { lasting: Vec::new(), current: BTreeMap::new() };
    for entry in query::changing_entries(request, indexed) {
        let (suffix, member) = (suffix_of(&entry.term), entry.key.as_bytes().to_vec());
        if entry.term.dimension.is_fixed_at_filing() {
            entries.lasting.push(IndexEntry { suffix, member });
        } else {
            entries.current.entry(member).or_default().push(suffix);
        }
    }
    entries
}

/// The derivation of [`query::decision_entries`] in this store's bytes, from this decision on.
pub(crate) fn decision_entries(request: &MutationRequest, first: u32) -> Vec<IndexEntry> {
    let in_bytes =
        |entry: query::IndexEntry| IndexEntry { suffix: suffix_of(&entry.term), member: entry.key.as_bytes().to_vec() };
    query::decision_entries(request, first).into_iter().map(in_bytes).collect()
}

/// Every index entry of a request.
pub(crate) fn entries_of(request: &MutationRequest, indexed: &IndexedMetadata) -> Vec<IndexEntry> {
    let IndexEntries { mut lasting, current } = index_entries(request, indexed);
    for (member, suffixes) in current {
        lasting.extend(suffixes.into_iter().map(|suffix| IndexEntry { suffix, member: member.clone() }));
    }
    lasting.extend(decision_entries(request, 0));
    lasting
}

/// The suffixes for reading, each once.
pub(crate) fn current_suffixes(suffixes: &[&[u8]]) -> Vec<String> {
    let names: BTreeSet<String> = suffixes.iter().map(|suffix| String::from_utf8_lossy(suffix).into_owned()).collect();
    names.into_iter().collect()
}

/// The suffix of the index that holds a term: the letters of its dimension and, where that has several terms, a colon and
/// the term's text.
pub(crate) fn suffix_of(term: &Term) -> Vec<u8> {
    let letters = letters_of(term.dimension);
    if term.text.is_empty() {
        return letters.as_bytes().to_vec();
    }
    [letters.as_bytes(), b":", term.text.as_bytes()].concat()
}

/// Short, because every record of a waiting request repeats some of them; never changed, because keys are made of them.
const fn letters_of(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::All => "a",
        Dimension::StateId => "si",
        Dimension::StateType => "st",
        Dimension::MutationType => "mt",
        Dimension::ActorId => "ac",
        Dimension::Category => "ca",
        Dimension::Tag => "tg",
        Dimension::Risk => "rk",
        Dimension::BlastRadius => "br",
        Dimension::Status => "s",
        Dimension::PendingReason => "p",
        Dimension::PendingOfState => "ps",
        Dimension::Metadata => "m",
        Dimension::Updated => "u",
        Dimension::Due => "d",
        Dimension::ApprovalActivity => "v",
        Dimension::Approval => "o",
        Dimension::ApproverId => "oa",
        Dimension::ApproverRole => "or",
        Dimension::ApproverGroup => "og",
        Dimension::ApprovalCategory => "oc",
        Dimension::InboxActor => "ia",
        Dimension::InboxRole => "ir",
        Dimension::InboxGroup => "ig",
        Dimension::Decision => "e",
        Dimension::DecisionCategory => "ec",
        Dimension::DecisionKind => "ek",
        Dimension::DecisionActor => "ea",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_dimensions_share_their_letters() {
        let letters: BTreeSet<_> = Dimension::ALL.into_iter().map(letters_of).collect();
        assert_eq!(letters.len(), Dimension::ALL.len());
    }

    #[test]
    fn a_suffix_tells_dimension_and_text_apart() {
        assert_eq!(suffix_of(&Term::whole(Dimension::All)), b"a");
        assert_eq!(suffix_of(&Term::new(Dimension::StateId, "a:b")), b"si:a:b");
    }
}
