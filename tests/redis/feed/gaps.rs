//! Entries that are gone before they were read, and histories that are not true any more: told once, and read on.

use std::thread::sleep;
use std::time::{Duration, Instant};

use mutator_governance::{FeedGap, FeedPosition};

use crate::feed::scene::{Followed, Scene, revisions};
use common::{Flavour, Options, Raw};
use common::{PrivateServer, redis_url, unique_namespace};

fn short_feed(flavour: Flavour, partitions: u16) -> Scene {
    let options = Options::new(redis_url(), unique_namespace("feed")).partitions(partitions);
    Scene::with(flavour, options.feed_length(10))
}

#[test]
fn what_was_trimmed_unread_is_reported_once_and_reading_goes_on_with_the_oldest() {
    for flavour in Flavour::all() {
        let mut scene = short_feed(flavour, 1);
        scene.write_often("early", 5);
        let mut position = FeedPosition::beginning();
        assert_eq!(scene.follow(&mut position, 3).entries.len(), 5);
        // The server takes out a hundred at a time.
        scene.write_often("late", 350);
        let kept: u64 = scene.raw.ask(&["XLEN", &scene.feed_key(0)]);
        assert!(kept < 150, "{kept} are kept: nothing was trimmed");

        let first = scene.page(&mut position, 50);
        assert_eq!(first.gaps, [FeedGap::Trimmed { partition: 0, missed: 350 - kept }], "{flavour:?}");
        assert!(first.entries.is_empty() && !first.is_caught_up, "{flavour:?}");
        let followed = scene.follow(&mut position, 50);
        assert!(followed.gaps.is_empty(), "{flavour:?}: told twice: {:?}", followed.gaps);
        assert_eq!(revisions(&followed), (350 - kept..350).collect::<Vec<_>>(), "{flavour:?}");
    }
}

/// Who begins has missed nothing; nor has who had read all that was trimmed.
#[test]
fn what_was_trimmed_after_it_was_read_or_before_anybody_began_is_no_gap() {
    for flavour in Flavour::all() {
        let mut scene = short_feed(flavour, 1);
        scene.write_often("r", 250);
        let mut position = FeedPosition::beginning();
        let followed = scene.follow(&mut position, 50);
        assert_eq!((followed.gaps.len(), revisions(&followed).last()), (0, Some(&249)), "{flavour:?}");
        // Everything that was read goes, and nothing else; then the feed is empty, and something comes.
        let key = scene.feed_key(0);
        let mut at_end = scene.store.end_of_feed().unwrap();
        let _: i64 = scene.raw.ask(&["XTRIM", &key, "MAXLEN", "0"]);
        let mut at_empty_end = scene.store.end_of_feed().unwrap();
        scene.create("next");
        for position in [&mut position, &mut at_end, &mut at_empty_end] {
            let followed = scene.follow(position, 50);
            assert_eq!((followed.gaps.len(), revisions(&followed)), (0, vec![0]), "{flavour:?}");
        }
    }
}

#[test]
fn a_gap_of_one_partition_keeps_no_other_from_being_read() {
    for flavour in Flavour::all() {
        let mut scene = short_feed(flavour, 4);
        scene.write("early", 8, 0);
        let mut position = FeedPosition::beginning();
        scene.follow(&mut position, 50);
        scene.written.clear();
        scene.write_often("busy", 250);
        scene.write("late", 8, 0);
        let busy = scene.oracle.partition_of("busy");
        let followed = scene.follow(&mut position, 50);
        assert_eq!(followed.gaps.iter().map(FeedGap::partition).collect::<Vec<_>>(), [busy], "{flavour:?}");
        let others: Vec<_> = followed.entries.into_iter().filter(|entry| entry.id != "busy").collect();
        scene.check(&others, &scene.written);
    }
}

/// A feed that was removed by hand, whether or not it has come into being again and whatever it holds.
#[test]
fn a_feed_that_was_removed_is_reported_once_and_what_came_since_is_read() {
    for flavour in Flavour::all() {
        for since in [0, 1, 4, 9] {
            let mut scene = Scene::new(flavour, &redis_url(), 1);
            scene.write_often("early", 4);
            let mut position = FeedPosition::beginning();
            scene.follow(&mut position, 50);
            let key = scene.feed_key(0);
            let _: i64 = scene.raw.ask(&["DEL", &key]);
            if since > 0 {
                scene.write_often("late", since);
            }
            rewound(&scene, &mut position, (0..since as u64).collect());
        }
    }
}

/// The stream as it was earlier, as an older backup holds it.
#[test]
fn a_restored_backup_is_reported_once_and_read_again() {
    for flavour in Flavour::all() {
        for since in [0, 2, 40] {
            let mut scene = Scene::new(flavour, &redis_url(), 1);
            scene.write_often("early", 4);
            let key = scene.feed_key(0);
            let backup: Vec<u8> = scene.raw.ask(&["DUMP", &key]);
            scene.write_often("lost", 8);
            let mut position = FeedPosition::beginning();
            scene.follow(&mut position, 50);
            let _: String = scene.raw.ask(&[b"RESTORE".as_slice(), key.as_bytes(), b"0", &backup, b"REPLACE"]);
            if since > 0 {
                scene.write_often("late", since);
            }
            rewound(&scene, &mut position, (0..4).chain(0..since as u64).collect());
        }
    }
}

