//! Export to an archive, reading it, and import into another store.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use mutator_governance::archive::{
    ArchiveCompression, ArchiveContent, ExportOptions, ImportOptions, ImportReport, OnProblem,
};
use mutator_governance::{
    ArchiveError, DecisionQuery, DocumentLimit, Error, IdComparison, MutationRequest, PageRequest, Payload,
    PendingApprovalQuery, RequestQuery, Status, WriteId,
};

use super::archive_files::MemoryFiles;
use super::{World, dual, flavour};
use crate::runtime::people::{draft, id, needing, user, user_because};
use flavour::{Archive, ArchiveDirectory, Governance, MemoryStore};

const FORMS: [(ArchiveContent, ArchiveCompression); 4] = [
    (ArchiveContent::JsonLines, ArchiveCompression::None),
    (ArchiveContent::StoredBytes, ArchiveCompression::None),
    (ArchiveContent::JsonLines, ArchiveCompression::Gzip),
    (ArchiveContent::StoredBytes, ArchiveCompression::Gzip),
];

fn options((content, compression): (ArchiveContent, ArchiveCompression)) -> ExportOptions {
    ExportOptions::new().content(content).compression(compression)
}

fn fresh() -> Governance {
    Governance::builder().store(Arc::new(MemoryStore::new())).build()
}

fn archive_error(error: Error) -> ArchiveError {
    match error {
        Error::Archive(error) => *error,
        other => panic!("not about an archive: {other}"),
    }
}

/// Requests in several statuses, with histories, payloads and open approvals.
#[dual]
async fn fill(governance: &Governance) -> Vec<MutationRequest> {
    for number in 0..12 {
        let mut draft = needing(&format!("request-{number:02}"), &["a", "b"]);
        if number % 3 == 0 {
            let bytes = vec![b'x'; 6_000];
            draft = draft.with_payload(Payload::new("text/plain", bytes).unwrap());
        }
        governance.submit(draft).await.unwrap();
    }
    for (number, by) in [(0, "a"), (0, "b"), (1, "a"), (4, "a")] {
        governance.approve(id(&format!("request-{number:02}")), user(by)).await.unwrap();
    }
    governance.cancel("request-05", user_because("requester", "not needed")).await.unwrap();
    everything(governance).await
}

#[dual]
async fn everything(governance: &Governance) -> Vec<MutationRequest> {
    governance.requests(&RequestQuery::new(), &PageRequest::longest()).await.unwrap().items
}

/// An export of everything.
#[dual]
async fn exported(world: &World, options: &ExportOptions) -> MemoryFiles {
    let mut files = MemoryFiles::default();
    let manifest = world.governance.export(&RequestQuery::new(), &mut files, options).await.unwrap();
    assert!(manifest.is_finished() && manifest.unreadable.is_empty(), "{manifest:?}");
    files
}

#[dual]
async fn opened(files: &MemoryFiles) -> Archive {
    Archive::open(files.clone()).await.unwrap()
}

#[dual]
async fn import(files: &MemoryFiles, options: &ImportOptions) -> Result<ImportReport, ArchiveError> {
    let mut archive = match Archive::open(files.clone()).await {
        Ok(archive) => archive,
        Err(error) => return Err(archive_error(error)),
    };
    fresh().import(&mut archive, options).await.map_err(archive_error)
}

/// In every form, all requests come back with revisions, write ids and histories, and a second import changes nothing.
#[dual]
pub(crate) async fn an_archive_comes_back_as_it_was(world: World) {
    let requests = fill(&world.governance).await;
    for form in FORMS {
        let mut files = exported(&world, &options(form)).await;
        // However the bytes come.
        files.chunk = 37;
        let mut archive = opened(&files).await;
        archive.verify().await.unwrap();
        assert_eq!((archive.manifest().requests, archive.manifest().parts.len()), (12, 1), "{form:?}");
        let target = fresh();
        let report = target.import(&mut archive, &ImportOptions::new()).await.unwrap();
        assert_eq!((report.added, report.unchanged, report.skipped, report.is_finished), (12, 0, 0, true), "{form:?}");
        let back = everything(&target).await;
        assert_eq!(back, requests, "{form:?}");
        let again = target.import(&mut archive, &ImportOptions::new()).await.unwrap();
        assert_eq!((again.added, again.unchanged), (0, 12), "{form:?}");
        // A write id still answers for the write it made.
        let cancel = mutator_governance::workflow::Command::cancel(user_because("requester", "not needed"));
        let write_id = requests[5].revision().write_id;
        let repeated = target.apply_as("request-05", &cancel, write_id).await.unwrap();
        assert_eq!(repeated, requests[5], "{form:?}");
        // And back into where it came from, nothing is new.
        let home = world.governance.import(&mut archive, &ImportOptions::new()).await.unwrap();
        assert_eq!((home.added, home.unchanged), (0, 12), "{form:?}");
    }
}

