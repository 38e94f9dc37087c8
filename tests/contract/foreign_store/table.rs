//! What the store does in either flavour: requests and the ids of their writes, in a map.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use mutator_governance::query::{Query, check_id_count, evaluate, is_filed_alike};
use mutator_governance::{
    Conflict, Error, Lookup, MutationRequest, Page, PageRequest, RememberedWrite, RequestId, Result, Settled,
    Timestamp, UnsettledWrite, WriteId,
};

#[derive(Default)]
pub(crate) struct Table(Mutex<BTreeMap<RequestId, Stored>>);

struct Stored {
    request: MutationRequest,
    writes: Vec<RememberedWrite>,
}

impl Stored {
    fn remembered(&self, id: WriteId) -> Option<&RememberedWrite> {
        self.writes.iter().find(|write| write.id == id)
    }
}

impl Table {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<RequestId, Stored>> {
        self.0.lock().unwrap()
    }

    pub(crate) fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        request.check_new()?;
        let mut rows = self.rows();
        let write_id = request.revision().write_id;
        if let Some(stored) = rows.get(&request.id) {
            let known = stored.remembered(write_id).ok_or_else(|| Error::already_exists(request.id.clone()))?;
            known.check_creation(&request, &stored.request)?;
            return Ok(stored.request.clone());
        }
        let writes = vec![RememberedWrite { number: 0, id: write_id, intent: request.creation_intent() }];
        let revision = request.revision();
        let request = request.at_revision(revision);
        rows.insert(request.id.clone(), Stored { request: request.clone(), writes });
        Ok(request)
    }

    pub(crate) fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        let mut rows = self.rows();
        let stored = rows.get_mut(&request.id).ok_or_else(|| Error::not_found(request.id.clone()))?;
        let updated = request.revision().next(write_id);
        if let Some(known) = stored.remembered(write_id) {
            known.check_update(&request, &stored.request)?;
            return Ok(stored.request.clone());
        }
        if request.revision() != stored.request.revision() {
            return Err(Conflict::between(&request, &stored.request).into());
        }
        if !request.decisions.starts_with(&stored.request.decisions) {
            return Err(Error::rewritten_history(request.id.clone(), stored.request.decisions.len()));
        }
        if !is_filed_alike(&request, &stored.request) {
            return Err(Error::refiled(request.id.clone()));
        }
        let intent = request.update_intent(stored.request.decisions.len());
        stored.writes.push(RememberedWrite { number: updated.number, id: write_id, intent });
        stored.request = request.at_revision(updated);
        Ok(stored.request.clone())
    }

    pub(crate) fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        let rows = self.rows();
        let Some(stored) = rows.get(&write.id) else {
            return if write.base.is_some() { Err(Error::not_found(write.id.clone())) } else { Ok(Settled::Open) };
        };
        write.settled_by(stored.request.revision().number, stored.writes.iter().copied())
    }

    pub(crate) fn get(&self, id: &RequestId) -> Option<MutationRequest> {
        self.rows().get(id).map(|stored| stored.request.clone())
    }

    pub(crate) fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        check_id_count(ids)?;
        Ok(Lookup::new(ids.iter().map(|id| self.get(id)).collect(), Vec::new()))
    }

    /// The time matters to the question of an inbox only.
    pub(crate) fn page<Q: Query>(&self, query: &Q, page: &PageRequest, now: Timestamp) -> Result<Page<Q::Row>> {
        evaluate(query, self.rows().values().map(|stored| &stored.request), page, "toy", now)
    }

    pub(crate) fn all(&self) -> Vec<MutationRequest> {
        self.rows().values().map(|stored| stored.request.clone()).collect()
    }
}
