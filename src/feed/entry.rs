//! One entry of the change feed, readable or not.

use serde::{Deserialize, Serialize};

use crate::removal::Tombstone;
use crate::request::{ActorContext, ActorId, ActorKind, Decision, DecisionKind, MutationRequest, RequestId};
use crate::request::{Status, Timestamp};

/// One write: which request it created or changed, who did it, and its new status and decisions. Does not contain the
/// request.
///
/// A store adds the entry together with the write, or does neither. The entries of one request come in the order of its
/// revisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FeedEntry {
    /// The request.
    pub id: RequestId,
    /// The number of the revision that the write made; 0 for the creation.
    pub revision: u64,
    /// The request's status after the write.
    pub status: Status,
    /// The decisions that the write added, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecisionKind>,
    /// The place of the first of these decisions in the request's history, from 0. `None` when the write added none, or
    /// when an older release wrote the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_decision: Option<u64>,
    /// Who acted, as the first of these decisions names them; of a removal, who removed the request. `None` as for
    /// `first_decision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<FeedActor>,
    /// What kind of change it was. Defaults to `Written`.
    #[serde(default, skip_serializing_if = "FeedChange::is_written")]
    pub change: FeedChange,
    /// The partition whose feed has the entry; 0 in a store without partitions.
    pub partition: u16,
    /// When the entry was added, by the store's clock; never earlier than the entry before it. In Redis with a
    /// precision of milliseconds.
    pub added_at: Timestamp,
}

/// What kind of change an entry of the feed is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum FeedChange {
    /// A write created or changed the request.
    #[default]
    Written,
    /// The request came from an archive, as it was: nobody has just done anything, and the entry has no decisions.
    Imported,
    /// The request was removed; what is left of it is its [tombstone](crate::Tombstone). The entry has no decisions, and
    /// the revision that was removed.
    Removed,
}

impl FeedChange {
    /// The change as it is written: its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "Written",
            Self::Imported => "Imported",
            Self::Removed => "Removed",
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
    const fn is_written(&self) -> bool {
        matches!(self, Self::Written)
    }
}

/// Who made a write, for a notification: enough to name them, and no more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FeedActor {
    /// What kind of actor this is.
    pub kind: ActorKind,
    /// The actor's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ActorId>,
    /// The name to show for the actor. Left out when it has more than [`MAX_NAME_BYTES`](Self::MAX_NAME_BYTES).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of the person acted for, if the actor does not act for themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<ActorId>,
}

impl FeedActor {
    /// The maximum length of a name that an entry repeats: 256 bytes.
    pub const MAX_NAME_BYTES: usize = 256;

    pub(crate) const fn new(
        kind: ActorKind,
        id: Option<ActorId>,
        name: Option<String>,
        acting_for: Option<ActorId>,
    ) -> Self {
        Self { kind, id, name, acting_for }
    }

    /// What to call the actor: the name, or else the id, or else the kind.
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.id.as_ref().map(ActorId::as_str)).unwrap_or(self.kind.as_str())
    }
}

impl From<&ActorContext> for FeedActor {
    fn from(actor: &ActorContext) -> Self {
        let name = actor.name.clone().filter(|name| (1..=Self::MAX_NAME_BYTES).contains(&name.len()));
        let [id, acting_for] = actor.people_ids();
        Self::new(actor.kind, id, name, acting_for)
    }
}

impl FeedEntry {
    /// The entry for a write that produced this request, for authors of stores. `stored_decisions` is the number of
    /// decisions before the write: 0 for a creation.
    pub fn for_write(request: &MutationRequest, stored_decisions: usize, partition: u16, added_at: Timestamp) -> Self {
        let added = request.decisions.get(stored_decisions..).unwrap_or_default();
        Self {
            id: request.id.clone(),
            revision: request.revision().number,
            status: request.state.status(),
            decisions: added.iter().map(|decision| decision.kind).collect(),
            first_decision: added.first().map(|_| stored_decisions as u64),
            by: added.first().map(|decision| FeedActor::from(&*decision.by)),
            change: FeedChange::Written,
            partition,
            added_at,
        }
    }

