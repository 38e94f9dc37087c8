//! Resolving, claiming and executing.

use std::sync::Arc;
use std::time::Duration;

use super::{Action, AfterFailure, Command, Completion, Failure, StaleStrategy};
use crate::request::{ActorContext, ClaimId, StateVersion};

/// Execution. Commands fail with an [`ExecutionError`](crate::ExecutionError).
impl Command {
    /// Resolves an approved request against the current version of the state; see [`resolve`](crate::workflow::resolve).
    pub fn resolve(by: impl Into<Arc<ActorContext>>, current: StateVersion, strategy: StaleStrategy) -> Self {
        Self::new(Action::Resolve { current, strategy }, by)
    }

    /// Claims an approved request for execution until the lease ends; with the id of the current claim, renews its
    /// lease.
    ///
    /// Nobody else can claim, resolve or move the request until the lease ends or the claim is released. Also fails
    /// when an approval was granted, or overridden, for another digest than the request has, and with `Invalid` when
    /// the lease is zero.
    pub fn claim(by: impl Into<Arc<ActorContext>>, claim: ClaimId, lease: Duration) -> Self {
        Self::new(Action::Claim { claim, lease }, by)
    }

    /// Releases a claim without having executed the request. Fails with `ExecutionError::ClaimLost` when this claim
    /// does not hold the request.
    pub fn release(by: impl Into<Arc<ActorContext>>, claim: ClaimId) -> Self {
        Self::new(Action::Release { claim }, by)
    }

    /// Records that the request was executed under this claim. Allowed until another executor takes over, after that it
    /// fails with `ExecutionError::ClaimLost`.
    pub fn complete(by: impl Into<Arc<ActorContext>>, claim: ClaimId, completion: Completion) -> Self {
        Self::new(Action::Complete { claim, completion }, by)
    }

    /// Records that executing the request under this claim failed, and what becomes of it. Fails like
    /// [`complete`](Self::complete).
    pub fn fail(by: impl Into<Arc<ActorContext>>, claim: ClaimId, failure: Failure, then: AfterFailure) -> Self {
        Self::new(Action::Fail { claim, failure, then }, by)
    }
}
