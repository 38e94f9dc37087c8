//! Every key of a namespace, replaced in turn by a value of another type, and everything that can be asked of a store.

use std::collections::BTreeSet;
use std::time::Duration;

use mutator_governance::{Error, Finding, Outcome, StoreErrorKind};

use common::operations::{Kind, OPERATIONS, Subject};
use common::{Flavour, Options, Raw};
use common::{PrivateServer, unique_namespace};

const OTHERS: [(&str, &[&str]); 6] = [
    ("string", &["SET", "KEY", "x"]),
    ("list", &["RPUSH", "KEY", "x"]),
    ("set", &["SADD", "KEY", "x"]),
    ("hash", &["HSET", "KEY", "x", "y"]),
    ("zset", &["ZADD", "KEY", "0", "x"]),
    ("stream", &["XADD", "KEY", "*", "x", "y"]),
];

/// Puts a value of another type there, one after another for one key after another.
fn replace(raw: &mut Raw, key: &[u8], place: usize) {
    let own = raw.type_of(key);
    let others: Vec<_> = OTHERS.iter().filter(|(kind, _)| *kind != own).collect();
    let (kind, words) = others[place % others.len()];
    let _: i64 = raw.ask(&[b"DEL".as_slice(), key]);
    let words: Vec<&[u8]> = words.iter().map(|word| if *word == "KEY" { key } else { word.as_bytes() }).collect();
    let _: redis::Value = raw.ask(&words);
    assert_eq!(raw.type_of(key), *kind);
}

#[test]
fn each_key_of_another_type_is_named_and_nothing_is_written() {
    let server = PrivateServer::start_on_tcp(&["--enable-debug-command", "yes"]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let namespace = unique_namespace("types");
        let options = Options::new(server.url(), &namespace).timeout(Duration::from_secs(20));
        let mut noticed = BTreeSet::new();
        let keys = {
            let _: String = raw.ask(&["FLUSHALL"]);
            Subject::new(flavour, options.clone());
            raw.keys(&namespace)
        };
        assert!(keys.len() > 30, "{} keys", keys.len());
        // Each in one flavour; the others share all code but the driver.
        let step = if flavour == Flavour::all()[0] { 1 } else { 7 };
        for (place, key) in keys.iter().enumerate().step_by(step) {
            let _: String = raw.ask(&["FLUSHALL"]);
            let subject = Subject::new(flavour, options.clone());
            replace(&mut raw, key, place);
            let shown = String::from_utf8_lossy(key).into_owned();
            let found = subject.store.verify().unwrap().findings;
            if found.contains(&Finding::OtherType { key: shown.clone() }) {
                noticed.insert(shown.clone());
            }
            for operation in OPERATIONS {
                let before = raw.digest();
                let what = format!("{flavour:?}: {} with another type at {shown}", operation.name);
                match (operation.run)(&subject) {
                    Ok(()) => assert!(operation.kind != Kind::Reads || raw.digest() == before, "{what} wrote"),
                    Err(error) => {
                        check(&what, &error, operation.kind, &shown, &namespace);
                        assert_eq!(raw.digest(), before, "{what}: something was written: {error}");
                        noticed.insert(shown.clone());
                    }
                }
            }
        }
        // Nobody can ask for a key without its being noticed.
        assert!(noticed.len() * step >= keys.len(), "{flavour:?}: of {} keys only these: {noticed:#?}", keys.len());
    }
}

fn check(what: &str, error: &Error, operation: Kind, key: &str, namespace: &str) {
    let text = error.to_string();
    let is_typed = match error {
        Error::Store(error) => matches!(error.kind, StoreErrorKind::Rejected | StoreErrorKind::Incompatible),
        // A string at a record's key.
        Error::Unreadable { .. } => true,
        _ => false,
    };
    assert!(is_typed, "{what}: {error:?}");
    // A check names the record it was about, and where many indexes are asked at once some of them are named.
    let is_about_many =
        operation == Kind::InSteps || ["verify", "statistics", "count_ready"].iter().any(|name| what.contains(name));
    let named = if is_about_many { namespace } else { key };
    assert!(text.contains(named), "{what}: {named} is not named: {text}");
    assert!(operation == Kind::InSteps || error.outcome() == Outcome::NotApplied, "{what}: {error:?}");
}
