//! A query whose requests stay as they are stored, unless a filter must check them.

use std::collections::BTreeSet;

use super::{Query, RequestQuery, SortDirection};
use crate::index::{ChosenIndexes, Condition, Conditions, Filter, KeyLayout, KeyRange, Named, Placed, SortKey};
use crate::request::{MutationRequest, RequestId, Timestamp};
use crate::stored_format::{StoredRequest, Unreadable};

/// The same query in the same order, so that both share cursors.
#[derive(Clone)]
pub(crate) struct AsStored {
    query: RequestQuery,
    /// Whether a request that had to be decoded for a filter is handed on with its bytes all the same.
    keeps_bytes: bool,
}

impl AsStored {
    pub(crate) fn decoded_where_needed(query: &RequestQuery) -> Self {
        Self { query: query.clone(), keeps_bytes: false }
    }

    pub(crate) fn keeping_bytes(query: &RequestQuery) -> Self {
        Self { query: query.clone(), keeps_bytes: true }
    }
}

impl Conditions for AsStored {
    fn base(&self) -> Condition {
        self.query.base()
    }

    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition> {
        self.query.conditions(chosen)
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        self.query.range()
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.query.ids()
    }

    fn without(self, filters: &[Filter]) -> Self {
        Self { query: self.query.without(filters), ..self }
    }
}

impl Query for AsStored {
    type Part<'a> = &'a MutationRequest;
    type Row = StoredRequest;
    const LAYOUT: KeyLayout = RequestQuery::LAYOUT;

    fn rows_of<'a>(&self, request: &'a MutationRequest, now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        self.query.rows_of(request, now)
    }

    fn row(part: Self::Part<'_>) -> StoredRequest {
        part.clone().into()
    }

    fn rows_from_stored(
        &self,
        named: &Named<'_>,
        stored: StoredRequest,
        is_certain: bool,
        now: Timestamp,
        is_wanted: impl Fn(&SortKey) -> bool,
    ) -> Result<Placed<StoredRequest>, Unreadable> {
        // An index may name the request under another time as well, where it has no place.
        let own = named.created().filter(|(_, created)| is_certain && stored.created() == Some(*created));
        if let Some((key, _)) = own {
            return Ok(Placed { rows: vec![(key.clone(), stored)], strays: Vec::new() });
        }
        if self.keeps_bytes {
            let request = stored.request()?;
            let strays = named.strays(&request);
            let rows = self.query.rows_from(request, now, is_wanted).into_iter();
            return Ok(Placed { rows: rows.map(|(key, _)| (key, stored.clone())).collect(), strays });
        }
        let request = stored.into_request()?;
        let strays = named.strays(&request);
        let rows = self.query.rows_from(request, now, is_wanted).into_iter();
        Ok(Placed { rows: rows.map(|(key, request)| (key, request.into())).collect(), strays })
    }

    fn is_without_filters(&self) -> bool {
        self.query.is_without_filters()
    }

    fn is_for_a_viewer(&self) -> bool {
        self.query.is_for_a_viewer()
    }

    fn direction(&self) -> SortDirection {
        self.query.direction()
    }

    fn fingerprint(&self) -> [u8; 8] {
        self.query.fingerprint()
    }
}
