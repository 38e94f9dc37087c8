//! What keeps a feed, or one entry of it, from being read: told by a typed error, and never in the way of the rest.

use mutator_governance::{Error, FeedPosition, Outcome, PageRequest, StoreErrorKind};

use crate::feed::scene::{Scene, revisions};
use common::requests::{id, pending, second};
use common::{Flavour, Options, Raw};
use common::{PrivateServer, redis_url, unique_namespace};

#[test]
fn a_foreign_entry_is_reported_and_the_others_are_read() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &redis_url(), 1);
        scene.create("a");
        let key = scene.feed_key(0);
        let ours = ["id", "a", "revision", "1", "status", "Approved", "decisions", "Lifecycle/Approved"];
        let foreign: [&[&str]; 6] = [
            &["hello", "world"],
            &["id", "a", "revision", "one", "status", "Pending", "decisions", ""],
            &["id", "a", "revision", "1", "status", "Thawed", "decisions", ""],
            &["id", "a", "revision", "1", "status", "Pending", "decisions", "Lifecycle/Thawed"],
            &["id", "", "revision", "1", "status", "Pending", "decisions", ""],
            &["revision", "1", "status", "Pending"],
        ];
        for fields in foreign {
            let _: String = scene.raw.ask(&[&["XADD", &key, "*"][..], fields].concat());
        }
        let bytes: [&[u8]; 5] = [b"XADD", key.as_bytes(), b"*", b"\xff\xfe", b"\x00\xc3\x28"];
        let _: String = scene.raw.ask(&bytes);
        let _: String = scene.raw.ask(&[&["XADD", &key, "*", "later", "x"][..], &ours].concat());
        scene.create("b");
        for limit in [1, 3, 50] {
            let mut position = FeedPosition::beginning();
            let followed = scene.follow(&mut position, limit);
            assert_eq!(revisions(&followed), [0, 1, 0], "{flavour:?}");
            assert_eq!(
                (followed.unreadable.len(), followed.gaps.len()),
                (7, 0),
                "{flavour:?}: {:#?}",
                followed.unreadable
            );
            let named = followed.unreadable.iter().filter(|entry| entry.id == Some(id("a"))).count();
            assert_eq!(named, 3, "{flavour:?}: {:#?}", followed.unreadable);
            assert!(followed.unreadable.iter().all(|entry| entry.to_string().contains(&entry.entry)));
        }
    }
}

/// The id that an entry by hand was given is the greatest there is but one: times end before.
#[test]
fn an_entry_behind_all_times_is_read() {
    let mut scene = Scene::new(Flavour::all()[0], &redis_url(), 1);
    let key = scene.feed_key(0);
    let _: String = scene.raw.ask(&["XADD", &key, "18446744073709551615-0", "hello", "world"]);
    scene.create("a");
    let mut position = FeedPosition::beginning();
    let followed = scene.follow(&mut position, 1);
    assert_eq!((followed.unreadable.len(), followed.entries.len()), (1, 1));
    assert_eq!(followed.entries[0].added_at, mutator_governance::Timestamp::MAX);
}

#[test]
fn another_type_at_a_feed_is_rejected_by_the_key() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &redis_url(), 1);
        scene.create("a");
        let mut position = FeedPosition::beginning();
        scene.follow(&mut position, 50);
        let key = scene.feed_key(0);
        let _: i64 = scene.raw.ask(&["DEL", &key]);
        let _: i64 = scene.raw.ask(&["LPUSH", &key, "x"]);
        let errors =
            [scene.store.read_feed(&position, 50).unwrap_err(), scene.store.end_of_feed().map(drop).unwrap_err()];
        for error in errors {
            rejected(&error, &key);
        }
        // Put right, it is read on.
        let _: i64 = scene.raw.ask(&["DEL", &key]);
        scene.create("b");
        assert_eq!(scene.follow(&mut position, 50).gaps.len(), 1);
    }
}

fn rejected(error: &Error, named: &str) {
    let Error::Store(store_error) = error else { panic!("{error:?}") };
    assert_eq!((store_error.kind, store_error.outcome), (StoreErrorKind::Rejected, Outcome::NotApplied), "{error}");
    assert!(error.to_string().contains(named), "{named} is not named: {error}");
}

#[test]
fn a_position_of_another_namespace_is_rejected() {
    for flavour in Flavour::all() {
        let [one, other] = [1, 1].map(|partitions| Scene::new(flavour, &redis_url(), partitions));
        let wider = Scene::new(flavour, &redis_url(), 4);
        for position in [other.store.end_of_feed().unwrap(), wider.store.end_of_feed().unwrap()] {
            let error = one.store.read_feed(&position, 50).unwrap_err();
            assert!(matches!(error, Error::InvalidFeedPosition { .. }), "{flavour:?}: {error:?}");
            assert_eq!(error.outcome(), Outcome::NotApplied);
            assert!(!error.is_retryable());
        }
        assert!(one.store.read_feed(&one.store.end_of_feed().unwrap(), 50).unwrap().is_caught_up);
    }
}

#[test]
fn a_position_that_was_damaged_or_is_a_cursor_is_rejected() {
    let mut scene = Scene::new(Flavour::all()[0], &redis_url(), 1);
    scene.create("a");
    scene.create("b");
    let text = scene.store.end_of_feed().unwrap().to_string();
    let page = scene.store.pending(&PageRequest::of(1).unwrap()).unwrap();
    let cursor = page.next.expect("another page").to_string();
    let cut = (0..text.len()).map(|at| text[..at].to_owned());
    for bad in cut.chain([cursor, format!("{text}A"), format!("{text}="), "not base64!".to_owned()]) {
        let error = bad.parse::<FeedPosition>().unwrap_err();
        assert!(matches!(error, Error::InvalidFeedPosition { .. }), "{bad}: {error:?}");
    }
    text.parse::<FeedPosition>().unwrap();
}

#[test]
fn a_limit_that_cannot_be_is_rejected() {
    let scene = Scene::new(Flavour::all()[0], &redis_url(), 1);
    for limit in [0, PageRequest::MAX_LIMIT + 1, usize::MAX] {
        let error = scene.store.read_feed(&FeedPosition::beginning(), limit).unwrap_err();
        assert!(matches!(&error, Error::Invalid(invalid) if invalid.field == "feed page limit"), "{error:?}");
    }
}

/// Whoever does not read the feed needs no permission to; whoever does is told which is missing.
#[test]
fn a_user_without_the_permissions_uses_the_store_and_gets_an_error_that_says_what_reading_the_feed_takes() {
    let server = PrivateServer::start_on_tcp(&[]);
    let address = server.url().trim_start_matches("redis://").to_owned();
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        for (missing, named) in [("-xrange", "XRANGE"), ("-xinfo", "XINFO STREAM"), ("-xinfo|stream", "XINFO STREAM")] {
            let user = unique_namespace("user");
            let _: String = raw.ask(&["ACL", "SETUSER", &user, "on", ">pw", "~*", "+@all", missing]);
            let options = Options::new(format!("redis://{user}:pw@{address}"), unique_namespace("feed"));
            for options in [options.clone(), options.read_only()] {
                let store = flavour.open(&options).unwrap();
                if !options.read_only {
                    store.create(pending("r", "s", second(1))).unwrap();
                }
                assert_eq!(store.pending(&PageRequest::first()).unwrap().items.len(), 1);
                rejected(&store.read_feed(&FeedPosition::beginning(), 50).unwrap_err(), named);
                rejected(&store.end_of_feed().map(drop).unwrap_err(), named);
            }
        }
    }
}
