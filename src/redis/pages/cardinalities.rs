//! How many members each index had when it was last read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::index::Term;

/// More than this many sizes are not remembered.
const MAX_TERMS: usize = 10_000;

/// How many keys terms hold in all partitions together, according to their last scan; an estimate by dimension if a
/// term was never scanned.
///
/// Only the plan depends on it, never the result.
#[derive(Default)]
pub(crate) struct Cardinalities(Mutex<HashMap<Term, u64>>);

impl Cardinalities {
    pub(crate) fn of(&self, term: &Term) -> u64 {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(term).copied().unwrap_or_else(|| term.dimension.usual_size())
    }

    pub(crate) fn learn<'a>(&self, sizes: impl Iterator<Item = (&'a Term, u64)>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (term, size) in sizes {
            if let Some(known) = seen.get_mut(term) {
                *known = size;
                continue;
            }
            if seen.len() >= MAX_TERMS {
                seen.clear();
            }
            seen.insert(term.clone(), size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Dimension;

    #[test]
    fn what_was_seen_last_counts_and_memory_is_bounded() {
        let sizes = Cardinalities::default();
        let term = Term::new(Dimension::StateId, "a");
        assert_eq!(sizes.of(&term), Dimension::StateId.usual_size());
        sizes.learn([(&term, 7)].into_iter());
        sizes.learn([(&term, 8)].into_iter());
        assert_eq!(sizes.of(&term), 8);
        for number in 0..3 * MAX_TERMS {
            sizes.learn([(&Term::new(Dimension::Tag, number.to_string()), 1)].into_iter());
        }
        assert!(sizes.0.lock().unwrap().len() <= MAX_TERMS);
    }
}
