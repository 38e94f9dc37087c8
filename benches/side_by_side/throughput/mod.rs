//! Many callers at once, four reads to one write, against raw GET and SET of the same bytes over as many connections.

mod tasks;
mod threads;
mod workload;

use crate::measure::{Columns, Series};
use crate::report::{Better, Goal, Row};
use crate::{Extent, loading, server::Server};
use workload::{STORED, Workload};

pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let server = Server::start();
    let store = loading::load_ours(&server, workload::NAMESPACE, STORED);
    let workload = Workload::prepare(&server, &store);
    let row = |name: &str, columns| Row {
        name: name.to_owned(),
        unit: "operations/s",
        better: Better::More,
        columns,
        goals: vec![Goal::ShareOfFloor(0.8)],
    };
    vec![
        row("16 threads on r2d2, 80 % reads", threads::measure(extent, &server, &workload)),
        row("64 tasks on tokio, 80 % reads", tasks::on_tokio(extent, &server, &workload)),
        row("64 tasks on smol, 80 % reads", tasks::on_smol(extent, &server, &workload)),
    ]
}

/// Rounds of the two columns in turn; each returns how many operations a second it made.
fn in_turn(extent: &Extent, mut ours: impl FnMut() -> f64, mut floor: impl FnMut() -> f64) -> Columns {
    let (mut our_series, mut floor_series) = (Series::default(), Series::default());
    let began = std::time::Instant::now();
    for round in 0..=extent.rounds {
        if round > 3 && began.elapsed() > extent.at_most {
            break;
        }
        let (our_rate, floor_rate) = if round % 2 == 0 {
            (ours(), floor())
        } else {
            let floor_rate = floor();
            (ours(), floor_rate)
        };
        if round > 0 {
            our_series.add(our_rate);
            floor_series.add(floor_rate);
        }
    }
    Columns { ours: our_series, seed: None, floor: Some(floor_series) }
}
