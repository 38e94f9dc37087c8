//! How much a document may take: of bytes when it is stored, and of memory when it is read.

use super::FormatError;

/// The most bytes one stored request may take, envelope included.
///
/// A request is filed within seven eighths of it, so that there is room for what is decided about it, and goes on within 31
/// of 32 parts, so that it can always be brought to an end.
///
/// It bounds memory too: reading a document takes at most a fixed multiple of it, whatever the bytes claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentLimit(usize);

impl DocumentLimit {
    /// 1 MiB.
    pub const DEFAULT: Self = Self(1024 * 1024);
    /// 256 MiB, below what one Redis string can hold.
    pub const MAX: Self = Self(256 * 1024 * 1024);

    /// A limit of this many bytes; more than [`MAX`](Self::MAX) is taken as that.
    pub const fn of_bytes(bytes: usize) -> Self {
        if bytes > Self::MAX.0 { Self::MAX } else { Self(bytes) }
    }

    /// The limit in bytes.
    pub const fn bytes(self) -> usize {
        self.0
    }

    /// How many bytes a request with so many approvals leaves free when it is filed: an eighth of the limit or, where that is
    /// more, 512 bytes for each approval. What is decided about it later finds room there.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "the memory store has no limit"))]
    pub(crate) const fn kept_at_filing(self, approvals: usize) -> usize {
        let for_approvals = approvals.saturating_mul(512);
        if for_approvals > self.0 / 8 { for_approvals } else { self.0 / 8 }
    }

    /// How many bytes a request leaves free that goes on: a thirty-second of the limit, in which its end finds room.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "the memory store has no limit"))]
    pub(crate) const fn kept_for_the_end(self) -> usize {
        self.0 / 32
    }

    /// The limit without so many bytes.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "the memory store has no limit"))]
    pub(crate) const fn without(self, kept: usize) -> Self {
        Self(self.0.saturating_sub(kept))
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

/// Memory that the parts of one document may still take.
///
/// A byte can stand for much more in memory (an empty entry of a map takes a whole tree node), so the limit on stored
/// bytes alone would let a small document take all memory. Every container is charged before it is allocated, in
/// round figures that are part of the format rather than measured: a document is refused alike by every build.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: usize,
    whole: usize,
}

/// The budget is spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent;

impl Budget {
    /// How many bytes of memory each byte of the limit allows for.
    pub(super) const FACTOR: usize = 32;
    /// The charge for a map or set that is not empty: its first node.
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

    /// What to report when the budget is spent.
    pub(super) const fn over_limit(self) -> FormatError {
        FormatError::OverLimit {
            size: self.whole.saturating_add(1),
            unit: "bytes of memory or more",
            limit: self.whole,
        }
    }
}
