//! Lists page by page.

use clap::Args;
use mutator_governance::{Cursor, Error, Page, PageRequest};
use serde::Serialize;

use crate::failure::Failure;
use crate::session::{Session, note};
use crate::text;

/// Which page.
#[derive(Args)]
pub(crate) struct Paging {
    /// How many rows at most, 1 to 1,000
    #[arg(long, short = 'l', value_name = "NUMBER", default_value_t = PageRequest::DEFAULT_LIMIT)]
    limit: usize,

    /// Goes on after a page, with the cursor that it named
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,

    /// All pages, one after the other
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// A kind of rows: their heading, and the cells of one.
pub(crate) struct Columns<T> {
    pub(crate) of: &'static str,
    pub(crate) head: &'static [&'static str],
    pub(crate) cells: fn(&T) -> Vec<String>,
}

impl Paging {
    /// Prints the rows of one page, or of all. Those that cannot be read are named, and make the call fail at its end.
    pub(crate) fn print<T: Serialize>(
        &self,
        session: &mut Session,
        columns: &Columns<T>,
        mut read: impl FnMut(&PageRequest) -> Result<Page<T>, Error>,
    ) -> Result<(), Failure> {
        let mut next = if self.all { PageRequest::longest() } else { PageRequest::of(self.limit)? };
        if let Some(cursor) = &self.after {
            next = next.after(cursor.clone());
        }
        let (mut unreadable, mut is_first) = (0, true);
        loop {
            let page = read(&next)?;
            for one in &page.unreadable {
                note(format_args!("request {} cannot be read: {}", one.id, one.error));
                unreadable += 1;
            }
            if session.is_json() {
                page.items.iter().try_for_each(|row| session.json_line(row))?;
            } else if is_first || !page.items.is_empty() {
                session.print(text::table(columns.head, page.items.iter().map(columns.cells).collect()))?;
            }
            is_first = false;
            match page.next.filter(|cursor| next.cursor() != Some(cursor)) {
                Some(cursor) if self.all => next = next.after(cursor),
                Some(cursor) => {
                    note(format_args!("there are more: --after {cursor}"));
                    break;
                }
                None => break,
            }
        }
        match unreadable {
            0 => Ok(()),
            number => {
                let number = text::count(number, columns.of);
                Err(Failure::Incomplete(format!("{number} cannot be read: see mutatorctl inspect, and verify")))
            }
        }
    }
}
