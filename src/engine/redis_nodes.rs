//! Servers that take over from each other: a driver for each, and the map of who serves what, which one caller at a time
//! refreshes. It comes from the nodes of a cluster, or from Sentinels.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::credential_source::CredentialSource;
use super::super::redis_driver::Driver;
use super::dual;
use crate::error::StoreError;
use crate::redis::connection::server_clock::ServerClock;
use crate::redis::topology::{self, ClusterView, Failure, Inquiry, Opinions, Purpose, Replicas, SentinelView, SlotMap};
use crate::redis::{Fault, NodeAddress, Peer, Place, Seeds, Settings, ask_time};
use crate::service::deadline::Deadline;

/// How long a node that is suspect may take for a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);
/// How long a refresh may take of the call that begins it, and of any call.
const REFRESH_SHARE: u32 = 2;
const MAX_REFRESH: Duration = Duration::from_secs(1);

/// The nodes of one cluster, or the servers that Sentinels watch, shared by all clones of a store.
pub(super) struct Nodes {
    settings: Arc<Settings>,
    login: Option<Arc<dyn CredentialSource>>,
    /// The drivers for the Sentinels; none in a cluster.
    sentinels: BTreeMap<NodeAddress, Driver>,
    /// Never held while anything is waited for.
    state: Mutex<State>,
}

struct State {
    view: ClusterView,
    sentinels: Option<SentinelView>,
    replicas: Replicas,
    drivers: BTreeMap<NodeAddress, NodeDrivers>,
}

struct NodeDrivers {
    driver: Driver,
    /// For writes that wait, made at the first.
    waiting: Option<Driver>,
    /// Whether its connections learn the time for the clock of the store.
    keeps_time: bool,
    /// What it is to this store.
    peer: Peer,
}

impl Nodes {
    pub(super) fn new(seeds: Seeds, login: Option<Arc<dyn CredentialSource>>) -> Self {
        let state = State::new(ClusterView::new(seeds.nodes), None);
        Self { settings: Arc::new(seeds.settings), login, sentinels: BTreeMap::new(), state: Mutex::new(state) }
    }

    /// The servers whose primary these Sentinels know by this name.
    pub(super) fn watched(
        name: &str,
        sentinels: Seeds,
        their_login: Option<&Arc<dyn CredentialSource>>,
        login: Option<Arc<dyn CredentialSource>>,
    ) -> Self {
        let settings = sentinels.settings;
        let driver = |at: &NodeAddress| Driver::new(&Arc::new(settings.at_sentinel(at)), their_login.cloned());
        let drivers = sentinels.nodes.iter().map(|at| (at.clone(), driver(at))).collect();
        let view = SentinelView::new(name, sentinels.nodes);
        let state = State::new(ClusterView::new(Vec::new()), Some(view));
        Self { settings: Arc::new(settings), login, sentinels: drivers, state: Mutex::new(state) }
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
        let is_replica = self.settings.options.replicas && state.view.map().is_replica(node) && !self.has_sentinels();
        let peer = if is_replica { Peer::Replica } else { Peer::Server };
        let is_known = |drivers: &&mut NodeDrivers| (drivers.keeps_time, drivers.peer) == (keeps_time, peer);
        if let Some(drivers) = state.drivers.get_mut(node).filter(is_known) {
            return drivers.choose(waits);
        }
        let clock = if keeps_time { Arc::clone(&self.settings.clock) } else { Arc::new(ServerClock::new()) };
        let settings = Settings { peer, ..self.settings.at(node, clock) };
        let driver = Driver::new(&Arc::new(settings), self.login.clone());
        let mut drivers = NodeDrivers { driver, waiting: None, keeps_time, peer };
        let chosen = drivers.choose(waits);
        state.drivers.insert(node.clone(), drivers);
        chosen
    }

    /// What a fault of this node means. Notes what follows from that for later calls.
    pub(super) fn failure(&self, node: &NodeAddress, fault: &Fault, deadline: Deadline) -> Failure {
        let failure = Failure::of(fault, self.settings.announcements(node));
        let is_over = deadline.remaining().is_none();
        if matches!(failure, Failure::Silent | Failure::Lost | Failure::Unreached | Failure::Demoted) {
            self.state().sentinels.iter_mut().for_each(|sentinels| sentinels.doubt(Instant::now()));
        }
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
        let is_taken = state.view.take(map);
        if is_taken {
            state.forget_others();
        }
        is_taken
    }

