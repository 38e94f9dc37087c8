//! The position of a reader in the change feed, as text that can be saved.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::json::serde_as_text;
use crate::query::Fingerprint;
use crate::token::Token;

const TOKEN: Token = Token { version: 1, kind: b"feed position", max_characters: 64 * 1024 };

/// The position of a reader in the change feed. It belongs to one store; every other store returns an error for it.
///
/// Opaque text, safe in a URL; save it after handling the entries before it. In Redis it takes about 40 bytes for each
/// partition, belongs to the namespace, and stays valid when that is repartitioned.
///
/// ```
/// use mutator_governance::FeedPosition;
///
/// let saved = FeedPosition::beginning().to_string();
/// let read: FeedPosition = saved.parse()?;
/// assert_eq!(read, FeedPosition::beginning());
/// # Ok::<(), mutator_governance::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FeedPosition(Option<Place>);

/// A place in the feed of one store.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    store: [u8; Fingerprint::BYTES],
    place: Vec<u8>,
}

impl FeedPosition {
    /// The maximum length of a place in [`new`](Self::new): the text of a longer one cannot be parsed.
    pub const MAX_PLACE_BYTES: usize = 48_000;

    /// Before the oldest remaining entry, in any store.
    pub const fn beginning() -> Self {
        Self(None)
    }

    /// A place in the feed of the store with this name, for authors of stores. The name tells this feed from every
    /// other, such as `redis billing 4`; the store alone defines the bytes of the place.
    pub fn new(store: &str, place: impl Into<Vec<u8>>) -> Self {
        Self(Some(Place { store: fingerprint(store), place: place.into() }))
    }

    /// The place in the feed of the store with this name; `None` for the beginning.
    ///
    /// # Errors
    /// [`Error::InvalidFeedPosition`] when the position came from another store.
    pub fn place(&self, store: &str) -> Result<Option<&[u8]>> {
        match &self.0 {
            None => Ok(None),
            Some(found) if found.store == fingerprint(store) => Ok(Some(&found.place)),
            Some(_) => Err(Error::invalid_feed_position("it belongs to another store or namespace")),
        }
    }

    fn body(&self) -> Vec<u8> {
        self.0.as_ref().map_or_else(Vec::new, |Place { store, place }| [store, place.as_slice()].concat())
    }
}

fn fingerprint(store: &str) -> [u8; Fingerprint::BYTES] {
    Fingerprint::of(&[b"feed", store.as_bytes()]).to_bytes()
}

impl FromStr for FeedPosition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let body = TOKEN.open(text).map_err(Error::invalid_feed_position)?;
        if body.is_empty() {
            return Ok(Self::beginning());
        }
        let damaged = || Error::invalid_feed_position("it is damaged");
        let (&store, place) = body.split_first_chunk().ok_or_else(damaged)?;
        Ok(Self(Some(Place { store, place: place.to_vec() })))
    }
}

impl TryFrom<String> for FeedPosition {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<FeedPosition> for String {
    fn from(position: FeedPosition) -> Self {
        position.to_string()
    }
}

serde_as_text!(FeedPosition, { "type": "string" });

impl fmt::Display for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&TOKEN.seal(&self.body()))
    }
}

impl fmt::Debug for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeedPosition({self})")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_leads_back_to_the_position(store in "[a-z 0-9]{0,20}", place in any::<Vec<u8>>()) {
            let position = FeedPosition::new(&store, place.clone());
            let text = position.to_string();
            let read: FeedPosition = text.parse().unwrap();
            prop_assert_eq!(&read, &position);
            prop_assert_eq!(read.place(&store).unwrap(), Some(&place[..]));
            let json = serde_json::to_string(&position).unwrap();
            prop_assert_eq!(&json, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<FeedPosition>(&json).unwrap(), position);
        }

        #[test]
        fn damage_is_an_error(place in any::<Vec<u8>>(), at in any::<proptest::sample::Index>(), bit in 0..8) {
            let bytes = URL_SAFE_NO_PAD.decode(FeedPosition::new("memory", place).to_string()).unwrap();
            let at = at.index(bytes.len());
            let mut flipped = bytes.clone();
            flipped[at] ^= 1_u8 << bit;
            for damaged in [&flipped[..], &bytes[..at]] {
                let error = URL_SAFE_NO_PAD.encode(damaged).parse::<FeedPosition>().unwrap_err();
                prop_assert!(matches!(error, Error::InvalidFeedPosition { .. }), "{:?}", error);
            }
        }

        /// Any body with a good checksum, and any text: a position that prints as it was read, or the one error.
        #[test]
        fn anything_is_a_position_or_an_error(body in any::<Vec<u8>>(), text in ".*") {
            for text in [TOKEN.seal(&body), URL_SAFE_NO_PAD.encode(&body), text] {
                match text.parse::<FeedPosition>() {
                    Ok(position) => prop_assert_eq!(position.to_string(), text),
                    Err(error) => prop_assert!(matches!(error, Error::InvalidFeedPosition { .. }), "{:?}", error),
                }
            }
        }
    }

    #[test]
    fn the_position_of_another_store_is_an_error_and_the_beginning_is_of_any() {
        let position = FeedPosition::new("redis billing 2", *b"place");
        for other in ["redis payroll 2", "redis billing 1", "memory"] {
            assert!(matches!(position.place(other), Err(Error::InvalidFeedPosition { .. })));
            assert_eq!(FeedPosition::beginning().place(other).unwrap(), None);
        }
    }

    #[test]
    fn a_cursor_is_no_position() {
        let cursor = crate::query::Cursor::new(Fingerprint::of(&[b"memory"]), b"place").to_string();
        assert!(matches!(cursor.parse::<FeedPosition>(), Err(Error::InvalidFeedPosition { .. })));
    }

    #[test]
    fn the_longest_place_can_be_read_back_and_longer_text_is_an_error() {
        let position = FeedPosition::new("s", vec![7; FeedPosition::MAX_PLACE_BYTES]);
        assert_eq!(position.to_string().parse::<FeedPosition>().unwrap(), position);
        assert!("A".repeat(10 * TOKEN.max_characters).parse::<FeedPosition>().is_err());
        assert!(
            Token { version: 2, ..TOKEN }
                .seal(&[])
                .parse::<FeedPosition>()
                .unwrap_err()
                .to_string()
                .contains("another release")
        );
    }
}
