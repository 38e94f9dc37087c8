//! Work that blocks, on the threads that the caller's runtime has for it.

use std::io;

/// Does it on such a thread: of tokio within a tokio runtime, of smol anywhere else.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    #[cfg(all(feature = "tokio", feature = "smol"))]
    if tokio::runtime::Handle::try_current().is_ok() {
        return tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
    }
    #[cfg(not(feature = "smol"))]
    return tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
    #[cfg(feature = "smol")]
    smol::unblock(work).await
}
