//! Executors whose futures are dropped at any point: the request is never run twice within one lease, and never lost.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{Completion, ExecutionOutcome};
use mutator_governance::{ClaimedRequest, Error, ExecutionError, Result, Status, WaitUntil};

use crate::runtime::nonblocking::{Mishap, World, in_memory, in_redis, pause};
use crate::runtime::people::{Calls, approved, at, execution_error, id, needing, order, order_of};

/// Where an executor is when its future is dropped.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// Its claim is not sent yet.
    BeforeTheClaim,
    /// Its claim is written.
    AfterTheClaim,
    /// It is running.
    Within,
    /// It has run, and the result is not sent yet.
    BeforeTheResult,
    /// The result is written.
    AfterTheResult,
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

/// Waits until it is true, then drops the future.
async fn dropped_when<T>(future: impl Future<Output = T>, is_true: impl Fn() -> bool) -> Option<T> {
    let given_up = async {
        while !is_true() {
            pause(Duration::from_millis(1)).await;
        }
        pause(Duration::from_millis(20)).await;
        None
    };
    smol::future::or(async { Some(future.await) }, given_up).await
}

async fn drop_an_executor_at(point: Point, world: &World, calls: &Calls) {
    let shaky = world.shaky();
    match point {
        Point::BeforeTheClaim => shaky.plan(1, Mishap::StuckBefore),
        Point::AfterTheClaim => shaky.plan(1, Mishap::StuckAfter),
        Point::Within => {}
        Point::BeforeTheResult => shaky.plan(2, Mishap::StuckBefore),
        Point::AfterTheResult => shaky.plan(2, Mishap::StuckAfter),
    }
    let governance = world.governance_over(shaky.clone());
    let (request, order) = (id("request-1"), order());
    let executing = governance.execute(&request, &order, async |_: &ClaimedRequest| {
        calls.add();
        if matches!(point, Point::Within) {
            std::future::pending::<()>().await;
        }
        Ok(Completion::new())
    });
    let reached = || match point {
        Point::BeforeTheClaim | Point::AfterTheClaim => shaky.updates() == 1,
        Point::Within => calls.count() == 1,
        Point::BeforeTheResult | Point::AfterTheResult => shaky.updates() == 2,
    };
    assert!(dropped_when(is_send(executing), reached).await.is_none());
}

async fn execute_again(world: &World, calls: &Calls) -> Result<ExecutionOutcome> {
    let (request, order) = (id("request-1"), order_of("other"));
    let run = async |_: &ClaimedRequest| {
        calls.add();
        Ok(Completion::new())
    };
    world.governance.execute(&request, &order, run).await
}

async fn never_twice_within_a_lease_and_never_lost(world: World, point: Point) {
    world.governance.submit(approved("request-1")).await.unwrap();
    let calls = Calls::default();
    drop_an_executor_at(point, &world, &calls).await;
    // On a store that writes at once "written" is exact; a slow one has had its 20 ms.
    let again = execute_again(&world, &calls).await;
    match point {
        Point::BeforeTheClaim => {
            assert!(again.unwrap().is_executed());
            assert_eq!(calls.count(), 1);
        }
        Point::AfterTheClaim | Point::Within | Point::BeforeTheResult => {
            let ran = usize::from(!matches!(point, Point::AfterTheClaim));
            let expected = ExecutionError::Claimed { by: "executor".to_owned(), lease_ends_at: at(60) };
            assert_eq!(execution_error(again.unwrap_err()), expected, "{point:?}");
            assert_eq!(calls.count(), ran, "{point:?}");
            world.clock.set(at(60));
            assert!(execute_again(&world, &calls).await.unwrap().is_executed(), "{point:?}");
            assert_eq!(calls.count(), ran + 1, "{point:?}");
        }
        Point::AfterTheResult => {
            world.clock.set(at(60));
            for error in [again.unwrap_err(), execute_again(&world, &calls).await.unwrap_err()] {
                let expected = ExecutionError::NotApproved { status: Status::Executed };
                assert_eq!(execution_error(error), expected);
            }
            assert_eq!(calls.count(), 1);
        }
    }
}

async fn at_every_point(of_memory: bool) {
    use Point::{AfterTheClaim, AfterTheResult, BeforeTheClaim, BeforeTheResult, Within};
    for point in [BeforeTheClaim, AfterTheClaim, Within, BeforeTheResult, AfterTheResult] {
        let world = if of_memory { in_memory() } else { in_redis().await };
        never_twice_within_a_lease_and_never_lost(world, point).await;
    }
}

/// What `execute` returns can be spawned, also when the function it is given borrows what the task owns.
async fn executes_in_a_task_of_its_own(world: World) -> Vec<String> {
    let mut notes = vec!["begin".to_owned()];
    let (request, order) = (world.governance.submit(approved("request-1")).await.unwrap().id.clone(), order());
    let executing = world.governance.execute(&request, &order, async |request: &ClaimedRequest| {
        notes.push(request.id.to_string());
        pause(Duration::from_millis(1)).await;
        notes.push(format!("{}", request.state.status()));
        Ok::<_, mutator_governance::workflow::Failure>(Completion::new())
    });
    let outcome: Result<ExecutionOutcome, Error> = is_send(executing).await;
    assert!(outcome.unwrap().is_executed());
    notes
}

