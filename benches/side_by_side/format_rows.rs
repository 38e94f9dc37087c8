//! Documents to bytes and back, without a server.

use std::hint::black_box;

use mutator_governance::{DocumentLimit, MutationRequest, stored_format};

use crate::measure::{Columns, Rounds};
use crate::report::{Goal, Row};
use crate::{Extent, requests, seed_layout};

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let requests: Vec<MutationRequest> = (0..32).map(requests::almost_approved).collect();
    let stored: Vec<Vec<u8>> = requests.iter().map(|request| stored_format::encode(request, LIMIT).unwrap()).collect();
    let json: Vec<Vec<u8>> = requests.iter().map(|request| seed_layout::json(request)).collect();
    let rounds = extent.rounds(1);
    let row = |name: &str, columns: Columns| Row::time(name, columns, vec![Goal::TimesBetterThanSeed(5.0)]);
    vec![
        row(
            "encode",
            each_of(
                rounds,
                &requests,
                &requests,
                &|request| drop(black_box(stored_format::encode(request, LIMIT))),
                &|request| {
                    drop(black_box(seed_layout::json(request)));
                },
            ),
        ),
        row(
            "decode",
            each_of(rounds, &stored, &json, &|bytes| drop(black_box(stored_format::decode(bytes, LIMIT))), &|json| {
                drop(black_box(seed_layout::parse(json)));
            }),
        ),
    ]
}

/// Microseconds for one of them.
fn each_of<A, B>(rounds: Rounds, ours: &[A], seed: &[B], our_work: &dyn Fn(&A), seed_work: &dyn Fn(&B)) -> Columns {
    let all = Rounds { rounds: rounds.rounds * 4, operations: 5, ..rounds };
    let columns =
        all.times(&mut || ours.iter().for_each(our_work), Some(&mut || seed.iter().for_each(seed_work)), None);
    columns.for_each_of(ours.len())
}
