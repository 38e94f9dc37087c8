use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::mark::{Anchor, Mark, StreamId};
use crate::error::{Error, Result};
use crate::query::Fingerprint;
use crate::redis::keyspace::Keyspace;

const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
/// More than the text of any position has.
const MOST_CHARACTERS: usize = 64 * 1024;

/// Where a reader of the change feed goes on: how far it has read in each partition.
///
/// Opaque text, safe in a URL, to be saved after what was read has been handled. It is bound to the namespace it came from,
/// with its number of partitions, and is refused by any other. It takes some 40 bytes for each partition.
///
/// ```
/// use mutator_governance::FeedPosition;
///
/// let saved = FeedPosition::beginning().to_string();
/// let read: FeedPosition = saved.parse()?;
/// assert_eq!(read, FeedPosition::beginning());
/// # Ok::<(), mutator_governance::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeedPosition(Option<Marks>);

/// How far each partition of one namespace has been read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Marks {
    namespace: [u8; Fingerprint::BYTES],
    /// The partition to be read first, so that each has its turn when a page has no room for all.
    turn: u16,
    /// At least one.
    partitions: Vec<Mark>,
}

impl FeedPosition {
    /// Before the oldest entry that is kept, in any namespace.
    pub const fn beginning() -> Self {
        Self(None)
    }

    pub(super) fn at(keyspace: &Keyspace, turn: u16, marks: Vec<Mark>) -> Self {
        Self(Some(Marks { namespace: fingerprint(keyspace), turn, partitions: marks }))
    }

    /// The partition to be read first, and the mark of each.
    ///
    /// # Errors
    /// [`Error::InvalidFeedPosition`] when the position came from another namespace.
    pub(super) fn marks(&self, keyspace: &Keyspace) -> Result<(u16, Vec<Mark>)> {
        let partitions = keyspace.partition_count();
        match &self.0 {
            None => Ok((0, vec![Mark::Beginning; usize::from(partitions)])),
            Some(marks)
                if marks.namespace == fingerprint(keyspace) && marks.partitions.len() == usize::from(partitions) =>
            {
                Ok((marks.turn, marks.partitions.clone()))
            }
            Some(_) => Err(invalid("it belongs to another namespace")),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        if let Some(Marks { namespace, turn, partitions }) = &self.0 {
            bytes.extend_from_slice(namespace);
            bytes.extend_from_slice(&turn.to_be_bytes());
            for mark in partitions {
                write_mark(&mut bytes, mark);
            }
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }
}

fn fingerprint(keyspace: &Keyspace) -> [u8; Fingerprint::BYTES] {
    let partitions = keyspace.partition_count().to_be_bytes();
    Fingerprint::of(&[b"feed", keyspace.namespace().as_bytes(), &partitions]).to_bytes()
}

fn write_mark(bytes: &mut Vec<u8>, mark: &Mark) {
    match mark {
        Mark::Beginning => bytes.push(0),
        Mark::Behind { added, last: None } => {
            bytes.push(1);
            bytes.extend_from_slice(&added.to_be_bytes());
        }
        Mark::Behind { added, last: Some(Anchor { id, digest }) } => {
            bytes.push(2);
            for number in [*added, id.milliseconds, id.sequence] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            bytes.extend_from_slice(&digest.to_be_bytes());
        }
    }
}

fn read_mark(bytes: &mut &[u8]) -> Option<Mark> {
    let [kind] = take(bytes)?;
    let mut number = || take(bytes).map(u64::from_be_bytes);
    Some(match kind {
        0 => Mark::Beginning,
        1 => Mark::Behind { added: number()?, last: None },
        2 => {
            let added = number()?;
            let id = StreamId { milliseconds: number()?, sequence: number()? };
            Mark::Behind { added, last: Some(Anchor { id, digest: u32::from_be_bytes(take(bytes)?) }) }
        }
        _ => return None,
    })
}

fn take<const LENGTH: usize>(bytes: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn read_marks(mut bytes: &[u8]) -> Option<Marks> {
    let namespace = take(&mut bytes)?;
    let turn = u16::from_be_bytes(take(&mut bytes)?);
    let mut partitions = Vec::new();
    while !bytes.is_empty() {
        partitions.push(read_mark(&mut bytes)?);
    }
    (usize::from(turn) < partitions.len()).then_some(Marks { namespace, turn, partitions })
}

fn invalid(problem: &'static str) -> Error {
    Error::InvalidFeedPosition { problem }
}

impl FromStr for FeedPosition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let foreign = || invalid("it is not one of ours");
        let damaged = || invalid("it is damaged");
        if text.len() > MOST_CHARACTERS {
            return Err(foreign());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| foreign())?;
        match bytes.first() {
            Some(&VERSION) => {}
            Some(_) => return Err(invalid("it was made by another release")),
            None => return Err(invalid("it is empty")),
        }
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(damaged)?;
        if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
            return Err(damaged());
        }
        match body.get(1..) {
            Some([]) => Ok(Self::beginning()),
            Some(marks) => Ok(Self(Some(read_marks(marks).ok_or_else(damaged)?))),
            None => Err(damaged()),
        }
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

impl fmt::Display for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&URL_SAFE_NO_PAD.encode(self.bytes()))
    }
}

