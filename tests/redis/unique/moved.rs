//! A namespace with unique keys gets more partitions.

use std::collections::BTreeSet;

use common::{Flavour, Options, PrivateServer};
use mutator_governance::{Error, RequestId, UniqueKey, WriteId};

use super::{MAX_PARTITIONS as MANY, PARTITIONS, PATIENCE, Space, canceled, keyed_by};

const KEYS: usize = 40;

fn key(number: usize) -> UniqueKey {
    UniqueKey::new(format!("key {number}")).unwrap()
}

/// Every key still has its request, wherever it is now; an abandoned one is free; and no process with the old number of
/// partitions takes one.
#[test]
fn reservations_move_with_their_keys() {
    for flavour in Flavour::all() {
        let server = PrivateServer::start_on_tcp(&[]);
        let mut space = Space::new(server.url());
        let few = Options::new(server.url(), space.name.clone()).partitions(PARTITIONS).timeout(PATIENCE);
        let older = flavour.open(&few).unwrap();
        for number in 0..KEYS {
            older.create(keyed_by(&format!("first-{number}"), key(number))).unwrap();
        }
        let abandoned: Vec<UniqueKey> = (KEYS..KEYS + 8).map(key).collect();
        for key in &abandoned {
            let id = format!("never-{}", key.as_str().replace(' ', "-"));
            let token = WriteId::generate();
            let at = |text: &str| crc32fast::hash(text.as_bytes()) % u32::from(PARTITIONS);
            let hash = |kind: &str, text: &str| format!("{{{}:{}}}:{kind}", space.name, at(text));
            let (permits, reservations) = (hash("permits", &id), hash("reservations", key.as_str()));
            redis::cmd("HSET").arg(permits).arg(&id).arg(format!("{token} 1")).exec(&mut space.redis).unwrap();
            let reservation = format!("{id} {token} 1");
            redis::cmd("HSET").arg(reservations).arg(key.as_str()).arg(reservation).exec(&mut space.redis).unwrap();
        }

        let report = flavour.repartition(&few.clone().partitions(MANY)).unwrap();
        assert!(report.is_clean() && report.moved > 0, "{flavour:?}: {report:?}");
        let store = flavour.open(&few.clone().partitions(MANY)).unwrap();
        for number in 0..KEYS {
            let first = RequestId::new(format!("first-{number}")).unwrap();
            let open = store.open_request(&key(number)).unwrap().unwrap();
            assert_eq!(open.id, first, "{flavour:?}");
            match store.create(keyed_by(&format!("second-{number}"), key(number))) {
                Err(Error::AlreadyOpen { id, .. }) => assert_eq!(id, first, "{flavour:?}"),
                other => panic!("{flavour:?}: {other:?}"),
            }
            let error = older.create(keyed_by(&format!("third-{number}"), key(number))).unwrap_err();
            assert!(matches!(&error, Error::Store(error) if error.layout.is_some()), "{flavour:?}: {error}");
            // Where neither the key nor its request has moved, it is found; never is there none.
            match older.open_request(&key(number)) {
                Ok(open) => assert_eq!(open.unwrap().id, first, "{flavour:?}"),
                Err(error) => {
                    assert!(matches!(&error, Error::Store(error) if error.layout.is_some()), "{flavour:?}: {error}");
                }
            }
        }
        for (number, key) in abandoned.iter().enumerate() {
            store.create(keyed_by(&format!("fourth-{number}"), key.clone())).unwrap();
        }
        let report = store.verify().unwrap();
        assert!(report.is_clean(), "{flavour:?}: {report:?}");
        let places: BTreeSet<u32> =
            (0..KEYS).map(|number| crc32fast::hash(key(number).as_str().as_bytes()) % u32::from(MANY)).collect();
        assert!(places.iter().any(|place| *place >= u32::from(PARTITIONS)), "some belong to a new partition");

        for number in 0..KEYS {
            let first = RequestId::new(format!("first-{number}")).unwrap();
            let request = store.get(&first).unwrap().unwrap();
            store.update(canceled(request), WriteId::generate()).unwrap();
            store.create(keyed_by(&format!("fifth-{number}"), key(number))).unwrap();
        }
        assert!(store.verify().unwrap().is_clean(), "{flavour:?}");
        assert_eq!(space.hashes("permits"), []);
    }
}