/// A replica that never got the last writes takes over: the reader was told of writes that have never been.
#[test]
fn writes_lost_in_a_failover_are_reported_once_and_what_took_their_place_is_read() {
    for flavour in Flavour::all() {
        for since in [0, 1, 3, 12] {
            let primary = PrivateServer::start_on_tcp(&["--repl-diskless-sync-delay", "0"]);
            let replica = PrivateServer::start_on_tcp(&[]);
            let mut on_replica = Raw::to(replica.url());
            let mut scene = Scene::new(flavour, primary.url(), 1);
            let mut kept = scene.create("r");
            follow(&mut on_replica, primary.url());
            let _: i64 = scene.raw.ask(&["WAIT", "1", "10000"]);
            let _: String = on_replica.ask(&["REPLICAOF", "NO", "ONE"]);

            let mut lost = kept.clone();
            for _ in 0..3 {
                lost = scene.move_on(lost);
            }
            let mut position = FeedPosition::beginning();
            assert_eq!(revisions(&scene.follow(&mut position, 50)), [0, 1, 2, 3]);

            scene.options.url = replica.url().to_owned();
            scene.store = flavour.open(&scene.options).unwrap();
            for _ in 0..since {
                kept = scene.move_on(kept);
            }
            rewound(&scene, &mut position, (0..=since).collect());
        }
    }
}

/// The clock of the server that took over is behind, so that the very ids of the lost entries come again.
#[test]
fn an_id_that_another_entry_has_got_is_noticed() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &redis_url(), 1);
        scene.create("a");
        scene.create("b");
        let mut position = FeedPosition::beginning();
        scene.follow(&mut position, 50);
        let key = scene.feed_key(0);
        let entries: Vec<(String, Vec<String>)> = scene.raw.ask(&["XRANGE", &key, "-", "+"]);
        let _: i64 = scene.raw.ask(&["DEL", &key]);
        for ((at, mut fields), name) in entries.into_iter().zip(["a", "other"]) {
            fields[1] = name.to_owned();
            let words = [vec!["XADD".to_owned(), key.clone(), at], fields].concat();
            let _: String = scene.raw.ask(&words);
        }
        let followed = rewound(&scene, &mut position, vec![0, 0]);
        assert_eq!(followed.entries[1].id, "other");
    }
}

/// What the server counts by outlives it, in either kind of file.
#[test]
fn a_server_that_was_restarted_goes_on_with_the_same_feed() {
    let arguments = ["--enable-debug-command", "yes", "--appendonly", "yes", "--aof-use-rdb-preamble", "no"];
    let server = PrivateServer::start_on_tcp(&arguments);
    for flavour in Flavour::all() {
        for files in [&[&["DEBUG", "RELOAD"][..]][..], &[&["BGREWRITEAOF"], &["DEBUG", "LOADAOF"]]] {
            let options = Options::new(server.url(), unique_namespace("feed")).feed_length(10);
            let mut scene = Scene::with(flavour, options);
            scene.write_often("early", 250);
            let mut position = FeedPosition::beginning();
            scene.follow(&mut position, 50);
            scene.write_often("late", 3);
            for command in files {
                let _: redis::Value = scene.raw.ask(command);
                while scene.raw.ask::<String>(&["INFO", "persistence"]).contains("aof_rewrite_in_progress:1") {
                    sleep(Duration::from_millis(10));
                }
            }
            let mut again = position.clone();
            let followed = scene.follow(&mut again, 50);
            assert_eq!((revisions(&followed), followed.gaps.len()), (vec![0, 1, 2], 0), "{flavour:?}, {files:?}");
            let _: i64 = scene.raw.ask(&["XTRIM", &scene.feed_key(0), "MAXLEN", "1"]);
            let gaps = scene.follow(&mut position, 50).gaps;
            assert_eq!(gaps, [FeedGap::Trimmed { partition: 0, missed: 2 }], "{flavour:?}, {files:?}");
        }
    }
}

/// Told in the first page, which has nothing else; then what is kept is read from the oldest on; never told again.
fn rewound(scene: &Scene, position: &mut FeedPosition, expected: Vec<u64>) -> Followed {
    let first = scene.page(position, 5);
    assert_eq!(first.gaps, [FeedGap::Rewound { partition: 0 }]);
    assert!(first.entries.is_empty() && !first.is_caught_up);
    let followed = scene.follow(position, 5);
    assert_eq!(revisions(&followed), expected);
    assert!(followed.gaps.is_empty(), "told twice: {:?}", followed.gaps);
    assert!(scene.follow(position, 5).entries.is_empty());
    followed
}

fn follow(replica: &mut Raw, primary: &str) {
    let (host, port) = primary.trim_start_matches("redis://").trim_end_matches('/').split_once(':').unwrap();
    let _: String = replica.ask(&["REPLICAOF", host, port]);
    let started = Instant::now();
    while !replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up") {
        assert!(started.elapsed() < Duration::from_mins(1), "the replica does not follow");
        sleep(Duration::from_millis(10));
    }
}
