//! What the update script has to tell apart by the stored header, and what it leaves alone.
#![cfg(feature = "redis")]

use common::requests::{actor, draft, moved_on, pending, second, submit};
use common::{Flavour, Options, Oracle, Raw, oracle};
use common::{PrivateServer, redis_url, unique_namespace};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{ApprovalRule, Error, MutationRequest, WriteId};

/// Waits for approvals whose entries are several members of the same indexes, and a header of some kilobytes.
fn with_many_approvals(request_id: &str) -> MutationRequest {
    let groups = (0..30).map(|number| format!("the-auditors-of-customer-{number:04}"));
    let asking = groups.fold(draft(request_id, "s"), |draft, group| {
        draft.requires_approval(ApprovalRule::group(group).unwrap().requester_may_decide())
    });
    submit(asking, second(0))
}

#[test]
fn a_header_of_any_length_is_read_whole() {
    for flavour in Flavour::all() {
        let namespace = unique_namespace("long");
        let store = flavour.open(&Options::new(redis_url(), &namespace)).unwrap();
        let (oracle, mut raw) = (Oracle::new(&namespace, 1), Raw::to(&redis_url()));
        let submitted = store.create(with_many_approvals("r")).unwrap();
        oracle.check(&mut raw, &store);
        let cancelled = workflow::apply(submitted, &Command::cancel(actor("alice")), second(1)).unwrap();
        let updated = store.update(cancelled, WriteId::generate()).unwrap();
        assert_eq!(oracle.check(&mut raw, &store)["r"], updated, "{flavour:?}");
    }
}

#[test]
fn entries_that_stay_are_neither_removed_nor_added() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let store = Flavour::all()[0].open(&Options::new(server.url(), unique_namespace("staying"))).unwrap();
    let submitted = store.create(with_many_approvals("r")).unwrap();
    let revision = submitted.revision();
    let mut document = submitted.into_document();
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
        let submitted = store.create(pending("r", "s", second(0))).unwrap();
        let key = oracle.record_key("r");
        let mut record: Vec<u8> = raw.ask(&[b"GET".as_slice(), &key]);
        record[40..56].copy_from_slice(WriteId::generate().as_bytes());
        oracle::seal_header("r", &mut record);
        let _: String = raw.ask(&[b"SET".as_slice(), &key, &record]);
        let error = store.update(moved_on(submitted, second(1)), WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{flavour:?}: {error:?}");
        let stored: Vec<u8> = raw.ask(&[b"GET".as_slice(), &key]);
        assert_eq!(stored, record, "{flavour:?}");
    }
}

/// Neither a repetition nor the same id with another intent.
#[test]
fn a_write_id_that_is_remembered_changes_nothing() {
    for flavour in Flavour::all() {
        let namespace = unique_namespace("again");
        let store = flavour.open(&Options::new(redis_url(), &namespace)).unwrap();
        let (oracle, mut raw) = (Oracle::new(&namespace, 1), Raw::to(&redis_url()));
        let write_id = WriteId::generate();
        let submitted = store.create(pending("r", "s", second(0))).unwrap();
        let change = moved_on(submitted, second(1));
        let first = store.update(change.clone(), write_id).unwrap();
        let second_write = store.update(moved_on(first, second(2)), WriteId::generate()).unwrap();
        let before = raw.dump(&namespace);
        assert_eq!(store.update(change, write_id).unwrap(), second_write, "{flavour:?}");
        let other = workflow::apply(second_write.clone(), &Command::cancel(actor("alice")), second(3)).unwrap();
        let other = store.update(other, write_id).unwrap_err();
        assert!(matches!(other, Error::WriteIdReused { .. }), "{flavour:?}: {other:?}");
        assert_eq!(raw.dump(&namespace), before, "{flavour:?}");
        assert_eq!(oracle.check(&mut raw, &store)["r"], second_write);
    }
}

/// A script that trusted a damaged header would take its entries for those to be removed.
#[test]
fn no_write_goes_by_a_header_whose_checksum_does_not_fit() {
    for flavour in Flavour::all() {
        let namespace = unique_namespace("damaged");
        let store = flavour.open(&Options::new(redis_url(), &namespace)).unwrap();
        let (oracle, mut raw) = (Oracle::new(&namespace, 1), Raw::to(&redis_url()));
        // Submitted in one microsecond: one bit of the id makes the members of the one those of the other.
        let submitted = ["z0", "z1"].map(|name| store.create(pending(name, "s", second(0))).unwrap());
        let key = oracle.record_key("z0");
        let mut record: Vec<u8> = raw.ask(&[b"GET".as_slice(), &key]);
        let at = record.windows(2).position(|part| part == b"z0").expect("the header names its entries");
        record[at + 1] ^= 1;
        let _: String = raw.ask(&[b"SET".as_slice(), &key, &record]);
        let before = raw.dump(&namespace);
        let cancelled = workflow::apply(submitted[0].clone(), &Command::cancel(actor("alice")), second(1)).unwrap();
        let error = store.update(cancelled.clone(), WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{flavour:?}: {error:?}");
        assert_eq!(error.outcome(), mutator_governance::Outcome::NotApplied);
        assert!(error.to_string().contains("repair"), "{error}");
        assert!(matches!(store.create(submitted[0].clone()), Err(Error::Unreadable { .. })));
        assert!(matches!(store.get(&submitted[0].id), Err(Error::Unreadable { .. })));
        assert_eq!(raw.dump(&namespace), before, "{flavour:?}");

        // Nor does one remove what is not its own, where the checksum fits.
        oracle::seal_header("z0", &mut record);
        let _: String = raw.ask(&[b"SET".as_slice(), &key, &record]);
        let before = raw.dump(&namespace);
        let error = store.update(cancelled, WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{flavour:?}: {error:?}");
        assert_eq!(raw.dump(&namespace), before, "{flavour:?}");
    }
}
