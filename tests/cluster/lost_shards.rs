//! A shard that is gone for good, and one that comes back without its data.

use std::time::{Duration, Instant};

use common::requests::{id, moved_on, pending, second};
use common::server::Cluster;
use common::{Flavour, Options, Store, unique_namespace};
use mutator_governance::{Error, Outcome, StoreError, StoreErrorKind, WriteId};

use super::PATIENCE;

const PARTITIONS: u16 = 16;
const TIMEOUT: Duration = Duration::from_secs(2);

fn store_error(result: Result<impl std::fmt::Debug, Error>) -> StoreError {
    match result {
        Err(Error::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn primary_of(cluster: &Cluster, tag: &str) -> usize {
    let slot = cluster.slot_of(tag);
    (0..3).find_map(|asked| cluster.primary_of(slot, asked)).unwrap()
}

/// An id of a request in each partition.
fn ids() -> Vec<String> {
    let partition = |id: &str| common::oracle::crc32(id.as_bytes()) % u32::from(PARTITIONS);
    let of = |wanted: u32| (0..).map(|number| format!("r-{number}")).find(|id| partition(id) == wanted).unwrap();
    (0..u32::from(PARTITIONS)).map(of).collect()
}

struct Scene {
    flavour: Flavour,
    options: Options,
    /// Opened before the shard died.
    store: Store,
    dead: usize,
    ids: Vec<String>,
    is_dead: Vec<bool>,
}

/// With the shard of the namespace's own key among the dead.
#[test]
fn what_a_dead_shard_has_is_unavailable_and_what_others_have_is_served() {
    for flavour in Flavour::all() {
        let mut cluster = Cluster::start(&["--cluster-require-full-coverage", "no"]);
        let options = Options::in_cluster(cluster.urls(), unique_namespace("lost")).partitions(PARTITIONS);
        let options = options.timeout(PATIENCE);
        let store = flavour.opened(&options);
        let ids = ids();
        let created: Vec<_> =
            ids.iter().map(|id| store.create(pending(id, "tenant:acme", second(1))).unwrap()).collect();
        let dead = primary_of(&cluster, &format!("{{{}}}:meta", options.namespace));
        let is_dead: Vec<bool> = (0..PARTITIONS)
            .map(|partition| primary_of(&cluster, &format!("{{{}:{partition}}}", options.namespace)) == dead)
            .collect();
        assert!(is_dead.contains(&true) && is_dead.contains(&false), "{is_dead:?}");
        let hasty = flavour.opened(&Options { timeout: TIMEOUT, ..options.clone() });

        cluster.node_mut(dead + 3).kill();
        cluster.node_mut(dead).kill();
        let mut is_tried = false;
        for ((request, is_dead), number) in created.into_iter().zip(&is_dead).zip(0..) {
            let name = request.id.clone();
            let new = pending(&id_beside(&ids[number]), "tenant:acme", second(2));
            let changed = moved_on(request, second(2));
            if !is_dead {
                assert!(store.get(&name).unwrap().is_some(), "{flavour:?}: {name}");
                store.update(changed, WriteId::generate()).unwrap();
                store.create(new).unwrap();
                continue;
            }
            // Each of these waits for its whole time.
            if std::mem::replace(&mut is_tried, true) {
                continue;
            }
            let began = Instant::now();
            for error in [
                store_error(hasty.get(&name)),
                store_error(hasty.update(changed, WriteId::generate())),
                store_error(hasty.create(new)),
            ] {
                let found = (error.kind, error.outcome);
                assert_eq!(found, (StoreErrorKind::Unavailable, Outcome::NotApplied), "{flavour:?}: {error:?}");
                assert!(error.problem.contains(&cluster.nodes()[dead].address()), "{flavour:?}: {error}");
            }
            assert!(began.elapsed() < 3 * TIMEOUT + PATIENCE, "{flavour:?}: {:?}", began.elapsed());
        }
        comes_back_empty(&mut cluster, &Scene { flavour, options, store, dead, ids, is_dead });
    }
}

/// The first call cannot know that it is not slow; the later ones know that it does not answer.
#[test]
fn a_primary_that_hangs_for_good_is_named_as_unavailable() {
    let flavours = Flavour::all();
    let mut cluster = Cluster::start(&["--cluster-require-full-coverage", "no"]);
    let options = Options::in_cluster(cluster.urls(), unique_namespace("lost")).partitions(PARTITIONS);
    let stores: Vec<Store> = flavours.iter().map(|flavour| flavour.opened(&options.clone().timeout(TIMEOUT))).collect();
    let name = &ids()[0];
    let hanging = primary_of(&cluster, &format!("{{{}:0}}", options.namespace));
    cluster.node_mut(hanging + 3).kill();
    let stopped = cluster.nodes()[hanging].stop();
    for (flavour, store) in flavours.iter().zip(stores) {
        let kinds: Vec<StoreErrorKind> = (0..3)
            .map(|_| {
                let error = store_error(store.get(&id(name)));
                assert!(error.problem.contains(&cluster.nodes()[hanging].address()), "{flavour:?}: {error}");
                error.kind
            })
            .collect();
        use StoreErrorKind::{DeadlineExceeded, Unavailable};
        assert_eq!(kinds, [DeadlineExceeded, Unavailable, Unavailable], "{flavour:?}");
    }
    drop(stopped);
}

/// Another id in the same partition.
fn id_beside(id: &str) -> String {
    let partition = |id: &str| common::oracle::crc32(id.as_bytes()) % u32::from(PARTITIONS);
    (0..).map(|number| format!("{id}-{number}")).find(|other| partition(other) == partition(id)).unwrap()
}

/// Nothing is written where the layout of the partition is gone, and nobody opens the namespace anew.
fn comes_back_empty(cluster: &mut Cluster, scene: &Scene) {
    let Scene { flavour, options, store, dead, ids, is_dead } = scene;
    [*dead, dead + 3].into_iter().for_each(|node| cluster.node_mut(node).start_again());
    cluster.wait_until_whole();
    for (name, is_dead) in ids.iter().zip(is_dead) {
        let new = pending(&id_beside(&id_beside(name)), "tenant:acme", second(3));
        let created = store.create(new);
        if !is_dead {
            created.unwrap();
            continue;
        }
        let error = store_error(created);
        assert_eq!((error.kind, error.outcome), (StoreErrorKind::Incompatible, Outcome::NotApplied), "{error}");
        assert!(error.problem.contains(":layout") || error.problem.contains("layout"), "{flavour:?}: {error}");
        assert!(store.get(&id(name)).unwrap().is_none(), "{flavour:?}: {name}");
    }
    let error = store_error(flavour.open(options).map(|_| ()));
    let meta = format!("{{{}}}:meta", options.namespace);
    assert_eq!((error.kind, error.outcome), (StoreErrorKind::Incompatible, Outcome::NotApplied), "{error}");
    assert!(error.problem.contains(&meta) && error.problem.contains("Restore"), "{flavour:?}: {error}");
    let left: u64 = cluster.nodes()[*dead].ask(&["DBSIZE"]);
    assert_eq!(left, 0, "{flavour:?}: the empty shard got keys");
}
