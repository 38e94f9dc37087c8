//! A week at a small company: the requests of its people, and their decisions.

use std::time::Duration;

use mutator_governance::workflow::{Command, Completion};
use mutator_governance::{
    ActorContext, ApprovalId, ApprovalRule, ApprovalTarget, BlastRadius, BlastScope, ClaimId, Intent, Pending,
    PendingReason, RequestDraft, RequestId, RiskLevel, Severity, SideEffect, Target, Timestamp,
};

use crate::support::Result;

/// An event and its time.
pub struct Event {
    pub at: Timestamp,
    pub what: What,
}

/// An event.
pub enum What {
    Submitted(Box<RequestDraft>),
    Did(RequestId, Command),
}

/// `hour:minute` on a day of the first week of March 2026; the 2nd is a Monday.
pub fn on(day: u64, hour: u64, minute: u64) -> Timestamp {
    let march = Duration::from_secs(492_312 * 60 * 60);
    let into_it = Duration::from_secs((((day - 1) * 24 + hour) * 60 + minute) * 60);
    Timestamp::MIN.saturating_add(march + into_it)
}

/// The person with this id.
pub fn person(id: &str) -> Result<ActorContext> {
    let person = ActorContext::user(id)?;
    Ok(match id {
        "rita" => person.named("Rita").with_role("manager")?,
        "mona" => person.named("Mona").with_role("manager")?,
        "sam" => person.named("Sam").with_group("security")?,
        "erin" => person.named("Erin"),
        "omar" => person.named("Omar").with_role("board")?,
        _ => person.named("Nils").with_role("board")?,
    })
}

/// All events, in order.
pub fn week() -> Result<Vec<Event>> {
    let mut week = Vec::new();
    let manager =
        || -> Result<ApprovalRule> { Ok(ApprovalRule::role("manager")?.with_id(ApprovalId::new("manager")?)) };
    let security =
        || -> Result<ApprovalRule> { Ok(ApprovalRule::group("security")?.with_id(ApprovalId::new("security")?)) };

    let change = draft("role-097", "tenant:acme", "grant auditor to erin", "Access", RiskLevel::Medium, "erin")?;
    submitted(&mut week, on(2, 8, 30), change.requires_approval(manager()?));
    granted(&mut week, on(2, 9, 5), "role-097", "mona", "manager", "the audit begins on Wednesday")?;
    executed(&mut week, on(2, 9, 20), "role-097", "rita")?;

    let change = draft("limit-041", "tenant:beta", "raise credit limit", "Billing", RiskLevel::Critical, "erin")?;
    submitted(&mut week, on(2, 10, 0), change.requires_approval(manager()?));
    let why = person("rita")?.because("two invoices of beta are overdue");
    did(&mut week, on(2, 16, 45), "limit-041", Command::reject_requirement(why, ApprovalId::new("manager")?, None))?;

    let change = draft("role-101", "tenant:acme", "grant billing-admin to erin", "Access", RiskLevel::High, "rita")?;
    submitted(&mut week, on(3, 9, 15), change.requires_approval(manager()?).requires_approval(security()?));
    granted(&mut week, on(3, 11, 40), "role-101", "mona", "manager", "Erin takes over billing")?;

    let board = [ApprovalTarget::actor("omar")?, ApprovalTarget::actor("nils")?, ApprovalTarget::group("security")?];
    let board = ApprovalRule::quorum("board", 2, board)?.with_id(ApprovalId::new("board")?).expiring_at(on(6, 12, 0));
    let change = draft("limit-044", "tenant:gamma", "lift payout limit", "Billing", RiskLevel::Critical, "mona")?;
    submitted(&mut week, on(3, 14, 0), change.requires_approval(board));
    granted(&mut week, on(3, 15, 10), "limit-044", "nils", "board-2", "gamma has paid its deposit")?;

    let change = draft("flag-310", "feature:checkout", "turn on for everybody", "Release", RiskLevel::Low, "erin")?;
    let saturday = Pending { reason: PendingReason::Schedule, expires_at: Some(on(7, 6, 0)) };
    submitted(&mut week, on(4, 8, 0), change.waiting_for(saturday));

    let change = draft("key-512", "service:signing", "rotate signing key", "Access", RiskLevel::High, "sam")?;
    submitted(&mut week, on(4, 9, 30), change.requires_approval(manager()?));
    granted(&mut week, on(4, 9, 50), "key-512", "rita", "manager", "due every quarter")?;

    let change = draft("role-102", "tenant:acme", "grant support to nils", "Access", RiskLevel::Low, "mona")?;
    submitted(&mut week, on(4, 11, 0), change.requires_approval(manager()?));
    let change = draft("role-103", "tenant:beta", "grant owner to nils", "Access", RiskLevel::High, "omar")?;
    submitted(&mut week, on(4, 11, 0), change.requires_approval(security()?));
    let change = draft("role-099", "tenant:acme", "grant owner to erin", "Access", RiskLevel::High, "erin")?;
    submitted(&mut week, on(4, 13, 0), change.requires_approval(manager()?));
    let why = person("erin")?.because("billing-admin is enough");
    did(&mut week, on(4, 13, 20), "role-099", Command::cancel(why))?;
    Ok(week)
}

fn draft(id: &str, state: &str, operation: &str, category: &str, risk: RiskLevel, by: &str) -> Result<RequestDraft> {
    let (kind, _) = state.split_once(':').ok_or("a state has a kind")?;
    let mut intent = Intent::new(operation, category)?.with_risk(risk);
    if risk == RiskLevel::Critical {
        intent = intent.with_blast_radius(BlastRadius::new(BlastScope::System));
    }
    let target = Target::new(state, kind, category)?;
    Ok(RequestDraft::new(target, intent, person(by)?).with_id(RequestId::new(id)?))
}

fn submitted(week: &mut Vec<Event>, at: Timestamp, draft: RequestDraft) {
    week.push(Event { at, what: What::Submitted(Box::new(draft)) });
}

fn did(week: &mut Vec<Event>, at: Timestamp, id: &str, command: Command) -> Result<()> {
    week.push(Event { at, what: What::Did(RequestId::new(id)?, command) });
    Ok(())
}

fn granted(week: &mut Vec<Event>, at: Timestamp, id: &str, by: &str, approval: &str, why: &str) -> Result<()> {
    did(week, at, id, Command::approve_requirement(person(by)?.because(why), ApprovalId::new(approval)?))
}

fn executed(week: &mut Vec<Event>, at: Timestamp, id: &str, by: &str) -> Result<()> {
    let claim = ClaimId::generate();
    did(week, at, id, Command::claim(person(by)?, claim, Duration::from_secs(60)))?;
    let mail = SideEffect::new("MailSent", "told the tenant's owner", Severity::Info, at)?;
    did(week, at, id, Command::complete(person(by)?, claim, Completion::new().with_side_effect(mail)))
}
