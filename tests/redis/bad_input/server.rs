//! Servers that cannot be reached, reject, are too old, or are none.

use std::time::Duration;

use mutator_governance::{Error, Outcome, StoreErrorKind};

use crate::bad_input::scene::store_error;
use common::fake_server::{FakeServer, refused_address};
use common::requests::{pending, second};
use common::{Flavour, Options, everything_said};
use common::{PrivateServer, Stopwatch, unique_namespace};

const SECRET: &str = "hunter2-canary";

/// Opens a store that cannot be opened, and returns the error and how long it took.
fn opening_fails(flavour: Flavour, options: &Options) -> (Error, Duration) {
    let watch = Stopwatch::start();
    let error = flavour.open(options).map(drop).unwrap_err();
    let took = watch.elapsed();
    let said = everything_said(&error);
    assert!(!said.contains(SECRET), "{flavour:?} tells the password: {said}");
    (error, took)
}

#[test]
fn a_refused_connection_is_an_error_within_the_connect_deadline() {
    for flavour in Flavour::all() {
        let address = refused_address();
        let options = Options::new(format!("redis://user:{SECRET}@{address}/"), "n")
            .timeout(Duration::from_secs(8))
            .connect_timeout(Duration::from_secs(1));
        let (error, took) = opening_fails(flavour, &options);
        let inner = store_error(&error);
        assert_eq!(inner.kind, StoreErrorKind::Unreachable, "{flavour:?}: {error}");
        assert_eq!(inner.outcome, Outcome::NotApplied);
        let text = error.to_string().to_lowercase();
        assert!(text.contains(&address) && text.contains("refused"), "{flavour:?}: {text}");
        assert!(took < Duration::from_millis(1_900), "{flavour:?} took {took:?}: {error}");
    }
}

#[test]
fn a_silent_server_is_reported_by_the_deadline() {
    for flavour in Flavour::all() {
        for login in [String::new(), format!("user:{SECRET}@")] {
            let server = FakeServer::silent();
            let options = Options::new(format!("redis://{login}{}/", server.address()), "n")
                .timeout(Duration::from_secs(1))
                .connect_timeout(Duration::from_millis(400));
            let (error, took) = opening_fails(flavour, &options);
            let inner = store_error(&error);
            let expected = matches!(inner.kind, StoreErrorKind::Unreachable | StoreErrorKind::DeadlineExceeded);
            assert!(expected, "{flavour:?}: {error:?}");
            assert_eq!(inner.outcome, Outcome::NotApplied, "{flavour:?}, login {login:?}: {error:?}");
            assert!(error.to_string().contains(&server.address()), "{flavour:?}: {error}");
            assert!(took < Duration::from_millis(1_600), "{flavour:?} took {took:?}: {error}");
        }
    }
}

#[test]
fn a_unix_socket_that_is_not_there_is_unreachable() {
    for flavour in Flavour::all() {
        let options = Options::new("redis+unix:///nowhere/at/all", "n").timeout(Duration::from_secs(3));
        let (error, _) = opening_fails(flavour, &options);
        assert_eq!(store_error(&error).kind, StoreErrorKind::Unreachable, "{flavour:?}: {error:?}");
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}

#[test]
fn a_wrong_or_missing_password_is_rejected_at_once() {
    let server = PrivateServer::start_on_tcp(&["--requirepass", "right"]);
    let address = server.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    for flavour in Flavour::all() {
        flavour.open(&Options::new(format!("redis://:right@{address}/"), unique_namespace("login"))).unwrap();
        for login in [format!(":{SECRET}@"), format!("nobody:{SECRET}@"), String::new()] {
            let options = Options::new(format!("redis://{login}{address}/"), "n").timeout(Duration::from_secs(5));
            let (error, took) = opening_fails(flavour, &options);
            let inner = store_error(&error);
            assert_eq!(inner.kind, StoreErrorKind::Rejected, "{flavour:?}, {login:?}: {error:?}");
            assert!(!error.is_retryable());
            assert!(error.to_string().contains(&address), "{error}");
            assert!(took < Duration::from_secs(2), "{flavour:?}, {login:?} took {took:?}");
        }
    }
}

/// Requests that the server drops to make room are lost, so whoever opens such a store has to say that they know.
#[test]
fn a_server_that_may_evict_is_rejected_unless_that_is_allowed() {
    let server = PrivateServer::start_on_tcp(&["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]);
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("evicting"));
        let (error, _) = opening_fails(flavour, &options);
        assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible, "{flavour:?}: {error:?}");
        assert!(error.to_string().contains("allkeys-lru"), "{error}");
        let store = flavour.open(&options.allow_eviction()).unwrap();
        let warnings = store.preflight().warnings.join("; ");
        assert!(warnings.contains("allkeys-lru"), "{flavour:?}: {warnings}");
        let request = store.create(pending("r", "s", second(0))).unwrap();
        assert_eq!(store.get(&request.id).unwrap(), Some(request));
    }
}

