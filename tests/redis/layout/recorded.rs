//! What namespace and partitions record of their layout, whoever wrote it.

use mutator_governance::{IdComparison, LayoutError, NamespaceLayout, PageRequest, WriteId};

use crate::layout::upgrade::{failure, layout_error};
use common::requests::{moved_on, pending, second};
use common::{Flavour, Options, Oracle, Raw, Store};
use common::{redis_url, unique_namespace};

type IsExpected = fn(&LayoutError) -> bool;

const FOREIGN: IsExpected = |error| matches!(error, LayoutError::Foreign { .. });
const OLDER: IsExpected = |error| matches!(error, LayoutError::Older { found: 1, expected: 3, .. });
const NEWER: IsExpected = |error| matches!(error, LayoutError::Newer { found: 4, expected: 3, .. });
const OTHER: IsExpected = |error| matches!(error, LayoutError::OtherChoice { .. });
const MISSING: IsExpected = |error| matches!(error, LayoutError::Missing { .. });

fn filled(flavour: Flavour, partitions: u16) -> (Options, Store, Oracle, Raw) {
    let options = Options::new(redis_url(), unique_namespace("recorded")).partitions(partitions);
    let store = flavour.open(&options).unwrap();
    store.create(pending("there", "s", second(1))).unwrap();
    let oracle = Oracle::new(&options.namespace, partitions);
    (options, store, oracle, Raw::to(&redis_url()))
}

#[test]
fn a_writer_is_rejected_where_its_partition_records_another_layout() {
    let cases: [(&[u8], IsExpected); 10] = [
        (b"1 1 Exact -", OLDER),
        (b"1", OLDER),
        (b"4 1 Exact -", NEWER),
        (b"4 of another form", NEWER),
        (b"3 1 FoldCase -", OTHER),
        (b"3 4 Exact -", OTHER),
        (b"3", FOREIGN),
        (b"somebody else's", FOREIGN),
        (b"\xff\0", FOREIGN),
        (b"", MISSING),
    ];
    for flavour in Flavour::all() {
        let (options, store, oracle, mut raw) = filled(flavour, 1);
        let key = oracle.layout_key(0);
        let there = store.get(&common::requests::id("there")).unwrap().unwrap();
        let own: Vec<u8> = raw.ask(&[b"GET".as_slice(), &key]);
        for (found, is_expected) in cases {
            let _: redis::Value = match found {
                b"" => raw.ask(&[b"DEL".as_slice(), &key]),
                _ => raw.ask(&[b"SET".as_slice(), &key, found]),
            };
            let before = raw.dump(&options.namespace);
            let errors = [
                store.create(pending("new", "s", second(2))).map(drop),
                store.create(there.clone()).map(drop),
                store.update(moved_on(there.clone(), second(2)), WriteId::generate()).map(drop),
                store.repair().map(drop),
                store.migrate().map(drop),
                flavour.open(&options).map(drop),
            ];
            for error in errors.map(Result::unwrap_err) {
                assert!(is_expected(layout_error(&error)), "{flavour:?}, {:?}: {error:?}", found.escape_ascii());
                assert!(error.to_string().contains(&*String::from_utf8_lossy(&key)), "{error}");
            }
            // Who only reads is not kept from looking.
            assert!(store.verify().unwrap().is_clean());
            assert_eq!(store.pending(&PageRequest::first()).unwrap().items.len(), 1);
            assert_eq!(raw.dump(&options.namespace), before, "{flavour:?}, {:?}", found.escape_ascii());

            // A newer layout is left to whoever knows it; any other is recorded again.
            match flavour.reindex(&options) {
                Err(error) => assert!(found[0] == b'4' && NEWER(layout_error(&error)), "{error:?}"),
                Ok(_) => {
                    assert_ne!(found.first(), Some(&b'4'));
                    assert_eq!(raw.ask::<Vec<u8>>(&[b"GET".as_slice(), &key]), own);
                }
            }
            let _: String = raw.ask(&[b"SET".as_slice(), &key, &own]);
            flavour.open(&options).unwrap();
        }
        oracle.check(&mut raw, &store);
    }
}

#[test]
fn opening_tells_older_newer_and_foreign_versions_apart() {
    let cases: [(&str, &str, IsExpected, bool); 8] = [
        ("layout", "1", OLDER, true),
        ("layout", "4", NEWER, false),
        ("reindexing", "4 0123", NEWER, false),
        ("layout", "0", FOREIGN, false),
        ("layout", "02", FOREIGN, false),
        ("layout", "", FOREIGN, false),
        ("layout", "two", FOREIGN, false),
        ("reindexing", "3 0123", |error| matches!(error, LayoutError::Rebuilding { .. }), true),
    ];
    for flavour in Flavour::all() {
        for (field, value, is_expected, can_be_rebuilt) in cases {
            let (options, _, oracle, mut raw) = filled(flavour, 2);
            let _: i64 = raw.ask(&["HSET", &oracle.meta_key(), field, value]);
            let before = raw.dump(&options.namespace);
            for options in [options.clone(), options.clone().read_only()] {
                let error = flavour.open(&options).map(drop).unwrap_err();
                assert!(is_expected(layout_error(&error)), "{flavour:?}, {field} {value:?}: {error:?}");
            }
            assert_eq!(raw.dump(&options.namespace), before);
            match flavour.reindex(&options) {
                Ok(_) => {
                    assert!(can_be_rebuilt, "{field} {value:?}");
                    let store = flavour.open(&options).unwrap();
                    assert!(store.verify().unwrap().is_clean());
                    oracle.check(&mut raw, &store);
                }
                Err(error) => {
                    assert!(!can_be_rebuilt && is_expected(layout_error(&error)), "{field} {value:?}: {error:?}");
                    assert_eq!(raw.dump(&options.namespace), before);
                }
            }
        }
    }
}

