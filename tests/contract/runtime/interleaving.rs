//! What several processes do to the same requests, one call to the store at a time, in every order with a few switches between
//! them, and with one of them dying before any of its calls.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use mutator_governance::blocking::{Governance, MemoryStore, Store};
use mutator_governance::for_stores::{Imported, RequestRecord};
use mutator_governance::workflow::{Completion, compensation_draft};
use mutator_governance::{
    ClaimedRequest, CompensationKind, CompensationPlan, CompensationTrigger, Consumer, ConsumerLease, ConsumerName,
    Count, DecisionQuery, DecisionRow, Error, FeedPage, FeedPosition, HolderId, InboxQuery, Intent, LifecycleDecision,
    Lookup, ManualClock, MutationRequest, Outcome, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow,
    ReadyQuery, RecentApprovalQuery, RecentApprovalRow, RequestId, RequestQuery, RequestState, Result, Statistics,
    Status, StoreError, StoreErrorKind, Timestamp, Tombstone, WriteId, WriteLookup,
};

use crate::runtime::people::{Calls, approved, at, count, draft, id, order, user};

/// Lets one of several processes at a time make its next call.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    /// Whether each waits to make a call.
    waiting: Vec<bool>,
    ended: Vec<bool>,
    calls: Vec<usize>,
    turn: Option<usize>,
    /// A process, and which of its calls it does not live to make.
    dies: Option<(usize, usize)>,
}

impl Gate {
    fn of(processes: usize, dies: Option<(usize, usize)>) -> Arc<Self> {
        let no = vec![false; processes];
        let state = GateState { waiting: no.clone(), ended: no, calls: vec![0; processes], turn: None, dies };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Waits for the process's turn; an error if it is dead.
    fn pass(&self, process: usize) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        if state.dies.is_none_or(|(dead, at_call)| dead != process || state.calls[process] < at_call) {
            state.waiting[process] = true;
            self.changed.notify_all();
            state = self.changed.wait_while(state, |state| state.turn != Some(process)).unwrap();
            state.turn = None;
            state.waiting[process] = false;
            state.calls[process] += 1;
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::Connection, Outcome::NotApplied, "the process is dead").into())
    }

    fn end(&self, process: usize) {
        self.state.lock().unwrap().ended[process] = true;
        self.changed.notify_all();
    }

    /// The processes that could go on, once all have come as far as they can.
    fn able(&self) -> Vec<usize> {
        let state = self.state.lock().unwrap();
        let busy = |state: &mut GateState| {
            state.turn.is_some() || (0..state.waiting.len()).any(|place| !state.waiting[place] && !state.ended[place])
        };
        let state = self.changed.wait_while(state, busy).unwrap();
        (0..state.waiting.len()).filter(|place| !state.ended[*place]).collect()
    }

    fn let_go(&self, process: usize) {
        self.state.lock().unwrap().turn = Some(process);
        self.changed.notify_all();
    }
}

struct Gated {
    inner: MemoryStore,
    gate: Arc<Gate>,
    process: usize,
}

impl Store for Gated {
    fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        self.gate.pass(self.process)?;
        self.inner.create(request)
    }

    fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        self.gate.pass(self.process)?;
        self.inner.update(request, write_id)
    }

    fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>> {
        self.gate.pass(self.process)?;
        self.inner.settle(id, write_id)
    }

    fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.gate.pass(self.process)?;
        self.inner.get_many(ids)
    }

    fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.inner.requests(query, page)
    }

    fn records(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<RequestRecord>> {
        self.inner.records(query, page)
    }

    fn import(&self, records: &[RequestRecord]) -> Result<Vec<Result<Imported>>> {
        self.inner.import(records)
    }

    fn remove(&self, request: &MutationRequest, tombstone: &Tombstone) -> Result<Tombstone> {
        self.inner.remove(request, tombstone)
    }

    fn pending_approvals(&self, query: &PendingApprovalQuery, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.inner.pending_approvals(query, page)
    }

    fn recent_approvals(&self, query: &RecentApprovalQuery, page: &PageRequest) -> Result<Page<RecentApprovalRow>> {
        self.inner.recent_approvals(query, page)
    }

    fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        self.inner.decisions(query, page)
    }

    fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.inner.inbox(query, now, page)
    }

    fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.inner.due(by, page)
    }

    fn ready(&self, query: &ReadyQuery, now: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.inner.ready(query, now, page)
    }

    fn count(&self, query: &RequestQuery) -> Result<Count> {
        self.inner.count(query)
    }

    fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        self.inner.statistics(now, due_within)
    }

    fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        self.inner.read_feed(from, limit)
    }

    fn end_of_feed(&self) -> Result<FeedPosition> {
        self.inner.end_of_feed()
    }

    fn lease_consumer(&self, name: &ConsumerName, holder: HolderId, lease: Duration) -> Result<ConsumerLease> {
        self.inner.lease_consumer(name, holder, lease)
    }

    fn save_consumer(
        &self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<bool> {
        self.inner.save_consumer(name, holder, position, lease)
    }

    fn consumers(&self) -> Result<Vec<Consumer>> {
        self.inner.consumers()
    }

    fn remove_consumer(&self, name: &ConsumerName) -> Result<bool> {
        self.inner.remove_consumer(name)
    }
}

