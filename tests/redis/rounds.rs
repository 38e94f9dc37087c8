//! Reads over several partitions: all calls of a round go out at once, and a round that fails in its middle is repeated.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised has failed")]

use std::time::{Duration, Instant};

use common::proxy::Proxy;
use common::raw::Monitor;
use common::requests::{id, pending, second};
use common::{Flavour, Options, PrivateServer, Raw, Store, unique_namespace};
use mutator_governance::{FeedPosition, MutationRequest, PageRequest, RequestId, RequestQuery};

const PARTITIONS: u16 = 16;
const STORED: u64 = 200;

/// A store with requests, opened through a proxy.
struct Scene {
    proxy: Proxy,
    store: Store,
    ids: Vec<RequestId>,
}

impl Scene {
    fn new(server: &PrivateServer, flavour: Flavour, partitions: u16) -> Self {
        let (proxy, namespace) = (Proxy::to(server.url()), unique_namespace("rounds"));
        let options = |url: String| Options::new(url, namespace.clone()).partitions(partitions);
        let direct = flavour.open(&options(server.url().to_owned())).unwrap();
        let ids: Vec<RequestId> = (0..STORED).map(|number| id(&format!("r{number}"))).collect();
        for (number, id) in ids.iter().enumerate() {
            direct.create(pending(id.as_str(), "s", second(number as u64))).unwrap();
        }
        let store = flavour.open(&options(proxy.url()).timeout(Duration::from_secs(30))).unwrap();
        Self { proxy, store, ids }
    }

    fn read_all(&self) -> Vec<(&'static str, Duration)> {
        let (store, ids) = (&self.store, &self.ids);
        let reads: [(&'static str, &dyn Fn()); 6] = [
            ("page", &|| assert_eq!(self.page().len(), 50)),
            ("count", &|| assert_eq!(store.count(&RequestQuery::new()).unwrap().number(), STORED)),
            ("statistics", &|| drop(store.statistics(second(1_000), &[]).unwrap())),
            ("get_many", &|| assert!(store.get_many(ids).unwrap().requests.iter().all(Option::is_some))),
            ("feed", &|| assert_eq!(self.feed().len(), STORED as usize)),
            ("end of feed", &|| drop(store.end_of_feed().unwrap())),
        ];
        let timed = |(name, read): (&'static str, &dyn Fn())| {
            let began = Instant::now();
            read();
            (name, began.elapsed())
        };
        reads.map(timed).into()
    }

    fn page(&self) -> Vec<MutationRequest> {
        self.store.pending(&PageRequest::of(50).unwrap()).unwrap().items
    }

    /// All entries in one page.
    fn feed(&self) -> Vec<RequestId> {
        let page = self.store.read_feed(&FeedPosition::beginning(), 1_000).unwrap();
        assert!(page.is_caught_up && page.gaps.is_empty());
        page.entries.into_iter().map(|entry| entry.id).collect()
    }
}

#[test]
fn a_read_of_sixteen_partitions_takes_about_one_round_trip() {
    const DELAY: Duration = Duration::from_millis(150);
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let scene = Scene::new(&server, flavour, PARTITIONS);
        scene.read_all();
        scene.proxy.delay_requests(DELAY);
        for (name, took) in scene.read_all() {
            // A second one where ids spread badly, or where the time is asked for.
            assert!(took >= DELAY && took < 5 * DELAY, "{flavour:?} {name}: {took:?}");
        }
        scene.proxy.delay_requests(Duration::ZERO);
    }
}

#[test]
fn scripts_that_the_server_has_forgotten_are_sent_once_in_a_round() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut monitor = Monitor::of(server.url());
    for flavour in Flavour::all() {
        let scene = Scene::new(&server, flavour, PARTITIONS);
        let expected = scene.page();
        Raw::to(server.url()).ask::<()>(&["SCRIPT", "FLUSH"]);
        monitor.commands();
        assert_eq!(scene.page(), expected);
        let sent = monitor.commands();
        let each = usize::from(PARTITIONS);
        let of = |name: &str| sent.iter().filter(|sent| *sent == name).count();
        assert_eq!((of("EVAL"), of("EVALSHA"), sent.len()), (1, 2 * each - 1, 2 * each), "{flavour:?}: {sent:?}");
    }
}

#[test]
fn a_round_that_is_cut_anywhere_is_repeated_and_returns_the_same() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let scene = Scene::new(&server, flavour, PARTITIONS);
        let (page, mut entries) = (scene.page(), scene.feed());
        entries.sort();
        let cuts = scene.proxy.cuts();
        for bytes in [0, 1, 700, 2_000, 5_000, 9_000] {
            scene.proxy.cut_reply_after(bytes);
            assert_eq!(scene.page(), page, "{flavour:?}, cut after {bytes} bytes");
            scene.proxy.cut_request_after(bytes / 4);
            let mut again = scene.feed();
            again.sort();
            assert_eq!(again, entries, "{flavour:?}, cut after {bytes} bytes");
        }
        assert!(scene.proxy.cuts() - cuts >= 8, "{flavour:?}: {} cuts", scene.proxy.cuts() - cuts);
    }
}

/// More partitions than calls at once, and more than there are requests in a page.
#[test]
fn pages_over_many_partitions_have_every_request_once_in_order() {
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("rounds")).partitions(70);
        let store = flavour.open(&options).unwrap();
        for number in 0..150 {
            store.create(pending(&format!("r{number}"), "s", second(number / 3))).unwrap();
        }
        for limit in [1, 7, 50, 149, 150] {
            let (mut found, mut page) = (Vec::new(), PageRequest::of(limit).unwrap());
            loop {
                let read = store.requests(&RequestQuery::new(), &page).unwrap();
                found.extend(read.items.into_iter().map(|request| (request.created_at, request.id.to_string())));
                let Some(next) = read.next else { break };
                page = PageRequest::of(limit).unwrap().after(next);
            }
            assert_eq!(found.len(), 150, "{flavour:?}, pages of {limit}");
            assert!(found.is_sorted_by(|one, next| one < next), "{flavour:?}, pages of {limit}");
        }
        assert_eq!(store.count(&RequestQuery::new()).unwrap().number(), 150);
    }
}
