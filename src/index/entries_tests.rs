//! The entries of requests, written down by hand.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::query::samples::{self, *};
use crate::request::*;

fn entries(request: &MutationRequest) -> Vec<String> {
    let entries = index_entries(request, &ChosenIndexes::metadata(["ticket"]));
    entries.into_iter().map(|entry| entry.term.to_string()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The additional terms of the changed request.
fn gained(change: impl FnOnce(&mut RequestDocument)) -> Vec<String> {
    let plain: BTreeSet<_> = entries(&request(document("r"))).into_iter().collect();
    entries(&request_with("r", change)).into_iter().filter(|term| !plain.contains(term)).collect()
}

#[test]
fn a_request_without_anything_special_has_the_terms_that_all_have() {
    let expected = [
        "actor-id:alice",
        "all",
        "category:Access",
        "mutation-type:RoleGrant",
        "risk:Low",
        "state-id:tenant:acme",
        "state-type:Tenant",
        "status:Created",
    ];
    assert_eq!(entries(&request(document("r"))), expected);
}

#[test]
fn every_part_that_is_indexed_gives_its_terms() {
    let acme = "pending-of-state:tenant:acme";
    let quota = |expires_at| RequestState::Pending(Pending { reason: PendingReason::Quota, expires_at });
    assert_eq!(gained(|document| document.state = quota(None)), [acme, "pending-reason:Quota", "status:Pending"]);
    assert!(gained(|document| document.state = quota(Some(at(50)))).contains(&"due".to_owned()));
    assert_eq!(
        gained(|document| document.intent.tags = ["a", "b"].map(|tag| tag.parse().unwrap()).into()),
        ["tag:a", "tag:b"]
    );
    assert_eq!(gained(|document| document.intent.risk = RiskLevel::High), ["risk:High"]);
    assert_eq!(
        gained(|document| document.intent.blast_radius = Some(BlastRadius::new(BlastScope::Global))),
        ["blast-radius:Global"]
    );
    let [ticket] = &gained(|document| {
        document.metadata = Metadata::new().with("ticket", 7_i64).unwrap().with("team", "x").unwrap();
    })[..] else {
        panic!("only the chosen key is indexed")
    };
    assert!(ticket.starts_with("metadata:ticket="), "{ticket}");
    assert_eq!(
        gained(|document| document.decisions = vec![decision(ApprovalDecision::Granted, "bob", 1)]),
        ["decision", "decision-actor:bob", "decision-kind:Approval/Granted"]
    );
    assert!(
        gained(|document| {
            (document.state, document.decisions) =
                (RequestState::Approved, vec![decision(ApprovalDecision::Granted, "bob", 1)]);
        })
        .contains(&"approval-activity".to_owned())
    );
}

#[test]
fn each_participant_is_indexed_once_where_that_was_chosen() {
    let of = |ids: IdComparison, chosen: &ChosenIndexes| {
        let request = request_with("r", |document| {
            document.id_comparison = ids;
            document.participants = Participants::new().with_actor_ids(["Alice", "Zoé"]).unwrap();
            document.approvals = vec![approval("a", ApprovalTarget::role("Lead").unwrap(), 1)];
            document.decisions = vec![decision(ApprovalDecision::Granted, "bob", 1)];
        });
        let entries = index_entries(&request, chosen).into_iter().map(|entry| entry.term);
        let indexed = entries.filter(|term| term.dimension == Dimension::Participant);
        indexed.map(|term| term.text.into_string()).collect::<Vec<_>>()
    };
    assert!(of(IdComparison::Exact, &ChosenIndexes::default()).is_empty());
    let chosen = ChosenIndexes::default().and(Dimension::Participant);
    assert_eq!(of(IdComparison::Exact, &chosen), ["r:Lead", "u:Alice", "u:Zoé", "u:alice", "u:bob"]);
    assert_eq!(of(IdComparison::FoldCase, &chosen), ["r:lead", "u:alice", "u:bob", "u:zoé"]);
}

#[test]
fn a_correlation_id_of_any_length_is_indexed_where_that_was_chosen() {
    for id in ["import-7".to_owned(), "x".repeat(100_000), String::new()] {
        let request = request_with("r", |document| {
            let mut actor = (*document.requested_by).clone();
            actor.correlation_id = Some(id.clone());
            document.requested_by = actor.into();
        });
        let of = |chosen: &ChosenIndexes| {
            let entries = index_entries(&request, chosen).into_iter().map(|entry| entry.term);
            entries.filter(|term| term.dimension == Dimension::CorrelationId).collect::<Vec<_>>()
        };
        assert_eq!(of(&ChosenIndexes::default()), []);
        let [term] = &of(&ChosenIndexes::default().and(Dimension::CorrelationId))[..] else { panic!("one entry") };
        assert_eq!((term, term.text.len()), (&Term::of_long_text(Dimension::CorrelationId, &id), 32));
    }
}

#[test]
fn open_approvals_are_indexed_and_those_of_the_active_step_for_inboxes_too() {
    let target = || {
        let role_or_group = ApprovalTarget::role("manager").unwrap().or(ApprovalTarget::group("legal").unwrap());
        role_or_group.or(ApprovalTarget::actor("bob").unwrap())
    };
    let waiting = |change: fn(&mut RequestDocument)| {
        request_with("r", |document| {
            document.state = waiting_for_approval();
            document.approvals = vec![approval("first", target(), 1), approval("second", target(), 2)];
            change(document);
        })
    };
    let holders = |request: &MutationRequest, term: &str| {
        let keys = index_entries(request, &ChosenIndexes::default()).into_iter();
        let keys = keys.filter(|entry| entry.term.to_string() == term).map(|entry| entry.key);
        keys.map(|key| String::from_utf8_lossy(&key.as_bytes()[8 + 1 + 1 + 4..]).into_owned()).collect::<Vec<_>>()
    };
    for term in
        ["approval", "approver-id:bob", "approver-role:manager", "approver-group:legal", "approval-category:Access"]
    {
        assert_eq!(holders(&waiting(|_| {}), term), ["first", "second"], "{term}");
    }
    let decided = waiting(|document| document.approvals[0].state = ApprovalState::Approved(verdict("bob")));
    for term in ["inbox-actor:bob", "inbox-role:manager", "inbox-group:legal"] {
        assert_eq!(holders(&waiting(|_| {}), term), ["first"], "{term}");
        assert_eq!(holders(&decided, term), ["second"], "{term}");
    }
    assert_eq!(holders(&decided, "approval"), ["second"]);
    assert_eq!(holders(&waiting(|document| document.state = RequestState::Approved), "approval"), [""; 0]);
}

#[test]
fn values_of_different_types_are_different_terms() {
    let values = [Value::from(1_i64), Value::from(1.0), Value::from("1"), Value::Null, Value::from(vec![Value::Null])];
    let terms: BTreeSet<_> = values.iter().map(|value| Term::of_pair(Dimension::Metadata, "key", value)).collect();
    assert_eq!(terms.len(), values.len());
}

#[test]
fn every_dimension_has_a_name_of_its_own() {
    let names: BTreeSet<_> = Dimension::ALL.iter().map(|dimension| dimension.as_str()).collect();
    assert_eq!(names.len(), Dimension::ALL.len());
}

proptest! {
    #[test]
    fn every_key_is_laid_out_as_its_dimension_says(request in any_request("r".to_owned())) {
        for entry in index_entries(&request, &ChosenIndexes::metadata(["ticket"])) {
            prop_assert_eq!(entry.key.request_id(), Some(request.id.clone()));
            if let Some(key) = entry.term.dimension.layout().request_key(&entry.key) {
                prop_assert_eq!(key, SortKey::created(request.created_at, &request.id), "{}", entry.term);
            }
        }
    }

    /// Entries of decisions are never removed: a new decision adds entries and changes nothing else.
    #[test]
    fn entries_of_decisions_only_grow(request in any_request("r".to_owned()), known in 0..6_u32) {
        let earlier = |entry: &&IndexEntry| !decision_entries(&request, known).contains(*entry);
        let all = decision_entries(&request, 0);
        let mut shorter = request.document().clone();
        shorter.decisions.truncate(known as usize);
        let shorter = samples::request(shorter);
        prop_assert_eq!(all.iter().filter(earlier).cloned().collect::<BTreeSet<_>>(), decision_entries(&shorter, 0));
    }
}
