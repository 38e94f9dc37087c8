//! The requests of a call for many, which its workers take one after another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::Digest as _;

use super::many::{ManyOptions, ManyOutcome, ManyProgress, ManyReport, ManyResult};
use crate::error::{Error, InvalidValue, Result};
use crate::request::{MutationRequest, RequestId, WriteId};

/// What an error calls them.
const FIELD: &str = "requests of a call for many";

pub(crate) struct ManyQueue<'a> {
    options: &'a ManyOptions,
    write_id: WriteId,
    ids: Vec<RequestId>,
    state: Mutex<State>,
}

struct State {
    /// The place of the next request; the number of all when no further one is to be started.
    next: usize,
    ended: usize,
    /// How many calls failed by the store itself since one did not.
    store_failures: usize,
    outcomes: Vec<ManyOutcome>,
}

/// One request of the call.
pub(crate) struct Turn<'q> {
    pub(crate) place: usize,
    pub(crate) id: &'q RequestId,
    /// Derived from the id of the whole call and that of the request.
    pub(crate) write_id: WriteId,
}

impl<'a> ManyQueue<'a> {
    /// # Errors
    /// [`InvalidValue`] for too many requests, or an id that comes twice.
    pub(crate) fn new(ids: Vec<RequestId>, options: &'a ManyOptions) -> Result<Self, InvalidValue> {
        check_count(ids.len())?;
        let mut places = HashMap::with_capacity(ids.len());
        for (place, id) in ids.iter().enumerate() {
            if let Some(first) = places.insert(id, place) {
                let problem = format!("name {id} twice, at {first} and at {place}; name each once");
                return Err(InvalidValue::new(FIELD, problem));
            }
        }
        let outcomes = ids.iter().map(|_| ManyOutcome::NotStarted).collect();
        let state = Mutex::new(State { next: 0, ended: 0, store_failures: 0, outcomes });
        Ok(Self { options, write_id: options.write_id_or_new(), ids, state })
    }

    /// How many workers the call takes.
    pub(crate) fn workers(&self) -> usize {
        self.options.concurrency_for(self.ids.len())
    }

    /// The next request, if there is one to start.
    pub(crate) fn next(&self) -> Option<Turn<'_>> {
        // Poisoned when the function that is called with the progress panicked, which ends the call.
        let mut state = self.state.lock().ok()?;
        let place = state.next;
        let id = self.ids.get(place)?;
        state.next += 1;
        Some(Turn { place, id, write_id: derived(self.write_id, id) })
    }

    /// Keeps the result of a request and reports it.
    ///
    /// When as many calls in a row failed by the store itself as are made at once, the others would fail too, each after
    /// the store's timeout: no further one is started.
    pub(crate) fn end(&self, turn: &Turn<'_>, result: Result<MutationRequest>) {
        let Ok(mut state) = self.state.lock() else { return };
        state.ended += 1;
        state.store_failures = if matches!(result, Err(Error::Store(_))) { state.store_failures + 1 } else { 0 };
        let progress = ManyProgress {
            place: turn.place,
            id: turn.id,
            result: result.as_ref(),
            ended: state.ended,
            total: self.ids.len(),
        };
        if self.options.report(&progress).is_break() || state.store_failures >= self.workers() {
            state.next = self.ids.len();
        }
        if let Some(outcome) = state.outcomes.get_mut(turn.place) {
            *outcome = match result {
                Ok(request) => {
                    ManyOutcome::Done { status: request.state.status(), revision: request.revision().number }
                }
                Err(error) => ManyOutcome::Failed { error },
            };
        }
    }

    pub(crate) fn finish(self) -> ManyReport {
        let outcomes = self.state.into_inner().unwrap_or_else(PoisonError::into_inner).outcomes;
        let results = self.ids.into_iter().zip(outcomes).map(|(id, outcome)| ManyResult { id, outcome }).collect();
        ManyReport { write_id: self.write_id, results }
    }
}

pub(crate) fn check_count(requests: usize) -> Result<(), InvalidValue> {
    let most = ManyOptions::MAX_REQUESTS;
    if requests > most {
        let problem = format!("are {requests}; one call takes at most {most}, so make several");
        return Err(InvalidValue::new(FIELD, problem));
    }
    Ok(())
}

