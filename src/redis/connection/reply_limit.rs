//! Limits of a reply, so that neither the server nor stored data decides how much memory a call takes.

use redis::{ErrorKind, RedisError, RedisResult};

/// The memory of a value beside its bytes, when it is read or preallocated: more than the size of redis-rs's type.
const VALUE_BYTES: u64 = 64;
/// redis-rs preallocates at most this many of the values that a list announces.
pub(super) const MAX_PREPARED: u64 = 4_096;

/// The beginning of the error about a reply that is too long.
const TOO_LONG: &str = "the reply is too long to be read";

/// The limits of one reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyLimit {
    /// Bytes in one string.
    pub(crate) string: u64,
    /// Bytes of all strings and lines in total.
    pub(crate) bytes: u64,
    /// Memory of its values beside their bytes.
    pub(crate) values: u64,
}

/// The rest of a [`ReplyLimit`] for the reply being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyRoom {
    limit: ReplyLimit,
    left: ReplyLimit,
}

impl ReplyLimit {
    /// For a store with at most this many bytes in a record, and in a page this many and one record more.
    pub(crate) fn new(record_bytes: usize, page_bytes: usize) -> Self {
        // A server's INFO, and each entry of a feed, is within it too.
        const OTHER_BYTES: usize = 1024 * 1024;
        let number = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let string = record_bytes.max(OTHER_BYTES).saturating_add(64);
        let bytes = page_bytes.saturating_add(record_bytes).saturating_add(2 * OTHER_BYTES);
        Self { string: number(string), bytes: number(bytes), values: 2 * number(OTHER_BYTES) }
    }

    pub(crate) const fn room(self) -> ReplyRoom {
        ReplyRoom { limit: self, left: self }
    }
}

impl ReplyRoom {
    /// A value begins, which has this many parts.
    ///
    /// # Errors
    /// If that is too many.
    pub(crate) fn value(&mut self, parts: u64) -> RedisResult<()> {
        let taken = parts.min(MAX_PREPARED).saturating_add(1).saturating_mul(VALUE_BYTES);
        self.left.values = self.left.values.checked_sub(taken).ok_or_else(|| self.over_limit("values"))?;
        Ok(())
    }

    /// A string of this many bytes follows.
    ///
    /// # Errors
    /// If that is too many, before any of them is read.
    pub(crate) fn string(&mut self, bytes: u64) -> RedisResult<()> {
        if bytes > self.limit.string {
            return Err(self.over_limit("bytes in one string"));
        }
        self.left.bytes = self.left.bytes.checked_sub(bytes).ok_or_else(|| self.over_limit("bytes"))?;
        Ok(())
    }

    fn over_limit(&self, of_what: &str) -> RedisError {
        let ReplyLimit { string, bytes, .. } = self.limit;
        let problem = format!(
            "too many {of_what}: a string may have {string} bytes, a reply {bytes}. Find out what is stored, or what answers \
             there; or raise the document limit of the store"
        );
        (ErrorKind::Client, TOO_LONG, problem).into()
    }
}

/// Whether an error is about a reply that was too long.
pub(crate) fn is_too_long(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Client && error.to_string().starts_with(TOO_LONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> ReplyRoom {
        ReplyLimit { string: 100, bytes: 250, values: 64 * 10 }.room()
    }

    #[test]
    fn a_string_and_all_strings_together_are_bounded() {
        let mut room = room();
        assert!(is_too_long(&room.string(101).unwrap_err()));
        assert!(room.string(100).is_ok() && room.string(100).is_ok());
        let error = room.string(51).unwrap_err();
        assert!(is_too_long(&error) && error.to_string().contains("a reply 250"), "{error}");
    }

    #[test]
    fn values_are_bounded_as_they_come_and_as_they_are_announced() {
        let mut room = room();
        (0..10).for_each(|_| room.value(0).unwrap());
        assert!(is_too_long(&room.value(0).unwrap_err()));
        let mut limit = ReplyLimit::new(1_572_864, 16 * 1024 * 1024).room();
        let announced = std::iter::repeat_with(|| limit.value(u64::MAX)).take(100);
        assert!(announced.filter(Result::is_ok).count() < 10, "nested lists are made room for");
    }

    #[test]
    fn another_error_is_none_of_these() {
        assert!(!is_too_long(&std::io::Error::from(std::io::ErrorKind::InvalidData).into()));
        assert!(!is_too_long(&(ErrorKind::Client, "no").into()));
    }
}
