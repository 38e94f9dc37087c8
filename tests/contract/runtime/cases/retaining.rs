//! Retention: what has stayed long enough is archived, read back and removed, once, in steps.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mutator_governance::retention::{
    RetentionAction, RetentionOptions, RetentionPolicy, RetentionReport, RetentionRule,
};
use mutator_governance::{
    ArchiveName, Error, FeedChange, FeedPosition, Metadata, MutationRequest, Removal, RequestQuery, Requirement,
    Result, Status,
};

use super::archive_files::MemoryFiles;
use super::sweeper::until;
use super::{World, dual, flavour, run_concurrently};
use crate::runtime::people::{Calls, at, draft, id, user};
use flavour::{Archive, ArchiveShelf, ArchiveSink, ArchiveSource, Governance, Retention};

/// Archives in this process's memory, which a test can damage.
#[derive(Clone, Default)]
struct MemoryShelf {
    archives: Arc<Mutex<BTreeMap<ArchiveName, MemoryFiles>>>,
    damages: bool,
}

#[dual]
impl ArchiveShelf for MemoryShelf {
    async fn begin(&self, name: &ArchiveName) -> io::Result<Box<dyn ArchiveSink>> {
        let files = MemoryFiles::default();
        assert!(self.archives.lock().unwrap().insert(name.clone(), files.clone()).is_none(), "{name} is there");
        Ok(Box::new(files) as Box<dyn ArchiveSink>)
    }

    async fn open(&self, name: &ArchiveName) -> io::Result<Box<dyn ArchiveSource>> {
        let files = self.archives.lock().unwrap()[name].clone();
        let files = if self.damages { files.with("part-000001.jsonl", |bytes| bytes[9] ^= 1) } else { files };
        Ok(Box::new(files) as Box<dyn ArchiveSource>)
    }
}

const DAY: u64 = 86_400;

fn days(number: u64) -> Duration {
    Duration::from_secs(number * DAY)
}

/// Keeps what was canceled for ten days, what is of the class `long` for a hundred, and whatever is about `held`.
fn policy(action: RetentionAction) -> RetentionPolicy {
    let rules = [
        RetentionRule::new("long", days(100), action).unwrap().of_class("long").unwrap(),
        RetentionRule::new("canceled", days(10), action).unwrap(),
    ];
    let held = RequestQuery::new().with_ids(["held"]).unwrap();
    RetentionPolicy::new(rules).unwrap().holding("case-7", held).unwrap()
}

/// Twelve requests that were canceled on day 0, of which one is held and two are of the class `long`, and an open one.
#[dual]
async fn fill(world: &World) -> Vec<MutationRequest> {
    let mut due = Vec::new();
    world.governance.submit(draft("open")).await.unwrap();
    for number in 0..12_usize {
        let name = if number == 3 { "held".to_owned() } else { format!("r{number:02}") };
        let mut draft = draft(&name);
        if number % 6 == 5 {
            let class = Metadata::new().with(RetentionRule::CLASS, "long").unwrap();
            draft = draft.requires(Requirement::new(RetentionRule::REQUIREMENT, "the law").unwrap().with_data(class));
        }
        world.governance.submit(draft).await.unwrap();
        let ended = world.governance.cancel(id(&name), user("requester")).await.unwrap();
        if number != 3 && number % 6 != 5 {
            due.push(ended);
        }
    }
    due
}

/// All steps of a pass, of five requests each.
#[dual]
async fn pass(governance: &Governance, shelf: &MemoryShelf, policy: &RetentionPolicy) -> Vec<RetentionReport> {
    let (mut reports, mut options) = (Vec::new(), RetentionOptions::new().limit(5).unwrap());
    loop {
        let report = governance.retain_to(shelf, policy, user("archivist"), &options).await.unwrap();
        let next = report.next.clone();
        reports.push(report);
        match next {
            Some(next) => options = RetentionOptions::new().limit(5).unwrap().after(next),
            None => return reports,
        }
    }
}

