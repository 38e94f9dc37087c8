//! The lease is renewed while the function runs, and lost when no renewal reaches the server: real time, a real server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mutator_governance::workflow::{Command, Completion, ExecutionOrder, Failure};
use mutator_governance::{ClaimId, ClaimedRequest, ExecutionDecision, ExecutionError, Status};

use super::executing::run_for_anybody;
use super::flavour::{Governance, Store};
use super::{dual, open_at, pause};
use crate::runtime::PATIENCE;
use crate::runtime::people::{Calls, approved, count, execution_error, order_of, user};
use common::proxy::Proxy;
use common::{PrivateServer, unique_namespace};

const CALL_TIMEOUT: Duration = Duration::from_secs(1);
/// Long enough that a busy machine renews it in time.
const LEASE: Duration = Duration::from_secs(4);

#[dual]
async fn over(url: &str, namespace: &str) -> Governance {
    let store = open_at(url, namespace, CALL_TIMEOUT).await;
    Governance::builder().store(store as Arc<dyn Store>).build()
}

fn order() -> ExecutionOrder {
    order_of("executor").with_lease(LEASE)
}

/// Runs for longer than two leases, while another executor tries to take over.
#[dual]
async fn take_long(elsewhere: &Governance, request: &ClaimedRequest) -> Result<Completion, Failure> {
    let (began, first_end) = (Instant::now(), request.lease().ends_at());
    while began.elapsed() < LEASE * 2 + LEASE / 3 {
        assert!(!request.lease().is_lost(), "after {:?}", began.elapsed());
        let calls = Calls::default();
        let other = elsewhere.execute(&request.id, &order_of("other"), run!(|_request| run_for_anybody(&calls))).await;
        let error = execution_error(other.unwrap_err());
        assert!(matches!(error, ExecutionError::Claimed { .. }), "{error:?}");
        pause(Duration::from_millis(200)).await;
    }
    assert!(request.lease().ends_at().duration_since(first_end) >= LEASE, "{}", request.lease().ends_at());
    Ok(Completion::new())
}

#[dual]
pub(crate) async fn a_function_longer_than_its_lease_keeps_it() {
    let (server, namespace) = (PrivateServer::start_on_tcp(&[]), unique_namespace("renewing"));
    let (here, elsewhere) = (over(server.url(), &namespace).await, over(server.url(), &namespace).await);
    let request = here.submit(approved("request-1")).await.unwrap();
    let there = &elsewhere;
    let outcome = here.execute(&request.id, &order(), run!(|request| take_long(there, request))).await.unwrap();
    let stored = outcome.request();
    assert_eq!((stored.state.status(), count(stored, ExecutionDecision::Claimed)), (Status::Executed, 1));
    assert!(stored.revision().number >= 5, "at least three renewals: {}", stored.revision().number);
    assert_eq!(
        stored.decisions.len(),
        request.decisions.len() + 3,
        "resolved, claimed, executed: {:?}",
        stored.decisions
    );
}

/// Waits until its lease is lost, and lets another executor take over.
#[dual]
async fn outlive(elsewhere: &Governance, request: &ClaimedRequest) -> Result<Completion, Failure> {
    let began = Instant::now();
    while !request.lease().is_lost() {
        assert!(began.elapsed() < PATIENCE, "the lease is not lost");
        pause(Duration::from_millis(20)).await;
    }
    let calls = Calls::default();
    loop {
        let other = order_of("other");
        match elsewhere.execute(&request.id, &other, run!(|_request| run_for_anybody(&calls))).await {
            Ok(outcome) => break assert!(outcome.is_executed()),
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
        pause(Duration::from_millis(20)).await;
    }
    assert!(request.lease().is_lost());
    Ok(Completion::new())
}

#[dual]
pub(crate) async fn a_limit_of_the_renewals_binds() {
    let (server, namespace) = (PrivateServer::start_on_tcp(&[]), unique_namespace("renewing"));
    let (here, elsewhere) = (over(server.url(), &namespace).await, over(server.url(), &namespace).await);
    let request = here.submit(approved("request-1")).await.unwrap();
    let (there, never) = (&elsewhere, order().renewed_for_at_most(Duration::ZERO));
    let error = here.execute(&request.id, &never, run!(|request| outlive(there, request))).await.unwrap_err();
    let error = execution_error(error);
    assert!(matches!(error, ExecutionError::ClaimLost { status: Status::Executed, .. }), "{error:?}");
}

#[dual]
pub(crate) async fn a_lease_whose_renewals_do_not_arrive_is_lost() {
    let (server, namespace) = (PrivateServer::start_on_tcp(&[]), unique_namespace("renewing"));
    let proxy = Proxy::to(server.url());
    let (here, elsewhere) = (over(&proxy.url(), &namespace).await, over(server.url(), &namespace).await);
    let request = here.submit(approved("request-1")).await.unwrap();
    let (there, between) = (&elsewhere, &proxy);
    let run = run!(|request| cut_off(there, between, request));
    let error = here.execute(&request.id, &order(), run).await.unwrap_err();
    assert_eq!(error.code(), "execution.unrecorded", "the result cannot be recorded either: {error}");
}

#[dual]
async fn cut_off(elsewhere: &Governance, proxy: &Proxy, request: &ClaimedRequest) -> Result<Completion, Failure> {
    proxy.delay_requests(PATIENCE);
    outlive(elsewhere, request).await
}

/// Nothing else renews a claim, and the history does not show it.
#[dual]
pub(crate) async fn whoever_claims_by_a_command_renews_by_it() {
    let server = PrivateServer::start_on_tcp(&[]);
    let governance = over(server.url(), &unique_namespace("renewing")).await;
    let request = governance.submit(approved("request-1")).await.unwrap();
    let claim = Command::claim(user("executor"), ClaimId::generate(), LEASE);
    let claimed = governance.apply(&request.id, &claim).await.unwrap();
    let renewed = governance.apply(&request.id, &claim).await.unwrap();
    let ends = [&claimed, &renewed].map(|request| request.execution.claim.as_ref().unwrap().lease_ends_at);
    assert!(ends[0] < ends[1], "{ends:?}");
    assert_eq!(renewed.decisions, claimed.decisions);
    assert_eq!(renewed.revision().number, claimed.revision().number + 1);
    let stored = governance.get(&request.id).await.unwrap();
    assert_eq!(stored, Some(renewed));
}
