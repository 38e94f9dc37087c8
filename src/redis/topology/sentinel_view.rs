//! What a client knows of the Sentinels between its calls: when a majority was asked last, whom to ask next, and whom not to
//! wait for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::node_address::NodeAddress;
use super::sentinel_verdict::{Opinions, Verdict, judge, majority_of};
use crate::error::{StoreError, StoreErrorKind};

/// A primary that a majority has named counts for so long.
const CONFIRMED_FOR: Duration = Duration::from_secs(1);
/// One caller asks again after so long, while the others go on.
const CONFIRMED_SOON: Duration = Duration::from_millis(250);
/// After they were asked they are not asked again so soon, whatever the calls under way find out.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// A Sentinel that did not answer in time is left out for so long, if the others are a majority.
const LEFT_OUT_FOR: Duration = Duration::from_secs(2);

/// Who asks for less time than this, at the end of a call, learns nothing from Sentinels that do not answer.
const MIN_TIME: Duration = Duration::from_millis(200);

/// What a client knows of the Sentinels.
#[derive(Debug)]
pub(crate) struct SentinelView {
    /// The name of the primary.
    name: Box<str>,
    /// The Sentinels that the application named.
    named: Vec<NodeAddress>,
    /// Sentinels that did not answer in time, and until when they are left out.
    silent: BTreeMap<NodeAddress, Instant>,
    /// When those were asked whose majority named the primary.
    confirmed: Option<Instant>,
    /// When they were last asked in vain, and why it was so.
    asked: Option<Instant>,
    problem: Option<String>,
    /// Another caller asks, until then at the latest.
    asking_until: Option<Instant>,
}

/// Why a caller wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A read goes to the last known primary where no majority answers.
    Read,
    /// A write goes only to a confirmed primary.
    Write,
}

/// What a caller does before it goes to the primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inquiry {
    /// Nothing.
    Confirmed,
    /// Ask these, in this order; the second list only if too few of the first answer.
    Ask(Vec<NodeAddress>, Vec<NodeAddress>),
    /// Wait for the caller who asks.
    Wait,
    /// Give up for a while: they were just asked, and this is why nobody knows.
    Unknown(String),
}

impl SentinelView {
    pub(crate) fn new(name: &str, named: Vec<NodeAddress>) -> Self {
        Self {
            name: name.into(),
            named,
            silent: BTreeMap::new(),
            confirmed: None,
            asked: None,
            problem: None,
            asking_until: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How many answers it takes.
    pub(crate) fn majority(&self) -> usize {
        majority_of(self.named.len())
    }

    /// What is to be done before a call. Whoever is to ask does so until `until`.
    pub(crate) fn inquire(&mut self, purpose: Purpose, now: Instant, until: Instant) -> Inquiry {
        let is_within = |time: Option<Instant>, limit| time.is_some_and(|at| now.saturating_duration_since(at) < limit);
        let soon = if purpose == Purpose::Write { CONFIRMED_SOON } else { CONFIRMED_FOR };
        if is_within(self.confirmed, soon) {
            return Inquiry::Confirmed;
        }
        let is_confirmed = is_within(self.confirmed, CONFIRMED_FOR) || purpose == Purpose::Read;
        if self.asking_until.is_some_and(|until| now < until) {
            return if is_confirmed { Inquiry::Confirmed } else { Inquiry::Wait };
        }
        let rest = if purpose == Purpose::Write { MIN_INTERVAL } else { CONFIRMED_FOR };
        if let Some(problem) = self.problem.as_ref().filter(|_| is_within(self.asked, rest)) {
            return if is_confirmed { Inquiry::Confirmed } else { Inquiry::Unknown(problem.clone()) };
        }
        self.asking_until = Some(until);
        let is_left_out = |sentinel: &NodeAddress| self.silent.get(sentinel).is_some_and(|until| now < *until);
        let (left_out, mut asked): (Vec<_>, Vec<_>) = self.named.iter().cloned().partition(is_left_out);
        // One that is tried again comes last, so that no other waits for it.
        asked.sort_by_key(|sentinel| self.silent.contains_key(sentinel));
        Inquiry::Ask(asked, left_out)
    }

    /// Why the primary was not known the last time.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Takes the answers of one inquiry, which began at `begun` and had this time. `known` is the epoch of the map.
    ///
    /// # Errors
    /// If the primary is not known.
    pub(crate) fn conclude(
        &mut self,
        opinions: Opinions,
        known: u64,
        begun: Instant,
        time: Duration,
        now: Instant,
    ) -> Result<Verdict, StoreError> {
        let is_rushed = time < MIN_TIME;
        for (sentinel, opinion) in &opinions {
            let is_silent = matches!(
                opinion,
                Err(StoreError { kind: StoreErrorKind::DeadlineExceeded | StoreErrorKind::Unreachable, .. })
            );
            if !is_silent {
                self.silent.remove(sentinel);
            } else if !is_rushed {
                self.silent.insert(sentinel.clone(), now + LEFT_OUT_FOR);
            }
        }
        self.asking_until = None;
        match judge(&self.name, self.named.len(), opinions, known) {
            Ok(verdict) => {
                (self.confirmed, self.problem) = (Some(begun), None);
                Ok(verdict)
            }
            Err(error) if is_rushed => {
                let problem = self.problem.clone().unwrap_or_else(|| error.problem.clone());
                Err(StoreError { problem, ..error })
            }
            Err(error) => {
                (self.asked, self.confirmed, self.problem) = (Some(now), None, Some(error.problem.clone()));
                Err(error)
            }
        }
    }

    /// The primary failed a call: it counts no longer, unless it was just confirmed.
    pub(crate) fn doubt(&mut self, now: Instant) {
        self.confirmed = self.confirmed.filter(|at| now.saturating_duration_since(*at) < MIN_INTERVAL);
    }
}

#[cfg(test)]
#[path = "sentinel_view_tests.rs"]
mod tests;
