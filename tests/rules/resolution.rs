//! Version resolution.

use std::time::Duration;

use mutator_governance::workflow::{Command, Resolution, StaleStrategy, resolve};
use mutator_governance::{
    ApprovalStatus, ClaimId, ExecutionError, MutationRequest, Pending, PendingReason, RequestState, StateVersion,
    Status, Value,
};

use crate::support::{
    apply, at, draft, execution_error, grant, history, in_status, quorum, reject, rule, submit, try_apply, user,
};

fn version(text: &str) -> StateVersion {
    StateVersion::new(text).unwrap()
}

/// Approved by alice and a quorum of security, for version v1.
fn approved() -> MutationRequest {
    let draft = draft().for_version(version("v1")).requires_approval(rule("alice").expiring_at(at(100)));
    let security = quorum("security", 1, &["bob", "carol"]).rejected_when_impossible();
    let request = grant(&submit(draft.requires_approval(security)), "alice", "approval-1", 1);
    grant(&reject(&request, "carol", "approval-3", 2), "bob", "approval-2", 3)
}

fn resolved(strategy: StaleStrategy) -> (Resolution, MutationRequest) {
    resolve(approved(), &version("v2"), strategy, &user("executor"), at(10)).unwrap()
}

#[test]
fn a_request_for_no_version_or_for_the_current_one_is_validated() {
    let any = submit(draft().already_approved());
    for (request, current) in [(any, "v7"), (approved(), "v1")] {
        for strategy in
            [StaleStrategy::RejectStale, StaleStrategy::RequireRenewedApproval, StaleStrategy::RevalidateOnLatestState]
        {
            let (resolution, after) =
                resolve(request.clone(), &version(current), strategy, &user("executor"), at(10)).unwrap();
            assert_eq!(resolution, Resolution::ExecuteApprovedVersion);
            assert_eq!(history(&after, request.decisions.len()), ["VersionResolution/Validated"]);
            assert_eq!((&after.state, &after.versioning), (&request.state, &request.versioning));
            assert_eq!(after.updated_at, at(10));
        }
    }
}

#[test]
fn reject_stale_rejects() {
    let (resolution, after) = resolved(StaleStrategy::RejectStale);
    assert_eq!(resolution, Resolution::RejectedAsStale);
    assert_eq!(after.state, RequestState::Rejected);
    let before = approved().decisions.len();
    assert_eq!(history(&after, before), ["VersionResolution/RejectedAsStale", "Lifecycle/Rejected"]);
}

#[test]
fn require_renewed_approval_opens_all_approvals_again_for_the_current_version() {
    let (resolution, after) = resolved(StaleStrategy::RequireRenewedApproval);
    assert_eq!(resolution, Resolution::RequiresRenewedApproval);
    assert_eq!(after.state, RequestState::Pending(Pending::from(PendingReason::Approval)));
    let expected = ["VersionResolution/RenewedApprovalRequired", "Lifecycle/Pending", "Approval/Renewed"];
    assert_eq!(history(&after, approved().decisions.len()), expected);
    assert!(after.approvals.iter().all(|approval| approval.state.status() == ApprovalStatus::Pending));
    assert!(after.requirements.iter().all(|requirement| !requirement.fulfilled));
    assert_eq!(after.approval_round, 2);
    assert_eq!(after.versioning.expected, Some(version("v2")));
    assert_eq!(after.versioning.reviewed, Some(version("v2")));
    assert_ne!(after.digest(), approved().digest(), "the old grants are for another version");

    let granted = grant(&grant(&after, "alice", "approval-1", 20), "bob", "approval-2", 21);
    assert_eq!(granted.state, RequestState::Approved);
    let (resolution, again) =
        resolve(granted, &version("v3"), StaleStrategy::RequireRenewedApproval, &user("executor"), at(30)).unwrap();
    assert_eq!((resolution, again.approval_round), (Resolution::RequiresRenewedApproval, 3));
}

#[test]
fn a_renewed_approval_has_as_much_time_as_it_was_given_before() {
    let (_, after) =
        resolve(approved(), &version("v2"), StaleStrategy::RequireRenewedApproval, &user("executor"), at(1_000))
            .unwrap();
    assert_eq!(after.approvals[0].expires_at, Some(at(1_100)), "100 s from when it was opened");
    assert_eq!(after.approvals[1].expires_at, None);
}

