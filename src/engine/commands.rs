//! One method for each command.

use std::sync::Arc;

use super::{Governance, dual};
use crate::error::Result;
use crate::request::{
    ActorContext, Approval, ApprovalId, Digest, IntoId, MutationRequest, Pending, Rejection, RequestId, StateVersion,
    Timestamp,
};
use crate::workflow::{self, Command, Explanation, Resolution, StaleStrategy};

/// Commands: each reads, checks and stores as [`apply`](Governance::apply) does.
#[dual]
impl Governance {
    /// Approves all that this actor may approve now, in one write: in the active step, each approval that stands alone,
    /// and one of each quorum group. The last missing approval approves the request.
    ///
    /// This is the usual way to approve. It goes by the step that is active when it is stored; a step that it makes
    /// active takes another call. A second call, such as that of a double click, can therefore decide more: under one
    /// write id ([`apply_as`](Self::apply_as)) it does not. [`Command::approve`] says which approval of a group it
    /// chooses.
    ///
    /// # Errors
    /// As [`apply`](Self::apply). [`ApprovalError::NothingToDecide`](crate::ApprovalError::NothingToDecide) says why
    /// there is nothing for this actor to decide, and who can act.
    pub async fn approve(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::approve(by)).await
    }

    /// Rejects all that this actor may reject now, in one write: what they could [approve](Self::approve). That rejects
    /// the request, unless each of these approvals is in a quorum group that is [rejected only when it has become
    /// impossible](crate::ApprovalRule::rejected_when_impossible) and can still be met.
    ///
    /// # Errors
    /// As [`approve`](Self::approve).
    pub async fn reject(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        rejection: Option<Rejection>,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::reject(by, rejection)).await
    }

    /// Approves all that this actor may approve now, for exactly the digest that they saw.
    ///
    /// # Errors
    /// As [`approve`](Self::approve); also when the digest of the request has changed.
    pub async fn approve_for_digest(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        digest: Digest,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::approve_for_digest(by, digest)).await
    }

    /// Why the request has its current status, who can move it on, and until when.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such request.
    pub async fn explain(&self, id: impl IntoId<RequestId>) -> Result<Explanation> {
        let request = self.load(&id.into_id()?).await?;
        Ok(workflow::explain(&request, self.clock.now()))
    }

    /// The approvals of a request that this actor can decide now.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such request.
    pub async fn decidable_by(&self, id: impl IntoId<RequestId>, actor: &ActorContext) -> Result<Vec<Approval>> {
        let request = self.load(&id.into_id()?).await?;
        Ok(workflow::decidable_by(&request, actor, self.clock.now()).into_iter().cloned().collect())
    }

    /// Approves one requirement of a request. The last missing one approves the request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn approve_requirement(
        &self,
        id: impl IntoId<RequestId>,
        approval: impl IntoId<ApprovalId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::approve_requirement(by, approval.into_id()?)).await
    }

    /// Rejects one requirement of a request. That rejects the request, unless the requirement is in a quorum group that
    /// is [rejected only when it has become impossible](crate::ApprovalRule::rejected_when_impossible) and the group
    /// can still be met: then the request keeps waiting.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn reject_requirement(
        &self,
        id: impl IntoId<RequestId>,
        approval: impl IntoId<ApprovalId>,
        by: impl Into<Arc<ActorContext>> + Send,
        rejection: Option<Rejection>,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::reject_requirement(by, approval.into_id()?, rejection)).await
    }

    /// Withdraws all votes that this actor has given on a request in the current round, as long as nobody has claimed
    /// it. Their approvals are open again, and an approved request waits for approval again: see [`Command::withdraw`].
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn withdraw(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::withdraw(by)).await
    }

    /// Withdraws the vote that this actor has given on one requirement.
    ///
    /// # Errors
    /// As [`withdraw`](Self::withdraw); also when the vote is somebody else's.
    pub async fn withdraw_requirement(
        &self,
        id: impl IntoId<RequestId>,
        approval: impl IntoId<ApprovalId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::withdraw_requirement(by, approval.into_id()?)).await
    }

    /// Comments on a request, in any status. Decides nothing, and stands in the way of nobody: see [`Command::comment`].
    ///
    /// # Errors
    /// As [`apply`](Self::apply). [`Error::Invalid`](crate::Error::Invalid) when the text is blank or longer than
    /// [`Command::MAX_COMMENT_BYTES`].
    pub async fn comment(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        text: impl Into<String> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::comment(by, text)).await
    }

    /// Approves one requirement for exactly the digest that the approver saw.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); also when the digest of the request has changed.
    pub async fn approve_requirement_for_digest(
        &self,
        id: impl IntoId<RequestId>,
        approval: impl IntoId<ApprovalId>,
        by: impl Into<Arc<ActorContext>> + Send,
        digest: Digest,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::approve_requirement_for_digest(by, approval.into_id()?, digest)).await
    }

    /// Approves a request directly. Not allowed while approvals are unmet; anybody can approve a request without
    /// approvals, also its requester.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn approve_request(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::approve_request(by)).await
    }

    /// Rejects a request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn reject_request(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::reject_request(by)).await
    }

    /// Makes a created or approved request wait.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn hold(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        pending: impl Into<Pending> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::hold(by, pending)).await
    }

    /// Ends the current waiting of a request, and asks for its approvals.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn request_approvals(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        expires_at: Option<Timestamp>,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::request_approvals(by, expires_at)).await
    }

    /// Approves a request although approvals are unmet: break-glass. The actor has to give a reason, and the history
    /// names the overridden approvals.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn override_approvals(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::override_approvals(by)).await
    }

    /// Cancels a request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn cancel(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::cancel(by)).await
    }

    /// Replaces a request by another request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn supersede(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        superseding: impl IntoId<RequestId>,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::supersede(by, superseding.into_id()?)).await
    }

    /// Expires a pending request, due or not; [`expire_due`](Self::expire_due) expires only due ones.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn expire(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::expire(by)).await
    }

    /// Whether an approved request fits the current version of its state, and what resolving would make of it. Stores
    /// nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such request; else as [`workflow::resolve`].
    pub async fn resolve(
        &self,
        id: impl IntoId<RequestId>,
        current: impl IntoId<StateVersion>,
        strategy: StaleStrategy,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<(Resolution, MutationRequest)> {
        let (by, current) = (by.into(), current.into_id()?);
        let request = self.load(&id.into_id()?).await?;
        workflow::resolve(request, &current, strategy, &by, self.clock.now())
    }

    /// Resolves an approved request against the current version of its state, and stores the result.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn resolve_and_store(
        &self,
        id: impl IntoId<RequestId>,
        current: impl IntoId<StateVersion>,
        strategy: StaleStrategy,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<(Resolution, MutationRequest)> {
        let request = self.apply(id, &Command::resolve(by, current.into_id()?, strategy)).await?;
        Ok((Resolution::recorded_last(&request), request))
    }
}
