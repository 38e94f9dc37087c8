//! Claims a request; a compensation first reserves its original.

use super::applying::Change;
use super::{Governance, dual};
use crate::error::{Error, Result};
use crate::request::{CompensationPlan, ExecutionKind, MutationRequest, WriteId};
use crate::service::rounds::Rounds;
use crate::workflow::reservation;

#[dual]
impl Governance {
    /// Applies a change that claims the request. Nobody claims a compensation while another request may compensate its
    /// original: see [`reservation`].
    pub(super) async fn claim(
        &self,
        mut request: MutationRequest,
        change: Change<'_>,
        write_id: Option<WriteId>,
    ) -> Result<MutationRequest> {
        let ExecutionKind::Compensation(plan) = request.execution.kind.clone() else {
            return Ok(self.change_as(request, self.rebases(), change, write_id).await?.into_request());
        };
        let mut rounds = Rounds::new(self.rebases());
        loop {
            // What the reads below find about others holds as long as this request is unchanged.
            let changed = change(request.clone(), self.clock.now())?;
            if changed.execution.claim.is_none() || self.reserve_original(&request, &plan, &mut rounds).await? {
                match self.store.update(self.sealed(changed), write_id.unwrap_or_else(WriteId::generate)).await {
                    Err(Error::Conflict(conflict)) => {
                        request = self.next_round(*conflict, &request, &mut rounds, change).await?;
                        continue;
                    }
                    stored_or_failed => return stored_or_failed,
                }
            }
            let latest = self.load(&request.id).await?;
            request = rounds.next(&request, latest)?;
        }
    }

    /// Whether the original is reserved for this compensation and nobody can execute another under an earlier
    /// reservation; if not, takes one step towards it.
    async fn reserve_original(
        &self,
        compensating: &MutationRequest,
        plan: &CompensationPlan,
        rounds: &mut Rounds,
    ) -> Result<bool> {
        let original = self.load(&plan.compensates).await?;
        reservation::check(&original, &compensating.id, plan)?;
        match reservation::holder(&original) {
            Some(holder) if *holder == compensating.id => {}
            held => {
                if let Some(holder) = held {
                    let other = self.unless_given_up(holder).await?;
                    reservation::check_given_up(&original, holder, other.as_ref())?;
                    let is_open = other.is_some_and(|other| !other.state.status().is_terminal());
                    if is_open && rounds.yields(&compensating.id, holder) {
                        return Ok(false);
                    }
                }
                let now = self.clock.now();
                self.write_once(reservation::reserve(original, &compensating.id, plan, now)).await?;
                return Ok(false);
            }
        }
        for earlier in reservation::earlier_holders(&original) {
            let other = self.unless_given_up(&earlier).await?;
            reservation::check_given_up(&original, &earlier, other.as_ref())?;
            let open = other.filter(|other| !other.state.status().is_terminal());
            if let Some(open) = open
                && !self.write_once(open).await?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
