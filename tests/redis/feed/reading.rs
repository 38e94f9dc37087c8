//! Every write once and in order, in pages of any length, beside writers, from any place, for whoever only reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mutator_governance::{FeedPosition, Timestamp, WriteId};

use crate::feed::scene::{Followed, Scene, revisions};
use common::raw::Monitor;
use common::requests::{id, moved_on, pending, second};
use common::{Flavour, Options};
use common::{PrivateServer, redis_url, unique_namespace};

#[test]
fn every_write_is_reported_once_and_in_order_whatever_the_limit() {
    for flavour in Flavour::all() {
        for partitions in [1, 4] {
            let mut scene = Scene::new(flavour, &redis_url(), partitions);
            scene.write("r", 7, 3);
            for limit in [1, 2, 3, 28, 29, 30, 1_000] {
                let mut position = FeedPosition::beginning();
                let followed = scene.follow(&mut position, limit);
                scene.check(&followed.entries, &scene.written);
                assert!(followed.gaps.is_empty() && followed.unreadable.is_empty());
                assert!(scene.follow(&mut position, limit).entries.is_empty(), "{flavour:?}: told again");
            }
        }
    }
}

#[test]
fn a_write_that_was_rejected_is_not_reported() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &redis_url(), 1);
        let request = scene.create("r");
        let mut position = scene.store.end_of_feed().unwrap();
        scene.move_on(request.clone());
        scene.store.update(moved_on(request, second(3)), WriteId::generate()).unwrap_err();
        scene.store.create(pending("r", "s", second(3))).unwrap_err();
        assert_eq!(revisions(&scene.follow(&mut position, 50)), [1]);
    }
}

#[test]
fn a_reader_that_begins_at_the_end_reads_what_comes_from_then_on() {
    for flavour in Flavour::all() {
        for partitions in [1, 4] {
            let mut scene = Scene::new(flavour, &redis_url(), partitions);
            // Nothing has ever been written.
            let mut from_nothing = scene.store.end_of_feed().unwrap();
            assert!(scene.follow(&mut from_nothing, 5).entries.is_empty());
            scene.write("early", 5, 1);
            let mut position = scene.store.end_of_feed().unwrap();
            let early = std::mem::take(&mut scene.written);
            scene.write("late", 5, 1);
            scene.check(&scene.follow(&mut position, 3).entries, &scene.written);
            let all = [early, scene.written.clone()].concat();
            scene.check(&scene.follow(&mut from_nothing, 3).entries, &all);
        }
    }
}

#[test]
fn an_entry_says_when_it_was_added() {
    let mut scene = Scene::new(Flavour::all()[0], &redis_url(), 1);
    let now =
        || Timestamp::from_micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64).unwrap();
    let before = now().saturating_sub(Duration::from_millis(1));
    scene.create("r");
    let entry = scene.page(&mut FeedPosition::beginning(), 1).entries.remove(0);
    assert!(before <= entry.added_at && entry.added_at <= now(), "{entry:?}");
}

/// Writers of all flavours at once; the reader reads in short pages all the while.
#[test]
fn pages_neither_skip_nor_repeat_while_writers_add() {
    const MOVES: u64 = 12;
    for flavour in Flavour::all() {
        for (partitions, limit) in [(1, 1), (1, 7), (4, 3), (4, 50)] {
            let scene = Scene::new(flavour, &redis_url(), partitions);
            let ended = AtomicBool::new(false);
            let mut followed = Followed::default();
            thread::scope(|threads| {
                let writers: Vec<_> = (0..3)
                    .map(|writer| {
                        let store = scene.store.clone();
                        threads.spawn(move || {
                            for number in 0..4 {
                                let request = pending(&format!("w{writer}-{number}"), "s", second(1));
                                let mut request = store.create(request).unwrap();
                                for _ in 0..MOVES {
                                    request = store.update(moved_on(request, second(2)), WriteId::generate()).unwrap();
                                }
                            }
                        })
                    })
                    .collect();
                let reader = threads.spawn(|| {
                    let (mut followed, mut position) = (Followed::default(), FeedPosition::beginning());
                    loop {
                        let is_last = ended.load(Ordering::SeqCst);
                        let read = scene.follow(&mut position, limit);
                        followed.entries.extend(read.entries);
                        followed.gaps.extend(read.gaps);
                        if is_last {
                            return followed;
                        }
                    }
                });
                writers.into_iter().for_each(|writer| writer.join().unwrap());
                ended.store(true, Ordering::SeqCst);
                followed = reader.join().unwrap();
            });
            let mut by_request: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for entry in &followed.entries {
                by_request.entry(entry.id.to_string()).or_default().push(entry.revision);
            }
            assert_eq!((by_request.len(), &followed.gaps), (12, &vec![]), "{flavour:?}");
            let every_revision: Vec<u64> = (0..=MOVES).collect();
            assert!(by_request.values().all(|revisions| *revisions == every_revision), "{flavour:?}: {by_request:?}");
        }
    }
}

