//! Where reading goes on in each partition, and the cursor that says so.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::index::SortKey;
use crate::query::{Cursor, Fingerprint};

/// Where reading goes on in one partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ReadFrom {
    Beginning,
    After(SortKey),
    /// It has been read to its end.
    Nowhere,
}

/// Where reading goes on in each partition. It is the same place in all, unless one of them was missing from a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadPlaces(Vec<ReadFrom>);

/// What a cursor is bound to: one that names a single place, and one that names partitions.
#[derive(Clone, Copy)]
pub(crate) struct CursorKinds {
    pub(crate) one_place: Fingerprint,
    pub(crate) by_partition: Fingerprint,
}

impl CursorKinds {
    /// Those of the query of a store that these parts tell from every other.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let by_partition = [parts, &[b"by partition"]].concat();
        Self { one_place: Fingerprint::of(parts), by_partition: Fingerprint::of(&by_partition) }
    }
}

impl ReadPlaces {
    pub(crate) fn new(places: Vec<ReadFrom>) -> Self {
        Self(places)
    }

    /// Those of a page that begins after this cursor.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`] if it is of another query or store, or of another number of partitions that is no divisor of
    /// this one.
    pub(crate) fn of(cursor: Option<&Cursor>, kinds: CursorKinds, partitions: u16) -> Result<Self> {
        let all = |place: ReadFrom| Self(vec![place; usize::from(partitions)]);
        let Some(cursor) = cursor else { return Ok(all(ReadFrom::Beginning)) };
        match cursor.position(kinds.one_place) {
            Ok(position) => Ok(all(ReadFrom::After(SortKey::from_bytes(position.to_vec())))),
            Err(error) => {
                let position = cursor.position(kinds.by_partition).map_err(|_| error)?;
                Self::read(position, partitions).ok_or(Error::InvalidCursor { problem: "it is damaged" })
            }
        }
    }

    pub(crate) fn cursor(&self, kinds: CursorKinds) -> Cursor {
        match self.0.first() {
            Some(first @ ReadFrom::After(key)) if self.0.iter().all(|place| place == first) => {
                Cursor::new(kinds.one_place, key.as_bytes())
            }
            _ => Cursor::new(kinds.by_partition, &self.to_bytes()),
        }
    }

    pub(crate) fn into_vec(self) -> Vec<ReadFrom> {
        self.0
    }

    /// The number of partitions; then each place that some of them share: its kind, the length and bytes of its key, how many
    /// share it, and which.
    fn to_bytes(&self) -> Vec<u8> {
        let mut shared: BTreeMap<&ReadFrom, Vec<u16>> = BTreeMap::new();
        for (partition, place) in (0_u16..).zip(&self.0) {
            shared.entry(place).or_default().push(partition);
        }
        let length = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        let mut bytes = length(self.0.len()).to_vec();
        for (place, partitions) in shared {
            let (kind, key): (u8, &[u8]) = match place {
                ReadFrom::Beginning => (0, b""),
                ReadFrom::After(key) => (1, key.as_bytes()),
                ReadFrom::Nowhere => (2, b""),
            };
            bytes.push(kind);
            bytes.extend_from_slice(&length(key.len()));
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(&length(partitions.len()));
            bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
        }
        bytes
    }

    fn read(mut bytes: &[u8], partitions: u16) -> Option<Self> {
        let before = number(&mut bytes)?;
        // A repartition splits each partition; what it is split into is read from the same place.
        if before == 0 || !partitions.is_multiple_of(before) {
            return None;
        }
        let mut places: Vec<Option<ReadFrom>> = vec![None; usize::from(before)];
        while let Some((kind, rest)) = bytes.split_first() {
            bytes = rest;
            let length = usize::from(number(&mut bytes)?);
            let (key, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            let place = match kind {
                0 => ReadFrom::Beginning,
                1 => ReadFrom::After(SortKey::from_bytes(key.to_vec())),
                2 => ReadFrom::Nowhere,
                _ => return None,
            };
            for _ in 0..number(&mut bytes)? {
                *places.get_mut(usize::from(number(&mut bytes)?))? = Some(place.clone());
            }
        }
        let places: Vec<ReadFrom> = places.into_iter().collect::<Option<_>>()?;
        Some(Self((0..partitions).filter_map(|at| places.get(usize::from(at % before)).cloned()).collect()))
    }
}

fn number(bytes: &mut &[u8]) -> Option<u16> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*taken))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds() -> CursorKinds {
        CursorKinds::of(&[b"q"])
    }

    fn after(key: &[u8]) -> ReadFrom {
        ReadFrom::After(SortKey::from_bytes(key.to_vec()))
    }

    fn place() -> impl Strategy<Value = ReadFrom> {
        prop_oneof![
            Just(ReadFrom::Beginning),
            Just(ReadFrom::Nowhere),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(|key| after(&key)),
        ]
    }

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_the_places(places in proptest::collection::vec(place(), 1..20)) {
            let partitions = u16::try_from(places.len()).unwrap();
            let cursor: Cursor = ReadPlaces::new(places.clone()).cursor(kinds()).to_string().parse().unwrap();
            let read = ReadPlaces::of(Some(&cursor), kinds(), partitions).unwrap();
            prop_assert_eq!(read.into_vec(), places);
        }

        /// Any bytes: places of so many partitions, or nothing.
        #[test]
        fn anything_is_places_or_nothing(bytes in any::<Vec<u8>>(), partitions in 1_u16..9) {
            if let Some(places) = ReadPlaces::read(&bytes, partitions) {
                prop_assert_eq!(places.into_vec().len(), usize::from(partitions));
            }
        }
    }

    #[test]
    fn one_place_for_all_is_a_plain_cursor() {
        let places = ReadPlaces::new(vec![after(b"k"); 3]);
        assert_eq!(places.cursor(kinds()), Cursor::new(kinds().one_place, b"k"));
        assert_eq!(ReadPlaces::of(None, kinds(), 2).unwrap().into_vec(), vec![ReadFrom::Beginning; 2]);
    }

    #[test]
    fn after_a_repartition_each_new_partition_goes_on_where_its_requests_were() {
        let cursor = ReadPlaces::new(vec![after(b"a"), ReadFrom::Nowhere]).cursor(kinds());
        let places = ReadPlaces::of(Some(&cursor), kinds(), 6).unwrap().into_vec();
        let two = [after(b"a"), ReadFrom::Nowhere];
        assert_eq!(places, [two.clone(), two.clone(), two].concat());
        assert!(matches!(ReadPlaces::of(Some(&cursor), kinds(), 3), Err(Error::InvalidCursor { .. })));
        assert!(matches!(ReadPlaces::of(Some(&cursor), CursorKinds::of(&[b"r"]), 2), Err(Error::InvalidCursor { .. })));
    }
}
