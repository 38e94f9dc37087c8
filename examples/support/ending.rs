//! Ends a run early, on Ctrl-C or when nobody reads its output: quietly, and with its keys deleted.

use std::io::{self, Write as _};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Place;

/// The exit status of a program that Ctrl-C has ended.
const ENDED_BY_SIGNAL: i32 = 130;
/// A step takes no longer than its calls, and a call no longer than the store's timeout.
const MAX_STEP: Duration = Duration::from_secs(5);

static RUN: Mutex<Run> = Mutex::new(Run { place: None, is_asked_to_end: false, is_at_rest: false });
static AT_REST: Condvar = Condvar::new();
/// Held while keys are deleted, so that nobody ends the program half-way.
static DELETING: Mutex<()> = Mutex::new(());

/// The processes that the run has started.
static PROCESSES: Mutex<Vec<Arc<Mutex<Child>>>> = Mutex::new(Vec::new());

struct Run {
    /// The place with something to delete.
    place: Option<Place>,
    is_asked_to_end: bool,
    /// Whether the run writes nothing to its store now, and checks whether it must end before it writes again.
    is_at_rest: bool,
}

fn run() -> MutexGuard<'static, Run> {
    RUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes sure that what the run writes to this place is deleted, however the run ends.
pub fn watch(place: &Place) {
    run().place = Some(place.clone());
    if let Err(error) = ctrlc::set_handler(end_by_signal) {
        complain(&format!("Ctrl-C will leave what this run has written: {error}"));
    }
}

/// If the run ends early, this process is killed before what the run has written is deleted.
pub fn kill_first(process: &Arc<Mutex<Child>>) {
    PROCESSES.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(process));
}

/// Deletes what the run has written, once, and returns the number of keys.
///
/// # Errors
/// If the server cannot be reached or returns an error.
pub fn clean_up() -> super::Result<usize> {
    let _deleting = DELETING.lock().unwrap_or_else(PoisonError::into_inner);
    let place = run().place.take();
    place.map_or(Ok(0), |place| place.delete())
}

/// Writes a line. If nobody reads the output any more, the program ends here.
pub fn line(text: std::fmt::Arguments<'_>) {
    rest();
    let written = writeln!(io::stdout(), "{text}");
    match written {
        Ok(()) => go_on(),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => end(0),
        Err(error) => {
            complain(&format!("cannot write: {error}"));
            end(1);
        }
    }
}

/// Writes a line about what went wrong, if anybody reads it.
pub fn complain(problem: &str) {
    let _nobody_reads = writeln!(io::stderr(), "{problem}");
}

/// Waits for the end if it was requested.
pub fn go_on() {
    let mut run = run();
    while run.is_asked_to_end {
        run = AT_REST.wait(run).unwrap_or_else(PoisonError::into_inner);
    }
    run.is_at_rest = false;
}

fn rest() {
    run().is_at_rest = true;
    AT_REST.notify_all();
}

/// Runs on a thread of its own beside the run, so it first waits until the run reaches its next line.
fn end_by_signal() {
    let mut run = run();
    run.is_asked_to_end = true;
    let waited = AT_REST.wait_timeout_while(run, MAX_STEP, |run| !run.is_at_rest);
    drop(waited);
    end(ENDED_BY_SIGNAL);
}

fn end(status: i32) -> ! {
    for process in PROCESSES.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
        let killed = process.kill().and_then(|()| process.wait());
        if let Err(error) = killed {
            complain(&format!("error: a process of this run is not ended: {error}"));
        }
    }
    if let Err(error) = clean_up() {
        complain(&format!("error: what this run has written is not deleted: {error}"));
    }
    std::process::exit(status)
}
