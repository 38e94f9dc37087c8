//! What runs beside the routes: the worker, the notifier and the nightly sweep.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use jiff::civil::Time;
use jiff::{ToSpan as _, ZonedDateTime};
use mutator_governance::nonblocking::{ExecutionHandler, Executor, FeedFollower, FeedHandler, Governance, async_trait};
use mutator_governance::workflow::{AfterFailure, Completion, Failure};
use mutator_governance::{
    ActorContext, ClaimedRequest, Delivery, DeliveryFailure, Error, ExecutorReport, FollowerReport, MissedEntries,
    MutationRequest, PageRequest, StateVersion, Status,
};

use crate::log;
use crate::routes::RoleGrant;

/// Stands for the directory that holds the roles: tenant, role, who has it.
#[derive(Default)]
struct Directory(Mutex<BTreeSet<(String, String, String)>>);

#[async_trait]
impl ExecutionHandler for Directory {
    async fn current_version(&self, _request: &MutationRequest) -> Result<StateVersion, Failure> {
        Ok(StateVersion::new(format!("v{}", self.0.lock()?.len()))?)
    }

    async fn execute(&self, request: &ClaimedRequest) -> Result<Completion, Failure> {
        let payload = request.payload.as_ref().ok_or_else(|| Failure::new("there is no payload"))?;
        let grant: RoleGrant = payload.read_json()?;
        // Granting twice grants once, so that a repetition after a crash does no harm.
        self.0.lock()?.insert((grant.tenant, grant.role, grant.to));
        Ok(Completion::new())
    }
}

pub fn start_worker(governance: &Governance) -> Result<Executor, Error> {
    Ok(Executor::builder(governance.clone(), ActorContext::service("worker")?)
        .handle("RoleGrant".try_into()?, Directory::default())?
        .concurrency(4)?
        .when_failed(AfterFailure::KeepApproved)
        .report_to(|report| match report {
            ExecutorReport::Ended(outcome) => {
                log(format_args!("{} is {}", outcome.request().id, outcome.request().state.status()));
            }
            other => log(format_args!("worker: {other:?}")),
        })
        .start())
}

struct Mailer;

#[async_trait]
impl FeedHandler for Mailer {
    async fn deliver(&self, delivery: &Delivery) -> Result<(), DeliveryFailure> {
        let entry = &delivery.entry;
        if let (Some(request), Status::Rejected | Status::Executed) = (delivery.request(), entry.status) {
            let (to, by) = (request.requested_by.label(), entry.by.as_ref().map_or("somebody", |by| by.label()));
            log(format_args!("mail to {to}: {} is {}, by {by}", entry.id, entry.status));
        }
        Ok(())
    }

    async fn resync(&self, missed: &MissedEntries) -> Result<(), DeliveryFailure> {
        missed.gaps.iter().for_each(|gap| log(format_args!("no mails: {gap}")));
        Ok(())
    }
}

pub fn start_notifier(governance: &Governance) -> Result<FeedFollower, Error> {
    Ok(FeedFollower::builder(governance.clone(), "mailer".try_into()?)
        .from_end()
        .report_to(|report| {
            if matches!(report, FollowerReport::NotHandled { .. } | FollowerReport::StoreFailed(_)) {
                log(format_args!("notifier: {report:?}"));
            }
        })
        .start(Mailer))
}

/// Records what has expired, at this time of every day. Until then a deadline binds all the same.
pub async fn sweep_every_night(governance: Governance, at: Time) {
    loop {
        let expired = match until_next(at, &ZonedDateTime::now()) {
            Ok(pause) => {
                tokio::time::sleep(pause).await;
                sweep(&governance).await
            }
            Err(error) => return log(format_args!("no sweeps: {error}")),
        };
        match expired {
            Ok(expired) => log(format_args!("swept: {expired} expired")),
            Err(error) => log(format_args!("sweeping failed: {error}")),
        }
    }
}

fn until_next(at: Time, now: &ZonedDateTime) -> Result<Duration, jiff::Error> {
    let today = now.with().time(at).build()?;
    let next = if today > *now { today } else { today.checked_add(1.day())? };
    now.duration_until(&next).try_into()
}

async fn sweep(governance: &Governance) -> Result<usize, Error> {
    let by = ActorContext::service("sweeper")?;
    let mut swept = governance.expire_due(by.clone(), PageRequest::MAX_LIMIT).await?;
    let mut expired = swept.expired.len();
    while let Some(after) = swept.next {
        swept = governance.expire_due_after(by.clone(), PageRequest::MAX_LIMIT, after).await?;
        expired += swept.expired.len();
    }
    Ok(expired)
}
