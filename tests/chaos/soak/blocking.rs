//! The traffic of the blocking flavour.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use maybe_async::must_be_sync as dual;
use mutator_governance::blocking as flavour;

/// A function for `execute` that makes this call.
macro_rules! run {
    (|$request:ident| $call:expr) => {
        |$request: &mutator_governance::ClaimedRequest| $call
    };
}

#[path = "traffic.rs"]
mod traffic;

use traffic::Traffic;

pub fn start(
    servers: &crate::soak::Servers,
    namespace: &str,
    ledger: &Arc<crate::soak::ledger::Ledger>,
) -> Vec<JoinHandle<()>> {
    let traffic = Traffic::open(servers, namespace, ledger);
    let roles: [fn(Traffic); 5] =
        [traffic::submit, traffic::approve, traffic::execute, traffic::expire_due, traffic::ask];
    let start = |role: fn(Traffic)| {
        let traffic = traffic.clone();
        thread::spawn(move || role(traffic))
    };
    roles.into_iter().map(start).collect()
}
