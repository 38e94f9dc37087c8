//! What people do with a request, as data, and the commands it stands for.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{
    AfterFailure, Amendment, Command, Completion, Failure, StaleStrategy, apply, compensation_draft, decidable_by,
    submit,
};
use mutator_governance::{
    ActorContext, ActorId, ApprovalId, ApprovalRule, ApprovalTarget, ClaimId, CompensationKind, CompensationPlan,
    CompensationTrigger, Intent, MutationRequest, Payload, Pending, PendingReason, RequestDraft, RequestId,
    StateVersion, Status, Timestamp, WriteId,
};

/// What happens next: seconds pass, and somebody does something.
#[derive(Clone, Debug)]
pub struct Move {
    pub seconds: u64,
    pub actor: usize,
    pub act: Act,
}

#[derive(Clone, Debug)]
pub enum Act {
    /// One of the decisions that somebody can really make; whose, the number says.
    DecideWell(usize, bool),
    /// All that one of those who can decide something may decide; who, the number says.
    DecideAll(usize, bool),
    /// Any approval at all, also one that does not exist.
    DecideAny(usize, bool),
    Approve,
    Reject,
    Cancel,
    Expire,
    Supersede,
    Hold(PendingReason, Option<u64>),
    RequestApprovals,
    ExpireApprovals,
    Override,
    Resolve(u8, StaleStrategy),
    Claim(u8, u64),
    Release(u8),
    Complete(u8),
    Fail(u8, AfterFailure),
    /// For a time in this many seconds, or one that has come.
    Schedule(u64),
    Revalidate,
    LinkCompensation,
    Comment,
    /// One of the approvals that somebody can decide is handed on by them to one of the people; which, the numbers say.
    Delegate(usize, usize),
    /// An approval, by its place, is addressed to others.
    Reassign(usize, ApprovalTarget),
    Add(ApprovalRule),
    /// An approval, by its place.
    Remove(usize),
    /// All votes of one of those who have voted, or one approval's; which, the number says.
    Withdraw(usize, bool),
    /// Sent back by one of those who can decide something; who, the number says.
    RequestChanges(usize),
    /// A new payload and a new version by its requester, or by the actor.
    Amend(u8, bool),
}

pub fn at(seconds: u64) -> Timestamp {
    Timestamp::MIN.saturating_add(Duration::from_secs(seconds))
}

/// The requester, four others, one of them in everything, nobody, and a deputy of one of them.
pub fn people() -> Vec<Arc<ActorContext>> {
    let user = |id: &str| ActorContext::user(id).unwrap().because("a reason");
    [
        user("requester").with_role("manager").unwrap(),
        user("alice"),
        user("bob").with_role("manager").unwrap(),
        user("carol").with_group("security").unwrap(),
        user("dave").with_role("manager").unwrap().with_group("security").unwrap(),
        ActorContext::system().because("a reason").with_role("manager").unwrap(),
        user("erin").with_role("manager").unwrap().acting_for("bob", "deputy of bob").unwrap(),
    ]
    .map(Arc::new)
    .to_vec()
}

/// The lifecycle table, written down once more.
pub fn table(from: Status) -> &'static [Status] {
    use Status::{Approved, Canceled, Created, Executed, Expired, Pending, Rejected, Superseded};
    match from {
        Created => &[Pending, Approved, Canceled, Superseded],
        Pending => &[Approved, Rejected, Canceled, Expired, Superseded],
        Approved => &[Pending, Rejected, Canceled, Expired, Superseded, Executed],
        Rejected | Canceled | Expired | Superseded | Executed => &[],
    }
}

