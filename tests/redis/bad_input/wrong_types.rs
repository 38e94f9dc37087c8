//! Another type at a key of the store.

use std::collections::BTreeSet;

use mutator_governance::{PageRequest, StateId, WriteId};

use crate::bad_input::scene::{Scene, TYPES, is_of_wrong_type, put};
use common::requests::{id, moved_on, pending, second};
use common::{Flavour, Store};

#[test]
fn a_wrong_type_at_a_record_is_rejected_and_nothing_is_written() {
    for flavour in Flavour::all() {
        for kind in TYPES.iter().filter(|kind| **kind != "string") {
            let mut scene = Scene::new(flavour);
            let (there, key) = (scene.there.clone(), scene.record());
            put(&mut scene.raw, &key, kind);
            let update = moved_on(there.clone(), second(3));
            let error = scene.rejected("update", |store| store.update(update, WriteId::generate()));
            is_of_wrong_type(&error, &key);
            let error = scene.rejected("create", |store| store.create(pending("there", "s", second(3))));
            is_of_wrong_type(&error, &key);
            let error = scene.rejected("get", |store| store.get(&there.id));
            is_of_wrong_type(&error, &key);

            let page = scene.store.pending(&PageRequest::first()).unwrap();
            assert_eq!(page.items, std::slice::from_ref(&scene.good));
            assert_eq!(page.unreadable.len(), 1);
            assert_eq!(page.unreadable[0].id, there.id);
        }
    }
}

/// MGET, which a lookup of many is, does not tell a key of another type from none, so a lookup says that there is no such
/// request. Submission it is then rejected, so that nothing comes of it.
#[test]
fn a_record_of_a_wrong_type_is_none_in_a_lookup_of_many_but_cannot_be_filed() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let key = scene.record();
        put(&mut scene.raw, &key, "hash");
        let lookup = scene.store.get_many(&[scene.there.id.clone(), scene.good.id.clone(), id("none")]).unwrap();
        assert_eq!(lookup.requests, [None, Some(scene.good.clone()), None]);
        let error = scene.rejected("create", |store| store.create(pending("there", "s", second(3))));
        is_of_wrong_type(&error, &key);
    }
}

#[test]
fn a_wrong_type_at_an_index_or_feed_is_rejected_and_nothing_is_written() {
    for flavour in Flavour::all() {
        let keys = {
            let scene = Scene::new(flavour);
            let count = scene.oracle.index_keys(scene.there.document()).len();
            assert!(count >= 4);
            count + 1
        };
        for which in 0..keys {
            let right = if which == 0 { "stream" } else { "zset" };
            for kind in TYPES.iter().filter(|kind| **kind != right) {
                let mut scene = Scene::new(flavour);
                let mut all = vec![scene.oracle.feed_key(0)];
                all.extend(scene.oracle.index_keys(scene.there.document()));
                let key = all[which].clone();
                put(&mut scene.raw, &key, kind);

                let error = scene.rejected("create", |store| store.create(pending("new", "s", second(3))));
                is_of_wrong_type(&error, &key);
                let update = moved_on(scene.there.clone(), second(3));
                let before: BTreeSet<_> = scene.oracle.entries(scene.there.document()).into_iter().collect();
                let after: BTreeSet<_> = scene.oracle.entries(update.document()).into_iter().collect();
                if which == 0 || before.symmetric_difference(&after).any(|(touched, _)| *touched == key) {
                    let error = scene.rejected("update", |store| store.update(update, WriteId::generate()));
                    is_of_wrong_type(&error, &key);
                }
                let state = StateId::new("s").unwrap();
                let page = PageRequest::first();
                for (suffix, what) in [("i:s:Pending", 0), ("i:si:s", 1), ("i:ps:s", 2)] {
                    let read = |store: &Store| match what {
                        0 => store.pending(&page),
                        1 => store.by_state(&state, &page),
                        _ => store.pending_by_state(&state, &page),
                    };
                    if key == scene.oracle.key(0, suffix.as_bytes()) {
                        let error = scene.rejected("page", read);
                        is_of_wrong_type(&error, &key);
                    } else if let Err(error) = read(&scene.store) {
                        is_of_wrong_type(&error, &key);
                    }
                }
            }
        }
    }
}
