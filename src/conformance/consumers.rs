//! The consumers of the feed: one holder at a time, a position that only its holder moves, and what an operator sees.

use std::sync::Arc;
use std::time::Duration;

use super::requests::{pending, second};
use super::{Store, dual, run_concurrently};
use crate::error::{Error, Outcome, StoreErrorKind};
use crate::feed::{Consumer, ConsumerLease, FeedPosition};
use crate::request::{ConsumerName, HolderId, Timestamp};

const LONG: Duration = Duration::from_secs(60 * 60);

fn name(text: &str) -> ConsumerName {
    ConsumerName::new(text).unwrap()
}

fn held(position: Option<&FeedPosition>) -> ConsumerLease {
    ConsumerLease::Held { position: position.cloned() }
}

fn is_rejected(error: &Error) -> bool {
    let is_kind = matches!(error, Error::Store(failure) if failure.kind == StoreErrorKind::Rejected);
    is_kind && error.outcome() == Outcome::NotApplied
}

#[dual]
async fn write(store: &Arc<dyn Store>, prefix: &str, count: u64) {
    for number in 0..count {
        store.create(pending(&format!("{prefix}-{number}"), "s", second(number))).await.unwrap();
    }
}

/// While one holder has the lease nobody else gets it or moves the position; when it ends, the next continues there.
#[dual]
pub async fn a_consumer_has_one_holder_at_a_time(store: Arc<dyn Store>) {
    let (mailer, one, other) = (name("mailer"), HolderId::generate(), HolderId::generate());
    write(&store, "r", 2).await;
    let position = store.read_feed(&FeedPosition::beginning(), 1).await.unwrap().next;

    let first = store.lease_consumer(&mailer, one, LONG).await.unwrap();
    assert_eq!(first, held(None), "it has never saved a position");
    for _ in 0..2 {
        match store.lease_consumer(&mailer, other, LONG).await.unwrap() {
            ConsumerLease::HeldByAnother { free_in } => assert!(free_in <= LONG && free_in > LONG / 2, "{free_in:?}"),
            ConsumerLease::Held { .. } => panic!("two hold it"),
        }
        let by_another = store.save_consumer(&mailer, other, &FeedPosition::beginning(), LONG).await.unwrap();
        let by_holder = store.save_consumer(&mailer, one, &position, LONG).await.unwrap();
        assert_eq!((by_another, by_holder), (false, true));
        let renewed = store.lease_consumer(&mailer, one, LONG).await.unwrap();
        assert_eq!(renewed, held(Some(&position)));
    }
    // A lease of zero ends it; nobody else being there, its holder may still save.
    store.lease_consumer(&mailer, one, Duration::ZERO).await.unwrap();
    let late = store.save_consumer(&mailer, one, &position, Duration::ZERO).await.unwrap();
    assert!(late);
    let next = store.lease_consumer(&mailer, other, LONG).await.unwrap();
    assert_eq!(next, held(Some(&position)), "it continues where the first has stopped");
    let overtaken = store.save_consumer(&mailer, one, &FeedPosition::beginning(), LONG).await.unwrap();
    assert!(!overtaken);

    // Every consumer is for itself.
    let elsewhere = store.lease_consumer(&name("Mailer"), one, LONG).await.unwrap();
    assert_eq!(elsewhere, held(None));
    let unknown = store.save_consumer(&name("nobody"), one, &position, LONG).await.unwrap();
    let count = store.consumers().await.unwrap().len();
    assert_eq!((unknown, count), (false, 2), "saving adds none");
}

/// Of many who ask at once, one gets the lease.
#[dual]
pub async fn of_many_who_ask_for_a_consumer_one_gets_it(store: Arc<dyn Store>) {
    for round in 0..5 {
        let mailer = name(&format!("mailer-{round}"));
        let leases = run_concurrently(8, || store.lease_consumer(&mailer, HolderId::generate(), LONG)).await;
        let holders = leases.into_iter().filter(|lease| *lease.as_ref().unwrap() == held(None)).count();
        assert_eq!(holders, 1, "round {round}");
    }
}