/// Which of those able to go on went at each step: 0 is the one that went before, if it can; and of how many.
#[derive(Default)]
struct Schedule(Vec<(usize, usize)>);

impl Schedule {
    /// The next one with at most so many switches, if there is one.
    fn next(mut self, switches: usize) -> Option<Self> {
        while let Some((choice, of)) = self.0.pop() {
            let made = self.0.iter().filter(|(choice, _)| *choice > 0).count();
            if choice + 1 < of && made < switches {
                self.0.push((choice + 1, of));
                return Some(self);
            }
        }
        None
    }

    /// Runs the processes to their ends by this schedule, going on beyond it with as few switches as can be.
    fn run<T: Send>(&mut self, gate: &Gate, processes: Vec<Box<dyn FnOnce() -> T + Send + '_>>) -> Vec<T> {
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (place, process) in processes.into_iter().enumerate() {
                threads.push(scope.spawn(move || {
                    let result = process();
                    gate.end(place);
                    result
                }));
            }
            let (mut step, mut last) = (0, 0);
            loop {
                let mut able = gate.able();
                if able.is_empty() {
                    break;
                }
                able.sort_by_key(|process| (*process != last, *process));
                if step == self.0.len() {
                    self.0.push((0, able.len()));
                }
                last = able[self.0[step].0];
                gate.let_go(last);
                step += 1;
            }
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }
}

/// Calls `check` with the store and what each process returned, for every order and every death there are to be.
fn explore<T: Send>(
    switches: usize,
    dies: Option<usize>,
    set_up: impl Fn(&Governance),
    processes: &[&(dyn Fn(&Governance) -> T + Sync)],
    check: impl Fn(&Governance, Vec<T>),
) -> usize {
    let mut runs = 0;
    for death in dies.map_or(0..1, |_| 0..16) {
        let mut schedule = Some(Schedule::default());
        while let Some(mut now) = schedule {
            let (inner, clock) = (MemoryStore::new(), Arc::new(ManualClock::at(at(0))));
            let over = |store: Arc<dyn Store>| Governance::builder().store(store).clock(clock.clone()).build();
            let plain = over(Arc::new(inner.clone()));
            set_up(&plain);
            let gate = Gate::of(processes.len(), dies.map(|process| (process, death)));
            let begun = processes.iter().enumerate().map(|(process, work)| {
                let own = over(Arc::new(Gated { inner: inner.clone(), gate: Arc::clone(&gate), process }));
                Box::new(move || work(&own)) as Box<dyn FnOnce() -> T + Send>
            });
            let results = now.run(&gate, begun.collect());
            check(&plain, results);
            runs += 1;
            schedule = now.next(switches);
        }
    }
    runs
}

fn stored(governance: &Governance, name: &str) -> MutationRequest {
    governance.get(&id(name)).unwrap().unwrap()
}

fn is_superseded(governance: &Governance, name: &str) -> bool {
    stored(governance, name).state.status() == Status::Superseded
}

/// Follows who took whose place to the end, which there has to be.
fn check_ends(governance: &Governance, names: &[&str]) {
    for name in names {
        let mut at = stored(governance, name);
        for step in 0.. {
            let RequestState::Superseded { by } = &at.state else { break };
            assert!(step < names.len(), "a ring through {name}");
            at = stored(governance, by.as_str());
        }
    }
}

