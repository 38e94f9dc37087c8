//! The time is the server's: hosts whose clocks are an hour off, a server that another takes over from, and late answers.
//!
//! A process cannot have two clocks, so the server gets another one: what it tells of its time is changed on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mutator_governance::workflow::{Command, Completion, ExecutionOrder, Failure};
use mutator_governance::{
    ClaimId, ClaimedRequest, ExecutionError, ManualClock, Pending, PendingReason, RequestId, Status, Timestamp,
};

use super::executing::run_for_anybody;
use super::flavour::{Governance, RedisStore, Store};
use super::{dual, open_at, pause};
use crate::runtime::people::{Calls, approved, at, draft, execution_error, order, order_of, user};
use crate::runtime::{CALL_TIMEOUT, PATIENCE};
use common::proxy::Proxy;
use common::{PrivateServer, unique_namespace};

const HOUR: Duration = Duration::from_hours(1);
/// How far a time may be from the expected one on a machine that is busy.
const SLACK: Duration = Duration::from_secs(20);

fn over(store: &Arc<RedisStore>) -> Governance {
    Governance::builder().store(Arc::clone(store) as Arc<dyn Store>).build()
}

fn is_near(time: Timestamp, expected: Timestamp) -> bool {
    time.duration_since(expected) < SLACK && expected.duration_since(time) < SLACK
}

/// This host's time, as the server's clock has it: so many seconds ahead.
fn shifted(seconds: i64) -> Timestamp {
    let shift = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { Timestamp::now().saturating_sub(shift) } else { Timestamp::now().saturating_add(shift) }
}

#[dual]
pub(crate) async fn the_time_is_the_servers_whatever_the_hosts_clock_says() {
    let server = PrivateServer::start_on_tcp(&[]);
    for seconds in [3_600, -3_600, 0] {
        let proxy = Proxy::to(server.url());
        proxy.shift_time(seconds);
        let store = open_at(&proxy.url(), &unique_namespace("time"), CALL_TIMEOUT).await;
        let governance = over(&store);
        assert!(is_near(governance.clock().now(), shifted(seconds)), "{seconds}: {}", governance.clock().now());
        let request = governance.submit(approved("request-1")).await.unwrap();
        assert!(is_near(request.created_at, shifted(seconds)), "{seconds}: {}", request.created_at);
        let claim = Command::claim(user("first"), ClaimId::generate(), HOUR / 2);
        let claimed = governance.apply(&request.id, &claim).await.unwrap();
        let lease_ends_at = claimed.execution.claim.as_ref().unwrap().lease_ends_at;
        assert!(is_near(lease_ends_at, shifted(seconds + 1_800)), "{seconds}: {lease_ends_at}");
        let now = governance.clock().now();
        assert!(claimed.updated_at <= now && now <= governance.clock().latest(), "{seconds}");
    }
}

#[dual]
pub(crate) async fn hosts_an_hour_ahead_expire_nothing_early() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    // The server's clock an hour behind the host's: the host's is an hour ahead.
    proxy.shift_time(-3_600);
    let store = open_at(&proxy.url(), &unique_namespace("time"), CALL_TIMEOUT).await;
    let governance = over(&store);
    let deadline = governance.clock().now().saturating_add(HOUR / 2);
    assert!(deadline < Timestamp::now(), "for the host it is over");
    let pending = Pending { reason: PendingReason::Schedule, expires_at: Some(deadline) };
    let request = governance.submit(draft("request-1").waiting_for(pending)).await.unwrap();
    let swept = governance.expire_due(user("sweeper"), 10).await.unwrap();
    assert!(swept.expired.is_empty(), "{swept:?}");

    // Of the claims of another host likewise.
    let executing = governance.submit(approved("request-2")).await.unwrap();
    let claim = Command::claim(user("first"), ClaimId::generate(), HOUR / 2);
    let claimed = governance.apply(&executing.id, &claim).await.unwrap();
    let lease_ends_at = claimed.execution.claim.as_ref().unwrap().lease_ends_at;
    assert!(lease_ends_at < Timestamp::now(), "for the host it is over");
    let (other, calls) = (over(&store), Calls::default());
    let error = other.execute(&executing.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::Claimed { by: "first".to_owned(), lease_ends_at });

    // When the server's clock has come there, both are over.
    proxy.shift_time(-1_700);
    proxy.cut();
    governance.get(&request.id).await.unwrap();
    let swept = governance.expire_due(user("sweeper"), 10).await.unwrap();
    assert_eq!(swept.expired, [request.id.clone()]);
    let outcome = other.execute(&executing.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap();
    assert!(outcome.is_executed());
    assert_eq!(calls.count(), 1);
}

