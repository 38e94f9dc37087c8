//! Sending a request back, amending it, and the round of approvals that begins.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{Amendment, Command, StaleStrategy, decidable_by, due_command, explain};
use mutator_governance::{
    ActorContext, ApprovalError, ApprovalRule, ApprovalState, ApprovalStatus, ClaimId, CorrectionError, DecisionKind,
    Error, IdComparison, LifecycleDecision, Metadata, MutationRequest, Payload, Pending, PendingReason, StateVersion,
    Status, Value, metadata_keys,
};

use crate::support::*;

fn payload(text: &str) -> Payload {
    Payload::new("text/plain", text.as_bytes()).unwrap()
}

fn system() -> Arc<ActorContext> {
    Arc::new(ActorContext::system())
}

fn version(text: &str) -> StateVersion {
    StateVersion::new(text).unwrap()
}

fn sent_back(request: &MutationRequest, by: &str, seconds: u64) -> MutationRequest {
    apply(request, &Command::request_changes(user(by), "for how long?"), seconds)
}

fn amended(request: &MutationRequest, text: &str, seconds: u64) -> MutationRequest {
    apply(request, &Command::amend(user("requester"), Amendment::new().payload(payload(text))), seconds)
}

/// Waits for alice and bob, one after the other, for a payload and version v1.
fn request() -> MutationRequest {
    let draft = draft().with_payload(payload("for ever")).for_version(version("v1"));
    submit(draft.requires_approval(rule("alice")).requires_approval(rule("bob")))
}

#[test]
fn a_request_that_is_sent_back_waits_for_its_requester() {
    let half = grant(&request(), "alice", "approval-1", 1);
    let back = sent_back(&half, "bob", 2);
    assert_eq!(back.state.pending(), Some(PendingReason::Correction.into()));
    assert!(back.state.awaits_correction() && !back.state.awaits_approval());
    assert_eq!(history(&back, half.decisions.len()), ["Lifecycle/Pending"]);
    let decision = back.decisions.last().unwrap();
    assert_eq!(decision.reason.as_deref(), Some("for how long?"));
    let about = |key| decision.metadata.get(key);
    assert_eq!(about(metadata_keys::PENDING_REASON), Some(&Value::Text("Correction".to_owned())));
    assert_eq!(about(metadata_keys::WAITED_FOR), Some(&Value::Text("Approval".to_owned())));
    assert_eq!(about(metadata_keys::DIGEST), Some(&Value::Text(half.digest().to_string())));
    assert_eq!(about(metadata_keys::ROUND), Some(&Value::Integer(1)));
    let explanation = explain(&back, at(3));
    assert_eq!(explanation.to_string(), "waits for requester to correct it, as bob asked: for how long?");
    assert_eq!(explanation.corrected_by.unwrap().id.as_ref().unwrap(), "requester");
    for who in ["alice", "bob", "requester"] {
        assert!(decidable_by(&back, &user(who), at(3)).is_empty());
        let error = approval_error(try_apply(&back, &Command::approve(user(who)), 3).unwrap_err());
        assert_eq!(error, ApprovalError::NotAwaitingApproval { status: Status::Pending });
    }
}

#[test]
fn an_amendment_opens_a_new_round_in_which_no_earlier_verdict_counts() {
    let half = grant(&request(), "alice", "approval-1", 1);
    let back = sent_back(&half, "bob", 2);
    let amended = amended(&back, "for 30 days", 3);
    assert_eq!(amended.state.pending(), Some(PendingReason::Approval.into()));
    assert!(amended.approvals.iter().all(|approval| approval.state == ApprovalState::Pending));
    assert!(amended.requirements.iter().all(|requirement| !requirement.fulfilled));
    assert_eq!((amended.approval_round, amended.payload.as_ref()), (2, Some(&payload("for 30 days"))));
    let added = history(&amended, back.decisions.len());
    assert_eq!(added, ["Lifecycle/Amended", "Lifecycle/Pending", "Approval/Renewed"]);
    let about = |key| amended.decisions[back.decisions.len()].metadata.get(key);
    let text = |text: String| Some(Value::Text(text));
    assert_eq!(about(metadata_keys::AMENDED), Some(&Value::List(vec![Value::Text("payload".to_owned())])));
    assert_eq!(about(metadata_keys::PREVIOUS_DIGEST).cloned(), text(half.digest().to_string()));
    assert_eq!(about(metadata_keys::DIGEST).cloned(), text(amended.digest().to_string()));
    assert_eq!(about(metadata_keys::ROUND), Some(&Value::Integer(2)));

    // What was approved before is in the history, with the digest it was given for.
    let granted = amended.decisions.iter().find(|decision| decision.kind.to_string() == "Approval/Granted").unwrap();
    assert_eq!(granted.metadata.get(metadata_keys::DIGEST).cloned(), text(half.digest().to_string()));
    assert_ne!(half.digest(), amended.digest());

    assert_eq!(explain(&amended, at(4)).to_string(), "waits for alice to decide approval-1; step 1 of 2");
    let early = try_apply(&amended, &Command::approve(user("bob")), 4).unwrap_err();
    assert_eq!(early.code(), "approval.not_yet");
    let again = grant(&grant(&amended, "alice", "approval-1", 4), "bob", "approval-2", 5);
    assert_eq!(again.state.status(), Status::Approved);
    let claim = Command::claim(user("executor"), ClaimId::from_bytes([1; 16]), Duration::from_secs(60));
    assert!(apply(&again, &claim, 6).execution.claim.is_some());
}

