//! Time and tasks of whichever runtime runs the caller.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

/// A runtime that runs callers. What is registered with one, a socket or a task, goes on only while that one runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runtime {
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Id),
    /// smol's executor and its reactor, of which a process has one.
    #[cfg(feature = "smol")]
    Smol,
}

impl Runtime {
    /// That of the caller; none outside tokio in a build that knows only tokio.
    #[cfg_attr(
        feature = "smol",
        allow(clippy::unnecessary_wraps, reason = "there is always smol, if it is switched on")
    )]
    pub(super) fn current() -> Option<Self> {
        #[cfg(feature = "tokio")]
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            return Some(Self::Tokio(handle.id()));
        }
        #[cfg(feature = "smol")]
        return Some(Self::Smol);
        #[cfg(not(feature = "smol"))]
        None
    }
}

/// Waits: on tokio within a tokio runtime, on smol's timer anywhere else.
pub(super) async fn pause(duration: Duration) {
    #[cfg(all(feature = "tokio", feature = "smol"))]
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(duration).await;
        return;
    }
    #[cfg(not(feature = "smol"))]
    tokio::time::sleep(duration).await;
    #[cfg(feature = "smol")]
    smol::Timer::after(duration).await;
}

/// Runs the future to its end beside its caller, in the same runtime that [`pause`] would wait in.
pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    #[cfg(all(feature = "tokio", feature = "smol"))]
    if tokio::runtime::Handle::try_current().is_ok() {
        drop(tokio::spawn(future));
        return;
    }
    #[cfg(not(feature = "smol"))]
    drop(tokio::spawn(future));
    #[cfg(feature = "smol")]
    smol::spawn(future).detach();
}

/// The future's output, or `None` if it takes longer than `duration`.
///
/// Taken pinned: what an async function pins itself it has room for twice, once for what it was called with.
pub(super) async fn within<T>(duration: Duration, future: impl Future<Output = T> + Unpin) -> Option<T> {
    match select(future, pin!(pause(duration))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}
