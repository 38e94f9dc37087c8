//! Waiting for a request: who is woken, by what, and what is left after it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mutator_governance::{Error, MutationRequest, RequestId, Status, WaitUntil, Waited};

use super::flavour::Governance;
use super::shaky_store::FeedFault;
use super::sweeper::until;
use super::{World, dual, pause, run_concurrently};
use crate::PATIENCE;
use crate::runtime::people::{approved, id, needing, user};

/// The waiters of a test that needs many.
const CROWD: usize = 1_000;

#[dual]
pub(super) async fn wait(governance: &Governance, id: &RequestId, until: WaitUntil) -> Waited {
    governance.wait(id, until, PATIENCE).await.unwrap()
}

fn met(waited: Waited) -> MutationRequest {
    match waited {
        Waited::Met(request) => request,
        other => panic!("not met: {other:?}"),
    }
}

/// What each caller of a case waits for; the last one decides.
#[dual]
async fn wait_or_decide(governance: Governance, place: usize) -> Option<Waited> {
    let awaited = [
        WaitUntil::Decided,
        WaitUntil::Final,
        WaitUntil::status([Status::Approved, Status::Rejected]),
        WaitUntil::Revision(2),
        WaitUntil::status([Status::Canceled]),
    ];
    if let Some(until) = awaited.get(place) {
        return Some(wait(&governance, &id("request-1"), until.clone()).await);
    }
    for name in ["a", "b"] {
        pause(Duration::from_millis(150)).await;
        governance.approve("request-1", user(name)).await.unwrap();
    }
    pause(Duration::from_millis(300)).await;
    governance.cancel("request-1", user("a")).await.unwrap();
    None
}

#[dual]
pub(crate) async fn a_waiter_gets_the_request_that_meets_what_it_waits_for(world: World) {
    world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let governance = world.governance.clone();
    let waited = run_concurrently(6, move |place| wait_or_decide(governance.clone(), place)).await;
    let waited: Vec<MutationRequest> = waited.into_iter().flatten().map(met).collect();
    let found = waited.iter().map(|request| (request.state.status(), request.revision().number));
    let (approved, canceled) = ((Status::Approved, 2), (Status::Canceled, 3));
    assert_eq!(found.collect::<Vec<_>>(), [approved, canceled, approved, approved, canceled]);
    let stored = world.stored(&id("request-1")).await;
    assert_eq!(waited[4], stored);
}

#[dual]
pub(crate) async fn a_wait_of_no_time_answers_at_once(world: World) {
    let shaky = world.shaky();
    let governance = world.governance_over(shaky.clone());
    let pending = governance.submit(needing("request-1", &["a"])).await.unwrap();
    let decided = governance.submit(approved("request-2")).await.unwrap();
    let waited = governance.wait("request-1", WaitUntil::Decided, Duration::ZERO).await.unwrap();
    assert_eq!(waited, Waited::TimedOut(pending));
    // What is met is an answer, however long one would wait, and starts no reader.
    for timeout in [Duration::ZERO, PATIENCE, Duration::MAX] {
        let waited = governance.wait("request-2", WaitUntil::Decided, timeout).await.unwrap();
        assert_eq!(waited, Waited::Met(decided.clone()), "{timeout:?}");
    }
    assert_eq!((shaky.feed_calls(), shaky.reads()), (0, 4));
}

