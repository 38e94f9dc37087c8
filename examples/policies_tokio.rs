//! Policies in a file say which change needs whose approval; on tokio.
//!
//! `cargo run --features policies,tokio --example policies_tokio` keeps the requests in memory; with
//! `REDIS_URL=redis://host:port` they are kept in Redis until the program ends.

mod policies_support;
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use mutator_governance::nonblocking::Governance;
use mutator_governance::policy::PolicySet;
use mutator_governance::{Clock, ManualClock, RiskLevel, Timestamp};
use policies_support::{
    AT_ODDS, FILE, change, person, requirements, show_demands, show_error, show_policies, show_records,
};
use support::stores::open_nonblocking;
use support::{Place, Result, finish, print};

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Policies as data", "tokio", &place);
    // The time stands still until this example moves it; a program sets no clock and uses the store's.
    let clock = Arc::new(ManualClock::at("2026-05-04T09:00:00Z".parse::<Timestamp>()?));
    let policies = PolicySet::from_toml(FILE, "policies.toml")?;
    let builder = Governance::builder().store(open_nonblocking(&place).await?).clock(clock.clone());
    let governance = builder.policies(policies.clone()).build();
    let walked = walk_through(&governance, &policies, &clock).await;
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

async fn walk_through(governance: &Governance, policies: &PolicySet, clock: &ManualClock) -> Result<()> {
    print::chapter("The policies of the company, as they are in policies.toml");
    show_policies(policies);

    print::chapter("A harmless change: no policy applies, so nobody has to approve");
    let draft = change("banner-1", "change the banner", "Content", RiskLevel::Low)?;
    let request = governance.submit(draft).await?;
    print::stands(&request, clock.now());

    print::chapter("Access of high risk: both policies apply, and add up");
    let draft = change("role-1", "grant owner to Erin", "Access", RiskLevel::High)?;
    let request = governance.submit(draft).await?;
    show_demands(&request);
    print::stands(&request, clock.now());

    print::chapter("The approvals are given like any others");
    let outcome = governance.approve(&request.id, person("mona")?).await;
    print::step("Mona, a manager and a director", &outcome, clock.now());
    let outcome = governance.approve(&request.id, person("sam")?).await;
    print::step("Sam, of security", &outcome, clock.now());
    let outcome = governance.approve(&request.id, person("mona")?).await;
    print::step("Mona again, as a director: high-risk wants other people", &outcome, clock.now());
    let outcome = governance.reject(&request.id, person("dora")?, None).await;
    print::step("Dora, a director, rejects and does not say why", &outcome, clock.now());
    let outcome = governance.approve(&request.id, person("dora")?.because("Erin leads billing from June")).await;
    print::step("Dora approves", &outcome, clock.now());

    print::chapter("Which policies applied is part of the request");
    let request = governance.get(&request.id).await?.ok_or("the request is missing")?;
    show_records(&request);
    print::timeline(&request);

    print::chapter("Mistakes are found when a file is read, or when policies meet");
    let misspelt = FILE.replace("distinct_approvers", "distinct_aprovers");
    show_error(&PolicySet::from_toml(&misspelt, "policies.toml").err().ok_or("it is misspelt")?.into());
    let at_odds = PolicySet::from_toml(AT_ODDS, "may.toml")?;
    let draft = change("key-1", "rotate the signing key", "Keys", RiskLevel::Low)?;
    show_error(&at_odds.draft(draft, clock.now()).err().ok_or("they contradict each other")?.into());

    print::chapter("Another program's policy engine states its demands as requirements");
    let draft = change("release-1", "release 4.2", "Release", RiskLevel::Low)?.requires_all(requirements()?)?;
    let request = governance.submit(draft).await?;
    print::stands(&request, clock.now());
    Ok(())
}
