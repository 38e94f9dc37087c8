//! Submissions that end or stand still in the middle.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::task::Poll;
use std::time::Duration;

use common::proxy::Proxy;
use common::{Flavour, Options, PrivateServer};
use mutator_governance::blocking::{RedisStore, Store as _, StoreExtension as _};
use mutator_governance::nonblocking::{self, Store as _};
use mutator_governance::{Error, RequestId, WriteId};

use super::{PARTITIONS, PATIENCE, Space, canceled, keyed, rounds};

/// Drops the future after so many steps: the server may or may not carry out the call that is under way then.
async fn for_some_steps<T>(future: impl Future<Output = T>, steps: u32) {
    let (mut future, mut left) = (std::pin::pin!(future), steps);
    std::future::poll_fn(|context| {
        if future.as_mut().poll(context).is_ready() || left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
    .await;
}

/// Clients end at some point of their submission. Each time the next one gets the key, or the id of the
/// request that has it; never are two open.
#[test]
fn a_client_that_ends_anywhere_keeps_nobody_from_the_key() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut space = Space::new(server.url());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder = nonblocking::RedisStore::builder(server.url()).namespace(&space.name).partitions(PARTITIONS);
    let ending = runtime.block_on(builder.timeout(PATIENCE).open()).unwrap();
    runtime.block_on(ending.create(keyed("warm"))).unwrap();
    space.cancel(&RequestId::new("warm").unwrap());
    let (mut nothing, mut reserved, mut created) = (0, 0, 0);
    for round in 0..rounds() {
        let first = keyed(&format!("first-{round}"));
        runtime.block_on(for_some_steps(ending.create(first.clone()), round % 8));
        let is_reserved = !space.hashes("reservations").is_empty();
        let second = keyed(&format!("second-{round}"));
        let holder = space.holder_after(&second);
        match (holder == first.id, is_reserved) {
            (true, _) => created += 1,
            (false, true) => reserved += 1,
            (false, false) => nothing += 1,
        }
        space.cancel(&holder);
    }
    println!(
        "of the ended clients, {nothing} had reserved nothing, {reserved} the key, and {created} had created a request"
    );
    assert!(nothing > 0 && reserved > 0 && created > 0, "{nothing} {reserved} {created}: every case is to come up");
    space.assert_nothing_is_left();
}

impl Space {
    /// Submits a request after another client has ended: who has the key then, and that no other has.
    fn holder_after(&mut self, second: &mutator_governance::MutationRequest) -> RequestId {
        let holder = loop {
            self.age("reservations");
            match self.store.create(second.clone()) {
                Ok(_) => break second.id.clone(),
                Err(Error::AlreadyOpen { id, .. }) if self.store.get(&id).unwrap().is_some() => break id,
                // The call that was under way has reserved the key since.
                Err(Error::AlreadyOpen { .. }) => {}
                Err(error) => panic!("{}: {error}", second.id),
            }
        };
        let open = self.open_requests();
        assert_eq!(open.iter().map(|request| &request.id).collect::<Vec<_>>(), [&holder], "{}", second.id);
        holder
    }

    fn assert_nothing_is_left(&mut self) {
        self.age("permits");
        self.age("reservations");
        self.store.repair(|_| {}).unwrap();
        assert!(self.store.verify(|_| {}).unwrap().is_clean());
        assert_eq!((self.hashes("permits"), self.hashes("reservations")), (Vec::new(), Vec::new()));
    }
}

/// The child of the next test: submits and cancels, without end.
#[test]
#[ignore = "run by the test that kills it"]
fn submissions_that_are_killed() {
    let Ok(said) = std::env::var("MUTATOR_TEST_UNIQUE") else { return };
    let [url, namespace, place] = said.split(' ').collect::<Vec<_>>()[..] else { panic!("{said}") };
    let flavours = Flavour::all();
    let flavour = flavours[place.parse::<usize>().unwrap() % flavours.len()];
    let store = flavour.open(&Options::new(url, namespace).partitions(PARTITIONS).timeout(PATIENCE)).unwrap();
    let mut output = std::io::stdout();
    writeln!(output, "\nmutator submits").and_then(|()| output.flush()).unwrap();
    for number in 0.. {
        if let Ok(request) = store.create(keyed(&format!("child-{place}-{number}"))) {
            store.update(canceled(request), WriteId::generate()).unwrap();
        }
    }
}

/// Processes are killed while they submit and cancel as fast as they can. Each time the next submission gets the key, or
/// the id of the request that has it; never are two open.
#[test]
fn a_process_that_is_killed_anywhere_keeps_nobody_from_the_key() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut space = Space::new(server.url());
    let (mut between, mut open) = (0, 0);
    for round in 0..rounds() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "unique::interrupted::submissions_that_are_killed"])
            .env("MUTATOR_TEST_UNIQUE", format!("{} {} {round}", server.url(), space.name))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "mutator submits"), "the child of round {round} ended");
        std::thread::sleep(Duration::from_micros(fastrand::u64(1_000..15_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = space.open_requests().len();
        open += left;
        between += usize::from(left == 0 && !space.hashes("reservations").is_empty());
        let holder = space.holder_after(&keyed(&format!("parent-{round}")));
        space.cancel(&holder);
    }
    println!("of the killed processes, {open} left an open request, and {between} only a reservation");
    assert!(open > 0, "none was killed while its request was open");
    space.assert_nothing_is_left();
}

/// A submission that takes longer than a minute between its reservation and its creation does not come to stand beside
/// the one that took the key over.
#[test]
fn a_submission_that_was_overtaken_is_not_created() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut space = Space::new(server.url());
    let proxy = Proxy::to(server.url());
    let builder = RedisStore::builder(proxy.url()).namespace(&space.name).partitions(PARTITIONS).timeout(PATIENCE);
    let slow = builder.open().unwrap();
    slow.create(keyed("warm")).unwrap();
    space.cancel(&RequestId::new("warm").unwrap());
    proxy.delay_requests(Duration::from_secs(4));
    let overtaken = std::thread::spawn(move || slow.create(keyed("slow")));
    while space.hashes("reservations").is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    space.age("reservations");
    space.store.create(keyed("fast")).unwrap();
    let error = overtaken.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::AlreadyOpen { id, .. } if *id == "fast"), "{error}");
    assert_eq!(space.open_requests().len(), 1);
    assert_eq!(space.hashes("permits"), []);
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
}
