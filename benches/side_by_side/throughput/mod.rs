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
    loading::load_ours(&server, workload::FLOOR, STORED);
    let workload = Workload::prepare(&server, &store);
    let callers = [
        ("16 threads on r2d2, 80 % reads", threads::measure(extent, &server, &workload)),
        ("64 tasks on tokio, 80 % reads", tasks::on_tokio(extent, &server, &workload)),
        ("64 tasks on smol, 80 % reads", tasks::on_smol(extent, &server, &workload)),
    ];
    callers.into_iter().flat_map(|(name, rates)| rates.rows(name)).collect()
}

/// Operations a second, round by round: ours; raw GET and SET; raw GET and the floor's script for writes.
#[derive(Default)]
struct Rates([Series; 3]);

impl Rates {
    /// Rounds in which the three take turns in going first; each returns how many operations a second it made.
    fn in_turn(extent: &Extent, columns: [Column<'_>; 3]) -> Self {
        let mut rates = Self::default();
        let began = std::time::Instant::now();
        for round in 0..=extent.rounds {
            if round > 3 && began.elapsed() > extent.at_most {
                break;
            }
            for turn in 0..columns.len() {
                let place = (round + turn) % columns.len();
                let rate = columns[place]();
                if round > 0 {
                    rates.0[place].add(rate);
                }
            }
        }
        rates
    }

    /// Against raw commands, which is the goal, and against the floor's script, which is what writes that keep indexes can
    /// reach at most.
    fn rows(self, name: &str) -> [Row; 2] {
        let Self([ours, raw, script]) = self;
        let row = |name: String, floor, goals| Row {
            name,
            unit: "operations/s",
            better: Better::More,
            columns: Columns { ours: ours.clone(), seed: None, floor: Some(floor) },
            goals,
        };
        [
            row(name.to_owned(), raw, vec![Goal::ShareOfFloor(0.8)]),
            row(format!("{name}, the floor writing by its script"), script, Vec::new()),
        ]
    }
}

type Column<'a> = &'a mut (dyn FnMut() -> f64 + 'a);

/// What the columns that are not ours write by.
#[derive(Clone, Copy)]
enum Floor {
    Set,
    Script,
}
