//! Checks and repairs a Redis namespace, in bounded steps.

use std::collections::{BTreeMap, BTreeSet};

use super::redis_find::Cursor;
use super::{RedisStore, dual};
use crate::error::Result;
use crate::index::SortKey;
use crate::redis::check::reply as check_reply;
use crate::redis::check::reply::{Explained, IndexPart, Repaired, StoredAt, StoredHeader};
use crate::redis::namespace::layout::reject_other_layout;
use crate::redis::reply;
use crate::redis::{
    Call, CheckMode, CheckPosition, CheckReport, CheckStep, Finding, Freshness, Inspection, KeyKind, Phase, Progress,
    Settings,
};
use crate::request::{RequestId, Revision, UniqueKey, WriteId};

/// A record that changes during its check is read again. After so many tries it is reported as unchecked.
const MAX_TRIES: usize = 10;

/// What a call to repair a record is about.
pub(super) struct Repair {
    pub(super) id: RequestId,
    /// The unique key that is to be reserved for it.
    pub(super) open_key: Option<UniqueKey>,
    /// The version of the stored format that its document is to leave.
    other_format: Option<u16>,
}

impl Repair {
    /// Takes what the script found. `false` if the record was written meanwhile.
    fn take(&self, settings: &Settings, reply: &redis::Value, step: &mut CheckStep) -> Result<bool> {
        let Repaired::Checked { entries, findings } = check_reply::repaired(settings, &self.id, reply)? else {
            return Ok(false);
        };
        step.entries += entries;
        step.findings.extend(findings);
        let other_format = |version| Finding::OtherFormat { id: self.id.clone(), version };
        step.findings.extend(self.other_format.map(other_format));
        Ok(true)
    }
}

/// The same parts, those of each partition together.
fn of_one_partition<'a>(
    settings: &Settings,
    parts: Vec<(&'a str, &'a IndexPart)>,
) -> impl Iterator<Item = Vec<(&'a str, &'a IndexPart)>> + use<'a> {
    let mut by_partition: BTreeMap<Option<u16>, Vec<(&str, &IndexPart)>> = BTreeMap::new();
    for part in parts {
        by_partition.entry(settings.keyspace.partition_named_by(part.0)).or_default().push(part);
    }
    by_partition.into_values()
}

fn indexes(cursor: Option<Cursor>, keys: Vec<String>, after: Vec<u8>) -> Phase {
    let (cursor, nodes) = cursor.map_or((None, None), |Cursor { cursor, nodes }| (Some(cursor), nodes));
    Phase::Indexes { cursor, nodes, keys, after }
}

