//! A namespace of an older layout is opened, rebuilt beside writers, killed in the middle and resumed.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use mutator_governance::{
    Error, LayoutError, Outcome, PageRequest, RequestId, RequestQuery, StoreError, StoreErrorKind, WriteId,
};

use crate::layout::fixture::{self, MISSING_INDEXES, PARTITIONS, REQUESTS};
use crate::layout::older_process::OlderProcess;
use common::requests::{id, moved_on, pending, second, submit, varied_draft};
use common::{Flavour, Options, Oracle, Raw, Store};
use common::{PrivateServer, unique_namespace};

pub(crate) fn failure(error: &Error) -> &StoreError {
    match error {
        Error::Store(failure) => failure,
        other => panic!("not a failure of the store: {other:?}"),
    }
}

/// What is wrong with the layout, as an error of a call that wrote nothing says.
pub(crate) fn layout_error(error: &Error) -> &LayoutError {
    let failure = failure(error);
    assert_eq!((failure.kind, failure.outcome), (StoreErrorKind::Incompatible, Outcome::NotApplied), "{error:?}");
    failure.layout.as_deref().unwrap_or_else(|| panic!("nothing of a layout: {error:?}"))
}

struct Scene {
    flavour: Flavour,
    server: PrivateServer,
    raw: Raw,
    options: Options,
    oracle: Oracle,
}

impl Scene {
    /// A server that holds the committed namespace, and other keys, so that a rebuild takes several steps.
    fn new(flavour: Flavour) -> Self {
        let server = PrivateServer::start_on_tcp(&[]);
        let mut raw = Raw::to(server.url());
        let namespace = unique_namespace("upgrade");
        fixture::load(&mut raw, &namespace);
        for number in 0..2_000 {
            let _: String = raw.ask(&["SET", &format!("other:{number}"), "x"]);
        }
        let options = Options::new(server.url(), &namespace).partitions(PARTITIONS);
        let oracle = Oracle::new(&namespace, PARTITIONS);
        Self { flavour, server, raw, options, oracle }
    }

    fn record_version(&mut self, version: u32) {
        let _: i64 = self.raw.ask(&["HSET", &self.oracle.meta_key(), "layout", &version.to_string()]);
    }

    fn record_in_partitions(&mut self, layout: &str) {
        for partition in 0..PARTITIONS {
            let _: String = self.raw.ask(&[b"SET".as_slice(), &self.oracle.layout_key(partition), layout.as_bytes()]);
        }
    }

    /// Stores of processes that opened the namespace before: one of the release before, one of today's.
    fn open_before(&mut self) -> (Store, Store) {
        self.record_version(3);
        self.record_in_partitions("3 2 Exact -");
        let newer = self.flavour.open(&self.options).unwrap();
        // The older process sends scripts by their hashes only, so that no layout is split between two pieces.
        let warm = newer.create(pending("warm", "s", second(0))).unwrap();
        newer.update(moved_on(warm, second(1)), WriteId::generate()).unwrap();
        newer.repair().unwrap();
        self.record_in_partitions("2 2 Exact -");
        let url = OlderProcess::before(self.server.url(), PARTITIONS).url().to_owned();
        let older = self.flavour.open(&Options { url, ..self.options.clone() }).unwrap();
        self.remove_missing_indexes();
        self.record_version(2);
        (older, newer)
    }

    fn remove_missing_indexes(&mut self) {
        for key in self.raw.keys(&self.options.namespace) {
            if String::from_utf8_lossy(&key).contains(MISSING_INDEXES) {
                let _: i64 = self.raw.ask(&[b"DEL".as_slice(), &key]);
            }
        }
    }