#[test]
fn each_renewal_gives_the_time_that_the_approvals_had_when_they_were_asked_for() {
    let renew = |request: &MutationRequest, to: &str, seconds| {
        let command = Command::resolve(user("executor"), version(to), StaleStrategy::RequireRenewedApproval);
        apply(request, &command, seconds)
    };
    let rule = || rule("alice").expiring_at(at(100));
    let waits = || draft().for_version(version("v1")).requires_approval(rule()).waiting_for(PendingReason::Schedule);

    // Asked for at 70: it was given 30 s, at the first renewal, at 500, as at the second, at 900.
    let asked = apply(&submit(waits()), &Command::request_approvals(user("scheduler"), None), 70);
    let renewed = renew(&grant(&asked, "alice", "approval-1", 71), "v2", 500);
    assert_eq!(renewed.approvals[0].expires_at, Some(at(530)));
    let again = renew(&grant(&renewed, "alice", "approval-1", 510), "v3", 900);
    assert_eq!(again.approvals[0].expires_at, Some(at(930)));
    let at_once = submit(draft().for_version(version("v1")).requires_approval(rule()));
    let renewed = renew(&grant(&at_once, "alice", "approval-1", 71), "v2", 500);
    assert_eq!(renew(&grant(&renewed, "alice", "approval-1", 510), "v3", 900).approvals[0].expires_at, Some(at(1_000)));

    // Never asked for: the time it was submitted with.
    let override_it = Command::override_approvals(crate::support::user_because("oncall", "it burns"));
    let overridden = apply(&submit(waits()), &override_it, 110);
    assert_eq!(renew(&overridden, "v2", 500).approvals[0].expires_at, Some(at(600)));
}

#[test]
fn revalidate_on_latest_state_stays_approved_and_keeps_what_was_reviewed() {
    let (resolution, after) = resolved(StaleStrategy::RevalidateOnLatestState);
    assert_eq!(resolution, Resolution::RevalidateOnLatestState);
    assert_eq!(after.state, RequestState::Approved);
    assert_eq!(history(&after, approved().decisions.len()), ["VersionResolution/RevalidationRequired"]);
    assert_eq!(after.versioning.expected, Some(version("v2")));
    assert_eq!(after.versioning.reviewed, Some(version("v1")));
    assert_eq!(after.digest(), approved().digest(), "the grants hold");
}

#[test]
fn the_decision_holds_both_versions() {
    for strategy in
        [StaleStrategy::RejectStale, StaleStrategy::RequireRenewedApproval, StaleStrategy::RevalidateOnLatestState]
    {
        let (_, after) = resolved(strategy);
        let metadata = &after.decisions[approved().decisions.len()].metadata;
        assert_eq!(metadata.get("expected_version"), Some(&Value::from("v1")));
        assert_eq!(metadata.get("current_version"), Some(&Value::from("v2")));
    }
}

#[test]
fn renewing_without_approvals_is_rejected() {
    let request = submit(draft().for_version(version("v1")).already_approved());
    let command = Command::resolve(user("executor"), version("v2"), StaleStrategy::RequireRenewedApproval);
    let error = execution_error(try_apply(&request, &command, 1).unwrap_err());
    assert_eq!(error, ExecutionError::NothingToRenew);
}

#[test]
fn only_approved_requests_resolve() {
    let command = Command::resolve(user("executor"), version("v1"), StaleStrategy::RejectStale);
    for status in Status::ALL {
        let result = try_apply(&in_status(status), &command, 1);
        match status {
            Status::Approved => assert!(result.is_ok()),
            _ => assert_eq!(execution_error(result.unwrap_err()), ExecutionError::NotApproved { status }),
        }
    }
}

#[test]
fn a_request_that_is_being_executed_does_not_resolve_until_the_lease_ends() {
    let claim = Command::claim(user("executor"), ClaimId::from_bytes([1; 16]), Duration::from_mins(1));
    let claimed = apply(&approved(), &claim, 10);
    let command = Command::resolve(user("other"), version("v2"), StaleStrategy::RejectStale);
    let error = execution_error(try_apply(&claimed, &command, 69).unwrap_err());
    assert_eq!(error, ExecutionError::Claimed { by: "executor".to_owned(), lease_ends_at: at(70) });
    let rejected = apply(&claimed, &command, 70);
    assert_eq!((&rejected.state, &rejected.execution.claim), (&RequestState::Rejected, &None));
}

#[test]
fn a_blank_version_cannot_be_given() {
    assert!(StateVersion::new("  ").is_err());
}
