//! Reads the replies of feed.lua.

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
}

impl Part {
    /// Reads the reply of feed.lua.
    pub(super) fn of(keyspace: &Keyspace, partition: u16, reply: &Value) -> Result<Self> {
        reject_wrong_type(reply).and_then(|()| reject_missing_permission(reply))?;
        let broken = || unexpected("feed.lua");
        let [Value::Int(added), Value::Int(kept), entries, Value::Int(cut)] = array(reply).unwrap_or_default() else {
            return Err(broken().into());
        };
        let entries = array(entries).ok_or_else(broken)?.iter();
        let entries: Option<_> = entries.map(|entry| read_entry(keyspace, partition, entry)).collect();
        let number = |number: i64| u64::try_from(number).ok();
        let is_cut = *cut != 0;
        let part = || Some(Self { added: number(*added)?, kept: number(*kept)?, entries: entries?, is_cut });
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
        if keyspace.partition_of(&id) != partition {
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
        let Some(text) = self.text("by").filter(|text| !text.is_empty()) else { return Ok(None) };
        let mut lines = text.splitn(3, '\n');
        let (Some(kind), Some(id), Some(name)) = (lines.next(), lines.next(), lines.next()) else { return Err(()) };
        let kind = ActorKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or(())?;
        let (id, acting_for) = id.split_once('\t').unwrap_or((id, ""));
        let id_of = |id: &str| Some(id).filter(|id| !id.is_empty()).map(ActorId::new).transpose().map_err(drop);
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Ok(Some(FeedActor::new(kind, id_of(id)?, name, id_of(acting_for)?)))
    }

    /// Ordinary writes leave it out.
    fn change(&self) -> Option<FeedChange> {
        let Some(text) = self.text("change") else { return Some(FeedChange::Written) };
        [FeedChange::Imported].into_iter().find(|change| change.as_str() == text)
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

/// An id that was set by hand may be later than every time.
fn time_of(id: StreamId) -> Timestamp {
    let micros = id.milliseconds.checked_mul(1_000);
    micros.and_then(|micros| Timestamp::from_micros(micros).ok()).unwrap_or(Timestamp::MAX)
}
