//! Reads the replies to commands.

use std::cell::Cell;
use std::io::{self, Read};

use redis::{Parser, RedisResult, Value};

use super::redis_connection::MOST_KEPT;

/// What is read of a stream at once. A document of some kilobytes fits in.
const AT_ONCE: usize = 16 * 1024;

thread_local! {
    /// The room of a string that this thread has read and done with, never more than is read at once. Allocating it for each
    /// reply anew makes glibc gather its free pieces each time, which costs more than decoding half of the document.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Reads replies off one stream.
pub(super) struct Replies {
    received: Box<[u8]>,
    parser: Parser,
}

impl Replies {
    pub(super) fn new() -> Self {
        Self { received: vec![0; AT_ONCE].into(), parser: Parser::new() }
    }

    /// Reads one reply. Most come in one piece and are one string, as records are, or one word in an array, as scripts
    /// answer writes; for these redis-rs's parser does too much.
    pub(super) fn read(&mut self, stream: &mut impl Read) -> RedisResult<Value> {
        let count = stream.read(&mut self.received)?;
        let begun = self.received.get(..count).unwrap_or_default();
        if let Some(bytes) = whole_string(begun) {
            let mut string = SPARE.take();
            string.clear();
            string.extend_from_slice(bytes);
            return Ok(Value::BulkString(string));
        }
        if let Some(word) = begun.strip_prefix(b"*1\r\n").and_then(whole_string) {
            return Ok(Value::Array(vec![Value::BulkString(word.to_vec())]));
        }
        Self::parse(&mut self.parser, begun.chain(stream))
    }

    /// Reads the reply behind one that was no single string or word, some or all of which may have come together with that.
    pub(super) fn read_next(&mut self, stream: &mut impl Read) -> RedisResult<Value> {
        Self::parse(&mut self.parser, stream)
    }

    fn parse(parser: &mut Parser, stream: impl Read) -> RedisResult<Value> {
        let mut counted = Counted { stream, bytes: 0 };
        let reply = parser.parse_value(&mut counted);
        // Its room never shrinks: each connection of a pool would keep that of the longest string it ever read.
        if counted.bytes > MOST_KEPT {
            *parser = Parser::new();
        }
        reply
    }
}

/// Counts what is read of a stream.
struct Counted<Stream> {
    stream: Stream,
    bytes: usize,
}

impl<Stream: Read> Read for Counted<Stream> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.bytes = self.bytes.saturating_add(count);
        Ok(count)
    }
}

/// Keeps the room of a reply that was read for the next one.
pub(super) fn done_with(reply: Value) {
    if let Value::BulkString(bytes) = reply
        && bytes.capacity() <= AT_ONCE
    {
        SPARE.set(bytes);
    }
}

/// The string in these bytes, if they are one reply that is a string and nothing else.
fn whole_string(bytes: &[u8]) -> Option<&[u8]> {
    let behind_kind = bytes.strip_prefix(b"$")?;
    let end = behind_kind.iter().position(|byte| *byte == b'\r')?;
    let (length, rest) = behind_kind.split_at_checked(end)?;
    let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
    let string = rest.strip_prefix(b"\r\n")?.strip_suffix(b"\r\n")?;
    (string.len() == length).then_some(string)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out a few bytes at a time.
    struct InPieces<'a>(&'a [u8], usize);

    impl Read for InPieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn replies_are_read_alike_in_whichever_pieces_they_come() {
        let long = format!("${}\r\n{}\r\n", 3 * AT_ONCE, "x".repeat(3 * AT_ONCE));
        for reply in [
            "$5\r\nhello\r\n",
            "$2\r\n\r\n\r\n",
            "$0\r\n\r\n",
            "$-1\r\n",
            "*2\r\n$1\r\na\r\n:7\r\n",
            "*1\r\n$1\r\na\r\n",
            "+OK\r\n",
            &long,
        ] {
            let expected = redis::parse_redis_value(reply.as_bytes()).unwrap();
            for piece in [1, 3, 4_000, usize::MAX] {
                let mut replies = Replies::new();
                assert_eq!(replies.read(&mut InPieces(reply.as_bytes(), piece)).unwrap(), expected, "{piece}");
            }
        }
    }

    #[test]
    fn one_reply_does_not_reach_into_the_next() {
        let mut replies = Replies::new();
        for reply in ["$1\r\na\r\n", "*2\r\n$1\r\nb\r\n:1\r\n", "$1\r\nc\r\n", "*1\r\n$1\r\nd\r\n"] {
            let expected = redis::parse_redis_value(reply.as_bytes()).unwrap();
            assert_eq!(replies.read(&mut reply.as_bytes()).unwrap(), expected);
        }
    }

    #[test]
    fn the_reply_behind_the_time_is_read_in_whichever_pieces_the_two_come() {
        let long = format!("${}\r\n{}\r\n", 3 * AT_ONCE, "x".repeat(3 * AT_ONCE));
        for time in ["*2\r\n$10\r\n1767225600\r\n$6\r\n123456\r\n", "-NOPERM this user may not\r\n"] {
            for reply in ["$5\r\nhello\r\n", "*1\r\n$7\r\nupdated\r\n", "$-1\r\n", "-ERR no\r\n", &long] {
                let both = [time, reply].concat();
                for piece in [1, 3, time.len(), time.len() + 1, 4_000, usize::MAX] {
                    let (mut replies, mut stream) = (Replies::new(), InPieces(both.as_bytes(), piece));
                    let parsed = |text: &str| redis::parse_redis_value(text.as_bytes()).unwrap();
                    assert_eq!(replies.read(&mut stream).unwrap(), parsed(time), "in pieces of {piece}");
                    assert_eq!(replies.read_next(&mut stream).unwrap(), parsed(reply), "in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn a_reply_holds_nothing_of_the_one_whose_room_it_took() {
        let mut replies = Replies::new();
        done_with(replies.read(&mut &b"$5\r\nhello\r\n"[..]).unwrap());
        assert_eq!(replies.read(&mut &b"$1\r\na\r\n"[..]).unwrap(), Value::BulkString(b"a".to_vec()));
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for bad in ["", "$5\r\nhel", "$1\r\nab\r\n", "$x\r\na\r\n", "$99999999999999999999\r\n", "HTTP/1.1 400\r\n"] {
            assert!(Replies::new().read(&mut bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
