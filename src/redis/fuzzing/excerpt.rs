//! Excerpts against whole documents.

use crate::index::{KeyLayout, Named, SortKey};
use crate::query::{DecisionQuery, InboxQuery, PendingApprovalQuery, Query};
use crate::request::{ActorContext, IdComparison, MutationRequest, RequestId, Revision, Timestamp, WriteId};
use crate::stored_format::{DocumentLimit, FormatVersion, StoredRequest, Unreadable, envelope_around};

const LIMIT: DocumentLimit = DocumentLimit::of_bytes(64 * 1024);
/// The bytes before the body in a golden vector, which is a seed.
const HEADER: usize = 16;

/// Any body of any version: if the whole can be read, rows made of parts equal those made of the whole; if not, the
/// parts give rows or an error.
pub fn excerpt(data: &[u8]) {
    let body = data.get(HEADER..).unwrap_or_default();
    let officer = ActorContext::user("officer-1").and_then(|actor| actor.with_role("manager"));
    let inbox = InboxQuery::of(&officer.expect("a valid actor")).expect("an actor with an id");
    for version in FormatVersion::all() {
        let bytes = envelope_around(version.number(), body);
        let stored = |id: &RequestId| {
            let revision = Revision::first(WriteId::from_bytes([1; 16]));
            StoredRequest::encoded(id.clone(), revision, bytes.clone(), 0, LIMIT, IdComparison::Exact)
        };
        let unknown = RequestId::new("unknown").expect("a valid id");
        let id = crate::stored_format::decode(&bytes, LIMIT).map_or(unknown, |document| document.id);
        let Ok(stored) = stored(&id) else { continue };
        agrees(&DecisionQuery::new(), &stored);
        agrees(&PendingApprovalQuery::new(), &stored);
        agrees(&inbox, &stored);
    }
}

/// As if an index had answered the query, for every row and for every other row.
fn agrees<Q: Query<Row: PartialEq + std::fmt::Debug>>(query: &Q, stored: &StoredRequest) {
    let now = Timestamp::MIN;
    let every = |_: &SortKey| true;
    let some = |key: &SortKey| key.as_bytes().iter().fold(0, |sum, byte| sum ^ byte) % 2 == 0;
    let whole: Result<MutationRequest, Unreadable> = stored.clone().into_request();
    for is_wanted in [every as fn(&SortKey) -> bool, some] {
        let member = key_of(stored);
        let named = Named::new(KeyLayout::Created, vec![&member]);
        let by_parts = query.rows_from_stored(&named, stored.clone(), true, now, is_wanted);
        if let Ok(whole) = whole.clone() {
            let rows = query.rows_from(whole, now, is_wanted);
            assert_eq!(by_parts.expect("what is read whole is read by parts").rows, rows);
        }
    }
}

fn key_of(stored: &StoredRequest) -> SortKey {
    SortKey::from_bytes(stored.id().as_str())
}
