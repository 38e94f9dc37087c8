use std::sync::Mutex;
use std::time::Instant;

use mutator_governance::blocking::{RedisStore, RequestStore as _};
use mutator_governance::{MutationRequest, WriteId};
use redis::Connection;

use super::in_turn;
use super::workload::{NAMESPACE, Step, Steps, Workload, changed, key, raw_key};
use crate::Extent;
use crate::measure::Columns;
use crate::server::{Server, send};

const THREADS: usize = 16;
const STEPS: usize = 100;

pub(super) fn measure(extent: &Extent, server: &Server, workload: &Workload) -> Columns {
    let store = server.store(NAMESPACE, THREADS as u32);
    let own: Vec<_> = (0..THREADS).map(|thread| Mutex::new(workload.own(thread, &store))).collect();
    let connections: Vec<_> = (0..THREADS).map(|_| Mutex::new(server.connection())).collect();
    in_turn(
        extent,
        || rate(|thread| ours(&store, workload, &mut own[thread].lock().unwrap(), Steps::of(thread))),
        || rate(|thread| raw(&mut connections[thread].lock().unwrap(), workload, thread)),
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

fn raw(connection: &mut Connection, workload: &Workload, thread: usize) {
    let (own, mut steps) = (workload.own_ids(thread), Steps::of(thread));
    for _ in 0..STEPS {
        let packed = match steps.next() {
            Step::Read(place) => redis::cmd("GET").arg(key(&workload.ids[place])).get_packed_command(),
            Step::Write(place) => {
                redis::cmd("SET").arg(raw_key(&own[place])).arg(&workload.record).get_packed_command()
            }
        };
        send(connection, &packed);
    }
}
