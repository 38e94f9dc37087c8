//! Approvers are away: somebody acts for them, or they delegate, or the approval escalates; in a synchronous program.
//!
//! `cargo run --example delegation_and_absence` keeps the requests in memory; with `REDIS_URL=redis://host:port` they
//! are kept in Redis until the program ends.

mod delegation_and_absence_support;
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use delegation_and_absence_support::{FOUR_HOURS, dora_for_bob, grant, move_database, person};
use mutator_governance::blocking::Governance;
use mutator_governance::{ActorContext, Clock, ManualClock, RequestId, Timestamp};
use support::stores::open_blocking;
use support::{Place, Result, finish, print};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Delegation and absence", "blocking", &place);
    // The time stands still until this example moves it; a program sets no clock and uses the store's.
    let clock = Arc::new(ManualClock::at("2026-05-04T09:00:00Z".parse::<Timestamp>()?));
    let governance = Governance::builder().store(open_blocking(&place)?).clock(clock.clone()).build();
    let walked = walk_through(&governance, &clock);
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

fn walk_through(governance: &Governance, clock: &ManualClock) -> Result<()> {
    stand_in(governance, clock)?;
    hand_on(governance, clock)?;
    print::chapter("The histories: who acted for whom, who delegated to whom, what escalated");
    for id in ["grant-erin", "grant-dora", "move-billing"] {
        let request = governance.get(id)?.ok_or("the request is missing")?;
        print::subject(&request);
        print::timeline(&request);
    }
    Ok(())
}

fn stand_in(governance: &Governance, clock: &ManualClock) -> Result<()> {
    print::chapter("Erin asks for a role. Bob has to approve, and is away.");
    let request = governance.submit(grant("grant-erin", "grant billing admin to Erin", "erin")?)?;
    print::subject(&request);
    print::stands(&request, clock.now());

    print::chapter("Dora is Bob's deputy: the application says so when she acts for Bob, and why");
    who_can_act(governance, &request.id, &[("Dora", person("dora")?), ("Dora for Bob", dora_for_bob()?)])?;
    let outcome = governance.approve(&request.id, person("dora")?);
    print::step("Dora approves as herself", &outcome, clock.now());
    let outcome = governance.approve(&request.id, dora_for_bob()?.because("Erin joins billing today"));
    print::step("Dora approves for Bob", &outcome, clock.now());

    print::chapter("Dora asks for a role too. Bob's rights do not help her there: two people decide, or nobody.");
    let own = governance.submit(grant("grant-dora", "grant billing admin to Dora", "dora")?)?;
    print::subject(&own);
    let outcome = governance.approve(&own.id, dora_for_bob()?);
    print::step("Dora approves for Bob", &outcome, clock.now());
    let outcome = governance.approve(&own.id, person("bob")?);
    print::step("Bob approves by telephone", &outcome, clock.now());
    Ok(())
}

fn hand_on(governance: &Governance, clock: &ManualClock) -> Result<()> {
    print::chapter(
        "Erin asks to move a database: Sam has to approve, then a lead; after four hours a director may too",
    );
    let request = governance.submit(move_database()?)?;
    let id = request.id.clone();
    print::subject(&request);
    print::stands(&request, clock.now());

    print::chapter("Sam delegates to Tara, who passes it on. It goes neither back nor to Erin.");
    let outcome = governance.delegate(&id, "owner", person("sam")?.because("on leave until Monday"), "tara");
    print::step("Sam delegates it to Tara", &outcome, clock.now());
    let busy = person("tara")?.because("Uma knows the disks");
    let outcome = governance.delegate(&id, "owner", busy.clone(), "sam");
    print::step("Tara delegates it to Sam again", &outcome, clock.now());
    let outcome = governance.delegate(&id, "owner", busy.clone(), "erin");
    print::step("Tara delegates it to Erin, who submitted the request", &outcome, clock.now());
    let outcome = governance.delegate(&id, "owner", busy, "uma");
    print::step("Tara delegates it to Uma", &outcome, clock.now());

    print::chapter("Removing an approval is no way around it: the owner's is mandatory");
    let hurry = person("mona")?.because("It is urgent");
    let outcome = governance.remove_approval(&id, "owner", hurry);
    print::step("Mona, an administrator, removes it", &outcome, clock.now());

    print::chapter("Uma approves, sees a mistake and withdraws her vote, and approves again");
    let outcome = governance.approve(&id, person("uma")?);
    print::step("Uma approves", &outcome, clock.now());
    let outcome = governance.withdraw(&id, person("uma")?.because("The backup is from April"));
    print::step("Uma withdraws", &outcome, clock.now());
    let outcome = governance.approve(&id, person("uma")?.because("There is a new backup"));
    print::step("Uma approves again", &outcome, clock.now());

    print::chapter("No lead answers. Four hours later the approval is also for a director.");
    let leaders = [("Leo, a lead", person("leo")?), ("Nora, a director", person("nora")?)];
    who_can_act(governance, &id, &leaders)?;
    clock.advance(FOUR_HOURS);
    print::note("four hours pass");
    who_can_act(governance, &id, &leaders)?;
    let swept = governance.expire_due(ActorContext::service("sweeper")?, 10)?;
    for escalated in &swept.escalated {
        print::note(&format!("the sweeper records that {escalated} escalated"));
    }
    let outcome = governance.approve(&id, person("nora")?.because("Leo is on a plane"));
    print::step("Nora approves", &outcome, clock.now());
    Ok(())
}

fn who_can_act(governance: &Governance, id: &RequestId, people: &[(&str, ActorContext)]) -> Result<()> {
    let mut rows = Vec::new();
    for (who, person) in people {
        let approvals = governance.decidable_by(id, person)?;
        rows.push((*who, approvals.iter().map(|approval| approval.id.to_string()).collect()));
    }
    print::decidable(rows);
    Ok(())
}
