//! Index entries as scripts take them.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::index::{self, ChosenIndexes, Dimension, Lifetime, SortKey, Term};
use crate::request::MutationRequest;

/// The index entries of a request, without those of its decisions.
#[derive(Default)]
pub(crate) struct IndexEntries {
    /// Entries that stay as long as the request exists: they depend only on fields fixed at submission.
    pub(crate) lasting: EncodedEntries,
    /// Entries of this revision. The record names them, so that the next write removes those that are no longer true.
    pub(crate) current: EncodedEntries,
}

/// Index entries as records hold them and scripts take them, each member once with the suffixes of the indexes that
/// hold it. [`Record`](crate::redis::record::Record) defines the layout.
pub(crate) struct EncodedEntries {
    bytes: Vec<u8>,
    count: u16,
    entries: usize,
    /// Where the member of the last group begins, the number of its suffixes, and where that number stands.
    last: Option<(Range<usize>, u16, usize)>,
}

impl Default for EncodedEntries {
    fn default() -> Self {
        let mut bytes = Vec::with_capacity(1000);
        bytes.extend_from_slice(&[0; 2]);
        Self { bytes, count: 0, entries: 0, last: None }
    }
}

impl EncodedEntries {
    /// Adds an entry; the entries of a member must come together.
    fn add(&mut self, member: &SortKey, dimension: Dimension, text: &str) {
        self.entries = self.entries.saturating_add(1);
        let last = self.last.as_ref().and_then(|(last, ..)| self.bytes.get(last.clone()));
        if last != Some(member.as_bytes()) {
            self.put_text(&[member.as_bytes()]);
            let end = self.bytes.len();
            self.last = Some((end.saturating_sub(member.as_bytes().len())..end, 0, end));
            self.bytes.extend_from_slice(&[0; 2]);
            self.count = self.count.saturating_add(1);
            overwrite(&mut self.bytes, 0, self.count);
        }
        if let Some((_, suffixes, place)) = &mut self.last {
            *suffixes = suffixes.saturating_add(1);
            overwrite(&mut self.bytes, *place, *suffixes);
        }
        let letters = dimension.code().as_bytes();
        let separator: &[u8] = if text.is_empty() { b"" } else { b":" };
        self.put_text(&[letters, separator, text.as_bytes()]);
    }

    /// All counts here are bounded: by the length limits of names, or by the limit that a record sets to entries.
    fn put_text(&mut self, parts: &[&[u8]]) {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        self.bytes.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
    }

    pub(crate) const fn entries(&self) -> usize {
        self.entries
    }

    /// The number of groups, then the groups.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Only the groups, which may be more than can be counted.
    pub(crate) fn uncounted(&self) -> &[u8] {
        self.bytes.get(2..).unwrap_or_default()
    }
}

fn overwrite(bytes: &mut [u8], place: usize, number: u16) {
    if let Some(found) = bytes.get_mut(place..).and_then(<[u8]>::first_chunk_mut) {
        *found = number.to_be_bytes();
    }
}

/// The entries of [`index::changing_entries`] in this store's bytes.
pub(crate) fn index_entries(request: &MutationRequest, chosen: &ChosenIndexes) -> IndexEntries {
    let mut entries = IndexEntries::default();
    index::each_changing_entry(request, chosen, &mut |key, dimension, text| {
        let groups = match dimension.lifetime() {
            Lifetime::Lasting => &mut entries.lasting,
            Lifetime::Current | Lifetime::Growing => &mut entries.current,
        };
        groups.add(key, dimension, text);
    });
    entries
}

/// Adds the entries of [`index::decision_entries`] in this store's bytes, from this decision on.
pub(crate) fn add_decision_entries(groups: &mut EncodedEntries, request: &MutationRequest, first: usize) {
    let first = u32::try_from(first).unwrap_or(u32::MAX);
    index::each_decision_entry(request, first, &mut |key, dimension, text| groups.add(key, dimension, text));
}

/// The groups of all index entries of a request.
pub(crate) fn all_entries(request: &MutationRequest, chosen: &ChosenIndexes) -> Vec<u8> {
    let IndexEntries { mut lasting, current } = index_entries(request, chosen);
    add_decision_entries(&mut lasting, request, 0);
    [current.uncounted(), lasting.uncounted()].concat()
}

/// The members of a request in the index with this suffix.
pub(crate) fn members_of(request: &MutationRequest, chosen: &ChosenIndexes, suffix: &[u8]) -> BTreeSet<Vec<u8>> {
    let entries = index::index_entries(request, chosen).into_iter();
    let in_index = entries.filter(|entry| suffix_of(&entry.term) == suffix);
    in_index.map(|entry| entry.key.as_bytes().to_vec()).collect()
}

/// The suffixes for reading, each once.
pub(crate) fn current_suffixes(suffixes: &[&[u8]]) -> Vec<String> {
    let names: BTreeSet<String> = suffixes.iter().map(|suffix| String::from_utf8_lossy(suffix).into_owned()).collect();
    names.into_iter().collect()
}

/// The suffix of the index of a term: the code of its dimension and, if that has several terms, a colon and the term's
/// text.
pub(crate) fn suffix_of(term: &Term) -> Vec<u8> {
    let letters = term.dimension.code();
    if term.text.is_empty() {
        return letters.as_bytes().to_vec();
    }
    [letters.as_bytes(), b":", term.text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_dimensions_share_their_letters() {
        let letters: BTreeSet<_> = Dimension::ALL.into_iter().map(Dimension::code).collect();
        assert_eq!(letters.len(), Dimension::ALL.len());
    }

    #[test]
    fn a_suffix_tells_dimension_and_text_apart() {
        assert_eq!(suffix_of(&Term::whole(Dimension::All)), b"a");
        assert_eq!(suffix_of(&Term::new(Dimension::StateId, "a:b")), b"si:a:b");
    }
}
