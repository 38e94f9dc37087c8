//! Reads the replies of feed.lua.

use std::fmt;

use redis::Value;

use super::mark::{Anchor, StreamId};
use crate::error::Result;
use crate::feed::{FeedActor, FeedChange, FeedEntry, UnreadableEntry};
use crate::redis::keyspace::Keyspace;
use crate::redis::reply::{array, bytes, reject_missing_permission, reject_wrong_type, text, unexpected};
use crate::request::{ActorId, ActorKind, DecisionKind, RequestId, Status, Timestamp};

/// The reply of one partition.
pub(super) struct Part {
    /// The number of entries ever added to its feed.
    pub(super) added: u64,
    /// The number of entries kept.
    pub(super) kept: u64,
    pub(super) entries: Vec<(Anchor, Result<FeedEntry, UnreadableEntry>)>,
    /// Whether entries were left out because they did not fit into one reply.
    pub(super) is_cut: bool,
    pub(super) origin: Origin,
}

/// What a partition that a repartition added knows of the feeds of its requests before: each earlier partition, and how many
/// entries its feed had then. Empty for every other partition, and for a read that need not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin(pub(super) Vec<(u16, u64)>);

impl Origin {
    /// The origin of a partition that takes requests over from `parent`, which has this origin itself, after so many entries.
    pub(crate) fn split_from(mut self, parent: u16, added: u64) -> Self {
        self.0.push((parent, added));
        self
    }

    /// As a partition records it; nothing for none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        let mut origin = Self::default();
        while let Some(partition) = words.next() {
            origin.0.push((partition.parse().ok()?, words.next()?.parse().ok()?));
        }
        Some(origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(|(partition, added)| format!("{partition} {added}")).collect();
        f.write_str(&words.join(" "))
    }
}

/// How many entries were ever added to a partition's feed, and the partition's origin, from a reply of feed.lua that begins
/// with the oldest entry.
pub(crate) fn extent(keyspace: &Keyspace, partition: u16, reply: &Value) -> Result<(u64, Origin)> {
    let part = Part::of(keyspace, partition, reply)?;
    Ok((part.added, part.origin))
}

impl Part {
    /// Reads the reply of feed.lua.
    pub(super) fn of(keyspace: &Keyspace, partition: u16, reply: &Value) -> Result<Self> {
        reject_wrong_type(reply).and_then(|()| reject_missing_permission(reply))?;
        let broken = || unexpected("feed.lua");
        let [Value::Int(added), Value::Int(kept), entries, Value::Int(cut), origin] = array(reply).unwrap_or_default()
        else {
            return Err(broken().into());
        };
        let entries = array(entries).ok_or_else(broken)?.iter();
        let entries: Option<_> = entries.map(|entry| read_entry(keyspace, partition, entry)).collect();
        let number = |number: i64| u64::try_from(number).ok();
        let is_cut = *cut != 0;
        // Of foreign text nothing follows, so no feed waits for what never comes.
        let is_possible = |origin: &Origin| origin.0.iter().all(|(earlier, _)| *earlier < partition);
        let origin = text(origin).and_then(Origin::parse).filter(is_possible).unwrap_or_default();
        let part = || Some(Self { added: number(*added)?, kept: number(*kept)?, entries: entries?, is_cut, origin });
        Ok(part().ok_or_else(broken)?)
    }

    pub(super) fn first(&self) -> Option<Anchor> {
        self.entries.first().map(|(anchor, _)| *anchor)
    }
}

/// `None` if it is not a stream entry at all.
fn read_entry(
    keyspace: &Keyspace,
    partition: u16,
    entry: &Value,
) -> Option<(Anchor, Result<FeedEntry, UnreadableEntry>)> {
    let [id, fields] = array(entry)? else { return None };
    let id = StreamId::parse(text(id)?)?;
    let fields: Vec<&[u8]> = array(fields)?.iter().map(bytes).collect::<Option<_>>()?;
    let read = Fields(&fields).read(keyspace, partition, id).map_err(|problem| UnreadableEntry {
        partition,
        entry: id.to_string(),
        id: Fields(&fields).request_id(),
        problem,
    });
    Some((Anchor { id, digest: digest(&fields) }, read))
}

