//! Fills stores before anything is measured.

use std::time::Instant;

use mutator_governance::blocking::{RedisStore, Store as _};

use crate::requests;
use crate::seed_layout::SeedLayout;
use crate::server::Server;

const THREADS: u64 = 4;
const BATCH: usize = 200;

/// Requests 0 to `count` in a namespace of ours, through the store itself.
pub(crate) fn load_ours(server: &Server, namespace: &str, count: u64) -> RedisStore {
    let began = Instant::now();
    let store = server.store(namespace, 16);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for number in (thread..count).step_by(THREADS as usize) {
                    store.create(requests::request(number)).unwrap();
                }
            });
        }
    });
    progress(&format!("loaded {count} requests as {namespace}"), began);
    store
}

/// The same requests in the seed's layout, many in a round trip.
pub(crate) fn load_seed(server: &Server, prefix: &'static str, count: u64) -> SeedLayout {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let mut layout = SeedLayout::new(server.connection(), prefix);
                let numbers: Vec<u64> = (thread..count).step_by(THREADS as usize).collect();
                for batch in numbers.chunks(BATCH) {
                    let batch: Vec<_> = batch.iter().copied().map(requests::request).collect();
                    layout.load(&batch);
                }
            });
        }
    });
    progress(&format!("loaded {count} requests in the seed's layout"), began);
    SeedLayout::new(server.connection(), prefix)
}

/// Tells whoever waits; the table alone goes to the standard output.
pub(crate) fn progress(what: &str, began: Instant) {
    eprintln!("{what} in {:.1} s", began.elapsed().as_secs_f64());
}

/// How many megabytes of memory are free, where the system tells.
pub(crate) fn free_megabytes() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? / 1024)
}
