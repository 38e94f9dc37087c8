//! What the fault tests have in common.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mutator_governance::{Error, MutationRequest, Result, StoreErrorKind, WriteId};

use common::requests::{moved_on, pending, second};
use common::{Flavour, Options, Oracle, Raw, Store, may_be_repeated, patiently};
use common::{Stopwatch, unique_namespace};

/// How late a call may end beside what the rest of the machine takes.
pub const SLACK: Duration = Duration::from_millis(1_500);

pub fn rounds() -> u64 {
    std::env::var("MUTATOR_FAULT_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

pub fn every_byte() -> bool {
    std::env::var("MUTATOR_FAULT_EVERY_BYTE").is_ok_and(|value| value == "1")
}

/// A store in a namespace of its own, and a way to it around every fault.
pub struct Scene {
    pub flavour: Flavour,
    pub options: Options,
    pub store: Store,
    pub raw: Raw,
    pub oracle: Oracle,
}

impl Scene {
    /// The store reaches the server at `through`, the test at `directly`.
    pub fn new(flavour: Flavour, through: &str, directly: &str, timeout: Duration) -> Self {
        let namespace = unique_namespace("faults");
        let options = Options::new(through, &namespace).timeout(timeout).connect_timeout(timeout);
        let store = flavour.opened(&options);
        Self { flavour, options, store, raw: Raw::to(directly), oracle: Oracle::new(&namespace, 1) }
    }

    /// Nothing is left that the documents do not explain, and the feed tells every revision once.
    pub fn check(&mut self) {
        let patience = Duration::from_mins(1);
        let patient = self.flavour.opened(&self.options.clone().timeout(patience).connect_timeout(patience));
        let documents = self.oracle.check(&mut self.raw, &patient);
        self.oracle.check_feed_is_dense(&mut self.raw, &documents);
    }

    pub fn request(&self, name: &str) -> MutationRequest {
        let request = pending(name, "s", second(0));
        patiently("create", || self.store.create(request.clone()))
    }
}

/// The next change of a request.
pub fn next(request: &MutationRequest) -> MutationRequest {
    moved_on(request.clone(), second(request.revision().number + 1))
}

pub fn kind(error: &Error) -> StoreErrorKind {
    match error {
        Error::Store(error) => error.kind,
        other => panic!("not an error of the store: {other:?}"),
    }
}

/// The result of a call, which must end within its deadline.
pub fn in_time<T>(what: &str, deadline: Duration, call: impl FnOnce() -> T) -> T {
    within(what, deadline + SLACK, call)
}

/// The result of a call, which must not take longer.
pub fn within<T>(what: &str, limit: Duration, call: impl FnOnce() -> T) -> T {
    let watch = Stopwatch::start();
    let result = call();
    let took = watch.elapsed();
    assert!(took <= limit, "{what} took {took:?} of {limit:?}");
    result
}

/// Writes until it is known whether the write was applied, as a caller would: an unknown outcome is resolved by
/// repeating the write with its id, a failure that left nothing is retried too.
pub fn resolved(store: &Store, change: &MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
    let started = Instant::now();
    loop {
        match store.update(change.clone(), write_id) {
            Err(error) if may_be_repeated(&error) && started.elapsed() < Duration::from_mins(1) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// Waits until it is so.
pub fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_mins(1), "waiting for: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal to a process of this test's.
pub fn signal(name: &str, pid: u32) {
    let status = std::process::Command::new("kill").args([name, &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill {name} {pid}");
}

/// Ends the stop of a server when the test ends, however it ends.
pub struct Stopped(u32);

impl Stopped {
    pub fn new(pid: u32) -> Self {
        signal("-STOP", pid);
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal("-CONT", self.0);
    }
}

/// A directory that outlives the server in it, and not the test.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(unique_namespace("mg-aof"));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// What has to be done before a server that was killed is started again.
    pub fn repair_append_only_file(&self) {
        common::server::repair_append_only_file(&self.0);
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
