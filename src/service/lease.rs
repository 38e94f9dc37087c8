//! The lease of an execution, as the executed function sees it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, ExecutionError, Result};
use crate::request::{ClaimId, MutationRequest, Timestamp};
use crate::service::clock::Clock;

/// The time for which one executor alone may execute a request. It grows while the executor renews it.
///
/// Cloning is cheap: give each worker a clone, and let it check the lease before each step that must not happen twice.
#[derive(Clone)]
pub struct Lease {
    claim: ClaimId,
    /// An [`End`], which all clones share.
    end: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

impl Lease {
    /// The claim that the lease belongs to.
    pub const fn claim(&self) -> ClaimId {
        self.claim
    }

    /// From this time on, by the clock of the store, another executor may take over.
    pub fn ends_at(&self) -> Timestamp {
        End(self.end.load(Ordering::Relaxed)).time()
    }

    /// How much of the lease is certainly left. Zero when it may be over.
    ///
    /// Calls no server: it uses the latest possible time of the service's clock.
    pub fn remaining(&self) -> Duration {
        loop {
            let end = End(self.end.load(Ordering::Relaxed));
            if end.is_lost() {
                return Duration::ZERO;
            }
            let left = end.time().duration_since(self.clock.latest());
            if !left.is_zero() || self.replace(end, end.lost()) {
                return left;
            }
        }
    }

    /// Whether the lease may be over, so that another executor may already be executing the request. Once true, it
    /// stays true.
    pub fn is_lost(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Moves the end, unless the lease is lost; returns whether it did.
    pub(crate) fn renew_until(&self, time: Timestamp) -> bool {
        let end = End(self.end.load(Ordering::Relaxed));
        !self.is_lost() && !end.is_lost() && self.replace(end, End::at(time))
    }

    /// Nobody renews it any longer, because somebody else holds the request.
    pub(crate) fn lose(&self) {
        self.end.fetch_or(End::LOST, Ordering::Relaxed);
    }

    fn replace(&self, end: End, new: End) -> bool {
        self.end.compare_exchange(end.0, new.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The end of a lease and whether it is lost, in one number: twice the microseconds, plus one if it is.
#[derive(Clone, Copy)]
struct End(u64);

impl End {
    const LOST: u64 = 1;

    const fn at(time: Timestamp) -> Self {
        Self(time.as_micros() << 1)
    }

    const fn lost(self) -> Self {
        Self(self.0 | Self::LOST)
    }

    const fn is_lost(self) -> bool {
        self.0 & Self::LOST != 0
    }

    fn time(self) -> Timestamp {
        Timestamp::MIN.saturating_add(Duration::from_micros(self.0 >> 1))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("claim", &self.claim).field("ends_at", &self.ends_at()).finish_non_exhaustive()
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
        let end = Arc::new(AtomicU64::new(End::at(lease_ends_at).0));
        Ok(Self { request, lease: Lease { claim, end, clock: Arc::clone(clock) } })
    }

    /// Why the request was claimed but not executed.
    pub(crate) fn nearly_over(&self) -> Error {
        let (lease_ends_at, left) = (self.lease.ends_at(), self.lease.remaining());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::clock::ManualClock;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::MIN.saturating_add(Duration::from_secs(seconds))
    }

    fn lease(clock: &Arc<ManualClock>) -> Lease {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
        Lease { claim: ClaimId::generate(), end: Arc::new(AtomicU64::new(End::at(at(60)).0)), clock }
    }

    #[test]
    fn a_renewal_reaches_every_clone() {
        let clock = Arc::new(ManualClock::at(at(0)));
        let lease = lease(&clock);
        let seen = lease.clone();
        clock.set(at(59));
        assert!(lease.renew_until(at(119)));
        assert_eq!((seen.ends_at(), seen.remaining(), seen.is_lost()), (at(119), Duration::from_secs(60), false));
    }

    #[test]
    fn what_is_lost_stays_lost() {
        let clock = Arc::new(ManualClock::at(at(60)));
        let late = lease(&clock);
        assert!(!late.renew_until(at(120)), "the renewal comes at the end");
        clock.set(at(0));
        assert!(late.is_lost(), "also when the clock is set back");
        let taken = lease(&clock);
        taken.lose();
        assert!(taken.is_lost() && !taken.renew_until(at(120)));
        assert_eq!(taken.ends_at(), at(60));
    }

    /// Whoever has once seen it lost never sees it renewed.
    #[test]
    fn a_renewal_that_races_with_the_end_is_in_time_or_not_at_all() {
        for _ in 0..2_000 {
            let clock = Arc::new(ManualClock::at(at(59)));
            let lease = lease(&clock);
            std::thread::scope(|scope| {
                scope.spawn(|| clock.set(at(60)));
                scope.spawn(|| lease.renew_until(at(119)));
                let was_lost = lease.is_lost();
                assert!(!was_lost || lease.is_lost());
            });
        }
    }
}
