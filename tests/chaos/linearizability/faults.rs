//! What happens to the server and to the connections while a history is recorded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use fastrand::Rng;

use super::TIMEOUT;
use common::Raw;
use common::proxy::Proxy;

pub const KINDS: [&str; 6] =
    ["connections killed", "scripts flushed", "request cut", "reply cut", "requests late", "server stopped"];

/// Causes faults until it has to end, and undoes what would last.
pub fn cause(ended: &AtomicBool, proxy: &Proxy, url: &str, pid: u32, mut random: Rng) -> BTreeMap<&'static str, u64> {
    let mut caused = BTreeMap::new();
    let mut raw = Raw::to(url);
    // Late requests and a stopped server cost a timeout each: in some histories only.
    let kinds = if random.u8(..3) == 0 { 2..KINDS.len() } else { 0..4 };
    while !ended.load(Ordering::Relaxed) {
        let kind = KINDS[random.usize(kinds.clone())];
        match kind {
            "connections killed" => drop(raw.ask::<i64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])),
            "scripts flushed" => drop(raw.ask::<String>(&["SCRIPT", "FLUSH"])),
            "request cut" => proxy.cut_request_after(random.usize(..3_000)),
            "reply cut" => proxy.cut_reply_after(random.usize(..200)),
            "requests late" => {
                proxy.delay_requests(TIMEOUT + Duration::from_millis(random.u64(..60)));
                sleep(Duration::from_millis(20));
                proxy.delay_requests(Duration::ZERO);
            }
            _ => {
                signal("-STOP", pid);
                sleep(TIMEOUT + Duration::from_millis(random.u64(..60)));
                signal("-CONT", pid);
            }
        }
        *caused.entry(kind).or_insert(0) += 1;
        sleep(Duration::from_millis(random.u64(5..30)));
    }
    proxy.cut();
    caused
}

fn signal(name: &str, pid: u32) {
    let status = std::process::Command::new("kill").args([name, &pid.to_string()]).status().unwrap();
    assert!(status.success(), "kill {name} {pid}");
}
