//! What has to hold for any cursor. Run by the fuzzers, and on stable by `tests/format/fuzz_corpus.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mutator_governance::for_stores::{Query, evaluate};
use mutator_governance::workflow::submit;
use mutator_governance::{
    ActorContext, Cursor, Error, Intent, MutationRequest, Page, PageRequest, RequestDraft, RequestId, RequestQuery,
    SortDirection, Target, Timestamp, WriteId,
};

/// The version of cursors, then what a cursor is bound to; the place in the order follows, then a checksum.
const HEAD: usize = 1 + 8;

/// Any text: read and printed back the same, or rejected. Any place in the order: it leads on right behind itself in its
/// own query and store, is rejected by every other, and does not survive damage.
pub fn cursor(data: &[u8]) {
    prints_back(&String::from_utf8_lossy(data));
    let Some((&damage, position)) = data.split_first() else { return };
    let requests = [("a", 3), ("ab", 3), ("b", 3), ("a!", 200), ("c", 70_000)].map(|(id, micros)| request(id, micros));
    for direction in [SortDirection::Ascending, SortDirection::Descending] {
        let query = RequestQuery::new().in_order(direction);
        let bytes = sealed(&head(&query, &requests), position);
        let text = URL_SAFE_NO_PAD.encode(&bytes);
        let cursor = read(&text).expect("a cursor with a good checksum");
        assert_eq!(cursor.to_string(), text, "a cursor prints as other text");
        leads_on(&query, &requests, &cursor, position);
        let pending = RequestQuery::pending().in_order(direction);
        is_rejected(&page(&pending, &requests, &cursor, "store"));
        is_rejected(&page(&query, &requests, &cursor, "other store"));

        // The same bytes written in another way would be another cursor to whoever compares texts.
        for ending in ["A", "B", "E", "Q", "g", "w", "8", "_"] {
            prints_back(&format!("{}{ending}", &text[..text.len() - 1]));
        }
        prints_back(&format!("{text}="));
        prints_back(&format!("{text}=="));

        let mut damaged = bytes.clone();
        damaged[usize::from(damage) % bytes.len()] ^= 1 << (damage % 8);
        assert!(read(&URL_SAFE_NO_PAD.encode(damaged)).is_none(), "damage went unnoticed");
    }
}

fn request(id: &str, micros: u64) -> MutationRequest {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let intent = Intent::new("grant-role", "Access").unwrap();
    let draft = RequestDraft::new(target, intent, ActorContext::user("alice").unwrap());
    let now = Timestamp::from_micros(micros).unwrap();
    submit(draft, RequestId::new(id).unwrap(), WriteId::from_bytes([0; 16]), now).unwrap()
}

fn prints_back(text: &str) {
    if let Some(cursor) = read(text) {
        assert_eq!(cursor.to_string(), text, "a cursor prints as other text");
    }
}

/// An error is of the one kind that says so.
fn read(text: &str) -> Option<Cursor> {
    match text.parse() {
        Ok(cursor) => Some(cursor),
        Err(Error::InvalidCursor { problem, .. }) => {
            assert!(!problem.is_empty());
            None
        }
        Err(error) => panic!("another error: {error}"),
    }
}

/// What every cursor of this query and `store` begins with, out of one that a page gave.
fn head(query: &RequestQuery, requests: &[MutationRequest]) -> Vec<u8> {
    let first = evaluate(query, requests, &PageRequest::of(1).unwrap(), "store", Timestamp::MIN).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(first.next.expect("more than one request").to_string()).unwrap();
    bytes[..HEAD].to_vec()
}

fn sealed(head: &[u8], position: &[u8]) -> Vec<u8> {
    let body = [head, position].concat();
    let checksum = crc32fast::hash(&body).to_be_bytes();
    [body.as_slice(), &checksum].concat()
}

fn page<Q: Query>(
    query: &Q,
    requests: &[MutationRequest],
    cursor: &Cursor,
    store: &str,
) -> Result<Page<Q::Row>, Error> {
    evaluate(query, requests, &PageRequest::longest().after(cursor.clone()), store, Timestamp::MIN)
}

fn leads_on(query: &RequestQuery, requests: &[MutationRequest], cursor: &Cursor, position: &[u8]) {
    let found = page(query, requests, cursor, "store").expect("a cursor of this query");
    let key = |request: &MutationRequest| {
        [&request.created_at.as_micros().to_be_bytes(), request.id.as_str().as_bytes()].concat()
    };
    let is_ascending = query.direction() == SortDirection::Ascending;
    let is_behind = |key: &[u8]| if is_ascending { key > position } else { key < position };
    let mut behind: Vec<&MutationRequest> = requests.iter().filter(|request| is_behind(&key(request))).collect();
    behind.sort_by_key(|request| key(request));
    if !is_ascending {
        behind.reverse();
    }
    assert!(found.items.iter().eq(behind), "what is right behind the cursor");
}

fn is_rejected<T>(page: &Result<Page<T>, Error>) {
    assert!(matches!(page, Err(Error::InvalidCursor { .. })), "another query's cursor is taken");
}