    /// The entry for a request that was imported, for authors of stores.
    pub fn for_import(request: &MutationRequest, partition: u16, added_at: Timestamp) -> Self {
        let entry = Self::for_write(request, request.decisions.len(), partition, added_at);
        Self { change: FeedChange::Imported, ..entry }
    }

    /// The entry for a request that was removed, for authors of stores.
    pub fn for_removal(tombstone: &Tombstone, partition: u16, added_at: Timestamp) -> Self {
        Self {
            id: tombstone.id.clone(),
            revision: tombstone.revision.number,
            status: tombstone.status,
            decisions: Vec::new(),
            first_decision: None,
            by: Some(tombstone.removed_by.clone()),
            change: FeedChange::Removed,
            partition,
            added_at,
        }
    }

    /// The decisions of this write, from the history of its request. `None` when the entry does not say where they are,
    /// or when that history does not have them there: it was lost in a failover and written anew.
    pub fn decisions_in<'a>(&self, request: &'a MutationRequest) -> Option<&'a [Decision]> {
        if self.decisions.is_empty() {
            return Some(&[]);
        }
        let first = usize::try_from(self.first_decision?).ok()?;
        let found = request.decisions.get(first..first.checked_add(self.decisions.len())?)?;
        let is_same = found.iter().map(|decision| decision.kind).eq(self.decisions.iter().copied());
        is_same.then_some(found)
    }
}

/// An entry of the change feed that cannot be read. All others can still be read.
#[derive(Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[error("entry {entry} in the feed of partition {partition} cannot be read: {problem}")]
#[non_exhaustive]
pub struct UnreadableEntry {
    /// The partition whose feed has the entry.
    pub partition: u16,
    /// The entry's id in the feed of that partition.
    pub entry: String,
    /// The request that it names, if any: read that instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// Why it cannot be read.
    pub problem: &'static str,
}

crate::error::debug_as_sentence!(UnreadableEntry);
#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Intent, PendingReason, RequestDraft, Target, WriteId};
    use crate::workflow::{self, Command};

    fn canceled() -> MutationRequest {
        let target = Target::new("s", "State", "Change").unwrap();
        let rita = ActorContext::user("rita").unwrap();
        let draft =
            RequestDraft::new(target, Intent::new("change", "Test").unwrap(), rita).waiting_for(PendingReason::Quota);
        let now = Timestamp::now();
        let request = workflow::submit(draft, RequestId::new("r").unwrap(), WriteId::generate(), now).unwrap();
        workflow::apply(request, &Command::cancel(ActorContext::user("mona").unwrap()), now).unwrap()
    }

    #[test]
    fn decisions_are_found_only_where_the_entry_says_they_are() {
        let request = canceled();
        let last = request.decisions.len() - 1;
        let entry = FeedEntry::for_write(&request, last, 0, Timestamp::now());
        assert_eq!((entry.first_decision, entry.by.as_ref().unwrap().label()), (Some(last as u64), "mona"));
        assert_eq!(entry.decisions_in(&request).unwrap(), &request.decisions[last..]);
        let elsewhere = |first| FeedEntry { first_decision: first, ..entry.clone() };
        for first in [None, Some(0), Some(last as u64 + 1), Some(u64::MAX)] {
            assert_eq!(elsewhere(first).decisions_in(&request), None, "{first:?}");
        }
        let nothing = FeedEntry::for_write(&request, last + 1, 0, Timestamp::now());
        assert_eq!((nothing.first_decision, &nothing.by), (None, &None));
        assert_eq!(nothing.decisions_in(&request), Some(&[][..]));
    }

    #[test]
    fn a_long_name_is_left_out() {
        let named = |length| FeedActor::from(&ActorContext::user("mona").unwrap().named("x".repeat(length)));
        assert_eq!(named(256).label().len(), 256);
        assert_eq!(named(257).label(), "mona");
        assert_eq!(named(0).label(), "mona");
    }
}
