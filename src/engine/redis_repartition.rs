//! How a Redis store gives a namespace more partitions: each request that belongs elsewhere is moved while nobody writes.

use std::sync::Arc;

use super::redis_find::Cursor;
use super::redis_layout::Work;
use super::{RedisStore, dual};
use crate::error::{Outcome, Result, StoreError, StoreErrorKind};
use crate::redis::check::reply::{self as check_reply, IndexPart, Moved};
use crate::redis::feed::{Origin, extent};
use crate::redis::namespace::layout::{PartitionLayout, reject_other_layout};
use crate::redis::namespace::repartition::{ALL_MOVED, Repartition};
use crate::redis::{
    Attempts, Call, CheckPosition, CheckReport, CheckStep, FeedRead, Finding, KeyKind, MovedRecord, Phase, Place, reply,
};
use crate::request::{RequestId, WriteId};

#[dual]
impl RedisStore {
    /// Gives the namespace the number of partitions of this store, or resumes an interrupted repartition.
    ///
    /// The order makes it safe: first the namespace records the new number and that requests have to move, so nobody opens it;
    /// then each partition records a layout that no process has, so nobody writes; then requests move; then the partitions
    /// record the new layout; and last the namespace records that it is complete.
    pub(super) async fn repartition(&self, progress: impl FnMut(&CheckStep) + Send) -> Result<CheckReport> {
        let call = Call::begin_repartition(&self.settings, WriteId::generate());
        let begun = self.call(&call, self.deadline()).await?;
        let Some(repartition) = Repartition::begun(&self.settings, &begun)? else {
            return self.repair(progress).await;
        };
        let mover = Self { settings: Arc::new(repartition.settings(&self.settings)), ..self.clone() };
        let report = mover.move_requests(&repartition, progress).await?;
        let relabel = |at| Call::relabel(&self.settings, at, &mover.settings.layout);
        let calls: Vec<Call> = self.settings.keyspace.partitions().map(relabel).collect();
        for (at, found) in self.settings.keyspace.partitions().zip(self.call_all_in_turn(&calls).await?) {
            PartitionLayout::read(&self.settings, at, &found)?.check(&self.settings)?;
        }
        self.check_ended(&Call::end_repartition(&self.settings, &repartition.mark)).await?;
        Ok(report)
    }

    async fn move_requests(
        &self,
        repartition: &Repartition,
        progress: impl FnMut(&CheckStep) + Send,
    ) -> Result<CheckReport> {
        if repartition.position == ALL_MOVED {
            return Ok(CheckReport::default());
        }
        self.stop_writers(repartition).await?;
        self.add_partitions(repartition).await?;
        let work = Work::Repartition { from: repartition.from };
        let report = self.walk(work, &repartition.mark, &repartition.position, progress).await?;
        report.check_rebuilt("repartition")?;
        let save = Call::save_reindex(&self.settings, &repartition.mark, ALL_MOVED);
        self.call(&save, self.deadline()).await?;
        Ok(report)
    }

    async fn stop_writers(&self, repartition: &Repartition) -> Result<()> {
        let before = repartition.layout_before(&self.settings);
        let relabel = |at| Call::relabel(&self.settings, at, &before);
        let calls: Vec<Call> = repartition.partitions_before().map(relabel).collect();
        for (at, found) in repartition.partitions_before().zip(self.call_all_in_turn(&calls).await?) {
            PartitionLayout::read(&self.settings, at, &found)?.check(&self.settings)?;
        }
        Ok(())
    }

    /// Lays out the partitions that are added. Each records how long the feeds were that its requests come from: nobody adds
    /// to them.
    async fn add_partitions(&self, repartition: &Repartition) -> Result<()> {
        let extent_of = |at| Call::feed(&self.settings, FeedRead::of_extent(at));
        let calls: Vec<Call> = repartition.partitions_before().map(extent_of).collect();
        let mut origins: Vec<Origin> = Vec::with_capacity(calls.len());
        for (at, found) in repartition.partitions_before().zip(self.call_all_in_turn(&calls).await?) {
            let (added, origin) = extent(&self.settings.keyspace, at, &found)?;
            origins.push(origin.split_from(at, added));
        }
        let nothing = Origin::default();
        let origin_of = |at| origins.get(usize::from(repartition.parent_of(at))).unwrap_or(&nothing);
        let add = |at| Call::add_partition(&self.settings, at, origin_of(at));
        let calls: Vec<Call> = repartition.partitions_added().map(add).collect();
        for (at, found) in repartition.partitions_added().zip(self.call_all_in_turn(&calls).await?) {
            PartitionLayout::read(&self.settings, at, &found)?.check_added(&self.settings)?;
        }
        Ok(())
    }