/// The write id of one request of a call: a write id belongs to one request only.
fn derived(call: WriteId, id: &RequestId) -> WriteId {
    let mut sha = sha2::Sha256::new();
    sha.update(b"mutator-governance call for many 1");
    sha.update(call.as_bytes());
    sha.update(id.as_str());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(sha.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    WriteId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::{Outcome, StoreError, StoreErrorKind};
    use crate::request::{ActorContext, Intent, RequestDraft, Status, Target, Timestamp};

    fn ids(count: usize) -> Vec<RequestId> {
        (0..count).map(|number| RequestId::new(format!("r-{number}")).unwrap()).collect()
    }

    fn stored(id: &RequestId) -> MutationRequest {
        let target = Target::new("s", "State", "Change").unwrap();
        let draft =
            RequestDraft::new(target, Intent::new("change", "Test").unwrap(), ActorContext::user("rita").unwrap());
        crate::workflow::submit(draft, id.clone(), WriteId::generate(), Timestamp::now()).unwrap()
    }

    fn down() -> Error {
        StoreError::new(StoreErrorKind::Unreachable, Outcome::NotApplied, "down").into()
    }

    #[test]
    fn each_result_is_in_the_place_of_its_id_whatever_ends_first() {
        let options = ManyOptions::new();
        let queue = ManyQueue::new(ids(3), &options).unwrap();
        let turns: Vec<Turn<'_>> = std::iter::from_fn(|| queue.next()).collect();
        queue.end(&turns[2], Ok(stored(turns[2].id)));
        queue.end(&turns[0], Err(Error::not_found(turns[0].id.clone())));
        drop(turns);
        let report = queue.finish();
        assert_eq!(report.results.iter().map(|result| result.id.clone()).collect::<Vec<_>>(), ids(3));
        let [first, second, third] = &report.results[..] else { panic!("{report:?}") };
        assert!(matches!(&first.outcome, ManyOutcome::Failed { error: Error::NotFound { id } } if *id == first.id));
        assert!(matches!(second.outcome, ManyOutcome::NotStarted));
        assert!(matches!(third.outcome, ManyOutcome::Done { status: Status::Created, revision: 0 }));
        assert_eq!((report.done(), report.is_complete()), (1, false));
        assert_eq!(report.failures().map(|(id, _)| id).collect::<Vec<_>>(), [&first.id]);
        assert_eq!(report.not_started().collect::<Vec<_>>(), [&second.id]);
    }

    #[test]
    fn it_stops_when_asked_to_and_when_every_call_fails_by_the_store() {
        let ended = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&ended);
        let options = ManyOptions::new().concurrency(4).unwrap().on_progress(move |progress| {
            assert_eq!((progress.ended, progress.total), (seen.fetch_add(1, Ordering::SeqCst) + 1, 100));
            if progress.ended == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let queue = ManyQueue::new(ids(100), &options).unwrap();
        while let Some(turn) = queue.next() {
            queue.end(&turn, Ok(stored(turn.id)));
        }
        assert_eq!((queue.finish().done(), ended.load(Ordering::SeqCst)), (7, 7));

        // Three failures in a row, a success, then four failures.
        let options = ManyOptions::new().concurrency(4).unwrap();
        let queue = ManyQueue::new(ids(100), &options).unwrap();
        while let Some(turn) = queue.next() {
            queue.end(&turn, if turn.place == 3 { Ok(stored(turn.id)) } else { Err(down()) });
        }
        let report = queue.finish();
        assert_eq!((report.done(), report.failures().count(), report.not_started().count()), (1, 7, 92));
    }

    #[test]
    fn too_many_requests_and_the_same_twice_are_errors() {
        let options = ManyOptions::new();
        assert!(ManyQueue::new(ids(10_000), &options).is_ok());
        let error = ManyQueue::new(ids(10_001), &options).err().unwrap();
        assert!(error.to_string().contains("are 10001; one call takes at most 10000"), "{error}");
        let twice = [ids(3), ids(2)].concat();
        let error = ManyQueue::new(twice, &options).err().unwrap();
        assert!(error.to_string().contains("name r-0 twice, at 0 and at 3"), "{error}");
        for bad in [0, 257, usize::MAX] {
            assert!(ManyOptions::new().concurrency(bad).is_err(), "{bad}");
        }
        let nothing = ManyQueue::new(Vec::new(), &options).unwrap();
        assert_eq!((nothing.workers(), nothing.finish().is_complete()), (0, true));
    }

    #[test]
    fn a_write_id_is_of_one_call_and_one_request() {
        let [call, other] = [WriteId::from_bytes([1; 16]), WriteId::from_bytes([2; 16])];
        let [a, b] = [RequestId::new("a").unwrap(), RequestId::new("b").unwrap()];
        let all = [derived(call, &a), derived(call, &b), derived(other, &a), derived(other, &b), call, other];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 6);
        // Repetitions by other releases derive the same.
        assert_eq!(derived(call, &a).to_string(), "98bb2cda0892096dc0cbfd6c61ac3071");
    }
}
