//! Counts and statistics.

use std::sync::Arc;
use std::time::Duration;

use super::queries::fill;
use super::requests::{draft, second, submit};
use super::{Store, dual};
use crate::query::{Count, RequestQuery, Statistics};
use crate::request::{ApprovalRule, Pending, PendingReason, Status};

/// Of few requests, the count is exact.
#[dual]
pub async fn a_count_is_that_of_the_rows(store: Arc<dyn Store>) {
    let none = store.count(&RequestQuery::new()).await.unwrap();
    assert_eq!(none, Count::Exact(0));
    fill(&store).await;
    let approved_of_beta =
        RequestQuery::new().with_statuses([Status::Approved]).unwrap().with_state_ids(["tenant:beta"]).unwrap();
    for (query, expected) in [(RequestQuery::new(), 5), (RequestQuery::pending(), 2), (approved_of_beta, 1)] {
        let count = store.count(&query).await.unwrap();
        assert_eq!(count, Count::Exact(expected), "{query}");
    }
}

/// The statistics are those of the stored requests.
#[dual]
pub async fn statistics_count_what_is_stored(store: Arc<dyn Store>) {
    let mut stored = fill(&store).await;
    let ends = |at| Pending { reason: PendingReason::Quota, expires_at: Some(second(at)) };
    for (name, at) in [("overdue", 50), ("soon", 160), ("later", 900)] {
        let request = submit(draft(name, "s").waiting_for(ends(at)), second(5));
        stored.push(store.create(request).await.unwrap());
    }
    let minute = Duration::from_secs(60);
    let statistics = store.statistics(second(100), &[minute, minute * 10]).await.unwrap();
    assert_eq!(statistics, Statistics::of(&stored, second(100), &[minute, minute * 10]));
    assert_eq!(statistics.due_within, [(minute, 2), (minute * 10, 2)].into());
    assert_eq!((statistics.total(), statistics.oldest_pending), (8, Some(second(5))));
    assert_eq!(statistics.decidable, 1, "that waits for its approvals");
    for (name, at) in [("decidable", 150), ("both", 90)] {
        let own = Pending { reason: PendingReason::Approval, expires_at: Some(second(at)) };
        let rule = ApprovalRule::actor("bob").unwrap().expiring_at(second(90));
        let request = submit(draft(name, "s").requires_approval(rule).waiting_for(own), second(6));
        stored.push(store.create(request).await.unwrap());
    }
    let just_before = second(150).saturating_sub(Duration::from_micros(1));
    for (now, decidable) in [(second(89), 3), (second(90), 2), (just_before, 2), (second(150), 1)] {
        let statistics = store.statistics(now, &[minute]).await.unwrap();
        assert_eq!(statistics, Statistics::of(&stored, now, &[minute]));
        assert_eq!(statistics.decidable, decidable, "at {now}");
    }
}
