//! Amending approvals: one method for each command.

use std::sync::Arc;

use super::{Governance, dual};
use crate::error::Result;
use crate::request::{
    ActorContext, ActorId, ApprovalId, ApprovalRule, ApprovalTarget, IntoId, MutationRequest, RequestId,
};
use crate::workflow::Command;

/// Amending the approvals of a pending request. Each needs an actor with an id who gives a
/// [reason](ActorContext::because).
#[dual]
impl Governance {
    /// Hands on an approval to another person, who decides it in place of those it was addressed to; see
    /// [`Command::delegate`].
    ///
    /// # Errors
    /// As [`apply`](Self::apply). [`AmendmentError`](crate::AmendmentError) says why it cannot go to that person.
    pub async fn delegate(
        &self,
        id: impl IntoId<RequestId>,
        approval: impl IntoId<ApprovalId>,
        by: impl Into<Arc<ActorContext>> + Send,
        to: impl IntoId<ActorId>,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::delegate(by, approval.into_id()?, to.into_id()?)).await
    }

    /// Addresses an approval to others, in place of those it was addressed to; see [`Command::reassign`].
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn reassign(
        &self,
        id: impl IntoId<RequestId>,
        approval: impl IntoId<ApprovalId>,
        by: impl Into<Arc<ActorContext>> + Send,
        target: ApprovalTarget,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::reassign(by, approval.into_id()?, target)).await
    }

    /// Adds the approvals of a rule to a pending request; see [`Command::add_approval`].
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn add_approval(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        rule: ApprovalRule,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::add_approval(by, rule)).await
    }

    /// Removes an approval that is neither mandatory nor the last that is not met; see [`Command::remove_approval`].
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn remove_approval(
        &self,
        id: impl IntoId<RequestId>,
        approval: impl IntoId<ApprovalId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::remove_approval(by, approval.into_id()?)).await
    }
}
