//! The layout that each partition records, and the checks of a recorded layout.

use std::cmp::Ordering;

use redis::Value;
use sha1::Digest as _;

use crate::error::{LayoutError, Result, StoreError};
use crate::index::ChosenIndexes;
use crate::redis::keyspace::Keyspace;
use crate::redis::namespace::indexed_metadata;
use crate::redis::options::Settings;
use crate::redis::reply::{array, bytes, unexpected, unexpected_write};
use crate::request::IdComparison;

/// The version of keys, records and indexes together. Raise it whenever the contents of the indexes change: see
/// `docs/adr/0023-layout-upgrades.md`.
pub(crate) const LAYOUT_VERSION: u32 = 3;

/// The last byte of a recorded layout that is read, counted from 0: anything longer is foreign. The scripts read as
/// much.
pub(in crate::redis) const LAST_BYTE: usize = 64;

const OF_A_PARTITION: &str = "how a partition is laid out";
const RECORD_AGAIN: &str =
    "open the namespace again, and if that fails too, rebuild its indexes with RedisStoreBuilder::reindex";

/// The text that each partition records and each write compares: the layout version, the number of partitions, the rule
/// for comparing ids, and a digest of the chosen indexes. Later versions too begin with their number and a space.
pub(in crate::redis) fn recorded(keyspace: &Keyspace, ids: IdComparison, chosen: &ChosenIndexes) -> String {
    let metadata = indexed_metadata::recorded(chosen);
    let digest = if metadata.is_empty() { "-".to_owned() } else { format!("{:x}", sha1::Sha1::digest(metadata)) };
    let partitions = keyspace.partition_count();
    format!("{LAYOUT_VERSION} {partitions} {} {}", ids.as_str(), digest.get(..16).unwrap_or(&digest))
}

/// The number of a version; it has exactly one spelling.
pub(in crate::redis) fn version(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| *number > 0 && number.to_string() == text)
}

