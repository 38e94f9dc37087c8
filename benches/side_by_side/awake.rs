//! Keeps the CPUs awake while something is measured.
//!
//! A virtual CPU that has halted takes tens of microseconds to wake, and whether it halts hangs on how long the other side
//! of a round trip takes: short calls are measured by the sleep of the machine. Where the host rations CPU time, this takes
//! from what is measured, so it is done only when it is asked for.

use std::process::{Child, Command, Stdio};

/// One process of the lowest scheduling class for each CPU, which runs only where nothing else wants to. They end with this
/// value, and by themselves when the bench is killed.
pub(crate) struct Awake(Vec<Child>);

const SPIN: &str = "while kill -0 \"$0\" 2>/dev/null; do :; done";

impl Awake {
    /// Where there is no `chrt`, the CPUs sleep as they like, and the bench says so.
    pub(crate) fn keep() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let spin = |_| {
            let bench = std::process::id().to_string();
            let mut command = Command::new("chrt");
            command.args(["--idle", "0", "sh", "-c", SPIN, &bench]).stdin(Stdio::null()).stderr(Stdio::null());
            command.spawn().ok()
        };
        let spinning: Vec<Child> = (0..cpus).filter_map(spin).collect();
        if spinning.len() < cpus {
            eprintln!("there is no chrt to keep the CPUs awake by: round trips take longer the idler they are");
        }
        Self(spinning)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}
