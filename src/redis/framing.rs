//! Finds the end of a reply as its bytes arrive, without keeping them.

use redis::{ErrorKind, RedisError, RedisResult};

use super::reply_limit::{ReplyLimit, ReplyRoom};

/// The possible first bytes of a value, in both versions of the protocol.
const KINDS: &[u8] = b"+-:$*_#,(!=%~>|";

/// No word or error of a server is longer.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Walks through the bytes of one reply, in pieces of any size.
#[derive(Debug)]
pub(crate) struct Framing {
    /// The number of values that have not ended, including the current one.
    open: u64,
    room: ReplyRoom,
    at: At,
}

#[derive(Debug)]
enum At {
    /// The next byte gives the kind of the next value.
    Kind,
    /// Within the first line of a value.
    Line(Line),
    /// Within a string with this many bytes to come, including the end of its line.
    String(u64),
}

#[derive(Debug)]
struct Line {
    kind: u8,
    length: usize,
    /// The number in the line.
    number: Option<u64>,
    is_negative: bool,
    /// Whether the last byte may be the first of the two that end the line.
    is_ending: bool,
}

impl Framing {
    pub(crate) const fn new(limit: ReplyLimit) -> Self {
        Self { open: 1, room: limit.room(), at: At::Kind }
    }

    /// Takes the next bytes. Returns how many of them belong to the reply, if it ends within them.
    ///
    /// # Errors
    /// [`ErrorKind::Parse`] if the bytes are no reply, and an error that [`is_too_long`](super::is_too_long) as soon as
    /// the reply announces more than its limit. Nothing more can be read then.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> RedisResult<Option<usize>> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let (step, has_ended) = self.step(rest)?;
            taken = taken.saturating_add(step);
            if has_ended && self.open == 0 {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// Takes some of the bytes: returns how many, and whether a value ended with them.
    fn step(&mut self, bytes: &[u8]) -> RedisResult<(usize, bool)> {
        match &mut self.at {
            At::Kind => {
                let kind = bytes.first().copied().filter(|kind| KINDS.contains(kind)).ok_or_else(no_reply)?;
                self.at = At::Line(Line { kind, length: 0, number: None, is_negative: false, is_ending: false });
                Ok((1, false))
            }
            At::String(left) => {
                let available = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let taken = available.min(*left);
                *left -= taken;
                let has_ended = *left == 0;
                if has_ended {
                    self.end_value(0)?;
                }
                Ok((usize::try_from(taken).unwrap_or(usize::MAX), has_ended))
            }
            At::Line(line) => {
                let mut taken = 0;
                for byte in bytes {
                    taken += 1;
                    if line.take(*byte)? {
                        let has_ended = self.end_line()?;
                        return Ok((taken, has_ended));
                    }
                }
                Ok((taken, false))
            }
        }
    }

    /// Reads the first line of a value. Returns whether the value ends with it.
    fn end_line(&mut self) -> RedisResult<bool> {
        let At::Line(line) = &self.at else { return Ok(false) };
        let (kind, number) = (line.kind, line.number.unwrap_or_default());
        if line.is_negative || !line.is_counted() {
            self.room.string(u64::try_from(line.length).unwrap_or(u64::MAX))?;
            self.room.value(0)?;
            self.end_value(0)?;
            return Ok(true);
        }
        match kind {
            b'$' | b'!' | b'=' => {
                self.room.string(number)?;
                self.room.value(0)?;
                self.at = At::String(number.checked_add(2).ok_or_else(no_reply)?);
                Ok(false)
            }
            // Attributes are pairs before the value that they describe.
            b'|' => self.end_list(doubled(number)?.checked_add(1).ok_or_else(no_reply)?),
            b'%' => self.end_list(doubled(number)?),
            _ => self.end_list(number),
        }
    }

    /// The first line of a list has ended; this many values are its parts.
    fn end_list(&mut self, parts: u64) -> RedisResult<bool> {
        self.room.value(parts)?;
        self.end_value(parts).map(|()| true)
    }

    /// One value less to come, and this many more that are its parts.
    fn end_value(&mut self, parts: u64) -> RedisResult<()> {
        self.at = At::Kind;
        self.open = self.open.saturating_sub(1).checked_add(parts).ok_or_else(no_reply)?;
        Ok(())
    }
}

impl Line {
    /// Takes one byte; returns whether the line ends with it.
    fn take(&mut self, byte: u8) -> RedisResult<bool> {
        if self.is_ending && byte == b'\n' {
            return if self.is_counted() && self.number.is_none() { Err(no_reply()) } else { Ok(true) };
        }
        self.length += 1;
        if self.length > MAX_LINE_BYTES {
            return Err(no_reply());
        }
        let was_ending = std::mem::replace(&mut self.is_ending, byte == b'\r');
        if self.is_counted() && !self.is_ending {
            self.take_of_number(byte, was_ending)?;
        }
        Ok(false)
    }