    /// All that has a tag is found along the tag's index, and `verify` and the oracle find nothing wrong.
    fn check_complete(&mut self, store: &Store) {
        assert!(store.verify().unwrap().is_clean(), "{:?}", self.flavour);
        let documents = self.oracle.check(&mut self.raw, store);
        for tag in ["quarter-end", "a", "ü ö"] {
            let query = RequestQuery::new().with_any_tag([tag]).unwrap();
            let page = store.requests(&query, &PageRequest::of(200).unwrap()).unwrap();
            assert_eq!(page.scanned, page.items.len() as u64, "read along the index of the tag");
            let found: BTreeSet<String> = page.items.iter().map(|request| request.id.to_string()).collect();
            let has_tag = |tags: &BTreeSet<mutator_governance::Tag>| tags.iter().any(|own| own.as_str() == tag);
            let tagged = documents.iter().filter(|(_, request)| has_tag(&request.intent.tags));
            let expected: BTreeSet<String> = tagged.map(|(id, _)| id.clone()).collect();
            assert!(expected.len() >= 10, "{} with {tag}", expected.len());
            assert_eq!(found, expected, "{tag}");
        }
    }
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// On a thread of its own, since what is called behind a step may be within the runtime of the flavour.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

#[test]
fn opening_an_older_layout_names_reindex_and_writes_nothing() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let before = scene.raw.dump(&scene.options.namespace);
        for options in [scene.options.clone(), scene.options.clone().read_only()] {
            let error = flavour.open(&options).map(drop).unwrap_err();
            assert!(matches!(layout_error(&error), LayoutError::Older { found: 1, expected: 3, .. }), "{error:?}");
            let said = error.to_string();
            assert!(said.contains("reindex") && said.contains(&scene.options.namespace), "{said}");
        }
        assert_eq!(scene.raw.dump(&scene.options.namespace), before);
        flavour.reindex(&scene.options).unwrap();
        let store = flavour.open(&scene.options).unwrap();
        scene.check_complete(&store);
        assert_eq!(scene.oracle.check(&mut scene.raw, &store).len() as u64, REQUESTS);
    }
}

#[test]
fn from_the_moment_a_rebuild_begins_older_processes_are_rejected_and_those_of_this_release_write() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let (older, newer) = scene.open_before();
        let written = older.create(submit(varied_draft("by-older", "s", &mut fastrand::Rng::with_seed(5)), second(99)));
        let written = written.unwrap();
        scene.remove_missing_indexes();
        let rejected = newer.create(pending("too-early", "s", second(3))).unwrap_err();
        assert!(matches!(layout_error(&rejected), LayoutError::Older { found: 2, .. }), "{rejected:?}");

        let (ended, rounds, options) = (AtomicBool::new(false), AtomicU64::new(0), scene.options.clone());
        let mut steps = 0;
        let report = thread::scope(|scope| {
            let writer = |name: &'static str| {
                let (newer, ended, rounds) = (newer.clone(), &ended, &rounds);
                move || {
                    let mut random = fastrand::Rng::with_seed(7);
                    let mut written = Vec::new();
                    while !ended.load(Ordering::Relaxed) {
                        // What is written without a pause grows faster than it is walked through.
                        thread::sleep(Duration::from_millis(20));
                        if written.len() == 30 {
                            let request = written.remove(0);
                            written.push(newer.update(moved_on(request, second(201)), WriteId::generate()).unwrap());
                        } else {
                            let draft = varied_draft(&format!("{name}{}", written.len()), "t", &mut random);
                            match newer.create(submit(draft, second(200))) {
                                Ok(request) => written.push(request),
                                // Not yet begun.
                                Err(error) => {
                                    assert!(matches!(layout_error(&error), LayoutError::Older { .. }), "{error:?}");
                                    continue;
                                }
                            }
                        }
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                }
            };
            // The writers end also where a step fails.
            let _ending = SetWhenDropped(&ended);
            scope.spawn(writer("one"));
            scope.spawn(writer("two"));
            let report = flavour.reindex_in_steps(&options, |_| {
                steps += 1;
                if steps > 3 {
                    return;
                }
                aside(|| {
                    let update = older.update(moved_on(written.clone(), second(100)), WriteId::generate());
                    let create = older.create(pending("late", "s", second(100)));
                    for rejected in [update.unwrap_err(), create.unwrap_err()] {
                        assert!(matches!(layout_error(&rejected), LayoutError::Newer { found: 4, .. }), "{rejected:?}");
                        assert!(rejected.to_string().contains("release that uses 4"), "{rejected}");
                    }
                    for rejected in [older.repair().unwrap_err(), older.migrate().unwrap_err()] {
                        assert!(matches!(layout_error(&rejected), LayoutError::Newer { .. }), "{rejected:?}");
                    }
                    let rejected = flavour.open(&options).map(drop).unwrap_err();
                    assert!(matches!(layout_error(&rejected), LayoutError::Rebuilding { .. }), "{rejected:?}");
                });
                let before = rounds.load(Ordering::Relaxed);
                while rounds.load(Ordering::Relaxed) < before + 2 {
                    thread::yield_now();
                }
            });
            report
        });
        assert!(!report.unwrap().is_clean() && steps > 3, "{flavour:?}: {steps} steps");
        let rejected = older.update(moved_on(written.clone(), second(101)), WriteId::generate()).unwrap_err();
        assert!(matches!(layout_error(&rejected), LayoutError::Newer { .. }), "{rejected:?}");
        assert_eq!(older.get(&written.id).unwrap(), Some(written), "it still reads");
        assert_eq!(older.get(&id("late")).unwrap(), None);
        let store = flavour.open(&scene.options).unwrap();
        scene.check_complete(&store);
    }
}

