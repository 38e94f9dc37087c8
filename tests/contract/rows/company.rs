//! The requests of a small company, and what became of them: submitted and moved on by the rules, at times that are easy to
//! read. Told as writes, so that any store can take them.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{Command, Completion, StaleStrategy, apply, submit};
use mutator_governance::*;

pub(crate) fn second(number: u64) -> Timestamp {
    Timestamp::MIN.saturating_add(Duration::from_secs(number))
}

/// What is written to a store, in order.
pub(crate) enum Write {
    Create(MutationRequest),
    Update(MutationRequest, WriteId),
}

#[derive(Default)]
pub(crate) struct Story(pub(crate) Vec<Write>);

impl Story {
    /// Submits a request, and then does what is said at the times that are said.
    fn add(&mut self, filed_at: u64, draft: RequestDraft, then: &[(u64, Command)]) {
        let mut request = submit(draft, RequestId::generate(), WriteId::generate(), second(filed_at)).unwrap();
        self.0.push(Write::Create(request.clone()));
        for (at, command) in then {
            let changed = apply(request, command, second(*at)).unwrap();
            let write_id = WriteId::generate();
            request = changed.clone().at_revision(changed.revision().next(write_id));
            self.0.push(Write::Update(changed, write_id));
        }
    }
}

/// A person of the company.
pub(crate) fn person(id: &str) -> Arc<ActorContext> {
    let actor = ActorContext::user(id).unwrap().because("it is right");
    Arc::new(match id {
        "rita" => actor.named("Rita").with_role("manager").unwrap(),
        "mona" => actor.named("Mona").with_role("manager").unwrap(),
        "sam" => actor.named("Sam").with_group("security").unwrap(),
        _ => actor,
    })
}

pub(crate) fn approval(id: &str) -> ApprovalId {
    ApprovalId::new(id).unwrap()
}

fn draft(id: &str, state: &str, state_type: &str, mutation: &str, category: &str, by: &str) -> RequestDraft {
    let target = Target::new(state, state_type, mutation).unwrap();
    RequestDraft::new(target, Intent::new("change", category).unwrap(), person(by)).with_id(RequestId::new(id).unwrap())
}

/// The same person, or none, as part of the import.
fn importing(by: impl Into<Arc<ActorContext>>) -> Arc<ActorContext> {
    let mut actor = (*by.into()).clone();
    actor.correlation_id = Some("import-7".to_owned());
    Arc::new(actor)
}

fn payload(content_type: &str) -> Payload {
    Payload::new(content_type, *b"{}").unwrap()
}

fn intent(category: &str) -> Intent {
    Intent::new("change", category).unwrap()
}

pub(crate) fn story() -> Story {
    let mut story = Story::default();
    let by_manager = || ApprovalRule::role("manager").unwrap().with_id(approval("manager"));
    let by_security = || ApprovalRule::group("security").unwrap().with_id(approval("security"));
    let by_mona = || ApprovalRule::actor("mona").unwrap().with_id(approval("mona"));
    let grant = |by: &str, id: &str| Command::approve_requirement(person(by), approval(id));
    let claim = ClaimId::from_bytes([1; 16]);

    // A manager has granted, security is next. Rita is a manager herself, but it is her own request.
    let risky = intent("Access").with_risk(RiskLevel::High).with_tag("urgent").unwrap().with_tag("audit").unwrap();
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let first = RequestDraft::new(target, risky, person("rita")).with_id(RequestId::new("grant-1").unwrap());
    let ticket = Metadata::new().with("ticket", 7_i64).unwrap();
    let first = first.requires_approval(by_manager()).requires_approval(by_security()).with_metadata(ticket);
    story.add(10, first, &[(40, grant("mona", "manager"))]);

    // Two of three, at the same time as the first.
    let members = [ApprovalTarget::actor("mona"), ApprovalTarget::actor("omar"), ApprovalTarget::group("security")];
    let board = ApprovalRule::quorum("board", 2, members.map(Result::unwrap)).unwrap().with_id(approval("board"));
    let second_grant = draft("grant-2", "tenant:acme", "Tenant", "RoleGrant", "Access", "erin");
    let second_grant = second_grant.requires_approval(board.expiring_at(second(300)));
    story.add(10, second_grant, &[(50, grant("mona", "board-1"))]);

    // Waits for its time.
    let wide = intent("Billing").with_blast_radius(BlastRadius::new(BlastScope::System));
    let target = Target::new("tenant:beta", "Tenant", "LimitChange").unwrap();
    let limit = RequestDraft::new(target, wide, importing(person("erin"))).with_id(RequestId::new("limit-1").unwrap());
    let limit =
        limit.with_payload(payload("application/json")).with_unique_key(UniqueKey::new("limit of beta").unwrap());
    let pending = Pending { reason: PendingReason::Schedule, expires_at: Some(second(500)) };
    let text = Metadata::new().with("ticket", "7").unwrap();
    story.add(20, limit.waiting_for(pending).with_metadata(text), &[]);

    // Approved and executed, with a mail that somebody has to look after.
    let mail = SideEffect::new("MailSent", "told the tenant", Severity::Warning, second(80)).unwrap();
    let mail = mail.under_contract(ContractId::new("mail/1").unwrap()).requiring_action();
    let completion = Completion::new().with_side_effect(mail);
    story.add(
        30,
        draft("limit-2", "tenant:beta", "Tenant", "LimitChange", "Billing", "rita").requires_approval(by_mona()),
        &[
            (60, grant("mona", "mona")),
            (70, Command::claim(person("omar"), claim, Duration::from_mins(1))),
            (80, Command::complete(person("omar"), claim, completion)),
        ],
    );

    // Rejected.
    let reject = Command::reject_requirement(person("mona"), approval("manager"), None);
    let third = draft("access-3", "team:blue", "Team", "RoleGrant", "Access", "erin").requires_approval(by_manager());
    story.add(30, third, &[(65, reject)]);

    // Approved when it was submitted, without any approval.
    let mut flagged = intent("Access").with_tag("urgent").unwrap();
    flagged.metadata = Metadata::new().with("flag", true).unwrap();
    let target = Target::new("team:blue", "Team", "Flag").unwrap();
    let flag = RequestDraft::new(target, flagged, importing(ActorContext::system()))
        .with_id(RequestId::new("flag-1").unwrap());
    story.add(40, flag.already_approved(), &[]);

    // Withdrawn.
    let withdrawn = draft("flag-2", "team:blue", "Team", "Flag", "Access", "erin").with_payload(payload("text/plain"));
    story.add(40, withdrawn, &[(90, Command::cancel(person("erin")))]);

    // Has an approval, but waits for something else first.
    let checked = draft("grant-4", "tenant:acme", "Tenant", "RoleGrant", "Access", "erin");
    story.add(50, checked.requires_approval(by_manager()).waiting_for(PendingReason::ExternalCheck), &[]);

    // Approved, and then stale.
    let version = |text: &str| StateVersion::new(text).unwrap();
    let stale = draft("stale-1", "tenant:acme", "Tenant", "LimitChange", "Billing", "erin");
    let stale = stale.for_version(version("v1")).requires_approval(by_mona()).with_payload(payload("application/json"));
    let resolve = Command::resolve(person("omar"), version("v2"), StaleStrategy::RevalidateOnLatestState);
    story.add(60, stale, &[(75, grant("mona", "mona")), (85, resolve)]);
    story
}
