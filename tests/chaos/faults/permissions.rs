//! A user who lacks one command, whichever it is, and everything that can be asked of a store.

use std::collections::BTreeSet;
use std::time::Duration;

use mutator_governance::{Error, Outcome, Settled, StoreErrorKind, WriteId};

use crate::faults::scene::{kind, next};
use common::operations::{Kind, OPERATIONS, Subject};
use common::proxy::Proxy;
use common::requests::{pending, second};
use common::{Flavour, Options, Oracle, Raw, oracle};
use common::{PrivateServer, unique_namespace};

/// Every command that the store sends or its scripts run, as an opening that lacks one of them says, and those by which
/// the change feed is read, without which it opens.
fn commands(raw: &mut Raw, address: &str) -> BTreeSet<String> {
    let user = unique_namespace("user");
    let _: String = raw.ask(&["ACL", "SETUSER", &user, "on", ">pw", "~*", "+@all", "-xadd"]);
    let options = Options::new(format!("redis://{user}:pw@{address}"), unique_namespace("lacking"));
    let error = Flavour::all()[0].open(&options).map(drop).unwrap_err().to_string();
    let (_, all) = error.split_once("Allow all of: ").expect("it says what to allow");
    all.split(' ').chain(["xrange", "xinfo|stream", "del"]).map(str::to_owned).collect()
}

#[test]
fn each_command_that_is_missing_is_rejected_by_name_and_leaves_nothing_half_written() {
    let server = PrivateServer::start_on_tcp(&["--enable-debug-command", "yes"]);
    let address = server.url().trim_start_matches("redis://").to_owned();
    let mut raw = Raw::to(server.url());
    let commands = commands(&mut raw, &address);
    for flavour in Flavour::all() {
        let mut needed = BTreeSet::new();
        for missing in &commands {
            // Checks go through all that a server holds.
            let _: String = raw.ask(&["FLUSHALL"]);
            let user = unique_namespace("user");
            let without = format!("-{missing}");
            let _: String = raw.ask(&["ACL", "SETUSER", &user, "on", ">pw", "~*", "+@all"]);
            let namespace = unique_namespace("lacking");
            let options = Options::new(format!("redis://{user}:pw@{address}"), &namespace);
            let subject = Subject::new(flavour, options.timeout(Duration::from_secs(20)));
            // Taken away when the store is open, since opening finds most of them out.
            let _: String = raw.ask(&["ACL", "SETUSER", &user, &without]);
            for operation in OPERATIONS {
                if missing == "eval" {
                    // Asked for only where the server has lost the scripts.
                    let _: String = raw.ask(&["SCRIPT", "FLUSH"]);
                }
                let before = raw.digest();
                let what = format!("{flavour:?}: {} without {missing}", operation.name);
                match (operation.run)(&subject) {
                    Ok(()) => assert!(operation.kind != Kind::Reads || raw.digest() == before, "{what} wrote"),
                    Err(error) => {
                        check_rejection(&what, &error, missing, &namespace);
                        // A step of a repair that was rejected in the middle does not know how far it came.
                        let is_known = operation.kind == Kind::InSteps || error.outcome() == Outcome::NotApplied;
                        assert!(is_known, "{what}: {error:?}");
                        assert_eq!(raw.digest(), before, "{what}: something was written: {error}");
                        needed.insert(missing.clone());
                    }
                }
            }
        }
        // The time is asked for by each new connection: see the test behind this one.
        needed.insert("time".to_owned());
        let needless: Vec<_> = commands.difference(&needed).collect();
        assert!(needless.is_empty(), "{flavour:?}: nothing needs {needless:?}");
    }
}

/// Whoever may not ask for the server's time opens no store; one that is open goes on by what it knows, and connects no more.
#[test]
fn without_the_servers_time_no_connection_is_made() {
    let server = PrivateServer::start_on_tcp(&[]);
    let address = server.url().trim_start_matches("redis://").to_owned();
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let user = unique_namespace("user");
        let options = Options::new(format!("redis://{user}:pw@{address}"), unique_namespace("untimed"));
        let _: String = raw.ask(&["ACL", "SETUSER", &user, "on", ">pw", "~*", "+@all", "-time"]);
        let error = flavour.open(&options).map(drop).unwrap_err();
        assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Rejected, Outcome::NotApplied), "{error}");
        let said = error.to_string();
        assert!(said.contains("time") && said.contains("give the user this permission"), "{flavour:?}: {said}");

        let _: String = raw.ask(&["ACL", "SETUSER", &user, "+time"]);
        let store = flavour.open(&options).unwrap();
        let request = store.create(pending("r", "s", second(0))).unwrap();
        let _: String = raw.ask(&["ACL", "SETUSER", &user, "-time"]);
        let request = store.update(next(&request), WriteId::generate()).unwrap();
        let _: u64 = raw.ask(&["CLIENT", "KILL", "USER", &user]);
        // The first call may have been sent on the connection that is gone.
        assert_eq!(kind(&store.get(&request.id).unwrap_err()), StoreErrorKind::Rejected, "{flavour:?}");
        let error = store.update(next(&request), WriteId::generate()).unwrap_err();
        assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Rejected, Outcome::NotApplied), "{error}");
        let unchanged = Options { url: server.url().to_owned(), ..options };
        assert_eq!(flavour.open(&unchanged).unwrap().get(&request.id).unwrap(), Some(request), "nothing was written");
    }
}

