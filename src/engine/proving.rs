//! Verifies histories, and collects their heads for checkpoints.

use super::{Governance, dual};
use crate::error::Result;
use crate::proof::{self, HeadTree, HeadsReport, HistoryRow, HistoryVerification};
use crate::query::{Page, PageRequest, RequestQuery};
use crate::request::{IntoId, RequestId};

/// Proof of histories; the module [`proof`](crate::proof) says what is proven.
#[dual]
impl Governance {
    /// Verifies the history of a request, and its seal if the service has [keys](super::GovernanceBuilder::seal_keys).
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such request, and
    /// [`Error::Unreadable`](crate::Error::Unreadable) when it cannot be read.
    pub async fn verify_history(&self, id: impl IntoId<RequestId>) -> Result<HistoryVerification> {
        let request = self.load(&id.into_id()?).await?;
        Ok(proof::verify_history(&request, self.keys.as_deref()))
    }

    /// Verifies the histories of one page of a query; an empty query is the whole namespace. To go on, even in another process, ask
    /// for the page after [`Page::next`].
    ///
    /// A request whose history is not wholly chained, or not wholly sealed by a service with keys, is no
    /// [problem](HistoryVerification::problem): older releases and services without keys write such. Where there are
    /// none of these, treat it as one, because whoever can write the store can remove a chain.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    pub async fn verify_histories(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<HistoryRow>> {
        let found = self.store.requests(query, page).await?;
        let keys = self.keys.as_deref();
        let verified = found
            .items
            .iter()
            .map(|request| HistoryRow { id: request.id.clone(), verification: proof::verify_history(request, keys) });
        let items = verified.collect();
        let Page { items: _, next, scanned, unreadable, missing } = found;
        Ok(Page { items, next, scanned, unreadable, missing })
    }

    /// Adds the heads of one page of the namespace to a tree, and returns whose. To go on, ask for the page after [`Page::next`];
    /// after the last one the tree has every request that can be read, and makes a [checkpoint](HeadTree::checkpoint).
    ///
    /// To have a tree follow later writes, [observe](HeadTree::observe) each request that the change feed names.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    pub async fn collect_heads(&self, tree: &mut HeadTree, page: &PageRequest) -> Result<Page<RequestId>> {
        let found = self.store.requests(&RequestQuery::new(), page).await?;
        found.items.iter().for_each(|request| tree.observe(request));
        let Page { items, next, scanned, unreadable, missing } = found;
        let items = items.iter().map(|request| request.id.clone()).collect();
        Ok(Page { items, next, scanned, unreadable, missing })
    }

    /// Compares up to `limit` heads of a tree, 1 to [`PageRequest::MAX_LIMIT`], with what is stored now, beginning after a request.
    /// Finds requests that are gone, that were set back to an older state, and whose history was changed. They may have gone on since.
    ///
    /// First check that the [root](HeadTree::root) of the tree is that of the checkpoint.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a limit of 0 or above the maximum, and
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    pub async fn compare_heads(&self, tree: &HeadTree, after: Option<&RequestId>, limit: usize) -> Result<HeadsReport> {
        let limit = PageRequest::of(limit)?.limit();
        let heads = tree.after(after).map(|(id, head)| (id.clone(), head));
        let mut wanted: Vec<_> = heads.take(limit + 1).collect();
        let is_last = wanted.len() <= limit;
        wanted.truncate(limit);
        let ids: Vec<RequestId> = wanted.iter().map(|(id, _)| id.clone()).collect();
        let found = self.store.get_many(&ids).await?;
        Ok(HeadsReport::of(wanted, &found, is_last))
    }
}
