//! A query whose requests stay as they are stored, unless a filter must check them.

use std::collections::BTreeSet;

use super::{Query, RequestQuery, SortDirection};
use crate::index::{ChosenIndexes, Condition, Conditions, Filter, KeyLayout, KeyRange, Named, Placed, SortKey};
use crate::request::{MutationRequest, RequestId, Timestamp};
use crate::stored_format::{StoredRequest, Unreadable};

/// The same query in the same order, so that both share cursors.
#[derive(Clone)]
pub(crate) struct AsStored(pub(crate) RequestQuery);

impl Conditions for AsStored {
    fn base(&self) -> Condition {
        self.0.base()
    }

    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition> {
        self.0.conditions(chosen)
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        self.0.range()
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.0.ids()
    }

    fn without(self, filters: &[Filter]) -> Self {
        Self(self.0.without(filters))
    }
}

impl Query for AsStored {
    type Part<'a> = &'a MutationRequest;
    type Row = StoredRequest;
    const LAYOUT: KeyLayout = RequestQuery::LAYOUT;

    fn rows_of<'a>(&self, request: &'a MutationRequest, now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        self.0.rows_of(request, now)
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
        let request = stored.into_request()?;
        let strays = named.strays(&request);
        let rows = self.0.rows_from(request, now, is_wanted).into_iter();
        Ok(Placed { rows: rows.map(|(key, request)| (key, request.into())).collect(), strays })
    }

    fn is_without_filters(&self) -> bool {
        self.0.is_without_filters()
    }

    fn is_for_a_viewer(&self) -> bool {
        self.0.is_for_a_viewer()
    }

    fn direction(&self) -> SortDirection {
        self.0.direction()
    }

    fn fingerprint(&self) -> [u8; 8] {
        self.0.fingerprint()
    }
}
