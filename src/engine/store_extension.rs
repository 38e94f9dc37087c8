//! Reads that every store provides through the methods of its contract.

use super::{Store, dual};
use crate::error::{Error, Result};
use crate::query::{Page, PageRequest, RequestQuery};
use crate::request::UnsettledWrite;
use crate::request::{MutationRequest, RequestId, StateId};
use crate::service::settle::Settled;

/// Common reads, provided for every [`Store`] over its own methods. [`Governance`](super::Governance) has them too.
#[dual]
pub trait StoreExtension: Store {
    /// The request with this id, if there is one.
    ///
    /// # Errors
    /// [`Error::Removed`](crate::Error::Removed) when there was one, and
    /// [`Error::Unreadable`](crate::Error::Unreadable) when the stored request cannot be read.
    async fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        let found = self.get_many(std::slice::from_ref(id)).await?;
        if let Some(tombstone) = found.removed.into_iter().next() {
            return Err(Error::removed(tombstone));
        }
        match found.unreadable.into_iter().next() {
            Some(unreadable) => Err(unreadable.into()),
            None => Ok(found.requests.into_iter().next().flatten()),
        }
    }

    /// Pending requests, by the time they were submitted, then by id.
    ///
    /// # Errors
    /// As [`requests`](Store::requests).
    async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.requests(&RequestQuery::pending(), page).await
    }

    /// Requests that would change this state, by the time they were submitted, then by id.
    ///
    /// # Errors
    /// As [`requests`](Store::requests).
    async fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.requests(&RequestQuery::of_state(state.clone()), page).await
    }

    /// Pending requests that would change this state, by the time they were submitted, then by id.
    ///
    /// # Errors
    /// As [`requests`](Store::requests).
    async fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.requests(&RequestQuery::pending_of_state(state.clone()), page).await
    }

    /// What became of a write whose outcome an error left unknown, by one read.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when the request of an update does not exist,
    /// [`Error::WriteIdReused`](crate::Error::WriteIdReused) when the write id was used for another intent, and
    /// [`Error::Unreadable`](crate::Error::Unreadable) when the stored request cannot be read.
    async fn settle_write(&self, write: &UnsettledWrite) -> Result<Settled> {
        let found = self.settle(&write.id, write.write_id).await?;
        write.settled_by(found.as_ref())
    }
}

impl<Implementor: Store + ?Sized> StoreExtension for Implementor {}
