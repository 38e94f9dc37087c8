//! The figures of `docs/adr/0004-stored-format.md`: sizes and times beside `serde_json`, in one run.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::samples::realistic;
use super::{Compression, DocumentLimit, FormatVersion, decode, encode, encode_compressed};
use crate::request::{Payload, RequestDocument};

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

#[test]
#[ignore = "measures: cargo test --release --lib stored_format::figures -- --ignored --nocapture"]
fn size_and_speed_beside_json() {
    let document = realistic();
    let json = serde_json::to_vec(&document).unwrap();
    let stored = encode(&document, LIMIT).unwrap();
    let from_json = |json: &[u8]| serde_json::from_slice::<RequestDocument>(json).unwrap();

    // The least of many rounds in which all take turns, so that a busy machine slows all of them equally.
    let mut rows = [[Duration::MAX; 3]; 2];
    for _ in 0..400 {
        let round = [
            [
                time(|| serde_json::to_vec(black_box(&document)).unwrap()),
                time(|| from_json(black_box(&json))),
                time(|| drop(from_json(black_box(&json)))),
            ],
            [
                time(|| encode(black_box(&document), LIMIT).unwrap()),
                time(|| decode(black_box(&stored), LIMIT).unwrap()),
                time(|| drop(decode(black_box(&stored), LIMIT).unwrap())),
            ],
        ];
        for (best, now) in rows.iter_mut().flatten().zip(round.into_iter().flatten()) {
            *best = now.min(*best);
        }
    }

    println!("| format | bytes | of JSON | encode | decode | decode and drop |");
    println!("|---|---|---|---|---|---|");
    let sizes = [json.len(), stored.len()];
    for (name, (row, size)) in ["serde_json", "stored format"].into_iter().zip(rows.iter().zip(sizes)) {
        let times = row.iter().zip(rows[0]).map(|(time, json)| {
            format!("{:.2} µs ({:.1} ×)", time.as_secs_f64() * 1e6, json.as_secs_f64() / time.as_secs_f64())
        });
        let share = f64::from(u32::try_from(size).unwrap()) / f64::from(u32::try_from(sizes[0]).unwrap());
        println!("| {name} | {size} | {share:.2} | {} |", times.collect::<Vec<_>>().join(" | "));
    }
}

#[test]
#[ignore = "measures: cargo test --release --lib stored_format::figures -- --ignored --nocapture"]
fn compression_by_the_size_of_the_payload() {
    let always = Compression::of_payloads_from(0);
    let micros = |time: Duration| format!("{:.0} µs", time.as_secs_f64() * 1e6);
    println!("| payload | bytes, plain | compressed | encode, plain | compressed | decode, plain | compressed |");
    println!("|---|---|---|---|---|---|---|");
    for (name, kibibytes) in [
        ("JSON", 0.5),
        ("JSON", 1.0),
        ("JSON", 4.0),
        ("JSON", 16.0),
        ("JSON", 64.0),
        ("JSON", 512.0),
        ("random", 4.0),
        ("random", 64.0),
    ] {
        let length = (kibibytes * 1024.0) as usize;
        let mut random = fastrand::Rng::with_seed(7);
        let payload = if name == "JSON" { grants(length) } else { (0..length).map(|_| random.u8(..)).collect() };
        let payload = Some(Payload::new("application/json", payload).unwrap());
        let document = RequestDocument { payload, ..realistic() };
        let encoded = |compression| encode_compressed(&document, FormatVersion::NEWEST, compression, LIMIT).unwrap();
        let [plain, compressed] = [Compression::NEVER, always].map(encoded);
        let mut best = [Duration::MAX; 4];
        for _ in 0..40 {
            let round = [
                time(|| encoded(black_box(Compression::NEVER))),
                time(|| encoded(black_box(always))),
                time(|| decode(black_box(&plain), LIMIT).unwrap()),
                time(|| decode(black_box(&compressed), LIMIT).unwrap()),
            ];
            best.iter_mut().zip(round).for_each(|(best, now)| *best = now.min(*best));
        }
        let times = best.map(micros).join(" | ");
        println!("| {name}, {kibibytes} KiB | {} | {} | {times} |", plain.len(), compressed.len());
    }
}

/// JSON of this many bytes, with as many unique values as an application's.
fn grants(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut json = String::from(r#"{"grants":["#);
    while json.len() < length {
        let role = ["billing-admin", "auditor", "developer", "viewer"][random.usize(..4)];
        json += &format!(
            r#"{{"user":"u-{:04}","role":"{role}","from":"2026-{:02}-{:02}T08:00:00Z","ticket":"OPS-{}","id":"{:032x}"}},"#,
            random.u32(..9999),
            random.u32(1..13),
            random.u32(1..29),
            random.u32(..99_999),
            random.u128(..),
        );
    }
    json.truncate(length);
    json.into_bytes()
}

/// The duration of one call, without dropping its result.
fn time<T>(call: impl Fn() -> T) -> Duration {
    const CALLS: u32 = 100;
    let mut results = Vec::with_capacity(CALLS as usize);
    let start = Instant::now();
    for _ in 0..CALLS {
        results.push(call());
    }
    start.elapsed() / CALLS
}