/// An archive is read without a store: request by request, by id, and by every query.
#[dual]
pub(crate) async fn an_archive_answers_the_same_queries(world: World) {
    let requests = fill(&world.governance).await;
    for form in FORMS {
        let mut archive = opened(&exported(&world, &options(form)).await).await;
        for _ in 0..2 {
            let mut read = Vec::new();
            while let Some(record) = archive.next_record().await.unwrap() {
                read.push(record.into_request().into_request().unwrap());
            }
            assert_eq!(read, requests, "{form:?}");
        }
        let found = archive.get("request-07").await.unwrap();
        assert_eq!(found.as_ref(), Some(&requests[7]));
        let missing = archive.get("request-99").await.unwrap();
        assert_eq!(missing, None);
        let loaded = archive.load().await.unwrap();
        let page = PageRequest::longest();
        let query = RequestQuery::new().with_statuses([Status::Canceled]).unwrap();
        let canceled = loaded.requests(&query, &page).await.unwrap();
        assert_eq!(canceled.items, [requests[5].clone()]);
        let ours = loaded.decisions(&DecisionQuery::new(), &page).await.unwrap();
        let theirs = world.governance.decisions(&DecisionQuery::new(), &page).await.unwrap();
        assert_eq!(ours.items, theirs.items);
        let ours = loaded.pending_approvals(&PendingApprovalQuery::new(), &page).await.unwrap();
        let theirs = world.governance.pending_approvals(&PendingApprovalQuery::new(), &page).await.unwrap();
        assert_eq!(ours.items, theirs.items);
    }
}

/// Only the requests of the query, in a directory, several files of them.
#[dual]
pub(crate) async fn a_query_is_exported_to_a_directory(world: World) {
    fill(&world.governance).await;
    let directory = std::env::temp_dir().join(format!("mutator-archive-{}", WriteId::generate()));
    let mut files = ArchiveDirectory::create(&directory).await.unwrap();
    let query = RequestQuery::pending();
    let manifest = world.governance.export(&query, &mut files, &ExportOptions::new()).await.unwrap();
    assert_eq!((manifest.requests, manifest.query().unwrap()), (10, query));
    let again = ArchiveDirectory::create(&directory).await.map(drop).unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
    let mut archive = Archive::open(ArchiveDirectory::open(&directory).await.unwrap()).await.unwrap();
    assert_eq!(archive.manifest(), &manifest);
    archive.verify().await.unwrap();
    let target = fresh();
    let report = target.import(&mut archive, &ImportOptions::new()).await.unwrap();
    assert_eq!(report.added, 10);
    let names = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: std::collections::BTreeSet<String> = names.collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["manifest.json", "part-000001.jsonl"]);
    std::fs::remove_dir_all(&directory).unwrap();
    let missing = ArchiveDirectory::open(&directory).await.map(drop).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}

/// Nothing to export is an archive too.
#[dual]
pub(crate) async fn an_empty_archive_is_one(world: World) {
    for form in FORMS {
        let files = exported(&world, &options(form)).await;
        assert_eq!(files.names(), ["manifest.json"]);
        let mut archive = opened(&files).await;
        archive.verify().await.unwrap();
        let report = fresh().import(&mut archive, &ImportOptions::new()).await.unwrap();
        assert_eq!((report.added, report.is_finished), (0, true));
    }
}

/// Two thousand requests and some, so that they take several pages.
#[dual]
async fn crowd(world: &World) -> usize {
    let source = fresh();
    for number in 0..2_100 {
        source.submit(draft(&format!("crowd-{number:04}"))).await.unwrap();
    }
    let mut page = PageRequest::longest();
    loop {
        let read = source.store().records(&RequestQuery::new(), &page).await.unwrap();
        world.store.import(&read.items).await.unwrap();
        match read.next {
            Some(next) => page = PageRequest::longest().after(next),
            None => return 2_100,
        }
    }
}

