//! The intent of a write by a command or a draft.

use serde::Serialize;
use sha2::Digest as _;

use crate::command::{Action, Command};
use crate::request::{
    ApprovalRule, ApproverLimits, ExecutionKind, InitialState, Intent, Metadata, Participants, Payload, Period,
    RequestDraft, RequestId, Requirement, RetryPolicy, StateVersion, Target, Timestamp, UniqueKey, Who, WriteIntent,
    WriteKind,
};

impl Command {
    /// The intent of this command's write, which tells its repetition from another command.
    pub fn write_intent(&self) -> WriteIntent {
        let Self { action, by } = self;
        WriteIntent::of(kind_of(action), &(action, Who::of(by)))
    }
}

const fn kind_of(action: &Action) -> WriteKind {
    match action {
        Action::ApproveRequest => WriteKind::ApproveRequest,
        Action::RejectRequest => WriteKind::RejectRequest,
        Action::Cancel => WriteKind::Cancel,
        Action::Expire => WriteKind::Expire,
        Action::Supersede { .. } => WriteKind::Supersede,
        Action::Hold { .. } => WriteKind::Hold,
        Action::RequestApprovals { .. } => WriteKind::RequestApprovals,
        Action::Approve { .. } => WriteKind::Approve,
        Action::Reject { .. } => WriteKind::Reject,
        Action::ApproveRequirement { .. } => WriteKind::ApproveRequirement,
        Action::RejectRequirement { .. } => WriteKind::RejectRequirement,
        Action::Withdraw { .. } => WriteKind::Withdraw,
        Action::Delegate { .. } => WriteKind::Delegate,
        Action::Reassign { .. } => WriteKind::Reassign,
        Action::AddApproval { .. } => WriteKind::AddApproval,
        Action::RemoveApproval { .. } => WriteKind::RemoveApproval,
        Action::ExpireApprovals => WriteKind::ExpireApprovals,
        Action::OverrideApprovals => WriteKind::OverrideApprovals,
        Action::RequestChanges { .. } => WriteKind::RequestChanges,
        Action::Amend { .. } => WriteKind::Amend,
        Action::Schedule { .. } => WriteKind::Schedule,
        Action::Revalidate => WriteKind::Revalidate,
        Action::Resolve { .. } => WriteKind::Resolve,
        Action::Claim { .. } => WriteKind::Claim,
        Action::Release { .. } => WriteKind::Release,
        Action::Complete { .. } => WriteKind::Complete,
        Action::Fail { .. } => WriteKind::Fail,
        Action::Comment { .. } => WriteKind::Comment,
        Action::LinkCompensation { .. } => WriteKind::LinkCompensation,
    }
}

/// The parts of a draft that make up its intent.
#[derive(Serialize)]
struct Meant<'a> {
    target: &'a Target,
    intent: &'a Intent,
    requested_by: Who<'a>,
    /// The content type and the SHA-256 of the bytes, which may be many.
    payload: Option<(&'a str, [u8; 32])>,
    initial_state: Option<InitialState>,
    requirements: &'a [Requirement],
    approval_rules: &'a [ApprovalRule],
    expected_version: Option<&'a StateVersion>,
    execution: &'a ExecutionKind,
    resubmits: Option<&'a RequestId>,
    retry: Option<RetryPolicy>,
    metadata: &'a Metadata,
    timing: Option<(Option<Timestamp>, Option<Period>)>,
    approver_limits: Option<&'a ApproverLimits>,
    participants: Option<&'a Participants>,
    unique_key: Option<&'a UniqueKey>,
}

impl RequestDraft {
    /// The intent of submitting this draft, which tells its repetition from another draft. The id is excluded: it names
    /// the request.
    pub fn write_intent(&self) -> WriteIntent {
        self.write_intent_with(self.payload_hash())
    }

    /// The SHA-256 of the payload, which may be large: it is computed once for all who need it.
    pub(super) fn payload_hash(&self) -> Option<[u8; 32]> {
        self.payload.as_ref().map(|payload| sha2::Sha256::digest(payload.bytes()).into())
    }

