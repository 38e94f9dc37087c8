//! The people and services of the stories.

use mutator_governance::{ActorContext, ApprovalRule, Intent, RequestDraft, RequestId, Target};

use crate::support::Result;

/// The person with this id.
pub fn person(id: &str) -> Result<ActorContext> {
    let person = ActorContext::user(id)?;
    Ok(match id {
        "rita" => person.named("Rita"),
        "mona" => person.named("Mona").with_role("manager")?,
        "leo" => person.named("Leo").with_role("lead")?,
        "lena" => person.named("Lena"),
        "sam" => person.named("Sam").with_group("security")?,
        "sue" => person.named("Sue").with_group("security")?,
        _ => person.named("Dora").with_role("director")?,
    })
}

/// The service that makes the changes.
pub fn worker() -> Result<ActorContext> {
    Ok(ActorContext::service("worker")?.named("Worker"))
}

/// The service that expires and escalates what is due.
pub fn sweeper() -> Result<ActorContext> {
    Ok(ActorContext::service("sweeper")?.named("Sweeper"))
}

/// A change that Rita asks for.
pub fn change(id: &str, state: &str, operation: &str) -> Result<RequestDraft> {
    let (kind, _) = state.split_once(':').ok_or("a state has a kind")?;
    let target = Target::new(state, kind, "Change")?;
    let draft = RequestDraft::new(target, Intent::new(operation, "Operations")?, person("rita")?);
    Ok(draft.with_id(RequestId::new(id)?))
}

/// A change that a manager has to approve.
pub fn managed(id: &str, state: &str, operation: &str) -> Result<RequestDraft> {
    Ok(change(id, state, operation)?.requires_approval(ApprovalRule::role("manager")?))
}