/// An export that fails, or is stopped, goes on after its last whole file. The files hold every request once.
#[dual]
pub(crate) async fn an_interrupted_export_is_resumed(world: World) {
    let count = crowd(&world).await;
    for form in [FORMS[1], FORMS[2]] {
        let small = || options(form).file_bytes(1);
        let mut files = MemoryFiles::default();
        files.files_before_failure = Some(3);
        let failed = world.governance.export(&RequestQuery::new(), &mut files, &small()).await.unwrap_err();
        let failed = archive_error(failed);
        assert!(
            matches!(&failed, ArchiveError::File { file, writing: true, .. } if file == "manifest.json"),
            "{failed}"
        );
        let error = Archive::open(files.clone()).await.map(drop).unwrap_err();
        let ArchiveError::Unfinished { requests } = archive_error(error) else { panic!() };
        assert_eq!(requests, 1_000);
        let manifest = Archive::manifest_in(&mut files.clone()).await.unwrap();

        let other = RequestQuery::pending();
        let error = world.governance.export(&other, &mut files, &small().resume(manifest.clone())).await.unwrap_err();
        assert!(matches!(archive_error(error), ArchiveError::NotResumable { .. }));
        let content = small().content(if form == FORMS[1] { FORMS[0].0 } else { FORMS[1].0 });
        let error = world.governance.export(&RequestQuery::new(), &mut files, &content.resume(manifest.clone())).await;
        assert!(matches!(archive_error(error.unwrap_err()), ArchiveError::NotResumable { .. }));

        files.files_before_failure = None;
        let stop = small().resume(manifest).on_progress(|progress| {
            assert!(progress.requests > 1_000 && progress.bytes > 0);
            ControlFlow::Break(())
        });
        let stopped = world.governance.export(&RequestQuery::new(), &mut files, &stop).await.unwrap();
        assert!(!stopped.is_finished() && stopped.requests == 2_000, "{stopped:?}");
        let done = small().resume(stopped);
        let done = world.governance.export(&RequestQuery::new(), &mut files, &done).await.unwrap();
        assert_eq!((done.requests, done.parts.len(), done.is_finished()), (count as u64, 3, true));
        let error = world.governance.export(&RequestQuery::new(), &mut files, &small().resume(done)).await.unwrap_err();
        assert!(matches!(archive_error(error), ArchiveError::NotResumable { .. }));

        let mut archive = opened(&files).await;
        let target = fresh();
        let report = target.import(&mut archive, &ImportOptions::new()).await.unwrap();
        assert_eq!((report.added, report.unchanged), (count as u64, 0));
    }
}

/// Whatever is wrong with an archive is found before anything is stored, and has an error of its own.
#[dual]
pub(crate) async fn each_damage_has_its_error(world: World) {
    fill(&world.governance).await;
    let all = ImportOptions::new();
    for form in FORMS {
        let files = exported(&world, &options(form)).await;
        let name = files.names().remove(1);

        let cut = files.with(&name, |bytes| bytes.truncate(bytes.len() / 2));
        let error = import(&cut, &all).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Truncated { .. }), "{form:?}: {error}");
        for place in [0, 9, 40, files.file(&name).len() / 2, files.file(&name).len() - 1] {
            let changed = files.with(&name, |bytes| bytes[place] ^= 1);
            let error = import(&changed, &all).await.unwrap_err();
            assert!(matches!(error, ArchiveError::Checksum { .. }), "{form:?}, {place}: {error}");
        }
        let longer = files.with(&name, |bytes| bytes.extend_from_within(..10));
        let error = import(&longer, &all).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Checksum { .. }), "{form:?}: {error}");

        let gone = files.with(&name, |_| ());
        gone.files.lock().unwrap().remove(&name);
        let error = import(&gone, &all).await.unwrap_err();
        assert!(matches!(&error, ArchiveError::File { writing: false, file, .. } if *file == name), "{error}");

        for (from, to) in [("\"requests\": 12,", "\"requests\": 11,"), ("part-000001", "../part-000001"), ("{", "")] {
            let error = import(&files.with_manifest(from, to), &all).await.unwrap_err();
            assert!(matches!(error, ArchiveError::Manifest { .. }), "{form:?}, {to}: {error}");
        }
        let fewer = files.with_manifest("\"requests\": 12,", "\"requests\": 11,");
        let fewer = fewer.with_manifest("\"requests\": 12,", "\"requests\": 11,");
        let error = import(&fewer, &all).await.unwrap_err();
        assert!(matches!(error, ArchiveError::OtherCount { recorded: 11, found: 12, .. }), "{form:?}: {error}");
        let newer = files.with_manifest("\"version\": 1", "\"version\": 2");
        let error = import(&newer, &all).await.unwrap_err();
        assert!(matches!(error, ArchiveError::UnknownFormat { .. }), "{form:?}: {error}");
    }
    // Content and compression are other than the manifest says, and the bytes are what they were.
    let files = exported(&world, &options(FORMS[0])).await;
    let other = files.with_manifest("JsonLines", "StoredBytes").with_manifest(".jsonl", ".mgr");
    other.files.lock().unwrap().insert("part-000001.mgr".to_owned(), files.file("part-000001.jsonl"));
    let error = import(&other, &all).await.unwrap_err();
    assert!(matches!(error, ArchiveError::UnknownFormat { .. }), "{error}");
    let other = files
        .with_manifest("\"content\"", "\"compression\": \"Gzip\", \"content\"")
        .with_manifest(".jsonl", ".jsonl.gz");
    other.files.lock().unwrap().insert("part-000001.jsonl.gz".to_owned(), files.file("part-000001.jsonl"));
    let error = import(&other, &all).await.unwrap_err();
    assert!(matches!(&error, ArchiveError::Line { problem, .. } if problem.contains("decompressed")), "{error}");

    let folding = Governance::builder().store(Arc::new(MemoryStore::comparing_ids(IdComparison::FoldCase))).build();
    let mut archive = opened(&files).await;
    let error = folding.import(&mut archive, &all).await.unwrap_err();
    assert!(matches!(archive_error(error), ArchiveError::OtherLayout { archived: IdComparison::Exact, .. }));
    let stored = everything(&folding).await;
    assert!(stored.is_empty());
}

