//! Records and index entries that are not as they were written.

use mutator_governance::{Error, Finding, FormatError, Outcome, PageRequest, RequestQuery, SortDirection, WriteId};

use crate::bad_input::scene::Scene;
use common::requests::{moved_on, pending, second};
use common::{Flavour, Store};

/// What every call says of one record whose bytes are not as written. `None` where the bytes may pass for a request.
///
/// Writes are tried too, unless the header is whole: an update is decided by the header alone.
fn check_unreadable(scene: &mut Scene, what: &str, header_is_whole: bool) -> Option<FormatError> {
    let (there, good) = (scene.there.clone(), scene.good.clone());
    let read = scene.store.get(&there.id);
    let page = scene.store.pending(&PageRequest::first()).unwrap_or_else(|error| panic!("{what}: page {error:?}"));
    let lookup = scene.store.get_many(&[there.id.clone(), good.id.clone()]).unwrap();
    let update = moved_on(there.clone(), second(3));
    assert!(page.items.contains(&good), "{what}: the good one is not on the page");
    assert_eq!(lookup.requests[1].as_ref(), Some(&good), "{what}");
    match read {
        Err(Error::Unreadable { key: named, error: source, .. }) => {
            assert_eq!(named, there.id.as_str(), "{what}");
            assert_eq!(page.items.len(), 1, "{what}");
            for unreadable in [&page.unreadable, &lookup.unreadable] {
                assert_eq!(unreadable.len(), 1, "{what}");
                assert_eq!((&unreadable[0].id, &unreadable[0].error), (&there.id, &source), "{what}");
            }
            let create = |store: &Store| store.create(pending("there", "s", second(3)));
            let error = scene.rejected(&format!("{what}: create"), create);
            assert!(matches!(error, Error::Unreadable { .. } | Error::AlreadyExists { .. }), "{what}: {error:?}");
            if !header_is_whole {
                let update = |store: &Store| store.update(update, WriteId::generate());
                let error = scene.rejected(&format!("{what}: update"), update);
                assert!(matches!(error, Error::Unreadable { .. }), "{what}: update {error:?}");
            }
            Some(source)
        }
        Ok(Some(_)) => None,
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn foreign_bytes_are_distinguished_from_a_record() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let big = vec![0xFF; 300_000];
        for bytes in [b"".as_slice(), b"x", b"MX", b"{\"id\":1}", b"\x00\x00", b"RM\x01\x01", &big] {
            scene.set_record(bytes);
            let what = format!("{} foreign bytes", bytes.len());
            assert_eq!(check_unreadable(&mut scene, &what, false), Some(FormatError::Foreign), "{what}");
        }
    }
}

#[test]
fn a_record_cut_at_any_length_is_unreadable() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let whole = scene.stored_bytes();
        let document = whole.windows(4).position(|part| part == b"\x89MGR").unwrap();
        // Every length in one flavour; the others share all code but the driver.
        let step = if flavour == Flavour::all()[0] { 1 } else { 17 };
        for length in (0..whole.len()).step_by(step) {
            scene.set_record(&whole[..length]);
            let what = format!("{length} of {} bytes", whole.len());
            let source = check_unreadable(&mut scene, &what, length >= document);
            assert!(source.is_some(), "{what} pass for a request");
        }
        scene.set_record(&[whole.as_slice(), b"x"].concat());
        assert!(check_unreadable(&mut scene, "a byte too many", true).is_some());
        scene.set_record(&whole);
        assert_eq!(check_unreadable(&mut scene, "whole", true), None);

        // Whoever read it before it was damaged still knows the revision that its header names, and repairs it.
        scene.set_record(&whole[..document + 20]);
        let update = moved_on(scene.there.clone(), second(3));
        let stored = scene.store.update(update, WriteId::generate()).unwrap();
        assert_eq!(scene.store.get(&stored.id).unwrap(), Some(stored));
        scene.oracle.check(&mut scene.raw, &scene.store);
    }
}

#[test]
fn header_versions_that_are_not_known_are_rejected_by_their_number() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let whole = scene.stored_bytes();
        for version in [0, 2, 3, 255] {
            let mut bytes = whole.clone();
            bytes[2] = version;
            scene.set_record(&bytes);
            let what = format!("header version {version}");
            let source = check_unreadable(&mut scene, &what, false).unwrap();
            match source {
                FormatError::UnsupportedVersion { found, newest_supported, .. } if version > 1 => {
                    assert_eq!((found, newest_supported), (u16::from(version), 1));
                }
                FormatError::Malformed { .. } if version == 0 => {}
                other => panic!("{what}: {other:?}"),
            }
            // The script, which sees the version by itself, says the same as the reader.
            let update = moved_on(scene.there.clone(), second(3));
            match scene.rejected(&what, |store| store.update(update, WriteId::generate())) {
                Error::Unreadable { error: by_script, .. } => assert_eq!(by_script, source, "{what}"),
                other => panic!("{what}: {other:?}"),
            }
        }
    }
}