/// An operator sees who follows, how far behind, and removes what nobody follows any more.
#[dual]
pub async fn consumers_are_listed_with_their_lag_and_removed(store: Arc<dyn Store>) {
    let none = store.consumers().await.unwrap();
    assert_eq!(none, []);
    write(&store, "early", 5).await;
    let [audit, mailer, idle] = ["audit", "mailer", "idle"].map(name);
    let holder = HolderId::generate();
    store.lease_consumer(&mailer, holder, LONG).await.unwrap();
    store.lease_consumer(&audit, holder, LONG).await.unwrap();
    store.lease_consumer(&idle, holder, Duration::ZERO).await.unwrap();
    let end = store.end_of_feed().await.unwrap();
    store.save_consumer(&mailer, holder, &end, LONG).await.unwrap();
    let read = store.read_feed(&FeedPosition::beginning(), 2).await.unwrap();
    store.save_consumer(&audit, holder, &read.next, LONG).await.unwrap();
    write(&store, "late", 3).await;

    let found = store.consumers().await.unwrap();
    let names: Vec<&str> = found.iter().map(|consumer| consumer.name.as_str()).collect();
    assert_eq!(names, ["audit", "idle", "mailer"]);
    let lags: Vec<Option<u64>> = found.iter().map(|consumer| consumer.lag).collect();
    assert_eq!(lags, [Some(8 - read.entries.len() as u64), Some(8), Some(3)]);
    assert_eq!(
        [&found[0].position, &found[1].position, &found[2].position],
        [&read.next, &FeedPosition::beginning(), &end]
    );
    let saved: Vec<bool> = found.iter().map(|consumer| consumer.saved_at > Some(Timestamp::MIN)).collect();
    assert_eq!(saved, [true, false, true]);
    let followed: Vec<bool> = found.iter().map(|consumer| consumer.held_until > consumer.saved_at).collect();
    assert_eq!(followed, [true, false, true]);

    let error = store.remove_consumer(&mailer).await.unwrap_err();
    assert!(is_rejected(&error) && error.to_string().contains("mailer"), "{error:?}");
    store.lease_consumer(&mailer, holder, Duration::ZERO).await.unwrap();
    let removed = (store.remove_consumer(&mailer).await.unwrap(), store.remove_consumer(&mailer).await.unwrap());
    assert_eq!(removed, (true, false));
    let saved = store.save_consumer(&mailer, holder, &end, LONG).await.unwrap();
    assert!(!saved, "a removed one does not come back");
    let anew = store.lease_consumer(&mailer, holder, LONG).await.unwrap();
    assert_eq!(anew, held(None));
}

/// A lease is no longer than a day, and there are no more consumers than an operator can look through.
#[dual]
pub async fn too_long_a_lease_and_too_many_consumers_are_errors(store: Arc<dyn Store>) {
    let (holder, beginning) = (HolderId::generate(), FeedPosition::beginning());
    let too_long = Consumer::MAX_LEASE + Duration::from_micros(1);
    let errors = [
        store.lease_consumer(&name("a"), holder, too_long).await.map(drop).unwrap_err(),
        store.save_consumer(&name("a"), holder, &beginning, Duration::MAX).await.map(drop).unwrap_err(),
    ];
    assert!(errors.iter().all(|error| matches!(error, Error::Invalid(_))), "{errors:?}");
    for number in 0..Consumer::MAX_COUNT {
        store.lease_consumer(&name(&format!("c{number}")), holder, Consumer::MAX_LEASE).await.unwrap();
    }
    let error = store.lease_consumer(&name("one-more"), holder, LONG).await.unwrap_err();
    assert!(is_rejected(&error) && error.to_string().contains("one-more"), "{error:?}");
    store.lease_consumer(&name("c7"), holder, Duration::ZERO).await.unwrap();
    store.remove_consumer(&name("c7")).await.unwrap();
    store.lease_consumer(&name("one-more"), holder, LONG).await.unwrap();
}
