//! Reads a body from its beginning to its end, within its bounds.

use bincode::de::read::{BorrowReader, Reader};
use bincode::error::DecodeError;

/// The source of bincode's bytes.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
    pub(super) length: usize,
}

impl Reader for Cursor<'_> {
    #[inline]
    fn read(&mut self, into: &mut [u8]) -> Result<(), DecodeError> {
        into.copy_from_slice(self.take_bytes(into.len())?);
        Ok(())
    }

    #[inline]
    fn peek_read(&mut self, count: usize) -> Option<&[u8]> {
        self.rest.get(..count)
    }

    #[inline]
    fn consume(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

impl<'a> BorrowReader<'a> for Cursor<'a> {
    #[inline]
    fn take_bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        self.take(count).ok_or(DecodeError::UnexpectedEnd { additional: count.saturating_sub(self.rest.len()) })
    }
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}
