//! The query for requests that an executor can take now.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::filter::sentence;
use super::{Query, QueryDigest, RequestQuery};
use crate::index::{
    ChosenIndexes, Condition, Conditions, Dimension, Filter, KeyLayout, KeyRange, ReadyTerm, SortKey, Term,
};
use crate::request::{MutationRequest, RequestId, Timestamp};
use crate::workflow::{is_ready_at, ready_at};

/// A query for requests that are ready to be executed, in the order in which they became ready, then by id.
///
/// A request is ready when it is approved, its [time](crate::RequestDraft::not_before) has come, its approval is
/// [valid](crate::RequestDraft::valid_for), and no executor holds it by a lease that lasts. It became so at
/// [`ready_at`](crate::workflow::ready_at).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "ReadyFilters", into = "ReadyFilters")]
pub struct ReadyQuery {
    request: RequestQuery,
}

/// A struct of its own, because reading drops the order of a saved query.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
struct ReadyFilters {
    #[serde(skip_serializing_if = "RequestQuery::finds_all")]
    request: RequestQuery,
}

/// A [`ReadyQuery`] at one time: what a store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyAt {
    request: RequestQuery,
    time: Timestamp,
}

impl ReadyQuery {
    /// All ready requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only requests that also match this query; its order is ignored.
    pub fn of_requests(request: RequestQuery) -> Self {
        Self { request: request.without_order() }
    }

    /// The query for what is ready at this time, for authors of stores.
    pub fn at(&self, time: Timestamp) -> ReadyAt {
        ReadyAt { request: self.request.clone(), time }
    }

    /// Whether this query finds the request at this time.
    pub fn matches(&self, request: &MutationRequest, now: Timestamp) -> bool {
        is_ready_at(request, now) && self.request.matches(request)
    }

    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only the Redis store counts by its indexes"))]
    pub(crate) fn finds_all(&self) -> bool {
        self.request.finds_all()
    }
}

impl Query for ReadyAt {
    type Part<'a> = &'a MutationRequest;
    type Row = MutationRequest;
    const LAYOUT: KeyLayout = KeyLayout::Ready;

    fn rows_of<'a>(&self, request: &'a MutationRequest, _now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        let ready = ready_at(request).filter(|_| is_ready_at(request, self.time) && self.request.matches(request));
        let key = |ready| SortKey::ready(ready, &request.id, request.created_at);
        ready.map(|ready| (key(ready), request)).into_iter().collect()
    }

    fn row(part: Self::Part<'_>) -> MutationRequest {
        part.clone()
    }

    fn rows_from(
        &self,
        request: MutationRequest,
        now: Timestamp,
        is_wanted: impl Fn(&SortKey) -> bool,
    ) -> Vec<(SortKey, MutationRequest)> {
        let key = self.rows_of(&request, now).pop().map(|(key, _)| key).filter(is_wanted);
        key.map(|key| (key, request)).into_iter().collect()
    }

    /// Leaves the time out: a later time only makes the same list longer, so a cursor stays valid.
    fn fingerprint(&self) -> [u8; 8] {
        let mut digest = QueryDigest::of("ready");
        self.request.feed(&mut digest);
        digest.finish()
    }
}

impl Conditions for ReadyAt {
    fn base(&self) -> Condition {
        let terms = [ReadyTerm::Open, ReadyTerm::Claimed].map(ReadyTerm::as_str);
        Condition::driving(terms.map(|text| Term::new(Dimension::Ready, text)), [])
    }

    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition> {
        self.request.conditions(chosen)
    }

    fn range(&self) -> Option<(KeyRange, Filter)> {
        Some((KeyRange::due_by(self.time), Filter::named("ReadyQuery::at")))
    }

    fn ids(&self) -> Option<&BTreeSet<RequestId>> {
        self.request.ids()
    }

    fn without(self, filters: &[Filter]) -> Self {
        Self { request: self.request.without(filters), ..self }
    }
}

impl From<ReadyFilters> for ReadyQuery {
    fn from(filters: ReadyFilters) -> Self {
        Self::of_requests(filters.request)
    }
}

impl From<ReadyQuery> for ReadyFilters {
    fn from(query: ReadyQuery) -> Self {
        Self { request: query.request }
    }
}

impl fmt::Display for ReadyQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec!["ready to be executed".to_owned()];
        parts.extend(self.request.clauses());
        sentence(f, "requests", &parts, &"first ready first")
    }
}

impl fmt::Display for ReadyAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ReadyQuery { request: self.request.clone() }.fmt(f)
    }
}
