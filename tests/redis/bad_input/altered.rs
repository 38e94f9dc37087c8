//! Documents whose checksum is right and whose times are not those that their index entries were made of.

use mutator_governance::stored_format::{self, DocumentLimit};
use mutator_governance::{
    Error, Finding, FormatError, MutationRequest, PageRequest, Pending, PendingReason, RequestDocument, RequestQuery,
    RequestState, Timestamp, WriteId,
};

use crate::bad_input::scene::Scene;
use crate::bad_input::walks::{WALKS, walked};
use common::Flavour;
use common::requests::{asking_for_approvals, draft, moved_on, second, submit};

const HOUR: u64 = 3_600_000_000;

fn later(time: Timestamp) -> Timestamp {
    Timestamp::from_micros(time.as_micros() + HOUR).unwrap()
}

/// Writes the document of a record anew, with its checksum, behind the header that stands.
fn alter(scene: &mut Scene, change: impl FnOnce(&mut RequestDocument)) {
    let whole = scene.stored_bytes();
    let begins_at = whole.windows(4).position(|part| part == b"\x89MGR").unwrap();
    let mut document = stored_format::decode(&whole[begins_at..], DocumentLimit::DEFAULT).unwrap();
    change(&mut document);
    let altered = stored_format::encode(&document, DocumentLimit::DEFAULT).unwrap();
    let mut record = [&whole[..begins_at], &altered].concat();
    // What a header holds for a checksum, of the id and of all behind it up to the document's own.
    let covered = [scene.there.id.as_str().as_bytes(), b"\0", &record[19..begins_at + 16]].concat();
    let sha1: String = scene.raw.ask(&[b"EVAL".as_slice(), b"return redis.sha1hex(ARGV[1])", b"0", &covered]);
    record[3..19].copy_from_slice(&sha1.as_bytes()[..16]);
    scene.set_record(&record);
    assert!(scene.store.get(&scene.there.id).unwrap().is_some(), "it is not sealed as a writer would");
}

/// The walks that name the request as unreadable; in none may it be missing unseen.
fn named_by(scene: &Scene, expected: &[&str], what: &str) {
    for walk in WALKS.iter().filter(|walk| expected.contains(&walk.0)) {
        for limit in [1, 2, 50] {
            let read = walked(&scene.store, walk, limit, 100).unwrap();
            let is_named = !read.unreadable.is_empty() && read.unreadable.iter().all(|id| *id == scene.there.id);
            assert!(is_named, "{what}: {}, pages of {limit}: {:?}", walk.0, read.unreadable);
            assert!(!read.rows.iter().any(|row| row.contains("\"there\"")), "{what}: {}", walk.0);
        }
    }
    let report = scene.store.verify().unwrap();
    let names = |finding: &Finding| match finding {
        Finding::MissingEntry { id, .. } | Finding::ExtraEntry { id: Some(id), .. } => *id == scene.there.id,
        _ => false,
    };
    assert!(report.findings.iter().any(names), "{what}: {:?}", report.findings);
}

fn submitted(flavour: Flavour, request: MutationRequest) -> Scene {
    let mut scene = Scene::new(flavour);
    let record = scene.record();
    let _: i64 = scene.raw.ask(&[b"DEL".as_slice(), &record]);
    scene.store.repair().unwrap();
    scene.there = scene.store.create(request).unwrap();
    scene
}

#[test]
fn a_created_time_that_was_altered_is_named_by_every_read() {
    for flavour in Flavour::all() {
        let mut scene = submitted(flavour, asking_for_approvals(draft("there", "s"), second(1)));
        alter(&mut scene, |document| document.created_at = later(document.created_at));
        let expected = [
            "requests",
            "requests, the latest first",
            "of two statuses, looked up by state",
            "pending",
            "by state",
            "pending by state",
            "pending approvals",
            "decisions",
            "decisions by alice",
            "inbox",
        ];
        named_by(&scene, &expected, "created");
        // What is not decoded on a page is found when it is.
        let page = scene.store.stored_requests(&RequestQuery::new(), &PageRequest::first()).unwrap();
        let stored = page.items.into_iter().find(|stored| *stored.id() == scene.there.id).unwrap();
        let unreadable = stored.into_request().unwrap_err();
        assert!(matches!(unreadable.error, FormatError::Malformed { .. }), "{unreadable}");

        scene.store.repair().unwrap();
        assert!(scene.store.verify().unwrap().is_clean());
        for walk in &WALKS {
            assert!(walked(&scene.store, walk, 2, 100).unwrap().unreadable.is_empty(), "{}", walk.0);
        }
    }
}

#[test]
fn the_time_of_a_decision_a_deadline_and_an_approval_that_were_altered_are_named() {
    for flavour in Flavour::all() {
        let mut scene = submitted(flavour, asking_for_approvals(draft("there", "s"), second(1)));
        alter(&mut scene, |document| document.decisions[1].at = later(document.decisions[1].at));
        for walk in WALKS.iter().filter(|walk| walk.0.starts_with("decisions")) {
            let read = walked(&scene.store, walk, 2, 100).unwrap();
            assert!(read.unreadable == [scene.there.id.clone()], "{}: {:?}", walk.0, read.unreadable);
            assert!(read.rows.iter().any(|row| row.contains("\"there\"")), "its other decisions are hidden");
        }
        named_by(&scene, &[], "decided");

        let until = Pending { reason: PendingReason::Quota, expires_at: Some(second(50)) };
        let mut scene = submitted(flavour, submit(draft("there", "s").waiting_for(until), second(1)));
        alter(&mut scene, |document| {
            let pending = Pending { reason: PendingReason::Quota, expires_at: Some(second(5_000)) };
            document.state = RequestState::Pending(pending);
        });
        named_by(&scene, &["due"], "due");

        let mut scene = submitted(flavour, submit(draft("there", "s").waiting_for(PendingReason::Quota), second(1)));
        scene.there = scene.store.update(moved_on(scene.there.clone(), second(2)), WriteId::generate()).unwrap();
        alter(&mut scene, |document| document.created_at = later(document.created_at));
        named_by(&scene, &["requests", "by state", "decisions"], "approved");
    }
}

/// Whoever looks into a record is told the same of its request as whoever gets it.
#[test]
fn a_record_under_the_key_of_another_request_is_inspected_as_it_is_got() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let good = scene.oracle.record_key("good");
        let bytes: Vec<u8> = scene.raw.ask(&[b"GET".as_slice(), &good]);
        scene.set_record(&bytes);
        let got = scene.store.get(&scene.there.id).unwrap_err();
        let Error::Unreadable { error: source, .. } = got else { panic!("{got:?}") };
        match scene.store.inspect(&scene.there.id) {
            Ok(Some(inspection)) => assert_eq!(inspection.request.unwrap_err(), source, "{flavour:?}"),
            Ok(None) => panic!("{flavour:?}: nothing is stored"),
            Err(Error::Unreadable { error: inspected, .. }) => assert_eq!(inspected, source),
            Err(other) => panic!("{flavour:?}: {other:?}"),
        }
    }
}
