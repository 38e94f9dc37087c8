//! What is too large is refused before it is sent.

use mutator_governance::{
    ActorContext, DocumentLimit, Error, Intent, MutationRequest, Outcome, RequestDraft, Tag, Target, WriteId,
};

use crate::redis_support::requests::{draft, file, id, moved_on, pending, second};
use crate::redis_support::{Flavour, Options, Raw};
use crate::support::{PrivateServer, unique_namespace};

#[test]
fn an_oversize_document_is_refused_before_it_is_sent() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("large")).limit(DocumentLimit::of_bytes(2_000));
        let store = flavour.open(&options).unwrap();
        let small = store.create(pending("small", "s", second(0))).unwrap();
        let writes = |raw: &mut Raw| -> Vec<u64> {
            let counts = raw.command_counts();
            ["evalsha", "eval", "set", "get"].iter().map(|name| counts.get(*name).copied().unwrap_or(0)).collect()
        };
        let before = writes(&mut raw);
        let payload = mutator_governance::Payload::new("application/json", vec![b'1'; 4_000]).unwrap();
        let large = file(draft("large", "s").with_payload(payload.clone()), second(0));
        let error = store.create(large).unwrap_err();
        assert!(matches!(&error, Error::TooLarge { id, limit: 2_000, .. } if *id == "large"), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
        let mut document = moved_on(small.clone(), second(1)).into_document();
        document.payload = Some(payload);
        let grown = MutationRequest::from_document(document, small.revision()).unwrap();
        let error = store.update(grown, WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
        assert_eq!(writes(&mut raw), before, "{flavour:?} sent it");
    }
}

#[test]
fn a_request_with_more_index_entries_than_a_script_should_write_is_refused_before_it_is_sent() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("entries"));
        let store = flavour.open(&options).unwrap();
        let tagged = |count: usize| {
            let mut intent = Intent::new("grant-role", "Access").unwrap();
            intent.tags = (0..count).map(|tag| Tag::new(format!("tag-{tag}")).unwrap()).collect();
            let target = Target::new("s", "Tenant", "RoleGrant").unwrap();
            file(RequestDraft::new(target, intent, ActorContext::user("rita").unwrap()).with_id(id("r")), second(0))
        };
        let keys = raw.ask::<u64>(&["DBSIZE"]);
        let error = store.create(tagged(70_000)).unwrap_err();
        assert!(
            matches!(&error, Error::TooManyEntries { id, entries: 70_000.., limit, .. } if *id == "r" && *limit < 70_000),
            "{error:?}"
        );
        assert_eq!(raw.ask::<u64>(&["DBSIZE"]), keys, "{flavour:?} wrote something");
        let request = store.create(tagged(2_000)).unwrap();
        assert_eq!(store.get(&request.id).unwrap(), Some(request), "{flavour:?}");
    }
}
