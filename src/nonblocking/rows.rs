//! Rows as a stream.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use futures_util::stream::Stream;

use super::engine::{Governance, PageBuffer, RowQuery};
use crate::error::Result;
use crate::query::{Page, PageRequest};

/// All rows of a query, read page after page as they are taken.
///
/// Changes in between make no row repeat, and hide none that stayed put. A request that cannot be read comes as
/// [`Error::Unreadable`](crate::Error::Unreadable) after the rows of its page, and the rest follows; any other error ends the
/// rows. Dropping a future that waits for a row loses none.
#[must_use = "rows are read as they are taken"]
pub struct Rows<Asked: RowQuery> {
    governance: Governance,
    query: Arc<Asked>,
    buffer: PageBuffer<Asked::Row>,
    /// The page that is being read.
    reading: Option<Reading<Asked::Row>>,
}

type Reading<Row> = BoxFuture<'static, (PageRequest, Result<Page<Row>>)>;

impl<Asked: RowQuery> Rows<Asked> {
    pub(super) fn new(governance: Governance, query: Asked) -> Self {
        let buffer = PageBuffer::from_page(PageRequest::first());
        Self { governance, query: Arc::new(query), buffer, reading: None }
    }

    /// The rows from this page on; its limit is how many are read at once. Defaults to the first page, 50 at once.
    pub fn from_page(self, page: PageRequest) -> Self {
        Self { buffer: PageBuffer::from_page(page), reading: None, ..self }
    }

    /// The next row, as the stream has it; `None` when there are no more.
    pub async fn next_row(&mut self) -> Option<Result<Asked::Row>> {
        poll_fn(|context| self.poll_row(context)).await
    }

    fn poll_row(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Asked::Row>>> {
        loop {
            if let Some(row) = self.buffer.pop() {
                return Poll::Ready(Some(row));
            }
            if self.reading.is_none() {
                let Some(page) = self.buffer.take_next() else { return Poll::Ready(None) };
                self.reading = Some(Box::pin(read(self.governance.clone(), Arc::clone(&self.query), page)));
            }
            if let Some(reading) = &mut self.reading {
                let (page, answer) = ready!(reading.as_mut().poll(context));
                self.reading = None;
                self.buffer.add(&page, answer);
            }
        }
    }
}

async fn read<Asked: RowQuery>(
    governance: Governance,
    query: Arc<Asked>,
    page: PageRequest,
) -> (PageRequest, Result<Page<Asked::Row>>) {
    let answer = query.read(&governance, &page).await;
    (page, answer)
}

/// Nothing in here is pinned but the boxed read.
impl<Asked: RowQuery> Unpin for Rows<Asked> {}

impl<Asked: RowQuery> Stream for Rows<Asked> {
    type Item = Result<Asked::Row>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_row(context)
    }
}