#[dual]
impl RedisStore {
    /// Compares all documents with all indexes, in both directions, beside live writers.
    ///
    /// `progress` is called after each bounded step.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    pub async fn verify(&self, progress: impl FnMut(&CheckStep) + Send) -> Result<CheckReport> {
        self.check(CheckMode::Report, progress).await
    }

    /// Makes all indexes agree with the documents again, beside live writers, and reports what was repaired.
    ///
    /// Records that cannot be read are reported and left as they are, with their index entries.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    pub async fn repair(&self, progress: impl FnMut(&CheckStep) + Send) -> Result<CheckReport> {
        self.check(CheckMode::Repair, progress).await
    }

    /// Rewrites documents of another format version in the version that this store writes, beside live writers, and
    /// repairs what [`repair`](Self::repair) repairs. Content and revision of a request stay unchanged.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails, and [`Error::Unwritable`](crate::Error::Unwritable)
    /// for a document that the version cannot express.
    pub async fn migrate(&self, progress: impl FnMut(&CheckStep) + Send) -> Result<CheckReport> {
        self.check(CheckMode::Migrate, progress).await
    }

    async fn check(&self, mode: CheckMode, mut progress: impl FnMut(&CheckStep) + Send) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        let mut position = CheckPosition::default();
        let mut done = Progress::of(self.request_count().await.ok());
        loop {
            let mut step = self.check_step(position, mode).await?;
            done.count(&mut step);
            progress(&step);
            report.add(&step);
            match step.next {
                Some(next) => position = next,
                None => return Ok(report),
            }
        }
    }

    /// One bounded step of [`verify`](Self::verify) or [`repair`](Self::repair), from this position on; begin with
    /// `CheckPosition::default()`.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails. The same step can then be repeated.
    pub async fn check_step(&self, position: CheckPosition, mode: CheckMode) -> Result<CheckStep> {
        let mut step = CheckStep { phase: position.0.name(), ..CheckStep::default() };
        let next = match position.0 {
            Phase::Records { cursor, nodes } => self.check_records(Cursor { cursor, nodes }, mode, &mut step).await?,
            Phase::Indexes { cursor, nodes, keys, after } => {
                let cursor = cursor.map(|cursor| Cursor { cursor, nodes });
                self.check_indexes(cursor, keys, &after, mode, &mut step).await?
            }
            Phase::UniqueKeys(at) => self.check_unique_keys(at, mode, &mut step).await?,
        };
        Progress::default().count(&mut step);
        step.next = next.map(CheckPosition);
        Ok(step)
    }

    async fn check_records(&self, cursor: Cursor, mode: CheckMode, step: &mut CheckStep) -> Result<Option<Phase>> {
        let (next, keys) = self.find(cursor, KeyKind::Record).await?;
        step.records += keys.len() as u64;
        for keys in keys.chunks(self.settings.calls_at_once()) {
            self.check_records_at_once(keys, mode, step).await?;
        }
        let records = |Cursor { cursor, nodes }| Phase::Records { cursor, nodes };
        Ok(Some(next.map_or_else(Phase::all_indexes, records)))
    }

    /// Checks these records: in two round trips all short ones, and each other by itself, so that no two large ones are held at
    /// once.
    async fn check_records_at_once(&self, keys: &[String], mode: CheckMode, step: &mut CheckStep) -> Result<()> {
        let start = |key: &String| Call::short_record(self.settings.keyspace.place_of(key), key);
        let starts: Vec<Call> = keys.iter().map(start).collect();
        let (mut repairs, mut calls, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in keys.iter().zip(self.call_all_of_any_type(&starts).await?) {
            let Some(value) = value else {
                step.findings.push(Finding::OtherType { key: key.clone() });
                continue;
            };
            if !reply::is_whole_short_record(&value) {
                alone.push(key);
                continue;
            }
            if let Some((repair, call)) = self.repair_of(key, value, mode, step)? {
                repairs.push((key, repair));
                calls.push(call);
            }
        }
        for ((key, repair), value) in repairs.into_iter().zip(self.call_all(&calls, self.deadline()).await?) {
            if repair.take(&self.settings, &value, step)? {
                self.check_reserved(&repair, mode, step).await?;
            } else {
                alone.push(key);
            }
        }
        for key in alone {
            self.check_record(key, mode, step).await?;
        }
        Ok(())
    }

    /// The call that compares a stored record with the indexes; none if it cannot be read, which is a finding then.
    fn repair_of(
        &self,
        key: &str,
        value: redis::Value,
        mode: CheckMode,
        step: &mut CheckStep,
    ) -> Result<Option<(Repair, Call)>> {
        let stored = match check_reply::record(&self.settings, key, &value, WriteId::generate()) {
            Ok(StoredAt::Record(stored)) => stored,
            Ok(StoredAt::Nothing) => return Ok(None),
            Ok(StoredAt::Tombstone) => {
                step.tombstones += 1;
                return Ok(None);
            }
            Err(finding) => {
                step.findings.push(finding);
                return Ok(None);
            }
        };
        // A large one is not held beside its document and what is made of that.
        drop(value);
        let (id, format) = (stored.request.id.clone(), stored.format);
        let open_key = stored.request.open_key().cloned();
        if let StoredHeader::Damaged { error, .. } = &stored.header {
            let finding = Finding::DamagedHeader { id: id.clone(), error: error.clone() };
            if !step.findings.contains(&finding) {
                step.findings.push(finding);
            }
            if !mode.repairs() {
                return Ok(None);
            }
        }
        let is_other_format = mode == CheckMode::Migrate && format != self.settings.options.write_format.number();
        let call_mode = if mode == CheckMode::Migrate && !is_other_format { CheckMode::Repair } else { mode };
        let call = Call::repair(&self.settings, &stored, call_mode)?;
        Ok(Some((Repair { id, open_key, other_format: is_other_format.then_some(format) }, call)))
    }

    async fn latest_record(&self, key: &str) -> Result<redis::Value> {
        self.stored_record(self.settings.keyspace.place_of(key), key, Freshness::Latest, self.deadline()).await
    }

    async fn check_record(&self, key: &str, mode: CheckMode, step: &mut CheckStep) -> Result<()> {
        let mut busy = None;
        for _ in 0..MAX_TRIES {
            let value = match self.latest_record(key).await {
                Err(error) if check_reply::is_of_another_type(&error) => {
                    step.findings.push(Finding::OtherType { key: key.to_owned() });
                    return Ok(());
                }
                answered => answered?,
            };
            let Some((repair, call)) = self.repair_of(key, value, mode, step)? else { return Ok(()) };
            let value = self.call(&call, self.deadline()).await?;
            if repair.take(&self.settings, &value, step)? {
                return self.check_reserved(&repair, mode, step).await;
            }
            busy = Some(repair.id);
        }
        step.findings.extend(busy.map(|id| Finding::Busy { id }));
        Ok(())
    }

    async fn check_indexes(
        &self,
        cursor: Option<Cursor>,
        mut keys: Vec<String>,
        after: &[u8],
        mode: CheckMode,
        step: &mut CheckStep,
    ) -> Result<Option<Phase>> {
        let Some(index) = keys.first().cloned() else {
            let Some(cursor) = cursor else { return Ok(Some(Phase::all_unique_keys())) };
            let (next, keys) = self.find(cursor, KeyKind::Index).await?;
            return Ok(Some(indexes(next, keys, Vec::new())));
        };
        if after.is_empty() {
            let at_once = keys.len().min(self.settings.calls_at_once());
            let (some, rest) = keys.split_at(at_once);
            let mut left = self.check_short_indexes(some, mode, step).await?;
            left.extend_from_slice(rest);
            keys = left;
            if keys.first() != Some(&index) {
                return Ok(Some(indexes(cursor, keys, Vec::new())));
            }
        }
        let part = self.index_part(&index, after, mode, step).await?;
        if mode.repairs() && !part.misplaced.is_empty() {
            // The restored scores move entries, so the index is read again from its beginning.
            let restore = Call::restore_scores(&self.settings, &index, &part.misplaced);
            reject_other_layout(&self.settings, &self.call(&restore, self.deadline()).await?)?;
        }
        self.check_members(&[(&index, &part)], mode, step).await?;
        let after = part.next.unwrap_or_else(|| {
            keys.remove(0);
            Vec::new()
        });
        Ok(Some(indexes(cursor, keys, after)))
    }

    /// A part of an index; nothing of a key of another type.
    async fn index_part(&self, index: &str, after: &[u8], mode: CheckMode, step: &mut CheckStep) -> Result<IndexPart> {
        if mode.repairs() && self.settings.keyspace.partition_named_by(index).is_none() {
            // No partition's layout is beside it: another one's says whether this store may repair.
            self.partition_layout(0).await?.check(&self.settings)?;
        }
        let call = Call::index_part(&self.settings, index, after, IndexPart::MAX_MEMBERS, mode.repairs());
        let part = match self.call(&call, self.deadline()).await {
            Err(error) if check_reply::is_of_another_type(&error) => {
                step.findings.push(Finding::OtherType { key: index.to_owned() });
                IndexPart::nothing()
            }
            answered => IndexPart::of(&self.settings, index, after, &answered?)?,
        };
        step.findings.extend(part.wrong_scores(index).chain(part.long_members(index)));
        step.entries += part.members.len() as u64;
        Ok(part)
    }

    /// Checks those of these indexes that one part holds, all at once, and returns the others: longer ones, and those in which
    /// something is wrong that takes several steps.
    async fn check_short_indexes(&self, keys: &[String], mode: CheckMode, step: &mut CheckStep) -> Result<Vec<String>> {
        let part_of = |key: &String| Call::index_part(&self.settings, key, &[], IndexPart::MAX_MEMBERS, false);
        let calls: Vec<Call> = keys.iter().map(part_of).collect();
        let (mut short, mut left) = (Vec::new(), Vec::new());
        for (key, value) in keys.iter().zip(self.call_all_of_any_type(&calls).await?) {
            let is_of_partition = self.settings.keyspace.partition_named_by(key).is_some();
            let part = value.map(|value| IndexPart::of(&self.settings, key, &[], &value)).transpose()?;
            match part.filter(|part| is_of_partition && part.is_whole()) {
                Some(part) => short.push((key, part)),
                None => left.push(key.clone()),
            }
        }
        step.entries += short.iter().map(|(_, part)| part.members.len() as u64).sum::<u64>();
        let parts: Vec<(&str, &IndexPart)> = short.iter().map(|(key, part)| (key.as_str(), part)).collect();
        for parts in of_one_partition(&self.settings, parts) {
            self.check_members(&parts, mode, step).await?;
        }
        Ok(left)
    }

    /// Checks the members of parts of indexes, all of one partition or one alone: each document that several name is read once.
    async fn check_members(&self, parts: &[(&str, &IndexPart)], mode: CheckMode, step: &mut CheckStep) -> Result<()> {
        let mut ids = BTreeSet::new();
        for (index, part) in parts {
            self.check_foreign_members(index, part, mode, step).await?;
            let partition = self.settings.keyspace.partition_named_by(index);
            ids.extend(part.ids().into_iter().filter(|id| partition == Some(self.settings.keyspace.partition_of(id))));
        }
        let ids: Vec<RequestId> = ids.into_iter().collect();
        for ids in ids.chunks(IndexPart::MAX_MEMBERS) {
            let mut ids: Vec<&RequestId> = ids.iter().collect();
            while !ids.is_empty() {
                let call = Call::records(&self.settings, &ids, IndexPart::MAX_BYTES);
                let value = self.call(&call, self.deadline()).await?;
                let records = reply::records(&value, ids.len())?;
                for (index, part) in parts {
                    self.drop_unexplained(index, part, &ids, records, mode, step).await?;
                }
                ids.drain(..records.len().min(ids.len()));
            }
        }
        Ok(())
    }

    /// Finds the members that name no request, or one of another partition.
    async fn check_foreign_members(
        &self,
        index: &str,
        part: &IndexPart,
        mode: CheckMode,
        step: &mut CheckStep,
    ) -> Result<()> {
        let foreign = part.foreign_members();
        step.findings.extend(foreign.iter().map(|_| Finding::ExtraEntry { index: index.to_owned(), id: None }));
        let partition = self.settings.keyspace.partition_named_by(index);
        let strays = part.members_of(|id| partition != Some(self.settings.keyspace.partition_of(id)));
        for member in &strays {
            step.findings.push(Finding::ExtraEntry { index: index.to_owned(), id: member.request_id() });
        }
        for members in [foreign, strays] {
            if mode.repairs() && !members.is_empty() {
                let remove = Call::remove_members(&self.settings, index, &members);
                reject_other_layout(&self.settings, &self.call(&remove, self.deadline()).await?)?;
            }
        }
        Ok(())
    }

    async fn drop_unexplained(
        &self,
        index: &str,
        part: &IndexPart,
        ids: &[&RequestId],
        records: &[redis::Value],
        mode: CheckMode,
        step: &mut CheckStep,
    ) -> Result<()> {
        let unexplained = |(member, id, explained)| match explained {
            Explained::No(revision) => Some((member, id, revision)),
            Explained::Yes => None,
        };
        let dropped: Vec<_> =
            part.explained(&self.settings, index, ids, records).into_iter().filter_map(unexplained).collect();
        let call = |(member, id, revision): &(SortKey, RequestId, Option<Revision>)| {
            Call::drop_entry(&self.settings, index, member, id, *revision, mode.repairs())
        };
        let calls: Vec<Call> = dropped.iter().map(call).collect();
        for ((_, id, _), value) in dropped.into_iter().zip(self.call_all_in_turn(&calls).await?) {
            if check_reply::is_extra(&self.settings, &value)? {
                step.findings.push(Finding::ExtraEntry { index: index.to_owned(), id: Some(id) });
            }
        }
        Ok(())
    }

    /// The header, the index entries and the sizes of a stored request, and the request itself if it can be read.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::Error::Unreadable) when not even the header can be read.
    pub async fn inspect(&self, id: &RequestId) -> Result<Option<Inspection>> {
        let value = self.record_bytes(id, Freshness::Latest).await?;
        check_reply::inspection(&self.settings, id, &value)
    }
}
