//! Role grants under governance, as a web service: routes, a worker, a notifier and a nightly sweep.
//!
//! Start any number of it on one Redis. `REDIS_URL` names the server (without it, memory keeps the requests),
//! `LISTEN` the address, and `SWEEP_AT` the time of the sweep in the time zone of the machine.

mod jobs;
mod openapi;
mod routes;

use std::error::Error;
use std::fmt::Display;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use mutator_governance::nonblocking::{Governance, MemoryStore, RedisStore, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// One line of the log. It is lost if nobody reads it any more.
fn log(line: impl Display) {
    let _lost = writeln!(std::io::stdout(), "{line}");
}

async fn open_store() -> mutator_governance::Result<Arc<dyn Store>> {
    let Ok(url) = std::env::var("REDIS_URL") else { return Ok(Arc::new(MemoryStore::new())) };
    let store = RedisStore::builder(url).namespace("role-grants").timeout(Duration::from_secs(2));
    Ok(Arc::new(store.open().await?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let setting = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let sweep_at = setting("SWEEP_AT", "03:30:00").parse()?;
    let mut terminated = signal(SignalKind::terminate())?;
    let governance = Governance::builder().store(open_store().await?).build();

    let worker = jobs::start_worker(&governance)?;
    let notifier = jobs::start_notifier(&governance)?;
    let sweeps = tokio::spawn(jobs::sweep_every_night(governance.clone(), sweep_at));

    let listener = TcpListener::bind(setting("LISTEN", "127.0.0.1:8080")).await?;
    log(format_args!("listening on http://{}", listener.local_addr()?));
    axum::serve(listener, routes::router(governance))
        .with_graceful_shutdown(async move { terminated.recv().await.unwrap_or_default() })
        .await?;

    sweeps.abort();
    for id in worker.stop().await.still_running {
        log(format_args!("{id} is still being executed"));
    }
    Ok(notifier.stop().await?)
}