    /// One bounded step: moves some records that lie where they belonged among `from` partitions, then removes index entries
    /// that stayed behind.
    pub(super) async fn move_step(&self, position: CheckPosition, from: u16) -> Result<CheckStep> {
        let mut step = CheckStep { phase: position.0.name(), ..CheckStep::default() };
        let next = match position.0 {
            Phase::Records { cursor, nodes } => {
                let (next, keys) = self.find(Cursor { cursor, nodes }, KeyKind::Record).await?;
                step.records += keys.len() as u64;
                self.move_records(&keys, from, &mut step).await?;
                let records = |Cursor { cursor, nodes }| Phase::Records { cursor, nodes };
                Some(next.map_or_else(Phase::all_indexes, records))
            }
            Phase::Indexes { cursor, nodes, keys, after } => {
                let cursor = cursor.map(|cursor| Cursor { cursor, nodes });
                self.clean_index(cursor, keys, &after, from, &mut step).await?
            }
            Phase::UniqueKeys(at) => self.move_unique_keys(at, from, &mut step).await?,
        };
        step.next = next.map(CheckPosition);
        Ok(step)
    }

    async fn move_records(&self, keys: &[String], from: u16, step: &mut CheckStep) -> Result<()> {
        let left_behind = |key: &String| {
            let (id, partition) = self.settings.keyspace.left_behind(key, from)?;
            Some((key.clone(), id, partition))
        };
        let left: Vec<(String, RequestId, u16)> = keys.iter().filter_map(left_behind).collect();
        for left in left.chunks(self.settings.calls_at_once()) {
            let mut moved = self.read_left(left, step).await?;
            self.take_over(&mut moved, step).await?;
            self.give_up(&moved, step).await?;
        }
        Ok(())
    }

    async fn read_left(&self, left: &[(String, RequestId, u16)], step: &mut CheckStep) -> Result<Vec<MovedRecord>> {
        let start = |(key, _, at): &(String, RequestId, u16)| Call::record_start(Place::Partition(*at), key);
        let calls: Vec<Call> = left.iter().map(start).collect();
        let mut moved = Vec::with_capacity(left.len());
        for ((key, id, at), value) in left.iter().zip(self.call_all_of_any_type(&calls).await?) {
            let Some(mut value) = value else {
                step.findings.push(Finding::OtherType { key: key.clone() });
                continue;
            };
            if !reply::is_whole_record(&value) {
                let whole = Call::whole_record(&self.settings, Place::Partition(*at), key);
                value = reply::only_record(self.call(&whole, self.deadline()).await?)?;
            }
            match MovedRecord::of(&self.settings, id.clone(), *at, &value) {
                Ok(found) => moved.extend(found),
                Err(size) => return Err(too_large_to_move(key, size, self.settings.record_limit()).into()),
            }
        }
        Ok(moved)
    }

    /// Stores these records where they belong. Keeps only those that are stored there.
    async fn take_over(&self, moved: &mut Vec<MovedRecord>, step: &mut CheckStep) -> Result<()> {
        let calls: Vec<Call> = moved.iter().map(|moved| Call::take_over(&self.settings, moved)).collect();
        let replies = if self.durability.waits() {
            self.confirmed_one_by_one(calls, moved).await?
        } else {
            self.call_all_in_turn(&calls).await?
        };
        let mut taken = Vec::with_capacity(moved.len());
        for (record, reply) in std::mem::take(moved).into_iter().zip(replies) {
            match check_reply::moved(&self.settings, &reply, "take_over.lua")? {
                Moved::Yes => taken.push(record),
                Moved::Differs => {
                    let key = self.settings.keyspace.record_in(record.from, &record.id);
                    step.findings.push(Finding::Misplaced { key });
                }
            }
        }
        *moved = taken;
        Ok(())
    }

    async fn confirmed_one_by_one(&self, calls: Vec<Call>, moved: &[MovedRecord]) -> Result<Vec<redis::Value>> {
        let mut replies = Vec::with_capacity(calls.len());
        for (call, moved) in calls.into_iter().zip(moved) {
            let call = call.confirmed_by(self.durability);
            let mut attempts = Attempts::new(self.deadline(), true);
            let (reply, confirmation) = self.attempt(&call, &mut attempts).await?;
            self.durability.confirm(confirmation, &moved.id, moved.revision())?;
            replies.push(reply);
        }
        Ok(replies)
    }

