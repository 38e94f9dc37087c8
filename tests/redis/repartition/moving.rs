//! What is stored before a repartition is stored after it, in the partitions where it then belongs.

use common::requests::second;
use common::{Flavour, Oracle, PrivateServer};
use mutator_governance::{Error, Finding, PageRequest, RequestId, RequestQuery, WriteId};

use super::scene::{Scene, changed};

#[test]
fn every_request_moves_to_its_partition_and_stays_as_it_is() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        for (partitions, times) in [(1, 4), (3, 2), (2, 20)] {
            let mut scene = Scene::new(&server, flavour, partitions, 90);
            let (options, to_move) = (scene.multiplied(times), scene.to_move(times));
            let mut moved_in_steps = 0;
            let report = flavour.repartition_in_steps(&options, |step| moved_in_steps += step.moved).unwrap();
            assert_eq!((report.moved, moved_in_steps), (to_move, to_move), "{flavour:?}: {report:?}");
            assert!(report.is_clean() && to_move > 30, "{flavour:?}: {report:?}");
            let store = scene.assert_whole(&options);
            for request in scene.stored.values_mut().take(20) {
                *request = store.update(changed(request.clone(), second(2_000)), WriteId::generate()).unwrap();
            }
            scene.assert_whole(&options);

            let again = flavour.repartition(&options).unwrap();
            assert!(again.moved == 0 && again.is_clean() && again.records == 90, "{flavour:?}: {again:?}");
        }
    }
}

#[test]
fn one_repartition_may_follow_another() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(&server, flavour, 1, 60);
        for times in [2, 3, 2] {
            let options = scene.multiplied(times);
            flavour.repartition(&options).unwrap();
            scene.options = options.clone();
            scene.assert_whole(&options);
        }
        assert_eq!(scene.options.partitions, 12);
    }
}

/// A damaged document cannot tell which entries it has; they go along with it all the same.
#[test]
fn what_cannot_be_read_moves_along_and_is_still_named() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(&server, flavour, 1, 60);
        let options = scene.multiplied(4);
        let (before, after) = (Oracle::new(&options.namespace, 1), Oracle::new(&options.namespace, 4));
        let moving: Vec<String> = scene.stored.keys().filter(|id| after.partition_of(id) != 0).cloned().collect();
        for id in moving.iter().take(3) {
            let key = before.record_key(id);
            let length: usize = scene.raw.ask(&[b"STRLEN".as_slice(), &key]);
            let at = (length - 2).to_string();
            let _: usize = scene.raw.ask(&[b"SETRANGE".as_slice(), &key, at.as_bytes(), b"??"]);
        }
        let read = |store: &common::Store| {
            let page = store.requests(&RequestQuery::new(), &PageRequest::longest()).unwrap();
            let mut named: Vec<String> = page.unreadable.iter().map(|unreadable| unreadable.id.to_string()).collect();
            named.sort();
            (page.items.len(), named)
        };
        let found = read(&scene.open());
        assert_eq!((found.0, found.1.len()), (57, 3));
        let report = flavour.repartition(&options).unwrap();
        assert_eq!(report.moved, scene.to_move(4), "{flavour:?}: {report:?}");
        let store = flavour.open(&options).unwrap();
        assert_eq!(read(&store), found, "{flavour:?}");
        for id in moving.iter().take(3) {
            let error = store.get(&RequestId::new(id.as_str()).unwrap()).unwrap_err();
            assert!(matches!(error, Error::Unreadable { .. }), "{flavour:?}: {error:?}");
        }
        let report = store.verify().unwrap();
        assert_eq!(report.findings.len(), 3, "{flavour:?}: {report:?}");
        assert!(report.findings.iter().all(|finding| matches!(finding, Finding::Unreadable { .. })), "{report:?}");
    }
}

/// Records longer than the part that is read first.
#[test]
fn large_records_move_whole() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(&server, flavour, 1, 0);
        let store = scene.open();
        for number in 0..20 {
            let mut bytes = vec![0_u8; 200_000 + number];
            fastrand::Rng::with_seed(number as u64).fill(&mut bytes);
            let payload = mutator_governance::Payload::new("application/octet-stream", bytes).unwrap();
            let draft = common::requests::draft(&format!("large-{number}"), "s").with_payload(payload);
            let request = common::requests::submit(draft, second(1));
            let request = store.create(request).unwrap();
            scene.stored.insert(request.id.to_string(), request);
        }
        let options = scene.multiplied(3);
        flavour.repartition(&options).unwrap();
        scene.assert_whole(&options);
    }
}
