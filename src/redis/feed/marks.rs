//! The marks of all partitions, as a feed position holds them.

use super::mark::{Anchor, Mark, StreamId};
use crate::error::{Error, Result};
use crate::feed::FeedPosition;
use crate::redis::keyspace::Keyspace;

/// How far each partition of one namespace has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// The partition to read first, so that each has its turn when a page has no space for all.
    pub(super) turn: u16,
    pub(super) partitions: Vec<Mark>,
}

impl Marks {
    pub(super) fn position(&self, keyspace: &Keyspace) -> FeedPosition {
        let mut bytes = self.turn.to_be_bytes().to_vec();
        for mark in &self.partitions {
            write_mark(&mut bytes, mark);
        }
        FeedPosition::new(&store(keyspace, keyspace.partition_count()), bytes)
    }

    /// # Errors
    /// [`Error::InvalidFeedPosition`] if the position came from another namespace, or is invalid.
    pub(super) fn of(position: &FeedPosition, keyspace: &Keyspace) -> Result<Self> {
        let partitions = keyspace.partition_count();
        let (place, before) = match position.place(&store(keyspace, partitions)) {
            Ok(place) => (place, partitions),
            Err(error) => {
                let of_fewer = |count| position.place(&store(keyspace, count)).ok().map(|place| (place, count));
                keyspace.earlier_counts().find_map(of_fewer).ok_or(error)?
            }
        };
        let Some(place) = place else {
            return Ok(Self { turn: 0, partitions: vec![Mark::Beginning; usize::from(partitions)] });
        };
        let marks = read_marks(place, usize::from(before));
        let mut marks = marks.ok_or_else(|| Error::invalid_feed_position("it is damaged"))?;
        for added in before..partitions {
            let parent = marks.partitions.get(usize::from(added % before.max(1)));
            marks.partitions.push(parent.map_or(Mark::Beginning, Mark::of_added_partition));
        }
        Ok(marks)
    }
}

fn store(keyspace: &Keyspace, partitions: u16) -> String {
    format!("redis {} {partitions}", keyspace.namespace())
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

fn read_marks(mut bytes: &[u8], partitions: usize) -> Option<Marks> {
    let turn = u16::from_be_bytes(take(&mut bytes)?);
    let mut marks = Vec::new();
    while !bytes.is_empty() {
        marks.push(read_mark(&mut bytes)?);
    }
    let is_possible = marks.len() == partitions && usize::from(turn) < partitions;
    is_possible.then_some(Marks { turn, partitions: marks })
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

    fn marks() -> impl Strategy<Value = Marks> {
        proptest::collection::vec(mark(), 1..20).prop_flat_map(|partitions| {
            let turns = 0..u16::try_from(partitions.len()).unwrap();
            (turns, Just(partitions)).prop_map(|(turn, partitions)| Marks { turn, partitions })
        })
    }

    fn keyspace(namespace: &str, partitions: usize) -> Keyspace {
        Keyspace::new(namespace, u16::try_from(partitions).unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn a_position_leads_back_to_the_marks(marks in marks()) {
            let keyspace = keyspace("billing", marks.partitions.len());
            let position = marks.position(&keyspace);
            prop_assert_eq!(&Marks::of(&position, &keyspace).unwrap(), &marks);
            let read: FeedPosition = position.to_string().parse().unwrap();
            prop_assert_eq!(Marks::of(&read, &keyspace).unwrap(), marks);
        }

        /// For any bytes: marks that are written as they were read, or the one error.
        #[test]
        fn any_place_is_marks_or_an_error(place in any::<Vec<u8>>(), partitions in 1_usize..5) {
            let keyspace = keyspace("billing", partitions);
            let position = FeedPosition::new(&store(&keyspace, keyspace.partition_count()), place);
            match Marks::of(&position, &keyspace) {
                Ok(marks) => prop_assert_eq!(marks.position(&keyspace), position),
                Err(error) => prop_assert!(matches!(error, Error::InvalidFeedPosition { .. }), "{:?}", error),
            }
        }
    }

    #[test]
    fn another_namespace_and_another_number_of_partitions_are_errors() {
        let position = Marks { turn: 0, partitions: vec![Mark::Beginning; 2] }.position(&keyspace("billing", 2));
        assert!(Marks::of(&position, &keyspace("billing", 2)).is_ok());
        for other in [keyspace("payroll", 2), keyspace("billing", 1), keyspace("billing", 3)] {
            assert!(matches!(Marks::of(&position, &other), Err(Error::InvalidFeedPosition { .. })));
        }
        let first = Marks { turn: 0, partitions: vec![Mark::Beginning; 3] };
        assert_eq!(Marks::of(&FeedPosition::beginning(), &keyspace("n", 3)).unwrap(), first);
    }

    #[test]
    fn a_position_of_fewer_partitions_goes_on_at_the_beginning_of_those_that_were_added() {
        let read = Mark::Behind { added: 7, last: None };
        let position = Marks { turn: 1, partitions: vec![read, Mark::Beginning] }.position(&keyspace("n", 2));
        let expected = |marks: &[Mark]| Marks { turn: 1, partitions: marks.to_vec() };
        let (new, unread) = (Mark::Behind { added: 0, last: None }, Mark::Beginning);
        assert_eq!(
            Marks::of(&position, &keyspace("n", 6)).unwrap(),
            expected(&[read, unread, new, unread, new, unread])
        );
        assert!(Marks::of(&position, &keyspace("n", 3)).is_err());
        assert!(Marks::of(&position, &keyspace("m", 6)).is_err());
    }

    #[test]
    fn places_that_cannot_be_are_errors() {
        let places: [&[u8]; 7] = [&[], &[0], &[0, 0], &[0, 1, 0], &[0, 0, 3], &[0, 0, 1, 0, 0, 0], &[0, 0, 0, 2]];
        let keyspace = keyspace("n", 1);
        for place in places {
            assert!(Marks::of(&FeedPosition::new(&store(&keyspace, 1), place), &keyspace).is_err(), "{place:?}");
        }
        assert!(Marks::of(&FeedPosition::new(&store(&keyspace, 1), [0, 0, 0]), &keyspace).is_ok());
    }

    #[test]
    fn the_longest_position_can_be_read_back() {
        let keyspace = Keyspace::new("n", Keyspace::MAX_PARTITIONS).unwrap();
        let last = Anchor { id: StreamId { milliseconds: u64::MAX, sequence: u64::MAX }, digest: u32::MAX };
        let mark = Mark::Behind { added: u64::MAX, last: Some(last) };
        let marks = Marks { turn: 1_023, partitions: vec![mark; 1_024] };
        let text = marks.position(&keyspace).to_string();
        assert_eq!(Marks::of(&text.parse().unwrap(), &keyspace).unwrap(), marks);
    }
}