fn supersede(governance: &Governance, superseded: &str, by: &str) -> Result<MutationRequest> {
    governance.supersede(&id(superseded), user("operator"), id(by))
}

#[test]
fn two_requests_never_take_each_others_place() {
    let (one, other) = (
        |governance: &Governance| supersede(governance, "a", "b"),
        |governance: &Governance| supersede(governance, "b", "a"),
    );
    let set_up = |governance: &Governance| {
        for name in ["a", "b"] {
            governance.submit(draft(name)).unwrap();
        }
    };
    let runs = explore(4, None, set_up, &[&one, &other], |governance, results| {
        let superseded = ["a", "b"].map(|name| is_superseded(governance, name));
        assert_eq!(superseded.iter().filter(|is| **is).count(), 1, "{results:?}");
        for (result, is_superseded) in results.iter().zip(superseded) {
            assert_eq!(result.is_ok(), is_superseded, "{results:?}");
            assert!(is_superseded || matches!(result, Err(Error::Supersede { .. })), "{results:?}");
        }
    });
    assert!(runs > 400, "{runs} orders");
    for dead in [0, 1] {
        explore(1, Some(dead), set_up, &[&one, &other], |governance, results| {
            check_ends(governance, &["a", "b"]);
            let survivor = &results[1 - dead];
            let done = ["a", "b"].map(|name| is_superseded(governance, name));
            assert!(done[0] || done[1], "the one that lives gets nowhere: {survivor:?}");
        });
    }
}

#[test]
fn three_requests_never_take_each_others_place_in_a_ring() {
    let a_b = |governance: &Governance| supersede(governance, "a", "b");
    let b_c_a = |governance: &Governance| {
        let first = supersede(governance, "b", "c");
        supersede(governance, "c", "a").or(first)
    };
    let set_up = |governance: &Governance| {
        for name in ["a", "b", "c"] {
            governance.submit(draft(name)).unwrap();
        }
    };
    explore(2, None, set_up, &[&a_b, &b_c_a], |governance, results| {
        check_ends(governance, &["a", "b", "c"]);
        assert!(results.iter().any(Result::is_ok));
    });
}

/// An executed request, and two that could make up for it.
fn original_and_two_compensations(governance: &Governance) {
    let request = governance.submit(approved("original")).unwrap();
    let outcome = governance.execute(&request.id, &order(), |_: &ClaimedRequest| Ok(Completion::new())).unwrap();
    for name in ["undo-1", "undo-2"] {
        let plan = CompensationPlan::new(request.id.clone(), CompensationKind::Rollback, CompensationTrigger::Operator);
        let intent = Intent::new("revoke-role", "Access").unwrap();
        let undo = compensation_draft(outcome.request(), plan, intent, user("requester")).unwrap();
        governance.submit(undo.with_id(id(name)).already_approved()).unwrap();
    }
}

#[test]
fn of_two_compensations_one_runs() {
    let calls = Calls::default();
    let executing = |name: &'static str| {
        let calls = calls.clone();
        move |governance: &Governance| {
            let run = |_: &ClaimedRequest| {
                calls.add();
                Ok(Completion::new())
            };
            governance.execute(&id(name), &order(), run).map(|outcome| outcome.is_executed())
        }
    };
    let (one, other) = (executing("undo-1"), executing("undo-2"));
    let before = std::cell::Cell::new(0);
    let runs = explore(3, None, original_and_two_compensations, &[&one, &other], |governance, results| {
        assert_eq!(calls.count() - before.replace(calls.count()), 1, "{results:?}");
        let executed = ["undo-1", "undo-2"].map(|name| stored(governance, name).state.status() == Status::Executed);
        assert_eq!(executed, [results[0].is_ok(), results[1].is_ok()]);
        assert_eq!(count(&stored(governance, "original"), LifecycleDecision::Compensated), 1);
    });
    assert!(runs > 150, "{runs} orders");
    for dead in [0, 1] {
        explore(1, Some(dead), original_and_two_compensations, &[&one, &other], |governance, results| {
            let ran = calls.count() - before.replace(calls.count());
            let claimed = |name| stored(governance, name).execution.claim.is_some();
            // The dead one holds its claim for ever, and may have run.
            assert!(ran == 1 || ran == 0 && (claimed("undo-1") || claimed("undo-2")), "ran {ran}: {results:?}");
        });
    }
}
