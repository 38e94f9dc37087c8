use std::collections::BTreeMap;

use super::{Cursor, Fingerprint, Page, PageRequest, Query, SortDirection, SortKey, Unreadable};
use crate::error::Result;
use crate::request::{MutationRequest, Timestamp};

/// The page a query gives over these requests, which is what every store has to give over the same ones.
///
/// `store` names where the requests are from: a cursor of one store is refused by another. `scanned` counts the requests
/// looked at. At most one page of keys is held at a time, whatever the number of requests.
///
/// # Errors
/// [`Error::InvalidCursor`](crate::Error::InvalidCursor) when the page's cursor came from another query or store.
pub fn evaluate<'a, Q: Query>(
    query: &Q,
    requests: impl IntoIterator<Item = &'a MutationRequest>,
    page: &PageRequest,
    store: &str,
    now: Timestamp,
) -> Result<Page<Q::Row>> {
    evaluate_with(query, requests, Vec::new(), page, store, now)
}

/// The same where some requests cannot be read. Each is named once, as a row of the page: when it was filed cannot be told, so
/// it stands where one filed at the beginning of time would.
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
    let fingerprint = Fingerprint::of(&[store.as_bytes(), &query.fingerprint()]);
    let after = page.cursor().map(|cursor| cursor.position(fingerprint).map(SortKey::from_bytes)).transpose()?;
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
        // One row more than the page holds tells whether another page follows.
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
