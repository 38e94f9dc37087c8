//! What a store remembers of the writes of a request, and what that says about a write with a known id.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::index::has_same_submission;
use crate::request::{MutationRequest, RequestId, UnsettledWrite, WriteId, WriteIntent};

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settled {
    /// It took effect.
    Applied,
    /// It did not take effect and, as it was sent, no longer can: another write took its place. A repetition under its
    /// write id computes it again.
    NotApplied,
    /// It has not taken effect yet. If the call was lost, that stays so; if it is still on its way, it may take effect.
    /// A repetition under its write id settles it for good: see [`Outcome::Unknown`](crate::Outcome::Unknown).
    Open,
    /// So many writes followed that the store no longer knows. Look for the decision in the request's history.
    Forgotten,
}

/// A write that a store remembers of a request. Stores keep one for each of the last writes, and use it to judge a
/// repetition of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RememberedWrite {
    /// The number of the revision that the write made; 0 for the creation.
    pub number: u64,
    /// Its id.
    pub id: WriteId,
    /// What it was meant to do.
    pub intent: WriteIntent,
}

impl RememberedWrite {
    /// Checks that creating `sent` repeats this write, which created the request; `stored` is the stored request.
    ///
    /// # Errors
    /// [`Error::WriteIdReused`] when it does not: the id was used for another intent.
    pub fn check_creation(&self, sent: &MutationRequest, stored: &MutationRequest) -> Result<()> {
        // A request that was read back no longer says which draft it came from.
        let is_what_was_stored = || {
            let is_same = sent.payload == stored.payload && sent.intent == stored.intent;
            !sent.has_write_intent()
                && is_same
                && stored.decisions.starts_with(&sent.decisions)
                && has_same_submission(sent, stored)
        };
        let repeats = self.number == 0 && (self.intent == sent.creation_intent() || is_what_was_stored());
        if repeats { Ok(()) } else { Err(self.reused_by(&sent.id)) }
    }

    /// Checks that the update `sent` repeats this write; `stored` is the stored request.
    ///
    /// # Errors
    /// [`Error::WriteIdReused`] when it does not: the id was used for another intent.
    pub fn check_update(&self, sent: &MutationRequest, stored: &MutationRequest) -> Result<()> {
        let repeats = self.number > 0 && sent.repeats(self.intent, self.number, stored);
        if repeats { Ok(()) } else { Err(self.reused_by(&sent.id)) }
    }

    fn reused_by(&self, request: &RequestId) -> Error {
        Error::WriteIdReused {
            id: request.clone(),
            write_id: self.id,
            used_to: self.intent.kind(),
            revision: self.number,
        }
    }
}

impl UnsettledWrite {
    /// The number of the revision that the write makes, if no other write comes first.
    pub(crate) fn number(&self) -> u64 {
        self.base.map_or(0, |base| base.next(self.write_id).number)
    }

    /// What became of the write, from what its store [found](WriteLookup) under its id; `None` if the request does not
    /// exist.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the request of an update does not exist, and [`Error::WriteIdReused`] when the id was
    /// used for another intent: this write did not take effect, and cannot.
    pub fn settled_by(&self, found: Option<&WriteLookup>) -> Result<Settled> {
        let Some(found) = found else {
            return if self.base.is_none() { Ok(Settled::Open) } else { Err(Error::not_found(self.id.clone())) };
        };
        if let Some(write) = &found.write {
            let is_same_kind = self.base.is_none() == (write.number == 0);
            let is_same = self.intent.is_none_or(|intent| intent == write.intent);
            return if is_same_kind && is_same { Ok(Settled::Applied) } else { Err(write.reused_by(&self.id)) };
        }
        let number = self.number();
        Ok(match found.others.contains(&number) {
            true => Settled::NotApplied,
            false if found.newest < number => Settled::Open,
            false => Settled::Forgotten,
        })
    }
}

/// What a store found under one write id of a request, for authors of stores: the write itself, or which revisions
/// other writes made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteLookup {
    /// The number of the stored revision.
    newest: u64,
    write: Option<RememberedWrite>,
    /// The numbers of the revisions that the remembered writes with other ids made.
    others: BTreeSet<u64>,
}

impl WriteLookup {
    /// Looks the id up among the remembered writes of a request; `newest` is the number of its stored revision.
    pub fn new(write_id: WriteId, newest: u64, remembered: impl IntoIterator<Item = RememberedWrite>) -> Self {
        let mut found = Self { newest, write: None, others: BTreeSet::new() };
        for write in remembered {
            if write.id == write_id {
                found.write = Some(write);
            } else {
                found.others.insert(write.number);
            }
        }
        found
    }
}
