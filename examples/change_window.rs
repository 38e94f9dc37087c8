//! A change waits for its window, fails there and is tried again; another misses its window; in a synchronous program.
//!
//! `cargo run --example change_window` keeps the requests in memory; with `REDIS_URL=redis://host:port` they are kept in
//! Redis until the program ends.

mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mutator_governance::blocking::Governance;
use mutator_governance::workflow::{Completion, ExecutionOrder, ExecutionOutcome, Failure};
use mutator_governance::{
    ActorContext, ApprovalRule, ClaimedRequest, Error, Intent, ManualClock, PageRequest, ReadyQuery, RequestDraft,
    RequestId, RetryPolicy, StateVersion, Target, Timestamp,
};
use support::stores::open_blocking;
use support::{Place, Result, finish, print};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Change windows: not before, valid for, retries", "blocking", &place);
    // The time stands still until the story moves it; a program sets no clock and uses the store's.
    let clock = Arc::new(ManualClock::at("2026-03-06T15:00:00Z".parse()?));
    let governance = Governance::builder().store(open_blocking(&place)?).clock(clock.clone()).build();
    let walked = walk_through(&governance, &clock);
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

fn walk_through(governance: &Governance, clock: &ManualClock) -> Result<()> {
    let olga = ActorContext::user("olga")?.named("Olga").with_role("operator")?;
    let mona = ActorContext::user("mona")?.named("Mona").with_role("manager")?;
    let afternoon = clock_time(governance);

    print::chapter("15:00. A database is to be upgraded at 22:00, and not after 3:00. A manager approves that.");
    let request = governance.submit(upgrade("orders", &olga, afternoon)?)?;
    let outcome = governance.approve(&request.id, mona.clone());
    print::step("Mona approves", &outcome, clock_time(governance));
    print::begins("The executor comes too early");
    print::execution_at(&execute(governance, &request.id, true), clock_time(governance));

    print::chapter("Trade goes on for longer: the window is closed, and opened an hour later.");
    let outcome = governance.schedule(&request.id, olga.clone(), afternoon.saturating_add(8 * HOUR));
    print::step("Olga schedules it for 23:00", &outcome, clock_time(governance));
    clock.set(afternoon.saturating_add(7 * HOUR));
    print_ready(governance, "At 22:00")?;
    clock.set(afternoon.saturating_add(8 * HOUR));
    print_ready(governance, "At 23:00")?;

    print::chapter("The first attempt fails. It is tried again after 10 minutes, then after 20, and then rejected.");
    print::begins("The executor tries it");
    print::execution_at(&execute(governance, &request.id, false), clock_time(governance));
    clock.advance(5 * MINUTE);
    print::begins("5 minutes later");
    print::execution_at(&execute(governance, &request.id, false), clock_time(governance));
    let statistics = governance.statistics(&[])?;
    print::note(&format!("ready: {}, failing: {}", statistics.ready, statistics.failing));
    clock.advance(5 * MINUTE);
    print::begins("10 minutes later");
    print::execution_at(&execute(governance, &request.id, true), clock_time(governance));

    print::chapter("The next day another database is to be upgraded, but no executor runs. Its approval ends at 3:00.");
    clock.set(afternoon.saturating_add(24 * HOUR));
    let late = governance.submit(upgrade("stock", &olga, clock_time(governance))?)?;
    governance.approve(&late.id, mona)?;
    clock.advance(12 * HOUR);
    print::begins("The executor comes at 3:00");
    print::execution_at(&execute(governance, &late.id, true), clock_time(governance));
    let swept = governance.expire_due(ActorContext::system(), 100)?;
    print::note(&format!("the sweep expires {} request", swept.expired.len()));

    print::chapter("The history of the first");
    let request = governance.get(&request.id)?.ok_or("the request is missing")?;
    print::timeline(&request);
    print::chapter("The history of the second");
    let late = governance.get(&late.id)?.ok_or("the request is missing")?;
    print::timeline(&late);
    Ok(())
}

/// An upgrade from 7 hours from now on, while its approval is valid: 12 hours.
fn upgrade(database: &str, by: &ActorContext, now: Timestamp) -> Result<RequestDraft> {
    let target = Target::new(format!("database:{database}"), "Database", "Upgrade")?;
    let draft = RequestDraft::new(target, Intent::new("upgrade", "Operations")?, by.clone())
        .with_id(RequestId::new(format!("upgrade-{database}"))?)
        .requires_approval(ApprovalRule::role("manager")?)
        .not_before(now.saturating_add(7 * HOUR))
        .valid_for(12 * HOUR)?
        .retrying(RetryPolicy::new(3)?.pauses(10 * MINUTE, HOUR)?);
    Ok(draft)
}

fn execute(governance: &Governance, id: &RequestId, works: bool) -> Result<ExecutionOutcome, Error> {
    let order = ExecutionOrder::new(ActorContext::service("upgrader")?, StateVersion::new("16")?);
    governance.execute(id, &order, |request| upgrade_database(request, works))
}

fn upgrade_database(_request: &ClaimedRequest, works: bool) -> Result<Completion, Failure> {
    match works {
        true => Ok(Completion::new().resulting_in(StateVersion::new("17")?)),
        false => Err(Failure::new("the replica is 40 s behind").with_code("replica-lag")),
    }
}

fn print_ready(governance: &Governance, when: &str) -> Result<()> {
    let ready = governance.ready(&ReadyQuery::new(), &PageRequest::first())?;
    let names: Vec<&str> = ready.items.iter().map(|request| request.id.as_str()).collect();
    print::begins(&format!("{when}, ready for executors: {}", if names.is_empty() { "none" } else { &*names[0] }));
    Ok(())
}

fn clock_time(governance: &Governance) -> Timestamp {
    governance.clock().now()
}
