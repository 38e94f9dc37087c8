//! Who may not write or open while a namespace is repartitioned, and repartitions that cannot be.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::requests::{id, pending, second};
use common::{Flavour, Oracle, PrivateServer};
use mutator_governance::{Error, LayoutError, MutationRequest, Outcome, StoreErrorKind, UnsettledWrite, WriteId};

use super::scene::{Scene, changed};
use crate::layout::layout_error;

/// On a thread of its own, since what is called behind a step may be within the runtime of the flavour.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

fn is_repartitioning(error: &Error) -> bool {
    matches!(layout_error(error), LayoutError::Repartitioning { from: 2, to: 6, .. })
}

/// The write that created a request, as one whose outcome is not known.
fn creation_of(request: &MutationRequest) -> UnsettledWrite {
    let (id, write_id) = (request.id.clone(), WriteId::generate());
    UnsettledWrite { id, base: None, write_id, intent: Some(request.creation_intent()) }
}

#[test]
fn from_its_beginning_to_its_end_nobody_writes_and_nobody_opens() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let scene = Scene::new(&server, flavour, 2, 60);
        let (older, options) = (scene.open(), scene.multiplied(3));
        let stored = scene.stored["r1"].clone();
        let mut steps = 0;
        let report = flavour.repartition_in_steps(&options, |_| {
            steps += 1;
            aside(|| {
                let create = older.create(pending("late", "s", second(100)));
                let update = older.update(changed(stored.clone(), second(100)), WriteId::generate());
                for rejected in [create.unwrap_err(), update.unwrap_err(), older.migrate().unwrap_err()] {
                    assert!(is_repartitioning(&rejected), "{flavour:?}: {rejected:?}");
                    assert_eq!(rejected.outcome(), Outcome::NotApplied);
                    assert!(rejected.to_string().contains("repartition with 6"), "{rejected}");
                }
                for partitions in [2, 6, 12] {
                    let opened = flavour.open(&options.clone().partitions(partitions)).map(drop).unwrap_err();
                    assert!(is_repartitioning(&opened), "{flavour:?}: {opened:?}");
                    let rebuilt = flavour.reindex(&options.clone().partitions(partitions)).unwrap_err();
                    assert!(is_repartitioning(&rebuilt), "{flavour:?}: {rebuilt:?}");
                }
                for other in [4, 12] {
                    let rejected = flavour.repartition(&options.clone().partitions(other)).unwrap_err();
                    assert!(is_repartitioning(&rejected), "{flavour:?}: {rejected:?}");
                }
            });
        });
        assert!(report.unwrap().is_clean() && steps >= 3, "{flavour:?}: {steps} steps");
        for rejected in [
            older.create(pending("later", "s", second(100))).unwrap_err(),
            older.update(changed(stored.clone(), second(100)), WriteId::generate()).unwrap_err(),
            older.repair().unwrap_err(),
        ] {
            assert!(matches!(layout_error(&rejected), LayoutError::OtherChoice { .. }), "{flavour:?}: {rejected:?}");
        }
        // What it does not find may lie elsewhere: it says so, instead of that there is none.
        let moved =
            scene.stored.keys().find(|id| Oracle::new("", 2).partition_of(id) != Oracle::new("", 6).partition_of(id));
        let moved = id(moved.unwrap());
        for rejected in [
            older.get(&moved).unwrap_err(),
            older.get_many(&[moved.clone(), id("none")]).unwrap_err(),
            older.settle(&creation_of(&scene.stored[moved.as_str()])).unwrap_err(),
        ] {
            assert!(matches!(layout_error(&rejected), LayoutError::OtherChoice { .. }), "{flavour:?}: {rejected:?}");
        }
        let opened = flavour.open(&scene.options).map(drop).unwrap_err();
        assert!(opened.to_string().contains("has 6 partition(s)"), "{opened}");
        let store = flavour.open(&options).unwrap();
        assert_eq!((store.get(&id("late")).unwrap(), store.get(&id("later")).unwrap()), (None, None));
    }
}

