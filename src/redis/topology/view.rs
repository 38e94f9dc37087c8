//! What a client knows of a cluster between its calls: the map, who is suspect, and when to ask again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::node_address::NodeAddress;
use super::slot::Slot;
use super::slot_map::SlotMap;

/// The map is not refreshed more often, whatever the calls under way find out.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// So many nodes of the map are asked for another, and so many of those that the application named.
const MAX_NODES_ASKED: usize = 5;
const MAX_SEEDS_ASKED: usize = 3;

/// What a client knows of a cluster.
#[derive(Debug)]
pub(crate) struct ClusterView {
    /// The nodes that the application named.
    seeds: Vec<NodeAddress>,
    map: SlotMap,
    /// Nodes that did not answer a call in time. The next call asks them for a sign of life first.
    suspects: BTreeSet<NodeAddress>,
    /// The map may be refreshed from then on.
    next_refresh: Option<Instant>,
}

impl ClusterView {
    pub(crate) fn new(seeds: Vec<NodeAddress>) -> Self {
        Self { seeds, map: SlotMap::default(), suspects: BTreeSet::new(), next_refresh: None }
    }

    pub(crate) fn seeds(&self) -> &[NodeAddress] {
        &self.seeds
    }

    pub(crate) const fn map(&self) -> &SlotMap {
        &self.map
    }

    /// Who serves this slot; anybody if the map does not say, who will.
    pub(crate) fn node_for(&self, slot: Option<Slot>) -> Option<NodeAddress> {
        let primary = slot.and_then(|slot| self.map.primary_of(slot));
        primary.or_else(|| self.map.primaries().into_iter().next()).or_else(|| self.seeds.first()).cloned()
    }

    /// Begins a refresh that ends by `until`, and returns whom to ask, in this order; `None` while another one is under way
    /// or has just ended. `failed` is asked last.
    pub(crate) fn begin_refresh(
        &mut self,
        now: Instant,
        until: Instant,
        failed: Option<&NodeAddress>,
        random: &mut fastrand::Rng,
    ) -> Option<Vec<NodeAddress>> {
        if self.next_refresh.is_some_and(|next| now < next) {
            return None;
        }
        self.next_refresh = Some(until);
        let mut nodes: Vec<NodeAddress> = self.map.nodes().into_iter().cloned().collect();
        random.shuffle(&mut nodes);
        nodes.sort_by_key(|node| self.suspects.contains(node));
        nodes.retain(|node| Some(node) != failed);
        nodes.truncate(MAX_NODES_ASKED);
        let mut seeds: Vec<&NodeAddress> = self.seeds.iter().filter(|seed| !nodes.contains(seed)).collect();
        random.shuffle(&mut seeds);
        seeds.retain(|seed| Some(*seed) != failed);
        seeds.truncate(MAX_SEEDS_ASKED);
        let seeds: Vec<NodeAddress> = seeds.into_iter().cloned().collect();
        nodes.extend(seeds);
        nodes.extend(failed.cloned());
        Some(nodes)
    }

    /// The refresh has ended.
    pub(crate) fn end_refresh(&mut self, now: Instant) {
        self.next_refresh = now.checked_add(MIN_INTERVAL);
    }

    /// Takes a map, unless it is older. Whether it was taken.
    pub(crate) fn take(&mut self, map: SlotMap) -> bool {
        let is_taken = self.map.replace(map);
        if is_taken {
            self.forget_others();
        }
        is_taken
    }

    /// Takes a map, whatever its epoch.
    pub(crate) fn replace(&mut self, map: SlotMap) {
        self.map = map;
        self.forget_others();
    }

    fn forget_others(&mut self) {
        let known = self.map.nodes();
        self.suspects.retain(|suspect| known.contains(suspect));
    }

    pub(crate) fn note_moved(&mut self, slot: Slot, to: NodeAddress) {
        self.map.note_moved(slot, to);
    }

    pub(crate) fn suspect(&mut self, node: &NodeAddress) {
        if self.map.nodes().contains(node) {
            self.suspects.insert(node.clone());
        }
    }

    pub(crate) fn is_suspect(&self, node: &NodeAddress) -> bool {
        self.suspects.contains(node)
    }

    pub(crate) fn trust(&mut self, node: &NodeAddress) {
        self.suspects.remove(node);
    }

    /// Whether calls may go to this node: the map or the application names it.
    pub(crate) fn names(&self, node: &NodeAddress) -> bool {
        self.map.nodes().contains(node) || self.seeds.contains(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::topology::announcement::Announcements;
    use crate::redis::topology::samples::{self, address};

    fn view() -> ClusterView {
        let asked = address("127.0.0.1", 24_010);
        let [info, slots] = [samples::INFO, samples::SLOTS].map(samples::reply);
        let mut view = ClusterView::new(vec![address("seed", 1), address("seed", 2)]);
        assert_eq!(view.node_for(None), Some(address("seed", 1)));
        assert!(view.take(SlotMap::from_slots(&info, &slots, Announcements::of(&asked)).unwrap()));
        view
    }

    #[test]
    fn one_caller_refreshes_at_a_time_and_not_too_often() {
        let (mut view, mut random) = (view(), fastrand::Rng::with_seed(1));
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut begins = |view: &mut ClusterView, at| view.begin_refresh(at, at + second, None, &mut random).is_some();
        assert!(begins(&mut view, now));
        assert!(!begins(&mut view, now + second / 2), "one is under way");
        view.end_refresh(now + second / 2);
        assert!(!begins(&mut view, now + second / 2 + MIN_INTERVAL / 2), "one has just ended");
        assert!(begins(&mut view, now + second / 2 + MIN_INTERVAL));
        assert!(begins(&mut view, now + 2 * second), "one whose caller is gone keeps nobody");
    }

    #[test]
    fn another_node_is_asked_first_then_seeds_and_last_the_one_that_failed() {
        for seed in 0..50 {
            let (mut view, mut random) = (view(), fastrand::Rng::with_seed(seed));
            let failed = address("127.0.0.1", 24_010);
            let suspect = address("127.0.0.1", 24_004);
            view.suspect(&suspect);
            let now = Instant::now();
            let asked = view.begin_refresh(now, now, Some(&failed), &mut random).unwrap();
            assert_eq!(asked.len(), 8, "{asked:?}");
            assert_eq!((&asked[4], asked.last()), (&suspect, Some(&failed)), "{asked:?}");
            assert!(asked[5..7].iter().all(|node| node.host() == "seed"), "{asked:?}");
        }
    }

    #[test]
    fn who_is_suspect_stays_so_until_it_answers_or_is_gone() {
        let mut view = view();
        let node = address("127.0.0.1", 24_010);
        view.suspect(&address("elsewhere", 1));
        view.suspect(&node);
        assert!(view.is_suspect(&node) && !view.is_suspect(&address("elsewhere", 1)));
        view.trust(&node);
        assert!(!view.is_suspect(&node) && view.names(&node) && !view.names(&address("elsewhere", 1)));
    }
}