    fn take_of_number(&mut self, byte: u8, is_behind_end: bool) -> RedisResult<()> {
        match byte {
            b'-' if self.length == 1 => self.is_negative = true,
            b'0'..=b'9' if !is_behind_end => {
                let shifted = self.number.unwrap_or_default().checked_mul(10);
                let number = shifted.and_then(|number| number.checked_add(u64::from(byte - b'0')));
                self.number = Some(number.filter(|number| i64::try_from(*number).is_ok()).ok_or_else(no_reply)?);
            }
            _ => return Err(no_reply()),
        }
        Ok(())
    }

    /// Whether the line gives the length of the value, or its number of parts.
    fn is_counted(&self) -> bool {
        matches!(self.kind, b'$' | b'!' | b'=' | b'*' | b'~' | b'>' | b'%' | b'|')
    }
}

fn doubled(number: u64) -> RedisResult<u64> {
    number.checked_mul(2).ok_or_else(no_reply)
}

fn no_reply() -> RedisError {
    (ErrorKind::Parse, "the reply breaks the protocol").into()
}

/// Reads bytes that are one reply. Most are one string, such as a record, or one word in an array, such as the reply to
/// a write; redis-rs's parser does too much work for these.
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) fn read_reply(reply: &[u8]) -> RedisResult<redis::Value> {
    use redis::Value;
    if let Some(string) = whole_string(reply) {
        return Ok(Value::BulkString(string.to_vec()));
    }
    match reply.strip_prefix(b"*1\r\n").and_then(whole_string) {
        Some(word) => Ok(Value::Array(vec![Value::BulkString(word.to_vec())])),
        None => redis::parse_redis_value(reply),
    }
}

/// The string in these bytes, if they are one reply that is only a string.
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) fn whole_string(bytes: &[u8]) -> Option<&[u8]> {
    let behind_kind = bytes.strip_prefix(b"$")?;
    let end = behind_kind.iter().position(|byte| *byte == b'\r')?;
    let (length, rest) = behind_kind.split_at_checked(end)?;
    let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
    let string = rest.strip_prefix(b"\r\n")?.strip_suffix(b"\r\n")?;
    (string.len() == length).then_some(string)
}

/// The error for a reply that belongs to no command.
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) fn unasked(reply: RedisResult<redis::Value>) -> RedisError {
    match reply.and_then(redis::Value::extract_error) {
        // A server that closes a new connection says why.
        Err(said) => said,
        Ok(_) => (ErrorKind::Parse, "the server sent a reply to no command").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of the first reply, if it arrives in pieces of this size.
    fn length(bytes: &[u8], piece: usize) -> RedisResult<Option<usize>> {
        let mut framing = Framing::new(ReplyLimit::new(1_000, 10_000));
        let mut before = 0;
        for part in bytes.chunks(piece) {
            if let Some(taken) = framing.advance(part)? {
                return Ok(Some(before + taken));
            }
            before += part.len();
        }
        Ok(None)
    }

    const REPLIES: [&str; 22] = [
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
        "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
        "~2\r\n:1\r\n:2\r\n",
        ">2\r\n+message\r\n+x\r\n",
        "|1\r\n+ttl\r\n:3600\r\n*1\r\n:1\r\n",
        "#t\r\n",
        "_\r\n",
        ",1.5\r\n",
        "=7\r\ntxt:abc\r\n",
        "!6\r\nERR no\r\n",
    ];

    #[test]
    fn a_reply_ends_where_the_parser_says_in_whichever_pieces_it_comes() {
        for reply in REPLIES {
            assert!(redis::parse_redis_value(reply.as_bytes()).is_ok(), "{reply:?} is no reply");
            for (behind, piece) in [("", 1), ("", 100), ("+x\r\n", 1), ("+x\r\n", 2), ("$1\r\n", 3), ("*", 100)] {
                let bytes = [reply, behind].concat();
                assert_eq!(length(bytes.as_bytes(), piece).unwrap(), Some(reply.len()), "{bytes:?} by {piece}");
            }
            for end in 0..reply.len() {
                let cut = length(&reply.as_bytes()[..end], 2).unwrap();
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
            "*9223372036854775807\r\n%9223372036854775807\r\n",
        ] {
            assert!(length(bad.as_bytes(), 3).is_err(), "{bad:?}");
        }
        let endless = [b"+".as_slice(), &[b'x'; MAX_LINE_BYTES + 1]].concat();
        assert!(length(&endless, 1_000).is_err());
    }

    /// Whatever the parser reads has the length that is found here.
    #[test]
    fn random_bytes_that_are_a_reply_have_its_length() {
        let mut random = fastrand::Rng::with_seed(18);
        let alphabet = b"$*:+-12034\r\n\r\n\r\nab%~";
        let mut replies = 0;
        for _ in 0..200_000 {
            let bytes: Vec<u8> = (0..random.usize(3..20)).map(|_| alphabet[random.usize(..alphabet.len())]).collect();
            let Ok(Some(end)) = length(&bytes, random.usize(1..20)) else { continue };
            let (whole, cut) = (redis::parse_redis_value(&bytes), redis::parse_redis_value(&bytes[..end]));
            if let Ok(whole) = whole {
                assert_eq!(whole, cut.unwrap(), "{:?}", String::from_utf8_lossy(&bytes));
                replies += 1;
            }
        }
        assert!(replies > 500, "{replies} replies");
    }
}
