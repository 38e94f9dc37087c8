//! Queries of the layout that this one replaces.

use mutator_governance::{PendingReason, RequestDocument, RequestId, StateId, Status};
use redis::Commands as _;

use super::{SeedLayout, parse};

/// What a query of this layout reads: the first of these that is given, else every request.
#[derive(Default)]
pub(crate) struct Filter {
    pub(crate) ids: Vec<RequestId>,
    pub(crate) reasons: Vec<PendingReason>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) states: Vec<StateId>,
}

impl SeedLayout {
    /// One request, decoded.
    pub(crate) fn get(&mut self, id: &RequestId) -> Option<RequestDocument> {
        let key = self.key("document", id);
        let json: Option<Vec<u8>> = self.connection.get(key).unwrap();
        json.map(|json| parse(&json))
    }

    /// Every request of the chosen sets that also `matches`, by created time and id.
    pub(crate) fn query(
        &mut self,
        filter: &Filter,
        matches: impl Fn(&RequestDocument) -> bool,
    ) -> Vec<RequestDocument> {
        let ids = self.candidates(filter);
        if ids.is_empty() {
            return Vec::new();
        }
        let keys: Vec<String> = ids.iter().map(|id| format!("{}:document:{id}", self.prefix)).collect();
        let documents: Vec<Option<Vec<u8>>> = redis::cmd("MGET").arg(keys).query(&mut self.connection).unwrap();
        let read = documents.iter().flatten().map(|json| parse(json));
        let mut found: Vec<RequestDocument> = read.filter(matches).collect();
        found.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        found
    }

    fn candidates(&mut self, filter: &Filter) -> Vec<String> {
        if !filter.ids.is_empty() {
            return filter.ids.iter().map(ToString::to_string).collect();
        }
        let sets: Vec<String> = if !filter.reasons.is_empty() {
            filter.reasons.iter().map(|reason| self.reason_set(*reason)).collect()
        } else if !filter.statuses.is_empty() {
            filter.statuses.iter().map(|status| self.status_set(*status)).collect()
        } else if !filter.states.is_empty() {
            filter.states.iter().map(|state| self.set("state", state.as_str())).collect()
        } else {
            vec![self.set("all", "")]
        };
        match &sets[..] {
            [one] => self.connection.smembers(one).unwrap(),
            many => self.connection.sunion(many).unwrap(),
        }
    }
}