/// Every acknowledged write is stored afterwards, once.
#[test]
fn writers_lose_nothing_that_was_acknowledged() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(&server, flavour, 2, 200);
        let (older, options, ended) = (scene.open(), scene.multiplied(3), AtomicBool::new(false));
        let written = thread::scope(|scope| {
            let write = |name: &'static str| {
                let (older, ended) = (older.clone(), &ended);
                move || {
                    let mut written = Vec::new();
                    while !ended.load(Ordering::Relaxed) {
                        let request = pending(&format!("{name}-{}", written.len()), "s", second(5_000));
                        match older.create(request) {
                            Ok(request) => written.push(request),
                            Err(error) => {
                                assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");
                                layout_error(&error);
                                break;
                            }
                        }
                    }
                    written
                }
            };
            let writers = [scope.spawn(write("one")), scope.spawn(write("two"))];
            let report = flavour.repartition(&options);
            ended.store(true, Ordering::Relaxed);
            report.unwrap();
            writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
        });
        scene.stored.extend(written.into_iter().map(|request| (request.id.to_string(), request)));
        scene.assert_whole(&options);
    }
}

#[test]
fn a_number_that_is_no_multiple_and_a_namespace_that_is_not_there_change_nothing() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(&server, flavour, 4, 8);
        let before = scene.raw.dump(&scene.options.namespace);
        for (partitions, said) in [(2, "a multiple of 4"), (6, "a multiple of 4"), (1_025, "must be 1 to 1024")] {
            let error = flavour.repartition(&scene.options.clone().partitions(partitions)).unwrap_err();
            assert!(error.to_string().contains(said), "{flavour:?}: {error}");
        }
        let mut elsewhere = scene.options.clone().partitions(8);
        elsewhere.namespace.push_str("-not-there");
        let error = flavour.repartition(&elsewhere).unwrap_err();
        assert!(error.to_string().contains("does not exist"), "{flavour:?}: {error}");
        let error = flavour.repartition(&scene.options.clone().partitions(8).read_only()).unwrap_err();
        assert!(error.to_string().contains("read_only"), "{flavour:?}: {error}");
        let error = flavour.repartition(&scene.options.clone().partitions(8).fold_case(true)).unwrap_err();
        assert!(error.to_string().contains("fold_case"), "{flavour:?}: {error}");
        assert_eq!(scene.raw.dump(&scene.options.namespace), before, "{flavour:?}");
    }
}

#[test]
fn a_rebuild_that_is_not_complete_comes_first() {
    let server = PrivateServer::start(&[]);
    let flavour = Flavour::all()[0];
    let mut scene = Scene::new(&server, flavour, 2, 8);
    let meta = Oracle::new(&scene.options.namespace, 2).meta_key();
    let _: i64 = scene.raw.ask(&["HSET", &meta, "reindexing", "3 0123"]);
    let error = flavour.repartition(&scene.multiplied(3)).unwrap_err();
    assert!(matches!(layout_error(&error), LayoutError::Rebuilding { .. }), "{error:?}");
    flavour.reindex(&scene.options).unwrap();
    let options = scene.multiplied(3);
    flavour.repartition(&options).unwrap();
    scene.assert_whole(&options);
}

#[test]
fn a_partition_that_has_requests_already_is_not_taken_for_a_new_one() {
    let server = PrivateServer::start(&[]);
    let flavour = Flavour::all()[0];
    let mut scene = Scene::new(&server, flavour, 2, 20);
    let oracle = Oracle::new(&scene.options.namespace, 2);
    let stray = oracle.key(4, b"i:a");
    let _: i64 = scene.raw.ask(&[b"ZADD".as_slice(), &stray, b"0", b"12345678stray"]);
    let options = scene.multiplied(3);
    let error = flavour.repartition(&options).unwrap_err();
    assert!(matches!(layout_error(&error), LayoutError::Missing { .. }), "{error:?}");
    assert!(error.to_string().contains(":4}:layout"), "{error}");
    let _: i64 = scene.raw.ask(&[b"DEL".as_slice(), &stray]);
    flavour.repartition(&options).unwrap();
    scene.assert_whole(&options);
}

/// The one command that nothing else needs.
#[test]
fn a_user_who_may_not_delete_changes_nothing() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(&server, flavour, 2, 20);
        let _: String = scene.raw.ask(&["ACL", "SETUSER", "mover", "on", ">pw", "~*", "&*", "+@all", "-del"]);
        let before = scene.raw.dump(&scene.options.namespace);
        let mut options = scene.multiplied(3);
        options.url = options.url.replace("redis://", "redis://mover:pw@");
        let error = flavour.repartition(&options).unwrap_err();
        let Error::Store(failure) = &error else { panic!("{error:?}") };
        assert_eq!(failure.kind, StoreErrorKind::Rejected, "{flavour:?}: {error}");
        assert!(error.to_string().contains("run del"), "{flavour:?}: {error}");
        assert_eq!(scene.raw.dump(&scene.options.namespace), before, "{flavour:?}");
    }
}
