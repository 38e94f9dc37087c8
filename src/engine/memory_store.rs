use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{RequestStore, dual};
use crate::error::Result;
use crate::memory::RequestTable;
use crate::query::{Listing, Lookup, Page, PageRequest};
use crate::request::{MutationRequest, RequestId, StateId, WriteId};

/// Keeps requests in this process's memory, for development and tests: all is gone when the last clone is dropped.
///
/// Cloning shares the requests.
#[derive(Clone, Default)]
pub struct MemoryStore {
    table: Arc<Mutex<RequestTable>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic elsewhere cannot leave the table half-changed: each of its writes is one insertion.
    fn table(&self) -> MutexGuard<'_, RequestTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[dual]
impl RequestStore for MemoryStore {
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        self.table().create(request)
    }

    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        self.table().update(request, write_id)
    }

    async fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        Ok(self.table().get(id))
    }

    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.table().get_many(ids)
    }

    async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().page(&Listing::Pending, page)
    }

    async fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().page(&Listing::State(state.clone()), page)
    }

    async fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().page(&Listing::PendingInState(state.clone()), page)
    }
}
