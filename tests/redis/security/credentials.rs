//! Logins that change while a store is open.

use std::error::Error as _;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(feature = "blocking")]
use mutator_governance::blocking;
#[cfg(any(feature = "tokio", feature = "smol"))]
use mutator_governance::nonblocking;
use mutator_governance::{Credentials, Error, Outcome, Result, StoreErrorKind, WriteId};

use common::requests::{moved_on, pending, second};
use common::{Flavour, Raw, Store, everything_said};
use common::{PrivateServer, unique_namespace};

const USER: &str = "canary-user";

/// Gives out a password until that is changed, or none at all.
#[derive(Clone, Default)]
struct Vault {
    password: Arc<Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Vault {
    fn holding(password: &str) -> Self {
        let vault = Self::default();
        vault.change(Some(password));
        vault
    }

    fn change(&self, password: Option<&str>) {
        *self.password.lock().unwrap() = password.map(str::to_owned);
    }

    fn fetch(&self) -> io::Result<Credentials> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let password = self.password.lock().unwrap().clone();
        password.map(|password| Credentials::new(USER, password)).ok_or_else(|| io::Error::other("the vault is sealed"))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn open(&self, flavour: Flavour, url: &str, namespace: &str) -> Result<Store> {
        let (vault, timeout) = (self.clone(), Duration::from_secs(20));
        match flavour {
            #[cfg(feature = "blocking")]
            Flavour::Blocking => {
                let builder = blocking::RedisStore::builder(url).namespace(namespace).timeout(timeout);
                Ok(builder.connect_timeout(timeout).credentials(move || vault.fetch()).open()?.into())
            }
            #[cfg(any(feature = "tokio", feature = "smol"))]
            other => {
                let builder = nonblocking::RedisStore::builder(url).namespace(namespace).timeout(timeout);
                let fetch = move || {
                    let vault = vault.clone();
                    async move { vault.fetch() }
                };
                let opening = builder.connect_timeout(timeout).credentials(fetch).open();
                Ok(Store::nonblocking_of(other.block_on(opening)?, other))
            }
            #[allow(unreachable_patterns, reason = "with every feature on, all flavours are above")]
            other => panic!("{other:?} is not switched on"),
        }
    }
}

fn rules(raw: &mut Raw, rules: &[&str]) {
    let words: Vec<&str> = ["ACL", "SETUSER", USER].into_iter().chain(rules.iter().copied()).collect();
    let _: String = raw.ask(&words);
}

fn disconnect(raw: &mut Raw) -> i64 {
    raw.ask(&["CLIENT", "KILL", "USER", USER])
}

fn check_not_applied(error: &Error, kind: StoreErrorKind) {
    let is_kind = matches!(error, Error::Store(error) if error.kind == kind);
    assert!(is_kind && error.outcome() == Outcome::NotApplied, "{error:?}");
    let said = everything_said(error);
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn a_password_changes_under_load_and_no_call_fails() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let passwords = ["canary-first", "canary-second"];
        rules(&mut raw, &["reset", "on", &format!(">{}", passwords[0]), "~*", "+@all"]);
        let vault = Vault::holding(passwords[0]);
        let store = vault.open(flavour, server.url(), &unique_namespace("rotating")).unwrap();
        let (is_over, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
        let before = vault.asked();
        thread::scope(|scope| {
            for caller in 0..3 {
                let (store, is_over, calls) = (store.clone(), &is_over, &calls);
                scope.spawn(move || {
                    let mut request = store.create(pending(&format!("r{caller}"), "s", second(0))).unwrap();
                    while !is_over.load(Ordering::SeqCst) {
                        let to = second(request.revision().number + 1);
                        request = store.update(moved_on(request, to), WriteId::generate()).unwrap();
                        assert_eq!(store.get(&request.id).unwrap().as_ref(), Some(&request));
                        calls.fetch_add(2, Ordering::SeqCst);
                    }
                });
            }
            for round in 0..8 {
                let (old, new) = (passwords[round % 2], passwords[(round + 1) % 2]);
                let wait_for = calls.load(Ordering::SeqCst) + 20;
                let began = Instant::now();
                while calls.load(Ordering::SeqCst) < wait_for && began.elapsed() < Duration::from_secs(60) {
                    thread::sleep(Duration::from_millis(1));
                }
                // As docs/security.md says: both are good, then the new one is given out, then connections log in by it.
                rules(&mut raw, &[&format!(">{new}")]);
                vault.change(Some(new));
                disconnect(&mut raw);
                thread::sleep(Duration::from_millis(20));
                rules(&mut raw, &[&format!("<{old}")]);
            }
            is_over.store(true, Ordering::SeqCst);
        });
        assert!(calls.load(Ordering::SeqCst) >= 160, "{flavour:?}: {calls:?} calls are no load");
        assert!(vault.asked() >= before + 8, "{flavour:?}: asked {} times", vault.asked());
    }
}

/// The server no longer takes what a store logs in by; then the source, or the server, is put right.
#[test]
fn a_password_that_was_lost_is_not_lost_for_ever() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        rules(&mut raw, &["reset", "on", ">canary-first", "~*", "+@all"]);
        let namespace = unique_namespace("lost");
        let vault = Vault::holding("canary-first");
        let by_source = vault.open(flavour, server.url(), &namespace).unwrap();
        let url = server.url().replace("redis://", &format!("redis://{USER}:canary-first@"));
        let by_url = flavour.open(&common::Options::new(url, &namespace)).unwrap();
        let mut request = by_source.create(pending("r", "s", second(0))).unwrap();
        assert_eq!(by_url.get(&request.id).unwrap().as_ref(), Some(&request));

