use std::sync::Arc;
use std::time::Duration;

use super::dual;
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::query::{Lookup, Page, PageRequest};
use crate::request::{IdComparison, MutationRequest, RequestId, StateId, Timestamp, WriteId};
use crate::settle::{Settled, UnsettledWrite};

/// Keeps mutation requests. Of any number of concurrent updates from one revision, exactly one is applied.
///
/// Used as `Arc<dyn RequestStore>`. Every method fails with [`Error::Store`](crate::Error::Store) when the store itself
/// fails; of a write its [outcome](crate::Error::outcome) tells whether it took effect.
///
/// # A store of one's own
///
/// It has to pass the suite of the feature `conformance`: `request_store_cases!` names the cases of this trait, and
/// `request_queries_cases!` those of [`RequestQueries`](super::RequestQueries).
///
/// - Pages and cursors are made by [`evaluate`](crate::for_stores::evaluate), from the requests that the store finds by whatever
///   index it has; [`index_entries`](crate::for_stores::index_entries) derives the entries of one from a request. The lists of
///   this trait are the questions `RequestQuery::pending`, `of_state`, `pending_of_state` and
///   [`DueQuery`](crate::for_stores::DueQuery).
/// - What was done under a write id is told by a [`RememberedWrite`](crate::RememberedWrite), of which a store keeps one for each of
///   at least the last seven writes of a request and for the one that created it.
/// - Refusals are made by the constructors of [`Error`](crate::Error::not_found), conflicts by
///   [`Conflict::between`](crate::Conflict::between), failures by [`StoreError::new`](crate::StoreError::new).
/// - A store that several hosts use names its [clock](Self::clock), and one whose calls take time their
///   [timeout](Self::call_timeout). A store in front of another passes on these and [`refresh_clock`](Self::refresh_clock).
/// - In the asynchronous flavour the traits are those of the crate `async-trait`: write `#[async_trait]` before the `impl`.
#[dual]
pub trait RequestStore: Send + Sync {
    /// When two ids of people are the same, in every request of this store. A service files requests by it, and
    /// [refuses](super::GovernanceBuilder::fold_case) a store with another rule than it was told.
    ///
    /// A store sets it on every request that it gives out, by [`MutationRequest::comparing_ids`]. One that stands in front of
    /// another gives the other's. Defaults to [`IdComparison::Exact`].
    fn id_comparison(&self) -> IdComparison {
        IdComparison::Exact
    }

    /// Stores a new request and returns it as it is stored.
    ///
    /// Repeated with the same revision and the same [intent](MutationRequest::creation_intent) it stores nothing again and returns
    /// what is stored now.
    ///
    /// # Errors
    /// - [`Error::AlreadyExists`](crate::Error::AlreadyExists) when the id is taken;
    ///   [`Error::WriteIdReused`](crate::Error::WriteIdReused) when this write id has written the request for another intent.
    /// - [`Error::Invalid`](crate::Error::Invalid) when its revision has another number than 0.
    /// - [`Error::TooLarge`](crate::Error::TooLarge) when the request is over the store's limit, or so near to it that what is
    ///   decided about it later would find no room; [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    ///   [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it either.
    /// - [`Error::Store`](crate::Error::Store) when the store fails.
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest>;

    /// Replaces the revision that `request` was read at by its next one and returns it as it is stored.
    ///
    /// Repeated with the same write id and the same [intent](MutationRequest::update_intent) it is applied once, and returns what
    /// is stored now, whichever revision the repetition was computed from.
    ///
    /// # Errors
    /// - [`Error::WriteIdReused`](crate::Error::WriteIdReused) when the write id has written the request for another intent.
    /// - [`Error::Conflict`](crate::Error::Conflict) when another revision is stored;
    ///   [`Error::NotFound`](crate::Error::NotFound) when none is.
    /// - [`Error::RewrittenHistory`](crate::Error::RewrittenHistory) when its decisions do not begin with the stored ones.
    /// - [`Error::Refiled`](crate::Error::Refiled) when it changes what is [fixed when a request is
    ///   filed](crate::for_stores::is_filed_alike).
    /// - [`Error::TooLarge`](crate::Error::TooLarge), [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    ///   [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it.
    /// - [`Error::Store`](crate::Error::Store) when the store fails.
    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest>;

    /// What became of a write whose outcome an error left unknown, by one read: see
    /// [`UnsettledWrite::settled_by`].
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when an update's request is not there,
    /// [`Error::WriteIdReused`](crate::Error::WriteIdReused) when its id was used for another intent, and
    /// [`Error::Unreadable`](crate::Error::Unreadable) when what is stored cannot be read.
    async fn settle(&self, write: &UnsettledWrite) -> Result<Settled>;

    /// The request with this id, if there is one.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::Error::Unreadable) when what is stored cannot be read.
    async fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>>;

    /// The requests with these ids, at most [`PageRequest::MAX_LIMIT`], in the order of the ids.
    ///
    /// What this returns holds all of them: so many documents, each up to the document limit. Ask for fewer at a time where they
    /// may be large; all that is asked for has to arrive by one deadline.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when there are more ids.
    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup>;

    /// Pending requests, by the time they were filed, then by id.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`](crate::Error::InvalidCursor) when the page goes on from a cursor of another query.
    async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// Requests that would change this state, by the time they were filed, then by id.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`](crate::Error::InvalidCursor) when the page goes on from a cursor of another query.
    async fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// Pending requests that would change this state, by the time they were filed, then by id.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`](crate::Error::InvalidCursor) when the page goes on from a cursor of another query.
    async fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// Requests of which something is due to expire at this time or was before, themselves or open approvals, by their
    /// [next deadline](crate::workflow::next_deadline), then by id.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`](crate::Error::InvalidCursor) when the page goes on from a cursor of another query.
    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// The clock of the store: one for all hosts that use it, so that they agree on which lease and which deadline is over.
    ///
    /// Defaults to the host's clock, which is right for a store that no other host uses.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// Looks at the store's clock again if what is known of it is old. Asked before the time is used where no other call to
    /// the store comes first. Defaults to doing nothing.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    async fn refresh_clock(&self) -> Result<()> {
        Ok(())
    }

    /// The longest that one call can take. A lease has to be longer, or the answer to its claim could come when it is over.
    /// Defaults to no time at all, which is right for a store that is part of the process.
    fn call_timeout(&self) -> Duration {
        Duration::ZERO
    }
}
