//! Archives of a Redis store: what is stored of an imported request is what was stored of it, down to the bytes.
#![cfg(feature = "blocking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use common::requests::{draft, id, moved_on, pending, second, submit};
use common::{PrivateServer, Raw, unique_namespace};
use mutator_governance::archive::{ArchiveContent, ExportOptions, ImportOptions, Imported};
use mutator_governance::blocking::{
    Archive, ArchiveDirectory, Governance, MemoryStore, RedisStore, RedisStoreBuilder, Store as _,
};
use mutator_governance::{
    Compression, Error, FormatVersion, MutationRequest, PageRequest, Payload, RequestQuery, StoreErrorKind, WriteId,
    stored_format,
};

fn builder(server: &PrivateServer, namespace: &str, partitions: u16) -> RedisStoreBuilder {
    let builder = RedisStore::builder(server.url()).namespace(namespace).partitions(partitions);
    builder.timeout(std::time::Duration::from_secs(30))
}

fn governance(store: &RedisStore) -> Governance {
    Governance::builder().store(Arc::new(store.clone())).build()
}

/// Requests with none to nine changes, some with a large payload.
fn fill(store: &RedisStore) -> Vec<MutationRequest> {
    let requests = (0..40_u64).map(|number| {
        let mut draft = draft(&format!("r-{number}"), "s").waiting_for(mutator_governance::PendingReason::Schedule);
        if number % 8 == 0 {
            draft = draft.with_payload(Payload::new("text/plain", vec![b'x'; 9_000]).unwrap());
        }
        let mut stored = store.create(submit(draft, second(number))).unwrap();
        for change in 0..number % 10 {
            stored = store.update(moved_on(stored, second(100 + change)), WriteId::generate()).unwrap();
        }
        stored
    });
    requests.collect()
}

fn exported(store: &RedisStore, content: ArchiveContent) -> (Archive, std::path::PathBuf) {
    let directory = std::env::temp_dir().join(format!("mutator-archive-{}", WriteId::generate()));
    let mut files = ArchiveDirectory::create(&directory).unwrap();
    governance(store).export(&RequestQuery::new(), &mut files, &ExportOptions::new().content(content)).unwrap();
    (Archive::open(ArchiveDirectory::open(&directory).unwrap()).unwrap(), directory)
}

/// Records by id, and of each index how many entries it has.
fn contents(raw: &mut Raw, namespace: &str) -> (BTreeMap<String, Vec<u8>>, BTreeMap<String, u64>) {
    let (mut records, mut indexes) = (BTreeMap::new(), BTreeMap::new());
    for key in raw.keys(namespace) {
        let name = String::from_utf8(key.clone()).unwrap();
        let (_, name) = name.split_once("}:").unwrap();
        if let Some(id) = name.strip_prefix("r:") {
            records.insert(id.to_owned(), raw.ask::<Vec<u8>>(&[b"GET".as_slice(), &key]));
        } else if name.starts_with("i:") {
            *indexes.entry(name.to_owned()).or_default() += raw.ask::<u64>(&[b"ZCARD".as_slice(), &key]);
        }
    }
    (records, indexes)
}

#[test]
fn an_archive_moves_into_another_number_of_partitions_byte_for_byte() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let (from, to) = (unique_namespace("from"), unique_namespace("to"));
    let source = builder(&server, &from, 1).open().unwrap();
    let requests = fill(&source);
    for (content, partitions) in [(ArchiveContent::StoredBytes, 4), (ArchiveContent::JsonLines, 7)] {
        let (mut archive, directory) = exported(&source, content);
        let namespace = format!("{to}-{partitions}");
        let target = builder(&server, &namespace, partitions).open().unwrap();
        let report = governance(&target).import(&mut archive, &ImportOptions::new()).unwrap();
        assert_eq!((report.added, report.is_finished), (40, true));
        assert_eq!(target.requests(&RequestQuery::new(), &PageRequest::longest()).unwrap().items, requests);
        let (ours, theirs) = (contents(&mut raw, &namespace), contents(&mut raw, &from));
        assert_eq!(ours.0.len(), 40);
        for (id, record) in &theirs.0 {
            assert!(ours.0[id] == *record, "{content:?}: the record of {id}");
        }
        assert_eq!(ours.1, theirs.1, "{content:?}");
        let report = target.verify(|_| ()).unwrap();
        assert!(report.findings.is_empty() && report.records == 40, "{report:?}");

        let before = raw.dump(&namespace);
        let again = governance(&target).import(&mut archive, &ImportOptions::new()).unwrap();
        assert_eq!((again.added, again.unchanged), (0, 40));
        assert!(raw.dump(&namespace) == before, "{content:?}: a second import wrote something");
        std::fs::remove_dir_all(directory).unwrap();
    }
}

