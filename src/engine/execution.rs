use super::super::RunOnce;
use super::{Governance, dual};
use crate::error::{Error, Outcome, Result, UnrecordedExecution};
use crate::on_conflict::OnConflict;
use crate::request::{ClaimId, MutationRequest, RequestId};
use crate::workflow::{
    self, Completion, ExecutionOrder, ExecutionOutcome, Failure, check_compensable, compensated_by,
    to_be_compensated_by,
};

#[dual]
impl Governance {
    /// Executes an approved request by calling `run` with it, at most once at a time and never again once it is done.
    ///
    /// The request is resolved against the order's version of the state and claimed for its lease; then `run` is called;
    /// then what it returned is recorded. While the lease lasts nobody else executes the request; if this executor dies,
    /// the request stays claimed until the lease ends and can be taken over then. `run` therefore has to end, or to be
    /// harmless, before the lease does.
    ///
    /// A compensation is executed only when what it makes up for was, and is linked with that; where that was interrupted,
    /// calling this again completes it.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound), [`Error::Execution`](crate::Error::Execution) when the request cannot
    /// be executed now, [`Error::Conflict`](crate::Error::Conflict) when others kept changing it before it was claimed,
    /// [`Error::NotMeant`](crate::Error::NotMeant) when the executor's mode is another than `Commit`.
    /// When recording fails, [`Error::Unrecorded`](crate::Error::Unrecorded) holds the command that records what came of
    /// `run`, to be [applied](Self::apply) until somebody takes over, and for a compensation followed by this call again, which
    /// then runs nothing and links what it makes up for; its [outcome](crate::Error::outcome) tells of the
    /// record only, `run` has been called.
    pub async fn execute(
        &self,
        id: &RequestId,
        order: &ExecutionOrder,
        run: impl RunOnce(&MutationRequest) -> Result<Completion, Failure>,
    ) -> Result<ExecutionOutcome> {
        order.by().check_means_it()?;
        let request = self.load(id).await?;
        if compensated_by(&request).is_some() {
            self.link(&request, order).await?;
            return Ok(ExecutionOutcome::Executed(request));
        }
        let compensates = to_be_compensated_by(&request).cloned();
        if let Some(original) = &compensates {
            check_compensable(&self.load(original).await?)?;
        }
        let claim = ClaimId::generate();
        let claimed = self.change(request, self.on_conflict, &|request, now| order.begin(request, claim, now)).await?;
        if let Some(stopped) = ExecutionOrder::stopped(&claimed) {
            return Ok(stopped);
        }
        let result = run(&claimed).await;
        let command = order.finish(claim, &result);
        let record = |request, now| workflow::apply(request, &command, now);
        let id = claimed.id.clone();
        let recorded = match self.change(claimed, OnConflict::PERSISTENT, &record).await {
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
        Ok(ExecutionOutcome::Executed(recorded))
    }

    /// Links the request that an executed compensation makes up for with it, if that has not been done.
    async fn link(&self, compensating: &MutationRequest, order: &ExecutionOrder) -> Result<()> {
        let Some(original) = compensated_by(compensating) else {
            return Ok(());
        };
        let original = self.load(original).await?;
        if workflow::owes_link(&original, compensating) {
            let link = |original, now| workflow::link_compensation(original, compensating, order.by(), now);
            self.change(original, OnConflict::PERSISTENT, &link).await?;
        }
        Ok(())
    }
}
