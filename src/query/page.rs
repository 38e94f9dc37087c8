//! Pages: the request for one, its content, and lookups by ids.

use serde::{Deserialize, Serialize};

use super::{Cursor, MissingPart, MissingPartition};
use crate::error::{InvalidValue, Outcome, Result, StoreError, StoreErrorKind};
use crate::removal::Tombstone;
use crate::request::{MutationRequest, RequestId};
use crate::stored_format::Unreadable;

/// A request for a page: its limit, and the cursor it begins after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Fields", into = "Fields")]
pub struct PageRequest {
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Cursor>,
}

/// One page of results, in order.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Page<T> {
    /// The results; fewer than the limit if there are no more, or if the call used up its work budget.
    pub items: Vec<T>,
    /// Where the next page begins; `None` for the last page, and where only what is [missing](Self::missing) is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
    /// How many index entries the store read for this page.
    pub scanned: u64,
    /// Requests that belong on this page but cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// What the page lacks because a part of the store does not answer. Only a store that is to return partial pages has
    /// any; it is not the last page then, whatever [`next`](Self::next) says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingPart>,
}

/// The requests found for several ids, in the order of the ids.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Lookup {
    /// The request of each id; `None` if it does not exist, was removed or is unreadable.
    pub requests: Vec<Option<MutationRequest>>,
    /// Requests that exist but cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// What is left of requests that were removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Tombstone>,
    /// The ids whose partitions did not answer: whether these requests exist is not known. Only a store that is to return
    /// partial results has any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<RequestId>,
    /// The partitions that did not answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingPartition>,
}

impl PageRequest {
    /// The greatest limit.
    pub const MAX_LIMIT: usize = 1_000;
    /// The default limit.
    pub const DEFAULT_LIMIT: usize = 50;

    /// The first page, of at most [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT) results.
    pub const fn first() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, after: None }
    }

    /// The first page, of at most `limit` results.
    ///
    /// # Errors
    /// [`InvalidValue`] if the limit is 0 or greater than [`MAX_LIMIT`](Self::MAX_LIMIT).
    pub fn of(limit: usize) -> Result<Self, InvalidValue> {
        if limit == 0 || limit > Self::MAX_LIMIT {
            let problem = format!("of {limit}; it must be 1 to {}", Self::MAX_LIMIT);
            return Err(InvalidValue::new("page limit", problem));
        }
        Ok(Self { limit, after: None })
    }

    /// The first page, of at most [`MAX_LIMIT`](Self::MAX_LIMIT) results.
    pub const fn longest() -> Self {
        Self { limit: Self::MAX_LIMIT, after: None }
    }

    /// The page after this cursor.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// The page after this one, which returned `next` as its cursor; `None` at the end.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`] if `next` is where this page began: reading would never end.
    pub(crate) fn going_on(&self, next: Option<Cursor>) -> Result<Option<Self>> {
        let Some(next) = next else { return Ok(None) };
        if self.after.as_ref() == Some(&next) {
            let problem = "the store returned a page whose next cursor is where the page began, so reading would never end; \
                           check its indexes, in Redis with RedisStore::verify";
            return Err(StoreError::new(StoreErrorKind::Corrupt, Outcome::NotApplied, problem).into());
        }
        Ok(Some(self.clone().after(next)))
    }

    /// The greatest number of results.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// The cursor that the page begins after; `None` for the first page.
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
    /// A page of these results, for those who write a store.
    pub const fn new(items: Vec<T>, next: Option<Cursor>, scanned: u64) -> Self {
        Self { items, next, scanned, unreadable: Vec::new(), missing: None }
    }

    /// The same page with `change` applied to each result.
    pub fn map<Other>(self, change: impl FnMut(T) -> Other) -> Page<Other> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
            scanned: self.scanned,
            unreadable: self.unreadable,
            missing: self.missing,
        }
    }
}

impl Lookup {
    /// A lookup with these results, for those who write a store.
    pub const fn new(requests: Vec<Option<MutationRequest>>, unreadable: Vec<Unreadable>) -> Self {
        Self { requests, unreadable, removed: Vec::new(), unknown: Vec::new(), missing: Vec::new() }
    }

    /// The same lookup with what is left of removed requests, for those who write a store.
    #[must_use]
    pub fn with_removed(mut self, removed: Vec<Tombstone>) -> Self {
        self.removed = removed;
        self
    }
}

/// Checks the number of ids of a lookup, as every store must.
///
/// # Errors
/// [`InvalidValue`] if there are more than [`PageRequest::MAX_LIMIT`].
pub fn check_id_count(ids: &[RequestId]) -> Result<(), InvalidValue> {
    if ids.len() > PageRequest::MAX_LIMIT {
        let problem = format!("are {}; at most {} are looked up at once", ids.len(), PageRequest::MAX_LIMIT);
        return Err(InvalidValue::new("request ids", problem));
    }
    Ok(())
}

/// Checks the number of records that a store is to import at once, for authors of stores.
///
/// # Errors
/// [`InvalidValue`] if there are more than [`PageRequest::MAX_LIMIT`].
pub fn check_import_count(records: usize) -> Result<(), InvalidValue> {
    if records > PageRequest::MAX_LIMIT {
        let problem = format!("are {records}; at most {} are imported at once", PageRequest::MAX_LIMIT);
        return Err(InvalidValue::new("records", problem));
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default = "default_limit")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 1, max = 1_000)))]
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Cursor>,
}

const fn default_limit() -> usize {
    PageRequest::DEFAULT_LIMIT
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