    pub(super) fn has_sentinels(&self) -> bool {
        !self.sentinels.is_empty()
    }

    /// What to do before a call to the primary. A caller that asks the Sentinels has until `until`.
    pub(super) fn inquire(&self, purpose: Purpose, now: Instant, until: Instant) -> Inquiry {
        let mut state = self.state();
        state.sentinels.as_mut().map_or(Inquiry::Confirmed, |view| view.inquire(purpose, now, until))
    }

    pub(super) fn is_majority_missing(&self, opinions: &Opinions) -> bool {
        let answered = opinions.iter().filter(|(_, opinion)| opinion.is_ok()).count();
        self.state().sentinels.as_ref().is_some_and(|view| answered < view.majority())
    }

    /// The name by which the Sentinels know the primary.
    pub(super) fn primary_name(&self) -> String {
        self.state().sentinels.as_ref().map(|view| view.name().to_owned()).unwrap_or_default()
    }

    pub(super) fn sentinels(&self) -> Vec<NodeAddress> {
        self.sentinels.keys().cloned().collect()
    }

    pub(super) fn sentinel_driver(&self, sentinel: &NodeAddress) -> Option<&Driver> {
        self.sentinels.get(sentinel)
    }

    /// Why the primary was not known the last time.
    pub(super) fn problem(&self) -> Option<String> {
        self.state().sentinels.as_ref()?.problem().map(str::to_owned)
    }

    /// Takes the Sentinels' answers to one inquiry, which began at `begun` and had this time. Returns warnings for an operator.
    pub(super) fn conclude(
        &self,
        opinions: Opinions,
        begun: Instant,
        time: Duration,
    ) -> Result<Vec<String>, StoreError> {
        let mut state = self.state();
        let State { view, sentinels: Some(sentinels), .. } = &mut *state else { return Ok(Vec::new()) };
        let verdict = sentinels.conclude(opinions, view.map().epoch(), begun, time, Instant::now())?;
        view.replace(SlotMap::of_primary(verdict.epoch, verdict.primary, verdict.replicas));
        state.forget_others();
        Ok(verdict.warnings)
    }

    /// The replicas of this primary, in random order; none unless they may be read from.
    pub(super) fn replicas_of(&self, primary: &NodeAddress) -> Vec<NodeAddress> {
        if !self.settings.options.replicas {
            return Vec::new();
        }
        let mut replicas: Vec<NodeAddress> = self.state().view.map().replicas_of(primary).cloned().collect();
        fastrand::shuffle(&mut replicas);
        replicas
    }

    /// Whether a call to this node asks it for what it has of its primary.
    pub(super) fn is_read_as_replica(&self, node: &NodeAddress) -> bool {
        self.settings.options.replicas && self.state().view.map().is_replica(node)
    }

    pub(super) fn is_in_sync(&self, replica: &NodeAddress, now: Instant) -> Option<bool> {
        self.state().replicas.is_in_sync(replica, now)
    }

    pub(super) fn note_replica(&self, replica: &NodeAddress, is_in_sync: bool) {
        self.state().replicas.note(replica, is_in_sync, Instant::now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody panics with it, and what is in it would be whole all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(view: ClusterView, sentinels: Option<SentinelView>) -> Self {
        Self { view, sentinels, replicas: Replicas::default(), drivers: BTreeMap::new() }
    }

    /// Forgets the nodes that are none any more.
    fn forget_others(&mut self) {
        let Self { view, replicas, drivers, .. } = self;
        drivers.retain(|node, _| view.names(node));
        replicas.retain(|node| view.map().is_replica(node));
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
        if self.has_sentinels() {
            return self.look_for_primary(Purpose::Write, deadline).await;
        }
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
        let (driver, asked) = (self.driver(node, false), deadline.within(SIGN_OF_LIFE));
        match driver.run(&ask_time(), asked).await {
            Ok(_) => self.state().view.trust(node),
            Err(fault) if fault.is_silence() => return Err(Fault::no_sign_of_life(node, asked.total())),
            Err(fault) => return Err(fault.before_command()),
        }
        Ok(())
    }
}
