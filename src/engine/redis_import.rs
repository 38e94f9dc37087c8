//! Stores requests that come from elsewhere.

use super::super::background::boxed;
use super::{RedisStore, dual};
use crate::archive::{Imported, RequestRecord};
use crate::error::{Error, Result};
use crate::query::{Page, check_import_count};
use crate::redis::reply;
use crate::redis::{Attempts, Call, Freshness, ImportBatch, ImportedRecord};
use crate::service::deadline::Deadline;
use crate::stored_format::StoredRequest;

#[dual]
impl RedisStore {
    /// All batches as few pipelines, each with a deadline of its own.
    pub(super) async fn import_records(&self, records: &[RequestRecord]) -> Result<Vec<Result<Imported>>> {
        check_import_count(records.len())?;
        let mut results: Vec<Result<Imported>> = Vec::with_capacity(records.len());
        let mut ready = Vec::with_capacity(records.len());
        let mut unique = Vec::new();
        for (place, record) in records.iter().enumerate() {
            results.push(match ImportedRecord::new(&self.settings, place, record) {
                Ok(record) => {
                    if record.open_key().is_some() { &mut unique } else { &mut ready }.push(record);
                    Ok(Imported::Added)
                }
                Err(error) => Err(error),
            });
        }
        let batches = ImportBatch::all_of(&self.settings, ready);
        for batches in batches.chunks(self.settings.calls_at_once()) {
            let values = self.import_batches(batches).await?;
            for (batch, value) in batches.iter().zip(values) {
                let imported = reply::imported(&self.settings, &batch.records, &value)?;
                for (record, result) in batch.records.iter().zip(imported) {
                    if let Some(place) = results.get_mut(record.place) {
                        *place = result;
                    }
                }
            }
        }
        for record in unique {
            let (place, key) = (record.place, record.open_key().cloned());
            let Some(key) = key else { continue };
            let imported = match boxed(self.import_unique(record, &key)).await {
                Err(error @ Error::Store(_)) => return Err(error),
                imported => imported,
            };
            if let Some(place) = results.get_mut(place) {
                *place = imported;
            }
        }
        Ok(results)
    }

    async fn import_batches(&self, batches: &[ImportBatch]) -> Result<Vec<redis::Value>> {
        let calls = batches.iter().map(|batch| batch.call(&self.settings));
        if !self.durability.waits() {
            let calls: Vec<Call> = calls.collect();
            return self.call_all(&calls, self.deadline()).await;
        }
        let mut values = Vec::with_capacity(batches.len());
        for (batch, call) in batches.iter().zip(calls) {
            let call = call.confirmed_by(self.durability);
            values.push(self.import_batch(batch, &call, self.deadline()).await?);
        }
        Ok(values)
    }

    /// The reply to the import of a batch, once what it waits for has confirmed it.
    pub(super) async fn import_batch(
        &self,
        batch: &ImportBatch,
        call: &Call,
        deadline: Deadline,
    ) -> Result<redis::Value> {
        let (value, confirmation) = self.attempt(call, &mut Attempts::new(deadline, true)).await?;
        if let Some(last) = batch.records.last() {
            self.durability.confirm(confirmation, &last.request.id, last.request.revision())?;
        }
        Ok(value)
    }

    /// The records of a page of requests. A page that was read by ids has requests without records; each is read again.
    pub(super) async fn with_records(&self, page: Page<StoredRequest>) -> Result<Page<RequestRecord>> {
        let mut records = Vec::with_capacity(page.items.len());
        let (next, scanned, mut unreadable) = (page.next, page.scanned, page.unreadable);
        for stored in page.items {
            if !stored.before_document().is_empty() {
                records.push(reply::record_with_writes(stored));
                continue;
            }
            let value = self.record_bytes(stored.id(), Freshness::Latest).await?;
            match reply::record_of(&self.settings, stored.id(), value) {
                Ok(record) => records.extend(record),
                Err(error) => unreadable.push(error),
            }
        }
        Ok(Page { items: records, next, scanned, unreadable, missing: None })
    }
}
