//! Renews the lease of a claim beside the function that executes the request.

use std::time::{Duration, Instant};

use super::super::background::{Background, StopSignal};
use super::{Governance, dual};
use crate::error::{Error, Result};
use crate::request::MutationRequest;
use crate::service::lease::{ClaimedRequest, Lease};
use crate::service::on_conflict::Rebases;
use crate::workflow::{self, ExecutionOrder};

/// Of a lease of nine minutes, the first renewal comes after three, and a failed one is repeated after one.
const RENEWALS: u32 = 3;
const REPETITIONS: u32 = 9;

/// The renewals of one claim.
struct Renewals {
    governance: Governance,
    order: ExecutionOrder,
    lease: Lease,
    stop: StopSignal,
}

/// Starts to renew the lease; dropping what it returns stops that. In the asynchronous flavour, call it within the
/// runtime.
pub(super) fn renew(governance: &Governance, claimed: &ClaimedRequest, order: &ExecutionOrder) -> Background {
    let (governance, order, lease) = (governance.clone(), order.clone(), claimed.lease().clone());
    let request = claimed.request().clone();
    Background::start(move |stop| Renewals { governance, order, lease, stop }.until_stopped(request))
}

#[dual]
impl Renewals {
    async fn until_stopped(self, mut request: MutationRequest) {
        let began = Instant::now();
        let (regular, repeated) = (self.order.lease() / RENEWALS, self.order.lease() / REPETITIONS);
        let mut rest = regular;
        while !self.ends_within(rest, began).await {
            rest = match self.renew_once(&request).await {
                Ok(renewed) => {
                    request = renewed;
                    regular
                }
                // Somebody has taken over, or the answer came when the lease was over.
                Err(Error::Execution { .. }) => {
                    self.lease.lose();
                    return;
                }
                Err(_) => repeated,
            };
        }
    }

    /// Waits; returns whether the renewals end instead of the next one.
    async fn ends_within(&self, rest: Duration, began: Instant) -> bool {
        self.stop.wait(rest).await || began.elapsed() > self.order.renewed_for() || self.lease.is_lost()
    }

    async fn renew_once(&self, request: &MutationRequest) -> Result<MutationRequest> {
        let claim = self.lease.claim();
        let renew = self.order.claim(claim);
        let renew = |request, now| workflow::apply(request, &renew, now);
        let renewed = self.governance.change(request.clone(), Rebases::persistent(), &renew).await?;
        let renewed = ClaimedRequest::held(renewed, claim, &self.governance.clock)?;
        if !self.lease.renew_until(renewed.lease().ends_at()) {
            return Err(renewed.nearly_over());
        }
        Ok(renewed.into_request())
    }
}
