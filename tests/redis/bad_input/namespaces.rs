//! Namespaces that are none, or others than the store was opened for.

use mutator_governance::{Error, MutationRequest, PageRequest, RequestQuery, Revision, StoreErrorKind, WriteId};

use crate::bad_input::scene::{Scene, TYPES, put, store_error};
use common::requests::{pending, second};
use common::{Flavour, Options, Oracle, Raw};
use common::{redis_url, unique_namespace};

#[test]
fn a_namespace_key_that_describes_none_is_rejected() {
    for flavour in Flavour::all() {
        for kind in TYPES {
            let namespace = unique_namespace("meta");
            let mut raw = Raw::to(&redis_url());
            let key = Oracle::new(&namespace, 1).meta_key();
            put(&mut raw, key.as_bytes(), kind);
            let before = raw.dump(&namespace);
            let error = flavour.open(&Options::new(redis_url(), &namespace)).map(drop).unwrap_err();
            let expected = if kind == "hash" { StoreErrorKind::Incompatible } else { StoreErrorKind::Rejected };
            assert_eq!(store_error(&error).kind, expected, "{kind}: {error}");
            assert!(error.to_string().contains(&key), "{error}");
            assert_eq!(raw.dump(&namespace), before);
        }
    }
}

#[test]
fn a_namespace_of_another_layout_or_partition_count_is_rejected() {
    for flavour in Flavour::all() {
        let namespace = unique_namespace("layout");
        let options = Options::new(redis_url(), &namespace).partitions(4);
        flavour.open(&options).unwrap();
        flavour.open(&options).unwrap();
        for partitions in [1, 3, 5] {
            let error = flavour.open(&options.clone().partitions(partitions)).map(drop).unwrap_err();
            assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible);
            let text = error.to_string();
            assert!(
                text.contains('4') && text.contains(&partitions.to_string()) && text.contains(&namespace),
                "{text}"
            );
        }
        let mut raw = Raw::to(&redis_url());
        let key = Oracle::new(&namespace, 4).meta_key();
        let _: i64 = raw.ask(&["HSET", &key, "layout", "4"]);
        let error = flavour.open(&options).map(drop).unwrap_err();
        assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible);
        for bad in [("", 1), ("a b", 1), ("a{b}", 1), ("n", 0), ("n", 1_025)] {
            let options = Options::new(redis_url(), bad.0).partitions(bad.1);
            let error = flavour.open(&options).map(drop).unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{bad:?}: {error:?}");
        }
    }
}

/// Choices that are alike when their keys are written one after the other.
#[test]
fn no_two_choices_of_indexed_metadata_are_taken_for_one() {
    let choices: [&[&str]; 7] = [&[], &[""], &["a\nb"], &["a", "b"], &["a", "b", ""], &["1:a1:b"], &["a\n", "b"]];
    for flavour in Flavour::all() {
        for chosen in choices {
            let options = Options::new(redis_url(), unique_namespace("chosen"));
            let store = flavour.open(&options.clone().index_metadata(chosen)).unwrap();
            let mut document = pending("r", "s", second(0)).into_document();
            for key in ["", "a", "b", "a\nb", "1:a1:b", "a\n"] {
                document.metadata.insert(key, "x").unwrap();
            }
            let revision = Revision::first(WriteId::generate());
            let request = store.create(MutationRequest::from_document(document, revision).unwrap()).unwrap();
            for other in choices {
                match flavour.open(&options.clone().index_metadata(other)) {
                    Ok(store) => {
                        assert_eq!(other, chosen, "{flavour:?}");
                        let keys = ["", "a", "b", "a\nb", "1:a1:b", "a\n"].into_iter();
                        let query = keys.fold(RequestQuery::new(), |query, key| query.with_metadata(key, "x").unwrap());
                        assert_eq!(store.requests(&query, &PageRequest::first()).unwrap().items, [request.clone()]);
                        assert_eq!(store.count(&query).unwrap().number(), 1, "{other:?}");
                    }
                    Err(error) => {
                        assert_ne!(other, chosen, "{flavour:?}: {error}");
                        assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible);
                    }
                }
            }
        }
    }
}

#[test]
fn a_choice_of_indexed_metadata_that_somebody_else_recorded_is_rejected() {
    for flavour in Flavour::all() {
        for recorded in [b"ticket".as_slice(), b"6:ticke", b"\xff\xfe", b"3:a\nb1:a"] {
            let options = Options::new(redis_url(), unique_namespace("recorded"));
            flavour.open(&options).unwrap();
            let (mut raw, key) = (Raw::to(&redis_url()), Oracle::new(&options.namespace, 1).meta_key());
            let _: i64 = raw.ask(&[b"HSET".as_slice(), key.as_bytes(), b"metadata", recorded]);
            let error = flavour.open(&options).map(drop).unwrap_err();
            assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible, "{flavour:?} {recorded:?}: {error}");
            flavour.reindex(&options).unwrap();
            flavour.open(&options).unwrap();
        }
        let long = "k".repeat(1_025);
        let options = Options::new(redis_url(), unique_namespace("long")).index_metadata(&[&long]);
        let error = flavour.open(&options).map(drop).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    }
}

#[test]
fn namespaces_do_not_see_each_other() {
    for flavour in Flavour::all() {
        let one = Scene::new(flavour);
        // A name that begins with the other's.
        let options = Options { namespace: format!("{}-2", one.namespace), ..one.options.clone() };
        let other = flavour.open(&options).unwrap();
        assert_eq!(other.get(&one.there.id).unwrap(), None);
        assert_eq!(other.pending(&PageRequest::first()).unwrap().items, []);
        let theirs = other.create(pending("there", "s", second(9))).unwrap();
        assert_eq!(one.store.get(&one.there.id).unwrap(), Some(one.there.clone()));
        assert_eq!(other.pending(&PageRequest::first()).unwrap().items, [theirs]);
        let first = one.store.pending(&PageRequest::of(1).unwrap()).unwrap();
        let page = PageRequest::first().after(first.next.unwrap());
        let error = other.pending(&page).unwrap_err();
        assert!(matches!(error, Error::InvalidCursor { .. }), "{error:?}");
        let (mut raw, oracle) = (Raw::to(&redis_url()), Oracle::new(&options.namespace, 1));
        oracle.check(&mut raw, &other);
        one.oracle.check(&mut raw, &one.store);
    }
}