/// The command a move means for this request now.
pub fn command(request: &MutationRequest, step: &Move, now: Timestamp) -> Command {
    let by = people().swap_remove(step.actor);
    match &step.act {
        Act::DecideWell(which, grants) => {
            let possible = possible(request, now);
            let nobody = (by, ApprovalId::new("none").unwrap());
            let (by, id) = possible.get(which % possible.len().max(1)).cloned().unwrap_or(nobody);
            decide(by, id, *grants)
        }
        Act::DecideAll(which, grants) => {
            let possible = possible(request, now);
            let by = possible.get(which % possible.len().max(1)).map_or(by, |(able, _)| Arc::clone(able));
            decide_all(by, *grants)
        }
        Act::DecideAny(which, grants) => {
            let known = request.approvals.get(*which).map(|approval| approval.id.clone());
            decide(by, known.unwrap_or_else(|| ApprovalId::new("none").unwrap()), *grants)
        }
        Act::Approve => Command::approve_request(by),
        Act::Reject => Command::reject_request(by),
        Act::Cancel => Command::cancel(by),
        Act::Expire => Command::expire(by),
        Act::Supersede => Command::supersede(by, RequestId::new("request-2").unwrap()),
        Act::Hold(reason, end) => Command::hold(by, Pending { reason: *reason, expires_at: end.map(at) }),
        Act::RequestApprovals => Command::request_approvals(by, None),
        Act::ExpireApprovals => Command::expire_approvals(by),
        Act::Override => Command::override_approvals(by),
        Act::Resolve(version, strategy) => Command::resolve(by, state_version(*version), *strategy),
        Act::Claim(claim, lease) => Command::claim(by, claim_id(*claim), Duration::from_secs(*lease)),
        Act::Release(claim) => Command::release(by, claim_id(*claim)),
        Act::Complete(claim) => Command::complete(by, claim_id(*claim), Completion::new()),
        Act::Fail(claim, then) => Command::fail(by, claim_id(*claim), Failure::new("broken"), *then),
        Act::Withdraw(which, one) => {
            let voted: Vec<_> =
                request.approvals.iter().filter(|approval| approval.state.verdict().is_some()).collect();
            let Some(approval) = voted.get(which % voted.len().max(1)) else { return Command::withdraw(by) };
            let voter = approval.state.verdict().map_or(by, |verdict| Arc::clone(&verdict.by));
            if *one { Command::withdraw_requirement(voter, approval.id.clone()) } else { Command::withdraw(voter) }
        }
        Act::Delegate(which, to) => {
            let possible = possible(request, now);
            let nobody = (by, ApprovalId::new("none").unwrap());
            let (by, id) = possible.get(which % possible.len().max(1)).cloned().unwrap_or(nobody);
            let to = people().get(*to).and_then(|person| person.id.clone());
            Command::delegate(by, id, to.unwrap_or_else(|| ActorId::new("erin").unwrap()))
        }
        Act::Reassign(which, target) => Command::reassign(by, place(request, *which), target.clone()),
        Act::Add(rule) => Command::add_approval(by, rule.clone()),
        Act::Remove(which) => Command::remove_approval(by, place(request, *which)),
        Act::RequestChanges(which) => {
            let possible = possible(request, now);
            let by = possible.get(which % possible.len().max(1)).map_or(by, |(able, _)| Arc::clone(able));
            Command::request_changes(by, "for how long?")
        }
        Act::Amend(content, rightly) => {
            let by = if *rightly { Arc::clone(&request.requested_by) } else { by };
            let payload = Payload::new("text/plain", vec![*content]).unwrap();
            Command::amend(by, Amendment::new().payload(payload).expected_version(state_version(*content)))
        }
        Act::Schedule(seconds) => Command::schedule(by, now.saturating_add(Duration::from_secs(*seconds))),
        Act::Revalidate => Command::revalidate(by),
        Act::Comment => Command::comment(by, "a comment"),
        Act::LinkCompensation => Command::link_compensation(by, &compensation(request)).unwrap(),
    }
}

/// The id of the approval at this place.
fn place(request: &MutationRequest, place: usize) -> ApprovalId {
    let known = request.approvals.get(place % request.approvals.len().max(1));
    known.map_or_else(|| ApprovalId::new("none").unwrap(), |approval| approval.id.clone())
}

/// Every decision that somebody can make.
fn possible(request: &MutationRequest, now: Timestamp) -> Vec<(Arc<ActorContext>, ApprovalId)> {
    let of = |actor: Arc<ActorContext>| {
        let ids = decidable_by(request, &actor, now).into_iter().map(|approval| approval.id.clone());
        ids.map(|id| (Arc::clone(&actor), id)).collect::<Vec<_>>()
    };
    people().into_iter().flat_map(of).collect()
}

pub fn decide_all(by: Arc<ActorContext>, grants: bool) -> Command {
    if grants { Command::approve(by) } else { Command::reject(by, None) }
}

pub fn decide(by: Arc<ActorContext>, id: ApprovalId, grants: bool) -> Command {
    if grants { Command::approve_requirement(by, id) } else { Command::reject_requirement(by, id, None) }
}

/// An executed compensation of whatever has the id of the request.
fn compensation(request: &MutationRequest) -> MutationRequest {
    let by = people().swap_remove(4);
    let plan = CompensationPlan::new(request.id.clone(), CompensationKind::Rollback, CompensationTrigger::Operator);
    let intent = Intent::new("revoke-role", "Access").unwrap();
    let draft = compensation_draft(request, plan.clone(), intent.clone(), Arc::clone(&by))
        .unwrap_or_else(|_| RequestDraft::new(request.target.clone(), intent, Arc::clone(&by)).compensating(plan));
    let id = RequestId::new("undo-1").unwrap();
    let submitted = submit(draft.already_approved(), id, WriteId::from_bytes([9; 16]), at(0)).unwrap();
    let claimed =
        apply(submitted, &Command::claim(Arc::clone(&by), claim_id(1), Duration::from_secs(1)), at(0)).unwrap();
    apply(claimed, &Command::complete(by, claim_id(1), Completion::new()), at(0)).unwrap()
}

pub fn state_version(number: u8) -> StateVersion {
    StateVersion::new(format!("v{number}")).unwrap()
}

fn claim_id(number: u8) -> ClaimId {
    ClaimId::from_bytes([number; 16])
}
