//! Counts of stored requests.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::MissingPartition;
use crate::request::{MutationRequest, PendingReason, Status, Timestamp};
use crate::workflow;

/// The number of requests in each status, what is ready, the oldest pending one, and what is due soon: of all requests,
/// or of those that a query finds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Statistics {
    /// How many requests have each status; a status without requests is absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_status: BTreeMap<Status, u64>,
    /// How many requests wait for each reason, overdue or not; a reason without requests is absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_pending_reason: BTreeMap<PendingReason, u64>,
    /// How many requests that wait for approval can still be decided: their own deadline has not passed.
    pub decidable: u64,
    /// How many requests are ready to be executed.
    pub ready: u64,
    /// How many requests an executor holds by a lease that lasts.
    pub claimed: u64,
    /// How many approved requests are tried again by a policy after attempts that failed.
    pub failing: u64,
    /// When the first of the ready requests became ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_ready: Option<Timestamp>,
    /// When the oldest of the pending requests was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_pending: Option<Timestamp>,
    /// For each duration from now, how many requests will be due to expire or have an open approval that will, overdue
    /// ones included.
    ///
    /// Serialises as a map whose keys are durations of ISO 8601, such as `PT1H30M`.
    #[serde(default, with = "due_within", skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schemars", schemars(with = "BTreeMap<String, u64>"))]
    pub due_within: BTreeMap<Duration, u64>,
    /// Whether counting ended early, so that each number is a lower bound; only where a query was counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_lower_bound: bool,
    /// The partitions that did not answer: their requests are not counted. Only a store that is to return partial results
    /// has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingPartition>,
}

mod due_within {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::json::IsoDuration;

    pub(super) fn serialize<S: Serializer>(due: &BTreeMap<Duration, u64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(due.iter().map(|(within, count)| (IsoDuration(*within), count)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Duration, u64>, D::Error> {
        let due = BTreeMap::<IsoDuration, u64>::deserialize(deserializer)?;
        Ok(due.into_iter().map(|(IsoDuration(within), count)| (within, count)).collect())
    }
}

/// A number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "count")]
pub enum Count {
    /// Exactly this number.
    Exact(u64),
    /// This number or more: counting ended early, or a partition did not answer.
    AtLeast(u64),
}

impl Statistics {
    /// The statistics of these requests at this time, with the requests due within each of the durations.
    pub fn of<'a>(
        requests: impl IntoIterator<Item = &'a MutationRequest>,
        now: Timestamp,
        durations: &[Duration],
    ) -> Self {
        let due_within = durations.iter().map(|duration| (*duration, 0)).collect();
        let mut statistics = Self { due_within, ..Self::default() };
        requests.into_iter().for_each(|request| statistics.count(request, now));
        statistics
    }

    /// The number of requests.
    pub fn total(&self) -> u64 {
        self.by_status.values().sum()
    }

    fn count(&mut self, request: &MutationRequest, now: Timestamp) {
        *self.by_status.entry(request.state.status()).or_default() += 1;
        if let Some(pending) = request.state.pending() {
            *self.by_pending_reason.entry(pending.reason).or_default() += 1;
            self.oldest_pending = earlier(self.oldest_pending, Some(request.created_at));
            let is_overdue = pending.expires_at.is_some_and(|deadline| deadline <= now);
            self.decidable += u64::from(request.state.awaits_approval() && !is_overdue);
        }
        if workflow::is_ready_at(request, now) {
            self.ready += 1;
            self.oldest_ready = earlier(self.oldest_ready, workflow::ready_at(request));
        }
        self.claimed += u64::from(workflow::awaited_lease(request).is_some_and(|end| end > now));
        self.failing += u64::from(request.execution.failed_attempts.is_some());
        let deadline = workflow::next_deadline(request);
        for (duration, count) in &mut self.due_within {
            *count += u64::from(deadline.is_some_and(|deadline| deadline <= now.saturating_add(*duration)));
        }
    }
}

impl AddAssign<&Self> for Statistics {
    /// Adds the statistics of other requests, taken at the same time with the same durations.
    fn add_assign(&mut self, other: &Self) {
        add(&mut self.by_status, &other.by_status);
        add(&mut self.by_pending_reason, &other.by_pending_reason);
        add(&mut self.due_within, &other.due_within);
        self.decidable = self.decidable.saturating_add(other.decidable);
        self.ready = self.ready.saturating_add(other.ready);
        self.claimed = self.claimed.saturating_add(other.claimed);
        self.failing = self.failing.saturating_add(other.failing);
        self.oldest_ready = earlier(self.oldest_ready, other.oldest_ready);
        self.oldest_pending = earlier(self.oldest_pending, other.oldest_pending);
        self.missing.extend(other.missing.iter().cloned());
        self.is_lower_bound = self.is_lower_bound || other.is_lower_bound;
    }
}

impl Count {
    /// The number, exact or not.
    pub const fn number(self) -> u64 {
        match self {
            Self::Exact(number) | Self::AtLeast(number) => number,
        }
    }
}

impl AddAssign for Count {
    /// A sum is exact only if both parts are.
    fn add_assign(&mut self, other: Self) {
        let sum = self.number().saturating_add(other.number());
        *self = match (*self, other) {
            (Self::Exact(_), Self::Exact(_)) => Self::Exact(sum),
            _ => Self::AtLeast(sum),
        };
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(number) => write!(f, "{number}"),
            Self::AtLeast(number) => write!(f, "at least {number}"),
        }
    }
}

fn add<K: Ord + Copy>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        let sum = to.entry(*key).or_default();
        *sum = count.saturating_add(*sum);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}