    pub(super) fn write_intent_with(&self, payload_hash: Option<[u8; 32]>) -> WriteIntent {
        let Self {
            id: _,
            target,
            intent,
            requested_by,
            payload,
            initial_state,
            requirements,
            approval_rules,
            expected_version,
            execution,
            resubmits,
            retry,
            id_comparison: _,
            salt: _,
            metadata,
            not_before,
            valid_for,
            approver_limits,
            participants,
            unique_key,
        } = self;
        let content_type = payload.as_ref().map(Payload::content_type);
        let meant = Meant {
            target,
            intent,
            requested_by: Who::of(requested_by),
            payload: content_type.zip(payload_hash),
            initial_state: *initial_state,
            requirements,
            approval_rules,
            expected_version: expected_version.as_ref(),
            execution,
            resubmits: resubmits.as_ref(),
            retry: *retry,
            metadata,
            timing: Some((*not_before, *valid_for)).filter(|(start, validity)| start.is_some() || validity.is_some()),
            approver_limits: Some(approver_limits).filter(|limits| !limits.is_none()),
            participants: Some(participants).filter(|named| !named.is_empty()),
            unique_key: unique_key.as_ref(),
        };
        WriteIntent::of(WriteKind::Submit, &meant)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::request::{
        ActorContext, ActorId, ApprovalId, ApprovalTarget, ClaimId, Digest, Payload, PendingReason, Rejection,
        RequestId, Severity, SideEffect,
    };
    use crate::workflow::{AfterFailure, Amendment, Completion, Failure, StaleStrategy};

    fn mona() -> ActorContext {
        ActorContext::user("mona").unwrap()
    }

    fn in_other_circumstances(actor: ActorContext) -> ActorContext {
        actor
            .named("Mona")
            .with_roles(["manager", "lead"])
            .unwrap()
            .with_groups(vec!["board".to_owned()])
            .unwrap()
            .with_correlation_id("order-1")
            .with_causation_id("event-1")
            .with_session_id("session-1")
            .with_source_address(std::net::IpAddr::from([10, 0, 0, 7]))
            .with_user_agent("curl")
            .with_time_zone("Europe/Vienna")
            .with_culture("de-AT")
            .acting_at(Timestamp::MAX)
            .with_metadata(Metadata::new().with("request", 7).unwrap())
    }

    #[test]
    fn circumstances_are_no_part_of_a_commands_intent_and_all_else_is() {
        let id = |text: &str| ApprovalId::new(text).unwrap();
        let request = |text: &str| RequestId::new(text).unwrap();
        let claim = |number| ClaimId::from_bytes([number; 16]);
        let effect = || SideEffect::new("CacheInvalidated", "", Severity::Info, Timestamp::MIN).unwrap();
        let commands = [
            Command::approve_request(mona()),
            Command::approve_request(mona().because("asked")),
            Command::approve_request(ActorContext::user("sam").unwrap()),
            Command::approve_request(ActorContext::service("mona").unwrap()),
            Command::approve_request(ActorContext::system()),
            Command::approve_request(ActorContext::system().named("nightly")),
            Command::reject_request(mona()),
            Command::cancel(mona()),
            Command::expire(mona()),
            Command::supersede(mona(), request("a")),
            Command::supersede(mona(), request("b")),
            Command::hold(mona(), PendingReason::Quota),
            Command::hold(mona(), PendingReason::Schedule),
            Command::request_approvals(mona(), None),
            Command::request_approvals(mona(), Some(Timestamp::MIN)),
            Command::approve(mona()),
            Command::approve_for_digest(mona(), Digest::from_bytes([1; 32])),
            Command::reject(mona(), None),
            Command::reject(mona(), Some(Rejection::new("E1", "no"))),
            Command::approve_requirement(mona(), id("a")),
            Command::approve_requirement(mona(), id("b")),
            Command::approve_requirement_for_digest(mona(), id("a"), Digest::from_bytes([1; 32])),
            Command::reject_requirement(mona(), id("a"), None),
            Command::reject_requirement(mona(), id("a"), Some(Rejection::new("E1", "no"))),
            Command::comment(mona(), "a"),
            Command::comment(mona(), "b"),
            Command::withdraw(mona()),
            Command::withdraw_requirement(mona(), id("a")),
            Command::withdraw_requirement(mona(), id("b")),
            Command::delegate(mona(), id("a"), ActorId::new("sam").unwrap()),
            Command::delegate(mona(), id("a"), ActorId::new("tom").unwrap()),
            Command::delegate(mona(), id("b"), ActorId::new("sam").unwrap()),
            Command::reassign(mona(), id("a"), ApprovalTarget::actor("sam").unwrap()),
            Command::reassign(mona(), id("a"), ApprovalTarget::role("sam").unwrap()),
            Command::add_approval(mona(), ApprovalRule::role("sam").unwrap()),
            Command::add_approval(mona(), ApprovalRule::role("sam").unwrap().mandatory()),
            Command::remove_approval(mona(), id("a")),
            Command::remove_approval(mona(), id("b")),
            Command::expire_approvals(mona()),
            Command::override_approvals(mona()),
            Command::request_changes(mona(), "a"),
            Command::request_changes(mona(), "b"),
            Command::amend(mona(), Amendment::new().description("a")),
            Command::amend(mona(), Amendment::new().description("b")),
            Command::amend(mona(), Amendment::new().without_description()),
            Command::amend(mona(), Amendment::new().without_payload()),
            Command::resolve(mona(), StateVersion::new("1").unwrap(), StaleStrategy::RejectStale),
            Command::resolve(mona(), StateVersion::new("2").unwrap(), StaleStrategy::RejectStale),
            Command::resolve(mona(), StateVersion::new("1").unwrap(), StaleStrategy::RequireRenewedApproval),
            Command::schedule(mona(), Timestamp::MIN),
            Command::schedule(mona(), Timestamp::MAX),
            Command::revalidate(mona()),
            Command::claim(mona(), claim(1), Duration::from_secs(1)),
            Command::claim(mona(), claim(2), Duration::from_secs(1)),
            Command::claim(mona(), claim(1), Duration::from_millis(1_001)),
            Command::release(mona(), claim(1)),
            Command::complete(mona(), claim(1), Completion::new()),
            Command::complete(mona(), claim(1), Completion::new().with_side_effect(effect())),
            Command::fail(mona(), claim(1), Failure::new("disk full"), AfterFailure::Reject),
            Command::fail(mona(), claim(1), Failure::new("disk full"), AfterFailure::KeepApproved),
            Command::fail(mona(), claim(1), Failure::new("disk full"), AfterFailure::AsSubmitted),
            Command::fail(
                mona(),
                claim(1),
                Failure::new("disk full"),
                AfterFailure::Retry(RetryPolicy::new(2).unwrap()),
            ),
            Command::fail(
                mona(),
                claim(1),
                Failure::new("disk full"),
                AfterFailure::Retry(RetryPolicy::new(3).unwrap()),
            ),
            Command::fail(mona(), claim(1), Failure::new("disk full").with_code("28"), AfterFailure::Reject),
        ];
        let intents: HashSet<WriteIntent> = commands.iter().map(Command::write_intent).collect();
        assert_eq!(intents.len(), commands.len());
        for command in &commands {
            let by = (*command.by).clone();
            let name = by.name.clone();
            let mut other = in_other_circumstances(by);
            if other.id.is_none() {
                other.name = name;
            }
            let again = Command { by: other.into(), ..command.clone() };
            assert_eq!(again.write_intent(), command.write_intent(), "{command:?}");
        }
    }

    #[test]
    fn circumstances_and_the_id_are_no_part_of_a_drafts_intent_and_all_else_is() {
        let target = |state: &str| Target::new(state, "Tenant", "RoleGrant").unwrap();
        let intent = || Intent::new("grant-role", "Access").unwrap();
        let draft = || RequestDraft::new(target("a"), intent(), mona());
        let payload = |text: &str| Payload::new("text/plain", text.as_bytes()).unwrap();
        let drafts = [
            draft(),
            RequestDraft::new(target("b"), intent(), mona()),
            RequestDraft::new(target("a"), intent().irreversible(), mona()),
            RequestDraft::new(target("a"), intent(), mona().because("asked")),
            draft().with_payload(payload("a")),
            draft().with_payload(payload("b")),
            draft().waiting_for(PendingReason::Quota),
            draft().already_approved(),
            draft().requires(Requirement::new("TwoFactor", "a second factor").unwrap()),
            draft().requires_approval(ApprovalRule::role("manager").unwrap()),
            draft().requires_approval(ApprovalRule::role("manager").unwrap().expiring_at(Timestamp::MAX)),
            draft().not_before(Timestamp::MIN),
            draft().retrying(RetryPolicy::new(2).unwrap()),
            draft().retrying(RetryPolicy::new(3).unwrap()),
            draft().not_before(Timestamp::MAX),
            draft().valid_for(Duration::from_secs(1)).unwrap(),
            draft().valid_for(Duration::from_secs(2)).unwrap(),
            draft().for_version(StateVersion::new("1").unwrap()),
            draft().resubmitting(RequestId::new("a").unwrap()),
            draft().resubmitting(RequestId::new("b").unwrap()),
            draft().with_metadata(Metadata::new().with("ticket", 1).unwrap()),
        ];
        let intents: HashSet<WriteIntent> = drafts.iter().map(RequestDraft::write_intent).collect();
        assert_eq!(intents.len(), drafts.len());
        for draft in drafts {
            let mut again = draft.clone().with_id(RequestId::generate());
            again.requested_by = in_other_circumstances((*draft.requested_by).clone()).into();
            assert_eq!(again.write_intent(), draft.write_intent());
        }
    }
}