#[dual]
pub(crate) async fn a_server_that_takes_over_with_another_clock_is_followed() {
    let (server, successor) = (PrivateServer::start_on_tcp(&[]), PrivateServer::start_on_tcp(&[]));
    let proxy = Proxy::to(server.url());
    let store = open_at(&proxy.url(), &unique_namespace("time"), CALL_TIMEOUT).await;
    let governance = over(&store);
    let nothing = RequestId::new("nothing").unwrap();
    // Ahead: known with the first call that reaches it.
    proxy.shift_time(600);
    proxy.redirect(successor.url());
    governance.get(&nothing).await.unwrap();
    let ahead = governance.clock().now();
    assert!(is_near(ahead, shifted(600)), "{ahead}");
    // Behind: the time stands still until that server has caught up.
    proxy.shift_time(0);
    proxy.redirect(server.url());
    governance.get(&nothing).await.unwrap();
    let now = governance.clock().now();
    assert!(now >= ahead, "{ahead}, then {now}");
    pause(Duration::from_millis(5)).await;
    assert_eq!(governance.clock().now(), now);
    assert_eq!(governance.clock().latest(), now);
}

#[dual]
pub(crate) async fn a_server_whose_clock_is_set_is_followed_without_a_new_connection() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    let store = open_at(&proxy.url(), &unique_namespace("time"), CALL_TIMEOUT).await;
    let governance = over(&store);
    let (began, connections) = (Instant::now(), proxy.accepted());
    let request = governance.submit(approved("request-1")).await.unwrap();
    proxy.shift_time(3_600);
    while !is_near(governance.clock().now(), shifted(3_600)) {
        assert!(began.elapsed() < PATIENCE, "it is not followed");
        // What is asked for together with the time is answered as ever.
        let read = governance.get(&request.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(&request));
        pause(Duration::from_millis(5)).await;
    }
    assert_eq!(proxy.accepted(), connections, "the question for the time broke no connection");
}

#[dual]
pub(crate) async fn a_clock_of_the_application_is_taken_as_it_is() {
    let server = PrivateServer::start_on_tcp(&[]);
    let store = open_at(server.url(), &unique_namespace("time"), CALL_TIMEOUT).await;
    let clock = Arc::new(ManualClock::at(at(0)));
    let governance = Governance::builder().store(store).clock(clock.clone()).build();
    let request = governance.submit(approved("request-1")).await.unwrap();
    assert_eq!(request.created_at, at(0));
    clock.set(at(7));
    let cancelled = governance.cancel(&request.id, user("requester")).await.unwrap();
    assert_eq!((cancelled.updated_at, cancelled.state.status()), (at(7), Status::Canceled));
}

/// Tries to execute the same request elsewhere while it runs here.
#[dual]
async fn try_elsewhere(
    calls: &Calls,
    elsewhere: &Governance,
    request: &ClaimedRequest,
    order: &ExecutionOrder,
) -> Result<Completion, Failure> {
    calls.add();
    assert!(!request.lease().is_lost());
    let error = elsewhere.execute(&request.id, order, run!(|_request| run_for_anybody(calls))).await.unwrap_err();
    let error = execution_error(error);
    assert!(matches!(error, ExecutionError::Claimed { .. }), "{error:?}");
    Ok(Completion::new())
}

/// The answers to one executor take 900 ms, its calls may take 2 s.
#[dual]
pub(crate) async fn an_answer_that_comes_late_never_leads_to_a_second_run() {
    let (delay, call_timeout) = (Duration::from_millis(900), Duration::from_secs(2));
    let server = PrivateServer::start_on_tcp(&[]);
    let (proxy, namespace) = (Proxy::to(server.url()), unique_namespace("time"));
    let slow_store = open_at(&proxy.url(), &namespace, call_timeout).await;
    let elsewhere = over(&open_at(server.url(), &namespace, call_timeout).await);
    let (slow, calls) = (over(&slow_store), Calls::default());
    let request = elsewhere.submit(approved("request-1")).await.unwrap();
    proxy.delay_replies(delay);

    let short = order_of("slow").with_lease(Duration::from_millis(400));
    let error = slow.execute(&request.id, &short, run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    let error = execution_error(error);
    let expected = ExecutionError::LeaseTooShort {
        lease: Duration::from_millis(400),
        call_timeout,
        shortest: Duration::from_millis(2_500),
    };
    assert_eq!(error, expected);
    assert_eq!(calls.count(), 0);
    let unchanged = elsewhere.get(&request.id).await.unwrap();
    assert_eq!(unchanged.as_ref(), Some(&request), "nothing is claimed");

    // Long enough for a busy machine too: the answers are late, and the lease outlasts them.
    let (long, other) = (order_of("slow").with_lease(Duration::from_secs(20)), order_of("other"));
    let (here, there) = (&calls, &elsewhere);
    let run = run!(|request| try_elsewhere(here, there, request, &other));
    let outcome = slow.execute(&request.id, &long, run).await.unwrap();
    assert!(outcome.is_executed());
    let error = elsewhere.execute(&request.id, &other, run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::NotApproved { status: Status::Executed });
    assert_eq!(calls.count(), 1);
}
