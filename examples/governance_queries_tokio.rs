//! Queries over a company's requests, from a program on tokio: the approval queue, somebody's inbox, recent
//! decisions, statistics, and the plan of a query.
//!
//! `cargo run --features tokio --example governance_queries_tokio` keeps the requests in memory; with
//! `REDIS_URL=redis://host:port` they are kept in Redis until the program ends.

mod governance_queries_support;
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redis")]
use mutator_governance::nonblocking::RedisStore;
use mutator_governance::nonblocking::{Governance, MemoryStore, Store};
use mutator_governance::{
    DecisionQuery, ManualClock, PageRequest, PendingApprovalQuery, RecentApprovalQuery, RequestQuery, RiskLevel,
};

use governance_queries_support::company::{What, on, person, week};
use governance_queries_support::tables;
use support::{Place, Result, finish, print};

#[tokio::main]
async fn main() -> ExitCode {
    finish(run().await)
}

async fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("A company's week of requests", "tokio", &place);
    let opened = Opened::at(&place).await?;
    let walked = walk_through(&opened).await;
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

async fn walk_through(opened: &Opened) -> Result<()> {
    let governance = seed(Arc::clone(&opened.store)).await?;
    ask(&governance, opened).await
}

/// The store; for Redis also as its own type, which can explain a query.
struct Opened {
    store: Arc<dyn Store>,
    #[cfg(feature = "redis")]
    redis: Option<RedisStore>,
}

impl Opened {
    async fn at(place: &Place) -> Result<Self> {
        match place {
            Place::Embedded => Ok(Self {
                store: Arc::new(MemoryStore::new()),
                #[cfg(feature = "redis")]
                redis: None,
            }),
            #[cfg(feature = "redis")]
            Place::Redis { servers, namespace } => {
                let store = support::stores::open_redis_nonblocking(servers, namespace).await?;
                Ok(Self { store: Arc::new(store.clone()), redis: Some(store) })
            }
            #[cfg(not(feature = "redis"))]
            Place::Redis { .. } => {
                Err("REDIS_URL or REDIS_CLUSTER_URLS is set, but this example was built without the feature `redis`"
                    .into())
            }
        }
    }
}

/// Submits and decides everything of the company's week; the clock is at its end afterwards.
async fn seed(store: Arc<dyn Store>) -> Result<Governance> {
    let clock = Arc::new(ManualClock::at(on(1, 0, 0)));
    let governance = Governance::builder().store(store).clock(clock.clone()).build();
    for event in week()? {
        clock.set(event.at);
        match event.what {
            What::Submitted(draft) => governance.submit(*draft).await?,
            What::Did(id, command) => governance.apply(&id, &command).await?,
        };
    }
    clock.set(on(5, 8, 0));
    Ok(governance)
}

async fn ask(governance: &Governance, opened: &Opened) -> Result<()> {
    tables::opening(governance.clock().now());

    tables::question("Which approvals are open?");
    tables::approvals(&governance.pending_approvals(&PendingApprovalQuery::new(), &PageRequest::first()).await?);

    tables::question("What can Sam, of security, decide now?");
    tables::approvals(&governance.inbox(&person("sam")?, &PageRequest::first()).await?);

    tables::question("What was approved recently?");
    tables::recent_approvals(&governance.recent_approvals(&RecentApprovalQuery::new(), &PageRequest::first()).await?);

    tables::question("How did requests end, the latest two first?");
    let page = governance.decisions(&DecisionQuery::execution_outcomes(), &PageRequest::of(2)?).await?;
    tables::decisions(&page);
    if let Some(next) = page.next {
        tables::question("… and on the next page?");
        let page = PageRequest::of(2)?.after(next);
        tables::decisions(&governance.decisions(&DecisionQuery::execution_outcomes(), &page).await?);
    }

    tables::question("How many requests are in which status?");
    let risky = governance.count(&RequestQuery::new().with_risk_between(RiskLevel::High, None)?).await?;
    let soon = [Duration::from_secs(24 * 60 * 60), Duration::from_secs(48 * 60 * 60)];
    tables::statistics(&governance.statistics(&soon).await?, risky);

    let query = RequestQuery::pending().with_categories(["Access"])?.with_actor_names(["Mona"])?;
    tables::question(&format!("How does Redis find {query}?"));
    #[cfg(feature = "redis")]
    if let Some(redis) = &opened.redis {
        tables::lines(&redis.explain_query(&query).await?.to_string());
        return Ok(());
    }
    #[cfg(not(feature = "redis"))]
    let _no_plans = opened;
    tables::lines("The memory store has no indexes and checks every request. Run this on Redis to see a plan.");
    Ok(())
}
