//! A password never shows: in no error on any path, however it is printed, and in nothing that can be printed at all.

use std::time::Duration;

use mutator_governance::{Error, StoreErrorKind};

use common::fake_server::{FakeServer, refused_address};
use common::operations::{OPERATIONS, Subject};
use common::{Flavour, Options, Raw, everything_said};
use common::{PrivateServer, unique_namespace};

const PASSWORD: &str = "canary-password";
const USER: &str = "canary-user";

fn check(what: &str, error: &Error, secrets: &[&str]) {
    let said = everything_said(error);
    for secret in secrets {
        assert!(!said.contains(secret), "{what}: {secret} is shown: {said}");
    }
}

fn opening_fails(what: &str, flavour: Flavour, url: &str) -> Error {
    let options =
        Options::new(url, "n").timeout(Duration::from_millis(350)).connect_timeout(Duration::from_millis(150));
    let error = flavour.open(&options).map(drop).expect_err(what);
    check(&format!("{flavour:?}, {what}"), &error, &[PASSWORD, USER]);
    error
}

#[test]
fn no_url_that_cannot_be_read_is_repeated() {
    let urls = [
        "USER:PASSWORD@localhost",
        "http://USER:PASSWORD@localhost",
        "redis//USER:PASSWORD@localhost",
        "redis:USER:PASSWORD@localhost",
        "redis://USER:PASSWORD@",
        "redis://USER:PASSWORD@:6379",
        "redis://USER:PASSWORD@localhost:port",
        "redis://USER:PASSWORD@localhost:99999",
        "redis://USER:PASSWORD@localhost/PASSWORD",
        "redis://USER:PASSWORD@localhost/0/PASSWORD",
        "redis://USER:PASSWORD@local host",
        "redis://USER:PASSWORD@[::1",
        "redis://USER:%zzPASSWORD@localhost:port",
        "redis://USER:%FF%FEPASSWORD@localhost",
        "redis://%FF%FEUSER:PASSWORD@localhost",
        "redis://USER:p/PASSWORD@localhost",
        "redis://USER:p#PASSWORD@localhost",
        "redis://USER:p?PASSWORD@localhost",
        "redis://USER:4711#PASSWORD@localhost",
        "redis://USER:4711/PASSWORD@localhost",
        "redis://USER:4711?PASSWORD@localhost",
        "redis://USER:4711#PASSWORD",
        "redis://USER:47\t11PASSWORD@localhost",
        "redis://PASSWORD@localhost",
        "rediss://USER:4711#PASSWORD@localhost",
        "rediss://USER:4711/PASSWORD@localhost",
        "rediss://USER:PASSWORD#insecure",
        "redis+unix:///nowhere?user=USER&pass=4711&PASSWORD",
        "redis+unix:///nowhere?user=USER&pass=4711#PASSWORD",
        "redis+unix://USER:PASSWORD@/nowhere",
        "unix:USER:PASSWORD@/nowhere",
        "redis-sentinel://USER:PASSWORD@localhost:26379/primary",
        "redis+sentinel://USER:4711#PASSWORD@localhost:26379/primary",
        "valkeys://USER:4711#PASSWORD@localhost",
        "USER:4711#PASSWORD@localhost",
        "redis://localhost:PASSWORD",
        "redis://localhost?protocol=PASSWORD",
        "redis+unix:///nowhere?db=PASSWORD",
        "redis+unix:///nowhere?user=USER&pass=PASSWORD&db=x",
        "unix:/nowhere?user=USER&pass=PASSWORD&db=x",
        "rediss://USER:PASSWORD@localhost:port",
        "valkey://USER:PASSWORD@localhost:port",
    ];
    for url in urls {
        let url = url.replace("USER", USER).replace("PASSWORD", PASSWORD);
        for flavour in Flavour::all() {
            let error = opening_fails(&url, flavour, &url);
            let is_reported = matches!(&error, Error::Store(error) if error.kind == StoreErrorKind::Configuration);
            assert!(is_reported, "{url}: {error:?}");
        }
    }
}

#[test]
fn no_answer_of_a_server_makes_a_password_show() {
    let answers = [
        "-WRONGPASS invalid username-password pair or user is disabled.",
        "-NOAUTH Authentication required.",
        "-NOPERM this user has no permissions to run the 'info' command",
        "-ERR Client sent AUTH, but no password is set",
        "-ERR wrong number of arguments for 'auth' command",
        "-LOADING Redis is loading the dataset in memory",
        "-BUSY Redis is busy running a script.",
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "-READONLY You can't write against a read only replica.",
        "-MOVED 3999 127.0.0.1:6381",
        "-OOM command not allowed when used memory > 'maxmemory'.",
        "-MISCONF Redis is configured to save RDB snapshots",
        "-DENIED Redis is running in protected mode",
        "-ERR max number of clients reached",
        "HTTP/1.1 400 Bad Request",
        "+OK",
        ":1",
        "*-7",
        "$5\r\nab",
        "",
    ];
    for answer in answers {
        for flavour in Flavour::all() {
            // Nothing at all, or a word: after some of them the connection stays open and silent.
            let bytes = if answer.is_empty() { Vec::new() } else { format!("{answer}\r\n").into_bytes() };
            let server = FakeServer::answering(move |_| bytes.clone());
            opening_fails(answer, flavour, &format!("redis://{USER}:{PASSWORD}@{}/", server.address()));
        }
    }
    for flavour in Flavour::all() {
        opening_fails("refused", flavour, &format!("redis://{USER}:{PASSWORD}@{}/", refused_address()));
        opening_fails("no such socket", flavour, &format!("redis+unix:///nowhere?user={USER}&pass={PASSWORD}"));
        opening_fails("no TLS", flavour, &format!("rediss://{USER}:{PASSWORD}@{}/", refused_address()));
    }
}

