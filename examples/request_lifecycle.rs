//! How a waiting request can end: it is superseded, withdrawn, or expires; in a synchronous program.
//!
//! `cargo run --example request_lifecycle` keeps the requests in memory; with `REDIS_URL=redis://host:port` they are
//! kept in Redis until the program ends.

mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use mutator_governance::blocking::{Governance, Sweeper};
use mutator_governance::{
    ActorContext, Clock, Intent, ManualClock, PageRequest, Pending, PendingReason, RequestDraft, RequestId, Target,
    Timestamp,
};
use support::stores::open_blocking;
use support::{Place, Result, finish, print};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("The life of a request", "blocking", &place);
    // The time stands still until this example moves it; a program sets no clock and uses the store's.
    let clock = Arc::new(ManualClock::at(at("09:00")?));
    let governance = Governance::builder().store(open_blocking(&place)?).clock(clock.clone()).build();
    let walked = walk_through(&governance, &clock);
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

fn walk_through(governance: &Governance, clock: &ManualClock) -> Result<()> {
    let rita = ActorContext::user("rita")?.named("Rita");
    let mona = ActorContext::user("mona")?.named("Mona");

    print::chapter("09:00 UTC: three changes wait, each for something else");
    let tonight = Pending { reason: PendingReason::Schedule, expires_at: Some(at("18:00")?) };
    let restart = governance.submit(change("restart-1", "restart", &rita)?.waiting_for(tonight))?;
    let quota = Pending { reason: PendingReason::Quota, expires_at: Some(at("12:00")?) };
    let grow = governance.submit(change("grow-1", "add ten nodes", &rita)?.waiting_for(quota))?;
    let patch = governance.submit(change("patch-1", "patch", &rita)?.waiting_for(PendingReason::ExternalCheck))?;
    for request in [&restart, &grow, &patch] {
        print::stands(request, clock.now());
    }

    print::chapter("10:00 UTC: a better patch replaces the first");
    clock.set(at("10:00")?);
    let better = governance.submit(change("patch-2", "patch and reboot", &rita)?)?;
    let by = rita.clone().because("The first patch lacked a reboot");
    let outcome = governance.supersede(&patch.id, by, better.id.clone());
    print::step("Rita supersedes patch-1", &outcome, clock.now());
    let outcome = governance.approve_request(&patch.id, mona.clone());
    print::step("Mona approves patch-1 nevertheless", &outcome, clock.now());
    let outcome = governance.approve_request(&better.id, mona);
    print::step("Mona approves patch-2", &outcome, clock.now());

    print::chapter("13:00 UTC: nobody raised the quota in time; a sweeper in the background expires the request");
    clock.set(at("13:00")?);
    let (report, reports) = channel();
    let sweeper = Sweeper::builder(governance.clone(), ActorContext::service("sweeper")?)
        .interval(Duration::from_secs(5))
        .report_to(move |swept| {
            // After the first report nobody listens.
            let _unheard = report.send(swept);
        })
        .start();
    let swept = reports.recv()??;
    sweeper.stop()?;
    for id in &swept.expired {
        print::note(&format!("the sweeper expired {id}"));
    }

    print::chapter("14:00 UTC: the restart is no longer needed");
    clock.set(at("14:00")?);
    let outcome = governance.cancel(&restart.id, rita.clone().because("The patch reboots anyway"));
    print::step("Rita withdraws it", &outcome, clock.now());
    let outcome = governance.cancel(&restart.id, rita);
    print::step("Rita withdraws it again", &outcome, clock.now());

    print::chapter("What waits now");
    print::queue(&governance.pending(&PageRequest::first())?);
    for id in [&patch.id, &grow.id, &restart.id] {
        print::chapter(&format!("The history of {id}"));
        print::timeline(&governance.get(id)?.ok_or("the request is missing")?);
    }
    Ok(())
}

fn change(id: &str, operation: &str, by: &ActorContext) -> Result<RequestDraft> {
    let target = Target::new("cluster:eu-1", "Cluster", "Maintenance")?;
    let draft = RequestDraft::new(target, Intent::new(operation, "Infrastructure")?, by.clone());
    Ok(draft.with_id(RequestId::new(id)?))
}

/// This time on the day of the example.
fn at(time: &str) -> Result<Timestamp> {
    Ok(format!("2026-05-04T{time}:00Z").parse()?)
}
