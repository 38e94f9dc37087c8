//! Work that blocks.

/// Does it here: the thread that calls is there to block.
pub(super) fn off_thread<T>(work: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
    work()
}
