//! The contract of stores, over which the service works.

use std::sync::Arc;
use std::time::Duration;

use super::dual;
use crate::archive::{Imported, RequestRecord};
use crate::error::{Outcome, Result, StoreError, StoreErrorKind};
use crate::feed::{Consumer, ConsumerLease, FeedPage, FeedPosition};
use crate::query::{
    Count, DecisionQuery, DecisionRow, InboxQuery, Lookup, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow,
    ReadyQuery, RecentApprovalQuery, RecentApprovalRow, RequestQuery, Statistics,
};
use crate::removal::Tombstone;
use crate::request::{
    ConsumerName, HolderId, IdComparison, MutationRequest, RequestId, Status, Timestamp, UniqueKey, WriteId,
};
use crate::service::clock::{Clock, SystemClock};
use crate::service::settle::WriteLookup;
use crate::stored_format::StoredRequest;

/// Keeps mutation requests, and finds them again. Of any number of concurrent updates from one revision, exactly one is
/// applied.
///
/// Used as `Arc<dyn Store>`; applications use [`Governance`](super::Governance) over it. The trait has only what a
/// store alone can do; [`StoreExtension`](super::StoreExtension) provides the rest.
///
/// Every method fails with [`Error::Store`](crate::Error::Store) when the store itself fails; the error's
/// [outcome](crate::Error::outcome) says whether a write took effect. Every method that takes a page fails with
/// [`Error::InvalidCursor`](crate::Error::InvalidCursor) when the page's cursor belongs to another query or store.
///
/// # Pages
///
/// The cost of a page depends on what it holds, not on what is stored. A page may be short, even empty, and still have
/// a next one: the call ran out of time or work before the page was full. A page names unreadable requests and still
/// returns all others.
///
/// # Writing a store
///
/// A store has to pass the suite of the feature `conformance`, whose cases are listed in `store_cases!`.
///
/// - [`evaluate`](crate::for_stores::evaluate) makes pages and cursors from the requests that the store finds by any
///   index; [`index_entries`](crate::for_stores::index_entries) derives the index entries of a request.
/// - Keep a [`RememberedWrite`](crate::RememberedWrite) for at least the last seven writes of a request and for the one
///   that created it. It checks repetitions, and [`WriteLookup::new`] makes the result of [`settle`](Self::settle) from
///   them.
/// - Add a [`FeedEntry::for_write`](crate::FeedEntry::for_write) with every write;
///   [`FeedPosition::new`](crate::FeedPosition::new) and [`FeedPage::new`](crate::FeedPage::new) make the pages of the
///   feed. [`ConsumerTable`](crate::feed::ConsumerTable) has the rules of its consumers.
/// - Make errors with the constructors of [`Error`](crate::Error::not_found), conflicts with
///   [`Conflict::between`](crate::Conflict::between), and failures with [`StoreError::new`](crate::StoreError::new).
/// - A store that several hosts use provides its [clock](Self::clock), and one whose calls take time its
///   [timeout](Self::call_timeout). A store that wraps another forwards every method, also those with a default.
/// - In the asynchronous flavour write `#[async_trait]` before the `impl`; `nonblocking` exports it.
///
#[doc = include_str!("store.md")]
#[dual]
pub trait Store: Send + Sync {
    /// Stores a new request and returns it as it is stored.
    ///
    /// A repetition with the same revision and the same [intent](MutationRequest::creation_intent) stores nothing and
    /// returns what is stored now.
    ///
    /// # Errors
    /// - [`Error::AlreadyExists`](crate::Error::AlreadyExists) when the id is taken;
    ///   [`Error::WriteIdReused`](crate::Error::WriteIdReused) when this write id has written the request for another
    ///   intent.
    /// - [`Error::AlreadyOpen`](crate::Error::AlreadyOpen) when the request has a
    ///   [unique key](crate::RequestDraft::with_unique_key) that another open one has, or is about to get: of any number of
    ///   concurrent creations with one key, at most one succeeds. A repetition is no other request.
    /// - [`Error::Invalid`](crate::Error::Invalid) when the number of its revision is not 0.
    /// - [`Error::TooLarge`](crate::Error::TooLarge) when the request is above the store's limit, or so close to it
    ///   that later decisions would have no room; [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    ///   [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it for another reason.
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest>;

