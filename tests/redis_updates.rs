//! What the update script has to tell apart by the stored header, and what it leaves alone.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised has failed")]

mod redis_support;
mod support;

use mutator_governance::workflow::{self, Command};
use mutator_governance::{ApprovalRule, Error, MutationRequest, WriteId};
use redis_support::requests::{actor, draft, file, moved_on, pending, second};
use redis_support::{Flavour, Options, Oracle, Raw};
use support::{PrivateServer, redis_url, unique_namespace};

/// Waits for approvals whose entries are several members of the same indexes, and a header of some kilobytes.
fn with_many_approvals(request_id: &str) -> MutationRequest {
    let groups = (0..30).map(|number| format!("the-auditors-of-customer-{number:04}"));
    let asking = groups.fold(draft(request_id, "s"), |draft, group| {
        draft.requires_approval(ApprovalRule::group(group).unwrap().requester_may_decide())
    });
    file(asking, second(0))
}

#[test]
fn a_header_of_any_length_is_read_whole() {
    for flavour in Flavour::all() {
        let namespace = unique_namespace("long");
        let store = flavour.open(&Options::new(redis_url(), &namespace)).unwrap();
        let (oracle, mut raw) = (Oracle::new(&namespace, 1), Raw::to(&redis_url()));
        let filed = store.create(with_many_approvals("r")).unwrap();
        oracle.check(&mut raw, &store);
        let cancelled = workflow::apply(filed, &Command::cancel(actor("alice")), second(1)).unwrap();
        let updated = store.update(cancelled, WriteId::generate()).unwrap();
        assert_eq!(oracle.check(&mut raw, &store)["r"], updated, "{flavour:?}");
    }
}

#[test]
fn entries_that_stay_are_neither_removed_nor_added() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let store = Flavour::all()[0].open(&Options::new(server.url(), unique_namespace("staying"))).unwrap();
    let filed = store.create(with_many_approvals("r")).unwrap();
    let revision = filed.revision();
    let mut document = filed.into_document();
    document.updated_at = second(1);
    let changed = MutationRequest::from_document(document, revision).unwrap();
    let before = raw.command_counts();
    store.update(changed, WriteId::generate()).unwrap();
    let after = raw.command_counts();
    for command in ["zadd", "zrem"] {
        assert_eq!(after.get(command), before.get(command), "{command}");
    }
}

/// After a failover that lost a write, the number may be given again.
#[test]
fn the_same_number_by_another_write_is_another_revision() {
    for flavour in Flavour::all() {
        let namespace = unique_namespace("number");
        let store = flavour.open(&Options::new(redis_url(), &namespace)).unwrap();
        let (oracle, mut raw) = (Oracle::new(&namespace, 1), Raw::to(&redis_url()));
        let filed = store.create(pending("r", "s", second(0))).unwrap();
        let key = oracle.record_key("r");
        let mut record: Vec<u8> = raw.ask(&[b"GET".as_slice(), &key]);
        record[24..40].copy_from_slice(WriteId::generate().as_bytes());
        let _: String = raw.ask(&[b"SET".as_slice(), &key, &record]);
        let error = store.update(moved_on(filed, second(1)), WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{flavour:?}: {error:?}");
        let stored: Vec<u8> = raw.ask(&[b"GET".as_slice(), &key]);
        assert_eq!(stored, record, "{flavour:?}");
    }
}

/// As in the embedded store: a write id that is remembered is taken for a repeat, whatever came with it.
#[test]
fn a_write_id_that_is_remembered_changes_nothing() {
    for flavour in Flavour::all() {
        let namespace = unique_namespace("again");
        let store = flavour.open(&Options::new(redis_url(), &namespace)).unwrap();
        let (oracle, mut raw) = (Oracle::new(&namespace, 1), Raw::to(&redis_url()));
        let write_id = WriteId::generate();
        let filed = store.create(pending("r", "s", second(0))).unwrap();
        let first = store.update(moved_on(filed, second(1)), write_id).unwrap();
        let second_write = store.update(moved_on(first.clone(), second(2)), WriteId::generate()).unwrap();
        let before = raw.dump(&namespace);
        store.update(moved_on(second_write.clone(), second(3)), write_id).unwrap();
        assert_eq!(raw.dump(&namespace), before, "{flavour:?}");
        assert_eq!(oracle.check(&mut raw, &store)["r"], second_write);
    }
}
