//! What a store is: the one contract that the service works over.

use std::sync::Arc;
use std::time::Duration;

use super::dual;
use crate::error::Result;
use crate::feed::{FeedPage, FeedPosition};
use crate::query::{
    Count, DecisionQuery, DecisionRow, InboxQuery, Lookup, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow,
    RecentApprovalQuery, RecentApprovalRow, RequestQuery, Statistics,
};
use crate::request::{IdComparison, MutationRequest, RequestId, Timestamp, WriteId};
use crate::service::clock::{Clock, SystemClock};
use crate::service::settle::WriteLookup;
use crate::stored_format::StoredRequest;

/// Keeps mutation requests, and finds them again. Of any number of concurrent updates from one revision, exactly one is
/// applied.
///
/// Used as `Arc<dyn Store>`, by applications through [`Governance`](super::Governance). It has only what a store alone can
/// do; [`StoreExtension`](super::StoreExtension) provides the rest over it.
///
/// Every method fails with [`Error::Store`](crate::Error::Store) when the store itself fails; the error's
/// [outcome](crate::Error::outcome) says whether a write took effect. Every method that takes a page fails with
/// [`Error::InvalidCursor`](crate::Error::InvalidCursor) when the page goes on from a cursor of another query or store.
///
/// # Pages
///
/// A page costs what it holds, not what is stored. A page may be short, also empty, and still have a next one: the call's
/// time or work ended before it was full. A page names requests that cannot be read, and they keep no other from it.
///
/// # Writing a store
///
/// A store has to pass the suite of the feature `conformance`, whose cases `store_cases!` names.
///
/// - [`evaluate`](crate::for_stores::evaluate) makes pages and cursors of the requests that the store finds by whatever index it
///   has; [`index_entries`](crate::for_stores::index_entries) derives the index entries of a request.
/// - Keep a [`RememberedWrite`](crate::RememberedWrite) for each of at least the last seven writes of a request and for the
///   one that created it. It checks repetitions, and [`WriteLookup::new`] makes the answer of [`settle`](Self::settle) of them.
/// - Add a [`FeedEntry::for_write`](crate::FeedEntry::for_write) with every write;
///   [`FeedPosition::new`](crate::FeedPosition::new) and [`FeedPage::new`](crate::FeedPage::new) make the pages of the feed.
/// - Make errors by the constructors of [`Error`](crate::Error::not_found), conflicts by
///   [`Conflict::between`](crate::Conflict::between), and failures by [`StoreError::new`](crate::StoreError::new).
/// - A store that several hosts use names its [clock](Self::clock), and one whose calls take time their
///   [timeout](Self::call_timeout). A store in front of another passes on every method, those with a default as well.
/// - In the asynchronous flavour write `#[async_trait]` before the `impl`; `nonblocking` exports it.
#[dual]
pub trait Store: Send + Sync {
    /// Stores a new request and returns it as it is stored.
    ///
    /// Repeated with the same revision and the same [intent](MutationRequest::creation_intent) it stores nothing again and
    /// returns what is stored now.
    ///
    /// # Errors
    /// - [`Error::AlreadyExists`](crate::Error::AlreadyExists) when the id is taken;
    ///   [`Error::WriteIdReused`](crate::Error::WriteIdReused) when this write id has written the request for another intent.
    /// - [`Error::Invalid`](crate::Error::Invalid) when its revision has another number than 0.
    /// - [`Error::TooLarge`](crate::Error::TooLarge) when the request is over the store's limit, or so near to it that what is
    ///   decided about it later would find no room; [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    ///   [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it either.
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest>;

    /// Replaces the revision that `request` was read at by its next one and returns it as it is stored.
    ///
    /// Repeated with the same write id and the same [intent](MutationRequest::update_intent) it is applied once, and returns
    /// what is stored now, whichever revision the repetition was computed from.
    ///
    /// # Errors
    /// - [`Error::WriteIdReused`](crate::Error::WriteIdReused) when the write id has written the request for another intent.
    /// - [`Error::Conflict`](crate::Error::Conflict) when another revision is stored;
    ///   [`Error::NotFound`](crate::Error::NotFound) when none is.
    /// - [`Error::RewrittenHistory`](crate::Error::RewrittenHistory) when its decisions do not begin with the stored ones.
    /// - [`Error::SubmittedFieldsChanged`](crate::Error::SubmittedFieldsChanged) when it changes what is [fixed when a request is
    ///   submitted](crate::for_stores::has_same_submission).
    /// - [`Error::TooLarge`](crate::Error::TooLarge), [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    ///   [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it.
    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest>;

