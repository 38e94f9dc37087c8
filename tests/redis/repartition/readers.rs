//! Cursors, feed positions and consumers of before a repartition lead on after it.

use std::collections::BTreeSet;
use std::time::Duration;

use common::requests::{pending, second};
use common::{Flavour, PrivateServer, Store};
use mutator_governance::{
    ConsumerLease, ConsumerName, FeedPosition, HolderId, PageRequest, RequestQuery, SortDirection, WriteId,
};

use super::scene::{Scene, changed};

/// All entries after a position, as request and revision, without any gap.
fn follow(store: &Store, from: &FeedPosition, limit: usize) -> (Vec<(String, u64)>, FeedPosition) {
    let (mut entries, mut position) = (Vec::new(), from.clone());
    loop {
        let page = store.read_feed(&position, limit).unwrap();
        assert!(page.gaps.is_empty() && page.unreadable.is_empty(), "{page:?}");
        entries.extend(page.entries.into_iter().map(|entry| (entry.id.to_string(), entry.revision)));
        position = page.next.to_string().parse().unwrap();
        if page.is_caught_up {
            return (entries, position);
        }
    }
}

fn is_in_order(entries: &[(String, u64)]) -> bool {
    let ids: BTreeSet<&String> = entries.iter().map(|(id, _)| id).collect();
    ids.into_iter().all(|id| {
        let revisions: Vec<u64> = entries.iter().filter(|(found, _)| found == id).map(|(_, at)| *at).collect();
        revisions.is_sorted_by(|one, next| one + 1 == *next)
    })
}

#[test]
fn a_walk_over_pages_that_began_before_has_every_request_once() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        for direction in [SortDirection::Ascending, SortDirection::Descending] {
            let scene = Scene::new(&server, flavour, 2, 80);
            let query = RequestQuery::new().in_order(direction);
            let first = scene.open().requests(&query, &PageRequest::of(30).unwrap()).unwrap();
            let mut found: Vec<String> = first.items.iter().map(|request| request.id.to_string()).collect();
            let options = scene.multiplied(4);
            flavour.repartition(&options).unwrap();
            let store = flavour.open(&options).unwrap();
            let mut next = first.next;
            while let Some(cursor) = next {
                let page = store.requests(&query, &PageRequest::of(7).unwrap().after(cursor)).unwrap();
                found.extend(page.items.iter().map(|request| request.id.to_string()));
                next = page.next;
            }
            assert_eq!(found.len(), 80, "{flavour:?} {direction:?}");
            assert_eq!(found.iter().collect::<BTreeSet<_>>(), scene.stored.keys().collect(), "{flavour:?}");
        }
    }
}

#[test]
fn followers_of_the_feed_miss_nothing_and_get_each_request_in_order() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(&server, flavour, 2, 40);
        let store = scene.open();
        let (all, end) = follow(&store, &FeedPosition::beginning(), 100);
        let half = store.read_feed(&FeedPosition::beginning(), 25).unwrap();
        let (name, holder) = (ConsumerName::new("mail").unwrap(), HolderId::generate());
        let lease = Duration::from_secs(600);
        store.lease_consumer(&name, holder, lease).unwrap();
        assert!(store.save_consumer(&name, holder, &half.next, lease).unwrap());

        for times in [3, 2] {
            let options = scene.multiplied(times);
            flavour.repartition(&options).unwrap();
            scene.options = options;
            let store = scene.open();
            for request in scene.stored.values_mut() {
                *request = store.update(changed(request.clone(), second(3_000)), WriteId::generate()).unwrap();
            }
            let created = store.create(pending(&format!("new-{times}"), "s", second(4_000))).unwrap();
            scene.stored.insert(created.id.to_string(), created);
        }
        let (store, written) = (scene.open(), all.len() + 40 + 41 + 2);
        for limit in [3, 50, 1_000] {
            let (entries, at) = follow(&store, &FeedPosition::beginning(), limit);
            assert!(entries.len() == written && is_in_order(&entries), "{flavour:?}: {entries:?}");
            assert_eq!(store.end_of_feed().unwrap(), at, "{flavour:?}");
            let (since, _) = follow(&store, &end, limit);
            assert!(since.len() == written - all.len() && is_in_order(&since), "{flavour:?}: {since:?}");
        }
        let consumer = store.consumers().unwrap().remove(0);
        let read = half.entries.len();
        assert_eq!(consumer.lag.map(|lag| lag as usize), Some(written - read), "{flavour:?}");
        let ConsumerLease::Held { position: Some(position) } = store.lease_consumer(&name, holder, lease).unwrap()
        else {
            panic!("{flavour:?}: the position is lost")
        };
        let (rest, _) = follow(&store, &position, 10);
        assert!(rest.len() == written - read && is_in_order(&rest), "{flavour:?}: {} entries", rest.len());
    }
}
