//! Cursors: the position where a page ended.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

use crate::error::{Error, Result};
use crate::json::serde_as_text;
use crate::token::Token;

const TOKEN: Token = Token { version: 1, kind: b"", max_characters: usize::MAX };

/// The position where a page ended; the next page begins right after it.
///
/// Opaque text, safe in a URL. It is bound to its query and store; any other returns an error. It is a position in the
/// order, not a count: requests that come or go meanwhile make no page repeat or skip another request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Vec<u8>);

/// A short digest of the store and the query that a cursor is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; Self::BYTES]);

impl Fingerprint {
    pub(crate) const BYTES: usize = 8;

    /// Every part follows its length, so no two lists of parts give the same bytes.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut sha = sha2::Sha256::new();
        for part in parts {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        let mut bytes = [0; Self::BYTES];
        bytes.iter_mut().zip(sha.finalize()).for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    pub(crate) const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }
}

impl Cursor {
    pub(crate) fn new(fingerprint: Fingerprint, position: &[u8]) -> Self {
        Self([&fingerprint.0, position].concat())
    }

    /// The position in the order, if the cursor came from the same store and query.
    pub(crate) fn position(&self, fingerprint: Fingerprint) -> Result<&[u8]> {
        let (found, position) = self.0.split_at_checked(Fingerprint::BYTES).ok_or_else(|| invalid("it is damaged"))?;
        if found != fingerprint.0 {
            return Err(invalid("it belongs to another query or another store"));
        }
        Ok(position)
    }
}

fn invalid(problem: &'static str) -> Error {
    Error::InvalidCursor { problem }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let body = TOKEN.open(text).map_err(invalid)?;
        if body.len() < Fingerprint::BYTES {
            return Err(invalid("it is damaged"));
        }
        Ok(Self(body))
    }
}

impl TryFrom<String> for Cursor {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

serde_as_text!(Cursor, { "type": "string" });

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&TOKEN.seal(&self.0))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({self})")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn fingerprint(query: &str) -> Fingerprint {
        Fingerprint::of(&[b"store", query.as_bytes()])
    }

    #[test]
    fn text_leads_back_to_the_position() {
        for position in [&b""[..], b"\x00\xff place"] {
            let cursor = Cursor::new(fingerprint("q"), position);
            let read: Cursor = cursor.to_string().parse().unwrap();
            assert_eq!(read.position(fingerprint("q")).unwrap(), position);
        }
    }

    #[test]
    fn another_query_is_rejected() {
        let error = Cursor::new(fingerprint("q"), b"place").position(fingerprint("r")).unwrap_err();
        assert!(matches!(error, Error::InvalidCursor { .. }));
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_rejected() {
        let bytes = URL_SAFE_NO_PAD.decode(Cursor::new(fingerprint("q"), b"place").to_string()).unwrap();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(URL_SAFE_NO_PAD.encode(flipped).parse::<Cursor>().is_err(), "flip at {at}");
            assert!(URL_SAFE_NO_PAD.encode(&bytes[..at]).parse::<Cursor>().is_err(), "cut at {at}");
        }
        assert!("not base64!".parse::<Cursor>().is_err());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Fingerprint::of(&[b"ab", b"c"]), Fingerprint::of(&[b"a", b"bc"]));
    }
}