/// A version that was damaged is told from that of a newer release, whose checksum does not fit, and is repaired.
#[test]
fn a_damaged_header_version_is_repaired_and_a_newer_one_is_left() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let whole = scene.stored_bytes();
        for version in [0, 2, 3, 0x81, 255] {
            let mut bytes = whole.clone();
            bytes[2] = version;
            scene.set_record(&bytes);
            for findings in [scene.store.verify().unwrap().findings, scene.store.repair().unwrap().findings] {
                let names = |finding: &Finding| matches!(finding, Finding::DamagedHeader { id, .. } if *id == "there");
                assert!(findings.len() == 1 && names(&findings[0]), "{version}: {findings:?}");
            }
            assert!(scene.store.verify().unwrap().is_clean(), "{version}");
            let read = scene.store.get(&scene.there.id).unwrap().unwrap();
            assert_eq!(read.document(), scene.there.document(), "{version}");
            assert_ne!(read.revision().write_id, scene.there.revision().write_id, "{version}");
        }
        let mut newer = whole.clone();
        (newer[2], newer[3]) = (2, newer[3] ^ 1);
        scene.set_record(&newer);
        let findings = scene.store.repair().unwrap().findings;
        let [Finding::Unreadable { error, .. }] = &findings[..] else { panic!("{findings:?}") };
        assert!(matches!(error, FormatError::UnsupportedVersion { found: 2, .. }), "{error}");
        assert_eq!(scene.stored_bytes(), newer, "what a newer release wrote is not ours to repair");
    }
}

/// Every byte of the header flipped: a typed error, or the document as it was stored. Never a panic, never an answer
/// that leaves open whether something was written, never another request damaged.
#[test]
fn a_flipped_header_byte_is_never_more_than_an_unreadable_request() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let whole = scene.stored_bytes();
        let document = whole.windows(4).position(|part| part == b"\x89MGR").unwrap();
        for at in 0..document {
            for flip in if flavour == Flavour::all()[0] { vec![1, 0x80, 0xFF] } else { vec![0x81] } {
                let what = format!("byte {at} ^ {flip:#x}");
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                scene.set_record(&bytes);
                if check_unreadable(&mut scene, &what, true).is_none() {
                    let read = scene.store.get(&scene.there.id).unwrap().unwrap();
                    assert_eq!(read.document(), scene.there.document(), "{what}");
                }
                let before = scene.raw.dump(&scene.namespace);
                match scene.store.update(moved_on(scene.there.clone(), second(3)), WriteId::generate()) {
                    Err(error) => {
                        assert_eq!(error.outcome(), Outcome::NotApplied, "{what}: {error:?}");
                        let is_typed = matches!(
                            error,
                            Error::Conflict(_)
                                | Error::RewrittenHistory { .. }
                                | Error::SubmittedFieldsChanged { .. }
                                | Error::Unreadable { .. }
                        );
                        assert!(is_typed, "{what}: {error:?}");
                        assert_eq!(scene.raw.dump(&scene.namespace), before, "{what}");
                    }
                    Ok(stored) => {
                        assert_eq!(scene.store.get(&stored.id).unwrap(), Some(stored), "{what}");
                        scene = Scene::new(flavour);
                    }
                }
            }
        }
    }
}

/// A byte flipped in the document is found by its checksum.
#[test]
fn a_flipped_document_byte_is_a_checksum_mismatch_or_worse() {
    let mut scene = Scene::new(Flavour::all()[0]);
    let whole = scene.stored_bytes();
    let document = whole.windows(4).position(|part| part == b"\x89MGR").unwrap();
    for at in document..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        scene.set_record(&bytes);
        assert!(scene.store.get(&scene.there.id).is_err(), "byte {at} is not missed");
    }
}

/// An index names a request that is not there, or something that is no request: the others are still returned.
#[test]
fn a_wrong_index_entry_does_not_keep_the_others_from_being_read() {
    for flavour in Flavour::all() {
        for member in
            [b"\x00\x06\x47\x4d\xcc\x8b\x12\x34gone".as_slice(), b"short", b"12345678", b"12345678a b", b"\xFF"]
        {
            let mut scene = Scene::new(flavour);
            let index = scene.oracle.key(0, b"i:s:Pending");
            let _: i64 = scene.raw.ask(&[b"ZADD".as_slice(), &index, b"0", member]);
            let page = scene.store.pending(&PageRequest::first());
            let page = page.unwrap_or_else(|error| panic!("{flavour:?}, {member:?}: {error:?}"));
            assert_eq!(page.items, [scene.there.clone(), scene.good.clone()], "{member:?}");
        }
    }
}

/// The same where indexes are read together, in either order, a row at a time.
#[test]
fn a_wrong_entry_of_one_index_does_not_keep_those_read_with_it_from_being_read() {
    for flavour in Flavour::all() {
        for member in [b"".as_slice(), b"short", b"\x00\x06\x47\x4d\xcc\x8b\x12\x34gone", b"\xFF", b"\xFF12345678"] {
            let mut scene = Scene::new(flavour);
            let index = scene.oracle.key(0, b"i:si:s");
            let _: i64 = scene.raw.ask(&[b"ZADD".as_slice(), &index, b"0", member]);
            for direction in [SortDirection::Ascending, SortDirection::Descending] {
                let query = RequestQuery::new().with_state_ids(["s", "other"]).unwrap().in_order(direction);
                let (mut page, mut found) = (PageRequest::of(1).unwrap(), Vec::new());
                loop {
                    let read = scene.store.requests(&query, &page);
                    let read = read.unwrap_or_else(|error| panic!("{flavour:?}, {member:?}: {error:?}"));
                    found.extend(read.items);
                    let Some(next) = read.next else { break };
                    page = page.after(next);
                }
                let mut expected = [scene.there.clone(), scene.good.clone()];
                if direction == SortDirection::Descending {
                    expected.reverse();
                }
                assert_eq!(found, expected, "{flavour:?}, {member:?}, {direction:?}");
            }
        }
    }
}
