//! Indexes in memory, for tests and fuzzers of what reads along them.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChosenIndexes, SortKey, Term, index_entries};
use crate::request::MutationRequest;

/// The keys of every term.
#[derive(Default)]
pub(crate) struct Indexes(BTreeMap<Term, BTreeSet<SortKey>>);

impl Indexes {
    /// Adds the entries of a request.
    pub(crate) fn add(&mut self, request: &MutationRequest, chosen: &ChosenIndexes) {
        for entry in index_entries(request, chosen) {
            self.0.entry(entry.term).or_default().insert(entry.key);
        }
    }

    /// The keys of a term, in ascending order.
    pub(crate) fn keys_of(&self, term: &Term) -> impl Iterator<Item = &SortKey> {
        self.0.get(term).into_iter().flatten()
    }

    /// Whether any of these terms has the key.
    pub(crate) fn holds(&self, terms: &BTreeSet<Term>, key: &SortKey) -> bool {
        terms.iter().any(|term| self.0.get(term).is_some_and(|keys| keys.contains(key)))
    }
}
