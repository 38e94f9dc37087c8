//! What was acknowledged, in memory that is all taken at the beginning, and how often what was done.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mutator_governance::{Error, LifecycleDecision, MutationRequest, Outcome, RequestId, Status, WriteId};

use common::Store;

/// No request of this traffic gets as many revisions.
const MAX_REVISIONS: usize = 12;
/// Nobody acknowledged a revision so far. Not zero, so that the memory is really taken.
const NOBODY: WriteId = WriteId::from_bytes([1; 16]);

pub struct Ledger {
    pub ended: AtomicBool,
    places: AtomicUsize,
    accounts: Mutex<Vec<Account>>,
    counts: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
}

/// One request: the write that was told to have made each revision, and how often it was carried out.
#[derive(Clone)]
struct Account {
    writes: [WriteId; MAX_REVISIONS],
    carried_out: u32,
}

impl Ledger {
    pub fn new(most_requests: usize) -> Self {
        Self {
            ended: AtomicBool::new(false),
            places: AtomicUsize::new(0),
            accounts: Mutex::new(vec![Account { writes: [NOBODY; MAX_REVISIONS], carried_out: 0 }; most_requests]),
            counts: Mutex::new(BTreeMap::new()),
        }
    }

    pub fn id(place: usize) -> RequestId {
        RequestId::new(format!("soak-{place}")).unwrap()
    }

    fn place(id: &RequestId) -> usize {
        id.as_str().strip_prefix("soak-").unwrap().parse().unwrap()
    }

    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// A place for another request; none when the run has ended.
    pub fn next_place(&self) -> Option<usize> {
        let place = self.places.fetch_add(1, Ordering::SeqCst);
        let room = self.accounts.lock().unwrap().len();
        assert!(place < room, "more requests are submitted than was thought");
        (!self.has_ended()).then_some(place)
    }

    pub fn some_id(&self) -> RequestId {
        Self::id(fastrand::usize(..self.places.load(Ordering::SeqCst).max(1)))
    }

    pub fn count(&self, what: &'static str, how: &'static str) {
        *self.counts.lock().unwrap().entry((what, how)).or_insert(0) += 1;
    }

    pub fn submitted(&self, place: usize, write_id: WriteId) {
        self.revision_is_there(&Self::id(place), 0, write_id);
    }

    pub fn acknowledged(&self, what: &'static str, request: &MutationRequest) {
        self.count(what, "acknowledged");
        let revision = request.revision();
        self.revision_is_there(&request.id, revision.number, revision.write_id);
    }

    /// Of each revision only one write can ever be told to have made it.
    pub fn revision_is_there(&self, id: &RequestId, number: u64, write_id: WriteId) {
        let mut accounts = self.accounts.lock().unwrap();
        let slot = &mut accounts[Self::place(id)].writes[usize::try_from(number).unwrap()];
        assert!(*slot == NOBODY || *slot == write_id, "revision {number} of {id} was acknowledged to two writes");
        *slot = write_id;
    }

    pub fn carried_out(&self, id: &RequestId) {
        self.accounts.lock().unwrap()[Self::place(id)].carried_out += 1;
    }

    /// A failure of the store, which has to be one that passes.
    pub fn note_failure(&self, what: &'static str, error: &Error) {
        let is_unknown = error.outcome() == Outcome::Unknown;
        assert!(is_unknown || error.is_retryable(), "{what}: {error:?}");
        self.count(what, if is_unknown { "unknown" } else { "failed" });
    }

    /// A failure of the store, or that somebody else was first.
    pub fn note_error(&self, what: &'static str, error: &Error) {
        let is_overtaken = matches!(
            error,
            Error::Conflict(_) | Error::InvalidTransition { .. } | Error::Approval { .. } | Error::Execution { .. }
        );
        if is_overtaken { self.count(what, "overtaken") } else { self.note_failure(what, error) }
    }

    pub fn figures(&self) -> String {
        let counts = self.counts.lock().unwrap();
        let sum = |of: &str| -> u64 { counts.iter().filter(|((_, how), _)| *how == of).map(|(_, times)| times).sum() };
        let all: u64 = counts.values().sum();
        format!(
            "{all} operations: {} acknowledged writes, {} unknown outcomes, {} failures, {} overtaken; {counts:?}",
            sum("acknowledged"),
            sum("unknown"),
            sum("failed"),
            sum("overtaken")
        )
    }

    /// A run in which nothing happened proves nothing.
    pub fn check_enough_happened(&self, seconds: u64) {
        let counts = self.counts.lock().unwrap();
        for what in ["file", "grant", "decide", "execute", "expire"] {
            let times = counts.get(&(what, "acknowledged")).copied().unwrap_or(0);
            assert!(times > seconds, "{what}: {times} times in {seconds} s");
        }
    }

    /// How many writes ended without anybody knowing their outcome.
    pub fn unknown(&self) -> u64 {
        let counts = self.counts.lock().unwrap();
        counts.iter().filter(|((_, how), _)| *how == "unknown").map(|(_, times)| times).sum()
    }

    /// Every revision that was acknowledged is there, by the write it was acknowledged to.
    pub fn check(&self, store: &Store, documents: &BTreeMap<String, MutationRequest>) {
        let accounts = self.accounts.lock().unwrap();
        let mut revisions = 0;
        for (place, account) in accounts.iter().enumerate() {
            let id = Self::id(place);
            let acknowledged = account.writes.iter().rposition(|write| *write != NOBODY);
            let Some(request) = documents.get(id.as_str()) else {
                assert_eq!(acknowledged, None, "{id} was acknowledged and is not there");
                continue;
            };
            let stored = usize::try_from(request.revision().number).unwrap();
            assert!(acknowledged.is_none_or(|number| number <= stored), "{id}: {acknowledged:?}, stored {stored}");
            // The newest seven writes, the newest first, and the one that submitted it.
            let remembered = store.inspect(&request.id).unwrap().unwrap().write_ids;
            for (number, write) in account.writes.iter().enumerate().filter(|(_, write)| **write != NOBODY) {
                let back = stored - number;
                let known = if number == 0 { remembered.last() } else { remembered.get(back).filter(|_| back < 7) };
                assert!(known.is_none_or(|known| known == write), "{id}: revision {number} is of another write");
                revisions += 1;
            }
            check_execution(request, account);
        }
        println!("{revisions} acknowledged revisions found");
    }
}

/// What is executed was carried out, and recorded as that once.
fn check_execution(request: &MutationRequest, account: &Account) {
    let times = request.decisions.iter().filter(|one| one.kind == LifecycleDecision::Executed.into()).count();
    let is_executed = request.state.status() == Status::Executed;
    assert_eq!(times, usize::from(is_executed), "{}: recorded as executed", request.id);
    assert!(!is_executed || account.carried_out > 0, "{}: executed by nobody", request.id);
}