/// Redis repeats the arguments of a command that it does not know: those of AUTH where an operator has renamed that.
#[test]
fn a_server_that_repeats_the_login_does_not_make_it_show() {
    let server = PrivateServer::start_on_tcp(&["--rename-command", "AUTH", ""]);
    for flavour in Flavour::all() {
        let url = server.url().replace("redis://", &format!("redis://{USER}:{PASSWORD}@"));
        opening_fails("AUTH renamed", flavour, &url);
    }
}

/// Every call of a store whose login is no longer good, or whose server is gone.
#[test]
fn no_call_of_an_open_store_makes_a_password_show() {
    for flavour in Flavour::all() {
        let mut server = PrivateServer::start_on_tcp(&[]);
        let mut raw = Raw::to(server.url());
        let _: String = raw.ask(&["ACL", "SETUSER", USER, "on", &format!(">{PASSWORD}"), "~*", "+@all"]);
        let url = server.url().replace("redis://", &format!("redis://{USER}:{PASSWORD}@"));
        let timeout = Duration::from_millis(150);
        let options = Options::new(url, unique_namespace("canary")).connect_timeout(timeout);
        let subject = Subject::new(flavour, options.clone());
        let hasty = Subject {
            store: flavour.opened(&options.clone().timeout(timeout)),
            options: options.timeout(timeout),
            ..subject
        };

        let takes_away: [&[&str]; 3] = [
            &["ACL", "SETUSER", USER, "-@all"],
            &["ACL", "SETUSER", USER, "+@all", "resetkeys"],
            &["ACL", "SETUSER", USER, "off"],
        ];
        for words in takes_away {
            let _: String = raw.ask(words);
            if words.contains(&"off") {
                let _: i64 = raw.ask(&["CLIENT", "KILL", "USER", USER]);
            }
            let mut failed = 0;
            for operation in OPERATIONS {
                if let Err(error) = (operation.run)(&hasty) {
                    // From 7.2 on, the server names the user who may not run the command: it is whom to allow it.
                    check(&format!("{flavour:?}, {words:?}, {}", operation.name), &error, &[PASSWORD]);
                    failed += 1;
                }
            }
            assert!(failed > 20, "{words:?}: {failed} failed");
        }
        server.stop();
        for operation in OPERATIONS {
            let error = (operation.run)(&hasty).expect_err(operation.name);
            check(&format!("{flavour:?}, gone, {}", operation.name), &error, &[PASSWORD, USER]);
        }
    }
}

#[test]
fn nothing_that_can_be_printed_holds_the_login() {
    let server = PrivateServer::start_on_tcp(&[]);
    let _: String = Raw::to(server.url()).ask(&["ACL", "SETUSER", USER, "on", &format!(">{PASSWORD}"), "~*", "+@all"]);
    let url = server.url().replace("redis://", &format!("redis://{USER}:{PASSWORD}@"));
    let namespace = unique_namespace("canary");
    for flavour in Flavour::all() {
        let store = flavour.open(&Options::new(&url, &namespace)).unwrap();
        let report = store.preflight();
        let printed = format!("{report} {report:?} {}", service_printed(flavour, &url, &namespace));
        assert!(!printed.contains(USER) && !printed.contains(PASSWORD), "{printed}");
    }
}

/// The stores and their builders cannot be printed at all; what works with them can.
fn service_printed(flavour: Flavour, url: &str, namespace: &str) -> String {
    #[cfg(feature = "blocking")]
    if flavour == Flavour::Blocking {
        use mutator_governance::blocking::{Governance, RedisStore};
        let store = RedisStore::builder(url).namespace(namespace).open().unwrap();
        return format!("{:?}", Governance::builder().store(std::sync::Arc::new(store)).build());
    }
    #[cfg(any(feature = "tokio", feature = "smol"))]
    if flavour != Flavour::Blocking {
        use mutator_governance::nonblocking::{Governance, RedisStore};
        let store = flavour.block_on(RedisStore::builder(url).namespace(namespace).open()).unwrap();
        return format!("{:?}", Governance::builder().store(std::sync::Arc::new(store)).build());
    }
    panic!("{flavour:?}, {url}, {namespace}: not switched on")
}