    /// Replaces the revision that `request` was read at with the next one and returns it as it is stored.
    ///
    /// A repetition with the same write id and the same [intent](MutationRequest::update_intent) is not applied again
    /// and returns what is stored now, whichever revision it was computed from.
    ///
    /// # Errors
    /// - [`Error::WriteIdReused`](crate::Error::WriteIdReused) when the write id has written the request for another
    ///   intent.
    /// - [`Error::Conflict`](crate::Error::Conflict) when another revision is stored;
    ///   [`Error::NotFound`](crate::Error::NotFound) when none is.
    /// - [`Error::RewrittenHistory`](crate::Error::RewrittenHistory) when its decisions do not begin with the stored
    ///   ones.
    /// - [`Error::SubmittedFieldsChanged`](crate::Error::SubmittedFieldsChanged) when it changes what is [fixed when a
    ///   request is submitted](crate::for_stores::has_same_submission).
    /// - [`Error::TooLarge`](crate::Error::TooLarge), [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    ///   [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it.
    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest>;

    /// What the store remembers about a write id of this request, by one read; `None` when the request does not exist.
    /// [`UnsettledWrite::settled_by`](crate::UnsettledWrite::settled_by) derives what became of the write.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::Error::Unreadable) when the stored request cannot be read.
    async fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>>;

    /// The open request with this [unique key](crate::RequestDraft::with_unique_key), if there is one. Defaults to a search
    /// along all open requests; a store that knows where each key is finds it at once.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::Error::Unreadable) when the stored request cannot be read.
    async fn open_request(&self, key: &UniqueKey) -> Result<Option<MutationRequest>> {
        let open = Status::ALL.iter().copied().filter(|status| !status.is_terminal());
        let query = RequestQuery::new().with_unique_keys([key.as_str()])?.with_statuses(open)?;
        let mut page = PageRequest::first();
        loop {
            let found = self.requests(&query, &page).await?;
            if let Some(request) = found.items.into_iter().next() {
                return Ok(Some(request));
            }
            let Some(next) = found.next else { return Ok(None) };
            page = page.after(next);
        }
    }

    /// The requests with these ids, at most [`PageRequest::MAX_LIMIT`], in the order of the ids.
    ///
    /// The result holds all of them in memory, each up to the document limit, and has to arrive by one deadline. Ask
    /// for fewer at a time if they may be large.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for [more ids than that](crate::for_stores::check_id_count).
    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup>;

    /// Requests, in created order.
    ///
    /// # Errors
    /// Those of every method.
    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// The same page as [`requests`](Self::requests) returns, with documents that decode on access. Both accept each
    /// other's cursors. Defaults to that page.
    ///
    /// A store checks what it can by its indexes, and only the rest on documents. [`Page::unreadable`] still names
    /// requests whose bytes are damaged or of a newer version.
    ///
    /// # Errors
    /// Those of every method.
    async fn stored_requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<StoredRequest>> {
        let page = self.requests(query, page).await?;
        Ok(page.map(StoredRequest::from))
    }

