//! How often what changes two requests is begun anew.

use std::time::{Duration, Instant};

use crate::error::{Conflict, Error, Result};
use crate::on_conflict::OnConflict;
use crate::request::{MutationRequest, RequestId, Timestamp};

/// Counts the rounds of a change that reads several requests before it writes one.
///
/// A write of the request by somebody else counts against the policy for conflicts; one that changed its revision alone does
/// not, as another such change made it.
pub(crate) struct Rounds {
    policy: OnConflict,
    deadline: Option<Duration>,
    began: Instant,
    rebases: u32,
    begun: u32,
    waited: u32,
    patience: u32,
}

impl Rounds {
    /// Several at once get out of each other's way long before.
    const MAX: u32 = 512;
    /// How many rounds are left to another change before it is taken for interrupted: more than it takes.
    const PATIENCE: u32 = 8;

    pub(crate) fn of(policy: OnConflict, deadline: Option<Duration>) -> Self {
        Self { policy, deadline, began: Instant::now(), rebases: 0, begun: 0, waited: 0, patience: Self::PATIENCE }
    }

    /// Whether a change of `mine` is to let one of `other` go first, which is only half done: of two that stand in each other's
    /// way the one with the lesser id goes on at once. Not for ever, as nobody else may be at work.
    pub(crate) fn yields(&mut self, mine: &RequestId, other: &RequestId) -> bool {
        if mine < other {
            return false;
        }
        self.waited += 1;
        if self.waited < self.patience {
            return true;
        }
        self.waited = 0;
        self.patience = self.patience.saturating_mul(2);
        false
    }

    /// The request to begin the next round with, after the write that was to end this one met a conflict.
    ///
    /// # Errors
    /// The conflict, when the policy allows no further round.
    pub(crate) fn after(
        &mut self,
        mut conflict: Box<Conflict>,
        request: &MutationRequest,
        change: &dyn Fn(MutationRequest, Timestamp) -> Result<MutationRequest>,
        now: Timestamp,
    ) -> Result<MutationRequest> {
        if conflict.stored.document() != request.document() {
            if self.rebases == self.policy.most_rebases() || self.is_late() {
                conflict.commutes = Some(change(conflict.stored.clone(), now).is_ok());
                return Err(Error::Conflict(conflict));
            }
            self.rebases += 1;
        }
        let latest = conflict.stored;
        self.next(request, latest)
    }

    /// The request to begin the next round with.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there were too many.
    pub(crate) fn next(&mut self, request: &MutationRequest, latest: MutationRequest) -> Result<MutationRequest> {
        self.begun += 1;
        if self.begun > Self::MAX || self.is_late() {
            let mut conflict = Conflict::between(request, &latest);
            conflict.commutes = Some(true);
            return Err(conflict.into());
        }
        Ok(latest)
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| self.began.elapsed() >= deadline)
    }
}
