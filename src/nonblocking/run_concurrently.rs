//! Runs several workers of one call at once.

use std::future::Future;

/// The results of `count` calls of `work`, whose futures run concurrently.
pub(super) async fn run_concurrently<F: Future>(count: usize, work: impl Fn() -> F) -> Vec<F::Output> {
    futures_util::future::join_all((0..count).map(|_| work())).await
}
