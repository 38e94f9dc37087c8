//! Withdrawing one's own vote, until the request is claimed.

use std::time::Duration;

use mutator_governance::workflow::{Command, decidable_by, explain};
use mutator_governance::{
    ActorContext, ApprovalError, ApprovalStatus, ClaimId, Error, ExecutionError, MutationRequest, Pending,
    PendingReason, Rejection, StateVersion, Status, Value, metadata_keys,
};

use crate::support::*;

fn statuses(request: &MutationRequest) -> Vec<ApprovalStatus> {
    request.approvals.iter().map(|approval| approval.state.status()).collect()
}

fn withdraw(request: &MutationRequest, by: &str, seconds: u64) -> MutationRequest {
    apply(request, &Command::withdraw(user(by)), seconds)
}

#[test]
fn an_approved_request_waits_for_approval_again() {
    let approved = grant(&file_with([rule("alice")]), "alice", "approval-1", 1);
    assert!(approved.requirements.iter().all(|requirement| requirement.fulfilled));
    let on_second_thought = Command::withdraw(user_because("alice", "the audit is not over"));
    let waiting = apply(&approved, &on_second_thought, 2);
    let pending = waiting.state.pending().unwrap();
    assert_eq!((pending.reason, pending.expires_at), (PendingReason::Approval, None));
    assert_eq!(statuses(&waiting), [ApprovalStatus::Pending]);
    assert!(waiting.requirements.iter().all(|requirement| !requirement.fulfilled));
    let added = approved.decisions.len();
    assert_eq!(history(&waiting, added), ["Approval/Withdrawn", "Lifecycle/Pending", "Approval/Requested"]);
    let withdrawn = &waiting.decisions[added];
    assert_eq!(withdrawn.reason.as_deref(), Some("the audit is not over"));
    let about = |key| withdrawn.metadata.get(key);
    assert_eq!(about(metadata_keys::APPROVAL), Some(&Value::Text("approval-1".to_owned())));
    assert_eq!(about(metadata_keys::WITHDRAWN), Some(&Value::Text("Granted".to_owned())));
    assert_eq!(about(metadata_keys::DIGEST), Some(&Value::Text(approved.digest().to_string())));
    assert_eq!(explain(&waiting, at(2)).to_string(), "waits for alice to decide approval-1; step 1 of 1");
    assert_eq!(grant(&waiting, "alice", "approval-1", 3).state.status(), Status::Approved);
}

#[test]
fn a_satisfied_group_opens_again_with_what_hung_on_it() {
    use ApprovalStatus::{Approved, Pending as Open, Satisfied};
    let request = file_with([quorum("board", 2, &["alice", "bob", "carol", "dave"]), rule("eve")]);
    let half = grant(&request, "alice", "approval-1", 1);
    let met = grant(&half, "bob", "approval-2", 2);
    assert_eq!(statuses(&met), [Approved, Approved, Satisfied, Satisfied, Open]);
    let reopened = withdraw(&met, "bob", 3);
    assert_eq!(statuses(&reopened), [Approved, Open, Open, Open, Open]);
    assert_eq!(history(&reopened, met.decisions.len()), ["Approval/Withdrawn"]);
    let names = Value::List(["approval-3", "approval-4"].map(|id| Value::Text(id.to_owned())).to_vec());
    assert_eq!(reopened.decisions.last().unwrap().metadata.get(metadata_keys::REOPENED), Some(&names));
    assert!(decidable_by(&reopened, &user("eve"), at(3)).is_empty(), "step 1 is active again");
    for able in ["bob", "carol", "dave"] {
        let met = apply(&reopened, &Command::approve(user(able)), 4);
        assert_eq!(apply(&met, &Command::approve(user("eve")), 5).state.status(), Status::Approved, "{able}");
    }
    assert_eq!(apply(&reopened, &Command::withdraw(user("alice")), 4).approvals[0].state.status(), Open);
}

#[test]
fn all_votes_of_the_actor_are_withdrawn_or_the_one_that_is_named() {
    use ApprovalStatus::{Approved, Pending as Open};
    let request = file_with([rule("alice"), rule("alice"), rule("bob")]);
    let request = apply(&apply(&request, &Command::approve(user("alice")), 1), &Command::approve(user("alice")), 2);
    assert_eq!(statuses(&request), [Approved, Approved, Open]);
    assert_eq!(statuses(&withdraw(&request, "alice", 3)), [Open; 3]);
    let one = apply(&request, &Command::withdraw_requirement(user("alice"), approval("approval-2")), 3);
    assert_eq!(statuses(&one), [Approved, Open, Open]);
}

