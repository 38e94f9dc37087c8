//! The cases, compiled once for each flavour by the rules of the engine: no `async` blocks, and no `.await` within a
//! macro's arguments. What `execute` is to run is written as `run!(|request| call)`.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "a case takes its world, and what runs at once owns what it works with; made synchronous, some await nothing"
)]

use std::sync::Arc;

use mutator_governance::MutationRequest;
use mutator_governance::{ManualClock, RequestId};

use super::{dual, flavour, folding_redis_store, open_at, pause, run_concurrently};
use crate::runtime::people::at;
use flavour::{Governance, Store, StoreExtension as _};

pub(crate) mod amending;
pub(crate) mod approving;
mod archive_files;
pub(crate) mod archiving;
pub(crate) mod bad_input;
pub(crate) mod binding;
pub(crate) mod calling;
pub(crate) mod compensating;
pub(crate) mod correcting;
pub(crate) mod deadlines;
pub(crate) mod deciding;
pub(crate) mod discussing;
pub(crate) mod ending;
pub(crate) mod executing;
pub(crate) mod executors;
pub(crate) mod folding;
pub(crate) mod following;
pub(crate) mod interrupted;
pub(crate) mod leasing;
pub(crate) mod many;
pub(crate) mod modes;
pub(crate) mod policies;
pub(crate) mod previewing;
pub(crate) mod proving;
pub(crate) mod racing;
pub(crate) mod renewing;
pub(crate) mod repeating;
pub(crate) mod resolving;
pub(crate) mod retaining;
pub(crate) mod retrying;
mod shaky_store;
pub(crate) mod submission;
pub(crate) mod superseding;
pub(crate) mod sweeper;
pub(crate) mod sweeping;
pub(crate) mod timing;
pub(crate) mod votes;
pub(crate) mod waiting;
pub(crate) mod waiting_failover;
pub(crate) mod waiting_servers;
pub(crate) mod worker_servers;

#[allow(unused_imports, reason = "the blocking flavour uses one within")]
pub(crate) use shaky_store::{Mishap, ShakyStore};

/// An empty store, and a clock that stands at second 0.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    /// The service over both.
    pub(crate) governance: Governance,
}

impl World {
    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(ManualClock::at(at(0)));
        let governance = Governance::builder().store(Arc::clone(&store)).clock(clock.clone()).build();
        Self { store, clock, governance }
    }

    /// How many seconds after second 0 the clock stands.
    pub(crate) fn clock_seconds(&self) -> u64 {
        use mutator_governance::Clock as _;
        self.clock.now().duration_since(at(0)).as_secs()
    }

    /// A store of another make in front of this world's.
    pub(crate) fn shaky(&self) -> Arc<ShakyStore> {
        Arc::new(ShakyStore::new(Arc::clone(&self.store), Arc::clone(&self.clock)))
    }

    /// The service over another store, by the same clock, which rebases for longer than any busy machine takes.
    pub(crate) fn governance_over(&self, store: Arc<ShakyStore>) -> Governance {
        Governance::builder().store(store).clock(self.clock.clone()).deadline(crate::PATIENCE * 5).build()
    }
}

#[dual]
impl World {
    /// The request as it is stored.
    pub(crate) async fn stored(&self, id: &RequestId) -> MutationRequest {
        self.store.get(id).await.unwrap().unwrap()
    }
}
