//! A tenant role grant that needs a manager and then security, from a program on tokio.
//!
//! `cargo run --features tokio --example quickstart_tokio` keeps the request in memory; with
//! `REDIS_URL=redis://host:port` it is kept in Redis until the program ends.

mod support;

use std::process::ExitCode;

use mutator_governance::nonblocking::Governance;
use mutator_governance::{
    ActorContext, ApprovalId, ApprovalRule, Intent, PageRequest, RequestDraft, RequestId, RiskLevel, Target,
};
use support::stores::open_nonblocking;
use support::{Place, Result, finish, print};

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Role grant under governance", "tokio", &place);
    let governance = Governance::builder().store(open_nonblocking(&place).await?).build();
    let walked = walk_through(&governance).await;
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

async fn walk_through(governance: &Governance) -> Result<()> {
    let rita = ActorContext::user("rita")?.named("Rita").with_role("manager")?;
    let mona = ActorContext::user("mona")?.named("Mona").with_role("manager")?;
    let sam = ActorContext::user("sam")?.named("Sam").with_group("security")?;

    print::chapter("Rita asks for a role for Erin. A manager must approve, and then security.");
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    let intent = Intent::new("grant billing-admin to erin", "Access")?.with_risk(RiskLevel::High);
    let draft = RequestDraft::new(target, intent.described_as("Erin takes over billing"), rita.clone())
        .with_id(RequestId::new("grant-4711")?)
        .requires_approval(ApprovalRule::role("manager")?.with_id(ApprovalId::new("manager")?))
        .requires_approval(ApprovalRule::group("security")?.with_id(ApprovalId::new("security")?));
    let request = governance.submit(draft).await?;
    print::submitted(&request);

    print::chapter("What waits now");
    print::queue(&governance.pending(&PageRequest::first()).await?);

    print::chapter("Two attempts against the rules");
    let outcome = governance.approve(&request.id, sam.clone()).await;
    print::attempt("Sam, of security, goes first", &outcome);
    let outcome = governance.approve(&request.id, rita).await;
    print::attempt("Rita, a manager herself, approves her own request", &outcome);

    print::chapter("Two decisions by the rules");
    let outcome = governance.approve(&request.id, mona.because("Erin leads billing from May")).await;
    print::attempt("Mona, a manager, approves", &outcome);
    let outcome = governance.approve(&request.id, sam.because("Two-factor login is set up")).await;
    print::attempt("Sam, of security, approves", &outcome);

    print::chapter("What waits now");
    print::queue(&governance.pending(&PageRequest::first()).await?);

    print::chapter("The history");
    let request = governance.get(&request.id).await?.ok_or("the request is missing")?;
    print::timeline(&request);
    Ok(())
}