#[test]
fn a_rejection_is_withdrawn_where_it_did_not_reject_the_request() {
    use ApprovalStatus::{Approved, Pending as Open, Rejected, Satisfied};
    let group = || quorum("board", 2, &["alice", "bob", "carol"]).rejected_when_impossible();
    let no = Command::reject(user("alice"), Some(Rejection::new("E1", "no")));
    let request = apply(&file_with([group(), rule("eve")]), &no, 1);
    assert_eq!(statuses(&request), [Rejected, Open, Open, Open]);
    assert_eq!(statuses(&withdraw(&request, "alice", 2)), [Open; 4]);

    // Of a group that is met, the vote is not needed any more.
    let met = grant(&grant(&request, "bob", "approval-2", 2), "carol", "approval-3", 3);
    let after = withdraw(&met, "alice", 4);
    assert_eq!(statuses(&after), [Satisfied, Approved, Approved, Open]);
    let approved = apply(&met, &Command::approve(user("eve")), 4);
    let after = withdraw(&approved, "alice", 5);
    assert_eq!(
        (after.state.status(), history(&after, approved.decisions.len())),
        (Status::Approved, vec!["Approval/Withdrawn".to_owned()])
    );
}

#[test]
fn nothing_but_ones_own_vote_is_withdrawn() {
    let request = grant(&file_with([rule("alice"), rule("bob")]), "alice", "approval-1", 1);
    let error = |command: &Command| approval_error(try_apply(&request, command, 2).unwrap_err());
    let one = |by: &str, id: &str| Command::withdraw_requirement(user(by), approval(id));
    let (alice, bob) = ("alice".to_owned(), "bob".to_owned());
    let anothers = ApprovalError::AnothersVote { approval: approval("approval-1"), actor: bob.clone(), voter: alice };
    assert_eq!(error(&one("bob", "approval-1")), anothers);
    let none = |approval| ApprovalError::NothingToWithdraw { actor: bob.clone(), approval };
    assert_eq!(error(&one("bob", "approval-2")), none(Some(approval("approval-2"))));
    assert_eq!(error(&Command::withdraw(user("bob"))), none(None));
    assert!(matches!(error(&one("alice", "approval-9")), ApprovalError::UnknownApproval { .. }));
    assert_eq!(error(&Command::withdraw(ActorContext::system())), ApprovalError::AnonymousWithdrawal);
    let blank = try_apply(&request, &Command::withdraw(user_because("alice", " ")), 2).unwrap_err();
    assert!(matches!(blank, Error::Invalid(_)), "{blank}");
}

#[test]
fn no_vote_is_withdrawn_after_the_claim_or_the_end() {
    let approved = grant(&file_with([rule("alice")]), "alice", "approval-1", 1);
    let lease = Duration::from_secs(60);
    let claimed = apply(&approved, &Command::claim(user("executor"), ClaimId::from_bytes([1; 16]), lease), 2);
    let withdraw = Command::withdraw(user("alice"));
    let error = execution_error(try_apply(&claimed, &withdraw, 3).unwrap_err());
    assert!(matches!(error, ExecutionError::Claimed { .. }), "{error}");
    let free = apply(&claimed, &Command::release(user("executor"), ClaimId::from_bytes([1; 16])), 4);
    assert_eq!(apply(&free, &withdraw, 5).state.status(), Status::Pending);
    for end in [Command::cancel(user("requester")), Command::reject_request(user("admin"))] {
        let ended = apply(&approved, &end, 2);
        let error = approval_error(try_apply(&ended, &withdraw, 3).unwrap_err());
        assert_eq!(error, ApprovalError::TooLateToWithdraw { status: ended.state.status() });
    }
}

#[test]
fn a_request_that_waits_for_something_else_goes_on_waiting_for_it() {
    let approved = grant(&file_with([rule("alice")]), "alice", "approval-1", 1);
    let held = apply(&approved, &Command::hold(user("admin"), Pending::from(PendingReason::Quota)), 2);
    let open = withdraw(&held, "alice", 3);
    assert_eq!((&open.state, statuses(&open)), (&held.state, vec![ApprovalStatus::Pending]));
    let direct = approval_error(try_apply(&open, &Command::approve_request(user("admin")), 4).unwrap_err());
    assert_eq!(direct, ApprovalError::Unmet { unmet: 1 });
    assert!(apply(&open, &Command::request_approvals(user("admin"), None), 4).state.awaits_approval());
}

/// What was overridden is overridden, and the vote that is withdrawn was not.
#[test]
fn a_grant_that_is_withdrawn_after_an_override_is_asked_for_again() {
    let half = grant(&file_with([rule("alice"), rule("bob")]), "alice", "approval-1", 1);
    let overridden = apply(&half, &Command::override_approvals(user_because("admin", "outage")), 2);
    let waiting = withdraw(&overridden, "alice", 3);
    assert!(waiting.state.awaits_approval());
    let version = StateVersion::new("v1").unwrap();
    let early = Command::resolve(user("executor"), version, mutator_governance::workflow::StaleStrategy::RejectStale);
    assert!(try_apply(&waiting, &early, 4).is_err(), "not to be executed");
}

#[test]
fn an_approval_whose_time_is_over_is_left_to_the_sweep() {
    let approved = grant(&file_with([rule("alice").expiring_at(at(10))]), "alice", "approval-1", 1);
    let waiting = withdraw(&approved, "alice", 20);
    assert!(decidable_by(&waiting, &user("alice"), at(20)).is_empty());
    assert_eq!(apply(&waiting, &Command::expire_approvals(user("sweep")), 21).state.status(), Status::Rejected);
}
