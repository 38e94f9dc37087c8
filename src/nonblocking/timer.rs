//! Time in whichever runtime runs the future.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

/// Waits: on tokio within a tokio runtime, on smol's timer anywhere else.
pub(super) async fn pause(duration: Duration) {
    #[cfg(feature = "tokio")]
    if cfg!(not(feature = "smol")) || tokio::runtime::Handle::try_current().is_ok() {
        tokio::time::sleep(duration).await;
        return;
    }
    #[cfg(feature = "smol")]
    smol::Timer::after(duration).await;
}

/// The future's output, or `None` if it takes longer than `duration`; it is dropped then.
pub(super) async fn within<T>(duration: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(pause(duration))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}
