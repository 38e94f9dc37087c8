//! The lease of an execution, as the executed function sees it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ExecutionError, Result};
use crate::request::{ClaimId, MutationRequest, Timestamp};
use crate::service::clock::Clock;

/// The time for which one executor alone may execute a request.
///
/// Cloning is cheap: give each worker a clone, and let it check the lease before each step that must not happen twice.
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

    /// How much of the lease is certainly left. Zero when it may be over.
    ///
    /// Calls no server: it uses the latest possible time of the service's clock.
    pub fn remaining(&self) -> Duration {
        self.ends_at.duration_since(self.clock.latest())
    }

    /// Whether the lease may be over, so that another executor may already be executing the request. Once true, it
    /// stays true.
    pub fn is_lost(&self) -> bool {
        self.remaining().is_zero()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("claim", &self.claim).field("ends_at", &self.ends_at).finish_non_exhaustive()
    }
}

/// A request as its executing function gets it: approved and claimed, with the lease of the claim.
#[derive(Clone, Debug)]
pub struct ClaimedRequest {
    request: MutationRequest,
    lease: Lease,
}

impl ClaimedRequest {
    /// The request with the lease of its claim.
    ///
    /// # Errors
    /// [`ExecutionError::ClaimLost`] when this claim does not hold it.
    pub(crate) fn held(request: MutationRequest, claim: ClaimId, clock: &Arc<dyn Clock>) -> Result<Self> {
        let lease_ends_at = match &request.execution.claim {
            Some(held) if held.id == claim => held.lease_ends_at,
            _ => {
                let error = ExecutionError::ClaimLost { claim, status: request.state.status() };
                return Err(Error::Execution { id: request.id.clone(), error });
            }
        };
        Ok(Self { request, lease: Lease { claim, ends_at: lease_ends_at, clock: Arc::clone(clock) } })
    }

    /// Why the request was claimed but not executed.
    pub(crate) fn nearly_over(&self) -> Error {
        let (lease_ends_at, left) = (self.lease.ends_at, self.lease.remaining());
        let error = ExecutionError::LeaseNearlyOver { lease_ends_at, left };
        Error::Execution { id: self.request.id.clone(), error }
    }

    /// The request as it was claimed.
    pub const fn request(&self) -> &MutationRequest {
        &self.request
    }

    /// The time for which this executor alone may execute it.
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
