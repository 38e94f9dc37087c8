//! Claims, runs and records.

use std::sync::Arc;

use super::super::RunOnce;
use super::{Governance, dual};
use crate::error::{Error, Outcome, Result, UnrecordedExecution};
use crate::request::{ClaimId, MutationRequest, RequestId};
use crate::service::lease::ClaimedRequest;
use crate::service::on_conflict::Rebases;
use crate::workflow::lease::{check_lease, lets_run};
use crate::workflow::{
    self, Command, Completion, ExecutionOrder, ExecutionOutcome, Failure, compensates, to_compensate,
};

#[dual]
impl Governance {
    /// Executes an approved request by calling `run` with it, at most once at a time and never again once it is done.
    ///
    /// The request is resolved against the order's version of the state and claimed for its lease; then `run` is called;
    /// then what it returned is recorded. While the lease lasts, by the clock of the store, nobody else executes the request;
    /// if this executor dies, the request stays claimed until the lease ends and can be taken over then.
    ///
    /// Where the answer to the claim comes so late that less than half a second of the lease is left, the lease is renewed
    /// once; where the answer to that is as late, the claim is released and nothing is run.
    ///
    /// `run` gets the request with its [lease](ClaimedRequest::lease), and has to end, or to be harmless, before the lease
    /// does: from then on another executor may be running, and nothing here can stop either. A function that may take long
    /// asks [`Lease::is_lost`](crate::Lease::is_lost) before each step that must not be made twice, and ends with a failure
    /// when it is, best under [`AfterFailure::KeepApproved`](crate::workflow::AfterFailure). What it returns after the lease is recorded all the same if nobody has taken over meanwhile; otherwise the
    /// error is [`ExecutionError::ClaimLost`](crate::ExecutionError::ClaimLost) and only the successor's result is stored.
    /// Where something outside must not happen twice, such as a payment, give it the id of the request as its idempotency key.
    ///
    /// A compensation is executed only when what it makes up for was, and is linked with that; where that was interrupted,
    /// calling this again completes it.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound), [`Error::Execution`](crate::Error::Execution) when the request cannot
    /// be executed now, the lease is shorter than a call to the store may take and half a second, or it was nearly over each
    /// time it was claimed, [`Error::Conflict`](crate::Error::Conflict) when others kept changing it before it was claimed,
    /// [`Error::NotCommitMode`](crate::Error::NotCommitMode) when the executor's mode is another than `Commit`.
    /// When recording fails, [`Error::Unrecorded`](crate::Error::Unrecorded) holds the command that records what came of
    /// `run`, to be [applied](Self::apply) until somebody takes over, and for a compensation followed by this call again, which
    /// then runs nothing and links what it makes up for; its [outcome](crate::Error::outcome) tells of the
    /// record only, `run` has been called.
    pub async fn execute(
        &self,
        id: &RequestId,
        order: &ExecutionOrder,
        run: impl RunOnce(&ClaimedRequest) -> Result<Completion, Failure>,
    ) -> Result<ExecutionOutcome> {
        order.by().ensure_commit_mode()?;
        check_lease(id, order.lease(), self.store.call_timeout())?;
        let request = self.load(id).await?;
        if compensates(&request).is_some() {
            self.link(&request, order).await?;
            return Ok(ExecutionOutcome::executed(request));
        }
        let compensates = to_compensate(&request).cloned();
        let claim = ClaimId::generate();
        let begin = |request, now| order.begin(request, claim, now);
        let claimed =
            self.claim(request, &begin, None).await.map_err(|error| workflow::without_room_to_claim(error, id))?;
        if let Some(stopped) = ExecutionOrder::stopped(&claimed) {
            return Ok(stopped);
        }
        let claimed = self.with_lease_to_run(ClaimedRequest::held(claimed, claim, &self.clock)?, order).await?;
        let result = run(&claimed).await;
        let command = order.finish(claim, &result);
        let id = claimed.id.clone();
        let recorded = match self.record_end(&claimed, &Rebases::persistent(), &command, None).await {
            Ok(recorded) => recorded,
            // Somebody else has taken over, and nothing is to be recorded any more.
            Err(lost @ Error::Execution { .. }) => return Err(lost),
            // It is recorded, although less durably than was asked for.
            Err(unconfirmed) if unconfirmed.outcome() == Outcome::Applied => return Err(unconfirmed),
            Err(source) => {
                let compensates = result.is_ok().then_some(compensates).flatten();
                return Err(UnrecordedExecution { id, claim, record: command, compensates, source }.into());
            }
        };
        if let Err(failure) = result {
            return Ok(ExecutionOutcome::Failed { request: recorded, failure });
        }
        self.link(&recorded, order).await?;
        Ok(ExecutionOutcome::executed(recorded))
    }

    /// The claimed request with enough of its lease left to run: renewed if the answer to the claim took too much of it, and
    /// released if that did not help or had no room.
    async fn with_lease_to_run(&self, claimed: ClaimedRequest, order: &ExecutionOrder) -> Result<ClaimedRequest> {
        if lets_run(claimed.lease().remaining()) {
            return Ok(claimed);
        }
        let claim = claimed.lease().claim();
        let renew = order.claim(claim);
        let renew = |request, now| workflow::apply(request, &renew, now);
        let claimed = claimed.into_request();
        let late = match self.change(claimed.clone(), self.rebases(), &renew).await {
            Ok(renewed) => {
                let renewed = ClaimedRequest::held(renewed, claim, &self.clock)?;
                if lets_run(renewed.lease().remaining()) {
                    return Ok(renewed);
                }
                renewed.nearly_over()
            }
            Err(full @ Error::TooLarge { .. }) => workflow::without_room_to_claim(full, &claimed.id),
            Err(other) => return Err(other),
        };
        let release = Command::release(Arc::clone(order.by()), claim);
        let release = |request, now| workflow::apply(request, &release, now);
        // If that fails, the claim ends with its lease.
        let _released = self.change(claimed, Rebases::persistent(), &release).await;
        Err(late)
    }

    /// Links the request that an executed compensation makes up for with it, if that has not been done.
    async fn link(&self, compensating: &MutationRequest, order: &ExecutionOrder) -> Result<()> {
        let Some(original) = compensates(compensating) else {
            return Ok(());
        };
        let original = self.load(original).await?;
        if workflow::owes_link(&original, compensating) {
            let link = |original, now| workflow::link_compensation(original, compensating, order.by(), now);
            self.change(original, Rebases::persistent(), &link).await?;
        }
        Ok(())
    }
}
