//! What a command does after somebody else changed its request, and for how long it retries.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;

/// What a command does when somebody else changed the request between its read and its write.
///
/// A command that the other change made invalid fails at once with its own error, whatever the policy.
///
/// It can be read from JSON or TOML, where a field that is not known is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Fields", into = "Fields")]
pub enum OnConflict {
    /// It fails with [`Error::Conflict`](crate::Error::Conflict).
    Fail,
    /// The command is checked again on what is stored now and written then, at most this many times, and not after the
    /// call's deadline.
    ///
    /// Two approvers of different approvals both succeed.
    Rebase(u32),
    /// The same, as often as necessary until the call's deadline; see `GovernanceBuilder::deadline`. The default.
    #[default]
    RebaseUntilDeadline,
}

/// A policy as it serialises.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "type")]
    policy: Policy,
    /// How often, at most: with `Rebase`.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(inline))]
enum Policy {
    Fail,
    Rebase,
    RebaseUntilDeadline,
}

impl From<OnConflict> for Fields {
    fn from(policy: OnConflict) -> Self {
        let (policy, times) = match policy {
            OnConflict::Fail => (Policy::Fail, None),
            OnConflict::Rebase(times) => (Policy::Rebase, Some(times)),
            OnConflict::RebaseUntilDeadline => (Policy::RebaseUntilDeadline, None),
        };
        Self { policy, times }
    }
}

impl TryFrom<Fields> for OnConflict {
    type Error = InvalidValue;

    fn try_from(fields: Fields) -> Result<Self, InvalidValue> {
        match (fields.policy, fields.times) {
            (Policy::Fail, None) => Ok(Self::Fail),
            (Policy::Rebase, Some(times)) => Ok(Self::Rebase(times)),
            (Policy::RebaseUntilDeadline, None) => Ok(Self::RebaseUntilDeadline),
            _ => Err(InvalidValue::new("on_conflict", "has times with Rebase, and only there")),
        }
    }
}

/// How often a call has been rebased, and for how long it may go on.
#[derive(Clone, Debug)]
pub(crate) struct Rebases {
    done: u32,
    most: u32,
    began: Instant,
    deadline: Duration,
}

/// What follows a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rebase {
    /// Compute the change again on the request in the conflict.
    AtOnce,
    /// After this pause, read the request again and compute the change on that.
    After(Duration),
    /// Return the conflict.
    Stop,
}

impl Rebases {
    /// The maximum of the first pause; it doubles for each further one.
    const FIRST_PAUSE: Duration = Duration::from_millis(2);
    const MAX_PAUSE: Duration = Duration::from_millis(250);

    pub(crate) fn new(policy: OnConflict, deadline: Duration) -> Self {
        let most = match policy {
            OnConflict::Fail => 0,
            OnConflict::Rebase(most) => most,
            OnConflict::RebaseUntilDeadline => u32::MAX,
        };
        Self { done: 0, most, began: Instant::now(), deadline }
    }

    /// For results that have to be recorded, whoever else writes and however long it takes.
    pub(crate) fn persistent() -> Self {
        Self { done: 0, most: 1_000, began: Instant::now(), deadline: Duration::MAX }
    }

    /// Whether the policy allows any rebase.
    pub(crate) const fn is_rebasing(&self) -> bool {
        self.most > 0
    }

    /// What to do after a conflict. `random` is uniform in 0..1.
    ///
    /// The first rebase is immediate, since most conflicts are between two. From the second on, growing pauses with
    /// full jitter spread the writers, and end by the deadline.
    pub(crate) fn after_conflict(&mut self, random: f64) -> Rebase {
        let left = self.deadline.saturating_sub(self.began.elapsed());
        if self.done >= self.most || left.is_zero() {
            return Rebase::Stop;
        }
        self.done += 1;
        let Some(doublings) = self.done.checked_sub(2) else { return Rebase::AtOnce };
        let longest = Self::FIRST_PAUSE.saturating_mul(1 << doublings.min(16)).min(Self::MAX_PAUSE);
        Rebase::After(longest.mul_f64(random.clamp(0.0, 1.0)).min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn pauses_grow_from_the_second_rebase_on_up_to_the_longest() {
        let mut rebases = Rebases::new(OnConflict::default(), LONG);
        let followed: Vec<Rebase> = (0..12).map(|_| rebases.after_conflict(1.0)).collect();
        assert_eq!(followed[0], Rebase::AtOnce);
        let pauses = [2, 4, 8, 16, 32, 64, 128, 250, 250, 250, 250];
        assert_eq!(followed[1..], pauses.map(|millis| Rebase::After(Duration::from_millis(millis))));
        assert_eq!(rebases.after_conflict(0.0), Rebase::After(Duration::ZERO), "full jitter");
    }

    #[test]
    fn a_policy_says_how_often_and_the_deadline_how_long() {
        let count =
            |mut rebases: Rebases| (0..2_000).take_while(|_| rebases.after_conflict(0.5) != Rebase::Stop).count();
        assert_eq!(count(Rebases::new(OnConflict::Fail, LONG)), 0);
        assert_eq!(count(Rebases::new(OnConflict::Rebase(3), LONG)), 3);
        assert_eq!(count(Rebases::new(OnConflict::RebaseUntilDeadline, LONG)), 2_000);
        assert_eq!(count(Rebases::new(OnConflict::RebaseUntilDeadline, Duration::ZERO)), 0);
        assert_eq!(count(Rebases::new(OnConflict::Rebase(32), Duration::ZERO)), 0, "32 is no more than 32");
        assert_eq!(count(Rebases::persistent()), 1_000);
    }

    #[test]
    fn no_pause_reaches_beyond_the_deadline() {
        let mut rebases = Rebases::new(OnConflict::default(), Duration::from_millis(50));
        for _ in 0..20 {
            if let Rebase::After(pause) = rebases.after_conflict(1.0) {
                assert!(pause <= Duration::from_millis(50), "{pause:?}");
            }
        }
    }
}
