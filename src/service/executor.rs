//! Which request each worker of an executor takes next, and what an executor reports.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ExecutionError, Result};
use crate::query::{Cursor, Page, ReadyQuery, RequestQuery};
use crate::request::{MutationRequest, MutationType, RequestId, Timestamp};
use crate::service::backoff::{Backoff, jittered};
use crate::service::reports::ReportPanicked;
use crate::stored_format::Unreadable;
use crate::workflow::{ExecutionOutcome, Failure, failed_attempts, is_ready};

/// What an executor did, or met.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExecutorReport {
    /// A request was executed, failed, or was stale; this is recorded.
    Ended(Box<ExecutionOutcome>),
    /// A request was not executed, and its handler was not called.
    NotExecuted {
        /// The request.
        id: RequestId,
        /// Why.
        error: Error,
        /// After this pause it is tried again.
        again_in: Duration,
    },
    /// The handler did not give the current version of the state, so the request was not claimed.
    NoVersion {
        /// The request.
        id: RequestId,
        /// Why.
        failure: Failure,
        /// After this pause it is tried again.
        again_in: Duration,
    },
    /// The handler has executed a request, and the result is not recorded.
    NotRecorded {
        /// The request.
        id: RequestId,
        /// Why.
        error: Error,
        /// After this pause the executor records it again. `None` when it has given up: the request stays claimed until
        /// the lease ends, and another executor may then execute it again.
        again_in: Option<Duration>,
    },
    /// An approved request cannot be read.
    Unreadable(Unreadable),
    /// The store failed when the executor looked for requests. It looks again after a pause.
    StoreFailed(Error),
}

/// What a stopped executor leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "requests may still be running"]
#[non_exhaustive]
pub struct ExecutorStopped {
    /// The requests whose handlers did not end in time. They go on, and are recorded when they end, as long as the
    /// process lives; otherwise they stay claimed until their leases end.
    pub still_running: Vec<RequestId>,
    /// Set when the function that the executor reports to panicked in any report.
    pub lost_reports: Option<ReportPanicked>,
}

/// The ready requests of these types.
pub(crate) fn candidates<'a>(types: impl IntoIterator<Item = &'a MutationType>) -> Result<ReadyQuery> {
    let names = types.into_iter().map(MutationType::as_str);
    Ok(ReadyQuery::of_requests(RequestQuery::new().with_mutation_types(names)?))
}

/// Whether the error only means that somebody else executes the request, or has changed it.
pub(crate) fn is_overtaken(error: &Error) -> bool {
    match error {
        Error::Conflict(_) | Error::NotFound { .. } | Error::Removed(_) => true,
        Error::Execution { error, .. } => {
            matches!(
                error,
                ExecutionError::Claimed { .. } | ExecutionError::NotApproved { .. } | ExecutionError::ClaimLost { .. }
            )
        }
        _ => false,
    }
}

/// The requests of one executor, shared by its workers.
pub(crate) struct ReadyQueue {
    interval: Duration,
    backoff: Backoff,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<MutationRequest>,
    running: BTreeSet<RequestId>,
    resting: HashMap<RequestId, Rest>,
    is_reading: bool,
    cursor: Option<Cursor>,
    read_again_at: Option<Instant>,
    failed_reads: u32,
}

/// Why a request is left alone for a while, without a trace in its history.
struct Rest {
    failures: u32,
    ends_at: Instant,
}

/// What a worker does next.
pub(crate) enum Step {
    Execute(Box<MutationRequest>),
    /// Reads a page of candidates, after this cursor.
    Read(Option<Cursor>),
    Rest(Duration),
}

/// How long a worker waits while another one reads.
const READING: Duration = Duration::from_millis(10);

impl ReadyQueue {
    pub(crate) fn new(interval: Duration, backoff: Backoff) -> Self {
        Self { interval, backoff, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next(&self, now: Instant) -> Step {
        let mut state = self.state();
        if let Some(request) = state.waiting.pop_front() {
            state.running.insert(request.id.clone());
            return Step::Execute(Box::new(request));
        }
        if state.is_reading {
            return Step::Rest(READING);
        }
        match state.read_again_at.map(|at| at.saturating_duration_since(now)) {
            Some(rest) if !rest.is_zero() => Step::Rest(rest),
            _ => {
                state.is_reading = true;
                Step::Read(state.cursor.clone())
            }
        }
    }

    /// Takes what is ready from a page of candidates; returns the requests that cannot be read. The page is shuffled,
    /// so that several executors do not go for the same requests at once.
    pub(crate) fn fill(&self, page: Page<MutationRequest>, now: Timestamp, at: Instant) -> Vec<Unreadable> {
        let mut state = self.state();
        let mut found: Vec<MutationRequest> = page.items;
        found.retain(|request| {
            let rests = state.resting.get(&request.id).is_some_and(|rest| rest.ends_at > at);
            !rests && !state.running.contains(&request.id) && is_ready(request, now) && !self.rests(request, now)
        });
        fastrand::shuffle(&mut found);
        state.waiting.extend(found);
        // If a store returns the same cursor again, begin anew.
        state.cursor = page.next.filter(|next| state.cursor.as_ref() != Some(next));
        state.read_again_at = match state.cursor {
            Some(_) => None,
            None => at.checked_add(jittered(self.interval, fastrand::f64())),
        };
        if state.cursor.is_none() {
            let longest = self.backoff.whole(u32::MAX);
            state.resting.retain(|_, rest| at.saturating_duration_since(rest.ends_at) < longest);
        }
        (state.is_reading, state.failed_reads) = (false, 0);
        page.unreadable
    }

    /// Whether the pause after the failed attempts in its history is not over: the same for every executor. A request
    /// that is tried again by a policy has the end of its pause itself.
    fn rests(&self, request: &MutationRequest, now: Timestamp) -> bool {
        if request.execution.failed_attempts.is_some() {
            return false;
        }
        failed_attempts(request).is_some_and(|(failures, last)| last.saturating_add(self.backoff.whole(failures)) > now)
    }

    /// The page could not be read.
    pub(crate) fn read_failed(&self, at: Instant) {
        let mut state = self.state();
        state.failed_reads = state.failed_reads.saturating_add(1);
        let pause = self.backoff.pause(state.failed_reads, fastrand::f64());
        // A cursor may be the reason.
        (state.is_reading, state.cursor, state.read_again_at) = (false, None, at.checked_add(pause));
    }

    /// The pause after one more attempt that left no trace in the request.
    pub(crate) fn pause_after(&self, id: &RequestId) -> Duration {
        let failures = self.state().resting.get(id).map_or(0, |rest| rest.failures);
        self.backoff.pause(failures.saturating_add(1), fastrand::f64())
    }

    /// A worker is done with a request; after an attempt without a trace it rests for this long.
    pub(crate) fn ended(&self, id: &RequestId, rest: Option<Duration>, at: Instant) {
        let mut state = self.state();
        state.running.remove(id);
        match rest.and_then(|rest| at.checked_add(rest)) {
            Some(ends_at) => {
                let rest = state.resting.entry(id.clone()).or_insert(Rest { failures: 0, ends_at });
                (rest.failures, rest.ends_at) = (rest.failures.saturating_add(1), ends_at);
            }
            None => drop(state.resting.remove(id)),
        }
    }

    pub(crate) fn running(&self) -> Vec<RequestId> {
        self.state().running.iter().cloned().collect()
    }
}
