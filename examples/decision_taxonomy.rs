//! Every kind of decision that a history can hold, and what leads to it; in a synchronous program.
//!
//! `cargo run --example decision_taxonomy` keeps the requests in memory; with `REDIS_URL=redis://host:port` they are
//! kept in Redis until the program ends.

mod decision_taxonomy_support;
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use decision_taxonomy_support::people::sweeper;
use decision_taxonomy_support::story::{Event, What};
use decision_taxonomy_support::{stories, taxonomy};
use mutator_governance::blocking::Governance;
use mutator_governance::{ClaimedRequest, DecisionKind, DecisionQuery, ManualClock, PageRequest, Timestamp};
use support::stores::open_blocking;
use support::{Place, Result, finish, print};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("The kinds of decisions", "blocking", &place);
    // The time stands still until a story moves it; a program sets no clock and uses the store's.
    let clock = Arc::new(ManualClock::at(Timestamp::MIN));
    let governance = Governance::builder().store(open_blocking(&place)?).clock(clock.clone()).build();
    let walked = walk_through(&governance, &clock);
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

fn walk_through(governance: &Governance, clock: &ManualClock) -> Result<()> {
    for story in stories()? {
        print::chapter(story.title);
        for event in story.events {
            clock.set(event.at);
            happen(governance, event)?;
        }
        for id in &story.requests {
            let request = governance.get(id)?.ok_or("the request is missing")?;
            print::subject(&request);
            print::timeline(&request);
        }
    }
    let mut found = Vec::new();
    for kind in DecisionKind::all() {
        let query = DecisionQuery::new().with_kinds([kind])?;
        found.push((kind, governance.decisions(&query, &PageRequest::first())?.items));
    }
    taxonomy::show(&found)
}

fn happen(governance: &Governance, event: Event) -> Result<()> {
    match event.what {
        What::Submitted(draft) => drop(governance.submit(*draft)?),
        What::Did(id, command) => drop(governance.apply(&id, &command)?),
        What::Executed(id, order, result) => {
            drop(governance.execute(&id, &order, |_: &ClaimedRequest| result)?);
        }
        What::Swept => drop(governance.expire_due(sweeper()?, 10)?),
    }
    Ok(())
}