/// What is wrong with a recorded version; `None` if it is valid.
pub(in crate::redis) fn check_version(place: &str, found: u32) -> Result<(), LayoutError> {
    let (place, expected) = (place.to_owned(), LAYOUT_VERSION);
    match found.cmp(&expected) {
        Ordering::Less => Err(LayoutError::Older { place, found, expected }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(LayoutError::Newer { place, found, expected }),
    }
}

/// Whether a partition records the layout of this store.
fn check(settings: &Settings, key: &str, found: &[u8]) -> Result<(), LayoutError> {
    let key = key.to_owned();
    if found == settings.layout.as_bytes() {
        return Ok(());
    } else if found.is_empty() {
        return Err(LayoutError::Missing { key, remedy: RECORD_AGAIN });
    }
    let words: Vec<&str> = std::str::from_utf8(found).unwrap_or_default().split(' ').collect();
    let number = words.first().and_then(|word| version(word)).filter(|_| found.len() <= LAST_BYTE);
    match number {
        Some(number) => check_version(&key, number)?,
        None => return Err(LayoutError::Foreign { key, what: OF_A_PARTITION, remedy: RECORD_AGAIN }),
    }
    match words[..] {
        [_, partitions, "Exact" | "FoldCase", _] if version(partitions).is_some() => {
            Err(LayoutError::OtherChoice { key })
        }
        _ => Err(LayoutError::Foreign { key, what: OF_A_PARTITION, remedy: RECORD_AGAIN }),
    }
}

/// # Errors
/// [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) if a script wrote nothing because its
/// partition records another layout.
pub(crate) fn reject_other_layout(settings: &Settings, reply: &Value) -> Result<()> {
    if let [word, key, found] = array(reply).unwrap_or_default()
        && bytes(word) == Some(b"layout")
    {
        let key = String::from_utf8_lossy(bytes(key).unwrap_or_default());
        let found = bytes(found).ok_or_else(|| unexpected_write("a writing script"))?;
        check(settings, &key, found).map_err(StoreError::of_layout)?;
        return Err(unexpected_write("a writing script").into());
    }
    Ok(())
}

/// The layout that a partition records.
pub(crate) struct PartitionLayout {
    key: String,
    found: Vec<u8>,
}

impl PartitionLayout {
    /// # Errors
    /// [`StoreErrorKind::Connection`](crate::StoreErrorKind::Connection) if the reply is not text.
    pub(crate) fn read(settings: &Settings, partition: u16, reply: &Value) -> Result<Self> {
        let found = bytes(reply).ok_or_else(|| unexpected("GETRANGE"))?.to_vec();
        Ok(Self { key: settings.keyspace.layout(partition), found })
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn is_of(&self, settings: &Settings) -> bool {
        self.found == settings.layout.as_bytes()
    }

    /// # Errors
    /// [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) if it is not the layout of this store.
    pub(crate) fn check(&self, settings: &Settings) -> Result<()> {
        Ok(check(settings, &self.key, &self.found).map_err(StoreError::of_layout)?)
    }

    /// # Errors
    /// The same if a newer release recorded it; a rebuild leaves it unchanged.
    pub(crate) fn check_replaceable(&self, settings: &Settings) -> Result<()> {
        match check(settings, &self.key, &self.found) {
            Err(newer @ LayoutError::Newer { .. }) => Err(StoreError::of_layout(newer).into()),
            _ => Ok(()),
        }
    }

    /// The error for a layout that a partition records while the namespace records none.
    pub(crate) fn without_namespace(settings: &Settings) -> StoreError {
        StoreError::of_layout(LayoutError::Missing {
            key: settings.keyspace.meta(),
            remedy: "its partitions still record their layout. Restore the key from a backup, or the whole namespace",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::RedisOptions;

    fn settings(partitions: u16, keys: &[&str]) -> Settings {
        let indexed_metadata = ChosenIndexes::default().and_metadata(keys.iter().copied());
        let options = RedisOptions { partitions, indexed_metadata, ..Default::default() };
        options.check("redis://localhost").unwrap()
    }

    #[test]
    fn what_writes_are_compared_with_differs_where_indexes_do() {
        assert_eq!(settings(4, &[]).layout, "3 4 Exact -");
        let folding = RedisOptions { id_comparison: IdComparison::FoldCase, ..Default::default() };
        assert_eq!(folding.check("redis://h").unwrap().layout, "3 1 FoldCase -");
        let choices: [&[&str]; 6] = [&[], &[""], &["a\nb"], &["a", "b"], &["1:a1:b"], &["ticket"]];
        let layouts: std::collections::BTreeSet<_> = choices.map(|keys| settings(1, keys).layout).into();
        assert_eq!(layouts.len(), choices.len());
        let longest = settings(1_024, &["ticket"]).layout;
        assert!(longest.len() + "4294967295".len() <= LAST_BYTE, "{longest}");
    }

    #[test]
    fn older_newer_foreign_and_other_layouts_are_told_apart() {
        let settings = settings(4, &[]);
        let key = settings.keyspace.layout(3);
        let checked = |found: &str| check(&settings, &key, found.as_bytes());
        assert_eq!(checked("3 4 Exact -"), Ok(()));
        assert!(matches!(checked(""), Err(LayoutError::Missing { .. })));
        for older in ["1", "1 4 Exact -", "1 something else"] {
            assert!(matches!(checked(older), Err(LayoutError::Older { found: 1, expected: 3, .. })), "{older}");
        }
        assert!(matches!(checked("4 a new form"), Err(LayoutError::Newer { found: 4, expected: 3, .. })));
        for other in ["3 4 FoldCase -", "3 8 Exact -", "3 4 Exact 0123456789abcdef"] {
            assert!(matches!(checked(other), Err(LayoutError::OtherChoice { .. })), "{other}");
        }
        let long = format!("1 {}", "x".repeat(LAST_BYTE));
        for foreign in ["x", "0 4 Exact -", "03 4 Exact -", "+3 4 Exact -", "3", "3 4 Exact", "3 x Exact -", " ", &long]
        {
            assert!(matches!(checked(foreign), Err(LayoutError::Foreign { .. })), "{foreign:?}");
        }
        for (found, named) in
            [("1", "reindex"), ("4", "uses 4"), ("x", "{governance:3}:layout"), ("3 8 Exact -", "again")]
        {
            let said = checked(found).unwrap_err().to_string();
            assert!(said.contains(named) && said.contains("{governance:3}:layout"), "{said}");
        }
    }
}
