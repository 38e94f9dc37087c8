//! Reads one reply as its bytes come: each string in room of exactly its length, so that nothing is held twice.

use redis::{ErrorKind, RedisError, RedisResult, Value};

use crate::redis::connection::reply_limit::{MAX_PREPARED, ReplyLimit, ReplyRoom};

/// The first bytes that a value can have. No connection asks for another version of the protocol than 2.
const KINDS: &[u8] = b"+-:$*";

/// How every line ends.
const LINE_END: &[u8] = b"\r\n";

/// No word or error of a server is longer.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// No line is longer that is a number, with what stands around it.
const MAX_NUMBER_BYTES: usize = 32;
/// Lists in lists, of which no reply of ours has more than a few: dropping them takes the stack as deep as they are.
const MAX_DEPTH: usize = 64;

/// Walks through the bytes of one reply, in whatever pieces they come; of several, one after another, that share its limit.
#[derive(Debug)]
pub(crate) struct IncomingReply {
    room: ReplyRoom,
    /// The lists that have begun, each a part of the one before it.
    lists: Vec<List>,
    at: At,
}

#[derive(Debug)]
struct List {
    parts: Vec<Value>,
    /// How many parts are still to come.
    left: u64,
}

#[derive(Debug)]
enum At {
    /// The next byte says of what kind the next value is.
    Kind,
    /// Within the first line of a value, its kind included.
    Line(Vec<u8>),
    /// Within a string of so many bytes.
    String(Vec<u8>, usize),
    /// Within the end of a string's line, of which so many bytes have come.
    StringEnd(Vec<u8>, usize),
}

impl IncomingReply {
    pub(crate) const fn new(limit: ReplyLimit) -> Self {
        Self { room: limit.room(), lists: Vec::new(), at: At::Kind }
    }

    /// Whether a part of the reply has come.
    #[cfg(any(feature = "tokio", feature = "smol"))]
    pub(crate) const fn has_begun(&self) -> bool {
        !matches!(self.at, At::Kind) || !self.lists.is_empty()
    }

