//! Pages over random requests: every row once, in order.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use proptest::prelude::*;

use super::query_samples::*;
use super::samples::*;
use super::*;
use crate::error::Error;
use crate::request::*;

fn page_of<Q: Query>(query: &Q, requests: &[MutationRequest], page: &PageRequest) -> Page<Q::Row> {
    evaluate(query, requests, page, "store", at(3)).unwrap()
}

/// All rows, read page by page.
fn all_of<Q: Query>(query: &Q, requests: &[MutationRequest], limit: usize) -> Vec<Q::Row> {
    let mut page = PageRequest::of(limit).unwrap();
    let most: usize = requests.iter().map(|request| query.rows_of(request, at(3)).len()).sum();
    let mut rows = Vec::new();
    loop {
        let found = page_of(query, requests, &page);
        assert!(found.items.len() <= limit);
        let full = found.items.len() == limit;
        rows.extend(found.items);
        assert!(rows.len() <= most, "pages repeat rows");
        match found.next {
            Some(cursor) => page = page.after(cursor),
            None => return rows,
        }
        assert!(full, "only the last page may be short");
    }
}

#[test]
fn thousands_of_requests_of_one_time_page_exactly_in_both_directions() {
    let mut requests: Vec<_> =
        (0..3_000).map(|number| request(document(&format!("r{}", number * 7_919 % 3_000)))).collect();
    requests.rotate_left(1_234);
    let mut expected: Vec<_> = requests.iter().map(|request| request.id.clone()).collect();
    expected.sort();
    let ids = |direction, limit| -> Vec<RequestId> {
        let query = RequestQuery::new().in_order(direction);
        all_of(&query, &requests, limit).into_iter().map(|request| request.id.clone()).collect()
    };
    assert_eq!(ids(SortDirection::Ascending, 1_000), expected, "three full pages");
    assert_eq!(ids(SortDirection::Ascending, 999), expected, "and one that is not");
    expected.reverse();
    assert_eq!(ids(SortDirection::Descending, 777), expected);
}

#[test]
fn a_full_last_page_has_no_cursor_and_every_request_is_looked_at() {
    let requests = [request(document("a")), request(document("b"))];
    let page = page_of(&RequestQuery::new(), &requests, &PageRequest::of(2).unwrap());
    assert!(page.next.is_none());
    assert_eq!(page.scanned, 2);
    assert!(page_of(&RequestQuery::new(), &requests, &PageRequest::of(1).unwrap()).next.is_some());
}

#[test]
fn what_changes_between_two_pages_neither_repeats_nor_hides_what_stayed() {
    let mut requests: Vec<_> = ["a", "c", "e", "g"].map(|id| request(document(id))).into();
    let first = page_of(&RequestQuery::new(), &requests, &PageRequest::of(2).unwrap());
    requests.retain(|request| request.id != "c");
    requests.push(request(document("b")));
    requests.push(request(document("d")));
    let second = page_of(&RequestQuery::new(), &requests, &PageRequest::first().after(first.next.unwrap()));
    let ids: Vec<_> = second.items.iter().map(|request| request.id.as_str()).collect();
    assert_eq!(ids, ["d", "e", "g"]);
}

#[test]
fn a_cursor_of_another_query_or_store_is_rejected() {
    let requests: Vec<_> = ["a", "b"].map(|id| request(document(id))).into();
    let first = page_of(&RequestQuery::new(), &requests, &PageRequest::of(1).unwrap());
    let after = PageRequest::first().after(first.next.unwrap());
    assert!(evaluate(&RequestQuery::new(), &requests, &after, "store", at(3)).is_ok());
    let rejected = |error: Option<Error>| assert!(matches!(error, Some(Error::InvalidCursor { .. })));
    rejected(evaluate(&RequestQuery::pending(), &requests, &after, "store", at(3)).err());
    rejected(evaluate(&RequestQuery::new(), &requests, &after, "other", at(3)).err());
    rejected(evaluate(&DecisionQuery::new(), &requests, &after, "store", at(3)).err());
    let turned = RequestQuery::new().in_order(SortDirection::Descending);
    rejected(evaluate(&turned, &requests, &after, "store", at(3)).err());
}

/// Pages of any length give the rows in the order that is asked for, spelled out as tuples.
fn check_order<Q: Query, T: Ord + Debug>(
    query: &Q,
    requests: &[MutationRequest],
    limit: usize,
    order: impl Fn(&Q::Row) -> T,
) {
    let found: Vec<_> = all_of(query, requests, limit).iter().map(order).collect();
    let count = requests.iter().map(|request| query.rows_of(request, at(3)).len()).sum::<usize>();
    assert_eq!(found.len(), count, "every row once");
    let mut sorted: Vec<_> = found.iter().collect();
    sorted.sort();
    if query.direction() == SortDirection::Descending {
        sorted.reverse();
    }
    assert_eq!(found.iter().collect::<Vec<_>>(), sorted);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "no two rows stand at one place");
}

