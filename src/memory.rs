//! The table behind the memory stores of both flavours: what a store does, without waiting for anything.

use std::collections::HashMap;
use std::time::Duration;

use crate::error::{Conflict, Error, Result};
use crate::query::{self, Count, Lookup, Page, PageRequest, Query, RequestQuery, Statistics, check_id_count, evaluate};
use crate::request::{MutationRequest, RequestId, Timestamp, WriteId};
use crate::settle::{Settled, UnsettledWrite};
use crate::stored_format::{DocumentLimit, SizeBudget};

const SCOPE: &str = "memory";

/// Requests by id.
#[derive(Default)]
pub(crate) struct RequestTable {
    requests: HashMap<RequestId, Stored>,
    limit: DocumentLimit,
}

struct Stored {
    request: MutationRequest,
    /// The ids of all its writes, in order: the write at place `n` made revision `n`.
    writes: Vec<WriteId>,
}

impl RequestTable {
    /// A table of requests that take no more than this each, counted as they are stored elsewhere.
    pub(crate) fn with_limit(limit: DocumentLimit) -> Self {
        Self { requests: HashMap::new(), limit }
    }

    pub(crate) fn create(&mut self, request: MutationRequest) -> Result<MutationRequest> {
        request.check_new()?;
        SizeBudget::to_submit(self.limit, &request).check(&request)?;
        let write_id = request.revision().write_id;
        if let Some(stored) = self.requests.get(&request.id) {
            if stored.writes.first() == Some(&write_id) {
                return Ok(stored.request.clone());
            }
            return Err(Error::already_exists(request.id.clone()));
        }
        let stored = Stored { request: request.clone(), writes: vec![write_id] };
        self.requests.insert(request.id.clone(), stored);
        Ok(request)
    }

    pub(crate) fn update(&mut self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        SizeBudget::to_change(self.limit, &request).check(&request)?;
        let Some(stored) = self.requests.get_mut(&request.id) else {
            return Err(Error::not_found(request.id.clone()));
        };
        let next = request.revision().next(write_id);
        if stored.writes.contains(&write_id) {
            return Ok(request.at_revision(next));
        }
        if stored.request.revision() != request.revision() {
            return Err(Conflict::between(&request, &stored.request).into());
        }
        if !request.decisions.starts_with(&stored.request.decisions) {
            return Err(Error::rewritten_history(request.id.clone(), stored.request.decisions.len()));
        }
        if !query::is_filed_alike(&request, &stored.request) {
            return Err(Error::refiled(request.id.clone()));
        }
        let request = request.at_revision(next);
        stored.request = request.clone();
        stored.writes.push(write_id);
        Ok(request)
    }

    pub(crate) fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        let Some(stored) = self.requests.get(&write.id) else {
            return if write.base.is_none() { Ok(Settled::Open) } else { Err(Error::not_found(write.id.clone())) };
        };
        let made = usize::try_from(write.number()).ok().and_then(|number| stored.writes.get(number));
        Ok(match made {
            Some(made) if *made == write.write_id => Settled::Applied,
            Some(_) => Settled::NotApplied,
            None => Settled::Open,
        })
    }

    pub(crate) fn get(&self, id: &RequestId) -> Option<MutationRequest> {
        self.requests.get(id).map(|stored| stored.request.clone())
    }

    pub(crate) fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        check_id_count(ids)?;
        Ok(Lookup::new(ids.iter().map(|id| self.get(id)).collect(), Vec::new()))
    }

    pub(crate) fn read<Q: Query>(&self, query: &Q, page: &PageRequest, now: Timestamp) -> Result<Page<Q::Row>> {
        evaluate(query, self.all(), page, SCOPE, now)
    }

    pub(crate) fn count(&self, query: &RequestQuery) -> Count {
        Count::Exact(self.all().filter(|request| query.matches(request)).count() as u64)
    }

    pub(crate) fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Statistics {
        Statistics::of(self.all(), now, due_within)
    }

    fn all(&self) -> impl Iterator<Item = &MutationRequest> {
        self.requests.values().map(|stored| &stored.request)
    }
}