    /// Takes the next bytes: how many of them belong to the reply, and the reply, if it ends with one of them.
    ///
    /// # Errors
    /// [`ErrorKind::Parse`] when the bytes are no reply, and an error that [`is_too_long`](crate::redis::is_too_long) when it is longer than it may
    /// be, as soon as it says so. Nothing more can be read then.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> RedisResult<Option<(usize, Value)>> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let ended = self.step(&mut rest)?.and_then(|value| self.complete(value));
            if let Some(reply) = ended {
                return Ok(Some((bytes.len().saturating_sub(rest.len()), reply)));
            }
        }
        Ok(None)
    }

    /// Takes some of these bytes; the value that ends with them, if one does.
    fn step(&mut self, rest: &mut &[u8]) -> RedisResult<Option<Value>> {
        self.at = match std::mem::replace(&mut self.at, At::Kind) {
            At::Kind => {
                let kind = take(rest, 1).first().copied().filter(|kind| KINDS.contains(kind)).ok_or_else(no_reply)?;
                At::Line(vec![kind])
            }
            At::Line(mut line) => {
                let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |place| place + 1);
                line.extend_from_slice(take(rest, end.min(MAX_LINE_BYTES)));
                if line.ends_with(LINE_END) {
                    return self.end_line(&line);
                }
                if line.len() > MAX_LINE_BYTES || is_counted(&line) && line.len() > MAX_NUMBER_BYTES {
                    return Err(no_reply());
                }
                At::Line(line)
            }
            At::String(mut string, length) => {
                string.extend_from_slice(take(rest, length.saturating_sub(string.len())));
                if string.len() < length { At::String(string, length) } else { At::StringEnd(string, 0) }
            }
            At::StringEnd(string, come) => {
                if LINE_END.get(come) != take(rest, 1).first() {
                    return Err(no_reply());
                }
                if come + 1 == LINE_END.len() {
                    return Ok(Some(Value::BulkString(string)));
                }
                At::StringEnd(string, come + 1)
            }
        };
        Ok(None)
    }

    /// What the first line of a value says, with its kind and its end: the value itself, or how much is to come of it.
    fn end_line(&mut self, line: &[u8]) -> RedisResult<Option<Value>> {
        let (Some(kind), Some(text)) = (line.first(), line.get(1..line.len() - LINE_END.len())) else {
            return Err(no_reply());
        };
        let text = std::str::from_utf8(text).map_err(|_| no_reply())?;
        let number = || text.parse::<i64>().map_err(|_| no_reply());
        match kind {
            b'$' | b'*' => {
                let Ok(number) = u64::try_from(number()?) else {
                    self.room.value(0)?;
                    return Ok(Some(Value::Nil));
                };
                if *kind == b'*' {
                    return self.begin_list(number);
                }
                self.room.string(number)?;
                self.room.value(0)?;
                let length = usize::try_from(number).map_err(|_| no_reply())?;
                let string = Vec::with_capacity(length);
                self.at = if length == 0 { At::StringEnd(string, 0) } else { At::String(string, length) };
                Ok(None)
            }
            _ => {
                self.room.string(u64::try_from(text.len()).unwrap_or(u64::MAX))?;
                self.room.value(0)?;
                Ok(Some(match kind {
                    b':' => Value::Int(number()?),
                    b'+' if text == "OK" => Value::Okay,
                    b'+' => Value::SimpleString(text.to_owned()),
                    _ => redis::parse_redis_value(line)?,
                }))
            }
        }
    }

    /// A list of so many parts begins; it is a value already if it has none.
    fn begin_list(&mut self, parts: u64) -> RedisResult<Option<Value>> {
        self.room.value(parts)?;
        if parts == 0 {
            return Ok(Some(Value::Array(Vec::new())));
        }
        if self.lists.len() >= MAX_DEPTH {
            return Err(no_reply());
        }
        let prepared = usize::try_from(parts.min(MAX_PREPARED)).unwrap_or_default();
        self.lists.push(List { parts: Vec::with_capacity(prepared), left: parts });
        Ok(None)
    }

    /// Puts a value in its place; the reply, if that was all of it.
    fn complete(&mut self, mut value: Value) -> Option<Value> {
        while let Some(list) = self.lists.last_mut() {
            list.parts.push(value);
            list.left = list.left.saturating_sub(1);
            if list.left > 0 {
                return None;
            }
            value = Value::Array(self.lists.pop()?.parts);
        }
        Some(value)
    }
}

/// Whether a line says how long its value is, of how many parts, or is a number itself.
fn is_counted(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'$' | b'*' | b':'))
}

/// Takes so many of these bytes, or as many as there are.
fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at_checked(count).unwrap_or((rest, &[]));
    *rest = left;
    taken
}

fn no_reply() -> RedisError {
    (ErrorKind::Parse, "the reply breaks the protocol").into()
}

/// The reply in these bytes, if they are one that is a string, as records are, or one word in a list, as scripts answer writes,
/// and nothing else. Most replies are, and reading them step by step does too much.
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) fn whole_reply(bytes: &[u8]) -> Option<Value> {
    if let Some(string) = whole_string(bytes) {
        return Some(Value::BulkString(string.to_vec()));
    }
    let word = bytes.strip_prefix(b"*1\r\n").and_then(whole_string)?;
    Some(Value::Array(vec![Value::BulkString(word.to_vec())]))
}

/// The string in these bytes, if they are one reply that is a string and nothing else.
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) fn whole_string(bytes: &[u8]) -> Option<&[u8]> {
    let behind_kind = bytes.strip_prefix(b"$")?;
    let end = behind_kind.iter().position(|byte| *byte == b'\r')?;
    let (length, rest) = behind_kind.split_at_checked(end)?;
    let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
    let string = rest.strip_prefix(b"\r\n")?.strip_suffix(b"\r\n")?;
    (string.len() == length).then_some(string)
}

