use std::collections::VecDeque;
use std::sync::Arc;

use super::{RequestQueries, dual};
use crate::error::Result;
use crate::query::{
    DecisionQuery, DecisionRow, InboxQuery, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow,
    RecentApprovalQuery, RecentApprovalRow, RequestQuery,
};
use crate::request::{MutationRequest, Timestamp};

/// A question whose rows can be read one after the other, over all pages.
#[dual]
pub trait Question: Send + Sync {
    /// One result.
    type Row: Send;

    /// One page of the results.
    ///
    /// # Errors
    /// As the method of [`RequestQueries`] that answers it.
    async fn ask(&self, queries: &dyn RequestQueries, page: &PageRequest) -> Result<Page<Self::Row>>;
}

/// All rows of a question, read page after page as they are taken.
///
/// What changes meanwhile makes no row repeat and none that stayed put be missed. A request that cannot be read comes as
/// [`Error::Unreadable`](crate::Error::Unreadable) in the place of its page, and the rest follows; any other error ends the rows.
pub struct Rows<Asked: Question> {
    queries: Arc<dyn RequestQueries>,
    question: Asked,
    next: Option<PageRequest>,
    read: VecDeque<Result<Asked::Row>>,
}

impl<Asked: Question> Rows<Asked> {
    /// The rows of `question`, from the first page on.
    pub fn new(queries: Arc<dyn RequestQueries>, question: Asked) -> Self {
        Self::from_page(queries, question, PageRequest::first())
    }

    /// The rows of `question` from this page on; its limit is how many are read at once.
    pub fn from_page(queries: Arc<dyn RequestQueries>, question: Asked, page: PageRequest) -> Self {
        Self { queries, question, next: Some(page), read: VecDeque::new() }
    }

    fn take_in(&mut self, asked: &PageRequest, page: Page<Asked::Row>) {
        let unreadable = page.unreadable.into_iter().map(|unreadable| Err(unreadable.into()));
        self.read = page.items.into_iter().map(Ok).chain(unreadable).collect();
        match asked.going_on(page.next) {
            Ok(next) => self.next = next,
            Err(error) => self.read.push_back(Err(error)),
        }
    }
}

#[dual]
impl<Asked: Question> Rows<Asked> {
    /// The next row; `None` when there are no more.
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::Error::Unreadable) in place of a request that cannot be read, after the rows of its page;
    /// more rows follow. [`Error::Store`](crate::Error::Store) and [`Error::InvalidCursor`](crate::Error::InvalidCursor) end
    /// the rows.
    pub async fn next_row(&mut self) -> Option<Result<Asked::Row>> {
        loop {
            if let Some(row) = self.read.pop_front() {
                return Some(row);
            }
            let page = self.next.take()?;
            match self.question.ask(&*self.queries, &page).await {
                Ok(read) => self.take_in(&page, read),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[dual]
impl Question for RequestQuery {
    type Row = MutationRequest;
    async fn ask(&self, queries: &dyn RequestQueries, page: &PageRequest) -> Result<Page<MutationRequest>> {
        queries.requests(self, page).await
    }
}

#[dual]
impl Question for PendingApprovalQuery {
    type Row = PendingApprovalRow;
    async fn ask(&self, queries: &dyn RequestQueries, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        queries.pending_approvals(self, page).await
    }
}

#[dual]
impl Question for RecentApprovalQuery {
    type Row = RecentApprovalRow;
    async fn ask(&self, queries: &dyn RequestQueries, page: &PageRequest) -> Result<Page<RecentApprovalRow>> {
        queries.recent_approvals(self, page).await
    }
}

#[dual]
impl Question for DecisionQuery {
    type Row = DecisionRow;
    async fn ask(&self, queries: &dyn RequestQueries, page: &PageRequest) -> Result<Page<DecisionRow>> {
        queries.decisions(self, page).await
    }
}

/// An inbox as it is at a time.
#[dual]
impl Question for (InboxQuery, Timestamp) {
    type Row = PendingApprovalRow;
    async fn ask(&self, queries: &dyn RequestQueries, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        let (query, now) = self;
        queries.inbox(query, *now, page).await
    }
}