impl fmt::Debug for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeedPosition({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mark() -> impl Strategy<Value = Mark> {
        let anchor = (any::<u64>(), any::<u64>(), any::<u32>())
            .prop_map(|(milliseconds, sequence, digest)| Anchor { id: StreamId { milliseconds, sequence }, digest });
        prop_oneof![
            Just(Mark::Beginning),
            (any::<u64>(), proptest::option::of(anchor)).prop_map(|(added, last)| Mark::Behind { added, last }),
        ]
    }

    fn position() -> impl Strategy<Value = (FeedPosition, Keyspace, u16, Vec<Mark>)> {
        proptest::collection::vec(mark(), 1..20).prop_flat_map(|marks| {
            let partitions = u16::try_from(marks.len()).unwrap();
            (Just(marks), 0..partitions).prop_map(move |(marks, turn)| {
                let keyspace = Keyspace::new("billing", partitions).unwrap();
                (FeedPosition::at(&keyspace, turn, marks.clone()), keyspace, turn, marks)
            })
        })
    }

    fn sealed(body: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode([body, &crc32fast::hash(body).to_be_bytes()].concat())
    }

    proptest! {
        #[test]
        fn text_leads_back_to_the_position((position, keyspace, turn, marks) in position()) {
            let text = position.to_string();
            let read: FeedPosition = text.parse().unwrap();
            prop_assert_eq!(&read, &position);
            prop_assert_eq!(read.marks(&keyspace).unwrap(), (turn, marks));
            let json = serde_json::to_string(&position).unwrap();
            prop_assert_eq!(&json, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<FeedPosition>(&json).unwrap(), position);
        }

        #[test]
        fn damage_is_refused((position, ..) in position(), at in any::<proptest::sample::Index>(), bit in 0..8) {
            let bytes = position.bytes();
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
        fn anything_is_a_position_or_refused(body in any::<Vec<u8>>(), text in ".*") {
            let versioned = [&[VERSION], &body[..]].concat();
            for text in [sealed(&versioned), sealed(&body), URL_SAFE_NO_PAD.encode(&body), text] {
                match text.parse::<FeedPosition>() {
                    Ok(position) => prop_assert_eq!(position.to_string(), text),
                    Err(error) => prop_assert!(matches!(error, Error::InvalidFeedPosition { .. }), "{:?}", error),
                }
            }
        }
    }

    #[test]
    fn another_namespace_and_another_number_of_partitions_are_refused() {
        let keyspace = |namespace, partitions| Keyspace::new(namespace, partitions).unwrap();
        let position = FeedPosition::at(&keyspace("billing", 2), 0, vec![Mark::Beginning; 2]);
        assert!(position.marks(&keyspace("billing", 2)).is_ok());
        for other in [keyspace("payroll", 2), keyspace("billing", 1), keyspace("billing", 3)] {
            assert!(matches!(position.marks(&other), Err(Error::InvalidFeedPosition { .. })));
        }
        assert_eq!(FeedPosition::beginning().marks(&keyspace("n", 3)).unwrap(), (0, vec![Mark::Beginning; 3]));
    }

    #[test]
    fn what_could_be_no_position_is_refused_with_a_good_checksum_too() {
        let head = [&[VERSION][..], &[7; Fingerprint::BYTES]].concat();
        let bodies: [Vec<u8>; 6] = [
            head.clone(),
            [&head[..], &[0, 0]].concat(),
            [&head[..], &[0, 1, 0]].concat(),
            [&head[..], &[0, 0, 3]].concat(),
            [&head[..], &[0, 0, 1, 0, 0, 0]].concat(),
            [&head[..], &[0, 0, 0, 2]].concat(),
        ];
        for body in bodies {
            assert!(sealed(&body).parse::<FeedPosition>().is_err(), "{body:?}");
        }
        assert!(sealed(&[&head[..], &[0, 0, 0]].concat()).parse::<FeedPosition>().is_ok());
        assert!(sealed(&[2]).parse::<FeedPosition>().unwrap_err().to_string().contains("another release"));
        assert!("A".repeat(10 * MOST_CHARACTERS).parse::<FeedPosition>().is_err());
    }

    #[test]
    fn the_longest_position_can_be_read_back() {
        let keyspace = Keyspace::new("n", Keyspace::MAX_PARTITIONS).unwrap();
        let last = Anchor { id: StreamId { milliseconds: u64::MAX, sequence: u64::MAX }, digest: u32::MAX };
        let mark = Mark::Behind { added: u64::MAX, last: Some(last) };
        let position = FeedPosition::at(&keyspace, 1_023, vec![mark; 1_024]);
        assert!(position.to_string().len() < MOST_CHARACTERS);
        assert_eq!(position.to_string().parse::<FeedPosition>().unwrap(), position);
    }
}