/// The files with manifest made to fit what became of them.
fn fitting(files: &MemoryFiles, name: &str, lines: u64) -> MemoryFiles {
    use mutator_governance::archive::ArchiveManifest;
    let text = files.file("manifest.json");
    let manifest = ArchiveManifest::parse(&text).unwrap();
    let bytes = files.file(name);
    let sum = common::sha256(&bytes);
    let files = files.with_manifest(&manifest.parts[0].sha256.to_string(), &sum);
    let files =
        files.with_manifest(&format!("\"bytes\": {}", manifest.parts[0].bytes), &format!("\"bytes\": {}", bytes.len()));
    let (from, to) = (format!("\"requests\": {}", manifest.requests), format!("\"requests\": {lines}"));
    if from == to {
        return files;
    }
    files.with_manifest(&from, &to).with_manifest(&from, &to)
}

/// A bad line is named by its number, and ends the import or is skipped.
#[dual]
pub(crate) async fn a_bad_line_is_named_and_skipped_by_choice(world: World) {
    fill(&world.governance).await;
    let name = "part-000001.jsonl";
    let files = exported(&world, &options(FORMS[0])).await;
    let bad = files.with(name, |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[2] = lines[2].replace("\"created_at\"", "\"created\"");
        lines.insert(6, "nothing at all".to_owned());
        lines[9] = "x".repeat(9 * 1024 * 1024);
        *bytes = (lines.join("\n") + "\n").into_bytes();
    });
    let bad = fitting(&bad, name, 13);
    let error = import(&bad, &ImportOptions::new()).await.unwrap_err();
    assert!(matches!(&error, ArchiveError::Line { line: 3, file, .. } if file == name), "{error}");
    let report = import(&bad, &ImportOptions::new().on_bad_line(OnProblem::Skip)).await.unwrap();
    assert_eq!((report.added, report.skipped, report.is_finished), (10, 3, true));
    let lines: Vec<u64> = report.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [3, 7, 10]);
    let codes: Vec<&str> = report.problems.iter().map(|problem| problem.error.code()).collect();
    assert_eq!(codes, ["archive.line", "archive.line", "archive.line_too_long"]);

    // The same of stored bytes: the middle of the second record, and a length over the limit.
    let name = "part-000001.mgr";
    let files = exported(&world, &options(FORMS[1])).await;
    let frame = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize + 8;
    let bytes = files.file(name);
    let second = 8 + frame(&bytes, 8);
    let changed = fitting(&files.with(name, |bytes| bytes[second + 60] ^= 1), name, 12);
    let error = import(&changed, &ImportOptions::new()).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Line { line: 2, .. }), "{error}");
    let report = import(&changed, &ImportOptions::new().on_bad_line(OnProblem::Skip)).await.unwrap();
    assert_eq!((report.added, report.problems.len(), report.problems[0].line), (11, 1, 2));
    let mut archive = opened(&files).await.document_limit(DocumentLimit::of_bytes(4_000));
    let report = fresh().import(&mut archive, &ImportOptions::new().on_bad_line(OnProblem::Skip)).await.unwrap();
    assert!(report.added > 0 && report.added + report.skipped == 12, "{report:?}");
    let cut_off = files.with(name, |bytes| bytes.truncate(second));
    let error = import(&fitting(&cut_off, name, 1), &ImportOptions::new()).await.unwrap_err();
    assert!(matches!(&error, ArchiveError::Line { problem, .. } if problem.contains("no end")), "{error}");
}