/// A store that could not log in does not go on trying behind its caller's back.
#[test]
fn nobody_goes_on_connecting_after_a_call_has_failed() {
    for flavour in Flavour::all() {
        let server = FakeServer::answering(|_| b"-WRONGPASS invalid username-password pair\r\n".to_vec());
        let url = format!("redis://:{SECRET}@{}/", server.address());
        let options =
            Options::new(url, "n").timeout(Duration::from_millis(600)).connect_timeout(Duration::from_millis(300));
        drop(opening_fails(flavour, &options));
        // Those that were under way when the call failed; a store that goes on comes to no rest.
        let mut soon = server.connections();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(300));
            let before = std::mem::replace(&mut soon, server.connections());
            if before == soon {
                break;
            }
        }
        std::thread::sleep(Duration::from_millis(1_500));
        assert_eq!(server.connections(), soon, "{flavour:?} goes on");
    }
}

#[test]
fn an_older_server_is_incompatible() {
    for flavour in Flavour::all() {
        for version in ["6.2.14", "5.0.7", "banana"] {
            let server = FakeServer::of_version(version);
            let (error, _) = opening_fails(flavour, &Options::new(format!("redis://{}/", server.address()), "n"));
            assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible, "{flavour:?}: {error:?}");
            assert!(error.to_string().contains(version), "{error}");
        }
    }
}

/// Something that is not Redis answers.
#[test]
fn a_server_that_talks_nonsense_is_reported_by_the_deadline() {
    for flavour in Flavour::all() {
        for answer in [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), b"+OK\r\n", b":1\r\n", b"*-7\r\n", b"$5\r\nab"] {
            let server = FakeServer::answering(move |_| answer.to_vec());
            let options = Options::new(format!("redis://{}/", server.address()), "n")
                .timeout(Duration::from_millis(1_500))
                .connect_timeout(Duration::from_millis(500));
            let (error, took) = opening_fails(flavour, &options);
            assert_eq!(store_error(&error).outcome, Outcome::NotApplied, "{flavour:?}, {answer:?}: {error:?}");
            assert!(took < Duration::from_millis(2_100), "{flavour:?}, {answer:?} took {took:?}");
            if answer.starts_with(b"HTTP") {
                assert!(error.to_string().contains("does not speak the Redis protocol"), "{flavour:?}: {error}");
            }
        }
    }
}

/// A reply that comes byte by byte does not stretch a call beyond its deadline.
#[test]
fn a_trickling_reply_does_not_outlast_the_deadline() {
    for flavour in Flavour::all() {
        let answer = [b"$3000\r\n".as_slice(), &[b'x'; 3_000], b"\r\n"].concat();
        let answer = move |sent: &[u8]| {
            if FakeServer::is_asked_for_time(sent) { FakeServer::TIME.to_vec() } else { answer.clone() }
        };
        let server = FakeServer::answering_slowly(answer, 40, Duration::from_millis(100));
        let options = Options::new(format!("redis://{}/", server.address()), "n").timeout(Duration::from_millis(800));
        let (error, took) = opening_fails(flavour, &options);
        assert_eq!(store_error(&error).kind, StoreErrorKind::DeadlineExceeded, "{flavour:?}: {error:?}");
        assert!(took < Duration::from_millis(1_600), "{flavour:?} took {took:?}");
    }
}