/// A waiter that is dropped leaves nothing: no reader of the feed, and nobody who holds the store.
async fn a_dropped_waiter_leaves_nothing(world: World) {
    let shaky = world.shaky();
    let governance = world.governance_over(shaky.clone());
    let alone = Arc::strong_count(&shaky);
    governance.submit(needing("request-1", &["a"])).await.unwrap();
    for _ in 0..3 {
        let before = shaky.feed_calls();
        let waiting = governance.wait("request-1", WaitUntil::Decided, crate::PATIENCE);
        let has_read = || shaky.feed_calls() > before + 1;
        assert!(dropped_when(is_send(waiting), has_read).await.is_none());
        let begun = std::time::Instant::now();
        while Arc::strong_count(&shaky) > alone {
            assert!(begun.elapsed() < crate::PATIENCE, "the reader goes on");
            pause(Duration::from_millis(2)).await;
        }
        let after = shaky.feed_calls();
        pause(Duration::from_millis(200)).await;
        assert_eq!(shaky.feed_calls(), after);
    }
}

/// A runtime at rest, with a waiter that nobody polls, keeps no waiter of another runtime asleep.
#[cfg(feature = "tokio")]
#[test]
fn a_waiter_of_a_runtime_at_rest_keeps_no_other_asleep() {
    let new_runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (resting, working) = (new_runtime(), new_runtime());
    let world = in_memory();
    let mut forgotten = Box::pin(world.governance.wait("request-1", WaitUntil::Decided, crate::PATIENCE));
    resting.block_on(async {
        world.governance.submit(needing("request-1", &["a"])).await.unwrap();
        let a_moment = tokio::time::timeout(Duration::from_millis(100), &mut forgotten).await;
        assert!(a_moment.is_err());
    });
    working.block_on(async {
        let waiting = world.governance.wait("request-1", WaitUntil::Decided, crate::PATIENCE / 2);
        let deciding = async {
            pause(Duration::from_millis(100)).await;
            world.governance.approve("request-1", crate::runtime::people::user("a")).await.unwrap();
        };
        let (waited, ()) = tokio::join!(waiting, deciding);
        assert!(waited.unwrap().is_met());
    });
    let waited = resting.block_on(forgotten).unwrap();
    assert!(waited.is_met());
}

#[cfg(feature = "tokio")]
mod on_tokio_runtime {
    use super::*;
    use crate::runtime::nonblocking::on_tokio;

    #[test]
    fn memory() {
        on_tokio(at_every_point(true));
    }

    #[test]
    fn redis() {
        on_tokio(at_every_point(false));
    }

    #[test]
    fn a_dropped_waiter_leaves_nothing() {
        on_tokio(super::a_dropped_waiter_leaves_nothing(in_memory()));
        on_tokio(async { super::a_dropped_waiter_leaves_nothing(in_redis().await).await });
    }

    #[test]
    fn execute_is_send_and_borrows() {
        on_tokio(async {
            let notes = tokio::spawn(executes_in_a_task_of_its_own(in_memory())).await.unwrap();
            assert_eq!(notes, ["begin", "request-1", "Approved"]);
        });
    }

    /// A panic in what is run ends the task, and leaves the request to whoever comes after the lease.
    #[test]
    fn a_panic_while_it_runs_leaves_the_request_claimed() {
        on_tokio(async {
            let world = in_memory();
            world.governance.submit(approved("request-1")).await.unwrap();
            let governance = world.governance.clone();
            let dies = tokio::spawn(async move {
                let (request, order) = (id("request-1"), order());
                let dead = async |_: &ClaimedRequest| std::panic::resume_unwind(Box::new("dead"));
                governance.execute(&request, &order, dead).await
            });
            assert!(dies.await.unwrap_err().is_panic());
            let calls = Calls::default();
            let error = execute_again(&world, &calls).await.unwrap_err();
            assert!(matches!(execution_error(error), ExecutionError::Claimed { .. }));
            world.clock.set(at(60));
            assert!(execute_again(&world, &calls).await.unwrap().is_executed());
        });
    }
}

#[cfg(feature = "smol")]
mod on_smol_runtime {
    use super::*;
    use crate::runtime::nonblocking::on_smol;

    #[test]
    fn memory() {
        on_smol(at_every_point(true));
    }

    #[test]
    fn redis() {
        on_smol(at_every_point(false));
    }

    #[test]
    fn a_dropped_waiter_leaves_nothing() {
        on_smol(super::a_dropped_waiter_leaves_nothing(in_memory()));
        on_smol(async { super::a_dropped_waiter_leaves_nothing(in_redis().await).await });
    }

    #[test]
    fn execute_is_send_and_borrows() {
        on_smol(async {
            let notes = smol::spawn(executes_in_a_task_of_its_own(in_memory())).await;
            assert_eq!(notes, ["begin", "request-1", "Approved"]);
        });
    }
}