proptest! {
    #[test]
    fn every_read_pages_in_its_order(
        requests in any_requests(12),
        limit in 1..6_usize,
        by_request in any_request_query(),
        by_approval in any_approval_query(),
        by_decision in any_decision_query(),
        inbox in any_inbox_query(),
    ) {
        check_order(&by_request, &requests, limit, |row| (row.created_at, row.id.clone()));
        let by_step = |row: &PendingApprovalRow| {
            (row.request.created_at, row.request.id.clone(), row.approval.step, row.approval.id.clone())
        };
        check_order(&by_approval, &requests, limit, by_step);
        check_order(&inbox, &requests, limit, by_step);
        let latest = |row: &DecisionRow| (Reverse(row.decision.at), row.request.id.clone(), row.ordinal);
        check_order(&by_decision, &requests, limit, latest);
        let recent = RecentApprovalQuery::new();
        check_order(&recent, &requests, limit, |row| (Reverse(row.activity_at), row.request.id.clone()));
    }

    #[test]
    fn saving_and_reading_keeps_the_question_and_its_fingerprint(
        request in any_request_query(), approval in any_approval_query(), decision in any_decision_query(),
    ) {
        fn kept<Q: Query + serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug>(query: &Q) {
            let read: Q = serde_json::from_str(&serde_json::to_string(query).unwrap()).unwrap();
            assert_eq!(&read, query);
            assert_eq!(read.fingerprint(), query.fingerprint());
        }
        kept(&request);
        kept(&approval);
        kept(&decision);
    }

    #[test]
    fn different_questions_have_different_fingerprints(one in any_request_query(), other in any_request_query()) {
        prop_assert_eq!(one == other, one.fingerprint() == other.fingerprint());
    }

    #[test]
    fn different_questions_about_approvals_and_decisions_have_too(
        one in any_approval_query(), other in any_approval_query(),
        this in any_decision_query(), that in any_decision_query(),
    ) {
        prop_assert_eq!(one == other, one.fingerprint() == other.fingerprint());
        prop_assert_eq!(this == that, this.fingerprint() == that.fingerprint());
    }
}

/// A cursor that a user holds must outlive an upgrade: these bytes never change.
#[test]
fn fingerprints_are_the_same_in_every_version() {
    let query = RequestQuery::pending().with_metadata("ticket", 7_i64).unwrap().created_between(at(1), None).unwrap();
    let found = [
        query.fingerprint(),
        PendingApprovalQuery::new().fingerprint(),
        DecisionQuery::execution_outcomes().fingerprint(),
        RecentApprovalQuery::new().fingerprint(),
    ];
    assert_eq!(
        found.map(u64::from_be_bytes),
        [0xf2e8_1a6d_6a66_2d06, 0xd3d3_84a5_d29f_263b, 0x14df_396c_c8c4_8450, 0xcef7_6899_68a6_1568]
    );
}

#[test]
fn every_read_is_another_question() {
    let inbox = InboxQuery::new(ActorId::new("a").unwrap(), BTreeSet::new(), BTreeSet::new()).unwrap();
    let all = [
        RequestQuery::new().fingerprint(),
        RecentApprovalQuery::new().fingerprint(),
        PendingApprovalQuery::new().fingerprint(),
        DecisionQuery::new().fingerprint(),
        inbox.fingerprint(),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn statistics_count_where_requests_stand_and_what_is_due() {
    let pending = |id: &str, reason: PendingReason, created: u64, expires: Option<u64>| {
        request_with(id, |document| {
            document.created_at = at(created);
            document.approvals = vec![approval("a", ApprovalTarget::actor("bob").unwrap(), 1)];
            document.approvals[0].expires_at = expires.filter(|_| reason == PendingReason::Approval).map(at);
            let expires_at = expires.filter(|_| reason != PendingReason::Approval).map(at);
            document.state = RequestState::Pending(Pending { reason, expires_at });
        })
    };
    let requests = [
        pending("a", PendingReason::Quota, 7, Some(50)),
        pending("b", PendingReason::Quota, 5, None),
        pending("c", PendingReason::Approval, 9, Some(110)),
        request_with("d", |document| document.created_at = at(1)),
        request_with("e", |document| document.state = RequestState::Approved),
    ];
    let durations = [Duration::ZERO, Duration::from_micros(9), Duration::from_micros(10)];
    let whole = Statistics::of(&requests, at(100), &durations);
    assert_eq!(whole.by_status, [(Status::Created, 1), (Status::Pending, 3), (Status::Approved, 1)].into());
    assert_eq!(whole.by_pending_reason, [(PendingReason::Quota, 2), (PendingReason::Approval, 1)].into());
    assert_eq!(whole.oldest_pending, Some(at(5)), "the oldest of all is not pending");
    assert_eq!(whole.decidable, 1);
    let own = Pending { reason: PendingReason::Approval, expires_at: Some(at(110)) };
    let until_110 = request_with("f", |document| {
        document.approvals = vec![approval("a", ApprovalTarget::actor("bob").unwrap(), 1)];
        document.state = RequestState::Pending(own);
    });
    let decidable = |now| Statistics::of([&until_110], at(now), &[]).decidable;
    assert_eq!([decidable(109), decidable(110)], [1, 0], "at the very microsecond");
    assert_eq!(whole.due_within.into_values().collect::<Vec<_>>(), [1, 1, 2]);

    let (one, other) = requests.split_at(2);
    let mut sum = Statistics::of(one, at(100), &durations);
    sum += &Statistics::of(other, at(100), &durations);
    assert_eq!(sum, Statistics::of(&requests, at(100), &durations), "partitions add up");
    assert_eq!(sum.total(), 5);
}

#[test]
fn a_sum_of_counts_is_exact_only_when_both_are() {
    let sum = |mut one: Count, other| {
        one += other;
        one
    };
    assert_eq!(sum(Count::Exact(2), Count::Exact(3)), Count::Exact(5));
    assert_eq!(sum(Count::Exact(2), Count::AtLeast(3)), Count::AtLeast(5));
    assert_eq!(sum(Count::AtLeast(2), Count::Exact(3)).to_string(), "at least 5");
}
