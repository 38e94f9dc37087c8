//! Unique keys on a real server: interrupted and overtaken submissions, what a check finds and repairs, more partitions, and cost.
#![cfg(all(feature = "blocking", feature = "tokio"))]

mod checked;
mod cost;
mod interrupted;
mod moved;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mutator_governance::blocking::{RedisStore, Store, StoreExtension as _};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ActorContext, Intent, MutationRequest, PageRequest, PendingReason, RequestDraft, RequestId, RequestQuery, Status,
    Target, Timestamp, UniqueKey, WriteId,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn key() -> UniqueKey {
    UniqueKey::new("restart payments").unwrap()
}

/// How many rounds the tests of interrupted submissions go; the long mode takes 1,000.
fn rounds() -> u32 {
    std::env::var("MUTATOR_UNIQUE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

fn alice() -> ActorContext {
    ActorContext::user("alice").unwrap()
}

fn keyed(id: &str) -> MutationRequest {
    keyed_by(id, key())
}

fn keyed_by(id: &str, key: UniqueKey) -> MutationRequest {
    let target = Target::new("service:payments", "Service", "Restart").unwrap();
    let draft = RequestDraft::new(target, Intent::new("restart", "Operations").unwrap(), alice());
    let draft = draft.waiting_for(PendingReason::ManualReview).with_unique_key(key);
    let id = RequestId::new(id).unwrap();
    workflow::submit(draft, id, WriteId::generate(), Timestamp::now()).unwrap()
}

fn canceled(request: MutationRequest) -> MutationRequest {
    workflow::apply(request, &Command::cancel(alice()), Timestamp::now()).unwrap()
}

/// A namespace, and the server's own view of it.
struct Space {
    name: String,
    store: Arc<RedisStore>,
    redis: redis::Connection,
}

const PARTITIONS: u16 = 4;
const MAX_PARTITIONS: u16 = 16;

impl Space {
    fn new(url: &str) -> Self {
        let name = common::unique_namespace("unique");
        let builder = RedisStore::builder(url).namespace(&name).partitions(PARTITIONS).timeout(PATIENCE);
        let redis = redis::Client::open(url).unwrap().get_connection().unwrap();
        Self { name, store: Arc::new(builder.open().unwrap()), redis }
    }

    fn hashes(&mut self, kind: &str) -> Vec<(String, HashMap<String, String>)> {
        let keys = (0..MAX_PARTITIONS).map(|partition| format!("{{{}:{partition}}}:{kind}", self.name));
        keys.map(|key| (key.clone(), redis::cmd("HGETALL").arg(&key).query(&mut self.redis).unwrap()))
            .filter(|(_, fields): &(String, HashMap<String, String>)| !fields.is_empty())
            .collect()
    }

    /// Makes all reservations and permits of this kind older than a minute.
    fn age(&mut self, kind: &str) {
        for (hash, fields) in self.hashes(kind) {
            for (name, value) in fields {
                let (rest, _) = value.rsplit_once(' ').unwrap();
                redis::cmd("HSET").arg(&hash).arg(name).arg(format!("{rest} 1")).exec(&mut self.redis).unwrap();
            }
        }
    }

    fn open_requests(&self) -> Vec<MutationRequest> {
        let open = Status::ALL.into_iter().filter(|status| !status.is_terminal());
        let query = RequestQuery::new().with_unique_keys([key().as_str()]).unwrap().with_statuses(open).unwrap();
        self.store.requests(&query, &PageRequest::first()).unwrap().items
    }

    fn cancel(&self, id: &RequestId) {
        let request = self.store.get(id).unwrap().unwrap();
        self.store.update(canceled(request), WriteId::generate()).unwrap();
    }
}
