//! The consumers of the feed as Redis keeps them: values of others, and how far behind one is when its feed has changed.

use std::time::Duration;

use mutator_governance::{
    Consumer, ConsumerLease, ConsumerName, Error, FeedPosition, HolderId, Outcome, StoreErrorKind,
};

use crate::feed::scene::Scene;
use common::{Flavour, redis_url};

const LONG: Duration = Duration::from_secs(3_600);

fn name(text: &str) -> ConsumerName {
    ConsumerName::new(text).unwrap()
}

fn is_corrupt(error: &Error, named: &str) {
    let Error::Store(failure) = error else { panic!("{error:?}") };
    assert_eq!((failure.kind, failure.outcome), (StoreErrorKind::Corrupt, Outcome::NotApplied), "{error}");
    assert!(error.to_string().contains(named), "{error}");
}

#[test]
fn what_this_library_did_not_write_is_named_and_can_be_removed() {
    let holder = HolderId::generate();
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &redis_url(), 2);
        let key = format!("{{{}:0}}:consumers", scene.options.namespace);
        scene.store.lease_consumer(&name("mine"), holder, LONG).unwrap();
        let hex = "0".repeat(32);
        let beyond = "9".repeat(17);
        let values = [
            String::new(),
            "hello".to_owned(),
            "abc 1 2 ".to_owned(),
            format!("{hex} 1 2"),
            format!("{hex} 1 2 not-a-position"),
            format!("{hex} {beyond} 2 "),
            format!("{hex} 1 {beyond} "),
            format!("{hex} 1 2 {}", "x".repeat(100_000)),
        ];
        for value in &values {
            let _: i64 = scene.raw.ask(&["HSET", &key, "foreign", value]);
            let shown = &value[..value.len().min(80)];
            is_corrupt(&scene.store.consumers().unwrap_err(), "foreign");
            let leased = scene.store.lease_consumer(&name("foreign"), holder, LONG).map(drop);
            is_corrupt(&leased.expect_err(shown), "foreign");
            let saved =
                scene.store.save_consumer(&name("foreign"), HolderId::generate(), &FeedPosition::beginning(), LONG);
            assert!(!matches!(saved, Ok(true)), "{flavour:?}, {shown}: {saved:?}");
            // Asking may have taken the lease of a value whose position is no position.
            let _: i64 = scene.raw.ask(&["HSET", &key, "foreign", value]);
            assert!(scene.store.remove_consumer(&name("foreign")).unwrap(), "{flavour:?}, {shown}");
            assert_eq!(scene.store.consumers().unwrap().len(), 1);
        }
        let _: i64 = scene.raw.ask(&["HSET", &key, "no name at all", "x"]);
        is_corrupt(&scene.store.consumers().unwrap_err(), "no name at all");
        for number in 0..Consumer::MAX_COUNT {
            let _: i64 = scene.raw.ask(&["HSET", &key, &format!("n{number}"), "x"]);
        }
        is_corrupt(&scene.store.consumers().unwrap_err(), "102 fields");
    }
}

#[test]
fn the_lag_is_that_of_the_feed_as_it_is_now() {
    let (mailer, holder) = (name("mailer"), HolderId::generate());
    for flavour in Flavour::all() {
        for partitions in [1, 4] {
            let mut scene = Scene::new(flavour, &redis_url(), partitions);
            scene.write("a", 3, 2);
            let lag = |scene: &Scene| scene.store.consumers().unwrap()[0].lag;
            assert_eq!(
                scene.store.lease_consumer(&mailer, holder, LONG).unwrap(),
                ConsumerLease::Held { position: None }
            );
            assert_eq!(lag(&scene), Some(10), "{flavour:?}");
            let mut position = FeedPosition::beginning();
            for read in [4, 8] {
                scene.page(&mut position, 4);
                assert!(scene.store.save_consumer(&mailer, holder, &position, LONG).unwrap());
                assert!(lag(&scene).unwrap() >= 10 - read, "{flavour:?}");
            }
            scene.follow(&mut position, 50);
            scene.store.save_consumer(&mailer, holder, &position, LONG).unwrap();
            assert_eq!(lag(&scene), Some(0), "{flavour:?}");
            scene.write("b", 1, 0);
            assert_eq!(lag(&scene), Some(2), "{flavour:?}");
            for partition in 0..partitions {
                let key = scene.feed_key(partition);
                let _: i64 = scene.raw.ask(&["DEL", &key]);
            }
            assert_eq!(lag(&scene), None, "the feed is another one");
            let other = Scene::new(flavour, &redis_url(), partitions);
            let elsewhere = other.store.end_of_feed().unwrap();
            scene.store.save_consumer(&mailer, holder, &elsewhere, LONG).unwrap();
            assert_eq!(lag(&scene), None, "a position of another namespace");
        }
    }
}
