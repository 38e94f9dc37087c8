//! How much a reply may be, so that no server, and nothing that is stored, decides how much memory is taken.

use redis::{ErrorKind, RedisError, RedisResult};

/// What a value takes beside its bytes when it is read, or is made room for: more than redis-rs's type has.
const VALUE_BYTES: u64 = 64;
/// Of the values that a list announces, room is made for no more before they come.
pub(super) const MAX_PREPARED: u64 = 4_096;

/// What an error about a reply that is too long begins with.
const TOO_LONG: &str = "the reply is too long to be read";

/// The most that one reply may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyLimit {
    /// Bytes of one string.
    pub(crate) string: u64,
    /// Bytes of all strings and lines together.
    pub(crate) bytes: u64,
    /// What its values may take beside their bytes.
    pub(crate) values: u64,
}

/// What is left of a [`ReplyLimit`] for the reply that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyRoom {
    limit: ReplyLimit,
    left: ReplyLimit,
}

impl ReplyLimit {
    /// For a store whose records have no more than so many bytes, and whose pages have so many and one record more.
    pub(crate) fn new(record_bytes: usize, page_bytes: usize) -> Self {
        // A server's description of itself, and each entry of a feed, is within it too.
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
    /// A value has begun, of which so many others are parts.
    ///
    /// # Errors
    /// When that is too many.
    pub(crate) fn value(&mut self, parts: u64) -> RedisResult<()> {
        let taken = parts.min(MAX_PREPARED).saturating_add(1).saturating_mul(VALUE_BYTES);
        self.left.values = self.left.values.checked_sub(taken).ok_or_else(|| self.refusal("values"))?;
        Ok(())
    }

    /// A string of so many bytes is to come.
    ///
    /// # Errors
    /// When that is too many, before any of them is read.
    pub(crate) fn string(&mut self, bytes: u64) -> RedisResult<()> {
        if bytes > self.limit.string {
            return Err(self.refusal("bytes in one string"));
        }
        self.left.bytes = self.left.bytes.checked_sub(bytes).ok_or_else(|| self.refusal("bytes"))?;
        Ok(())
    }

    fn refusal(&self, of_what: &str) -> RedisError {
        let ReplyLimit { string, bytes, .. } = self.limit;
        let problem = format!(
            "too many {of_what}: a string may have {string} bytes, a reply {bytes}. Find out what is stored, or what answers \
             there; or raise the document limit of the store"
        );
        (ErrorKind::Client, TOO_LONG, problem).into()
    }
}

/// Whether an error says that a reply was too long to be read.
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
