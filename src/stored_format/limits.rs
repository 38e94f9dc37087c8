//! The limits of a document: bytes when it is stored, and memory when it is read.

use super::FormatError;

/// The greatest size of a stored request in bytes, envelope included.
///
/// A new request may take seven eighths of it, which leaves space for its decisions. A change may take 31 of 32 parts,
/// so that the request can always end, and a claim 61 of 64, so that the result of the attempt can be recorded. An open
/// approval that can expire keeps more space free, for its expiry.
///
/// It also bounds memory: reading a document takes at most a fixed multiple of it, whatever the bytes announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentLimit(usize);

impl DocumentLimit {
    /// 1 MiB.
    pub const DEFAULT: Self = Self(1024 * 1024);
    /// 256 MiB, below what one Redis string can hold.
    pub const MAX: Self = Self(256 * 1024 * 1024);

    /// A limit of this many bytes, at most [`MAX`](Self::MAX); greater values become that.
    pub const fn of_bytes(bytes: usize) -> Self {
        if bytes > Self::MAX.0 { Self::MAX } else { Self(bytes) }
    }

    /// The limit in bytes.
    pub const fn bytes(self) -> usize {
        self.0
    }

    /// The unit of the space kept for ends: a sixty-fourth, at least 384 bytes, of which half take the record of one
    /// compensation with the longest id.
    pub(crate) const fn share(self) -> usize {
        if self.0 / 64 > 384 { self.0 / 64 } else { 384 }
    }

    /// The limit minus this many bytes.
    pub(crate) const fn without(self, bytes: usize) -> Self {
        Self(self.0.saturating_sub(bytes))
    }

    pub(super) const fn check(self, size: usize) -> Result<(), FormatError> {
        if size > self.0 {
            return Err(FormatError::OverLimit { size, unit: "bytes", limit: self.0 });
        }
        Ok(())
    }
}

impl Default for DocumentLimit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The memory that the rest of a document may take.
///
/// A byte can stand for much more in memory (an empty entry of a map takes a whole tree node), so with only the limit
/// on stored bytes a small document could take all memory. Every container is charged before it is allocated. The
/// charges are round figures of the format, not measurements, so that every build rejects the same documents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: usize,
    whole: usize,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent;

impl Budget {
    /// The bytes of memory for each byte of the limit.
    pub(super) const FACTOR: usize = 32;
    /// The charge for a non-empty map or set: its first node.
    pub(super) const NODE: usize = 640;
    /// The charge for each entry of a map.
    pub(super) const ENTRY: usize = 128;
    /// The charge for each member of a set.
    pub(super) const MEMBER: usize = 32;
    /// The charge for each value of a list.
    pub(super) const VALUE: usize = 32;

    pub(super) const fn of(limit: DocumentLimit) -> Self {
        let whole = limit.0.saturating_mul(Self::FACTOR);
        Self { left: whole, whole }
    }

    pub(super) const fn charge(&mut self, count: usize, each: usize) -> Result<(), Spent> {
        match count.checked_mul(each) {
            Some(bytes) if bytes <= self.left => {
                self.left -= bytes;
                Ok(())
            }
            _ => {
                self.left = 0;
                Err(Spent)
            }
        }
    }

    /// Charges for a map with `entries` entries.
    pub(super) const fn charge_map(&mut self, entries: usize) -> Result<(), Spent> {
        if entries > 0 && self.charge(1, Self::NODE).is_err() {
            return Err(Spent);
        }
        self.charge(entries, Self::ENTRY)
    }

    /// Charges for a set with `members` members.
    pub(super) const fn charge_set(&mut self, members: usize) -> Result<(), Spent> {
        if members > 0 && self.charge(1, Self::NODE).is_err() {
            return Err(Spent);
        }
        self.charge(members, Self::MEMBER)
    }

    /// The error when the budget is used up.
    pub(super) const fn over_limit(self) -> FormatError {
        FormatError::OverLimit {
            size: self.whole.saturating_add(1),
            unit: "bytes of memory or more",
            limit: self.whole,
        }
    }
}
