//! Reads the replies about the consumers of the feed, and how far behind each is.

use std::time::Duration;

use redis::Value;

use super::mark::Mark;
use super::marks::Marks;
use super::reply::Part;
use super::walk::{FeedEnds, FeedRead};
use crate::error::{Error, Outcome, Result, StoreError, StoreErrorKind};
use crate::feed::{Consumer, ConsumerLease, FeedPosition};
use crate::redis::keyspace::Keyspace;
use crate::redis::reply::{array, bytes, reject_missing_permission, reject_wrong_type, tagged, text, unexpected};
use crate::request::{ConsumerName, HolderId, Timestamp};

/// The greatest length of a value in the hash of consumers: a position, and what comes before it.
pub(crate) const MAX_VALUE_BYTES: usize = 64 * 1024 + 128;

const SCRIPT: &str = "consumer.lua";

pub(crate) fn leased(name: &ConsumerName, reply: &Value) -> Result<ConsumerLease> {
    match tagged(reply, SCRIPT)? {
        ("leased", [position]) => {
            let position = text(position).ok_or_else(|| unexpected(SCRIPT))?;
            let position = Some(position).filter(|position| !position.is_empty());
            let position = position.map(str::parse).transpose().map_err(|_| damaged(name.as_str()))?;
            Ok(ConsumerLease::Held { position })
        }
        ("held", [Value::Int(micros)]) => Ok(ConsumerLease::HeldByAnother { free_in: duration(*micros) }),
        ("full", _) => Err(Consumer::too_many(name)),
        _ => Err(rejected(name, reply)),
    }
}

/// Whether the holder had the lease, so that its position is saved.
pub(crate) fn saved(name: &ConsumerName, reply: &Value) -> Result<bool> {
    match tagged(reply, SCRIPT)? {
        ("saved", _) => Ok(true),
        ("lost", _) => Ok(false),
        _ => Err(rejected(name, reply)),
    }
}

/// Whether there was one to remove.
pub(crate) fn removed(name: &ConsumerName, reply: &Value) -> Result<bool> {
    match tagged(reply, SCRIPT)? {
        ("removed", [Value::Int(count)]) => Ok(*count > 0),
        ("held", [Value::Int(micros)]) => Err(Consumer::still_held(name, duration(*micros))),
        _ => Err(rejected(name, reply)),
    }
}

fn rejected(name: &ConsumerName, reply: &Value) -> Error {
    let rejected = reject_wrong_type(reply).and_then(|()| reject_missing_permission(reply));
    match (rejected, tagged(reply, SCRIPT)) {
        (Err(error), _) => error,
        (Ok(()), Ok(("damaged", _))) => damaged(name.as_str()),
        _ => unexpected(SCRIPT).into(),
    }
}

fn damaged(name: &str) -> Error {
    let problem = format!(
        "what is stored of the feed consumer {name:?} is not what this library writes; remove it with \
         Governance::remove_consumer, and its followers begin anew"
    );
    StoreError::new(StoreErrorKind::Corrupt, Outcome::NotApplied, problem).into()
}

/// Each consumer as consumers.lua returns it, without its lag.
pub(crate) fn listed(reply: &Value) -> Result<Vec<Consumer>> {
    reject_wrong_type(reply).and_then(|()| reject_missing_permission(reply))?;
    let broken = || Error::from(unexpected("consumers.lua"));
    let (now, all) = match array(reply).unwrap_or_default() {
        [Value::Int(now), all] => (micros(*now).ok_or_else(broken)?, array(all).ok_or_else(broken)?),
        [word, Value::Int(count)] if text(word) == Some("many") => {
            let most = Consumer::MAX_COUNT;
            let problem = format!(
                "the hash of feed consumers has {count} fields, and this library adds at most {most}; find out who \
                 writes to it"
            );
            return Err(StoreError::new(StoreErrorKind::Corrupt, Outcome::NotApplied, problem).into());
        }
        _ => return Err(broken()),
    };
    let (pairs, []) = all.as_chunks::<2>() else { return Err(broken()) };
    let consumer = |[name, value]: &[Value; 2]| {
        let name = String::from_utf8_lossy(bytes(name).unwrap_or_default()).into_owned();
        read_consumer(&name, text(value).unwrap_or_default(), now).ok_or_else(|| damaged(&name))
    };
    let mut consumers: Vec<Consumer> = pairs.iter().map(consumer).collect::<Result<_>>()?;
    consumers.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(consumers)
}

fn read_consumer(name: &str, value: &str, now: Timestamp) -> Option<Consumer> {
    // As in consumer.lua: a number of more digits is none of ours.
    const MAX_DIGITS: usize = 16;
    let mut parts = value.split(' ');
    let _holder: HolderId = parts.next()?.parse().ok()?;
    let mut time = || {
        let text = parts.next().filter(|text| text.len() <= MAX_DIGITS)?;
        text.parse().ok().and_then(micros)
    };
    let (lease_ends_at, saved_at) = (time()?, time()?);
    let (position, saved_at) = match parts.next()? {
        "" => (FeedPosition::beginning(), None),
        position => (position.parse().ok()?, Some(saved_at)),
    };
    let held_until = Some(lease_ends_at).filter(|ends_at| *ends_at > now);
    Some(Consumer::new(ConsumerName::new(name).ok()?, position, saved_at, held_until, None))
}

fn micros(number: i64) -> Option<Timestamp> {
    Timestamp::from_micros(u64::try_from(number).ok()?).ok()
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// How many entries each partition's feed has, and how many were ever added.
pub(crate) struct FeedLags<'a> {
    keyspace: &'a Keyspace,
    parts: Vec<Part>,
}

impl<'a> FeedLags<'a> {
    pub(crate) const fn new(keyspace: &'a Keyspace) -> Self {
        Self { keyspace, parts: Vec::new() }
    }

    /// Takes the reply to [`FeedEnds::read`] of the next partition.
    pub(crate) fn add(&mut self, read: FeedRead, reply: &Value) -> Result<()> {
        self.parts.push(Part::of(self.keyspace, read.partition, reply)?);
        Ok(())
    }

    /// How many entries were added after a position; `None` if it does not belong to these feeds.
    pub(crate) fn of(&self, position: &FeedPosition) -> Option<u64> {
        let marks = Marks::of(position, self.keyspace).ok()?;
        let lag = |(mark, part): (&Mark, &Part)| match mark {
            Mark::Beginning => Some(part.kept),
            Mark::Behind { added, .. } => part.added.checked_sub(*added),
        };
        marks.partitions.iter().zip(&self.parts).map(lag).sum()
    }

    /// The next partition to ask.
    pub(crate) const fn read(partition: u16) -> FeedRead {
        FeedEnds::read(partition)
    }
}
