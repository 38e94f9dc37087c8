//! Rows as an iterator.

use super::engine::{Governance, PageBuffer, RowQuery};
use crate::error::Result;
use crate::query::PageRequest;

/// All rows of a query, read page after page as they are taken.
///
/// Changes in between make no row repeat, and hide none that stayed put. A request that cannot be read comes as
/// [`Error::Unreadable`](crate::Error::Unreadable) after the rows of its page, and the rest follows; any other error ends the
/// rows.
#[must_use = "rows are read as they are taken"]
pub struct Rows<Asked: RowQuery> {
    governance: Governance,
    query: Asked,
    buffer: PageBuffer<Asked::Row>,
}

impl<Asked: RowQuery> Rows<Asked> {
    pub(super) const fn new(governance: Governance, query: Asked) -> Self {
        Self { governance, query, buffer: PageBuffer::from_page(PageRequest::first()) }
    }

    /// The rows from this page on; its limit is how many are read at once. Defaults to the first page, 50 at once.
    pub fn from_page(self, page: PageRequest) -> Self {
        Self { buffer: PageBuffer::from_page(page), ..self }
    }

    /// The next row, as the iterator has it; `None` when there are no more.
    pub fn next_row(&mut self) -> Option<Result<Asked::Row>> {
        self.next()
    }
}

impl<Asked: RowQuery> Iterator for Rows<Asked> {
    type Item = Result<Asked::Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.buffer.pop() {
                return Some(row);
            }
            let page = self.buffer.take_next()?;
            let answer = self.query.read(&self.governance, &page);
            self.buffer.add(&page, answer);
        }
    }
}
