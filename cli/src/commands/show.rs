//! `show`: all that a request is.

use clap::Args;
use mutator_governance::workflow::explain;
use mutator_governance::{
    Approval, ApprovalState, Decision, Error, ExecutionKind, MutationRequest, RequestId, SideEffect, Timestamp,
    Tombstone,
};

use super::list::change;
use super::timeline::{about, actor};
use crate::failure::Failure;
use crate::session::Session;
use crate::text;

#[derive(Args)]
pub(crate) struct Show {
    /// The request
    id: RequestId,

    /// Prints its payload alone, byte for byte unless on a terminal
    #[arg(long, conflicts_with = "json")]
    payload: bool,
}

impl Show {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let governance = session.reading()?;
        let request = match governance.get(&self.id) {
            Err(Error::Removed(tombstone)) => return removed(session, &tombstone),
            found => found?.ok_or_else(|| Error::not_found(self.id.clone()))?,
        };
        if self.payload {
            return match &request.payload {
                Some(payload) => session.bytes(payload.bytes()),
                None => Err(Failure::NotFound(format!("request {} has no payload", request.id))),
            };
        }
        if session.is_json() {
            return session.json(&request);
        }
        session.print(whole(&request, governance.clock().now()))
    }
}

/// What stays of it is shown, and yet the call fails: there is no request.
fn removed(session: &mut Session, tombstone: &Tombstone) -> Result<(), Failure> {
    if session.is_json() {
        session.json(tombstone)?;
    } else {
        session.print(super::remove::whole(tombstone))?;
    }
    Err(Failure::NotFound(format!("request {} was removed; only its tombstone is left", tombstone.id)))
}

/// A request for people.
pub(super) fn whole(request: &MutationRequest, now: Timestamp) -> String {
    let mut shown = text::fields(head(request, now));
    let mut section = |title: &str, table: String| {
        shown.push('\n');
        shown.push_str(title);
        shown.push('\n');
        shown.push_str(&table);
    };
    if !request.approvals.is_empty() {
        let rows = request.approvals.iter().map(approval).collect();
        section("Approvals", text::table(&["APPROVAL", "STEP", "WHO", "STATUS", "BY", "TIME (UTC)"], rows));
    }
    let rows = request.decisions.iter().map(decision).collect();
    section("Timeline", text::table(&["TIME (UTC)", "DECISION", "BY", "ABOUT"], rows));
    if !request.side_effects.is_empty() {
        let rows = request.side_effects.iter().map(side_effect).collect();
        section("Side effects", text::table(&["TIME (UTC)", "SEVERITY", "TYPE", "DESCRIPTION"], rows));
    }
    shown
}

fn head(request: &MutationRequest, now: Timestamp) -> Vec<(&'static str, String)> {
    let (target, intent) = (&request.target, &request.intent);
    let version = request.versioning.expected.as_ref();
    let tags: Vec<String> = intent.tags.iter().map(ToString::to_string).collect();
    let or_nothing = |text: Option<String>| text.unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map(text::time).unwrap_or_default();
    vec![
        ("request", format!("{}, revision {}", request.id, request.revision().number)),
        ("change", change(request)),
        ("purpose", or_nothing(intent.description.clone())),
        ("now", format!("{}: {}", request.state.status(), explain(request, now))),
        ("submitted", format!("{} by {}", text::time(request.created_at), actor(&request.requested_by))),
        ("changed", text::time(request.updated_at)),
        ("target", format!("{} of type {}, by {}", target.state_id, target.state_type, target.mutation_type)),
        ("written for", or_nothing(version.map(|version| format!("version {version}")))),
        ("category", intent.category.to_string()),
        ("risk", risk(request)),
        ("tags", tags.join(", ")),
        ("payload", or_nothing(payload(request))),
        ("not before", time(request.execution.not_before)),
        ("compensates", compensates(request)),
        ("executing", or_nothing(claim(request))),
    ]
}

fn risk(request: &MutationRequest) -> String {
    let intent = &request.intent;
    let reversible = if intent.reversible { "reversible" } else { "not reversible" };
    let radius = intent.blast_radius.as_ref().map(|radius| format!(", reaches {}", radius.scope));
    format!("{}, {reversible}{}", intent.risk, radius.unwrap_or_default())
}

fn payload(request: &MutationRequest) -> Option<String> {
    let payload = request.payload.as_ref()?;
    let size = text::bytes(payload.bytes().len() as u64);
    Some(format!("{} of {}, digest {}", size, payload.content_type(), request.digest()))
}

fn compensates(request: &MutationRequest) -> String {
    match &request.execution.kind {
        ExecutionKind::Compensation(plan) => format!("{} by {}", plan.compensates, plan.kind.as_str()),
        ExecutionKind::Standard => String::new(),
    }
}

fn claim(request: &MutationRequest) -> Option<String> {
    let claim = request.execution.claim.as_ref()?;
    let (since, until) = (text::time(claim.at), text::time(claim.lease_ends_at));
    Some(format!("claimed by {} at {since}, until {until}", actor(&claim.by)))
}

fn approval(approval: &Approval) -> Vec<String> {
    let verdict = approval.state.verdict().map(|verdict| (&verdict.by, verdict.at));
    let cause = approval.state.cause().map(|cause| (&cause.by, cause.at));
    let (by, at) = verdict.or(cause).map(|(by, at)| (actor(by), text::time(at))).unwrap_or_default();
    let expires = match (&approval.state, approval.expires_at) {
        (ApprovalState::Pending, Some(expires_at)) => format!("until {}", text::time(expires_at)),
        _ => at,
    };
    let who = match &approval.quorum {
        Some(quorum) => format!("{} ({} of {})", approval.target, quorum.required, quorum.group),
        None => approval.target.to_string(),
    };
    let (id, step) = (approval.id.to_string(), approval.step.to_string());
    vec![id, step, who, approval.state.status().as_str().to_owned(), by, expires]
}

fn decision(decision: &Decision) -> Vec<String> {
    vec![text::time(decision.at), decision.kind.to_string(), actor(&decision.by), about(decision)]
}

fn side_effect(effect: &SideEffect) -> Vec<String> {
    let action = if effect.requires_action() { " (requires action)" } else { "" };
    let described = format!("{}{action}", effect.description());
    vec![text::time(effect.at()), effect.severity().to_string(), effect.effect_type().to_owned(), described]
}
