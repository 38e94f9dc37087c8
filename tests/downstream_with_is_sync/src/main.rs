//! Both flavours in one program that also switches `maybe-async` to synchronous for its own use.

use std::error::Error;
use std::sync::Arc;

use mutator_governance::{ActorContext, ApprovalRule, Intent, RequestDraft, Target};
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let seven: u32 = made_synchronous();
    assert_eq!(seven, 7);
    submit_blocking()?;
    submit_nonblocking().await?;
    println!("downstream: both flavours submitted a request beside maybe-async/is_sync");
    Ok(())
}