    async fn give_up(&self, moved: &[MovedRecord], step: &mut CheckStep) -> Result<()> {
        let calls: Vec<Call> = moved.iter().map(|moved| Call::give_up(&self.settings, moved)).collect();
        for (record, reply) in moved.iter().zip(self.call_all_in_turn(&calls).await?) {
            match check_reply::moved(&self.settings, &reply, "give_up.lua")? {
                Moved::Yes => step.moved += 1,
                Moved::Differs => step.findings.push(Finding::Busy { id: record.id.clone() }),
            }
        }
        Ok(())
    }

    /// Removes a part of the entries that stayed behind in an index of an earlier partition. Those of a request that cannot be
    /// read go along with it: nothing else says where it is found.
    async fn clean_index(
        &self,
        cursor: Option<Cursor>,
        mut keys: Vec<String>,
        after: &[u8],
        from: u16,
        step: &mut CheckStep,
    ) -> Result<Option<Phase>> {
        let keyspace = &self.settings.keyspace;
        let indexes = |cursor: Option<Cursor>, keys, after| {
            let (cursor, nodes) = cursor.map_or((None, None), |Cursor { cursor, nodes }| (Some(cursor), nodes));
            Some(Phase::Indexes { cursor, nodes, keys, after })
        };
        let Some(index) = keys.first().cloned() else {
            let Some(cursor) = cursor else { return Ok(Some(Phase::all_unique_keys())) };
            let (next, mut keys) = self.find(cursor, KeyKind::Index).await?;
            keys.retain(|key| keyspace.partition_named_by(key).is_some_and(|partition| partition < from));
            return Ok(indexes(next, keys, Vec::new()));
        };
        let call = Call::index_part(&self.settings, &index, after, IndexPart::MAX_MEMBERS, false);
        let part = match self.call(&call, self.deadline()).await {
            Err(error) if check_reply::is_of_another_type(&error) => {
                step.findings.push(Finding::OtherType { key: index.clone() });
                IndexPart::nothing()
            }
            answered => IndexPart::of(&self.settings, &index, after, &answered?)?,
        };
        step.findings.extend(part.wrong_scores(&index));
        step.entries += part.members.len() as u64;
        let partition = keyspace.partition_named_by(&index);
        let left = part.members_of(|id| Some(keyspace.partition_of(id)) != partition);
        if !left.is_empty() {
            self.take_entries_along(&index, &part, &left).await?;
            let remove = Call::remove_members(&self.settings, &index, &left);
            reject_other_layout(&self.settings, &self.call(&remove, self.deadline()).await?)?;
        }
        let after = part.next.unwrap_or_else(|| {
            keys.remove(0);
            Vec::new()
        });
        Ok(indexes(cursor, keys, after))
    }

    async fn take_entries_along(&self, index: &str, part: &IndexPart, left: &[crate::index::SortKey]) -> Result<()> {
        let keyspace = &self.settings.keyspace;
        let Some((_, name)) = index.split_once("}:") else { return Ok(()) };
        let is_left = |id: &RequestId| left.iter().any(|member| member.request_id().as_ref() == Some(id));
        let ids: Vec<RequestId> = part.ids().into_iter().filter(is_left).collect();
        for places in keyspace.places_by_partition(&ids) {
            let mut ids: Vec<&RequestId> = places.iter().filter_map(|&place| ids.get(place)).collect();
            while !ids.is_empty() {
                let call = Call::records(&self.settings, &ids, IndexPart::MAX_BYTES);
                let value = self.call(&call, self.deadline()).await?;
                let records = reply::records(&value, ids.len())?;
                for (id, record) in ids.iter().zip(records) {
                    if !check_reply::is_unreadable(&self.settings, id, record) {
                        continue;
                    }
                    let members = part.members_of(|named| named == *id);
                    let target = keyspace.name_in(keyspace.partition_of(id), name);
                    let add = Call::add_members(&self.settings, &target, &members);
                    reject_other_layout(&self.settings, &self.call(&add, self.deadline()).await?)?;
                }
                ids.drain(..records.len().min(ids.len()));
            }
        }
        Ok(())
    }
}

fn too_large_to_move(key: &str, size: i64, limit: usize) -> StoreError {
    let problem = format!(
        "the record {key} has {size} bytes, and this store handles at most {limit}; call repartition again with the document \
         limit that it was written with"
    );
    StoreError::new(StoreErrorKind::Incompatible, Outcome::NotApplied, problem)
}
