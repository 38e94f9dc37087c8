use std::time::Duration;

use super::dual;
use crate::error::Result;
use crate::query::{
    Count, DecisionQuery, DecisionRow, InboxQuery, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow,
    RecentApprovalQuery, RecentApprovalRow, RequestQuery, Statistics,
};
use crate::request::{MutationRequest, Timestamp};
use crate::stored_format::StoredRequest;

/// Answers questions about stored requests, a page at a time. Used as `Arc<dyn RequestQueries>`.
///
/// A page costs what it holds, not what is stored. A page may be short, also empty, and still have a next one: the call's
/// time or work ended before it was full. Requests that cannot be read are named on the page and keep no other from it.
///
/// Every method that takes a page fails with [`Error::InvalidCursor`](crate::Error::InvalidCursor) when that goes on from
/// a cursor of another query or store, and with [`Error::Store`](crate::Error::Store) when the store fails.
#[dual]
pub trait RequestQueries: Send + Sync {
    /// Requests, in created order.
    ///
    /// # Errors
    /// As said of all methods.
    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>>;

    /// The page that [`requests`](Self::requests) gives, with documents that are decoded when they are asked for. Cursors
    /// serve both.
    ///
    /// A store checks by its indexes what it can, and on a document only what no index answers. Requests whose bytes are
    /// damaged or of a newer version are named in [`Page::unreadable`] all the same.
    ///
    /// # Errors
    /// As [`requests`](Self::requests).
    async fn stored_requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<StoredRequest>> {
        let page = self.requests(query, page).await?;
        Ok(page.map(StoredRequest::from))
    }

    /// Approvals, one row each, by the time their requests were filed, then by request id, step and approval id.
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

    /// How many requests there are: exact, or a lower bound when the call's time ended before all were counted.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    async fn count(&self, query: &RequestQuery) -> Result<Count>;

    /// How many requests stand where, since when the oldest waits, and how many are due within each of the durations.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics>;
}
