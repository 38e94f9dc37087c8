//! A request that is sent back, corrected, rejected after all, and submitted again; in a synchronous program.
//!
//! `cargo run --example send_back` keeps the requests in memory; with `REDIS_URL=redis://host:port` they are kept in Redis
//! until the program ends.

mod support;

use std::process::ExitCode;

use mutator_governance::blocking::Governance;
use mutator_governance::workflow::{Amendment, Command};
use mutator_governance::{
    ActorContext, ApprovalRule, Intent, PageRequest, Payload, PendingReason, RequestDraft, RequestId, RequestQuery,
    RiskLevel, Target,
};
use support::stores::open_blocking;
use support::{Place, Result, finish, print};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Sending back: corrections, rounds, resubmission", "blocking", &place);
    let governance = Governance::builder().store(open_blocking(&place)?).build();
    let walked = walk_through(&governance);
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

fn walk_through(governance: &Governance) -> Result<()> {
    let erin = ActorContext::user("erin")?.named("Erin");
    let mona = ActorContext::user("mona")?.named("Mona").with_role("manager")?;
    let sam = ActorContext::user("sam")?.named("Sam").with_group("security")?;
    let now = || governance.clock().now();

    print::chapter("Erin asks for a role. A manager approves it, then somebody in security.");
    let request = governance.submit(admin_role(&erin)?)?;
    let id = request.id.clone();
    print::submitted(&request);
    let outcome = governance.approve(&id, mona.clone());
    print::step("Mona approves", &outcome, now());

    print::chapter("Sam does not want to reject it: something is missing. So it is sent back.");
    let outcome = governance.request_changes(&id, sam.clone(), "for how long?");
    print::step("Sam requests changes", &outcome, now());
    let outcome = governance.approve(&id, sam.clone());
    print::step("Sam approves it all the same", &outcome, now());
    let to_correct = RequestQuery::pending_for(PendingReason::Correction).with_actor_ids(["erin"])?;
    print::queue(&governance.requests(&to_correct, &PageRequest::first())?);

    print::chapter("What would become of it: a preview writes nothing");
    let for_a_year = Amendment::new().payload(grant("2027-05-01")?);
    let foreseen = governance.preview(&id, &Command::amend(mona.clone(), for_a_year.clone()));
    print::step("Mona corrects it in Erin's place", &foreseen, now());
    let foreseen = governance.preview(&id, &Command::amend(erin.clone(), for_a_year.clone()));
    print::step("Erin corrects it", &foreseen, now());

    print::chapter("Erin corrects it. All approvals are asked for again, also Mona's.");
    let opened_before = request.digest();
    let outcome = governance.amend(&id, erin.clone(), for_a_year);
    print::step("Erin amends it", &outcome, now());
    let outcome = governance.approve_for_digest(&id, mona.clone(), opened_before);
    print::step("Mona approves on a page that was opened before", &outcome, now());
    let outcome = governance.approve(&id, mona.clone());
    print::step("Mona approves what it is now", &outcome, now());

    print::chapter("A year is too long for Sam. What is rejected stays rejected.");
    let rejected = governance.reject(&id, sam.clone().because("at most 30 days"), None)?;
    print::stands(&rejected, now());
    let outcome = governance.amend(&id, erin.clone(), Amendment::new().payload(grant("2026-06-01")?));
    print::step("Erin amends it", &outcome, now());

    print::chapter("Erin submits it again: a new request, linked with the old one.");
    let month = Amendment::new().payload(grant("2026-06-01")?).description("For the migration, 30 days");
    let again = governance.resubmit(&id, erin.clone(), month.clone())?;
    print::stands(&again, now());
    let outcome = governance.resubmit(&id, erin, month);
    print::step("Erin submits it once more", &outcome, now());
    governance.approve(&again.id, mona)?;
    let approved = governance.approve(&again.id, sam)?;
    print::stands(&approved, now());

    print::chapter("The history of the first");
    let request = governance.get(&id)?.ok_or("the request is missing")?;
    print::stands(&request, now());
    print::timeline(&request);
    print::chapter("The history of the second");
    print::timeline(&approved);
    Ok(())
}

fn admin_role(by: &ActorContext) -> Result<RequestDraft> {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    let intent = Intent::new("grant billing admin", "Access")?.with_risk(RiskLevel::High);
    let intent = intent.described_as("For the migration");
    let draft = RequestDraft::new(target, intent, by.clone()).with_id(RequestId::new("grant-erin")?);
    let draft = draft.with_payload(grant("never")?);
    Ok(draft.requires_approval(ApprovalRule::role("manager")?).requires_approval(ApprovalRule::group("security")?))
}

fn grant(until: &str) -> Result<Payload> {
    Ok(Payload::new("application/json", format!(r#"{{"role":"billing-admin","until":"{until}"}}"#).into_bytes())?)
}