#[test]
fn a_page_that_was_opened_before_the_amendment_approves_nothing() {
    let request = request();
    let seen = request.digest();
    let amended = amended(&sent_back(&request, "alice", 1), "for 30 days", 2);
    for command in [
        Command::approve_for_digest(user("alice"), seen),
        Command::approve_requirement_for_digest(user("alice"), approval("approval-1"), seen),
    ] {
        let error = approval_error(try_apply(&amended, &command, 3).unwrap_err());
        assert!(
            matches!(error, ApprovalError::AnotherDigest { current, .. } if current == amended.digest()),
            "{error}"
        );
    }
    let seen = Command::approve_for_digest(user("alice"), amended.digest());
    assert_eq!(apply(&amended, &seen, 3).approvals[0].state.status(), ApprovalStatus::Approved);
}

#[test]
fn each_field_is_amended_by_itself_and_all_else_stays() {
    let metadata = Metadata::new().with("ticket", 7).unwrap();
    let amendments = [
        ("payload", Amendment::new().payload(payload("new"))),
        ("payload", Amendment::new().without_payload()),
        ("description", Amendment::new().description("why")),
        ("metadata", Amendment::new().metadata(metadata.clone())),
        ("expected_version", Amendment::new().expected_version(version("v2"))),
        ("expected_version", Amendment::new().without_expected_version()),
    ];
    let back = sent_back(&request(), "alice", 1);
    let mut digests = BTreeSet::from([back.digest()]);
    for (field, amendment) in amendments {
        let amended = apply(&back, &Command::amend(user("requester"), amendment), 2);
        let named = amended.decisions[back.decisions.len()].metadata.get(metadata_keys::AMENDED);
        assert_eq!(named, Some(&Value::List(vec![Value::Text(field.to_owned())])));
        assert_eq!(amended.versioning.reviewed, amended.versioning.expected, "what is reviewed now");
        digests.insert(amended.digest());
        let mut rest = amended.document().clone();
        match field {
            "payload" => rest.payload = back.payload.clone(),
            "description" => rest.intent.description = back.intent.description.clone(),
            "metadata" => rest.metadata = back.metadata.clone(),
            _ => rest.versioning = back.versioning.clone(),
        }
        rest.decisions.truncate(back.decisions.len());
        rest.chain.clone_from(&back.chain);
        (rest.state, rest.updated_at, rest.approval_round) = (back.state.clone(), back.updated_at, 1);
        assert_eq!(&rest, back.document(), "{field}");
    }
    assert_eq!(digests.len(), 5, "payload and version are in the digest");
}

#[test]
fn the_deadline_of_the_request_stays_and_its_approvals_get_their_time_again() {
    let pending = Pending { reason: PendingReason::Approval, expires_at: Some(at(100)) };
    let rules = [rule("alice").expiring_at(at(30)), rule("bob")];
    let request =
        submit(rules.into_iter().fold(draft().waiting_for(pending), |draft, rule| draft.requires_approval(rule)));
    let back = sent_back(&request, "alice", 10);
    assert_eq!(back.state.pending().unwrap().expires_at, Some(at(100)));
    assert_eq!(due_command(&back, user("sweep"), at(40)), None, "its approvals do not expire meanwhile");
    assert_eq!(explain(&back, at(10)).deadline, Some(at(100)));
    let sentence = explain(&back, at(40)).to_string();
    assert_eq!(
        sentence,
        "waits for requester to correct it, as alice asked: for how long?; the request expires in 1 min"
    );
    let amended = amended(&back, "for 30 days", 50);
    assert_eq!(amended.state.pending().unwrap().expires_at, Some(at(100)));
    assert_eq!(amended.approvals[0].expires_at, Some(at(80)), "30 s from now on, as at first");

    for late in [
        Command::amend(user("requester"), Amendment::new().without_payload()),
        Command::request_approvals(user("alice"), None),
    ] {
        assert_eq!(try_apply(&back, &late, 100).unwrap_err().code(), "request.deadline_passed");
    }
    assert_eq!(
        try_apply(&request, &Command::request_changes(user("alice"), "why?"), 100).unwrap_err().code(),
        "request.deadline_passed"
    );
    let swept = apply(&back, &due_command(&back, user("sweep"), at(100)).unwrap(), 100);
    assert_eq!(swept.state.status(), Status::Expired);
}

