//! The table behind the memory stores of both flavours: what a store does, without waiting for anything.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use crate::error::{Conflict, Error, Result};
use crate::query::{Cursor, Listing, Lookup, Page, PageRequest, check_id_count, created_order};
use crate::request::{MutationRequest, RequestId, WriteId};

const SCOPE: &str = "memory";

/// Requests by id, and their ids in created order.
#[derive(Default)]
pub(crate) struct RequestTable {
    requests: HashMap<RequestId, Stored>,
    in_created_order: BTreeMap<Vec<u8>, RequestId>,
}

struct Stored {
    request: MutationRequest,
    /// The ids of all its writes, in order: the write at place `n` made revision `n`.
    writes: Vec<WriteId>,
}

impl RequestTable {
    pub(crate) fn create(&mut self, request: MutationRequest) -> Result<MutationRequest> {
        let write_id = request.revision().write_id;
        if let Some(stored) = self.requests.get(&request.id) {
            if stored.writes.first() == Some(&write_id) {
                return Ok(stored.request.clone());
            }
            return Err(Error::AlreadyExists { id: request.id.clone() });
        }
        self.in_created_order.insert(created_order(request.created_at, &request.id), request.id.clone());
        let stored = Stored { request: request.clone(), writes: vec![write_id] };
        self.requests.insert(request.id.clone(), stored);
        Ok(request)
    }

    pub(crate) fn update(&mut self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        let Some(stored) = self.requests.get_mut(&request.id) else {
            return Err(Error::NotFound { id: request.id.clone() });
        };
        let next = request.revision().next(write_id);
        if stored.writes.contains(&write_id) {
            return Ok(request.at_revision(next));
        }
        if stored.request.revision() != request.revision() {
            return Err(Conflict::between(&request, &stored.request).into());
        }
        if !request.decisions.starts_with(&stored.request.decisions) {
            return Err(Error::RewrittenHistory { id: request.id.clone(), stored: stored.request.decisions.len() });
        }
        let request = request.at_revision(next);
        stored.request = request.clone();
        stored.writes.push(write_id);
        Ok(request)
    }

    pub(crate) fn get(&self, id: &RequestId) -> Option<MutationRequest> {
        self.requests.get(id).map(|stored| stored.request.clone())
    }

    pub(crate) fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        check_id_count(ids)?;
        Ok(Lookup::new(ids.iter().map(|id| self.get(id)).collect(), Vec::new()))
    }

    pub(crate) fn page(&self, listing: &Listing, page: &PageRequest) -> Result<Page<MutationRequest>> {
        let fingerprint = listing.fingerprint(SCOPE);
        let from = match page.cursor() {
            Some(cursor) => Bound::Excluded(cursor.position(fingerprint)?.to_vec()),
            None => Bound::Unbounded,
        };
        let mut scanned = 0;
        let mut found = self
            .in_created_order
            .range((from, Bound::Unbounded))
            .inspect(|_| scanned += 1)
            .filter_map(|(place, id)| Some((place, &self.requests.get(id)?.request)))
            .filter(|(_, request)| listing.holds(request));
        let entries: Vec<_> = found.by_ref().take(page.limit()).collect();
        let more = found.next().is_some();
        let next = entries.last().filter(|_| more).map(|(place, _)| Cursor::new(fingerprint, place));
        let items = entries.into_iter().map(|(_, request)| request.clone()).collect();
        Ok(Page::new(items, next, scanned))
    }
}
