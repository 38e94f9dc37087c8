//! Documents as large as they may be, and as many as there may be: what is held and sent at once stays bounded.
#![cfg(all(feature = "redis", feature = "blocking"))]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::MEMORY;
use common::{PrivateServer, unique_namespace};
use mutator_governance::blocking::{Governance, RedisStore, Store};
use mutator_governance::{ActorContext, Intent, PageRequest, Payload, RequestDraft, RequestId, RequestQuery, Target};

const MIB: usize = 1024 * 1024;
/// What a page holds at most, not counting what goes beyond with the last document.
const PAGE: usize = 16 * MIB;

/// What a server has sent through a proxy.
#[derive(Clone, Default)]
struct Sent {
    in_all: Arc<AtomicUsize>,
    largest_reply: Arc<AtomicUsize>,
    this_reply: Arc<AtomicUsize>,
}

impl Sent {
    /// Passes on everything between the clients of this address and the server, and counts.
    fn through(server: &PrivateServer) -> (Self, String) {
        let server = server.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("redis://{}/", listener.local_addr().unwrap());
        let sent = Self::default();
        let counting = sent.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let upstream = TcpStream::connect(&server).unwrap();
                let (requests, to_server) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
                let (asking, answering) = (counting.clone(), counting.clone());
                thread::spawn(move || pass(requests, to_server, |_| asking.this_reply.store(0, Ordering::SeqCst)));
                thread::spawn(move || pass(upstream, client, |bytes| answering.count(bytes)));
            }
        });
        (sent, url)
    }

    fn count(&self, bytes: usize) {
        self.in_all.fetch_add(bytes, Ordering::SeqCst);
        let so_far = self.this_reply.fetch_add(bytes, Ordering::SeqCst) + bytes;
        self.largest_reply.fetch_max(so_far, Ordering::SeqCst);
    }

    /// How much was sent in all, and in the largest reply, while this ran.
    fn by(&self, work: impl FnOnce()) -> (usize, usize) {
        self.in_all.store(0, Ordering::SeqCst);
        self.largest_reply.store(0, Ordering::SeqCst);
        work();
        (self.in_all.load(Ordering::SeqCst), self.largest_reply.load(Ordering::SeqCst))
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, count: impl Fn(usize)) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        count(read);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _closed = to.shutdown(Shutdown::Both);
}

/// A store with so many requests, each with so many bytes that do not compress.
fn filled(url: &str, partitions: u16, count: usize, bytes: usize) -> RedisStore {
    let builder = RedisStore::builder(url).namespace(unique_namespace("large")).partitions(partitions);
    let store = builder.timeout(Duration::from_secs(60)).open().unwrap();
    let governance = Governance::builder().store(Arc::new(store.clone()) as Arc<dyn Store>).build();
    let mut random = fastrand::Rng::with_seed(1);
    for id in ids(count) {
        let mut noise = vec![0; bytes];
        random.fill(&mut noise);
        let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
        let intent = Intent::new("grant-role", "Access").unwrap();
        let draft = RequestDraft::new(target, intent, ActorContext::user("alice").unwrap()).with_id(id);
        let payload = Payload::new("application/octet-stream", noise).unwrap();
        governance.submit(draft.with_payload(payload)).unwrap();
    }
    store
}

fn ids(count: usize) -> impl Iterator<Item = RequestId> {
    (0..count).map(|number| RequestId::new(format!("r{number}")).unwrap())
}

#[test]
fn no_reply_to_a_check_or_a_look_up_is_larger_than_its_bound() {
    common::alone!();
    const BYTES: usize = 500_000;
    let server = PrivateServer::start_on_tcp(&[]);
    let (sent, url) = Sent::through(&server);
    let count = PAGE / BYTES + 5;
    let store = filled(&url, 1, count, BYTES);

    let (_, largest) = sent.by(|| assert!(store.verify(|_| {}).unwrap().is_clean()));
    assert!(largest < 2 * MIB, "a reply of {largest} bytes to a check");

    let mut asked: Vec<RequestId> = ids(count).collect();
    asked.reverse();
    asked.insert(1, RequestId::new("none").unwrap());
    let (_, largest) = sent.by(|| {
        let found = store.get_many(&asked).unwrap().requests;
        let found: Vec<Option<RequestId>> = found.into_iter().map(|found| Some(found?.id.clone())).collect();
        let mut expected: Vec<Option<RequestId>> = asked.iter().cloned().map(Some).collect();
        expected[1] = None;
        assert_eq!(found, expected);
    });
    assert!(largest < PAGE + MIB, "a reply of {largest} bytes to a look-up");
}

#[test]
fn a_page_holds_no_more_over_many_partitions_than_over_one() {
    common::alone!();
    const BYTES: usize = 250_000;
    let server = PrivateServer::start_on_tcp(&[]);
    let store = filled(server.url(), 16, 128, BYTES);
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut page = PageRequest::of(128).unwrap();
    loop {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let read = store.stored_requests(&RequestQuery::new(), &page).unwrap();
        let peak = MEMORY.peak_usage() - before;
        println!("{peak} bytes at once for a page of {}", read.items.len());
        assert!(peak < PAGE + PAGE / 2, "{peak} bytes at once");
        pages += 1;
        found.extend(read.items.iter().map(|stored| stored.id().clone()));
        match read.next {
            Some(next) => page = page.after(next),
            None => break,
        }
    }
    assert_eq!(found, ids(128).collect::<Vec<_>>(), "each once, in the order of submission");
    assert!((2..=4).contains(&pages), "{pages} pages");
}

#[test]
fn a_page_over_many_partitions_does_not_send_a_page_for_each() {
    common::alone!();
    let server = PrivateServer::start_on_tcp(&[]);
    let (sent, url) = Sent::through(&server);
    let cost = |partitions| {
        let store = filled(&url, partitions, 1_200, 100);
        let read = || assert_eq!(store.requests(&RequestQuery::new(), &PageRequest::first()).unwrap().items.len(), 50);
        read();
        sent.by(read).0
    };
    let (one, sixteen) = (cost(1), cost(16));
    println!("a page of 50 sends {one} bytes over 1 partition, {sixteen} over 16");
    assert!(sixteen < 6 * one, "{one} bytes over 1 partition, {sixteen} over 16");
}
