//! Both flavours in one program that also switches `maybe-async` to synchronous for its own use, and reads numbers of
//! any precision from JSON.

use std::error::Error;
use std::sync::Arc;

use mutator_governance::{
    ActorContext, ApprovalRule, Intent, MutationRequest, Payload, Rejection, RequestDraft, Target,
};
use mutator_governance::{blocking, nonblocking};

/// Synchronous only because `maybe-async/is_sync` is on: proof that the switch is really thrown.
#[maybe_async::maybe_async]
async fn made_synchronous() -> u32 {
    7
}

fn draft() -> Result<RequestDraft, Box<dyn Error>> {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("ada")?);
    Ok(draft.requires_approval(ApprovalRule::role("manager")?))
}

fn submit_blocking() -> Result<(), Box<dyn Error>> {
    let governance = blocking::Governance::builder().store(Arc::new(blocking::MemoryStore::new())).build();
    let request = governance.submit(draft()?)?;
    assert!(governance.get(&request.id)?.is_some());
    Ok(())
}

async fn submit_nonblocking() -> Result<(), Box<dyn Error>> {
    let governance = nonblocking::Governance::builder().store(Arc::new(nonblocking::MemoryStore::new())).build();
    let request = governance.submit(draft()?).await?;
    assert!(governance.get(&request.id).await?.is_some());
    Ok(())
}

/// Numbers everywhere they can be: in metadata, a payload, a failed approval, revisions and steps.
fn read_json() -> Result<(), Box<dyn Error>> {
    let governance = blocking::Governance::builder().store(Arc::new(blocking::MemoryStore::new())).build();
    let mut draft = serde_json::to_value(draft()?)?;
    draft["metadata"] =
        serde_json::from_str(r#"{"integer":3,"float":2.5,"whole":{"$float":"3.0"},"list":[1,{"a":0.5}]}"#)?;
    draft["payload"] = serde_json::from_str(r#"{"content_type":"application/json","json":{"limit":250,"ratio":0.5}}"#)?;
    draft["intent"]["blast_radius"] = serde_json::from_str(r#"{"scope":"Module","estimated_count":12}"#)?;
    let request = governance.submit(serde_json::from_str(&draft.to_string())?)?;
    assert_eq!(request.payload.as_ref().map(Payload::bytes), Some(&br#"{"limit":250,"ratio":0.5}"#[..]));
    let mut rejection = Rejection::new("policy", "Not before the audit");
    rejection.metadata.insert("days", 7)?;
    let by = ActorContext::user("mona")?.with_role("manager")?;
    let request = governance.reject_requirement(&request.id, &request.approvals[0].id, by, Some(rejection))?;
    let json = serde_json::to_string(&request)?;
    assert_eq!(serde_json::from_str::<MutationRequest>(&json)?, request, "{json}");
    assert_eq!(serde_json::from_value::<MutationRequest>(serde_json::from_str(&json)?)?, request);
    assert_eq!(serde_json::to_string(&serde_json::from_str::<MutationRequest>(&json)?)?, json);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let seven: u32 = made_synchronous();
    assert_eq!(seven, 7);
    submit_blocking()?;
    submit_nonblocking().await?;
    read_json()?;
    println!("downstream: both flavours submitted a request beside maybe-async/is_sync");
    Ok(())
}
