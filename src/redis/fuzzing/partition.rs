//! A partition in memory, scanned as the script scans one.

use std::collections::{BTreeMap, BTreeSet};

use crate::index::in_memory::Indexes;
use crate::index::{ChosenIndexes, KeyRange, SortKey, Term};
use crate::redis::pages::scan::{Scan, Scanned};
use crate::request::{IdComparison, MutationRequest, RequestId};
use crate::stored_format::{self, DocumentLimit, StoredRequest, Unreadable};

/// One partition of a simulated server: its indexes, and its requests, some of them unreadable.
#[derive(Default)]
pub(in crate::redis) struct Partition {
    indexes: Indexes,
    requests: BTreeMap<RequestId, Result<MutationRequest, Unreadable>>,
}

impl Partition {
    /// Stores the result of reading a request, under the keys of its submission.
    pub(in crate::redis) fn submit(
        &mut self,
        request: &MutationRequest,
        chosen: &ChosenIndexes,
        read: Result<MutationRequest, Unreadable>,
    ) {
        self.indexes.add(request, chosen);
        self.requests.insert(request.id.clone(), read);
    }

    /// How many keys of a term lie in a range.
    pub(super) fn count(&self, term: &Term, range: &KeyRange) -> usize {
        self.indexes.keys_of(term).filter(|key| range.contains(key)).count()
    }

    /// The result of scan.lua, one member after the other.
    pub(in crate::redis) fn serve(&self, scan: &Scan<'_>, budget: usize) -> Scanned {
        let layout = scan.layout;
        let mut along: Vec<&SortKey> = scan.driver.iter().flat_map(|term| self.indexes.keys_of(term)).collect();
        along.sort();
        along.dedup();
        if scan.descending {
            along.reverse();
        }
        let (mut members, mut position, mut looked_at, mut more) = (Vec::new(), Vec::new(), 0, false);
        for key in along.into_iter().filter(|key| scan.holds(key)) {
            if looked_at == budget || members.len() == scan.limit {
                more = true;
                break;
            }
            looked_at += 1;
            position = key.as_bytes().to_vec();
            let is_met = |(terms, by_row): &(&BTreeSet<Term>, bool)| {
                let sought = if *by_row { Some(key.clone()) } else { layout.request_key(key) };
                self.indexes.holds(terms, &sought.unwrap())
            };
            if scan.probes.iter().all(is_met) {
                members.push(key.clone());
            }
        }
        let mut seen = BTreeSet::new();
        let firsts = members.iter().filter(|member| seen.insert(member.request_id().unwrap()));
        let requests = firsts
            .map(|member| (member.clone(), self.requests[&member.request_id().unwrap()].clone().and_then(stored)));
        let requests = requests.collect();
        let position = SortKey::from_bytes(position);
        Scanned { more, position, looked_at: looked_at as u64, sizes: Vec::new(), members, requests }
    }
}

/// The encoded request, as the server returns it.
fn stored(request: MutationRequest) -> Result<StoredRequest, Unreadable> {
    let bytes = stored_format::encode(request.document(), DocumentLimit::DEFAULT).expect("a small request");
    StoredRequest::encoded(
        request.id.clone(),
        request.revision(),
        bytes,
        0,
        DocumentLimit::DEFAULT,
        IdComparison::Exact,
    )
}
