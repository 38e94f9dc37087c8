//! Scheduling and revalidating.

use std::sync::Arc;

use super::{Governance, dual};
use crate::error::Result;
use crate::request::{ActorContext, IntoId, MutationRequest, RequestId, Timestamp};
use crate::workflow::Command;

/// Time and revalidation.
#[dual]
impl Governance {
    /// Sets the time before which a request is not executed, until an executor claims it; a time that has come opens it
    /// at once.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); see [`Command::schedule`].
    pub async fn schedule(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        not_before: Timestamp,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::schedule(by, not_before)).await
    }

    /// Approves a request again that waits for revalidation; its grants stay as they are.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); see [`Command::revalidate`].
    pub async fn revalidate(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::revalidate(by)).await
    }
}
