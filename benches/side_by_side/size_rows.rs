//! What a request takes: as bytes of its document, and as memory of the server with everything that belongs to it.

use crate::loading::{load_ours, load_seed};
use crate::measure::{Columns, Series};
use crate::report::{Better, Goal, Row};
use crate::server::Server;
use crate::{Extent, requests, seed_layout};

const SAMPLE: u64 = 1_000;

pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let count = extent.largest_seed;
    let (ours, seed) = (Server::start(), Server::start());
    let before = (ours.used_memory(), seed.used_memory());
    load_ours(&ours, "size", count);
    load_seed(&seed, "size", count);
    let each = |server: &Server, before: f64| (server.used_memory() - before) / count as f64;
    let (our_memory, seed_memory) = (each(&ours, before.0), each(&seed, before.1));
    vec![
        row("stored bytes per document", record_bytes(&ours), json_bytes(), 0.3),
        row("server memory per request, indexes included", our_memory, seed_memory, 0.5),
    ]
}

fn row(name: &str, ours: f64, seed: f64, most: f64) -> Row {
    Row {
        name: name.to_owned(),
        unit: "bytes",
        better: Better::Less,
        columns: Columns { ours: Series::of(ours), seed: Some(Series::of(seed)), floor: None },
        goals: vec![Goal::ShareOfSeed(most)],
    }
}

/// The mean size of our records: header, names of index entries and document.
fn record_bytes(server: &Server) -> f64 {
    let mut connection = server.connection();
    let of = |number| {
        let key = format!("{{size:0}}:r:{}", requests::request(number).id);
        redis::cmd("STRLEN").arg(key).query::<f64>(&mut connection).unwrap()
    };
    (0..SAMPLE).map(of).sum::<f64>() / SAMPLE as f64
}

fn json_bytes() -> f64 {
    (0..SAMPLE).map(|number| seed_layout::json(&requests::request(number)).len() as f64).sum::<f64>() / SAMPLE as f64
}
