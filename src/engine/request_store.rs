use super::dual;
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
/// - Pages and cursors are made by [`evaluate`](crate::query::evaluate), from the requests that the store finds by whatever
///   index it has; [`index_entries`](crate::query::index_entries) derives the entries of one from a request. The lists of
///   this trait are the questions `RequestQuery::pending`, `of_state`, `pending_of_state` and
///   [`DueQuery`](crate::query::DueQuery).
/// - Refusals are made by the constructors of [`Error`](crate::Error::not_found), conflicts by
///   [`Conflict::between`](crate::Conflict::between), failures by [`StoreError::new`](crate::StoreError::new).
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
    /// Repeated with the same revision it stores nothing again and returns what is stored now.
    ///
    /// # Errors
    /// - [`Error::AlreadyExists`](crate::Error::AlreadyExists) when the id is taken.
    /// - [`Error::Invalid`](crate::Error::Invalid) when its revision has another number than 0.
    /// - [`Error::TooLarge`](crate::Error::TooLarge) when the request is over the store's limit, or so near to it that what is
    ///   decided about it later would find no room; [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    ///   [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it either.
    /// - [`Error::Store`](crate::Error::Store) when the store fails.
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest>;

    /// Replaces the revision that `request` was read at by its next one and returns it as it is stored.
    ///
    /// Repeated with the same write id it is applied once, and succeeds again.
    ///
    /// # Errors
    /// - [`Error::Conflict`](crate::Error::Conflict) when another revision is stored;
    ///   [`Error::NotFound`](crate::Error::NotFound) when none is.
    /// - [`Error::RewrittenHistory`](crate::Error::RewrittenHistory) when its decisions do not begin with the stored ones.
    /// - [`Error::Refiled`](crate::Error::Refiled) when it changes what is [fixed when a request is
    ///   filed](crate::query::is_filed_alike).
    /// - [`Error::TooLarge`](crate::Error::TooLarge), [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    ///   [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it.
    /// - [`Error::Store`](crate::Error::Store) when the store fails.
    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest>;

    /// What became of a write whose outcome an error left unknown.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when an update's request is not there, and
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
}
