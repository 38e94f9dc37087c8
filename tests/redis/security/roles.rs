//! What each user of `docs/acl/billing.acl` can do, and what not.

use mutator_governance::{Error, Outcome, StoreErrorKind};

use super::users::{NAMESPACE, Server};
use common::operations::{Kind, OPERATIONS, Operation, Subject};
use common::{Flavour, Oracle, Raw};

fn kind(what: &str, error: &Error) -> StoreErrorKind {
    let Error::Store(store_error) = error else { panic!("{what}: {error:?}") };
    store_error.kind
}

fn rejected(what: &str, error: &Error) {
    assert_eq!(kind(what, error), StoreErrorKind::Rejected, "{what}: {error}");
}

/// Operations that go through a whole namespace, which finding its keys takes.
fn is_of_deployers(operation: &Operation) -> bool {
    ["verify", "repair", "migrate", "reindex"].contains(&operation.name)
}

/// Removing takes a right that nobody else needs.
fn is_of_archivists(operation: &Operation) -> bool {
    operation.name == "remove"
}

#[test]
fn the_archivist_can_do_what_an_application_can_and_remove() {
    let server = Server::start();
    for flavour in Flavour::all() {
        let _: String = server.raw("admin").ask(&["FLUSHALL"]);
        flavour.open(&server.options("deployer")).unwrap();
        let subject = Subject::new(flavour, server.options("archivist"));
        for operation in OPERATIONS.iter().filter(|operation| !is_of_deployers(operation)) {
            (operation.run)(&subject).unwrap_or_else(|error| panic!("{flavour:?}, {}: {error}", operation.name));
        }
        Oracle::new(NAMESPACE, 1).check(&mut server.raw("admin"), &subject.store);
    }
}

#[test]
fn the_deployer_can_do_everything_but_remove() {
    let server = Server::start();
    for flavour in Flavour::all() {
        let _: String = server.raw("admin").ask(&["FLUSHALL"]);
        let subject = Subject::new(flavour, server.options("deployer"));
        for operation in OPERATIONS {
            let result = (operation.run)(&subject);
            if is_of_archivists(operation) {
                rejected(operation.name, &result.unwrap_err());
                continue;
            }
            result.unwrap_or_else(|error| panic!("{flavour:?}, {}: {error}", operation.name));
        }
        Oracle::new(NAMESPACE, 1).check(&mut server.raw("admin"), &subject.store);
    }
}

#[test]
fn the_application_can_do_everything_but_lay_out_and_go_through_a_namespace() {
    let server = Server::start();
    let mut admin = server.raw("admin");
    for flavour in Flavour::all() {
        let _: String = admin.ask(&["FLUSHALL"]);
        let before = admin.digest();
        // A namespace that nobody has laid out yet.
        let error = flavour.open(&server.options("application")).map(drop).unwrap_err();
        rejected("open", &error);
        assert_eq!(admin.digest(), before, "{flavour:?}");

        flavour.open(&server.options("deployer")).unwrap();
        let subject = Subject::new(flavour, server.options("application"));
        for operation in OPERATIONS {
            let what = format!("{flavour:?}, {}", operation.name);
            let before = admin.digest();
            match (operation.run)(&subject) {
                Ok(()) => assert!(!is_of_deployers(operation) && !is_of_archivists(operation), "{what} is allowed"),
                Err(error) => {
                    assert!(is_of_deployers(operation) || is_of_archivists(operation), "{what}: {error}");
                    rejected(&what, &error);
                    assert_eq!(admin.digest(), before, "{what}");
                }
            }
        }
        Oracle::new(NAMESPACE, 1).check(&mut admin, &subject.store);
    }
}

