//! Waiting by the feed of the store, and one call for many requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::timer::pause;
use super::requests::{alice, draft, id};
use super::{Governance, Store, dual, run_concurrently};
use crate::feed::FeedPosition;
use crate::query::PageRequest;
use crate::request::{PendingReason, RequestDraft, RequestId, Status, WriteId};
use crate::service::many::{ManyOptions, ManyOutcome};
use crate::service::waiting::WaitUntil;

/// Longer than any machine takes that has other work.
const PATIENCE: Duration = Duration::from_secs(60);

const WAITERS: usize = 12;
const AWAITED: usize = 3;

fn ids(prefix: &str, count: usize) -> Vec<RequestId> {
    (0..count).map(|number| id(&format!("{prefix}-{number}"))).collect()
}

fn drafts(prefix: &str, count: usize) -> Vec<RequestDraft> {
    let pending = |number| draft(&format!("{prefix}-{number}"), "s").waiting_for(PendingReason::Quota);
    (0..count).map(pending).collect()
}

/// The first callers wait; the last one cancels what they wait for. Whether it went well.
#[dual]
async fn wait_or_cancel(governance: &Governance, callers: &AtomicUsize) -> bool {
    let place = callers.fetch_add(1, Ordering::SeqCst);
    let awaited = ids("awaited", AWAITED);
    if place < WAITERS {
        let waited = governance.wait(&awaited[place % AWAITED], WaitUntil::Decided, PATIENCE).await.unwrap();
        return waited.is_met() && waited.request().state.status() == Status::Canceled;
    }
    for request in &awaited {
        pause(Duration::from_millis(50)).await;
        governance.cancel(request, alice()).await.unwrap();
    }
    true
}

/// Whoever waits for a request is woken by the write that ends the waiting, and gets the request as that wrote it.
#[dual]
pub async fn a_waiter_is_woken_by_a_write(store: Arc<dyn Store>) {
    let governance = Governance::builder().store(store).build();
    let submitted = governance.submit_many(&drafts("awaited", AWAITED), &ManyOptions::new()).await.unwrap();
    assert!(submitted.is_complete());
    let callers = AtomicUsize::new(0);
    let woken = run_concurrently(WAITERS + 1, || wait_or_cancel(&governance, &callers)).await;
    assert_eq!(woken, [true; WAITERS + 1]);
}

/// A call for many writes each request once, however often it is made with one write id.
#[dual]
pub async fn a_repeated_call_for_many_writes_each_request_once(store: Arc<dyn Store>) {
    const REQUESTS: usize = 50;
    let governance = Governance::builder().store(Arc::clone(&store)).build();
    let [first, options] = [(); 2].map(|()| ManyOptions::new().write_id(WriteId::generate()));
    for _ in 0..2 {
        let submitted = governance.submit_many(&drafts("many", REQUESTS), &first).await.unwrap();
        let canceled = governance.cancel_many(&ids("many", REQUESTS), alice(), &options).await.unwrap();
        for report in [submitted, canceled] {
            assert!(report.is_complete(), "{:?}", report.failures().next());
            assert_eq!(
                report.results.iter().map(|result| result.id.clone()).collect::<Vec<_>>(),
                ids("many", REQUESTS)
            );
        }
    }
    let again = governance.cancel_many(&ids("many", REQUESTS), alice(), &options).await.unwrap();
    let is_canceled =
        |outcome: &ManyOutcome| matches!(outcome, ManyOutcome::Done { status: Status::Canceled, revision: 1 });
    assert!(again.results.iter().all(|result| is_canceled(&result.outcome)), "{:?}", again.results);
    let written = store.read_feed(&FeedPosition::beginning(), PageRequest::MAX_LIMIT).await.unwrap();
    assert_eq!(written.entries.len(), 2 * REQUESTS);
}
