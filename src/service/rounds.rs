//! How often what changes two requests is begun anew.

use crate::error::{Conflict, Result};
use crate::request::{MutationRequest, RequestId};
use crate::service::on_conflict::Rebases;

/// Counts the rounds of a change that reads several requests before it writes one.
pub(crate) struct Rounds {
    /// What the policy allows after somebody else has changed the request, rather than its revision alone.
    pub(crate) rebases: Rebases,
    begun: u32,
    waited: u32,
    patience: u32,
}

impl Rounds {
    /// Several at once get out of each other's way long before.
    const MAX: u32 = 512;
    /// How many rounds are left to another change before it is taken for interrupted: more than it takes.
    const PATIENCE: u32 = 8;

    pub(crate) const fn new(rebases: Rebases) -> Self {
        Self { rebases, begun: 0, waited: 0, patience: Self::PATIENCE }
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

    /// The request to begin the next round with.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when there were too many.
    pub(crate) fn next(&mut self, request: &MutationRequest, latest: MutationRequest) -> Result<MutationRequest> {
        self.begun += 1;
        if self.begun > Self::MAX {
            return Err(Conflict { commutes: Some(true), ..Conflict::between(request, &latest) }.into());
        }
        Ok(latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::on_conflict::OnConflict;

    #[test]
    fn the_lesser_id_goes_first_and_the_other_waits_longer_each_time() {
        let mut rounds = Rounds::new(Rebases::new(OnConflict::default(), std::time::Duration::MAX));
        let [one, other] = ["a", "b"].map(|id| RequestId::new(id).unwrap());
        let mut waits = |mine, other| (0..100).take_while(|_| rounds.yields(mine, other)).count();
        assert_eq!([waits(&one, &other), waits(&other, &one), waits(&one, &other)], [0, 7, 0]);
        assert_eq!([waits(&other, &one), waits(&other, &one)], [15, 31]);
    }
}
