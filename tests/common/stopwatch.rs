//! Time as a test may judge it on a machine that others keep busy.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often the meter looks, and so how much delay it does not notice.
const TICK: Duration = Duration::from_millis(5);

/// Measures how long something took, without what the rest of the machine took from it.
///
/// A thread that wakes every few milliseconds adds up how late it wakes. Every hop of a call (caller, server, caller) is late
/// by as much, so twice that sum is taken off. On an idle machine nothing is.
pub struct Stopwatch {
    started: Instant,
    starved: Duration,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { starved: starved(), started: Instant::now() }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed().saturating_sub(2 * starved().saturating_sub(self.starved))
    }
}

/// How late the meter has woken in all, since it began with the first stopwatch of this process.
fn starved() -> Duration {
    static LATE: OnceLock<&'static AtomicU64> = OnceLock::new();
    let late = LATE.get_or_init(|| {
        let late: &'static AtomicU64 = Box::leak(Box::default());
        thread::spawn(|| {
            loop {
                let began = Instant::now();
                thread::sleep(TICK);
                let by = began.elapsed().saturating_sub(2 * TICK).as_micros();
                late.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        late
    });
    Duration::from_micros(late.load(Ordering::Relaxed))
}