#[test]
fn only_who_may_decide_it_now_sends_it_back_and_says_why() {
    let request = request();
    let code = |request: &MutationRequest, by: Arc<ActorContext>, reason: &str| {
        try_apply(request, &Command::request_changes(by, reason), 2).map(drop).map_err(|error| error.code())
    };
    assert_eq!(code(&request, user("bob"), "why?"), Err("approval.not_yet"));
    assert_eq!(code(&request, user("mallory"), "why?"), Err("approval.not_addressed"));
    assert_eq!(code(&request, user("requester"), "why?"), Err("approval.not_addressed"));
    assert_eq!(code(&request, ActorContext::system().into(), "why?"), Err("approval.anonymous_decider"));
    for blank in ["", " ", "\n\t"] {
        assert_eq!(code(&request, user("alice"), blank), Err("value.invalid"));
    }
    let own = file_with([rule("requester").requester_may_decide()]);
    assert_eq!(code(&own, user("requester"), "I mean another tenant"), Ok(()));
    for status in Status::ALL {
        assert_eq!(code(&in_status(status), user("alice"), "why?"), Err("approval.not_awaited"), "{status}");
    }
    let approved = grant(&grant(&request, "alice", "approval-1", 1), "bob", "approval-2", 1);
    let claim = Command::claim(user("executor"), ClaimId::from_bytes([1; 16]), Duration::from_secs(60));
    for request in [apply(&approved, &claim, 2), approved, sent_back(&request, "alice", 1)] {
        assert_eq!(code(&request, user("bob"), "why?"), Err("approval.not_awaited"));
    }
}

#[test]
fn only_its_requester_amends_it_and_only_while_it_is_sent_back() {
    let amend = |by: Arc<ActorContext>| Command::amend(by, Amendment::new().description("for 30 days"));
    let error = |request: &MutationRequest, by: Arc<ActorContext>| {
        correction_error(try_apply(request, &amend(by), 2).unwrap_err())
    };
    let back = sent_back(&request(), "alice", 1);
    for other in [user("alice"), user("Requester"), system(), Arc::new(ActorContext::system().named("requester"))] {
        assert!(matches!(error(&back, other.clone()), CorrectionError::AnothersRequest { .. }), "{other:?}");
    }
    let folded = back.clone().comparing_ids(IdComparison::FoldCase);
    assert_eq!(apply(&folded, &amend(user("Requester")), 2).approval_round, 2);

    let not_sent_back = |request: &MutationRequest| match error(request, user("requester")) {
        CorrectionError::NotSentBack { status, waits_for } => {
            assert_eq!((status, waits_for), (request.state.status(), request.state.pending().map(|it| it.reason)));
        }
        other => panic!("{other}"),
    };
    Status::ALL.into_iter().for_each(|status| not_sent_back(&in_status(status)));
    not_sent_back(&request());
    not_sent_back(&apply(&back, &amend(user("requester")), 2));
    assert_eq!(
        error(&request(), user("requester")).to_string(),
        "it waits for Approval, and only a request that was sent back can be amended; an approver has to send it back \
         by request_changes first"
    );

    let anonymous = {
        let mut document = back.document().clone();
        document.requested_by = ActorContext::system().into();
        MutationRequest::from_document(document, back.revision()).unwrap()
    };
    let CorrectionError::AnothersRequest { requester: None, .. } = error(&anonymous, system()) else {
        panic!("nobody is known to be its requester")
    };
}

#[test]
fn an_amendment_that_changes_nothing_begins_no_round() {
    let back = sent_back(&request(), "alice", 1);
    for same in [
        Amendment::new(),
        Amendment::new().payload(payload("for ever")),
        Amendment::new().expected_version(version("v1")).without_description(),
        Amendment::new().metadata(Metadata::new()),
    ] {
        let error = correction_error(try_apply(&back, &Command::amend(user("requester"), same), 2).unwrap_err());
        assert_eq!(error, CorrectionError::NothingAmended);
    }
    let blank = Command::amend(user_because("requester", " "), Amendment::new().description("new"));
    assert_eq!(try_apply(&back, &blank, 2).unwrap_err().code(), "value.invalid");
}