#[dual]
pub(crate) async fn what_is_due_is_archived_read_back_and_removed(world: World) {
    let due = fill(&world).await;
    let (shelf, policy) = (MemoryShelf::default(), policy(RetentionAction::Archive));
    world.clock.set(at(9 * DAY));
    let early = pass(&world.governance, &shelf, &policy).await;
    assert!(early.iter().all(|report| report.removed == 0 && report.due.is_empty()), "{early:?}");
    assert!(shelf.archives.lock().unwrap().is_empty());

    world.clock.set(at(11 * DAY));
    let reports = pass(&world.governance, &shelf, &policy).await;
    let removed: u64 = reports.iter().map(|report| report.removed).sum();
    assert_eq!(removed, due.len() as u64, "{reports:?}");
    assert!(reports.iter().all(|report| report.failed.is_empty() && report.overtaken == 0), "{reports:?}");
    let last = reports.last().unwrap();
    assert!(reports.len() > 2 && last.done >= 12 && last.total.is_some_and(|total| total >= 12), "{last:?}");
    let kept: Vec<_> = reports.iter().flat_map(|report| &report.kept).map(|kept| kept.id.as_str()).collect();
    assert!(kept.contains(&"held") && kept.contains(&"r05"), "{kept:?}");
    for request in &due {
        let Err(Error::Removed(tombstone)) = world.governance.get(&request.id).await else { panic!("it is there") };
        assert!(tombstone.is_of(request), "{tombstone}");
        let files = shelf.archives.lock().unwrap()[tombstone.archive.as_ref().unwrap()].clone();
        let archived = Archive::open(files).await.unwrap().get(&request.id).await.unwrap().unwrap();
        assert!(tombstone.is_of(&archived), "{tombstone}");
    }
    for kept in ["held", "open", "r05", "r11"] {
        let found = world.governance.get(kept).await.unwrap();
        assert!(found.is_some(), "{kept}");
    }
    let again = pass(&world.governance, &shelf, &policy).await;
    assert!(again.iter().all(|report| report.removed == 0), "{again:?}");
    world.clock.set(at(101 * DAY));
    let late = pass(&world.governance, &shelf, &policy).await;
    assert_eq!(late.iter().map(|report| report.removed).sum::<u64>(), 2, "{late:?}");
}

