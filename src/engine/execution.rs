//! Claims, runs and records.

use std::sync::Arc;

use super::super::RunOnce;
use super::renewing::renew;
use super::{Governance, dual};
use crate::error::{Error, Outcome, Result, UnrecordedExecution};
use crate::request::{ClaimId, IntoId, MutationRequest, RequestId};
use crate::service::lease::ClaimedRequest;
use crate::service::on_conflict::Rebases;
use crate::workflow::lease::{check_lease, lets_run};
use crate::workflow::{
    self, Command, Completion, ExecutionOrder, ExecutionOutcome, Failure, compensates, to_compensate,
};

#[dual]
impl Governance {
    /// Executes an approved request by calling `run` with it: one executor at a time, and never again after it is
    /// done.
    ///
    /// Resolves the request against the order's version of the state, claims it for the order's lease, calls `run`, and
    /// records what `run` returned. While `run` runs, a thread or task of its own renews the lease, each third of it and
    /// as long as the [order allows](ExecutionOrder::renewed_for_at_most). While the lease lasts, by the clock of the
    /// store, nobody else executes the request; if this executor dies, the request stays claimed until the lease ends,
    /// and another can then take over.
    ///
    /// If the answer to the claim leaves less than half a second of the lease, the lease is renewed once; if that
    /// answer is as late, the claim is released and `run` is not called.
    ///
    /// `run` gets the request with its [lease](ClaimedRequest::lease). The lease is lost when no renewal reaches the
    /// store in time: from then on another executor may be running, and nothing here can stop either. A long function
    /// checks [`Lease::is_lost`](crate::Lease::is_lost) before each step that must not happen twice. When the lease is lost,
    /// it ends with a failure, best under [`AfterFailure::KeepApproved`](crate::workflow::AfterFailure). A result after
    /// the end of the lease is still recorded if nobody has taken over; otherwise the error is
    /// [`ExecutionError::ClaimLost`](crate::ExecutionError::ClaimLost) and only the successor's result is stored. Where
    /// something outside must not happen twice, such as a payment, use the id of the request as its idempotency key.
    ///
    /// A compensation is executed only after the request that it compensates, and is then linked with it; after an
    /// interruption, the same call completes the link.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::Execution`](crate::Error::Execution) when the request
    /// cannot be executed now, when the lease is shorter than the store's call timeout plus half a second, or when the
    /// lease was nearly over each time; [`Error::Conflict`](crate::Error::Conflict) when others kept changing the
    /// request before it was claimed; [`Error::NotCommitMode`](crate::Error::NotCommitMode) when the executor's mode is
    /// not `Commit`.
    ///
    /// When recording fails, [`Error::Unrecorded`](crate::Error::Unrecorded) holds the command that records the result
    /// of `run`. [Apply](Self::apply) it until somebody takes over. For a compensation then call this again: it runs
    /// nothing and links the original. The error's [outcome](crate::Error::outcome) is that of the record only; `run`
    /// has been called.
    pub async fn execute(
        &self,
        id: impl IntoId<RequestId>,
        order: &ExecutionOrder,
        run: impl RunOnce(&ClaimedRequest) -> Result<Completion, Failure>,
    ) -> Result<ExecutionOutcome> {
        let id = &id.into_id()?;
        order.by().ensure_commit_mode()?;
        check_lease(id, order.lease(), self.store.call_timeout())?;
        let request = self.load(id).await?;
        self.execute_loaded(request, order, run).await
    }

    /// The same with a request that was read before. The actor's mode and the lease are checked by the caller.
    pub(super) async fn execute_loaded(
        &self,
        request: MutationRequest,
        order: &ExecutionOrder,
        run: impl RunOnce(&ClaimedRequest) -> Result<Completion, Failure>,
    ) -> Result<ExecutionOutcome> {
        let id = &request.id.clone();
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
        let renewals = renew(self, &claimed, order);
        let result = run(&claimed).await;
        renewals.stop().await;
        let command = order.finish(claim, &result);
        let id = claimed.id.clone();
        let recorded = match self.record_end(&claimed, &Rebases::persistent(), &command, None).await {
            Ok(recorded) => recorded,
            // Somebody else has taken over; there is nothing left to record.
            Err(lost @ Error::Execution { .. }) => return Err(lost),
            // It is recorded, but less durably than requested.
            Err(unconfirmed) if unconfirmed.outcome() == Outcome::Applied => return Err(unconfirmed),
            Err(error) => {
                let compensates = result.is_ok().then_some(compensates).flatten();
                return Err(
                    UnrecordedExecution { compensates, ..UnrecordedExecution::new(id, claim, command, error) }.into()
                );
            }
        };
        if let Err(failure) = result {
            return Ok(ExecutionOutcome::Failed { request: recorded, failure });
        }
        self.link(&recorded, order).await?;
        Ok(ExecutionOutcome::executed(recorded))
    }

    /// The claimed request with enough of its lease left to run. Renews the lease if the answer to the claim took too
    /// much of it; releases the claim if the renewal is late too or has no room.
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

    /// Links an executed compensation with its original, unless they are linked already.
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
