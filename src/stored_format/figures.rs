//! The figures of `docs/adr/0004-stored-format.md`: sizes and times beside `serde_json`, in one run.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::samples::realistic;
use super::{DocumentLimit, FormatVersion, decode, encode_as};
use crate::request::RequestDocument;

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

#[test]
#[ignore = "measures: cargo test --release --lib stored_format::figures -- --ignored --nocapture"]
fn size_and_speed_beside_json() {
    let document = realistic();
    let json = serde_json::to_vec(&document).unwrap();
    let [one, two] = [1, 2].map(|number| FormatVersion::new(number).unwrap());
    let [first, second] = [one, two].map(|version| encode_as(&document, version, LIMIT).unwrap());
    let from_json = |json: &[u8]| serde_json::from_slice::<RequestDocument>(json).unwrap();

    // The least of many rounds in which all take turns, so that a busy machine slows all of them alike.
    let mut rows = [[Duration::MAX; 3]; 3];
    for _ in 0..400 {
        let round = [
            [
                time(|| serde_json::to_vec(black_box(&document)).unwrap()),
                time(|| from_json(black_box(&json))),
                time(|| drop(from_json(black_box(&json)))),
            ],
            [
                time(|| encode_as(black_box(&document), one, LIMIT).unwrap()),
                time(|| decode(black_box(&first), LIMIT).unwrap()),
                time(|| drop(decode(black_box(&first), LIMIT).unwrap())),
            ],
            [
                time(|| encode_as(black_box(&document), two, LIMIT).unwrap()),
                time(|| decode(black_box(&second), LIMIT).unwrap()),
                time(|| drop(decode(black_box(&second), LIMIT).unwrap())),
            ],
        ];
        for (best, now) in rows.iter_mut().flatten().zip(round.into_iter().flatten()) {
            *best = now.min(*best);
        }
    }

    println!("| format | bytes | of JSON | encode | decode | decode and drop |");
    println!("|---|---|---|---|---|---|");
    let sizes = [json.len(), first.len(), second.len()];
    for (name, (row, size)) in ["serde_json", "version 1", "version 2"].into_iter().zip(rows.iter().zip(sizes)) {
        let times = row.iter().zip(rows[0]).map(|(time, json)| {
            format!("{:.2} µs ({:.1} ×)", time.as_secs_f64() * 1e6, json.as_secs_f64() / time.as_secs_f64())
        });
        let share = f64::from(u32::try_from(size).unwrap()) / f64::from(u32::try_from(sizes[0]).unwrap());
        println!("| {name} | {size} | {share:.2} | {} |", times.collect::<Vec<_>>().join(" | "));
    }
}

/// How long one call takes; dropping what it returns is not counted.
fn time<T>(call: impl Fn() -> T) -> Duration {
    const CALLS: u32 = 100;
    let mut results = Vec::with_capacity(CALLS as usize);
    let start = Instant::now();
    for _ in 0..CALLS {
        results.push(call());
    }
    start.elapsed() / CALLS
}