/// What came of a server that nobody has asked for anything.
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) fn unasked(reply: RedisResult<Value>) -> RedisError {
    match reply.and_then(Value::extract_error) {
        // A server that closes a new connection says why.
        Err(said) => said,
        Ok(_) => (ErrorKind::Parse, "the server sent a reply that nobody had asked for").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first reply and how many bytes it has, if they come in pieces of this size.
    fn read(bytes: &[u8], piece: usize) -> RedisResult<Option<(usize, Value)>> {
        let mut incoming = IncomingReply::new(ReplyLimit::new(1_000, 10_000));
        let mut before = 0;
        for part in bytes.chunks(piece) {
            if let Some((taken, reply)) = incoming.advance(part)? {
                return Ok(Some((before + taken, reply)));
            }
            before += part.len();
        }
        Ok(None)
    }

    const REPLIES: [&str; 14] = [
        "+OK\r\n",
        "+a\rb\r\n",
        "-ERR no\r\n",
        ":-7\r\n",
        "$5\r\nhello\r\n",
        "$4\r\n\r\n\r\n\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "*0\r\n",
        "*2\r\n$1\r\na\r\n:7\r\n",
        "*2\r\n*1\r\n*0\r\n*2\r\n+a\r\n$-1\r\n",
        "*1\r\n*1\r\n*1\r\n$1\r\n*\r\n",
        "-MOVED 7 host:1\r\n",
    ];

    #[test]
    fn a_reply_ends_where_the_parser_says_in_whichever_pieces_it_comes() {
        for reply in REPLIES {
            let expected = redis::parse_redis_value(reply.as_bytes()).unwrap();
            for (behind, piece) in [("", 1), ("", 100), ("+x\r\n", 1), ("+x\r\n", 2), ("$1\r\n", 3), ("*", 100)] {
                let bytes = [reply, behind].concat();
                let found = read(bytes.as_bytes(), piece).unwrap();
                assert_eq!(found, Some((reply.len(), expected.clone())), "{bytes:?} by {piece}");
            }
            for end in 0..reply.len() {
                let cut = read(&reply.as_bytes()[..end], 2).unwrap();
                assert_eq!(cut, None, "{:?} has not ended", &reply[..end]);
            }
        }
    }

    #[test]
    fn what_is_no_reply_is_an_error_or_has_no_end() {
        for bad in [
            "HTTP/1.1",
            "\u{16}\u{3}",
            "$x\r\na\r\n",
            "$\r\n",
            "*1a\r\n",
            "$99999999999999999999\r\n",
            "$1\r\nabc",
            "*x\r\n",
            ":7a\r\n",
            "%1\r\n+a\r\n:1\r\n",
            &format!("${}", "0".repeat(40)),
            &"*1\r\n".repeat(MAX_DEPTH + 1),
        ] {
            assert!(read(bad.as_bytes(), 3).is_err(), "{bad:?}");
        }
        let endless = [b"+".as_slice(), &[b'x'; MAX_LINE_BYTES + 1]].concat();
        assert!(read(&endless, 1_000).is_err());
    }

    /// Whatever is read of random bytes is what redis-rs's parser reads, and as long.
    #[test]
    fn random_bytes_that_are_a_reply_are_read_as_by_the_parser() {
        let mut random = fastrand::Rng::with_seed(18);
        let alphabet = b"$*:+-12034\r\n\r\n\r\nab%~";
        let mut replies = 0;
        for _ in 0..200_000 {
            let bytes: Vec<u8> = (0..random.usize(3..20)).map(|_| alphabet[random.usize(..alphabet.len())]).collect();
            let Ok(Some((end, reply))) = read(&bytes, random.usize(1..20)) else { continue };
            assert_eq!(redis::parse_redis_value(&bytes[..end]).unwrap(), reply, "{}", bytes.escape_ascii());
            replies += 1;
        }
        assert!(replies > 500, "{replies} replies");
    }

    #[test]
    fn a_string_has_room_of_exactly_its_length() {
        let bytes = [b"*1\r\n$900\r\n".as_slice(), &[b'x'; 900], b"\r\n"].concat();
        let Some((_, Value::Array(parts))) = read(&bytes, 64).unwrap() else { panic!("no list") };
        assert!(matches!(&parts[..], [Value::BulkString(string)] if string.capacity() == 900));
    }
}
