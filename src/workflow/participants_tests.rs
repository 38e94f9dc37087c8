//! Who is a participant, and who is not, after each kind of command.

use std::sync::Arc;
use std::time::Duration;

use super::{Command, apply, participants, submit};
use crate::request::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

fn person(id: &str) -> ActorContext {
    ActorContext::user(id).unwrap().because("for a reason")
}

fn submitted(change: impl FnOnce(RequestDraft) -> RequestDraft) -> MutationRequest {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let draft = RequestDraft::new(target, Intent::new("grant", "Access").unwrap(), person("rita"));
    let draft = change(draft.requires_approval(ApprovalRule::actor("bob").unwrap()));
    submit(draft, RequestId::new("r").unwrap(), WriteId::from_bytes([1; 16]), at(1)).unwrap()
}

fn shown(request: &MutationRequest) -> String {
    participants(request).to_string()
}

fn after(request: MutationRequest, command: &Command) -> MutationRequest {
    apply(request, command, at(10)).unwrap()
}

fn first(request: &MutationRequest) -> ApprovalId {
    request.approvals[0].id.clone()
}

#[test]
fn who_submits_is_asked_or_named_is_one() {
    assert_eq!(shown(&submitted(|draft| draft)), "bob or rita");
    let named = || Participants::new().with_actor_ids(["olga"]).unwrap().with_roles(["auditor"]).unwrap();
    let request = submitted(|draft| {
        let more = Participants::new().with_groups(["council"]).unwrap();
        draft.with_participants(named()).with_participants(more)
    });
    assert_eq!(shown(&request), "bob or olga or rita or role auditor or group council");
    let roles = submitted(|draft| {
        draft
            .requires_approval(ApprovalRule::role("manager").unwrap())
            .requires_approval(ApprovalRule::group("security").unwrap())
    });
    assert_eq!(shown(&roles), "bob or rita or role manager or group security");
}

#[test]
fn whom_it_escalates_to_is_one_from_the_start_unless_that_never_comes() {
    let rule = ApprovalRule::actor("ann").unwrap();
    let rule = rule.escalates_after(Duration::from_secs(60), ApprovalTarget::role("director").unwrap()).unwrap();
    let request = submitted(|draft| draft.requires_approval(rule));
    assert_eq!(shown(&request), "ann or bob or rita or role director");
    let mut document = request.into_document();
    document.approvals[1].expires_at = document.approvals[1].escalation.as_ref().unwrap().at;
    assert_eq!(participants(&document).to_string(), "ann or bob or rita", "it expires at the time it would escalate");
}

#[test]
fn who_delegates_and_whoever_it_comes_to_stay_ones() {
    let request = submitted(|draft| draft);
    let id = first(&request);
    let to = |id: &str| ActorId::new(id).unwrap();
    let request = after(request, &Command::delegate(person("bob"), id.clone(), to("dora")));
    assert_eq!(shown(&request), "bob or dora or rita");
    let request = after(request, &Command::delegate(person("dora"), id.clone(), to("eve")));
    assert_eq!(shown(&request), "bob or dora or eve or rita");
    let target = ApprovalTarget::actor("fay").unwrap();
    let request = after(request, &Command::reassign(person("admin"), id, target));
    assert_eq!(shown(&request), "admin or bob or dora or eve or fay or rita", "eve was delegated");
}

#[test]
fn whom_it_was_taken_from_is_none() {
    let request = submitted(|draft| draft);
    let id = first(&request);
    let target = ApprovalTarget::actor("fay").unwrap();
    assert_eq!(shown(&after(request, &Command::reassign(person("admin"), id, target))), "admin or fay or rita");
}

#[test]
fn who_decided_is_one_and_the_person_acted_for_too() {
    let deputy = person("dora").acting_for("bob", "deputy").unwrap();
    let request = after(submitted(|draft| draft), &Command::approve(deputy));
    assert_eq!(shown(&request), "bob or dora or rita");
    assert_eq!(shown(&after(request, &Command::cancel(person("carl")))), "bob or carl or dora or rita");
}

#[test]
fn who_comments_is_none_for_that() {
    let request = submitted(|draft| draft);
    let request = after(request, &Command::comment(person("mallory"), "What is this?"));
    assert_eq!(shown(&request), "bob or rita");
}

#[test]
fn who_is_excluded_from_deciding_may_read() {
    let request = submitted(|draft| {
        let rule = ApprovalRule::group("security").unwrap();
        draft.excluding([ActorId::new("sam").unwrap()]).requires_approval(rule)
    });
    assert_eq!(shown(&request), "bob or rita or group security", "sam reads as one of the group");
}

#[test]
fn an_actor_without_id_adds_nobody() {
    let request = submitted(|draft| draft);
    let request = after(request, &Command::cancel(Arc::new(ActorContext::system())));
    assert_eq!(shown(&request), "bob or rita");
}
