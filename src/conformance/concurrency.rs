//! Many writers at once.

use std::sync::Arc;

use super::requests::{moved_on, pending, second};
use super::{Store, StoreExtension as _, dual, run_concurrently};
use crate::error::Error;
use crate::request::{MutationRequest, RequestId, WriteId};

const WRITERS: usize = 32;

/// 1 if the update was applied, 0 if it returned a conflict.
#[dual]
async fn wins(store: &Arc<dyn Store>, change: MutationRequest) -> u64 {
    match store.update(change, WriteId::generate()).await {
        Ok(_) => 1,
        Err(Error::Conflict(_)) => 0,
        Err(error) => panic!("neither applied nor rejected: {error}"),
    }
}

/// How many of a writer's five changes were applied, each computed from the revision it had just read.
#[dual]
async fn writer(store: &Arc<dyn Store>, id: &RequestId) -> u64 {
    let mut won = 0;
    for _ in 0..5 {
        let read = store.get(id).await.unwrap().unwrap();
        won += wins(store, moved_on(read, second(1))).await;
    }
    won
}

/// Of 32 concurrent updates from one revision, exactly one is applied.
#[dual]
pub async fn one_winner_per_revision(store: Arc<dyn Store>) {
    let mut base = store.create(pending("contended", "s", second(0))).await.unwrap();
    for number in 1..=10 {
        let outcomes = run_concurrently(WRITERS, || wins(&store, moved_on(base.clone(), second(number)))).await;
        assert_eq!(outcomes.iter().sum::<u64>(), 1, "winners of revision {number}");
        base = store.get(&base.id).await.unwrap().unwrap();
        assert_eq!(base.revision().number, number);
    }
}

/// 32 concurrent writers: the final revision and the length of the history are the number of applied updates.
#[dual]
pub async fn many_writers_lose_nothing(store: Arc<dyn Store>) {
    let base = store.create(pending("shared", "s", second(0))).await.unwrap();
    let won = run_concurrently(WRITERS, || writer(&store, &base.id)).await;
    let won: u64 = won.iter().sum();
    let last = store.get(&base.id).await.unwrap().unwrap();
    assert!(won >= 1);
    assert_eq!(last.revision().number, won);
    assert_eq!(last.decisions.len() as u64, base.decisions.len() as u64 + won);
}
