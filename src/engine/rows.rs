//! Queries whose rows can be read one by one, and the pages after them.

use std::collections::VecDeque;

use super::{Governance, dual};
use crate::error::Result;
use crate::query::{
    DecisionQuery, DecisionRow, InboxQuery, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow, ReadyQuery,
    RecentApprovalQuery, RecentApprovalRow, RequestQuery,
};
use crate::request::MutationRequest;

/// A query whose rows can be read one by one: see [`Governance::rows`].
#[dual]
pub trait RowQuery: Send + Sync + 'static {
    /// One result.
    type Row: Send + 'static;

    /// One page of the results.
    ///
    /// # Errors
    /// As the method of [`Governance`] that answers the query.
    async fn read(&self, governance: &Governance, page: &PageRequest) -> Result<Page<Self::Row>>;
}

/// The rows of the last page that are not yet taken, and the page to read next.
pub(in super::super) struct PageBuffer<Row> {
    next: Option<PageRequest>,
    read: VecDeque<Result<Row>>,
}

impl<Row> PageBuffer<Row> {
    pub(in super::super) const fn from_page(page: PageRequest) -> Self {
        Self { next: Some(page), read: VecDeque::new() }
    }

    pub(in super::super) fn pop(&mut self) -> Option<Result<Row>> {
        self.read.pop_front()
    }

    pub(in super::super) const fn take_next(&mut self) -> Option<PageRequest> {
        self.next.take()
    }

    /// Adds the answer to a page request; an error becomes the last row.
    pub(in super::super) fn add(&mut self, asked: &PageRequest, answer: Result<Page<Row>>) {
        let page = match answer {
            Ok(page) => page,
            Err(error) => return self.read.push_back(Err(error)),
        };
        let unreadable = page.unreadable.into_iter().map(|unreadable| Err(unreadable.into()));
        self.read = page.items.into_iter().map(Ok).chain(unreadable).collect();
        match asked.going_on(page.next) {
            Ok(next) => self.next = next,
            Err(error) => self.read.push_back(Err(error)),
        }
    }
}

#[dual]
impl RowQuery for RequestQuery {
    type Row = MutationRequest;
    async fn read(&self, governance: &Governance, page: &PageRequest) -> Result<Page<MutationRequest>> {
        governance.requests(self, page).await
    }
}

#[dual]
impl RowQuery for PendingApprovalQuery {
    type Row = PendingApprovalRow;
    async fn read(&self, governance: &Governance, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        governance.pending_approvals(self, page).await
    }
}

#[dual]
impl RowQuery for RecentApprovalQuery {
    type Row = RecentApprovalRow;
    async fn read(&self, governance: &Governance, page: &PageRequest) -> Result<Page<RecentApprovalRow>> {
        governance.recent_approvals(self, page).await
    }
}

#[dual]
impl RowQuery for DecisionQuery {
    type Row = DecisionRow;
    async fn read(&self, governance: &Governance, page: &PageRequest) -> Result<Page<DecisionRow>> {
        governance.decisions(self, page).await
    }
}

/// What the actor can decide at the time each page is read, by the service's clock.
#[dual]
impl RowQuery for InboxQuery {
    type Row = PendingApprovalRow;
    async fn read(&self, governance: &Governance, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        governance.inbox_of(self, page).await
    }
}

/// What is ready at the time each page is read, by the service's clock.
#[dual]
impl RowQuery for ReadyQuery {
    type Row = MutationRequest;
    async fn read(&self, governance: &Governance, page: &PageRequest) -> Result<Page<MutationRequest>> {
        governance.ready(self, page).await
    }
}
