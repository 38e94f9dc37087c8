//! The clock that a store names.

use std::sync::Arc;

use super::{Store, dual};

/// The clock of a store never goes back, and its latest possible time is not before the earliest.
#[dual]
pub async fn the_clock_of_a_store_goes_on(store: Arc<dyn Store>) {
    let mut before = store.clock().now();
    for _ in 0..100 {
        store.refresh_clock().await.unwrap();
        let clock = store.clock();
        let (now, latest) = (clock.now(), clock.latest());
        assert!(before <= now && now <= latest, "{before}, then {now} to {latest}");
        before = now;
    }
}
