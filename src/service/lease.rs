//! The lease of an execution, as the function that is executed sees it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ExecutionError, Result};
use crate::request::{ClaimId, MutationRequest, Timestamp};
use crate::service::clock::Clock;

/// For how long one executor alone may execute a request.
///
/// Cloning is cheap: give a clone to whatever works on its own, and have it ask before each step that must not be made twice.
#[derive(Clone)]
pub struct Lease {
    claim: ClaimId,
    ends_at: Timestamp,
    clock: Arc<dyn Clock>,
}

impl Lease {
    /// The claim that the lease belongs to.
    pub const fn claim(&self) -> ClaimId {
        self.claim
    }

    /// From this time on, by the clock of the store, another executor may take over.
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// How much of the lease is left for certain. Zero when it may be over.
    ///
    /// Asks no server: the clock is the one the service works with, its latest possible time.
    pub fn remaining(&self) -> Duration {
        self.ends_at.duration_since(self.clock.latest())
    }

    /// Whether the lease may be over, so that another executor may be executing the request already. True from then on.
    pub fn is_lost(&self) -> bool {
        self.remaining().is_zero()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("claim", &self.claim).field("ends_at", &self.ends_at).finish_non_exhaustive()
    }
}

/// A request as the function that executes it gets it: approved and claimed, with the lease of the claim.
#[derive(Clone, Debug)]
pub struct ClaimedRequest {
    request: MutationRequest,
    lease: Lease,
}

impl ClaimedRequest {
    /// The request with the lease it is held by.
    ///
    /// # Errors
    /// [`ExecutionError::ClaimLost`] when it is not held by this claim.
    pub(crate) fn held(request: MutationRequest, claim: ClaimId, clock: &Arc<dyn Clock>) -> Result<Self> {
        let lease_ends_at = match &request.execution.claim {
            Some(held) if held.id == claim => held.lease_ends_at,
            _ => {
                let refusal = ExecutionError::ClaimLost { claim, status: request.state.status() };
                return Err(Error::Execution { id: request.id.clone(), refusal: Box::new(refusal) });
            }
        };
        Ok(Self { request, lease: Lease { claim, ends_at: lease_ends_at, clock: Arc::clone(clock) } })
    }

    /// Why the request was not executed although it was claimed.
    pub(crate) fn nearly_over(&self) -> Error {
        let (lease_ends_at, left) = (self.lease.ends_at, self.lease.remaining());
        let refusal = ExecutionError::LeaseNearlyOver { lease_ends_at, left };
        Error::Execution { id: self.request.id.clone(), refusal: Box::new(refusal) }
    }

    /// The request as it was claimed.
    pub const fn request(&self) -> &MutationRequest {
        &self.request
    }

    /// For how long this executor alone may execute it.
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(crate) fn into_request(self) -> MutationRequest {
        self.request
    }
}

impl Deref for ClaimedRequest {
    type Target = MutationRequest;

    fn deref(&self) -> &MutationRequest {
        &self.request
    }
}
