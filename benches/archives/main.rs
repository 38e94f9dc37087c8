//! What export and import cost: `cargo bench -p mutator-governance-benches --bench archives`.
//!
//! Starts a server of its own, imports the same requests several times, exports them in each form to a directory, and prints a
//! Markdown table: the best of some rounds, by the clock and by the CPU time of this process and of the server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails has failed")]
#![allow(clippy::indexing_slicing, reason = "as above")]

#[path = "../requests/mod.rs"]
mod requests;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::PrivateServer;
use mutator_governance::RequestQuery;
use mutator_governance::archive::{ArchiveCompression, ArchiveContent, ExportOptions, ImportOptions, RequestRecord};
use mutator_governance::blocking::{Archive, ArchiveDirectory, Governance, RedisStore};

const STORED: u64 = 20_000;
const ONE_BY_ONE: u64 = 5_000;
const ROUNDS: usize = 3;

/// Of one round: by the clock, and by the CPU time of this process and of the server.
struct Figures {
    seconds: f64,
    own: f64,
    server: f64,
}

fn main() {
    println!("| what | requests a second | own CPU, µs each | server's CPU, µs each |\n|---|---|---|---|");
    create_one_by_one();
    let server = PrivateServer::start_on_tcp(&[]);
    let source = governance(&server, 4);
    let numbers: Vec<u64> = (0..STORED).collect();
    for numbers in numbers.chunks(1_000) {
        let records: Vec<_> =
            numbers.iter().map(|number| RequestRecord::new(requests::request(*number).into(), [])).collect();
        for imported in source.store().import(&records).unwrap() {
            imported.unwrap();
        }
    }
    let directory = std::env::temp_dir().join(format!("archives-bench-{}", std::process::id()));
    for (name, content, compression) in [
        ("stored bytes", ArchiveContent::StoredBytes, ArchiveCompression::None),
        ("JSON Lines", ArchiveContent::JsonLines, ArchiveCompression::None),
        ("stored bytes, gzip", ArchiveContent::StoredBytes, ArchiveCompression::Gzip),
        ("JSON Lines, gzip", ArchiveContent::JsonLines, ArchiveCompression::Gzip),
    ] {
        let options = ExportOptions::new().content(content).compression(compression);
        let exported = best(|| {
            drop(std::fs::remove_dir_all(&directory));
            let mut files = ArchiveDirectory::create(&directory).unwrap();
            measure(&server, || drop(source.export(&RequestQuery::new(), &mut files, &options).unwrap()))
        });
        let bytes = open(&directory).manifest().bytes() / STORED;
        row(&format!("export, {name}, {bytes} bytes each"), STORED, &exported);
        let imported = best(|| {
            let server = PrivateServer::start_on_tcp(&[]);
            let (target, mut archive) = (governance(&server, 16), open(&directory));
            measure(&server, || {
                assert_eq!(target.import(&mut archive, &ImportOptions::new()).unwrap().added, STORED);
            })
        });
        row(&format!("import, {name}, P = 16"), STORED, &imported);
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

fn create_one_by_one() {
    let server = PrivateServer::start_on_tcp(&[]);
    let target = governance(&server, 16);
    let requests: Vec<_> = (0..ONE_BY_ONE).map(requests::request).collect();
    let created = measure(&server, || {
        requests.into_iter().for_each(|request| drop(target.store().create(request).unwrap()));
    });
    row("create one by one, P = 16", ONE_BY_ONE, &created);
}

fn governance(server: &PrivateServer, partitions: u16) -> Governance {
    let builder = RedisStore::builder(server.url()).partitions(partitions).timeout(Duration::from_secs(120));
    Governance::builder().store(Arc::new(builder.open().unwrap())).build()
}

fn open(directory: &Path) -> Archive {
    Archive::open(ArchiveDirectory::open(directory).unwrap()).unwrap()
}

fn best(round: impl Fn() -> Figures) -> Figures {
    let rounds = (0..ROUNDS).map(|_| round());
    rounds.reduce(|one, other| if one.seconds < other.seconds { one } else { other }).unwrap()
}

fn measure(server: &PrivateServer, work: impl FnOnce()) -> Figures {
    let cpu = || (cpu_seconds("self"), cpu_seconds(&server.pid().to_string()));
    let (began, before) = (Instant::now(), cpu());
    work();
    let (seconds, after) = (began.elapsed().as_secs_f64(), cpu());
    Figures { seconds, own: after.0 - before.0, server: after.1 - before.1 }
}

/// What a process has used, in user and in system mode.
fn cpu_seconds(process: &str) -> f64 {
    const TICKS: f64 = 100.0;
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
}

fn row(what: &str, requests: u64, figures: &Figures) {
    let count = requests as f64;
    let (own, server) = (figures.own / count * 1e6, figures.server / count * 1e6);
    println!("| {what} | {:.0} | {own:.0} | {server:.0} |", count / figures.seconds);
}