        rules(&mut raw, &["resetpass", ">canary-second"]);
        assert!(disconnect(&mut raw) >= 2, "{flavour:?}");
        for store in [&by_source, &by_url] {
            for _ in 0..2 {
                let change = moved_on(request.clone(), second(1));
                let error = store.update(change, WriteId::generate()).unwrap_err();
                check_not_applied(&error, StoreErrorKind::Rejected);
            }
        }
        vault.change(Some("canary-second"));
        request = by_source.update(moved_on(request, second(1)), WriteId::generate()).unwrap();
        check_not_applied(&by_url.get(&request.id).unwrap_err(), StoreErrorKind::Rejected);

        rules(&mut raw, &[">canary-first"]);
        assert_eq!(by_url.get(&request.id).unwrap().as_ref(), Some(&request), "{flavour:?}");
    }
}

#[test]
fn a_source_that_fails_fails_the_call_and_is_asked_again_by_the_next() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        rules(&mut raw, &["reset", "on", ">canary-first", "~*", "+@all"]);
        let (vault, namespace) = (Vault::default(), unique_namespace("sealed"));
        let error = vault.open(flavour, server.url(), &namespace).map(drop).unwrap_err();
        check_not_applied(&error, StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("source of credentials"), "{error}");
        assert!(error.source().is_some_and(|cause| cause.to_string() == "the vault is sealed"), "{error:?}");

        vault.change(Some("canary-first"));
        let store = vault.open(flavour, server.url(), &namespace).unwrap();
        let request = store.create(pending("r", "s", second(0))).unwrap();
        let asked = vault.asked();
        assert_eq!(store.get(&request.id).unwrap().as_ref(), Some(&request));
        assert_eq!(vault.asked(), asked, "{flavour:?}: asked although the connection was there");

        vault.change(None);
        disconnect(&mut raw);
        let change = moved_on(request, second(1));
        let error = store.update(change.clone(), WriteId::generate()).unwrap_err();
        check_not_applied(&error, StoreErrorKind::Unavailable);
        assert!(error.is_retryable(), "{error:?}");
        vault.change(Some("canary-first"));
        store.update(change, WriteId::generate()).unwrap();
        assert!(vault.asked() > asked);
    }
}

#[test]
fn a_login_that_stays_is_given_as_it_is_and_not_beside_another() {
    let server = PrivateServer::start_on_tcp(&["--requirepass", "canary-password"]);
    let url = server.url().to_owned();
    let with_login = url.replace("redis://", "redis://:canary-password@");
    #[cfg(feature = "blocking")]
    {
        let credentials = Credentials::password("canary-password");
        blocking::RedisStore::builder(&*url).credentials(credentials.clone()).open().unwrap();
        let error = blocking::RedisStore::builder(&*with_login).credentials(credentials).open().map(drop).unwrap_err();
        check_not_applied(&error, StoreErrorKind::Configuration);
        let wrong = Credentials::new("default", "canary-wrong");
        let error = blocking::RedisStore::builder(&*url).credentials(wrong).open().map(drop).unwrap_err();
        check_not_applied(&error, StoreErrorKind::Rejected);
    }
    #[cfg(any(feature = "tokio", feature = "smol"))]
    for flavour in Flavour::all().into_iter().filter(|flavour| *flavour != Flavour::Blocking) {
        let credentials = Credentials::new("default", "canary-password");
        let opening = nonblocking::RedisStore::builder(&*url).credentials(credentials.clone()).open();
        flavour.block_on(opening).unwrap();
        let opening = nonblocking::RedisStore::builder(&*with_login).credentials(credentials).open();
        check_not_applied(&flavour.block_on(opening).map(drop).unwrap_err(), StoreErrorKind::Configuration);
        let opening = nonblocking::RedisStore::builder(&*url).credentials(Credentials::password("canary-wrong")).open();
        check_not_applied(&flavour.block_on(opening).map(drop).unwrap_err(), StoreErrorKind::Rejected);
    }
}