#[test]
fn nobody_but_an_approver_makes_a_request_wait_for_correction() {
    let invalid = |error: Error| match error {
        Error::Invalid(invalid) => invalid.field == "pending reason",
        _ => false,
    };
    assert!(invalid(try_file(draft().waiting_for(PendingReason::Correction)).unwrap_err()));
    for status in [Status::Created, Status::Approved] {
        let hold = Command::hold(user("admin"), PendingReason::Correction);
        assert!(invalid(try_apply(&in_status(status), &hold, 1).unwrap_err()));
    }
}

#[test]
fn what_was_sent_back_can_still_be_taken_back_withdrawn_from_and_ended() {
    let half = grant(&request(), "alice", "approval-1", 1);
    let back = sent_back(&half, "bob", 2);
    let again = apply(&back, &Command::request_approvals(user("bob"), None), 3);
    assert_eq!((again.approval_round, again.digest()), (1, half.digest()));
    assert_eq!(grant(&again, "bob", "approval-2", 4).state.status(), Status::Approved, "nothing has changed");

    let withdrawn = apply(&back, &Command::withdraw(user("alice")), 3);
    assert!(withdrawn.state.awaits_correction());
    assert!(withdrawn.approvals.iter().all(|approval| approval.state == ApprovalState::Pending));
    for (command, status) in [
        (Command::cancel(user("requester")), Status::Canceled),
        (Command::reject_request(user("admin")), Status::Rejected),
        (Command::override_approvals(user_because("admin", "the building burns")), Status::Approved),
    ] {
        assert_eq!(apply(&back, &command, 3).state.status(), status);
    }
    assert_eq!(try_apply(&back, &Command::approve_request(user("admin")), 3).unwrap_err().code(), "approval.unmet");
}

/// Revalidation has set the expected version, and the approvals were for the one before.
#[test]
fn a_new_round_reviews_the_version_that_is_expected_now() {
    let resolve = Command::resolve(user("executor"), version("v2"), StaleStrategy::RevalidateOnLatestState);
    let approved = grant(&grant(&request(), "alice", "approval-1", 1), "bob", "approval-2", 1);
    let revalidated = apply(&approved, &resolve, 2);
    assert_eq!(revalidated.versioning.reviewed, Some(version("v1")));
    let waiting = apply(&revalidated, &Command::withdraw(user("bob")), 3);
    let amended = amended(&sent_back(&waiting, "bob", 4), "for 30 days", 5);
    assert_eq!(amended.versioning.reviewed, Some(version("v2")));
    let kinds = amended.decisions.iter().filter(|it| it.kind == DecisionKind::from(LifecycleDecision::Amended));
    assert_eq!(kinds.count(), 1);
}

#[test]
fn a_request_is_sent_back_as_often_as_needed() {
    let mut request = request();
    for round in 1..=5 {
        request = sent_back(&request, "alice", u64::from(round) * 10);
        request = amended(&request, &format!("draft {round}"), u64::from(round) * 10 + 1);
        assert_eq!(request.approval_round, round + 1);
    }
    let approved = grant(&grant(&request, "alice", "approval-1", 60), "bob", "approval-2", 61);
    assert_eq!(approved.state.status(), Status::Approved);
}

#[test]
fn whoever_amends_for_the_requester_does_not_approve_it() {
    let deputy = |id: &str| Arc::new((*user(id)).clone().acting_for("requester", "deputy").unwrap());
    let sent = |rules: Vec<ApprovalRule>| sent_back(&file_with(rules), "bob", 1);
    let amend = |by: Arc<ActorContext>| Command::amend(by, Amendment::new().description("for 30 days"));
    let request = apply(&sent(vec![ApprovalRule::of(actor("bob").or(actor("carol")))]), &amend(deputy("bob")), 2);
    let own = approval_error(
        try_apply(&request, &Command::approve_requirement(user("bob"), approval("approval-1")), 3).unwrap_err(),
    );
    assert!(matches!(own, ApprovalError::Excluded { .. }), "{own}");
    assert_eq!(apply(&request, &Command::approve(user("carol")), 3).state.status(), Status::Approved);
    // Nobody else could approve it: then somebody else has to amend it.
    let alone = sent(vec![rule("bob")]);
    assert!(matches!(try_apply(&alone, &amend(deputy("bob")), 2), Err(Error::InvalidApprovalConfiguration { .. })));
    let by_requester = apply(&alone, &amend(user("requester")), 2);
    assert!(by_requester.approver_limits.excluded.is_empty());
}
