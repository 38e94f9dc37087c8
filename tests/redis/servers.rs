//! The servers that the other tests stand on: they start, they answer, and they end with the test binary.

#![cfg(feature = "redis")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::PrivateServer;
use common::server::container::{self, RedisContainer};

#[test]
fn the_shared_server_answers_and_is_the_same_for_every_caller() {
    let url = common::redis_url();
    assert_eq!(ping(&url).as_deref(), Ok("PONG"));
    assert_eq!(common::redis_url(), url);
}

#[test]
fn a_private_server_is_empty_takes_arguments_and_ends_when_stopped() {
    let mut server = PrivateServer::start(&["--maxmemory", "64mb"]);
    let mut connection = connect(server.url()).unwrap();
    let keys: u64 = redis::cmd("DBSIZE").query(&mut connection).unwrap();
    assert_eq!(keys, 0);
    let setting: (String, u64) = redis::cmd("CONFIG").arg(&["GET", "maxmemory"]).query(&mut connection).unwrap();
    assert_eq!(setting, ("maxmemory".to_owned(), 64 * 1024 * 1024));

    server.stop();
    assert!(ping(server.url()).is_err());
}

#[test]
fn a_private_server_leaves_no_directory_behind() {
    let server = PrivateServer::start(&[]);
    let Some(socket) = server.url().strip_prefix("redis+unix://").map(str::to_owned) else {
        // A container keeps its files to itself.
        assert!(server.url().starts_with("redis://127.0.0.1:"));
        return;
    };
    let directory = Path::new(&socket).parent().unwrap();
    assert!(directory.exists());
    drop(server);
    assert!(!directory.exists());
}

#[test]
fn a_server_on_a_port_can_be_followed_by_another_at_the_same_address() {
    let mut first = PrivateServer::start_on_tcp(&[]);
    let url = first.url().to_owned();
    let port = url.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok()).unwrap();
    first.stop();
    assert!(ping(&url).is_err());

    let second = PrivateServer::start_on_port(port, &[]);
    assert_eq!(second.url(), url);
    assert_ne!(second.pid(), first.pid());
    assert_eq!(ping(&url).as_deref(), Ok("PONG"));
}

#[test]
fn a_server_with_a_password_starts_too() {
    let server = PrivateServer::start_on_tcp(&["--requirepass", "sesame"]);
    assert!(ping(server.url()).is_err());
    let url = server.url().replace("redis://", "redis://:sesame@");
    assert_eq!(ping(&url).as_deref(), Ok("PONG"));
}

#[test]
fn namespaces_never_repeat() {
    let first = common::unique_namespace("billing");
    assert!(first.starts_with("billing-"));
    assert_ne!(first, common::unique_namespace("billing"));
}

#[test]
fn a_killed_test_binary_takes_its_server_along() {
    assert_server_ends_with_its_binary("");
}

/// Where no Docker engine answers there is nothing to try, and the line it prints is all this test does.
#[test]
fn a_container_serves_tests_and_ends_with_them() {
    if !container::engine_answers() {
        // Past the test harness, which would keep the line of a passing test to itself.
        let line = "no Docker engine answers on this machine: the container path is not exercised";
        writeln!(std::io::stderr(), "{line}").unwrap();
        return;
    }
    container::build_local_image().unwrap();

    let mut server = RedisContainer::start(None, &["--maxmemory", "64mb"]).unwrap();
    assert!(server.url().starts_with("redis://127.0.0.1:"));
    assert!(server.pid() > 0);
    assert_eq!(ping(server.url()).as_deref(), Ok("PONG"));
    server.end();
    assert!(ping(server.url()).is_err());

    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let server = RedisContainer::start(None, &[]).unwrap();
        assert_eq!(ping(server.url()).as_deref(), Ok("PONG"));
    });

    assert_server_ends_with_its_binary("container");
}

/// Not a test of its own: it is the binary that `assert_server_ends_with_its_binary` runs and kills.
#[test]
#[ignore = "run by the tests that kill it"]
fn hold_a_server_until_killed() {
    println!("\nserving on {}", common::redis_url());
    sleep(Duration::from_mins(2));
}

/// Runs this binary again, kills it with SIGKILL while it holds a server, and waits for that server to end.
fn assert_server_ends_with_its_binary(kind: &str) {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers::hold_a_server_until_killed"])
        .args(["--ignored", "--nocapture"])
        .env("MUTATOR_TEST_REDIS", kind)
        .env_remove("MUTATOR_TEST_REDIS_URL")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let url = BufReader::new(holder.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("serving on ").map(str::to_owned))
        .expect("the holder prints the address of its server");
    assert_eq!(ping(&url).as_deref(), Ok("PONG"));

    holder.kill().unwrap();
    holder.wait().unwrap();
    let killed = Instant::now();
    while ping(&url).is_ok() {
        assert!(killed.elapsed() < Duration::from_mins(1), "the server at {url} outlived its test binary");
        sleep(Duration::from_millis(20));
    }
    let socket = url.strip_prefix("redis+unix://").unwrap_or_default();
    while !socket.is_empty() && Path::new(socket).exists() {
        assert!(killed.elapsed() < Duration::from_mins(1), "{socket} outlived its test binary");
        sleep(Duration::from_millis(20));
    }
}

fn connect(url: &str) -> redis::RedisResult<redis::Connection> {
    redis::Client::open(url)?.get_connection_with_timeout(Duration::from_secs(5))
}

fn ping(url: &str) -> Result<String, String> {
    let ping = || redis::cmd("PING").query(&mut connect(url)?);
    ping().map_err(|error: redis::RedisError| error.to_string())
}
