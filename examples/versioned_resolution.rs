//! Approved requests whose state has changed since: three strategies, in a synchronous program.
//!
//! `cargo run --example versioned_resolution` keeps the requests in memory; with `REDIS_URL=redis://host:port` they are
//! kept in Redis until the program ends.

mod support;

use std::process::ExitCode;

use mutator_governance::blocking::Governance;
use mutator_governance::workflow::{Completion, ExecutionOrder, ExecutionOutcome, StaleStrategy};
use mutator_governance::{
    ActorContext, ApprovalId, ApprovalRule, ClaimedRequest, Error, Intent, RequestDraft, RequestId, StateVersion,
    Target,
};
use support::stores::open_blocking;
use support::{Place, Result, finish, print};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Stale requests: three strategies", "blocking", &place);
    let governance = Governance::builder().store(open_blocking(&place)?).build();
    let walked = walk_through(&governance);
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

fn walk_through(governance: &Governance) -> Result<()> {
    print::chapter("Four price changes, each written for price list v7 and approved by Mona");
    let mut ids = Vec::new();
    for name in ["price-1", "price-2", "price-3", "price-4"] {
        let id = RequestId::new(name)?;
        file_and_approve(governance, &id)?;
        ids.push(id);
    }
    let [first, second, third, fourth] = ids.as_slice() else { return Err("four were submitted".into()) };

    print::chapter("The list is still v7");
    print::begins("price-1 is executed as approved");
    let outcome = execute(governance, first, "v7", StaleStrategy::RejectStale);
    print::execution(&outcome);

    print::chapter("Executing price-1 made v8 of the list: the other requests were written for v7");
    print::begins("price-2, strategy RejectStale");
    let outcome = execute(governance, second, "v8", StaleStrategy::RejectStale);
    print::execution(&outcome);
    print::begins("price-3, strategy RevalidateOnLatestState: the executor looks at v8 itself");
    let outcome = execute(governance, third, "v8", StaleStrategy::RevalidateOnLatestState);
    print::execution(&outcome);
    print::begins("price-4, strategy RequireRenewedApproval");
    let outcome = execute(governance, fourth, "v9", StaleStrategy::RequireRenewedApproval);
    print::execution(&outcome);

    print::chapter("Mona is asked again, for v9 this time");
    let outcome = governance.approve(fourth, mona()?.because("Fine on v9 as well"));
    print::attempt("Mona approves price-4", &outcome);
    print::begins("price-4 is executed");
    let outcome = execute(governance, fourth, "v9", StaleStrategy::RequireRenewedApproval);
    print::execution(&outcome);

    print::chapter("The history of price-4");
    print::timeline(&governance.get(fourth)?.ok_or("the request is missing")?);
    Ok(())
}

fn file_and_approve(governance: &Governance, id: &RequestId) -> Result<()> {
    let target = Target::new("prices:2026", "PriceList", "PriceChange")?;
    let rita = ActorContext::user("rita")?.named("Rita");
    let draft = RequestDraft::new(target, Intent::new("raise a price", "Sales")?, rita)
        .with_id(id.clone())
        .for_version(StateVersion::new("v7")?)
        .requires_approval(ApprovalRule::actor("mona")?.with_id(ApprovalId::new("mona")?));
    governance.submit(draft)?;
    let outcome = governance.approve(id, mona()?);
    print::attempt(&format!("Mona approves {id}"), &outcome);
    Ok(())
}

fn mona() -> Result<ActorContext> {
    Ok(ActorContext::user("mona")?.named("Mona"))
}

/// Executes a request on this version of the list, which makes the next version.
fn execute(
    governance: &Governance,
    id: &RequestId,
    current: &str,
    strategy: StaleStrategy,
) -> Result<ExecutionOutcome, Error> {
    let executor = ActorContext::service("price-service")?;
    let order = ExecutionOrder::new(executor, StateVersion::new(current)?).when_stale(strategy);
    let next = StateVersion::new(next_version(current))?;
    governance.execute(id, &order, |request: &ClaimedRequest| {
        print::note(&format!("the price service changes the list for {}", request.id));
        Ok(Completion::new().resulting_in(next))
    })
}

fn next_version(current: &str) -> String {
    let number: u32 = current.trim_start_matches('v').parse().unwrap_or(0);
    format!("v{}", number + 1)
}
