//! The traffic of the asynchronous flavour, on tokio or on smol.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use maybe_async::must_be_async as dual;
use mutator_governance::nonblocking as flavour;

use common::Flavour;

/// A function for `execute` that makes this call.
macro_rules! run {
    (|$request:ident| $call:expr) => {
        async |$request: &mutator_governance::ClaimedRequest| $call.await
    };
}

#[path = "traffic.rs"]
mod traffic;

use traffic::Traffic;

type Work = Pin<Box<dyn Future<Output = ()>>>;

pub fn start(
    runtime: Flavour,
    servers: &crate::soak::Servers,
    namespace: &str,
    ledger: &Arc<crate::soak::ledger::Ledger>,
) -> Vec<JoinHandle<()>> {
    let traffic = runtime.block_on(Traffic::open(servers, namespace, ledger));
    let roles: [fn(Traffic) -> Work; 5] = [
        |traffic| Box::pin(traffic::submit(traffic)),
        |traffic| Box::pin(traffic::approve(traffic)),
        |traffic| Box::pin(traffic::execute(traffic)),
        |traffic| Box::pin(traffic::expire_due(traffic)),
        |traffic| Box::pin(traffic::ask(traffic)),
    ];
    let start = |role: fn(Traffic) -> Work| {
        let traffic = traffic.clone();
        // A thread for each role, which waits for its future as a program's main function does.
        thread::spawn(move || runtime.block_on(role(traffic)))
    };
    roles.into_iter().map(start).collect()
}
