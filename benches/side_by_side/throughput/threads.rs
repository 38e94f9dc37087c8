//! The workload by threads.

use std::sync::Mutex;
use std::time::Instant;

use mutator_governance::blocking::{RedisStore, Store as _, StoreExtension as _};
use mutator_governance::{MutationRequest, WriteId};
use redis::Connection;

use super::workload::{NAMESPACE, Raw, Step, Steps, Workload, changed, key};
use super::{Floor, Rates};
use crate::Extent;
use crate::server::{Server, send};

const THREADS: usize = 16;
const STEPS: usize = 100;

pub(super) fn measure(extent: &Extent, server: &Server, workload: &Workload) -> Rates {
    let store = server.store(NAMESPACE, THREADS as u32);
    let own: Vec<_> = (0..THREADS).map(|thread| Mutex::new(workload.own(thread, &store))).collect();
    let floor = |floor| -> Vec<_> {
        (0..THREADS).map(|thread| Mutex::new((server.connection(), workload.raw(thread, floor)))).collect()
    };
    let (by_set, by_script) = (floor(Floor::Set), floor(Floor::Script));
    let on_floor = |callers: &[Mutex<(Connection, Raw)>]| {
        rate(|thread| {
            let (connection, raw) = &mut *callers[thread].lock().unwrap();
            on_floor(connection, raw, workload, Steps::of(thread));
        })
    };
    Rates::in_turn(
        extent,
        [
            &mut || rate(|thread| ours(&store, workload, &mut own[thread].lock().unwrap(), Steps::of(thread))),
            &mut || on_floor(&by_set),
            &mut || on_floor(&by_script),
        ],
    )
}

fn rate(work: impl Fn(usize) + Sync) -> f64 {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let work = &work;
            scope.spawn(move || work(thread));
        }
    });
    (THREADS * STEPS) as f64 / began.elapsed().as_secs_f64()
}

fn ours(store: &RedisStore, workload: &Workload, own: &mut [MutationRequest], mut steps: Steps) {
    for _ in 0..STEPS {
        match steps.next() {
            Step::Read(place) => assert!(store.get(&workload.ids[place]).unwrap().is_some()),
            Step::Write(place) => {
                own[place] = store.update(changed(own[place].clone()), WriteId::generate()).unwrap();
            }
        }
    }
}

fn on_floor(connection: &mut Connection, raw: &mut Raw, workload: &Workload, mut steps: Steps) {
    for _ in 0..STEPS {
        let command = match steps.next() {
            Step::Read(place) => redis::cmd("GET").arg(key(&workload.ids[place])).clone(),
            Step::Write(place) => raw.write(place),
        };
        send(connection, &command.get_packed_command());
    }
}
