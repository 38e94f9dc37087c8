//! The page of a query over given requests, which every store must return.

use std::collections::BTreeMap;

use super::{Cursor, Fingerprint, Page, PageRequest, Query, SortDirection};
use crate::error::Result;
use crate::index::SortKey;
use crate::request::{MutationRequest, Timestamp};
use crate::stored_format::Unreadable;

/// The page of a query over these requests, in order, with the cursor to the next page. Every store must return the
/// same page over the same requests.
///
/// `store` identifies the store, so that a cursor of another store is an error. `scanned` counts the requests read.
/// Holds at most one page of keys at a time, whatever the number of requests.
///
/// Use it to make the pages of your own store. You may leave out requests that cannot be on the page: those that your
/// indexes rule out, those before the [`page_start`], and those after the first `limit + 1` rows that the query
/// matches.
///
/// # Errors
/// [`Error::InvalidCursor`](crate::Error::InvalidCursor) if the page's cursor came from another query or store.
pub fn evaluate<'a, Q: Query>(
    query: &Q,
    requests: impl IntoIterator<Item = &'a MutationRequest>,
    page: &PageRequest,
    store: &str,
    now: Timestamp,
) -> Result<Page<Q::Row>> {
    evaluate_with(query, requests, Vec::new(), page, store, now)
}

/// The same, with requests that cannot be read. Each is reported once, as a row of the page. Its created time is
/// unknown, so it sorts as if submitted at the beginning of time.
///
/// # Errors
/// As [`evaluate`].
pub(crate) fn evaluate_with<'a, Q: Query>(
    query: &Q,
    requests: impl IntoIterator<Item = &'a MutationRequest>,
    unreadable: Vec<Unreadable>,
    page: &PageRequest,
    store: &str,
    now: Timestamp,
) -> Result<Page<Q::Row>> {
    let fingerprint = fingerprint(query, store);
    let after = page_start(query, page, store)?;
    let direction = query.direction();
    let is_after = |key: &SortKey| match (&after, direction) {
        (None, _) => true,
        (Some(after), SortDirection::Ascending) => key > after,
        (Some(after), SortDirection::Descending) => key < after,
    };

    let mut scanned = 0;
    let mut nearest = BTreeMap::new();
    let mut add = |key: SortKey, row| {
        if !is_after(&key) {
            return;
        }
        nearest.insert(key, row);
        // One row more than the page holds shows whether another page follows.
        if nearest.len() > page.limit() + 1 {
            let _farthest = match direction {
                SortDirection::Ascending => nearest.pop_last(),
                SortDirection::Descending => nearest.pop_first(),
            };
        }
    };
    for unreadable in unreadable {
        add(SortKey::created(Timestamp::MIN, &unreadable.id), Err(unreadable));
    }
    for request in requests {
        scanned += 1;
        query.rows_of(request, now).into_iter().for_each(|(key, part)| add(key, Ok(part)));
    }

    let has_more = nearest.len() > page.limit();
    let mut rows: Vec<_> = nearest.into_iter().collect();
    if direction == SortDirection::Descending {
        rows.reverse();
    }
    rows.truncate(page.limit());
    let next = rows.last().filter(|_| has_more).map(|(key, _)| Cursor::new(fingerprint, key.as_bytes()));
    let mut page = Page::new(Vec::with_capacity(rows.len()), next, scanned);
    for (_, row) in rows {
        match row {
            Ok(part) => page.items.push(Q::row(part)),
            Err(unreadable) => page.unreadable.push(unreadable),
        }
    }
    Ok(page)
}

/// The key after which the page begins in the order of the query; `None` if it begins with the first row.
///
/// # Errors
/// [`Error::InvalidCursor`](crate::Error::InvalidCursor) if the page's cursor came from another query or store.
pub fn page_start<Q: Query>(query: &Q, page: &PageRequest, store: &str) -> Result<Option<SortKey>> {
    let position = |cursor: &Cursor| cursor.position(fingerprint(query, store)).map(SortKey::from_bytes);
    page.cursor().map(position).transpose()
}

fn fingerprint<Q: Query>(query: &Q, store: &str) -> Fingerprint {
    Fingerprint::of(&[store.as_bytes(), &query.fingerprint()])
}
