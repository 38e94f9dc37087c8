//! The nodes of a cluster: a driver for each, and the map of who serves what, which one caller at a time refreshes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::credential_source::CredentialSource;
use super::super::redis_driver::Driver;
use super::dual;
use crate::error::StoreError;
use crate::redis::connection::server_clock::ServerClock;
use crate::redis::topology::{self, ClusterView, Failure, SlotMap};
use crate::redis::{Fault, NodeAddress, Place, Seeds, Settings, ask_time};
use crate::service::deadline::Deadline;

/// How long a node that is suspect may take for a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);
/// How long a refresh may take of the call that begins it, and of any call.
const REFRESH_SHARE: u32 = 2;
const MAX_REFRESH: Duration = Duration::from_secs(1);

/// The nodes of one cluster, shared by all clones of a store.
pub(super) struct Nodes {
    settings: Arc<Settings>,
    login: Option<Arc<dyn CredentialSource>>,
    /// Never held while anything is waited for.
    state: Mutex<State>,
}

struct State {
    view: ClusterView,
    drivers: BTreeMap<NodeAddress, NodeDrivers>,
}

struct NodeDrivers {
    driver: Driver,
    /// For writes that wait, made at the first.
    waiting: Option<Driver>,
    /// Whether its connections learn the time for the clock of the store.
    keeps_time: bool,
}

impl Nodes {
    pub(super) fn new(seeds: Seeds, login: Option<Arc<dyn CredentialSource>>) -> Self {
        let state = State { view: ClusterView::new(seeds.nodes), drivers: BTreeMap::new() };
        Self { settings: Arc::new(seeds.settings), login, state: Mutex::new(state) }
    }

    pub(super) const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The nodes that the application named.
    pub(super) fn seeds(&self) -> Vec<NodeAddress> {
        self.state().view.seeds().to_vec()
    }

    /// The nodes that serve slots, in the order of their addresses.
    pub(super) fn primaries(&self) -> Vec<NodeAddress> {
        self.state().view.map().primaries().into_iter().cloned().collect()
    }

    /// Who serves this place, as far as the map says; anybody if it does not say.
    pub(super) fn node_for(&self, place: Place) -> Option<NodeAddress> {
        self.state().view.node_for(self.settings.keyspace.slot_of(place))
    }

    /// Whether the map says that this node serves this place.
    pub(super) fn serves(&self, node: &NodeAddress, place: Place) -> bool {
        let slot = self.settings.keyspace.slot_of(place);
        slot.is_some_and(|slot| self.state().view.map().primary_of(slot) == Some(node))
    }

    /// The driver for a node. Consumers of the feed are judged by the time of one node, which is that of the store.
    pub(super) fn driver(&self, node: &NodeAddress, waits: bool) -> Driver {
        let time_slot = self.settings.keyspace.slot_of(Place::CONSUMERS);
        let mut state = self.state();
        let primary = time_slot.and_then(|slot| state.view.map().primary_of(slot));
        let keeps_time = primary == Some(node);
        let is_known = |drivers: &&mut NodeDrivers| drivers.keeps_time == keeps_time;
        if let Some(drivers) = state.drivers.get_mut(node).filter(is_known) {
            return drivers.choose(waits);
        }
        let clock = if keeps_time { Arc::clone(&self.settings.clock) } else { Arc::new(ServerClock::new()) };
        let driver = Driver::new(&Arc::new(self.settings.at(node, clock)), self.login.clone());
        let mut drivers = NodeDrivers { driver, waiting: None, keeps_time };
        let chosen = drivers.choose(waits);
        state.drivers.insert(node.clone(), drivers);
        chosen
    }

    /// What a fault of this node means. Notes what follows from that for later calls.
    pub(super) fn failure(&self, node: &NodeAddress, fault: &Fault, deadline: Deadline) -> Failure {
        let failure = Failure::of(fault, self.settings.announcements(node));
        let is_over = deadline.remaining().is_none();
        match &failure {
            Failure::Redirected(redirect) => {
                if let Some((slot, to)) = redirect.moved() {
                    self.state().view.note_moved(slot, to.clone());
                }
            }
            Failure::Silent => self.state().view.suspect(node),
            Failure::Unreached if is_over => self.state().view.suspect(node),
            _ => {}
        }
        failure
    }

    /// Has the next calls ask this node for a sign of life first.
    pub(super) fn suspect(&self, node: &NodeAddress) {
        self.state().view.suspect(node);
    }

    /// Takes a map, unless it is older. Whether it was taken.
    pub(super) fn take(&self, map: SlotMap) -> bool {
        let mut state = self.state();
        let State { view, drivers } = &mut *state;
        let is_taken = view.take(map);
        if is_taken {
            drivers.retain(|node, _| view.names(node));
        }
        is_taken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody panics with it, and what is in it would be whole all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NodeDrivers {
    fn choose(&mut self, waits: bool) -> Driver {
        if waits {
            return self.waiting.get_or_insert_with(|| self.driver.for_waiting()).clone();
        }
        self.driver.clone()
    }
}

#[dual]
impl Nodes {
    /// The map as this node knows it.
    pub(super) async fn map_of(&self, node: &NodeAddress, deadline: Deadline) -> Result<SlotMap, StoreError> {
        let driver = self.driver(node, false);
        let queries = topology::map_queries(&self.settings);
        let commands: Vec<_> = queries.iter().map(Cow::Borrowed).collect();
        let answers = driver.run_all(&commands, deadline).await;
        topology::cluster_map(&self.settings, node, answers)
    }

    /// Asks for the map, unless another caller does or has just done so. `failed` is asked last.
    pub(super) async fn refresh(&self, failed: Option<&NodeAddress>, deadline: Deadline) {
        let time = (deadline.remaining().unwrap_or_default() / REFRESH_SHARE).min(MAX_REFRESH);
        let (now, whole) = (Instant::now(), Deadline::after(time));
        let asked = self.state().view.begin_refresh(now, now + time, failed, &mut fastrand::Rng::new());
        let Some(asked) = asked else { return };
        for (place, node) in asked.iter().enumerate() {
            let others = u32::try_from(asked.len() - place).unwrap_or(u32::MAX);
            let Some(left) = whole.remaining() else { break };
            let map = self.map_of(node, whole.within(left / others)).await;
            if map.is_ok_and(|map| self.take(map)) {
                break;
            }
        }
        self.state().view.end_refresh(Instant::now());
    }

    /// Asks a node that is suspect for a sign of life.
    pub(super) async fn check_suspect(&self, node: &NodeAddress, deadline: Deadline) -> Result<(), Fault> {
        if !self.state().view.is_suspect(node) {
            return Ok(());
        }
        let driver = self.driver(node, false);
        driver.run(&ask_time(), deadline.within(SIGN_OF_LIFE)).await.map_err(Fault::before_command)?;
        self.state().view.trust(node);
        Ok(())
    }
}
