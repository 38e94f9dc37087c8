//! Shared by the two flavours of `delegation_and_absence`: the people, the drafts, and who may decide.

#![allow(unreachable_pub, reason = "each flavour uses this module for itself")]

use std::time::Duration;

use mutator_governance::{
    ActorContext, ApprovalId, ApprovalRule, ApprovalTarget, Intent, RequestDraft, RequestId, Target,
};

use crate::support::Result;

/// After this time a director may decide too.
pub const FOUR_HOURS: Duration = Duration::from_secs(4 * 60 * 60);

/// The person with this id, as the application's login knows them.
pub fn person(id: &str) -> Result<ActorContext> {
    let person = ActorContext::user(id)?;
    Ok(match id {
        "bob" => person.named("Bob"),
        "dora" => person.named("Dora"),
        "erin" => person.named("Erin"),
        "sam" => person.named("Sam"),
        "tara" => person.named("Tara"),
        "uma" => person.named("Uma"),
        "leo" => person.named("Leo").with_role("lead")?,
        "mona" => person.named("Mona").with_role("administrator")?,
        _ => person.named("Nora").with_role("director")?,
    })
}

/// Dora, as the application sends her while its calendar says that she stands in for Bob.
pub fn dora_for_bob() -> Result<ActorContext> {
    Ok(person("dora")?.acting_for("bob", "Bob's deputy until 2026-05-08")?)
}

/// A role grant that Bob has to approve.
pub fn grant(id: &str, operation: &str, by: &str) -> Result<RequestDraft> {
    let bob = ApprovalRule::actor("bob")?.with_id(ApprovalId::new("manager")?);
    Ok(change(id, "tenant:acme", operation, by)?.requires_approval(bob))
}

/// A move that Sam has to approve, without exception, and then a lead. If no lead decides within four
/// hours, a director may.
pub fn move_database() -> Result<RequestDraft> {
    let owner = ApprovalRule::actor("sam")?.mandatory().with_id(ApprovalId::new("owner")?);
    let lead = ApprovalRule::role("lead")?.escalates_after(FOUR_HOURS, ApprovalTarget::role("director")?)?;
    let lead = lead.with_id(ApprovalId::new("lead")?);
    let draft = change("move-billing", "database:billing", "move to the new cluster", "erin")?;
    Ok(draft.requires_approval(owner).requires_approval(lead))
}

fn change(id: &str, state: &str, operation: &str, by: &str) -> Result<RequestDraft> {
    let target = Target::new(state, "Resource", "Change")?;
    let draft = RequestDraft::new(target, Intent::new(operation, "Operations")?, person(by)?);
    Ok(draft.with_id(RequestId::new(id)?))
}