#[dual]
pub(crate) async fn a_plan_lists_what_is_due_and_writes_nothing(world: World) {
    let due = fill(&world).await;
    world.clock.set(at(11 * DAY));
    let policy = policy(RetentionAction::Purge);
    let before = world.governance.end_of_feed().await.unwrap();
    let (mut listed, mut options) = (Vec::new(), RetentionOptions::new().limit(4).unwrap());
    loop {
        let report = world.governance.plan_retention(&policy, &options).await.unwrap();
        assert!(report.is_plan && report.removed == 0 && report.archive.is_none(), "{report:?}");
        listed.extend(report.due);
        match report.next {
            Some(next) => options = RetentionOptions::new().limit(4).unwrap().after(next),
            None => break,
        }
    }
    let listed: Vec<_> = listed.into_iter().map(|due| (due.id, due.revision, due.status)).collect();
    let expected: Vec<_> = due.iter().map(|due| (due.id.clone(), due.revision(), Status::Canceled)).collect();
    assert_eq!(listed, expected);
    let entries = world.governance.read_feed(&before, 10).await.unwrap().entries;
    assert!(entries.is_empty(), "{entries:?}");
    let archives = policy_that_archives();
    let error = world.governance.retain(&archives, user("archivist"), &RetentionOptions::new()).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

fn policy_that_archives() -> RetentionPolicy {
    policy(RetentionAction::Archive)
}

/// Whatever is wrong with an archive is found before anything is removed.
#[dual]
pub(crate) async fn an_archive_that_is_not_read_back_whole_removes_nothing(world: World) {
    let due = fill(&world).await;
    world.clock.set(at(11 * DAY));
    let shelf = MemoryShelf { damages: true, ..MemoryShelf::default() };
    let policy = policy(RetentionAction::Archive);
    let mut options = RetentionOptions::new();
    loop {
        match world.governance.retain_to(&shelf, &policy, user("archivist"), &options).await {
            Ok(report) => {
                assert_eq!(report.removed, 0);
                options = options.after(report.next.expect("the step with something due fails"));
            }
            Err(error) => {
                assert_eq!(error.code(), "archive.checksum", "{error}");
                break;
            }
        }
    }
    for request in &due {
        let found = world.governance.get(&request.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(request));
    }
}

#[dual]
async fn whole_pass(governance: Governance, policy: Arc<RetentionPolicy>, by: String) -> u64 {
    let (mut removed, mut options) = (0, RetentionOptions::new().limit(3).unwrap());
    loop {
        let report = governance.retain(&policy, user(&by), &options).await.unwrap();
        assert!(report.failed.is_empty(), "{report:?}");
        removed += report.removed;
        match report.next {
            Some(next) => options = options.after(next),
            None => return removed,
        }
    }
}

/// However many take the steps: each request is removed once, and no entry of the feed comes twice.
#[dual]
pub(crate) async fn many_at_once_remove_each_request_once(world: World) {
    let due = fill(&world).await;
    world.clock.set(at(11 * DAY));
    let policy = Arc::new(policy(RetentionAction::Purge));
    let (governance, shared) = (world.governance.clone(), Arc::clone(&policy));
    // The clock stands still, so only the names tell their tombstones apart.
    let work = move |number| whole_pass(governance.clone(), Arc::clone(&shared), format!("archivist-{number}"));
    let removed: u64 = run_concurrently(4, work).await.into_iter().sum();
    assert_eq!(removed, due.len() as u64);
    for request in &due {
        let found = world.governance.get(&request.id).await;
        assert!(matches!(found, Err(Error::Removed(_))), "{found:?}");
    }
    let entries = world.governance.read_feed(&FeedPosition::beginning(), 200).await.unwrap().entries;
    let removals = entries.iter().filter(|entry| entry.change == FeedChange::Removed).count();
    assert_eq!(removals, due.len());
}

/// What one step could not remove stays, is named, and keeps nothing else.
#[dual]
pub(crate) async fn what_is_linked_to_an_open_request_stays_and_is_named(world: World) {
    fill(&world).await;
    let by = user("requester");
    world.governance.resubmit("r00", by, mutator_governance::workflow::Amendment::new()).await.unwrap();
    world.clock.set(at(11 * DAY));
    let (shelf, policy) = (MemoryShelf::default(), policy(RetentionAction::Archive));
    let reports = pass(&world.governance, &shelf, &policy).await;
    let failed: Vec<_> = reports.iter().flat_map(|report| &report.failed).collect();
    assert!(
        matches!(&failed[..], [(failed, error)] if *failed == "r00" && error.code() == "removal.linked_to_open"),
        "{failed:?}"
    );
    assert_eq!(reports.iter().map(|report| report.removed).sum::<u64>(), 8);
    let removal = Removal::new(user("archivist"));
    let error = world.governance.remove("r00", &removal).await.unwrap_err();
    assert_eq!(error.code(), "removal.linked_to_open");
}

#[dual]
pub(crate) async fn a_retention_works_reports_and_stops_and_another_goes_on(world: World) {
    let due = fill(&world).await;
    let (shelf, removed, reports) = (MemoryShelf::default(), Arc::new(Mutex::new(0)), Calls::default());
    let start = |name: &str| {
        let (removed, reports) = (Arc::clone(&removed), reports.clone());
        let report_to = move |report: Result<RetentionReport>| {
            *removed.lock().unwrap() += report.map_or(0, |report| report.removed);
            reports.add();
        };
        let builder = Retention::builder(world.governance.clone(), policy(RetentionAction::Archive), user(name));
        let builder = builder.archive_to(Arc::new(shelf.clone())).interval(Duration::from_millis(5)).rate(100_000);
        builder.limit(4).unwrap().report_to(report_to).start()
    };
    let one = start("one");
    until("two reports", &|| reports.count() >= 2).await;
    assert_eq!(*removed.lock().unwrap(), 0, "nothing is due");
    let other = start("other");
    world.clock.set(at(11 * DAY));
    let all = due.len() as u64;
    until("all are removed", &|| *removed.lock().unwrap() == all).await;
    one.stop().await.unwrap();
    world.clock.set(at(101 * DAY));
    until("the other goes on", &|| *removed.lock().unwrap() == all + 2).await;
    other.stop().await.unwrap();
    let consumers = world.store.consumers().await.unwrap();
    assert!(
        consumers.iter().all(|consumer| consumer.name.as_str() == "retention" && consumer.held_until.is_none()),
        "{consumers:?}"
    );
}