    /// What the store remembers about a write id of this request, by one read; `None` where there is no such request.
    /// [`UnsettledWrite::settled_by`](crate::UnsettledWrite::settled_by) judges by it what became of the write.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::Error::Unreadable) when what is stored cannot be read.
    async fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>>;

    /// The requests with these ids, at most [`PageRequest::MAX_LIMIT`], in the order of the ids.
    ///
    /// The answer holds all of them in memory, each up to the document limit, and has to arrive by one deadline. Ask for
    /// fewer at a time where they may be large.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when there are [more ids](crate::for_stores::check_id_count).
    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup>;

    /// Requests, in created order.
    ///
    /// # Errors
    /// As said of all methods.
    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// The page that [`requests`](Self::requests) gives, with documents that are decoded when they are asked for. Cursors
    /// serve both. Defaults to that page.
    ///
    /// A store checks by its indexes what it can, and on a document only what no index answers. [`Page::unreadable`] names
    /// requests whose bytes are damaged or of a newer version all the same.
    ///
    /// # Errors
    /// As said of all methods.
    async fn stored_requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<StoredRequest>> {
        let page = self.requests(query, page).await?;
        Ok(page.map(StoredRequest::from))
    }

    /// Approvals, one row each, by the time their requests were submitted, then by request id, step and approval id.
    ///
    /// # Errors
    /// As said of all methods.
    async fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>>;

    /// Approved and executed requests with approval activity, the latest activity first, then by id.
    ///
    /// # Errors
    /// As said of all methods.
    async fn recent_approvals(
        &self,
        query: &RecentApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<RecentApprovalRow>>;

    /// Decisions, one row each, the latest first, then by request id and place in the history.
    ///
    /// # Errors
    /// As said of all methods.
    async fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>>;

    /// The approvals that an actor can decide at this time, in the order of [`pending_approvals`](Self::pending_approvals).
    ///
    /// # Errors
    /// As said of all methods.
    async fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>>;

    /// Requests of which something is due to expire at this time or was before, themselves or open approvals, by their
    /// [next deadline](crate::workflow::next_deadline), then by id: what [`DueQuery`](crate::for_stores::DueQuery) describes.
    ///
    /// # Errors
    /// As said of all methods.
    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// How many requests there are: exact, or a lower bound when the call's time ended before all were counted.
    ///
    /// # Errors
    /// As said of all methods.
    async fn count(&self, query: &RequestQuery) -> Result<Count>;

    /// How many requests have which status, since when the oldest waits, and how many are due within each of the durations.
    ///
    /// # Errors
    /// As said of all methods.
    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics>;

    /// The entries of the change feed after a position, at most `limit`, 1 to [`PageRequest::MAX_LIMIT`].
    ///
    /// Every write adds one entry, or is not made; a repetition adds none. A reader that saves [`FeedPage::next`] after
    /// handling a page gets every entry at least once, and those of one request in the order of its revisions; between
    /// partitions there is no order. [`FeedPage::gaps`] reports entries that the reader missed, or read and that the store
    /// later lost, once.
    ///
    /// # Errors
    /// [`Error::InvalidFeedPosition`](crate::Error::InvalidFeedPosition) for a position of another store, and
    /// [`Error::Invalid`](crate::Error::Invalid) for [another limit](crate::feed::check_limit).
    async fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage>;

    /// The position after all entries that are in the change feed now: what is written from now on comes after it.
    ///
    /// # Errors
    /// As said of all methods.
    async fn end_of_feed(&self) -> Result<FeedPosition>;

    /// When two ids of people are the same, in every request of this store. Defaults to [`IdComparison::Exact`].
    ///
    /// A service submits requests by it, and [returns an error](super::GovernanceBuilder::fold_case) for a store with another
    /// rule than it expects. A store sets it on every request that it returns, by [`MutationRequest::comparing_ids`].
    fn id_comparison(&self) -> IdComparison {
        IdComparison::Exact
    }

    /// The clock of the store: one for all hosts that use it, so that they agree on which lease and which deadline is over.
    /// Defaults to the host's clock, which is right for a store that no other host uses.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// Looks at the store's clock again if what is known of it is old. The service calls it before it uses the time where no
    /// other call to the store comes first. Defaults to doing nothing.
    ///
    /// # Errors
    /// As said of all methods.
    async fn refresh_clock(&self) -> Result<()> {
        Ok(())
    }

    /// The longest that one call can take. A lease has to be longer, or the answer to its claim could come when it is over.
    /// Defaults to no time at all, which is right for a store that is part of the process.
    fn call_timeout(&self) -> Duration {
        Duration::ZERO
    }
}
