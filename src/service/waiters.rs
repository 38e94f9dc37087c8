//! Who waits for which request, and which requests are to be read for them.

use std::collections::{BTreeSet, HashMap};

use super::waiting::{WaitUntil, Waited};
use crate::request::{MutationRequest, RequestId};

/// The waiters of one follower. `Wake` is whatever wakes one of them.
///
/// A request is read for its waiters when one of them comes, when the feed names it, and on every doubt whether the feed
/// named all.
#[derive(Debug)]
pub(crate) struct Waiters<Wake> {
    by_request: HashMap<RequestId, HashMap<u64, Waiter<Wake>>>,
    unread: BTreeSet<RequestId>,
}

#[derive(Debug)]
struct Waiter<Wake> {
    until: WaitUntil,
    wake: Wake,
}

impl<Wake> Default for Waiters<Wake> {
    fn default() -> Self {
        Self { by_request: HashMap::new(), unread: BTreeSet::new() }
    }
}

impl<Wake> Waiters<Wake> {
    /// Adds a waiter under a number that no other has.
    pub(crate) fn add(&mut self, id: RequestId, number: u64, until: WaitUntil, wake: Wake) {
        self.unread.insert(id.clone());
        self.by_request.entry(id).or_default().insert(number, Waiter { until, wake });
    }

    /// Removes a waiter, if it was not answered before.
    pub(crate) fn remove(&mut self, id: &RequestId, number: u64) {
        if let Some(waiters) = self.by_request.get_mut(id) {
            waiters.remove(&number);
            self.forget_if_unwanted(id);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_request.is_empty()
    }

    /// The feed names this request.
    pub(crate) fn notice(&mut self, id: &RequestId) {
        if self.by_request.contains_key(id) {
            self.unread.insert(id.clone());
        }
    }

    /// Any request may have changed.
    pub(crate) fn notice_all(&mut self) {
        self.unread.extend(self.by_request.keys().cloned());
    }

    /// Some of the requests that are to be read, at most `limit`; they count as read from now on.
    pub(crate) fn take_unread(&mut self, limit: usize) -> Vec<RequestId> {
        let taken: Vec<RequestId> = self.unread.iter().take(limit).cloned().collect();
        for id in &taken {
            self.unread.remove(id);
        }
        taken
    }

    /// Takes the waiters that this request answers.
    pub(crate) fn answered_by(&mut self, request: &MutationRequest) -> Vec<(Wake, Waited)> {
        let mut answered = Vec::new();
        if let Some(waiters) = self.by_request.get_mut(&request.id) {
            let answers = waiters.extract_if(|_, waiter| waiter.until.answer(request).is_some());
            answered.extend(answers.map(|(_, waiter)| (waiter.wake, waiter.until.last_answer(request.clone()))));
            self.forget_if_unwanted(&request.id);
        }
        answered
    }

    /// Takes all waiters of a request.
    pub(crate) fn take(&mut self, id: &RequestId) -> Vec<Wake> {
        self.unread.remove(id);
        self.by_request.remove(id).into_iter().flat_map(HashMap::into_values).map(|waiter| waiter.wake).collect()
    }

    fn forget_if_unwanted(&mut self, id: &RequestId) {
        if self.by_request.get(id).is_some_and(HashMap::is_empty) {
            self.by_request.remove(id);
            self.unread.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ActorContext, Intent, PendingReason, RequestDraft, Status, Target, Timestamp, WriteId};
    use crate::workflow::{self, Command};

    fn id(text: &str) -> RequestId {
        RequestId::new(text).unwrap()
    }

    fn pending(request_id: &str) -> MutationRequest {
        let target = Target::new("s", "State", "Change").unwrap();
        let rita = ActorContext::user("rita").unwrap();
        let draft =
            RequestDraft::new(target, Intent::new("change", "Test").unwrap(), rita).waiting_for(PendingReason::Quota);
        workflow::submit(draft, id(request_id), WriteId::generate(), Timestamp::now()).unwrap()
    }

    fn canceled(request_id: &str) -> MutationRequest {
        let mona = ActorContext::user("mona").unwrap();
        workflow::apply(pending(request_id), &Command::cancel(mona), Timestamp::now()).unwrap()
    }

    #[test]
    fn a_request_is_read_when_somebody_comes_when_it_is_noticed_and_on_doubt() {
        let mut waiters = Waiters::default();
        for (number, name) in (0..).zip(["a", "b", "c"]) {
            waiters.add(id(name), number, WaitUntil::Decided, name);
        }
        assert_eq!(waiters.take_unread(2), [id("a"), id("b")]);
        assert_eq!(waiters.take_unread(2), [id("c")]);
        waiters.notice(&id("b"));
        waiters.notice(&id("other"));
        assert_eq!(waiters.take_unread(9), [id("b")]);
        waiters.notice_all();
        assert_eq!(waiters.take_unread(9), [id("a"), id("b"), id("c")]);
        waiters.notice_all();
        waiters.remove(&id("a"), 0);
        assert_eq!(waiters.take(&id("b")), ["b"]);
        assert_eq!(waiters.take_unread(9), [id("c")]);
        waiters.remove(&id("c"), 2);
        assert!(waiters.is_empty());
    }

    #[test]
    fn only_the_waiters_that_a_request_answers_are_taken() {
        let mut waiters = Waiters::default();
        let untils = [
            WaitUntil::Decided,
            WaitUntil::status([Status::Executed]),
            WaitUntil::Revision(1),
            WaitUntil::status([Status::Pending]),
        ];
        for (number, until) in (0..).zip(untils) {
            waiters.add(id("a"), number, until, number);
        }
        waiters.add(id("b"), 9, WaitUntil::Decided, 9);
        let mut answered = |request: &MutationRequest| -> Vec<(u64, bool)> {
            let mut found: Vec<_> = waiters.answered_by(request).iter().map(|(n, w)| (*n, w.is_met())).collect();
            found.sort_unstable();
            found
        };
        assert_eq!(answered(&pending("a")), [(3, true)]);
        assert_eq!(answered(&pending("a")), []);
        assert_eq!(answered(&canceled("a")), [(0, true), (1, false)]);
        assert_eq!(answered(&pending("other")), []);
        // A number that was answered is nobody's; the others still wait.
        waiters.remove(&id("a"), 0);
        assert_eq!((waiters.take(&id("a")), waiters.take(&id("b"))), (vec![2], vec![9]));
        assert!(waiters.is_empty());
    }
}
