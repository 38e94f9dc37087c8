//! One value of every public type that serialises, written as JSON and read back.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::query::*;
use crate::request::UnsettledWrite;
use crate::request::*;
use crate::stored_format::samples::fullest;

fn round_trips<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap_or_else(|error| panic!("{value:?} cannot be written: {error}"));
    let read: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json} cannot be read: {error}"));
    assert_eq!(&read, value, "{json}");
}

fn request() -> MutationRequest {
    MutationRequest::from_document(fullest(), Revision { number: u64::MAX, write_id: WriteId::generate() }).unwrap()
}

/// With every part a request can have: actors, approvals, decisions of every kind, metadata of every kind of value.
#[test]
fn requests_and_their_parts() {
    round_trips(&request());
    round_trips(request().document());
    round_trips(&request().digest());
    round_trips(&Requester::from(&*request().requested_by));
    let times = Pending { reason: PendingReason::Quota, expires_at: Some(Timestamp::MAX) };
    for state in [
        RequestState::Created,
        RequestState::Pending(times),
        RequestState::Approved,
        RequestState::Rejected,
        RequestState::Canceled,
        RequestState::Expired,
        RequestState::Superseded { by: RequestId::new("other").unwrap() },
        RequestState::Executed { at: Timestamp::MIN, resulting_version: None },
    ] {
        round_trips(&state.status());
        round_trips(&state);
    }
    let verdict = || Verdict {
        by: Arc::new(ActorContext::system()),
        at: Timestamp::MIN,
        reason: None,
        digest: Digest::from_bytes([7; 32]),
    };
    let cause = || Cause::new(Arc::new(ActorContext::system()), Timestamp::MIN, Some("because".to_owned()));
    for state in [
        ApprovalState::Pending,
        ApprovalState::Approved(verdict()),
        ApprovalState::Rejected { verdict: verdict(), rejection: None },
        ApprovalState::Satisfied(cause()),
        ApprovalState::Expired(cause()),
    ] {
        round_trips(&state.status());
        round_trips(&state);
    }
    for kind in DecisionKind::all() {
        round_trips(&(kind, kind.category()));
    }
    round_trips(&UnsettledWrite {
        id: request().id.clone(),
        base: Some(request().revision()),
        write_id: WriteId::generate(),
        intent: Some(crate::workflow::Command::cancel(ActorContext::system()).write_intent()),
    });
}

#[test]
fn floats_that_are_no_numbers_in_json() {
    for number in
        [0.0, -0.0, 1.5, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::from_bits(0xfff0_0000_0000_0001)]
    {
        round_trips(&Value::Float(number));
    }
}

#[test]
fn questions_pages_and_rows() {
    let query = RequestQuery::new().with_state_ids(["tenant:acme"]).unwrap().in_order(SortDirection::Descending);
    round_trips(&query);
    round_trips(&PendingApprovalQuery::new().of_requests(query.clone()));
    round_trips(&RecentApprovalQuery::of_requests(query.clone().in_order(SortDirection::Ascending)));
    round_trips(&DecisionQuery::execution_outcomes().of_requests(query.clone().in_order(SortDirection::Ascending)));
    round_trips(&ReadyQuery::of_requests(query.clone().in_order(SortDirection::Ascending)));
    let actor = ActorContext::user("bob").unwrap().with_role("manager").unwrap().with_group("berlin").unwrap();
    round_trips(&InboxQuery::of(&actor).unwrap());

    let (request, now) = (request(), Timestamp::MIN);
    let others = [MutationRequest::from_document(fullest(), request.revision()).unwrap(), request.clone()];
    let all = evaluate(&DecisionQuery::new(), &others[..1], &PageRequest::of(1).unwrap(), "json", now).unwrap();
    let cursor = all.next.unwrap();
    round_trips(&cursor);
    round_trips(&PageRequest::of(7).unwrap().after(cursor));
    round_trips(&all.items[0]);
    let summary = Arc::new(RequestSummary::from(&request));
    round_trips(&PendingApprovalRow { request: Arc::clone(&summary), approval: request.approvals[0].clone() });
    round_trips(&RecentApprovalRow { request, activity_at: now });
    round_trips(&summary);
}

#[test]
fn numbers() {
    let due_within = BTreeMap::from([(Duration::from_secs(5 * 60), 1), (Duration::from_millis(1_500), u64::MAX)]);
    let statistics = Statistics {
        by_status: [(Status::Pending, 3), (Status::Executed, 4)].into(),
        by_pending_reason: [(PendingReason::Approval, 3)].into(),
        decidable: 2,
        ready: 3,
        claimed: 1,
        failing: 2,
        oldest_ready: Some(Timestamp::MIN),
        oldest_pending: Some(Timestamp::MAX),
        due_within,
        is_lower_bound: false,
        missing: vec![MissingPartition::new(3, "node-1:6379", "it does not answer")],
    };
    round_trips(&statistics);
    round_trips(&Statistics::default());
    let due = serde_json::to_value(&statistics).unwrap()["due_within"].to_string();
    assert_eq!(due, r#"{"PT1.5S":18446744073709551615,"PT5M":1}"#);
    round_trips(&Count::Exact(7));
    round_trips(&Count::AtLeast(7));
}