/// The child of the next test: rebuilds, and stands still in the middle.
#[test]
#[ignore = "run by the test that kills it"]
fn rebuild_that_is_killed() {
    let Ok(said) = std::env::var("MUTATOR_TEST_REBUILD") else { return };
    let [url, namespace, place] = said.split(' ').collect::<Vec<_>>()[..] else { panic!("{said}") };
    let options = Options::new(url, namespace).partitions(PARTITIONS);
    let mut records = 0;
    let _ended = Flavour::all()[place.parse::<usize>().unwrap()].reindex_in_steps(&options, |step| {
        records += step.records;
        if records > 0 {
            let mut output = std::io::stdout();
            writeln!(output, "\nmutator records {records}").and_then(|()| output.flush()).unwrap();
            loop {
                thread::park();
            }
        }
    });
}

#[test]
fn a_rebuild_that_was_killed_goes_on_where_it_was() {
    for (place, flavour) in Flavour::all().into_iter().enumerate() {
        let mut scene = Scene::new(flavour);
        let task = format!("{} {} {place}", scene.server.url(), scene.options.namespace);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "layout::upgrade::rebuild_that_is_killed"])
            .env("MUTATOR_TEST_REBUILD", task)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("mutator records ")?.parse().ok());
        child.kill().unwrap();
        child.wait().unwrap();
        let seen: u64 = said.expect("it rebuilds");
        assert!((1..REQUESTS).contains(&seen), "{seen} records before it was killed");

        for rejected in [flavour.open(&scene.options), flavour.open(&scene.options.clone().read_only())] {
            let rejected = rejected.map(drop).unwrap_err();
            assert!(matches!(layout_error(&rejected), LayoutError::Rebuilding { .. }), "{rejected:?}");
            assert!(rejected.to_string().contains("reindex"), "{rejected}");
        }
        let version: String = scene.raw.ask(&["HGET", &scene.oracle.meta_key(), "layout"]);
        assert_eq!(version, "1", "the new one is recorded last");

        let report = flavour.reindex(&scene.options).unwrap();
        assert!(report.records <= REQUESTS - seen, "{} records again, {seen} before", report.records);
        let store = flavour.open(&scene.options).unwrap();
        scene.check_complete(&store);
        assert!(store.get(&RequestId::new("r0").unwrap()).unwrap().is_some());
    }
}

/// The cursors of a walk mean nothing to a server process that has other hashes.
#[test]
fn a_rebuild_is_not_resumed_by_a_restarted_server() {
    let flavour = Flavour::all()[0];
    let mut scene = Scene::new(flavour);
    let mut left = 2;
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        flavour.reindex_in_steps(&scene.options, |_| {
            left -= 1;
            assert!(left > 0, "killed");
        })
    }));
    assert!(killed.is_err());
    let key = scene.oracle.meta_key();
    let saved: String = scene.raw.ask(&["HGET", &key, "reindexed"]);
    let info: String = scene.raw.ask(&["INFO", "server"]);
    let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap();
    assert!(saved.starts_with(run_id), "{saved}");
    let of_another = saved.replace(run_id, &"0".repeat(40));
    let _: i64 = scene.raw.ask(&["HSET", &key, "reindexed", &of_another]);
    assert_eq!(flavour.reindex(&scene.options).unwrap().records, REQUESTS);
    let store = flavour.open(&scene.options).unwrap();
    scene.check_complete(&store);
}
