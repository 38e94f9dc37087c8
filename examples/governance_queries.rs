//! What can be asked about a company's requests, from a synchronous program: the approval queue, somebody's inbox, recent
//! decisions, statistics, and how a question is answered.
//!
//! `cargo run --example governance_queries` keeps the requests in memory; with `REDIS_URL=redis://host:port` they are
//! kept in Redis until the program ends.

mod governance_queries_support;
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redis")]
use mutator_governance::blocking::RedisStore;
use mutator_governance::blocking::{Governance, MemoryStore, RequestQueries, RequestStore};
use mutator_governance::{
    Clock as _, DecisionQuery, InboxQuery, ManualClock, PageRequest, PendingApprovalQuery, RecentApprovalQuery,
    RequestQuery, RiskLevel,
};

use governance_queries_support::company::{What, on, person, week};
use governance_queries_support::tables;
use support::{Place, Result, finish, print};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("A company's week of requests", "blocking", &place);
    let store = Store::open(&place)?;
    let told = seed(Arc::clone(&store.requests)).and_then(|clock| ask(&store, &clock));
    let cleaned = place.clean_up();
    told.and(cleaned)
}

/// One store, as the service and as the questions need it.
struct Store {
    requests: Arc<dyn RequestStore>,
    queries: Arc<dyn RequestQueries>,
    #[cfg(feature = "redis")]
    redis: Option<RedisStore>,
}

impl Store {
    fn open(place: &Place) -> Result<Self> {
        match place {
            Place::Embedded => {
                let store = Arc::new(MemoryStore::new());
                Ok(Self {
                    requests: store.clone(),
                    queries: store,
                    #[cfg(feature = "redis")]
                    redis: None,
                })
            }
            #[cfg(feature = "redis")]
            Place::Redis { url, namespace } => {
                let store = RedisStore::builder(url).namespace(namespace).open()?;
                Ok(Self { requests: Arc::new(store.clone()), queries: Arc::new(store.clone()), redis: Some(store) })
            }
            #[cfg(not(feature = "redis"))]
            Place::Redis { .. } => Err("REDIS_URL is set, but this was built without the feature `redis`".into()),
        }
    }
}

/// Everything that happened in the company's week, and a clock that stands at its end.
fn seed(store: Arc<dyn RequestStore>) -> Result<Arc<ManualClock>> {
    let clock = Arc::new(ManualClock::at(on(1, 0, 0)));
    let governance = Governance::builder().store(store).clock(clock.clone()).build();
    for event in week()? {
        clock.set(event.at);
        match event.what {
            What::Submitted(draft) => governance.submit(*draft)?,
            What::Did(id, command) => governance.apply(&id, &command)?,
        };
    }
    clock.set(on(5, 8, 0));
    Ok(clock)
}

fn ask(store: &Store, clock: &ManualClock) -> Result<()> {
    let (queries, now) = (&store.queries, clock.now());
    tables::opening(now);

    tables::question("Which approvals are open?");
    tables::approvals(&queries.pending_approvals(&PendingApprovalQuery::new(), &PageRequest::first())?);

    tables::question("What can Sam, of security, decide now?");
    tables::approvals(&queries.inbox(&InboxQuery::of(&person("sam")?)?, now, &PageRequest::first())?);

    tables::question("What was approved recently?");
    tables::recent_approvals(&queries.recent_approvals(&RecentApprovalQuery::new(), &PageRequest::first())?);

    tables::question("How did requests end, the latest two first?");
    let page = queries.decisions(&DecisionQuery::execution_outcomes(), &PageRequest::of(2)?)?;
    tables::decisions(&page);
    if let Some(next) = page.next {
        tables::question("… and on the next page?");
        let page = PageRequest::of(2)?.after(next);
        tables::decisions(&queries.decisions(&DecisionQuery::execution_outcomes(), &page)?);
    }

    tables::question("Where does everything stand?");
    let risky = queries.count(&RequestQuery::new().with_risk_between(RiskLevel::High, None)?)?;
    let soon = [Duration::from_secs(24 * 60 * 60), Duration::from_secs(48 * 60 * 60)];
    tables::statistics(&queries.statistics(now, &soon)?, risky);

    let query = RequestQuery::pending().with_categories(["Access"])?.with_actor_names(["Mona"])?;
    tables::question(&format!("How does Redis find {query}?"));
    #[cfg(feature = "redis")]
    if let Some(redis) = &store.redis {
        tables::lines(&redis.explain_query(&query)?.to_string());
        return Ok(());
    }
    tables::lines("The embedded store has no indexes and looks at every request. Run this on Redis to see a plan.");
    Ok(())
}