/// The reply of a write that was applied is lost, and the permission for it is taken away before it is repeated: the error
/// speaks of the repetition only.
#[test]
fn a_rejected_repetition_does_not_deny_the_write_before_it() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        for missing in ["set", "evalsha"] {
            let user = unique_namespace("user");
            let (allowed, without) = (format!("+{missing}"), format!("-{missing}"));
            let _: String = raw.ask(&["ACL", "SETUSER", &user, "on", ">pw", "~*", "+@all"]);
            let options = Options::new(proxy.url().replace("redis://", &format!("redis://{user}:pw@")), &user);
            let store = flavour.opened(&options);
            // The scripts are known, so that the reply that is lost is that of the write.
            let request = store.create(pending("warm", "s", second(0))).unwrap();
            let request = store.update(next(&request), WriteId::generate()).unwrap();
            let lose_and_forbid = || {
                let (mut raw, user, without) = (Raw::to(server.url()), user.clone(), without.clone());
                proxy.lose_reply_and(move || drop(raw.ask::<String>(&["ACL", "SETUSER", &user, &without])));
            };
            let mut check = |what: &str, error: &Error| {
                let what = format!("{flavour:?}: {what} without {missing}: {error}");
                assert_eq!((kind(error), error.outcome()), (StoreErrorKind::Rejected, Outcome::Unknown), "{what}");
                let write = error.unsettled_write().expect(&what);
                let _: String = raw.ask(&["ACL", "SETUSER", &user, &allowed]);
                assert_eq!(store.settle(write).unwrap(), Settled::Applied, "{what}");
            };
            lose_and_forbid();
            check("update", &store.update(next(&request), WriteId::generate()).unwrap_err());
            lose_and_forbid();
            check("create", &store.create(pending("new", "s", second(1))).unwrap_err());
        }
    }
}

/// Repairing is no write of a request, so that it may stop half-way: the next repair, with the permission, ends it.
#[test]
fn a_repair_that_lacks_a_command_is_ended_by_the_next() {
    let server = PrivateServer::start_on_tcp(&[]);
    let address = server.url().trim_start_matches("redis://").to_owned();
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        for missing in ["set", "zadd", "zrem"] {
            let user = unique_namespace("user");
            let _: String = raw.ask(&["ACL", "SETUSER", &user, "on", ">pw", "~*", "+@all"]);
            let namespace = unique_namespace("repairing");
            let options = Options::new(format!("redis://{user}:pw@{address}"), &namespace);
            let subject = Subject::new(flavour, options);
            let oracle = Oracle::new(&namespace, 1);
            damage(&mut raw, &oracle, &subject);
            let found = subject.store.verify().unwrap().findings.len();
            assert!(found >= 3, "{found} findings");

            let _: String = raw.ask(&["ACL", "SETUSER", &user, &format!("-{missing}")]);
            let error = subject.store.repair().unwrap_err();
            check_rejection(&format!("{flavour:?}: repair without {missing}"), &error, missing, &namespace);
            let _: String = raw.ask(&["ACL", "SETUSER", &user, &format!("+{missing}")]);
            assert!(!subject.store.repair().unwrap().is_clean());
            assert!(subject.store.verify().unwrap().is_clean(), "{flavour:?}, {missing}");
            oracle.check(&mut raw, &subject.store);
        }
    }
}

/// An entry is missing, another is one too many, and a header names an entry that its document does not ask for.
fn damage(raw: &mut Raw, oracle: &Oracle, subject: &Subject) {
    let (index, member) = oracle.entries(subject.waiting.document()).swap_remove(0);
    let _: i64 = raw.ask(&[b"ZREM".as_slice(), &index, &member]);
    let other = oracle.key(0, b"i:si:elsewhere");
    let _: i64 = raw.ask(&[b"ZADD".as_slice(), &other, b"0", &member]);
    let key = oracle.record_key("waiting");
    let record: Vec<u8> = raw.ask(&[b"GET".as_slice(), &key]);
    let name = b"p:Schedule";
    let at = record.windows(name.len()).position(|part| part == name).expect("the header names it");
    let mut stale = [&record[..at], b"p:Zchedule", &record[at + name.len()..]].concat();
    oracle::seal_header("waiting", &mut stale);
    let _: String = raw.ask(&[b"SET".as_slice(), &key, &stale]);
}

fn check_rejection(what: &str, error: &Error, missing: &str, namespace: &str) {
    assert_eq!(kind(error), StoreErrorKind::Rejected, "{what}: {error}");
    let text = error.to_string().to_lowercase();
    assert!(text.contains(missing) || text.contains(namespace), "{what}: neither command nor key is named: {error}");
    assert!(!text.contains("pw@"), "{what}: {error}");
}