/// Every part follows its length, so no two entries give the same bytes.
fn digest(fields: &[&[u8]]) -> u32 {
    let mut digest = crc32fast::Hasher::new();
    for field in fields {
        digest.update(&(field.len() as u64).to_be_bytes());
        digest.update(field);
    }
    digest.finalize()
}

/// Names and values, one after another. Fields that a later release may add are skipped.
struct Fields<'a>(&'a [&'a [u8]]);

impl Fields<'_> {
    fn read(&self, keyspace: &Keyspace, partition: u16, added: StreamId) -> Result<FeedEntry, &'static str> {
        let id = self.request_id().ok_or("it names no request")?;
        if !keyspace.has_been_in(partition, &id) {
            return Err("the request that it names is of another partition");
        }
        let revision = self.text("revision").and_then(|number| number.parse().ok());
        let status = self.text("status");
        let status = status.and_then(|word| Status::ALL.into_iter().find(|status| status.as_str() == word));
        Ok(FeedEntry {
            id,
            revision: revision.ok_or("it has no revision number")?,
            status: status.ok_or("it has no status that this release knows")?,
            decisions: self.decisions().ok_or("it has a decision that this release does not know")?,
            first_decision: self.first_decision().map_err(|()| "the number of its first decision is no number")?,
            by: self.by().map_err(|()| "it has an actor that this release does not know")?,
            change: self.change().ok_or("it is about a change that this release does not know")?,
            partition,
            added_at: time_of(added),
        })
    }

    /// Empty if the write added none; without the field if an older release wrote the entry.
    fn first_decision(&self) -> Result<Option<u64>, ()> {
        match self.text("first") {
            None | Some("") => Ok(None),
            Some(number) => number.parse().map(Some).map_err(drop),
        }
    }

    /// As [`actor_text`] writes it.
    fn by(&self) -> Result<Option<FeedActor>, ()> {
        actor_of(self.text("by").unwrap_or_default())
    }

    /// Ordinary writes leave it out.
    fn change(&self) -> Option<FeedChange> {
        let Some(text) = self.text("change") else { return Some(FeedChange::Written) };
        [FeedChange::Imported, FeedChange::Removed].into_iter().find(|change| change.as_str() == text)
    }

    fn request_id(&self) -> Option<RequestId> {
        RequestId::new(self.text("id")?).ok()
    }

    fn decisions(&self) -> Option<Vec<DecisionKind>> {
        let kind = |word: &str| DecisionKind::all().find(|kind| kind.with_category() == word);
        self.text("decisions")?.split(',').filter(|word| !word.is_empty()).map(kind).collect()
    }

    fn text(&self, name: &str) -> Option<&str> {
        let (pairs, _) = self.0.as_chunks::<2>();
        let [_, value] = pairs.iter().find(|[found, _]| *found == name.as_bytes())?;
        std::str::from_utf8(value).ok()
    }
}

/// The text of an actor in an entry: kind, id and name, a line each; after the id a tab and the person acted for, if there
/// is one. Only the name, which is the last, may have more lines.
pub(crate) fn actor_text(actor: &FeedActor) -> String {
    let mut id = actor.id.as_ref().map_or("", ActorId::as_str).to_owned();
    if let Some(acting_for) = &actor.acting_for {
        id = format!("{id}\t{acting_for}");
    }
    [actor.kind.as_str(), &id, actor.name.as_deref().unwrap_or_default()].join("\n")
}

/// The actor in such a text; `None` in an empty one.
pub(crate) fn actor_of(text: &str) -> Result<Option<FeedActor>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut lines = text.splitn(3, '\n');
    let (Some(kind), Some(id), Some(name)) = (lines.next(), lines.next(), lines.next()) else { return Err(()) };
    let kind = ActorKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or(())?;
    let (id, acting_for) = id.split_once('\t').unwrap_or((id, ""));
    let id_of = |id: &str| Some(id).filter(|id| !id.is_empty()).map(ActorId::new).transpose().map_err(drop);
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    Ok(Some(FeedActor::new(kind, id_of(id)?, name, id_of(acting_for)?)))
}

/// An id that was set by hand may be later than every time.
fn time_of(id: StreamId) -> Timestamp {
    let micros = id.milliseconds.checked_mul(1_000);
    micros.and_then(|micros| Timestamp::from_micros(micros).ok()).unwrap_or(Timestamp::MAX)
}
