//! Every kind of decision that a history can hold, and what leads to it; on tokio.
//!
//! `cargo run --features tokio --example decision_taxonomy_tokio` keeps the requests in memory; with
//! `REDIS_URL=redis://host:port` they are kept in Redis until the program ends.

mod decision_taxonomy_support;
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use decision_taxonomy_support::people::sweeper;
use decision_taxonomy_support::story::{Event, What};
use decision_taxonomy_support::{stories, taxonomy};
use mutator_governance::nonblocking::Governance;
use mutator_governance::{ClaimedRequest, DecisionKind, DecisionQuery, ManualClock, PageRequest, Timestamp};
use support::stores::open_nonblocking;
use support::{Place, Result, finish, print};

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("The kinds of decisions", "tokio", &place);
    // The time stands still until a story moves it; a program sets no clock and uses the store's.
    let clock = Arc::new(ManualClock::at(Timestamp::MIN));
    let governance = Governance::builder().store(open_nonblocking(&place).await?).clock(clock.clone()).build();
    let walked = walk_through(&governance, &clock).await;
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

async fn walk_through(governance: &Governance, clock: &ManualClock) -> Result<()> {
    for story in stories()? {
        print::chapter(story.title);
        for event in story.events {
            clock.set(event.at);
            happen(governance, event).await?;
        }
        for id in &story.requests {
            let request = governance.get(id).await?.ok_or("the request is missing")?;
            print::subject(&request);
            print::timeline(&request);
        }
    }
    let mut found = Vec::new();
    for kind in DecisionKind::all() {
        let query = DecisionQuery::new().with_kinds([kind])?;
        found.push((kind, governance.decisions(&query, &PageRequest::first()).await?.items));
    }
    taxonomy::show(&found)
}

async fn happen(governance: &Governance, event: Event) -> Result<()> {
    match event.what {
        What::Submitted(draft) => drop(governance.submit(*draft).await?),
        What::Did(id, command) => drop(governance.apply(&id, &command).await?),
        What::Executed(id, order, result) => {
            drop(governance.execute(&id, &order, async |_: &ClaimedRequest| result).await?);
        }
        What::Swept => drop(governance.expire_due(sweeper()?, 10).await?),
    }
    Ok(())
}
