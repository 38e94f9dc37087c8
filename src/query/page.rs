//! Pages: which one is asked for, what it holds, and what was looked up by ids.

use serde::{Deserialize, Serialize};

use super::Cursor;
use crate::error::{InvalidValue, Outcome, Result, StoreError, StoreErrorKind};
use crate::request::{MutationRequest, RequestId};
use crate::stored_format::Unreadable;

/// Which page is asked for: how long it may be, and behind what it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct PageRequest {
    limit: usize,
    after: Option<Cursor>,
}

/// One page of results, in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The results; fewer than the limit when there are no more, or when the call's work budget ended.
    pub items: Vec<T>,
    /// Where to go on; `None` when this was the last page.
    pub next: Option<Cursor>,
    /// How many index entries were looked at for this page.
    pub scanned: u64,
    /// Requests that belong on this page but cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// What was found under several ids, in the order of the ids.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lookup {
    /// The request under each id; `None` where there is none, or where it is unreadable.
    pub requests: Vec<Option<MutationRequest>>,
    /// Requests that exist but cannot be read.
    pub unreadable: Vec<Unreadable>,
}

impl PageRequest {
    /// The longest page.
    pub const MAX_LIMIT: usize = 1_000;
    /// The length of a page for which no other is asked.
    pub const DEFAULT_LIMIT: usize = 50;

    /// The first page, of at most [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT) results.
    pub const fn first() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, after: None }
    }

    /// The first page, of at most `limit` results.
    ///
    /// # Errors
    /// [`InvalidValue`] when the limit is 0 or greater than [`MAX_LIMIT`](Self::MAX_LIMIT).
    pub fn of(limit: usize) -> Result<Self, InvalidValue> {
        if limit == 0 || limit > Self::MAX_LIMIT {
            let problem = format!("of {limit}; it must be 1 to {}", Self::MAX_LIMIT);
            return Err(InvalidValue::new("page limit", problem));
        }
        Ok(Self { limit, after: None })
    }

    /// The first page, as long as a page may be.
    pub const fn longest() -> Self {
        Self { limit: Self::MAX_LIMIT, after: None }
    }

    /// The page behind this cursor.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// The page that follows this one, of which this came back as the next cursor; none at the end.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`] when that is where this page began: reading on would never end.
    pub(crate) fn going_on(&self, next: Option<Cursor>) -> Result<Option<Self>> {
        let Some(next) = next else { return Ok(None) };
        if self.after.as_ref() == Some(&next) {
            let problem = "the store gave a page that goes on where it began, so that reading on would never end; look for \
                           what is wrong with its indexes, in Redis by RedisStore::verify";
            return Err(StoreError::new(StoreErrorKind::Corrupt, Outcome::NotApplied, problem).into());
        }
        Ok(Some(self.clone().after(next)))
    }

    /// How many results the page may have.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Behind what the page begins; `None` for the first page.
    pub const fn cursor(&self) -> Option<&Cursor> {
        self.after.as_ref()
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::first()
    }
}

impl<T> Page<T> {
    /// The results and where to go on, for those who write a store of their own.
    pub const fn new(items: Vec<T>, next: Option<Cursor>, scanned: u64) -> Self {
        Self { items, next, scanned, unreadable: Vec::new() }
    }

    /// The same page of what `change` makes of each result.
    pub fn map<Other>(self, change: impl FnMut(T) -> Other) -> Page<Other> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
            scanned: self.scanned,
            unreadable: self.unreadable,
        }
    }
}

impl Lookup {
    /// What was found, for those who write a store of their own.
    pub const fn new(requests: Vec<Option<MutationRequest>>, unreadable: Vec<Unreadable>) -> Self {
        Self { requests, unreadable }
    }
}

/// Refuses more ids to look up than a page may have, as every store has to.
///
/// # Errors
/// [`InvalidValue`] when there are more than [`PageRequest::MAX_LIMIT`].
pub fn check_id_count(ids: &[RequestId]) -> Result<(), InvalidValue> {
    if ids.len() > PageRequest::MAX_LIMIT {
        let problem = format!("are {}; at most {} are looked up at once", ids.len(), PageRequest::MAX_LIMIT);
        return Err(InvalidValue::new("request ids", problem));
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Fields {
    limit: usize,
    after: Option<Cursor>,
}

impl TryFrom<Fields> for PageRequest {
    type Error = InvalidValue;
    fn try_from(fields: Fields) -> Result<Self, InvalidValue> {
        Ok(Self { after: fields.after, ..Self::of(fields.limit)? })
    }
}

impl From<PageRequest> for Fields {
    fn from(page: PageRequest) -> Self {
        Self { limit: page.limit, after: page.after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_goes_on_where_it_began_ends_the_walk() {
        let cursor = |place: &[u8]| Cursor::new(crate::query::Fingerprint::of(&[]), place);
        let page = PageRequest::of(2).unwrap().after(cursor(b"a"));
        assert_eq!(page.going_on(None).unwrap(), None);
        let next = page.going_on(Some(cursor(b"b"))).unwrap().unwrap();
        assert_eq!((next.limit(), next.cursor()), (2, Some(&cursor(b"b"))));
        let error = page.going_on(Some(cursor(b"a"))).unwrap_err();
        assert!(matches!(error, crate::Error::Store(error) if error.kind == StoreErrorKind::Corrupt));
    }

    #[test]
    fn a_limit_is_1_to_1000() {
        for bad in [0, 1_001] {
            assert!(PageRequest::of(bad).is_err());
            assert!(serde_json::from_str::<PageRequest>(&format!(r#"{{"limit":{bad},"after":null}}"#)).is_err());
        }
        for good in [1, 1_000] {
            assert_eq!(PageRequest::of(good).unwrap().limit(), good);
        }
        assert_eq!(PageRequest::first().limit(), 50);
    }
}