/// A store writes what it imports in its own format, and never compressed if it is not to compress.
#[test]
fn a_store_imports_in_the_format_that_it_writes() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let source = builder(&server, &unique_namespace("from"), 2).open().unwrap();
    let requests = fill(&source);
    let (mut archive, directory) = exported(&source, ArchiveContent::StoredBytes);
    let namespace = unique_namespace("older");
    let older = FormatVersion::NEWEST.number() - 1;
    let older = FormatVersion::new(older).unwrap();
    let target = builder(&server, &namespace, 2).write_format(older).compression(Compression::NEVER).open().unwrap();
    let report = governance(&target).import(&mut archive, &ImportOptions::new()).unwrap();
    assert_eq!(report.added, 40);
    // Version 1 has no place for the chain of a history.
    let unchained = requests.iter().map(|request| {
        let mut document = request.document().clone();
        document.chain = None;
        MutationRequest::from_document(document, request.revision()).unwrap()
    });
    let unchained: Vec<MutationRequest> = unchained.collect();
    assert_eq!(target.requests(&RequestQuery::new(), &PageRequest::longest()).unwrap().items, unchained);
    for request in &requests {
        let inspection = target.inspect(&request.id).unwrap().unwrap();
        let record: Vec<u8> = raw.ask(&["GET", &inspection.key]);
        let document = &record[record.len() - inspection.document_bytes..];
        assert_eq!(stored_format::version_number(document).unwrap(), older.number());
        assert_eq!(stored_format::uncompressed_bytes(document).unwrap(), document.len());
    }
    std::fs::remove_dir_all(directory).unwrap();
}

/// What an import cannot write, it does not begin to write.
#[test]
fn an_import_that_the_server_rejects_writes_nothing_of_its_batch() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let memory = MemoryStore::new();
    (0..20).for_each(|number| drop(memory.create(pending(&format!("r-{number}"), "s", second(number))).unwrap()));
    let records = memory.records(&RequestQuery::new(), &PageRequest::longest()).unwrap().items;
    for (suffix, kind) in [("i:a", "string"), ("feed", "string"), ("r:r-7", "list")] {
        let namespace = unique_namespace("wrong");
        let store = builder(&server, &namespace, 1).open().unwrap();
        let key = format!("{{{namespace}:0}}:{suffix}");
        match kind {
            "string" => raw.ask::<()>(&["SET", &key, "x"]),
            _ => raw.ask::<()>(&["LPUSH", &key, "x"]),
        }
        let before = raw.dump(&namespace);
        let error = store.import(&records).unwrap_err();
        let Error::Store(rejected) = &error else { panic!("{error}") };
        assert_eq!(rejected.kind, StoreErrorKind::Rejected, "{suffix}: {error}");
        assert!(error.to_string().contains(&key), "{error}");
        assert!(raw.dump(&namespace) == before, "{suffix}");
    }
    let namespace = unique_namespace("readers");
    builder(&server, &namespace, 1).open().unwrap();
    let reader = builder(&server, &namespace, 1).read_only().open().unwrap();
    assert!(reader.import(&records).is_err());
    let others = builder(&server, &namespace, 1).open().unwrap();
    raw.ask::<()>(&["SET", &format!("{{{namespace}:0}}:layout"), "another"]);
    let before = raw.dump(&namespace);
    let error = others.import(&records).unwrap_err();
    assert!(error.layout().is_some(), "{error}");
    assert!(raw.dump(&namespace) == before);
}

/// A damaged record is named in the manifest, and neither kept out of sight nor in the way of others; one under an id that is
/// imported is an error of that line.
#[test]
fn a_record_that_cannot_be_read_is_named_and_the_others_are_exported() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let source = builder(&server, &unique_namespace("damaged"), 2).open().unwrap();
    fill(&source);
    let key = source.inspect(&id("r-5")).unwrap().unwrap().key;
    let whole: Vec<u8> = raw.ask(&["GET", &key]);
    raw.ask::<()>(&[b"SETRANGE".as_slice(), key.as_bytes(), (whole.len() - 1).to_string().as_bytes(), b"\xff"]);
    let (mut archive, directory) = exported(&source, ArchiveContent::StoredBytes);
    assert_eq!(archive.manifest().requests, 39);
    let named: Vec<_> = archive.manifest().unreadable.iter().map(|unreadable| unreadable.id.as_str()).collect();
    assert_eq!(named, ["r-5"]);
    assert_eq!(archive.get("r-5").unwrap(), None);
    std::fs::remove_dir_all(directory).unwrap();

    let memory = MemoryStore::new();
    memory.create(pending("r-5", "s", second(1))).unwrap();
    memory.create(pending("other", "s", second(2))).unwrap();
    let records = memory.records(&RequestQuery::new(), &PageRequest::longest()).unwrap().items;
    let mut imported = source.import(&records).unwrap();
    assert_eq!(imported.remove(1).unwrap(), Imported::Added);
    assert!(matches!(imported.remove(0), Err(Error::Unreadable { .. })));
}
