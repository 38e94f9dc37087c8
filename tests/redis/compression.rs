//! Requests with large payloads are stored compressed, and everything else about them stays as it is.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised has failed")]

use common::requests::{draft, id, moved_on, second, submit};
use common::{Flavour, Options, Raw, Store};
use common::{PrivateServer, unique_namespace};
use mutator_governance::{
    Compression, DocumentLimit, Error, MutationRequest, PageRequest, Payload, PendingReason, RequestId, RequestQuery,
    StateId, WriteId, stored_format,
};

/// A request that waits, with a payload of so many bytes that compress well.
fn with_payload(request_id: &str, bytes: usize) -> MutationRequest {
    let json = br#"{"grant":"billing-admin","to":"user-1"},"#.iter().copied().cycle().take(bytes).collect::<Vec<_>>();
    let payload = Payload::new("application/json", json).unwrap();
    submit(draft(request_id, "s").with_payload(payload).waiting_for(PendingReason::Schedule), second(0))
}

/// How many bytes a document has as it is stored, and when it is not compressed.
fn sizes(raw: &mut Raw, store: &Store, id: &RequestId) -> (usize, usize) {
    let inspection = store.inspect(id).unwrap().unwrap();
    let record: Vec<u8> = raw.ask(&["GET", &inspection.key]);
    let document = &record[record.len() - inspection.document_bytes..];
    (document.len(), stored_format::uncompressed_bytes(document).unwrap())
}

#[test]
fn large_payloads_are_stored_compressed_and_read_by_every_read() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("compressed")).partitions(2);
        let store = flavour.open(&options).unwrap();
        let mut requests = Vec::new();
        for (name, bytes) in [("a", 4095), ("b", 4096), ("c", 50_000)] {
            requests.push(store.create(with_payload(name, bytes)).unwrap());
            let (stored, uncompressed) = sizes(&mut raw, &store, &id(name));
            assert_eq!(stored < uncompressed / 10, bytes >= 4096, "{flavour:?} {name}: {stored} of {uncompressed}");
            assert_eq!(stored == uncompressed, bytes < 4096, "{flavour:?} {name}: {stored} of {uncompressed}");
        }
        let ids: Vec<RequestId> = ["a", "b", "c"].map(id).into();
        let found: Vec<_> = requests.iter().cloned().map(Some).collect();
        assert_eq!(store.get_many(&ids).unwrap().requests, found, "{flavour:?}");
        assert_eq!(store.get(&ids[2]).unwrap(), found[2], "{flavour:?}");
        let page = PageRequest::first();
        assert_eq!(store.by_state(&StateId::new("s").unwrap(), &page).unwrap().items, requests, "{flavour:?}");
        assert_eq!(store.requests(&RequestQuery::new(), &page).unwrap().items, requests, "{flavour:?}");
        let stored = store.stored_requests(&RequestQuery::new(), &page).unwrap().items;
        let decoded: Vec<_> = stored.into_iter().map(|stored| stored.into_request().unwrap()).collect();
        assert_eq!(decoded, requests, "{flavour:?}");

        let updated = store.update(moved_on(requests[2].clone(), second(1)), WriteId::generate()).unwrap();
        let (stored, uncompressed) = sizes(&mut raw, &store, &id("c"));
        assert!(stored < uncompressed / 10, "{flavour:?}: {stored} of {uncompressed}");
        assert_eq!(store.get(&id("c")).unwrap(), Some(updated), "{flavour:?}");
    }
}

