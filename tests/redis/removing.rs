//! Removing in Redis: nothing of a request stays but its tombstone, which checks and repartitions know.

use std::collections::BTreeMap;

use common::requests::{draft, id, second, submit, with_approvals};
use common::{Flavour, Options, Oracle, PrivateServer, Raw, Store, unique_namespace};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ActorContext, ArchiveName, Error, Finding, FormatError, MutationRequest, Outcome, Removal, Tombstone, WriteId,
};

fn bob() -> ActorContext {
    ActorContext::user("bob").unwrap()
}

fn ended(store: &Store, name: &str) -> MutationRequest {
    let mut request = store.create(with_approvals(name, "s", second(1))).unwrap();
    for (number, text) in ["one", "two", "three"].into_iter().enumerate() {
        let comment = workflow::apply(request, &Command::comment(bob(), text), second(2 + number as u64)).unwrap();
        request = store.update(comment, WriteId::generate()).unwrap();
    }
    let canceled = workflow::apply(request, &Command::cancel(bob()), second(9)).unwrap();
    store.update(canceled, WriteId::generate()).unwrap()
}

fn remove(store: &Store, request: &MutationRequest) -> Tombstone {
    let removal = Removal::new(bob()).at(request.revision()).archived_in(ArchiveName::new("shelf").unwrap());
    store.remove(&request.id, &removal).unwrap()
}

/// Key by key: what was there before the request came is there after it went, but for its tombstone and the feed.
#[test]
fn nothing_of_a_removed_request_stays_but_its_tombstone() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("removing"));
        let (store, mut raw) = (flavour.open(&options).unwrap(), Raw::to(server.url()));
        let oracle = Oracle::new(&options.namespace, 1);
        ended(&store, "stays");
        let feed = String::from_utf8(oracle.feed_key(0)).unwrap();
        let contents = |raw: &mut Raw| -> BTreeMap<String, Vec<u8>> {
            let mut all = raw.dump(&options.namespace);
            all.retain(|key, _| *key != feed);
            all
        };
        let before = contents(&mut raw);
        let gone = ended(&store, "gone");
        let tombstone = remove(&store, &gone);
        let mut after = contents(&mut raw);
        let key = String::from_utf8(oracle.record_key("gone")).unwrap();
        assert!(after.remove(&key).is_some(), "{flavour:?}: there is no tombstone");
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{flavour:?}");
        let documents = oracle.check(&mut raw, &store);
        oracle.check_feed_is_dense(&mut raw, &documents);
        assert_eq!(documents.keys().collect::<Vec<_>>(), ["stays"]);
        let report = store.verify().unwrap();
        assert!(report.is_clean() && (report.records, report.tombstones) == (2, 1), "{flavour:?}: {report:?}");
        let error = store.inspect(&gone.id).unwrap_err();
        assert!(matches!(&error, Error::Removed(found) if **found == tombstone), "{error:?}");
    }
}

/// An entry that names a removed request is one too many; a damaged tombstone is named.
#[test]
fn a_check_knows_tombstones() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("removing"));
        let (store, mut raw) = (flavour.open(&options).unwrap(), Raw::to(server.url()));
        let oracle = Oracle::new(&options.namespace, 1);
        let gone = ended(&store, "gone");
        let (index, member) = oracle.entries(gone.document()).remove(0);
        remove(&store, &gone);
        let _: i64 = raw.ask(&[b"ZADD".as_slice(), &index, b"0", &member]);
        let found = store.repair().unwrap().findings;
        assert!(matches!(&found[..], [Finding::ExtraEntry { id: Some(found), .. }] if *found == gone.id), "{found:?}");
        assert!(store.verify().unwrap().is_clean(), "{flavour:?}");

        let key = oracle.record_key("gone");
        let _: i64 = raw.ask(&[b"SETRANGE".as_slice(), &key, b"60", b"?"]);
        let report = store.verify().unwrap();
        let is_named =
            |finding: &Finding| matches!(finding, Finding::Unreadable { error: FormatError::DamagedHeader, .. });
        assert!(report.findings.len() == 1 && report.findings.iter().all(is_named), "{flavour:?}: {report:?}");
        let error = store.get(&gone.id).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
        let error = store.create(submit(draft("gone", "s"), second(1))).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }
}

#[test]
fn a_repartition_moves_tombstones() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("removing"));
        let (store, mut raw) = (flavour.open(&options).unwrap(), Raw::to(server.url()));
        let names: Vec<String> = (0..12).map(|number| format!("r{number}")).collect();
        let requests: Vec<MutationRequest> = names.iter().map(|name| ended(&store, name)).collect();
        let removed: Vec<Tombstone> = requests.iter().take(8).map(|request| remove(&store, request)).collect();
        let more = options.clone().partitions(4);
        let report = flavour.repartition(&more).unwrap();
        assert!(report.is_clean() && report.moved > 4, "{report:?}");
        let store = flavour.open(&more).unwrap();
        Oracle::new(&options.namespace, 4).check(&mut raw, &store);
        for tombstone in &removed {
            let found = store.get(&tombstone.id);
            assert!(matches!(&found, Err(Error::Removed(found)) if **found == *tombstone), "{found:?}");
        }
        let report = store.verify().unwrap();
        assert!(report.is_clean() && (report.records, report.tombstones) == (12, 8), "{flavour:?}: {report:?}");
        let found = store.get_many(&[id("r0"), id("r9"), id("r7")]).unwrap();
        assert_eq!(found.removed.len(), 2, "{found:?}");
    }
}