#[test]
fn a_process_of_another_choice_is_rejected_from_the_moment_its_indexes_are_rebuilt() {
    for flavour in Flavour::all() {
        let (options, store, oracle, mut raw) = filled(flavour, 2);
        let chosen = options.clone().index_metadata(&["ticket"]);
        flavour.reindex(&chosen).unwrap();
        let before = raw.dump(&options.namespace);
        for rejected in [store.create(pending("new", "s", second(2))).map(drop), store.repair().map(drop)] {
            let rejected = rejected.unwrap_err();
            assert!(
                OTHER(layout_error(&rejected)) && rejected.to_string().contains("open the store again"),
                "{rejected:?}"
            );
        }
        assert_eq!(raw.dump(&options.namespace), before, "{flavour:?}");
        let store = flavour.open(&chosen).unwrap();
        store.create(pending("new", "s", second(2))).unwrap();
        oracle.check(&mut raw, &store);
    }
}

#[test]
fn a_namespace_that_lost_its_description_is_not_laid_out_again() {
    for flavour in Flavour::all() {
        let (options, _, oracle, mut raw) = filled(flavour, 2);
        let _: i64 = raw.ask(&["DEL", &oracle.meta_key()]);
        for partitions in [1, 2, 8] {
            let error = flavour.open(&options.clone().partitions(partitions)).map(drop).unwrap_err();
            assert!(MISSING(layout_error(&error)), "{error:?}");
            let said = error.to_string();
            assert!(said.contains(&oracle.meta_key()) && said.contains("backup"), "{said}");
        }
        assert!(!raw.keys(&options.namespace).contains(&oracle.meta_key().into_bytes()), "{flavour:?}");
    }
}

#[test]
fn an_opening_that_was_interrupted_is_ended_by_the_next() {
    for flavour in Flavour::all() {
        let options = Options::new(redis_url(), unique_namespace("interrupted")).partitions(4);
        let oracle = Oracle::new(&options.namespace, 4);
        let early = flavour.open(&options).unwrap();
        let mut raw = Raw::to(&redis_url());
        for partition in 1..4 {
            let _: i64 = raw.ask(&[b"DEL".as_slice(), &oracle.layout_key(partition)]);
        }
        flavour.open(&options.clone().read_only()).unwrap();
        for store in [flavour.open(&options).unwrap(), early] {
            for number in 0..8 {
                let name = format!("r{number}");
                match store.create(pending(&name, "s", second(1))) {
                    Ok(_) => {}
                    Err(error) => {
                        assert!(matches!(error, mutator_governance::Error::AlreadyExists { .. }), "{error:?}")
                    }
                }
            }
            assert_eq!(oracle.check(&mut raw, &store).len(), 8);
        }
    }
}

#[test]
fn another_type_in_place_of_a_layout_is_named_and_left() {
    for flavour in Flavour::all() {
        let (options, store, oracle, mut raw) = filled(flavour, 1);
        let key = oracle.layout_key(0);
        let _: i64 = raw.ask(&[b"DEL".as_slice(), &key]);
        let _: i64 = raw.ask(&[b"LPUSH".as_slice(), &key, b"x"]);
        let before = raw.dump(&options.namespace);
        let errors = [
            store.create(pending("new", "s", second(2))).map(drop),
            store.repair().map(drop),
            flavour.open(&options).map(drop),
            flavour.reindex(&options).map(drop),
        ];
        for error in errors.map(Result::unwrap_err) {
            assert_eq!(failure(&error).kind, mutator_governance::StoreErrorKind::Rejected, "{error:?}");
            assert!(error.to_string().contains(&*String::from_utf8_lossy(&key)), "{error}");
        }
        assert_eq!(raw.dump(&options.namespace), before, "{flavour:?}");
    }
}

#[test]
fn a_program_that_knows_no_layout_opens_the_namespace_as_it_is() {
    for flavour in Flavour::all() {
        let unknowing = Options::new(redis_url(), unique_namespace("layout"));
        let mut raw = Raw::to(&redis_url());
        assert_eq!(flavour.layout(&unknowing).unwrap(), None);
        assert!(raw.keys(&unknowing.namespace).is_empty(), "{flavour:?}: something was written");

        let chosen = unknowing.clone().partitions(3).index_metadata(&["ticket", "a b"]).fold_case(true);
        flavour.open(&chosen).unwrap().create(pending("there", "s", second(1))).unwrap();
        let before = raw.dump(&unknowing.namespace);
        // Nor does it matter what it was configured for.
        for options in [&unknowing, &unknowing.clone().partitions(7).index_metadata(&["other"]).read_only()] {
            let layout = flavour.layout(options).unwrap().unwrap();
            let mut expected = NamespaceLayout::default();
            (expected.partitions, expected.id_comparison) = (3, IdComparison::FoldCase);
            expected.indexed_metadata = ["ticket", "a b"].map(str::to_owned).into();
            assert_eq!(layout, expected, "{flavour:?}");
            assert!(flavour.open(options).is_err(), "{flavour:?}");
            let store = flavour.open_laid_out_as(options, &layout).unwrap();
            assert!(store.get(&common::requests::id("there")).unwrap().is_some(), "{flavour:?}");
        }
        assert_eq!(raw.dump(&unknowing.namespace), before, "{flavour:?}");
    }
}
