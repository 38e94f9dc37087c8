//! What is written only: why a request waits, how an execution ended, sweeps, checks, the feed.

use std::ops::ControlFlow;
use std::sync::Arc;

use mutator_governance::workflow::{self, Command, ExecutionOutcome, Failure, Resolution};
use mutator_governance::*;

use super::documents::{document, sample};
use super::golden::{ByPeople, ByPrograms, returns, written};
use super::values::{ada, at, small_draft};

#[test]
fn explanations() {
    let request = sample();
    let now = request.updated_at;
    written("explanation_waiting", &workflow::explain(&request, now));
    written("explanation_overdue", &workflow::explain(&request, Timestamp::MAX));
    written("explanation_sent_back", &workflow::explain(&document("newest"), now));
    written("explanation_executed", &workflow::explain(&document("executed"), now));
}

#[test]
fn execution_outcomes() {
    let request = || MutationRequest::from_document(document("smallest"), sample().revision()).unwrap();
    for (name, outcome) in [
        (
            "executed",
            ExecutionOutcome::Executed { request: request(), resolution: Resolution::RevalidateOnLatestState },
        ),
        ("failed", ExecutionOutcome::Failed { request: request(), failure: Failure::new("disk full") }),
        ("stale", ExecutionOutcome::RejectedAsStale(request())),
        ("renewed", ExecutionOutcome::RequiresRenewedApproval(request())),
    ] {
        let json = written(&format!("execution_outcome/{name}"), &outcome);
        assert_eq!(json["request"], serde_json::to_value(request()).unwrap());
    }
}

#[test]
fn sweeps() {
    let id = |text| RequestId::new(text).unwrap();
    let mut swept = Swept::default();
    swept.expired.push(id("r-1"));
    swept.escalated.push(id("r-3"));
    swept.overtaken = 1;
    let error = workflow::apply(sample(), &Command::expire_approvals(ada()), at(0)).unwrap_err();
    swept.failed.push((id("r-2"), error));
    swept.more = true;
    written("swept", &swept);
    written("swept_nothing", &Swept::default());
}

#[test]
fn waits() {
    let any = WaitUntil::status([Status::Executed, Status::Approved]);
    for (name, until) in [
        ("decided", WaitUntil::Decided),
        ("final", WaitUntil::Final),
        ("status", any),
        ("revision", WaitUntil::Revision(3)),
    ] {
        returns(&format!("wait_until/{name}"), &until, ByPeople);
    }
    for (name, waited) in [
        ("met", Waited::Met(sample())),
        ("out_of_reach", Waited::OutOfReach(sample())),
        ("timed_out", Waited::TimedOut(sample())),
    ] {
        let json = written(&format!("waited/{name}"), &waited);
        assert_eq!(json["request"], serde_json::to_value(sample()).unwrap());
    }
}