#[dual]
pub(crate) async fn a_wait_that_nothing_ends_times_out_with_the_request_as_it_is(world: World) {
    world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let once = world.governance.approve("request-1", user("a")).await.unwrap();
    let begun = Instant::now();
    let waited = world.governance.wait("request-1", WaitUntil::Decided, Duration::from_millis(300)).await.unwrap();
    assert_eq!(waited, Waited::TimedOut(once));
    assert!((Duration::from_millis(300)..PATIENCE / 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[dual]
pub(crate) async fn what_does_not_exist_and_what_nothing_meets_are_errors(world: World) {
    world.governance.submit(needing("request-1", &["a"])).await.unwrap();
    let unknown = world.governance.wait("request-2", WaitUntil::Decided, PATIENCE).await.unwrap_err();
    assert!(matches!(unknown, Error::NotFound { id } if id == "request-2"));
    let no_id = world.governance.wait("no id", WaitUntil::Decided, PATIENCE).await.unwrap_err();
    assert!(matches!(no_id, Error::Invalid(_)), "{no_id:?}");
    let nothing = world.governance.wait("request-1", WaitUntil::status([]), PATIENCE).await.unwrap_err();
    assert!(nothing.to_string().contains("names no status"), "{nothing}");
}

#[dual]
async fn wait_or_cancel(governance: Governance, place: usize) -> Option<Waited> {
    if place == 0 {
        // A wait without an end.
        return Some(governance.wait("request-1", WaitUntil::status([Status::Executed]), Duration::MAX).await.unwrap());
    }
    pause(Duration::from_millis(150)).await;
    governance.cancel("request-1", user("requester")).await.unwrap();
    None
}

#[dual]
pub(crate) async fn what_has_ended_otherwise_is_out_of_reach(world: World) {
    world.governance.submit(needing("request-1", &["a"])).await.unwrap();
    let governance = world.governance.clone();
    let waited = run_concurrently(2, move |place| wait_or_cancel(governance.clone(), place)).await;
    let canceled = world.stored(&id("request-1")).await;
    assert_eq!(waited[0], Some(Waited::OutOfReach(canceled.clone())));
    let again = wait(&world.governance, &canceled.id, WaitUntil::status([Status::Approved])).await;
    assert_eq!(again, Waited::OutOfReach(canceled.clone()));
    let ended = wait(&world.governance, &canceled.id, WaitUntil::Final).await;
    assert_eq!(ended, Waited::Met(canceled));
}

/// When each request was written, as the writer saw it.
type Written = Arc<Mutex<Vec<Instant>>>;

/// Of a crowd that waits, ten for each request, and one that then cancels the requests one by one: when each was woken.
#[dual]
async fn crowd_together(governance: Governance, written: Written, place: usize, round: usize) -> Instant {
    let requests = CROWD / 10;
    if place < CROWD {
        let request = id(&format!("request-{round}-{}", place % requests));
        met(wait(&governance, &request, WaitUntil::Decided).await);
        return Instant::now();
    }
    pause(Duration::from_secs(1)).await;
    for number in 0..requests {
        governance.cancel(id(&format!("request-{round}-{number}")), user("requester")).await.unwrap();
        written.lock().unwrap().push(Instant::now());
    }
    Instant::now()
}

/// How much longer than asked for a short pause takes, at its median.
#[dual]
async fn lateness_of_the_machine() -> Duration {
    let mut pauses = Vec::new();
    for _ in 0..41 {
        let begun = Instant::now();
        pause(Duration::from_millis(1)).await;
        pauses.push(begun.elapsed().saturating_sub(Duration::from_millis(1)));
    }
    pauses.sort_unstable();
    pauses[pauses.len() / 2]
}

#[dual]
pub(crate) async fn a_thousand_waiters_share_one_reader_and_are_woken_at_once(world: World) {
    let shaky = world.shaky();
    let governance = world.governance_over(shaky.clone());
    let mut medians = Vec::new();
    // The machine may have other work: once is enough to see that nothing of ours takes longer.
    for round in 0..4 {
        for number in 0..CROWD / 10 {
            governance.submit(needing(&format!("request-{round}-{number}"), &["a"])).await.unwrap();
        }
        let (written, begun) = (Written::default(), Instant::now());
        let (calls, shared, of_round) = (shaky.feed_calls(), governance.clone(), Arc::clone(&written));
        let together = move |place| crowd_together(shared.clone(), Arc::clone(&of_round), place, round);
        let woken = run_concurrently(CROWD + 1, together).await;
        let most = begun.elapsed().as_millis() / 25 + 20;
        let calls = (shaky.feed_calls() - calls) as u128;
        assert!((1..=most).contains(&calls), "{calls} calls for the feed, where one reader makes at most {most}");

        let written = written.lock().unwrap().clone();
        let late = |(place, woken): (usize, &Instant)| woken.saturating_duration_since(written[place % written.len()]);
        let mut late: Vec<Duration> = woken[..CROWD].iter().enumerate().map(late).collect();
        late.sort_unstable();
        medians.push((late[CROWD / 2], late[CROWD - 1]));
        if late[CROWD / 2] < Duration::from_millis(100) + lateness_of_the_machine().await * 5 {
            println!("woken after the write: median and last of each round {medians:?}, {calls} calls for the feed");
            return;
        }
    }
    panic!("woken too late: median and last of each round {medians:?}");
}

#[dual]
pub(crate) async fn the_reader_ends_with_the_last_waiter(world: World) {
    let shaky = world.shaky();
    let governance = world.governance_over(shaky.clone());
    let alone = Arc::strong_count(&shaky);
    governance.submit(needing("request-1", &["a"])).await.unwrap();
    for _ in 0..3 {
        let before = shaky.feed_calls();
        let waited = governance.wait("request-1", WaitUntil::Decided, Duration::from_millis(200)).await.unwrap();
        assert!(!waited.is_met());
        assert!(shaky.feed_calls() > before, "nobody has read");
        until("the reader has ended", &|| Arc::strong_count(&shaky) == alone).await;
        let after = shaky.feed_calls();
        pause(Duration::from_millis(200)).await;
        assert_eq!(shaky.feed_calls(), after);
    }
}

#[dual]
async fn wait_or_approve(governance: Governance, request: RequestId, place: usize) -> Option<Waited> {
    if place == 0 {
        return Some(wait(&governance, &request, WaitUntil::Decided).await);
    }
    pause(Duration::from_millis(300)).await;
    governance.approve(&request, user("a")).await.unwrap();
    None
}

/// How long a waiter slept after a write 300 ms after it began.
#[dual]
async fn woken_after(governance: &Governance, request: &str) -> Duration {
    governance.submit(needing(request, &["a"])).await.unwrap();
    let (begun, shared, request) = (Instant::now(), governance.clone(), id(request));
    let waited = run_concurrently(2, move |place| wait_or_approve(shared.clone(), request.clone(), place)).await;
    assert!(waited[0].as_ref().unwrap().is_met());
    begun.elapsed().saturating_sub(Duration::from_millis(300))
}

#[dual]
pub(crate) async fn a_feed_that_fails_or_has_gaps_keeps_nobody_asleep(world: World) {
    let [failing, sometimes, gaps] = [world.shaky(), world.shaky(), world.shaky()];
    failing.fail_some_feed_calls(1);
    sometimes.fail_some_feed_calls(2);
    gaps.lose_feed_entries(FeedFault::Gap);
    for (request, shaky) in [("failing", failing), ("sometimes", sometimes), ("gaps", gaps)] {
        let slept = woken_after(&world.governance_over(shaky), request).await;
        assert!(slept < Duration::from_secs(4), "{request}: woken after {slept:?}, by nothing but the read in between");
    }
}

/// A store that loses entries of its feed without a word: the requests are read again all the same.
#[dual]
pub(crate) async fn a_feed_that_loses_entries_silently_is_made_up_for(world: World) {
    let shaky = world.shaky();
    shaky.lose_feed_entries(FeedFault::Silence);
    let slept = woken_after(&world.governance_over(shaky), "silent").await;
    assert!(slept < PATIENCE / 2, "woken after {slept:?}");
}
