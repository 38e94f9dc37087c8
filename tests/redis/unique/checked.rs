//! What a check finds of reservations and permits, and what it repairs.

use mutator_governance::blocking::{Governance, Store as _, StoreExtension as _};
use mutator_governance::{Error, Finding, Removal, RequestId, StoreErrorKind, UniqueKey};

use super::{PARTITIONS, Space, alice, key, keyed, keyed_by};

/// Each way in which reservations, permits and requests can disagree is found, and repaired where that is possible.
#[test]
fn a_check_finds_and_repairs_reservations_and_permits() {
    let mut space = Space::new(&common::redis_url());
    let first = space.store.create(keyed("first")).unwrap();
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
    let (hash, _) = space.hashes("reservations").remove(0);

    redis::cmd("DEL").arg(&hash).exec(&mut space.redis).unwrap();
    let missing = [Finding::MissingReservation { id: first.id.clone(), key: key() }];
    assert_eq!(space.store.verify(|_| {}).unwrap().findings, missing);
    assert_eq!(space.store.repair(|_| {}).unwrap().findings, missing);
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
    let error = space.store.create(keyed("second")).unwrap_err();
    assert!(matches!(&error, Error::AlreadyOpen { id, .. } if *id == "first"), "{error}");

    let partition_of = |text: &str| crc32fast::hash(text.as_bytes()) % u32::from(PARTITIONS);
    for (value, id) in [("never-created 00000000000000000000000000000007 1", Some("never-created")), ("nonsense", None)]
    {
        let name = "abandoned";
        let hash = format!("{{{}:{}}}:reservations", space.name, partition_of(name));
        redis::cmd("HSET").arg(&hash).arg(name).arg(value).exec(&mut space.redis).unwrap();
        let id = id.map(|id| RequestId::new(id).unwrap());
        let orphan = [Finding::OrphanReservation { key: name.to_owned(), id }];
        assert_eq!(space.store.verify(|_| {}).unwrap().findings, orphan);
        assert_eq!(space.store.repair(|_| {}).unwrap().findings, orphan);
        assert!(space.store.verify(|_| {}).unwrap().is_clean());
    }

    // Not one of ours, and then longer than any: nobody gets the key before a repair.
    for (number, value) in ["nonsense".to_owned(), "x".repeat(300)].into_iter().enumerate() {
        let name = "restart billing";
        let hash = format!("{{{}:{}}}:reservations", space.name, partition_of(name));
        redis::cmd("HSET").arg(&hash).arg(name).arg(value).exec(&mut space.redis).unwrap();
        let key = UniqueKey::new(name).unwrap();
        let billing = keyed_by(&format!("billing-{number}"), key.clone());
        for error in [
            space.store.create(billing.clone()).map(drop).unwrap_err(),
            space.store.open_request(&key).map(drop).unwrap_err(),
        ] {
            assert!(matches!(&error, Error::Store(error) if error.kind == StoreErrorKind::Corrupt), "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
        assert_eq!(space.store.get(&billing.id).unwrap(), None);
        assert_eq!(space.hashes("permits"), []);
        space.store.repair(|_| {}).unwrap();
        let created = space.store.create(billing).unwrap();
        space.cancel(&created.id);
        assert!(space.store.verify(|_| {}).unwrap().is_clean());
    }

    let permits = format!("{{{}:{}}}:permits", space.name, partition_of("never-created"));
    let permit = "00000000000000000000000000000007 1";
    redis::cmd("HSET").arg(&permits).arg("never-created").arg(permit).exec(&mut space.redis).unwrap();
    let orphan = [Finding::OrphanPermit { id: "never-created".to_owned() }];
    assert_eq!(space.store.verify(|_| {}).unwrap().findings, orphan);
    assert_eq!(space.store.repair(|_| {}).unwrap().findings, orphan);
    assert!(space.store.verify(|_| {}).unwrap().is_clean());

    // As after a failover that lost the reservation.
    redis::cmd("DEL").arg(&hash).exec(&mut space.redis).unwrap();
    let second = space.store.create(keyed("second")).unwrap();
    let shared = [Finding::SharedUniqueKey { id: first.id.clone(), other: second.id.clone(), key: key() }];
    assert_eq!(space.store.repair(|_| {}).unwrap().findings, shared);
    space.cancel(&first.id);
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
}

/// As when the release of the key was lost, and the request has been removed since.
#[test]
fn a_reservation_that_names_a_removed_request_is_free() {
    let mut space = Space::new(&common::redis_url());
    let first = space.store.create(keyed("first")).unwrap();
    let (hash, _) = space.hashes("reservations").remove(0);
    space.cancel(&first.id);
    let governance = Governance::builder().store(space.store.clone()).build();
    governance.remove(&first.id, &Removal::new(alice())).unwrap();
    let lost = "first 00000000000000000000000000000007 1";
    redis::cmd("HSET").arg(&hash).arg(key().as_str()).arg(lost).exec(&mut space.redis).unwrap();
    assert_eq!(space.store.open_request(&key()).unwrap(), None);
    assert_eq!(space.store.create(keyed("second")).unwrap().id, "second");
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
    let error = space.store.create(keyed("first")).unwrap_err();
    assert!(matches!(error, Error::IdOfRemoved(_)), "{error}");
}
