//! Approve a change, execute it, and roll it back by a compensation; on tokio.
//!
//! `cargo run --features tokio --example governed_execution_tokio` keeps the requests in memory; with
//! `REDIS_URL=redis://host:port` they are kept in Redis until the program ends.

mod support;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Mutex;

use mutator_governance::nonblocking::Governance;
use mutator_governance::workflow::{
    AfterFailure, Completion, ExecutionOrder, ExecutionOutcome, Failure, compensation_draft,
};
use mutator_governance::{
    ActorContext, ApprovalRule, ClaimedRequest, CompensationKind, CompensationPlan, CompensationTrigger, Error, Intent,
    MutationRequest, Payload, RequestDraft, RequestId, Severity, SideEffect, StateVersion, Target, Timestamp,
};
use support::stores::open_nonblocking;
use support::{Place, Result, finish, print, say};

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Governed execution and rollback", "tokio", &place);
    let governance = Governance::builder().store(open_nonblocking(&place).await?).build();
    let walked = walk_through(&governance).await;
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

/// The governed state: the feature flags of a shop, and how often they were changed.
struct Flags {
    on: BTreeSet<String>,
    changes: u32,
    is_reachable: bool,
}

async fn walk_through(governance: &Governance) -> Result<()> {
    let rita = ActorContext::user("rita")?.named("Rita");
    let mona = ActorContext::user("mona")?.named("Mona").with_role("owner")?;
    let flags = Mutex::new(Flags { on: BTreeSet::from(["search".to_owned()]), changes: 1, is_reachable: false });
    show(&flags);

    print::chapter("Rita wants to switch a feature on; an owner has to approve");
    let target = Target::new("flags:shop", "FeatureFlags", "FlagChange")?;
    let draft = RequestDraft::new(target, Intent::new("switch on checkout-v2", "Features")?, rita.clone())
        .with_id(RequestId::new("flag-1")?)
        .with_payload(Payload::new("text/plain", b"checkout-v2=on".to_vec())?)
        .for_version(version(&flags)?)
        .requires_approval(ApprovalRule::role("owner")?);
    let request = governance.submit(draft).await?;
    print::begins("The flag service tries at once");
    let outcome = execute(governance, &request.id, &flags).await;
    print::execution(&outcome);
    let outcome = governance.approve(&request.id, mona.clone()).await;
    print::attempt("Mona, an owner, approves", &outcome);

    print::chapter("Approved, it is executed once");
    print::begins("The flag service tries while its database is away");
    let outcome = execute(governance, &request.id, &flags).await;
    print::execution(&outcome);
    set_reachable(&flags);
    print::begins("The flag service tries again");
    let outcome = execute(governance, &request.id, &flags).await;
    print::execution(&outcome);
    print::begins("The flag service, restarted, tries once more");
    let outcome = execute(governance, &request.id, &flags).await;
    print::execution(&outcome);
    show(&flags);

    print::chapter("Orders go down. Rita asks for a rollback, which is a request of its own");
    let original = governance.get(&request.id).await?.ok_or("the request is missing")?;
    let plan = CompensationPlan::new(original.id.clone(), CompensationKind::Rollback, CompensationTrigger::Operator);
    let draft = compensation_draft(&original, plan, Intent::new("switch off checkout-v2", "Features")?, rita)?
        .with_id(RequestId::new("flag-1-undo")?)
        .with_payload(Payload::new("text/plain", b"checkout-v2=off".to_vec())?)
        .requires_approval(ApprovalRule::role("owner")?);
    let undo = governance.submit(draft).await?;
    let outcome = governance.approve(&undo.id, mona.because("Orders go down")).await;
    print::attempt("Mona approves", &outcome);
    print::begins("The flag service executes it");
    let outcome = execute(governance, &undo.id, &flags).await;
    print::execution(&outcome);
    show(&flags);

    print::chapter("The history of the change");
    print::timeline(&governance.get(&request.id).await?.ok_or("the request is missing")?);
    print::chapter("The history of its rollback");
    print::timeline(&governance.get(&undo.id).await?.ok_or("the request is missing")?);
    Ok(())
}

/// Lets the flag service execute a request. If the service fails, the request stays approved.
async fn execute(governance: &Governance, id: &RequestId, flags: &Mutex<Flags>) -> Result<ExecutionOutcome, Error> {
    let service = ActorContext::service("flag-service")?;
    let order = ExecutionOrder::new(service, version(flags)?).when_failed(AfterFailure::KeepApproved);
    governance.execute(id, &order, async |request: &ClaimedRequest| switch(request, flags)).await
}

/// The change itself, which knows nothing of approvals. It sets the flag of the payload and toggles nothing, so it can be
/// repeated: a service that dies between the change and its recording makes the change again.
fn switch(request: &MutationRequest, flags: &Mutex<Flags>) -> Result<Completion, Failure> {
    let mut flags = flags.lock()?;
    if !flags.is_reachable {
        return Err(Failure::new("the database of the flags cannot be reached").with_code("UNREACHABLE"));
    }
    let payload = request.payload.as_ref().ok_or_else(|| Failure::new("the request names no flag"))?;
    let changed = match String::from_utf8_lossy(payload.bytes()).split_once('=') {
        Some((flag, "on")) => flags.on.insert(flag.to_owned()),
        Some((flag, "off")) => flags.on.remove(flag),
        _ => return Err(Failure::new("the payload is neither FLAG=on nor FLAG=off")),
    };
    flags.changes += u32::from(changed);
    let invalid = |error: mutator_governance::InvalidValue| Failure::new(error.to_string());
    let effect = SideEffect::new("CacheDropped", "the flag cache was dropped", Severity::Info, Timestamp::now());
    let completion = Completion::new().with_side_effect(effect.map_err(invalid)?);
    Ok(completion.resulting_in(StateVersion::new(format!("v{}", flags.changes)).map_err(invalid)?))
}

fn version(flags: &Mutex<Flags>) -> Result<StateVersion, mutator_governance::InvalidValue> {
    StateVersion::new(flags.lock().map_or_else(|_| String::new(), |flags| format!("v{}", flags.changes)))
}

fn set_reachable(flags: &Mutex<Flags>) {
    if let Ok(mut flags) = flags.lock() {
        flags.is_reachable = true;
    }
}

fn show(flags: &Mutex<Flags>) {
    if let Ok(flags) = flags.lock() {
        let on: Vec<_> = flags.on.iter().map(String::as_str).collect();
        say!("\nFlags v{}: {}", flags.changes, on.join(", "));
    }
}
