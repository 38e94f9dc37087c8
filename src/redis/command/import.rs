//! The calls that store requests from elsewhere.

use super::{Call, OTHER_BYTES, Place, by_hash, with_decisions};
use crate::archive::RequestRecord;
use crate::error::Result;
use crate::redis::options::Settings;
use crate::redis::record::NewRecord;
use crate::redis::script;
use crate::request::{MutationRequest, RequestId, UniqueKey};

/// How much one call stores, so that the server is busy with it for some milliseconds at most.
const MAX_RECORDS: usize = 32;
const MAX_BYTES: usize = 512 * 1024;

/// A request to be imported: what its record and its index entries are made of.
pub(crate) struct ImportedRecord {
    /// Where it stands among those to be imported.
    pub(crate) place: usize,
    pub(crate) request: MutationRequest,
    record: Vec<u8>,
    groups: Vec<u8>,
}

impl ImportedRecord {
    /// # Errors
    /// If the record cannot be read, or this store cannot keep it.
    pub(crate) fn new(settings: &Settings, place: usize, record: &RequestRecord) -> Result<Self> {
        let request = record.request().request()?.comparing_ids(settings.options.id_comparison);
        let new = NewRecord::imported(settings, record, &request)?;
        let groups = with_decisions(new.lasting, &request, 0).uncounted().to_vec();
        Ok(Self { place, request, record: new.bytes, groups })
    }

    /// The unique key that has to be reserved for it.
    pub(crate) fn open_key(&self) -> Option<&UniqueKey> {
        self.request.open_key()
    }

    fn bytes(&self) -> usize {
        self.record.len() + self.groups.len()
    }
}

/// Requests of one partition that are imported by one call, each id once.
pub(crate) struct ImportBatch {
    partition: u16,
    bytes: usize,
    pub(crate) records: Vec<ImportedRecord>,
}

impl ImportBatch {
    /// Distributes records over batches, in their order.
    pub(crate) fn all_of(settings: &Settings, records: Vec<ImportedRecord>) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        for record in records {
            let partition = settings.keyspace.partition_of(&record.request.id);
            let last = batches.iter_mut().rev().find(|batch| batch.partition == partition);
            if let Some(batch) = last.filter(|batch| batch.has_room_for(&record)) {
                batch.add(record);
                continue;
            }
            let mut batch = Self { partition, bytes: 0, records: Vec::new() };
            batch.add(record);
            batches.push(batch);
        }
        batches
    }

    /// Of one record, whose unique key is reserved: its call has to be [permitted](Call::permitted_by).
    pub(crate) fn of_unique(settings: &Settings, record: ImportedRecord) -> Self {
        let partition = settings.keyspace.partition_of(&record.request.id);
        Self { partition, bytes: record.bytes(), records: vec![record] }
    }

    fn has_room_for(&self, record: &ImportedRecord) -> bool {
        self.records.len() < MAX_RECORDS
            && self.bytes + record.bytes() <= MAX_BYTES
            && !self.ids().any(|id| *id == record.request.id)
    }

    fn add(&mut self, record: ImportedRecord) {
        self.bytes += record.bytes();
        self.records.push(record);
    }

    fn ids(&self) -> impl Iterator<Item = &RequestId> {
        self.records.iter().map(|record| &record.request.id)
    }

    pub(crate) fn call(&self, settings: &Settings) -> Call {
        let (keyspace, count) = (&settings.keyspace, self.records.len());
        let is_unique = self.records.iter().any(|record| record.open_key().is_some());
        let script = if is_unique { &script::IMPORT_PERMITTED } else { &script::IMPORT };
        let keys = 3 + count + usize::from(is_unique);
        let mut command = by_hash(script, keys, 5 + 5 * count, self.bytes + OTHER_BYTES * keys);
        let partition = self.partition;
        command.arg(keyspace.feed(partition)).arg(keyspace.index_prefix(partition)).arg(keyspace.layout(partition));
        for id in self.ids() {
            command.arg(keyspace.record(id));
        }
        if is_unique {
            command.arg(keyspace.permits(partition));
        }
        command.arg(settings.options.feed_length).arg(settings.record_limit()).arg(&settings.layout);
        for ImportedRecord { request, record, groups, .. } in &self.records {
            command
                .arg(request.id.as_str())
                .arg(request.revision().number)
                .arg(request.state.status().as_str())
                .arg(record)
                .arg(groups);
        }
        Call::script(Place::Partition(partition), true, script, keys, command)
    }
}
