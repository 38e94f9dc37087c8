//! Reads the replies to commands.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::Range;

use redis::{RedisResult, Value};

use crate::redis::{IncomingReply, ReplyLimit, whole_string};

/// What is read of a stream at once. A document of some kilobytes fits in.
const AT_ONCE: usize = 16 * 1024;

thread_local! {
    /// The room of a string that this thread has read and done with, never more than is read at once. Allocating it for each
    /// reply anew makes glibc gather its free pieces each time, which costs more than decoding half of the document.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Reads replies off one stream.
pub(super) struct Replies {
    limit: ReplyLimit,
    received: Box<[u8]>,
    /// Where in it stands what was received behind the last reply.
    left: Range<usize>,
    /// Whether nobody knows where the last reply ends.
    is_lost: bool,
}

impl Replies {
    pub(super) fn new(limit: ReplyLimit) -> Self {
        Self { limit, received: vec![0; AT_ONCE].into(), left: 0..0, is_lost: false }
    }

    /// Whether more was received than was read. When all that was asked for was read, nobody knows which reply is whose.
    pub(super) fn has_surplus(&self) -> bool {
        self.is_lost || !self.left.is_empty()
    }

    /// Reads one reply. Most come in one piece and are one string, as records are, or one word in an array, as scripts
    /// answer writes; for these reading step by step does too much.
    pub(super) fn read(&mut self, stream: &mut impl Read) -> RedisResult<Value> {
        self.receive(stream)?;
        let begun = self.received.get(self.left.clone()).unwrap_or_default();
        if let Some(bytes) = whole_string(begun) {
            let mut string = SPARE.take();
            string.clear();
            string.extend_from_slice(bytes);
            self.left = 0..0;
            return Ok(Value::BulkString(string));
        }
        if let Some(word) = begun.strip_prefix(b"*1\r\n").and_then(whole_string) {
            let word = word.to_vec();
            self.left = 0..0;
            return Ok(Value::Array(vec![Value::BulkString(word)]));
        }
        self.read_on(&mut IncomingReply::new(self.limit), stream)
    }

    /// Reads this many replies, which share one limit.
    pub(super) fn read_all(&mut self, replies: usize, stream: &mut impl Read) -> RedisResult<Vec<Value>> {
        let mut incoming = IncomingReply::new(self.limit.of_replies(replies));
        (0..replies)
            .map(|_| {
                self.receive(stream)?;
                self.read_on(&mut incoming, stream)
            })
            .collect()
    }

    /// Reads one reply step by step, beginning with what was received.
    fn read_on(&mut self, incoming: &mut IncomingReply, stream: &mut impl Read) -> RedisResult<Value> {
        loop {
            let received = self.received.get(self.left.clone()).unwrap_or_default();
            match incoming.advance(received) {
                Ok(Some((end, reply))) => {
                    self.left.start = self.left.start.saturating_add(end);
                    return Ok(reply);
                }
                Ok(None) => self.left = 0..0,
                Err(error) => {
                    self.is_lost = true;
                    return Err(error);
                }
            }
            self.receive(stream)?;
        }
    }

    /// Receives what comes next, unless something is left.
    fn receive(&mut self, stream: &mut impl Read) -> io::Result<()> {
        if self.left.is_empty() {
            let count = stream.read(&mut self.received)?;
            if count == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
            }
            self.left = 0..count;
        }
        Ok(())
    }
}

/// Keeps the room of a reply that was read for the next one.
pub(super) fn recycle(reply: Value) {
    if let Value::BulkString(bytes) = reply
        && bytes.capacity() <= AT_ONCE
    {
        SPARE.set(bytes);
    }
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
                let mut replies = Replies::new(ReplyLimit::new(100_000, 1_000_000));
                assert_eq!(replies.read(&mut InPieces(reply.as_bytes(), piece)).unwrap(), expected, "{piece}");
            }
        }
    }

    #[test]
    fn what_comes_behind_a_reply_is_noticed_and_is_the_next() {
        for reply in ["$1\r\na\r\n", "*2\r\n$1\r\na\r\n:7\r\n", "*1\r\n$1\r\na\r\n", "+OK\r\n", "-ERR no\r\n"] {
            let parsed = |text: &str| redis::parse_redis_value(text.as_bytes()).unwrap();
            for behind in ["+OK\r\n", "$1\r\nb\r\n", "*1\r\n$2\r\nbc\r\n"] {
                for piece in [1, 3, reply.len(), reply.len() + 1, usize::MAX] {
                    let bytes = [reply, behind].concat();
                    let (mut replies, mut stream) =
                        (Replies::new(ReplyLimit::new(100_000, 1_000_000)), InPieces(bytes.as_bytes(), piece));
                    assert_eq!(replies.read(&mut stream).unwrap(), parsed(reply), "{bytes:?} by {piece}");
                    assert!(replies.has_surplus() || !stream.0.is_empty(), "{bytes:?} by {piece}");
                    assert_eq!(replies.read(&mut stream).unwrap(), parsed(behind), "{bytes:?} by {piece}");
                    assert!(!replies.has_surplus(), "{bytes:?} by {piece}");
                }
            }
            for behind in ["\r\n", "*", "$-1\r\n$-1\r\n"] {
                let mut replies = Replies::new(ReplyLimit::new(100_000, 1_000_000));
                assert_eq!(replies.read(&mut [reply, behind].concat().as_bytes()).unwrap(), parsed(reply));
                assert!(replies.has_surplus(), "{reply:?}, {behind:?}");
            }
        }
    }

    #[test]
    fn one_reply_does_not_reach_into_the_next() {
        let mut replies = Replies::new(ReplyLimit::new(100_000, 1_000_000));
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
                    let (mut replies, mut stream) =
                        (Replies::new(ReplyLimit::new(100_000, 1_000_000)), InPieces(both.as_bytes(), piece));
                    let parsed = |text: &str| redis::parse_redis_value(text.as_bytes()).unwrap();
                    assert_eq!(replies.read(&mut stream).unwrap(), parsed(time), "in pieces of {piece}");
                    assert_eq!(replies.read(&mut stream).unwrap(), parsed(reply), "in pieces of {piece}");
                    let (next, mut later) = ("$4\r\nnext\r\n", InPieces(b"$4\r\nnext\r\n", piece));
                    assert_eq!(replies.read(&mut later).unwrap(), parsed(next), "behind pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn a_reply_holds_nothing_of_the_one_whose_room_it_took() {
        let mut replies = Replies::new(ReplyLimit::new(100_000, 1_000_000));
        recycle(replies.read(&mut &b"$5\r\nhello\r\n"[..]).unwrap());
        assert_eq!(replies.read(&mut &b"$1\r\na\r\n"[..]).unwrap(), Value::BulkString(b"a".to_vec()));
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for bad in ["", "$5\r\nhel", "$1\r\nab\r\n", "$x\r\na\r\n", "$99999999999999999999\r\n", "HTTP/1.1 400\r\n"] {
            assert!(Replies::new(ReplyLimit::new(100_000, 1_000_000)).read(&mut bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