#[test]
fn stores_that_compress_and_stores_that_do_not_share_a_namespace() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("shared")).partitions(2);
        let compressing = flavour.open(&options).unwrap();
        let plain = flavour.open(&options.clone().compression(Compression::NEVER)).unwrap();
        let written = [
            compressing.create(with_payload("compressed", 20_000)).unwrap(),
            plain.create(with_payload("plain", 20_000)).unwrap(),
        ];
        let is_compressed = |raw: &mut Raw, name: &str| {
            let (stored, uncompressed) = sizes(raw, &plain, &id(name));
            stored < uncompressed
        };
        assert!(is_compressed(&mut raw, "compressed") && !is_compressed(&mut raw, "plain"));

        // How a document is stored is neither damage nor another format: nothing is found, nothing is rewritten.
        let before = raw.dump(&options.namespace);
        for store in [&compressing, &plain] {
            assert!(store.verify().unwrap().is_clean(), "{flavour:?}");
            assert!(store.migrate().unwrap().is_clean(), "{flavour:?}");
            assert!(store.repair().unwrap().is_clean(), "{flavour:?}");
            for request in &written {
                assert_eq!(store.get(&request.id).unwrap().as_ref(), Some(request), "{flavour:?}");
            }
        }
        assert!(flavour.reindex(&options).unwrap().is_clean(), "{flavour:?}");
        let after = raw.dump(&options.namespace);
        let documents = |dump: &std::collections::BTreeMap<String, Vec<u8>>| -> Vec<(String, Vec<u8>)> {
            let records = dump.iter().filter(|(key, _)| key.contains("}:r:"));
            records.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        assert_eq!(documents(&before).len(), 2, "{:?}", before.keys());
        assert_eq!(documents(&after), documents(&before), "{flavour:?}");

        // Each write does as its store was told.
        let [compressed, uncompressed] = written;
        plain.update(moved_on(compressed, second(1)), WriteId::generate()).unwrap();
        compressing.update(moved_on(uncompressed, second(1)), WriteId::generate()).unwrap();
        assert!(!is_compressed(&mut raw, "compressed") && is_compressed(&mut raw, "plain"), "{flavour:?}");
        assert!(compressing.verify().unwrap().is_clean(), "{flavour:?}");
    }
}

#[test]
fn what_could_not_be_read_within_the_limit_is_not_written_however_small_it_becomes() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("limit"));
        let store = flavour.open(&options.clone().limit(DocumentLimit::of_bytes(8_000))).unwrap();
        let error = store.create(with_payload("large", 20_000)).unwrap_err();
        assert!(matches!(&error, Error::TooLarge { size: 20_000.., limit: 6_464, .. }), "{flavour:?}: {error:?}");
        assert_eq!(store.get(&id("large")).unwrap(), None);

        // Written by a store with a greater limit, it is rejected by its size and stays where it is.
        let greater = flavour.open(&options).unwrap();
        let written = greater.create(with_payload("large", 20_000)).unwrap();
        let error = store.get(&id("large")).unwrap_err();
        assert!(matches!(&error, Error::Unreadable { .. }) && error.to_string().contains("limit"), "{error}");
        let (query, page) = (RequestQuery::new(), PageRequest::first());
        assert_eq!(store.requests(&query, &page).unwrap().unreadable.len(), 1, "{flavour:?}");
        assert_eq!(store.stored_requests(&query, &page).unwrap().unreadable.len(), 1, "{flavour:?}");
        assert_eq!(greater.get(&id("large")).unwrap(), Some(written));
    }
}

/// What a page holds at once is bounded by what its documents are in memory, not by what is sent.
#[test]
fn a_page_of_documents_that_are_large_only_when_read_is_short_and_goes_on() {
    const DOCUMENTS: usize = 60;
    const BYTES: usize = 900_000;
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let store = flavour.open(&Options::new(server.url(), unique_namespace("pages"))).unwrap();
        let ids: Vec<RequestId> = (0..DOCUMENTS).map(|number| id(&format!("large-{number:02}"))).collect();
        for (number, id) in ids.iter().enumerate() {
            let payload = Payload::new("text/plain", vec![b'x'; BYTES]).unwrap();
            let draft = draft(id.as_str(), "s").with_payload(payload).waiting_for(PendingReason::Schedule);
            store.create(submit(draft, second(number as u64))).unwrap();
        }
        let (mut page, mut found) = (PageRequest::longest(), Vec::new());
        loop {
            let read = store.requests(&RequestQuery::new(), &page).unwrap();
            assert!(read.items.len() <= 16 * 1024 * 1024 / BYTES + 1, "{flavour:?}: {} at once", read.items.len());
            found.extend(read.items.into_iter().map(|request| request.id.clone()));
            let Some(next) = read.next else { break };
            page = PageRequest::longest().after(next);
        }
        assert_eq!(found, ids, "{flavour:?}");
    }
}
