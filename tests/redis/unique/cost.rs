//! What a unique key costs, and that a request without one costs nothing for it.

use std::collections::BTreeMap;

use common::PrivateServer;
use mutator_governance::blocking::Store as _;
use mutator_governance::{MutationRequest, WriteId};

use super::{Space, canceled, keyed};

/// How often the server executed each command since it started, those of scripts included.
fn executed(space: &mut Space) -> BTreeMap<String, u64> {
    let text: String = redis::cmd("INFO").arg("commandstats").query(&mut space.redis).unwrap();
    let counted = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    text.lines().filter_map(counted).collect()
}

/// The commands of a creation and a cancellation.
fn cost(space: &mut Space, request: MutationRequest) -> [BTreeMap<String, u64>; 2] {
    let before = executed(space);
    let stored = space.store.create(request).unwrap();
    let between = executed(space);
    space.store.update(canceled(stored), WriteId::generate()).unwrap();
    let after = executed(space);
    [(&before, &between), (&between, &after)].map(|(from, to)| {
        let grown = |(name, count): (&String, &u64)| {
            let grown = count - from.get(name).copied().unwrap_or(0);
            (grown > 0 && name != "info").then(|| (name.clone(), grown))
        };
        to.iter().filter_map(grown).collect()
    })
}

#[test]
fn only_a_request_with_a_unique_key_pays_for_it() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut space = Space::new(server.url());
    let without = |id: &str| {
        let mut document = keyed(id).document().clone();
        document.unique_key = None;
        MutationRequest::from_document(document, keyed(id).revision()).unwrap()
    };
    // Scripts are loaded by the first calls.
    cost(&mut space, keyed("warm-keyed"));
    cost(&mut space, without("warm"));
    let [create, end] = cost(&mut space, without("without"));
    let hashes = ["hmget", "hset", "hdel", "hscan", "hgetall"];
    for used in [&create, &end] {
        assert!(hashes.iter().all(|name| !used.contains_key(*name)), "{used:?}");
        assert_eq!(used.get("evalsha"), Some(&1), "{used:?}");
    }
    let [keyed_create, keyed_end] = cost(&mut space, keyed("keyed"));
    assert_eq!((keyed_create.get("evalsha"), keyed_end.get("evalsha")), (Some(&3), Some(&2)));
    let beside_hashes = |mut used: BTreeMap<String, u64>| {
        used.retain(|name, _| name.starts_with('z') || name.starts_with('x') || name == "set");
        used
    };
    assert_eq!(beside_hashes(keyed_create), beside_hashes(create), "the same entries and records");
}
