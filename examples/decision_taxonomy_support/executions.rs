//! Stories about execution, about versions of the state, and about what people say.

use std::time::Duration;

use mutator_governance::workflow::{
    AfterFailure, Amendment, Command, Completion, ExecutionOrder, Failure, StaleStrategy,
};
use mutator_governance::{ClaimId, CompensationKind, CompensationPlan, CompensationTrigger, RequestId, StateVersion};

use super::people::{change, managed, person, worker};
use super::story::Diary;
use crate::support::Result;

/// Adds the stories.
pub fn tell(diary: &mut Diary) -> Result<()> {
    executed_and_undone(diary)?;
    corrected(diary)?;
    revalidated(diary)?;
    renewed(diary)?;
    stale(diary)
}

fn executed_and_undone(diary: &mut Diary) -> Result<()> {
    diary.begin("A change is approved, fails once, is executed, and undone", &["flag-1", "flag-1-undo"])?;
    diary.submitted(managed("flag-1", "flags:shop", "switch on checkout-v2")?);
    diary.did("flag-1", Command::comment(person("sam")?, "The load test has passed"))?;
    diary.did("flag-1", Command::approve(person("mona")?.because("Tested on staging")))?;
    let tonight = diary.in_hours(9);
    diary.did("flag-1", Command::schedule(person("mona")?.because("Not while the shop is busy"), tonight))?;
    diary.hours_pass(9);
    let claim = ClaimId::generate();
    diary.did("flag-1", Command::claim(worker()?, claim, Duration::from_secs(300)))?;
    diary.did("flag-1", Command::release(worker()?.because("The worker is updated"), claim))?;
    let order = order("v1")?.when_failed(AfterFailure::KeepApproved);
    diary.executed("flag-1", order.clone(), Err(Failure::new("the flag service cannot be reached")))?;
    diary.executed("flag-1", order, done("v2"))?;

    let original = RequestId::new("flag-1")?;
    let plan = CompensationPlan::new(original, CompensationKind::Rollback, CompensationTrigger::Operator);
    diary.submitted(managed("flag-1-undo", "flags:shop", "switch off checkout-v2")?.compensating(plan));
    diary.did("flag-1-undo", Command::approve(person("mona")?.because("Orders go down")))?;
    diary.executed("flag-1-undo", order_at("v2", StaleStrategy::RejectStale)?, done("v3"))
}

fn corrected(diary: &mut Diary) -> Result<()> {
    diary.begin("An approver asks for a change, and the requester makes it", &["role-1"])?;
    diary.submitted(managed("role-1", "tenant:acme", "grant billing admin to Sue")?);
    diary.did("role-1", Command::request_changes(person("mona")?, "For how long?"))?;
    let amendment = Amendment::new().description("Until the end of May");
    diary.did("role-1", Command::amend(person("rita")?, amendment))?;
    diary.did("role-1", Command::approve(person("mona")?))
}

fn revalidated(diary: &mut Diary) -> Result<()> {
    diary.begin("The state has changed since, and the change is checked against its new version", &["limit-1"])?;
    diary.submitted(managed("limit-1", "limits:acme", "raise the limit by 10 %")?.for_version(version("v7")?));
    diary.did("limit-1", Command::approve(person("mona")?))?;
    diary.executed("limit-1", order_at("v8", StaleStrategy::RevalidateOnLatestState)?, done("v9"))
}

fn renewed(diary: &mut Diary) -> Result<()> {
    diary.begin("The state has changed since, and the approvers are asked again", &["limit-2"])?;
    diary.submitted(managed("limit-2", "limits:beta", "set the limit to 10,000")?.for_version(version("v3")?));
    diary.did("limit-2", Command::approve(person("mona")?))?;
    diary.executed("limit-2", order_at("v4", StaleStrategy::RequireRenewedApproval)?, done("v5"))?;
    diary.did("limit-2", Command::approve(person("mona")?.because("Still right for v4")))?;
    diary.executed("limit-2", order_at("v4", StaleStrategy::RequireRenewedApproval)?, done("v5"))
}

fn stale(diary: &mut Diary) -> Result<()> {
    diary.begin("The state has changed since, and the change is rejected", &["limit-3"])?;
    let draft = change("limit-3", "limits:gamma", "double the limit")?.for_version(version("v1")?);
    diary.submitted(draft.already_approved());
    diary.executed("limit-3", order_at("v2", StaleStrategy::RejectStale)?, done("v3"))
}

fn order(current: &str) -> Result<ExecutionOrder> {
    Ok(ExecutionOrder::new(worker()?, version(current)?))
}

fn order_at(current: &str, strategy: StaleStrategy) -> Result<ExecutionOrder> {
    Ok(order(current)?.when_stale(strategy))
}

fn done(resulting: &str) -> Result<Completion, Failure> {
    let version = StateVersion::new(resulting).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Completion::new().resulting_in(version))
}

fn version(text: &str) -> Result<StateVersion> {
    Ok(StateVersion::new(text)?)
}