/// What is stored already stays: a request of the same id with other content is a conflict that names id and line.
#[dual]
pub(crate) async fn a_conflict_is_named_and_skipped_by_choice(world: World) {
    let requests = fill(&world.governance).await;
    let files = exported(&world, &options(FORMS[0])).await;
    let target = fresh();
    let own = target.submit(draft("request-03")).await.unwrap();
    let mut archive = opened(&files).await;
    let error = archive_error(target.import(&mut archive, &ImportOptions::new()).await.unwrap_err());
    let ArchiveError::Conflict { line, id: conflicting, archived, stored, .. } = &error else { panic!("{error}") };
    assert_eq!((*line, conflicting, *stored), (4, &own.id, own.revision()), "{error}");
    assert_eq!(*archived, requests[3].revision());
    let skip = ImportOptions::new().on_conflict(OnProblem::Skip);
    let report = target.import(&mut archive, &skip).await.unwrap();
    assert_eq!((report.added + report.unchanged, report.skipped), (11, 1));
    assert_eq!(report.problems[0].error.request(), Some(&own.id));
    let kept = target.get(&own.id).await.unwrap();
    assert_eq!(kept, Some(own));

    // Moved on since the export: that is kept, too.
    let moved = world.governance.approve("request-02", user("a")).await.unwrap();
    let report = world.governance.import(&mut archive, &skip).await.unwrap();
    assert_eq!((report.added, report.unchanged, report.skipped), (0, 11, 1));
    let kept = world.governance.get("request-02").await.unwrap();
    assert_eq!(kept, Some(moved));
}

/// What the store cannot keep is a bad line with the store's own error.
#[dual]
pub(crate) async fn what_a_store_cannot_keep_is_a_bad_line(world: World) {
    fill(&world.governance).await;
    let files = exported(&world, &options(FORMS[1])).await;
    let small = Arc::new(MemoryStore::with_document_limit(DocumentLimit::of_bytes(4_000)));
    let target = Governance::builder().store(small).build();
    let mut archive = opened(&files).await;
    let error = archive_error(target.import(&mut archive, &ImportOptions::new()).await.unwrap_err());
    assert!(
        matches!(&error, ArchiveError::Rejected { line: 1, error, .. } if error.code() == "request.too_large"),
        "{error}"
    );
    let skip = ImportOptions::new().on_bad_line(OnProblem::Skip);
    let report = target.import(&mut archive, &skip).await.unwrap();
    assert_eq!((report.added + report.unchanged, report.skipped), (8, 4));
    assert!(report.problems.iter().all(|problem| problem.error.code() == "request.too_large"), "{report:?}");
}

/// Progress is reported, and an import that is stopped is completed by another one.
#[dual]
pub(crate) async fn an_import_reports_and_stops(world: World) {
    let count = crowd(&world).await as u64;
    let mut archive = opened(&exported(&world, &options(FORMS[1])).await).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let stop = ImportOptions::new().on_progress(move |progress| {
        log.lock().unwrap().push((progress.lines, progress.total));
        ControlFlow::Break(())
    });
    let target = fresh();
    let report = target.import(&mut archive, &stop).await.unwrap();
    assert!(!report.is_finished && report.added < count, "{report:?}");
    assert_eq!(*seen.lock().unwrap(), [(report.added, count)]);
    let rest = target.import(&mut archive, &ImportOptions::new().without_verifying()).await.unwrap();
    assert_eq!((rest.added + report.added, rest.unchanged, rest.is_finished), (count, report.added, true));
}
