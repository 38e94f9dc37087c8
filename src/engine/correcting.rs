//! Sends requests back and amends them.

use std::sync::Arc;

use super::{Governance, dual};
use crate::error::Result;
use crate::request::{ActorContext, IntoId, MutationRequest, RequestId};
use crate::workflow::{Amendment, Command};

/// Correction: an approver sends a request back, and its requester amends it.
#[dual]
impl Governance {
    /// Sends a request that waits for approval back to its requester, with a reason: see [`Command::request_changes`].
    ///
    /// What somebody is to correct is found by
    /// `RequestQuery::pending_for(PendingReason::Correction).with_actor_ids([…])`.
    ///
    /// # Errors
    /// As [`approve`](Self::approve); [`Error::Invalid`](crate::Error::Invalid) when the reason is blank.
    pub async fn request_changes(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        reason: impl Into<String> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::request_changes(by, reason)).await
    }

    /// Amends a request that was sent back, and asks for all its approvals again: see [`Command::amend`].
    ///
    /// # Errors
    /// As [`apply`](Self::apply). [`Error::Correction`](crate::Error::Correction) when the request was not sent back,
    /// when somebody else submitted it, and when the amendment changes nothing.
    pub async fn amend(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        amendment: Amendment,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::amend(by, amendment)).await
    }
}