/// One partition is written to faster than it is read; the others' entries come all the same.
#[test]
fn a_busy_partition_keeps_no_other_from_being_read() {
    let mut scene = Scene::new(Flavour::all()[0], &redis_url(), 4);
    scene.write_often("busy", 60);
    let busy = scene.oracle.partition_of("busy");
    let quiet = (0..).map(|n| format!("q{n}")).find(|id| scene.oracle.partition_of(id) != busy).unwrap();
    scene.create(&quiet);
    for limit in [1, 3, 8] {
        let mut position = FeedPosition::beginning();
        let is_reported =
            (0..4).any(|_| scene.page(&mut position, limit).entries.iter().any(|entry| entry.id == id(&quiet)));
        assert!(is_reported, "limit {limit}: not within 4 pages");
    }
}

/// More partitions than can be asked within the deadline: what was read is given out, and the next page goes on there.
#[test]
fn a_page_that_ran_out_of_time_is_gone_on_with() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &redis_url(), 1_024);
        scene.write("r", 40, 1);
        let hasty = flavour.opened(&scene.options.clone().timeout(Duration::from_millis(40)));
        let (mut position, mut followed, mut cut) = (FeedPosition::beginning(), Vec::new(), 0);
        let started = Instant::now();
        while followed.len() < scene.written.len() || cut == 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "{flavour:?}: {} told, {cut} cut", followed.len());
            match hasty.read_feed(&position, 1_000) {
                Ok(page) => {
                    cut += usize::from(!page.is_caught_up);
                    followed.extend(page.entries);
                    position = page.next;
                }
                Err(error) => assert!(error.is_retryable(), "{flavour:?}: {error:?}"),
            }
        }
        scene.check(&followed, &scene.written);
    }
}

#[test]
fn a_page_is_one_command_to_each_partition() {
    let server = PrivateServer::start(&[]);
    let mut monitor = Monitor::of(server.url());
    for flavour in Flavour::all() {
        for partitions in [1_u16, 4] {
            let mut scene = Scene::new(flavour, server.url(), partitions);
            scene.write("r", 9, 2);
            let mut position = FeedPosition::beginning();
            scene.page(&mut position, 1);
            monitor.commands();
            for limit in [4, 50, 1_000] {
                scene.page(&mut position, limit);
                assert_eq!(monitor.commands(), vec!["EVALSHA"; usize::from(partitions)], "{flavour:?}");
            }
            scene.store.end_of_feed().unwrap();
            assert_eq!(monitor.commands(), vec!["EVALSHA"; usize::from(partitions)], "{flavour:?}");
        }
    }
}

#[test]
fn a_store_that_only_reads_reads_the_feed() {
    for flavour in Flavour::all() {
        let mut scene = Scene::with(flavour, Options::new(redis_url(), unique_namespace("feed")).partitions(4));
        scene.write("r", 5, 1);
        scene.store = flavour.open(&scene.options.clone().read_only()).unwrap();
        let mut position = FeedPosition::beginning();
        scene.check(&scene.follow(&mut position, 4).entries, &scene.written);
        assert_eq!(scene.store.end_of_feed().unwrap(), position, "the end is where reading ends");
    }
}