#[test]
fn calls_for_many() {
    let governance = blocking::Governance::builder()
        .store(Arc::new(blocking::MemoryStore::new()))
        .clock(Arc::new(ManualClock::at(at(0))))
        .build();
    let id = |number| RequestId::new(format!("r-{number}")).unwrap();
    let drafts = [small_draft().with_id(id(1)), small_draft().with_id(id(3))];
    let submitted = governance.submit_many(&drafts, &ManyOptions::new()).unwrap();
    assert!(submitted.is_complete(), "{submitted:?}");
    let options = ManyOptions::new().concurrency(1).unwrap().write_id(WriteId::from_bytes([7; 16]));
    let options = options.on_progress(|progress| match progress.ended {
        2 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let report = governance.cancel_many(&[id(1), id(2), id(3)], ada(), &options).unwrap();
    let json = written("many_report", &report);
    assert_eq!(json["results"][2]["outcome"]["type"], "NotStarted");
}

#[test]
fn checks_of_a_store() {
    let id = RequestId::new("r-1").unwrap();
    let damaged = stored_format::FormatError::ChecksumMismatch { recorded: 1, computed: 2 };
    let mut report = CheckReport::default();
    (report.records, report.entries) = (7, 70);
    report.findings = vec![
        Finding::MissingEntry { id: id.clone(), index: "status".to_owned() },
        Finding::ExtraEntry { index: "status".to_owned(), id: None },
        Finding::WrongScore { index: "status".to_owned(), id: Some(id.clone()) },
        Finding::DamagedHeader { id: id.clone(), error: stored_format::FormatError::DamagedHeader },
        Finding::StaleHeader { id: id.clone() },
        Finding::OtherFormat { id: id.clone(), version: 1 },
        Finding::Unreadable { key: "{billing:0}:r:r-1".to_owned(), error: damaged },
        Finding::OtherType { key: "{billing:0}:r:r-1".to_owned() },
        Finding::Busy { id: id.clone() },
        Finding::OrphanReservation { key: "restart".to_owned(), id: Some(id.clone()) },
        Finding::MissingReservation { id: id.clone(), key: UniqueKey::new("restart").unwrap() },
        Finding::SharedUniqueKey {
            id: id.clone(),
            other: RequestId::new("r-2").unwrap(),
            key: UniqueKey::new("restart").unwrap(),
        },
        Finding::OrphanPermit { id: id.to_string() },
        Finding::Misplaced { key: "{billing:0}:r:r-1".to_owned() },
    ];
    written("check_report", &report);
    written("check_report_clean", &CheckReport::default());
    returns("check_position", &CheckPosition::default(), ByPrograms);
    let mut preflight = PreflightReport::default();
    (preflight.product, preflight.version) = ("Redis".to_owned(), "7.0.15".to_owned());
    preflight
        .warnings
        .push("appendonly is off: writes since the last snapshot are lost when the server dies".to_owned());
    written("preflight_report", &preflight);
    let mut layout = NamespaceLayout::default();
    (layout.partitions, layout.indexes_participants) = (16, true);
    layout.indexed_metadata.insert("ticket".to_owned());
    written("namespace_layout", &layout);
}

#[test]
fn errors() {
    let missing = ErrorReport::from(&Error::not_found(RequestId::new("r-1").unwrap()));
    returns("error", &missing, ByPrograms);
    let error = workflow::apply(sample(), &Command::approve(ada()), at(0)).unwrap_err();
    assert_eq!(written("error_of_approval", &error)["code"], error.code());
}

#[test]
fn consumers() {
    let consumer = |saved_at, held_until, lag| {
        let (name, position) = (ConsumerName::new("mailer").unwrap(), FeedPosition::new("redis billing 4", [1, 2, 3]));
        Consumer::new(name, position, saved_at, held_until, lag)
    };
    written("consumer", &consumer(Some(at(60)), Some(at(90)), Some(3)));
    written("consumer_new", &consumer(None, None, None));
}

#[test]
fn the_feed() {
    let request = sample();
    let entry = FeedEntry::for_write(&request, 3, 1, at(9_000));
    returns("feed_entry", &entry, ByPrograms);
    written("feed_page", &FeedPage::new(vec![entry], FeedPosition::new("redis billing 4", [1, 2, 3]), true));
    let trimmed = FeedGap::Trimmed { partition: 1, missed: 7 };
    written("feed_gap/trimmed", &trimmed);
    written("feed_gap/rewound", &FeedGap::Rewound { partition: 1 });
    written("feed_page_at_gap", &FeedPage::at_gap(trimmed, FeedPosition::beginning()));
}

/// Files of an archive in memory.
#[derive(Clone, Default)]
struct Files {
    files: std::collections::BTreeMap<String, Vec<u8>>,
    written: (String, Vec<u8>),
    read: Vec<u8>,
}

impl blocking::ArchiveSink for Files {
    fn begin(&mut self, file: &str) -> std::io::Result<()> {
        self.written = (file.to_owned(), Vec::new());
        Ok(())
    }

    fn write(&mut self, bytes: Vec<u8>) -> std::io::Result<()> {
        self.written.1.extend(bytes);
        Ok(())
    }

    fn end(&mut self) -> std::io::Result<()> {
        let (name, bytes) = std::mem::take(&mut self.written);
        self.files.insert(name, bytes);
        Ok(())
    }
}

impl blocking::ArchiveSource for Files {
    fn open(&mut self, file: &str) -> std::io::Result<()> {
        self.read.clone_from(&self.files[file]);
        Ok(())
    }

    fn read(&mut self) -> std::io::Result<Vec<u8>> {
        Ok(std::mem::take(&mut self.read))
    }
}

#[test]
fn archives() {
    use mutator_governance::archive::{ExportOptions, ImportOptions, OnProblem};
    use mutator_governance::blocking::{Archive, Governance, MemoryStore, Store as _};

    let clock = Arc::new(ManualClock::at(at(9_000)));
    let over = |store| Governance::builder().store(store).clock(clock.clone()).build();
    let (source, target) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let write = |number, byte| {
        let intent = WriteIntent::from_bytes([1, 2, 3, 4, 5, 6, 7, byte]);
        RememberedWrite { number, id: WriteId::from_bytes([byte; 16]), intent }
    };
    let sample = || sample().at_revision(Revision { number: 1, write_id: WriteId::from_bytes([7; 16]) });
    let record = archive::RequestRecord::new(sample().into(), [write(1, 7), write(0, 6)]);
    assert!(source.import(&[record]).unwrap().remove(0).is_ok());
    let mut files = Files::default();
    let everything = RequestQuery::new();
    let manifest = over(source.clone()).export(&everything, &mut files, &ExportOptions::new()).unwrap();
    returns("archive_manifest", &manifest, ByPrograms);

    // A line is a request that any reader of requests reads, and has a field more.
    let line = files.files["part-000001.jsonl"].clone();
    let read: MutationRequest = serde_json::from_slice(&line).unwrap();
    assert_eq!(read, sample());
    let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
    let mut expected = serde_json::to_value(sample()).unwrap();
    expected["writes"] = serde_json::to_value([write(1, 7), write(0, 6)]).unwrap();
    assert_eq!(line, expected);

    let statuses = RequestQuery::new().with_statuses([Status::Pending, Status::Approved]).unwrap();
    let manifest = over(source).export(&statuses, &mut Files::default(), &ExportOptions::new()).unwrap();
    returns("archive_manifest_of_a_query", &manifest, ByPrograms);
    assert_eq!(manifest.query().unwrap(), statuses);

    let own = small_draft().with_id(sample().id.clone());
    target.create(workflow::submit(own, sample().id.clone(), WriteId::from_bytes([9; 16]), at(0)).unwrap()).unwrap();
    let mut archive = Archive::open(files).unwrap();
    let skip = ImportOptions::new().on_conflict(OnProblem::Skip);
    written("import_report", &over(target).import(&mut archive, &skip).unwrap());
    written("import_report_complete", &over(Arc::new(MemoryStore::new())).import(&mut archive, &skip).unwrap());

    let imported = FeedEntry::for_import(&sample(), 1, at(9_000));
    returns("feed_entry_imported", &imported, ByPrograms);
}