    /// The same page as [`requests`](Self::requests) returns, with everything that the store keeps of each request. Both accept
    /// each other's cursors. Defaults to that page, without remembered writes.
    ///
    /// # Errors
    /// Those of every method.
    async fn records(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<RequestRecord>> {
        let page = self.stored_requests(query, page).await?;
        Ok(page.map(|stored| RequestRecord::new(stored, [])))
    }

    /// Stores these requests as they are, at their revisions, with the writes they remember, and returns what became of each,
    /// in their order. A repetition changes nothing. At most [`PageRequest::MAX_LIMIT`] at a time.
    ///
    /// Each that is added gets one entry of the feed, with [`FeedChange::Imported`](crate::FeedChange::Imported) and no
    /// decisions. A request keeps its bytes where the store writes the same format. Defaults to an error.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails, with some requests stored and others not. For one request:
    /// [`Error::TooLarge`](crate::Error::TooLarge), [`Error::TooManyEntries`](crate::Error::TooManyEntries),
    /// [`Error::Unwritable`](crate::Error::Unwritable) when the store cannot keep it, and
    /// [`Error::Unreadable`](crate::Error::Unreadable) when it, or what is stored under its id, cannot be read.
    async fn import(&self, records: &[RequestRecord]) -> Result<Vec<Result<Imported>>> {
        let problem = format!("this store cannot import requests; {} were given to it", records.len());
        Err(StoreError::new(StoreErrorKind::Incompatible, Outcome::NotApplied, problem).into())
    }

    /// Replaces a request by its tombstone, if it is stored at the tombstone's revision, and returns the tombstone that is
    /// stored. Of several removals the first one's stays, and the others return it: a repetition changes nothing.
    ///
    /// The request, its index entries and the writes it remembers are gone, and one entry of the feed, with
    /// [`FeedChange::Removed`](crate::FeedChange::Removed), is added: all of this or nothing. From then on
    /// [`get_many`](Self::get_many) names the tombstone, [`update`](Self::update) and [`settle`](Self::settle) return
    /// [`Error::Removed`](crate::Error::Removed), and [`create`](Self::create) and [`import`](Self::import) return
    /// [`Error::IdOfRemoved`](crate::Error::IdOfRemoved). `request` is the request as it was read. Defaults to an error.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when another revision is stored,
    /// [`Error::NotFound`](crate::Error::NotFound) when none is, and
    /// [`Error::Unreadable`](crate::Error::Unreadable) when what is stored cannot be read. When the
    /// [outcome](crate::Error::outcome) is unknown, repeat the call.
    async fn remove(&self, request: &MutationRequest, tombstone: &Tombstone) -> Result<Tombstone> {
        let problem =
            format!("this store cannot remove requests; {} stays at revision {}", request.id, tombstone.revision);
        Err(StoreError::new(StoreErrorKind::Incompatible, Outcome::NotApplied, problem).into())
    }

    /// Approvals, one row each, by the time their requests were submitted, then by request id, step and approval id.
    ///
    /// # Errors
    /// Those of every method.
    async fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>>;

    /// Approved and executed requests with approval activity, the latest activity first, then by id.
    ///
    /// # Errors
    /// Those of every method.
    async fn recent_approvals(
        &self,
        query: &RecentApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<RecentApprovalRow>>;

    /// Decisions, one row each, the latest first, then by request id and place in the history.
    ///
    /// # Errors
    /// Those of every method.
    async fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>>;

    /// The approvals that an actor can decide at this time, in the order of
    /// [`pending_approvals`](Self::pending_approvals).
    ///
    /// # Errors
    /// Those of every method.
    async fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>>;

    /// Requests that are due to expire at this time, or have an open approval that is, by their [next
    /// deadline](crate::workflow::next_deadline), then by id: as [`DueQuery`](crate::for_stores::DueQuery) defines.
    ///
    /// # Errors
    /// Those of every method.
    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// Requests that are ready to be executed at this time, in the order in which they became ready, then by id:
    /// [`ReadyQuery::at`] defines them.
    ///
    /// # Errors
    /// Those of every method.
    async fn ready(&self, query: &ReadyQuery, now: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// The number of requests that are [ready](Self::ready) at this time: exact, or a lower bound when some cannot be
    /// read. Defaults to reading all their pages.
    ///
    /// # Errors
    /// Those of every method.
    async fn count_ready(&self, query: &ReadyQuery, now: Timestamp) -> Result<Count> {
        let (mut count, mut page) = (Count::Exact(0), PageRequest::longest());
        loop {
            let read = self.ready(query, now, &page).await?;
            let rows = read.items.len() as u64;
            count += if read.unreadable.is_empty() { Count::Exact(rows) } else { Count::AtLeast(rows) };
            match page.going_on(read.next)? {
                Some(next) => page = next,
                None => return Ok(count),
            }
        }
    }

    /// The number of requests: exact, or a lower bound when the call ran out of time.
    ///
    /// # Errors
    /// Those of every method.
    async fn count(&self, query: &RequestQuery) -> Result<Count>;

    /// The number of requests in each status, since when the oldest one waits, and how many requests fall due within
    /// each of the durations.
    ///
    /// # Errors
    /// Those of every method.
    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics>;

    /// The same of the requests that a query finds: exact, or [lower bounds](Statistics::is_lower_bound) when the call ran
    /// out of time or a request could not be read. Defaults to reading them page by page.
    ///
    /// # Errors
    /// Those of every method.
    async fn statistics_of(&self, query: &RequestQuery, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        let mut statistics = Statistics::of([], now, due_within);
        let mut page = PageRequest::longest();
        loop {
            let read = self.requests(query, &page).await?;
            statistics += &Statistics::of(&read.items, now, due_within);
            statistics.is_lower_bound |= !read.unreadable.is_empty();
            match page.going_on(read.next)? {
                None => return Ok(statistics),
                Some(next) => page = next,
            }
        }
    }

    /// The entries of the change feed after a position, at most `limit`, 1 to [`PageRequest::MAX_LIMIT`].
    ///
    /// Every write adds exactly one entry; a repetition adds none. A reader that saves [`FeedPage::next`] after
    /// handling a page gets every entry at least once, and the entries of one request in the order of its revisions;
    /// there is no order between partitions. [`FeedPage::gaps`] reports, once, entries that the reader missed, and
    /// entries that it read and that the store later lost.
    ///
    /// # Errors
    /// [`Error::InvalidFeedPosition`](crate::Error::InvalidFeedPosition) for a position of another store, and
    /// [`Error::Invalid`](crate::Error::Invalid) for [an invalid limit](crate::feed::check_limit).
    async fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage>;

    /// The end of the change feed as it is now: whatever is written from now on comes after it.
    ///
    /// # Errors
    /// Those of every method.
    async fn end_of_feed(&self) -> Result<FeedPosition>;

    /// Gives this holder the lease of a consumer of the feed, or renews it, unless another holder has it; adds a
    /// consumer that is new. While the lease lasts, by the clock of the store, nobody else gets it. A lease of zero
    /// ends it.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for [too long a lease](Consumer::check_lease), and
    /// [`StoreErrorKind::Rejected`](crate::StoreErrorKind::Rejected) for one consumer [too many](Consumer::MAX_COUNT).
    async fn lease_consumer(&self, name: &ConsumerName, holder: HolderId, lease: Duration) -> Result<ConsumerLease>;

    /// Saves the position of a consumer and renews its lease, if this holder had the lease last, even if it is over.
    /// Returns `false`, with nothing changed, when another holder has had it since, or the consumer was removed.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for [too long a lease](Consumer::check_lease).
    async fn save_consumer(
        &self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<bool>;

    /// All consumers of the feed, at most [`Consumer::MAX_COUNT`], by name.
    ///
    /// # Errors
    /// Those of every method.
    async fn consumers(&self) -> Result<Vec<Consumer>>;

    /// Removes a consumer and its position. Returns `false` when there is none with this name.
    ///
    /// # Errors
    /// [`StoreErrorKind::Rejected`](crate::StoreErrorKind::Rejected) while somebody holds its lease.
    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool>;

    /// The rule by which ids of people are equal, in every request of this store. Defaults to [`IdComparison::Exact`].
    ///
    /// A service submits requests with this rule, and [returns an error](super::GovernanceBuilder::fold_case) for a
    /// store with another rule than it expects. A store sets the rule on every request that it returns, by
    /// [`MutationRequest::comparing_ids`].
    fn id_comparison(&self) -> IdComparison {
        IdComparison::Exact
    }

    /// The clock of the store: one for all hosts that use it, so that they agree on which lease and which deadline is
    /// over. Defaults to the host's clock, which suits a store that no other host uses.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// Refreshes the store's clock if its time is old. The service calls this before it uses the time and no other call
    /// to the store comes first. Defaults to doing nothing.
    ///
    /// # Errors
    /// Those of every method.
    async fn refresh_clock(&self) -> Result<()> {
        Ok(())
    }

    /// The maximum duration of one call. A lease has to be longer, or the answer to its claim could come after its end.
    /// Defaults to zero, which suits a store within the process.
    fn call_timeout(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether [`create`](Self::create) could keep this request, by itself: whatever is stored. Writes nothing, and asks
    /// no server. Defaults to accepting every request.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge), [`Error::TooManyEntries`](crate::Error::TooManyEntries) and
    /// [`Error::Unwritable`](crate::Error::Unwritable), as `create`.
    fn check_create(&self, request: &MutationRequest) -> Result<()> {
        let _ = request;
        Ok(())
    }

    /// As [`check_create`](Self::check_create), for [`update`](Self::update). Defaults to accepting every request.
    ///
    /// # Errors
    /// As `check_create`.
    fn check_update(&self, request: &MutationRequest) -> Result<()> {
        let _ = request;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_docs_show_every_method_as_it_is_written() {
        let written = include_str!("store.rs").split_once("pub trait Store").unwrap().1;
        let written = written.split_once("\n}\n").unwrap().0;
        let shown = include_str!("store.md").split_once("trait Store {\n").unwrap().1;
        let signatures = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("///"));
            let text: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace() && *c != ',').collect();
            text.split("fn").skip(1).map(|rest| rest.split([';', '{']).next().unwrap_or_default().to_owned()).collect()
        };
        assert!(signatures(written).len() > 20);
        assert_eq!(signatures(written), signatures(shown));
    }
}