/// Whoever only asks: every question is answered, and every write rejected without anything written, by the store that was
/// opened to read only and, where it was not, by the server.
#[test]
fn the_reader_can_ask_everything_and_write_nothing() {
    let server = Server::start();
    let mut admin = server.raw("admin");
    for flavour in Flavour::all() {
        let _: String = admin.ask(&["FLUSHALL"]);
        flavour.open(&server.options("deployer")).unwrap();
        // Opening to write asks whether everything can be written, so that store is opened with an application's rules.
        server.give_rules("reader", "application");
        let writing = Subject::new(flavour, server.options("reader"));
        server.give_rules("reader", "reader");
        let reading = Subject {
            store: flavour.open(&server.options("reader").read_only()).unwrap(),
            options: server.options("reader").read_only(),
            ..writing.clone()
        };
        for (subject, rejects) in [(&writing, StoreErrorKind::Rejected), (&reading, StoreErrorKind::Configuration)] {
            for operation in OPERATIONS {
                let what = format!("{flavour:?}, {}", operation.name);
                let before = admin.digest();
                let result = (operation.run)(subject);
                assert_eq!(admin.digest(), before, "{what}: something was written");
                let opens = operation.name == "open" && subject.options.read_only;
                let reads = opens || operation.kind == Kind::Reads && !is_of_deployers(operation);
                match result {
                    Ok(()) => assert!(reads, "{what} is allowed"),
                    Err(error) => {
                        assert!(!reads, "{what}: {error}");
                        let expected = if operation.kind == Kind::Writes { rejects } else { kind(&what, &error) };
                        assert_eq!(kind(&what, &error), expected, "{what}: {error}");
                        let known = operation.kind != Kind::Writes || error.outcome() == Outcome::NotApplied;
                        assert!(known, "{what}: {error:?}");
                    }
                }
            }
        }
    }
}

/// What none of them is there for, past the store: other keys, other commands, scripts of their own.
#[test]
fn nobody_reaches_beyond_the_namespace() {
    let server = Server::start();
    let mut admin = server.raw("admin");
    let _: String = admin.ask(&["SET", "{payroll:0}:r:x", "theirs"]);
    let _: i64 = admin.ask(&["HSET", "{billing}:meta", "partitions", "1"]);
    let _: String = admin.ask(&["SET", "{billing:0}:r:x", "ours"]);
    let before = admin.digest();
    const SCRIPT: &str = "return redis.call('SET', KEYS[1], 'x')";
    for user in ["application", "reader", "deployer"] {
        let mut raw = server.raw(user);
        let mut forbidden: Vec<&[&str]> = vec![
            &["GET", "{payroll:0}:r:x"],
            &["SET", "{payroll:0}:r:x", "x"],
            &["EVAL", SCRIPT, "1", "{payroll:0}:r:x"],
            &["EVAL", "return redis.call('GET', '{payroll:0}:r:x')", "0"],
            &["SET", "{billing}:meta", "x"],
            &["DEL", "{billing:0}:r:x"],
            &["UNLINK", "{billing:0}:r:x"],
            &["EXPIRE", "{billing:0}:r:x", "1"],
            &["RENAME", "{billing:0}:r:x", "{billing:0}:r:y"],
            &["KEYS", "*"],
            &["FLUSHALL"],
            &["CONFIG", "GET", "*"],
            &["ACL", "LIST"],
            &["MONITOR"],
            &["SCRIPT", "FLUSH"],
            &["DEBUG", "DIGEST"],
            &["SHUTDOWN", "NOSAVE"],
        ];
        if user != "deployer" {
            forbidden.extend([&["SCAN", "0"][..], &["HSET", "{billing}:meta", "partitions", "2"]]);
        }
        if user == "reader" {
            forbidden.extend([
                &["SET", "{billing:0}:r:x", "x"][..],
                &["EVAL", SCRIPT, "1", "{billing:0}:r:x"],
                &["ZADD", "{billing:0}:i:a", "0", "x"],
                &["XADD", "{billing:0}:feed", "*", "x", "y"],
            ]);
        }
        for words in forbidden {
            let answer = raw.try_ask::<redis::Value>(words);
            assert!(answer.is_err(), "{user} may {words:?}: {answer:?}");
        }
    }
    assert_eq!(admin.digest(), before);
    let anybody =
        Raw::to(&server.url("admin").replace("admin:admin-password@", "")).try_ask::<redis::Value>(&["GET", "x"]);
    assert!(anybody.unwrap_err().to_string().contains("NOAUTH"), "the default user is on");
}
