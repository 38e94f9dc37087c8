//! Checks and repairs a Redis namespace, in bounded steps.

use super::redis_find::Cursor;
use super::{RedisStore, dual};
use crate::error::Result;
use crate::redis::check::reply as check_reply;
use crate::redis::check::reply::{Explained, IndexPart, Repaired, StoredHeader};
use crate::redis::namespace::layout::reject_other_layout;
use crate::redis::reply;
use crate::redis::{Call, CheckMode, CheckPosition, CheckReport, CheckStep, Finding, Inspection, KeyKind, Phase};
use crate::request::{RequestId, WriteId};

/// A record that changes during its check is read again. After so many tries it is reported as unchecked.
const MAX_TRIES: usize = 10;

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
        loop {
            let step = self.check_step(position, mode).await?;
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
        let mut step = CheckStep::default();
        let next = match position.0 {
            Phase::Records { cursor, nodes } => self.check_records(Cursor { cursor, nodes }, mode, &mut step).await?,
            Phase::Indexes { cursor, nodes, keys, after } => {
                let cursor = cursor.map(|cursor| Cursor { cursor, nodes });
                self.check_indexes(cursor, keys, &after, mode, &mut step).await?
            }
            Phase::UniqueKeys { partition, hash, cursor } => {
                self.check_unique_keys(partition, hash, cursor, mode, &mut step).await?
            }
        };
        step.next = next.map(CheckPosition);
        Ok(step)
    }

    async fn check_records(&self, cursor: Cursor, mode: CheckMode, step: &mut CheckStep) -> Result<Option<Phase>> {
        let (next, keys) = self.find(cursor, KeyKind::Record).await?;
        for key in keys {
            step.records += 1;
            self.check_record(&key, mode, step).await?;
        }
        let records = |Cursor { cursor, nodes }| Phase::Records { cursor, nodes };
        Ok(Some(next.map_or_else(Phase::all_indexes, records)))
    }

    async fn check_record(&self, key: &str, mode: CheckMode, step: &mut CheckStep) -> Result<()> {
        let mut busy = None;
        for _ in 0..MAX_TRIES {
            let value = match self.stored_record(self.settings.keyspace.place_of(key), key, self.deadline()).await {
                Err(error) if check_reply::is_of_another_type(&error) => {
                    step.findings.push(Finding::OtherType { key: key.to_owned() });
                    return Ok(());
                }
                answered => answered?,
            };
            let stored = match check_reply::record(&self.settings, key, &value, WriteId::generate()) {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(()),
                Err(finding) => {
                    step.findings.push(finding);
                    return Ok(());
                }
            };
            // A large one is not held beside its document and what is made of that.
            drop(value);
            let (id, format) = (stored.request.id.clone(), stored.format);
            let is_open = !stored.request.state.status().is_terminal();
            let key = stored.request.unique_key.clone().filter(|_| is_open);
            if let StoredHeader::Damaged { error, .. } = &stored.header {
                let finding = Finding::DamagedHeader { id: id.clone(), error: error.clone() };
                if !step.findings.contains(&finding) {
                    step.findings.push(finding);
                }
                if !mode.repairs() {
                    return Ok(());
                }
            }
            let is_other_format = mode == CheckMode::Migrate && format != self.settings.options.write_format.number();
            let call_mode = if mode == CheckMode::Migrate && !is_other_format { CheckMode::Repair } else { mode };
            let call = Call::repair(&self.settings, &stored, call_mode)?;
            drop(stored);
            let value = self.call(&call, self.deadline()).await?;
            if let Repaired::Checked { entries, findings } = check_reply::repaired(&self.settings, &id, &value)? {
                step.entries += entries;
                step.findings.extend(findings);
                if let Some(key) = key {
                    self.check_reserved(&id, &key, mode, step).await?;
                }
                if is_other_format {
                    step.findings.push(Finding::OtherFormat { id, version: format });
                }
                return Ok(());
            }
            busy = Some(id);
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
        let partition = self.settings.keyspace.partition_named_by(&index);
        if partition.is_none() && mode.repairs() {
            // No partition's layout is beside it: another one's says whether this store may repair.
            self.partition_layout(0).await?.check(&self.settings)?;
        }
        let call = Call::index_part(&self.settings, &index, after, IndexPart::MAX_MEMBERS, mode.repairs());
        let part = match self.call(&call, self.deadline()).await {
            Err(error) if check_reply::is_of_another_type(&error) => {
                step.findings.push(Finding::OtherType { key: index.clone() });
                IndexPart::nothing()
            }
            answered => IndexPart::of(&self.settings, &index, after, &answered?)?,
        };
        step.findings.extend(part.wrong_scores(&index).chain(part.long_members(&index)));
        if mode.repairs() && !part.misplaced.is_empty() {
            // The restored scores move entries, so the index is read again from its beginning.
            let restore = Call::restore_scores(&self.settings, &index, &part.misplaced);
            reject_other_layout(&self.settings, &self.call(&restore, self.deadline()).await?)?;
        }
        step.entries += part.members.len() as u64;
        self.check_members(&index, &part, mode, step).await?;
        let after = part.next.unwrap_or_else(|| {
            keys.remove(0);
            Vec::new()
        });
        Ok(Some(indexes(cursor, keys, after)))
    }

    async fn check_members(&self, index: &str, part: &IndexPart, mode: CheckMode, step: &mut CheckStep) -> Result<()> {
        let drops = mode.repairs();
        let foreign = part.foreign_members();
        step.findings.extend(foreign.iter().map(|_| Finding::ExtraEntry { index: index.to_owned(), id: None }));
        if drops && !foreign.is_empty() {
            let remove = Call::remove_members(&self.settings, index, &foreign);
            reject_other_layout(&self.settings, &self.call(&remove, self.deadline()).await?)?;
        }
        let partition = self.settings.keyspace.partition_named_by(index);
        let is_of_partition = |id: &RequestId| partition == Some(self.settings.keyspace.partition_of(id));
        let strays = part.members_of(|id| !is_of_partition(id));
        for member in &strays {
            step.findings.push(Finding::ExtraEntry { index: index.to_owned(), id: member.request_id() });
        }
        if drops && !strays.is_empty() {
            let remove = Call::remove_members(&self.settings, index, &strays);
            reject_other_layout(&self.settings, &self.call(&remove, self.deadline()).await?)?;
        }
        let ids = part.ids();
        let mut ids: Vec<&RequestId> = ids.iter().filter(|id| is_of_partition(id)).collect();
        while !ids.is_empty() {
            let call = Call::records(&self.settings, &ids, IndexPart::MAX_BYTES);
            let value = self.call(&call, self.deadline()).await?;
            let records = reply::records(&value, ids.len())?;
            for (member, id, explained) in part.explained(&self.settings, index, &ids, records) {
                let Explained::No(revision) = explained else { continue };
                let call = Call::drop_entry(&self.settings, index, &member, &id, revision, drops);
                let value = self.call(&call, self.deadline()).await?;
                if check_reply::is_extra(&self.settings, &value)? {
                    step.findings.push(Finding::ExtraEntry { index: index.to_owned(), id: Some(id) });
                }
            }
            ids.drain(..records.len().min(ids.len()));
        }
        Ok(())
    }

    /// The header, the index entries and the sizes of a stored request, and the request itself if it can be read.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::Error::Unreadable) when not even the header can be read.
    pub async fn inspect(&self, id: &RequestId) -> Result<Option<Inspection>> {
        let value = self.record_bytes(id).await?;
        check_reply::inspection(&self.settings, id, &value)
    }
}
