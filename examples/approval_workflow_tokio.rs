//! Approvals in order: a lead, then two security engineers, then a director; on tokio.
//!
//! `cargo run --features tokio --example approval_workflow_tokio` keeps the requests in memory; with
//! `REDIS_URL=redis://host:port` they are kept in Redis until the program ends.

mod support;

use std::process::ExitCode;

use mutator_governance::nonblocking::Governance;
use mutator_governance::{
    ActorContext, ApprovalId, ApprovalRule, ApprovalTarget, Intent, Rejection, RequestDraft, RequestId, RiskLevel,
    Target,
};
use support::stores::open_nonblocking;
use support::{Place, Result, finish, print};

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Approvals: steps, quorum, roles", "tokio", &place);
    let governance = Governance::builder().store(open_nonblocking(&place).await?).build();
    let walked = walk_through(&governance).await;
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

async fn walk_through(governance: &Governance) -> Result<()> {
    let rita = ActorContext::user("rita")?.named("Rita").with_role("lead")?;
    let leo = ActorContext::user("leo")?.named("Leo").with_role("lead")?;
    let sam = ActorContext::user("sam")?.named("Sam").with_group("security")?;
    let sue = ActorContext::user("sue")?.named("Sue").with_group("security")?;
    let dora = ActorContext::user("dora")?.named("Dora").with_group("directors")?;
    let people = [&rita, &leo, &sam, &sue, &dora];

    print::chapter("Rita asks to move the billing database. Three steps must approve, each with its own rule.");
    let engineer = ApprovalTarget::group("security")?;
    let two_engineers = ApprovalRule::quorum("two-of-security", 2, [engineer.clone(), engineer])?;
    let draft = move_database("move-billing", &rita)?
        .requires_approval(ApprovalRule::role("lead")?.with_id(ApprovalId::new("lead")?))
        .requires_approval(two_engineers.with_id(ApprovalId::new("security")?))
        .requires_approval(ApprovalRule::group("directors")?.with_id(ApprovalId::new("director")?));
    let request = governance.submit(draft).await?;
    print::submitted(&request);

    print::chapter("Who can act now");
    who_can_act(governance, &request.id, &people).await?;

    print::chapter("Step 1: a lead");
    let outcome = governance.approve(&request.id, rita).await;
    print::attempt("Rita is a lead, but it is her own request", &outcome);
    let outcome = governance.approve(&request.id, dora.clone()).await;
    print::attempt("Dora, a director, goes first", &outcome);
    let outcome = governance.approve(&request.id, leo.clone().because("The old disks are full")).await;
    print::attempt("Leo, the other lead", &outcome);

    print::chapter("Step 2: two security engineers");
    let outcome = governance.approve(&request.id, sam.clone()).await;
    print::attempt("Sam", &outcome);
    let outcome = governance.approve(&request.id, sam).await;
    print::attempt("Sam again, in place of Sue, who is on holiday", &outcome);
    let outcome = governance.approve(&request.id, sue.because("Backups are tested")).await;
    print::attempt("Sue is back", &outcome);

    print::chapter("Step 3: a director");
    let outcome = governance.approve(&request.id, dora.clone().because("Go")).await;
    print::attempt("Dora", &outcome);

    print::chapter("The history");
    let request = governance.get(&request.id).await?.ok_or("the request is missing")?;
    print::timeline(&request);

    print::chapter("Another request, and a rejection that programs can read");
    let draft = move_database("move-wages", &leo)?.requires_approval(ApprovalRule::group("directors")?);
    let request = governance.submit(draft).await?;
    let freeze = Rejection::new("FREEZE", "Nothing moves before the audit").in_category("Compliance");
    let rejected = governance.reject(&request.id, dora, Some(freeze)).await?;
    print::rejections(&rejected);
    print::timeline(&rejected);
    Ok(())
}

fn move_database(id: &str, by: &ActorContext) -> Result<RequestDraft> {
    let target = Target::new("database:billing", "Database", "Move")?;
    let intent = Intent::new("move to the new cluster", "Infrastructure")?.with_risk(RiskLevel::High);
    let intent = intent.described_as("The old cluster is switched off in June");
    Ok(RequestDraft::new(target, intent, by.clone()).with_id(RequestId::new(id)?))
}

async fn who_can_act(governance: &Governance, id: &RequestId, people: &[&ActorContext]) -> Result<()> {
    let mut rows = Vec::new();
    for person in people {
        let approvals = governance.decidable_by(id, person).await?;
        rows.push((person.label(), approvals.iter().map(|approval| approval.id.to_string()).collect()));
    }
    print::decidable(rows);
    Ok(())
}
