//! Requests as a live system holds them: from a seed and a number, so that every column and every run sees the same ones.
//!
//! Each has three approvals in two steps and a payload; it was submitted and decided by the rules of the workflow. Histories
//! that grew longer than five decisions are cut to their first and their last four.

#![allow(dead_code, unreachable_pub, reason = "each benchmark uses another part of this module")]
#![allow(clippy::unwrap_used, reason = "what is generated is valid, or the benchmark is wrong")]

mod people;

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use mutator_governance::workflow::{self, Command, Completion};
use mutator_governance::*;
use people::{choose, person};

pub use people::manager_role;

/// How many states the requests are about.
pub const STATES: u64 = 1_000;
/// How many actors file and decide them.
pub const ACTORS: u64 = 200;
/// Of this many requests in a row, the first [`WAITING`] wait for approval.
pub const CYCLE: u64 = 100;
/// See [`CYCLE`].
pub const WAITING: u64 = 8;
/// Half of all requests have this tag.
pub const COMMON_TAG: &str = "routine";
/// This actor submits every twentieth request.
pub const BUSY_ACTOR: &str = "user-0000";

const SEED: u64 = 0x6d75_7461_746f_7221;
const FIRST_FILED: u64 = 1_767_225_600_000_000;
const SECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600 * SECOND;
const DECISIONS: usize = 5;

/// The request with this number. Its number alone says where it stands.
pub fn request(number: u64) -> MutationRequest {
    let (submitted, mut rng) = submit(number);
    let stands = number % CYCLE;
    let ended = match stands {
        0..3 => submitted,
        3..6 => grant(submitted, number, 2, &mut rng),
        6..WAITING => grant(submitted, number, 1, &mut rng),
        WAITING..12 => held(number, &mut rng),
        12..14 => grant(submitted, number, 3, &mut rng),
        14..80 => executed(grant(submitted, number, 3, &mut rng), number, &mut rng),
        80..88 => rejected(grant(submitted, number, 1, &mut rng), number),
        88..94 => then(submitted, 5, Command::cancel),
        94..98 => then(submitted, 200, Command::expire),
        _ => then(submitted, 6, |by| Command::supersede(by, id(number + 1, filed_at(number + 1)))),
    };
    shortened(ended)
}

/// A request that has two of its three approvals, and five decisions; as a store gives it out, which knows them.
pub fn almost_approved(number: u64) -> MutationRequest {
    let (submitted, mut rng) = submit(number);
    let request = grant(submitted, number, 2, &mut rng);
    let revision = request.revision();
    request.at_revision(revision)
}

/// The same request with its last approval, which approves it.
pub fn approved(request: &MutationRequest) -> MutationRequest {
    grant_one(request.clone(), 3, time(request.updated_at.as_micros() + HOUR), 77)
}

/// The requests, of those below `count`, that have two of their approvals.
pub fn almost_approved_below(count: u64) -> impl Iterator<Item = MutationRequest> {
    (0..count).filter(|number| (3..6).contains(&(number % CYCLE))).map(request)
}

fn submit(number: u64) -> (MutationRequest, Rng) {
    let mut rng = Rng::with_seed(SEED ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let filed_at = filed_at(number);
    let actor = if number % 20 == 7 { 0 } else { rng.u64(..ACTORS) };
    let by = person(actor, "developer", "Needed for the work of this quarter", filed_at);
    let submitted = |draft| workflow::submit(draft, id(number, filed_at), write_id(number), time(filed_at)).unwrap();
    (submitted(draft(number, by, filed_at, &mut rng)), rng)
}

fn draft(number: u64, by: Arc<ActorContext>, filed_at: u64, rng: &mut Rng) -> RequestDraft {
    let state = rng.u64(..STATES);
    let target = Target::new(
        format!("tenant:customer-{state:04}"),
        choose(&["Tenant", "Project", "Ledger", "Cluster", "Contract"], state),
        choose(&["RoleGrant", "RoleRevoke", "LimitChange", "PlanChange", "KeyRotation"], rng.u64(..)),
    );
    let expires = time(filed_at + 200 * 24 * HOUR);
    let rule = |target, step, words: &str| {
        ApprovalRule::of(target).at_step(Step::new(step).unwrap()).described_as(words).expiring_at(expires)
    };
    let department = number / CYCLE % 20;
    let security = ApprovalTarget::role("security-officer").unwrap();
    let owners = ApprovalTarget::group(format!("owners-{}", state % 50)).unwrap();
    let body = format!(r#"{{"grant":"billing-admin","to":"user-{:04}","state":{state}}}"#, rng.u64(..ACTORS));
    RequestDraft::new(target.unwrap(), intent(number, rng), by)
        .with_payload(Payload::new("application/json", body.into_bytes()).unwrap())
        .for_version(StateVersion::new(format!("v{}", rng.u32(1..400))).unwrap())
        .requires_approval(rule(ApprovalTarget::role(manager_role(department)).unwrap(), 1, "The manager agrees"))
        .requires_approval(rule(security, 2, "Security has no objection"))
        .requires_approval(rule(owners, 2, "The owner of the state agrees"))
        .with_metadata(
            Metadata::new()
                .with("ticket", format!("OPS-{number}"))
                .and_then(|metadata| metadata.with("cost_center", i64::from(rng.u16(..400))))
                .and_then(|metadata| metadata.with("urgent", rng.bool()))
                .unwrap(),
        )
}

fn intent(number: u64, rng: &mut Rng) -> Intent {
    let categories = ["Access", "Billing", "Operations", "Data", "Security"];
    let risks = [RiskLevel::Low, RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical];
    let scopes = [BlastScope::Single, BlastScope::Single, BlastScope::Module, BlastScope::System];
    let intent = Intent::new("change-grants", choose(&categories, rng.u64(..)))
        .unwrap()
        .described_as(format!("Change what customer {number} may do during the migration of the invoices"))
        .with_risk(risks[rng.usize(..risks.len())])
        .with_blast_radius(BlastRadius::new(scopes[rng.usize(..scopes.len())]).affecting(rng.u64(1..500)));
    let tag = if rng.bool() { COMMON_TAG.to_owned() } else { format!("project-{}", rng.u8(..40)) };
    let tags = [tag, format!("team-{}", rng.u8(..20)), format!("quarter-{}", number % 4)];
    tags.into_iter().fold(intent, |intent, tag| intent.with_tag(tag).unwrap())
}

/// Waits for something else than approval.
fn held(number: u64, rng: &mut Rng) -> MutationRequest {
    let filed_at = filed_at(number);
    let by = person(rng.u64(..ACTORS), "developer", "Waits for its turn", filed_at);
    let reasons = [PendingReason::Schedule, PendingReason::ExternalCheck, PendingReason::Quota];
    let draft = draft(number, by, filed_at, rng).waiting_for(reasons[rng.usize(..reasons.len())]);
    workflow::submit(draft, id(number, filed_at), write_id(number), time(filed_at)).unwrap()
}

fn grant(request: MutationRequest, number: u64, approvals: u64, rng: &mut Rng) -> MutationRequest {
    let filed_at = request.created_at.as_micros();
    (1..=approvals).fold(request, |request, place| {
        let at = time(filed_at + place * HOUR + rng.u64(..HOUR));
        grant_one(request, place, at, number.wrapping_add(place) % 50 + 100)
    })
}

fn grant_one(request: MutationRequest, place: u64, at: Timestamp, actor: u64) -> MutationRequest {
    let approval = ApprovalId::new(format!("approval-{place}")).unwrap();
    let by = approver(&request, &approval, actor, at);
    workflow::apply(request, &Command::approve_requirement(by, approval), at).unwrap()
}

fn rejected(request: MutationRequest, number: u64) -> MutationRequest {
    let at = time(request.created_at.as_micros() + 9 * HOUR);
    let approval = ApprovalId::new("approval-2").unwrap();
    let by = approver(&request, &approval, number % 50 + 100, at);
    let command = Command::reject_requirement(by, approval, Some(Rejection::new("policy", "not before the audit")));
    workflow::apply(request, &command, at).unwrap()
}

fn approver(request: &MutationRequest, approval: &ApprovalId, actor: u64, at: Timestamp) -> ActorContext {
    let target = &request.approvals.iter().find(|candidate| candidate.id == *approval).unwrap().target;
    let mut by = (*person(actor, "employee", "Agreed with the team on Monday", at.as_micros())).clone();
    by.id = Some(ActorId::new(format!("approver-{actor:04}")).unwrap());
    by.roles.extend(target.roles().iter().cloned());
    by.groups.extend(target.groups().iter().cloned());
    by
}

fn executed(request: MutationRequest, number: u64, rng: &mut Rng) -> MutationRequest {
    let claim = ClaimId::from_bytes(*write_id(!number).as_bytes());
    let lease = Duration::from_secs(60);
    let request = then(request, 12, |by| Command::claim(by, claim, lease));
    let version = StateVersion::new(format!("v{}", rng.u32(400..800))).unwrap();
    then(request, 13, |by| Command::complete(by, claim, Completion::new().resulting_in(version)))
}

fn then(request: MutationRequest, hours: u64, command: impl FnOnce(Arc<ActorContext>) -> Command) -> MutationRequest {
    // A claim lasts a minute, so its completion comes seconds after it.
    let at = request.created_at.as_micros() + hours.min(12) * HOUR + hours * SECOND;
    let by = person(199, "operator", "As planned", at);
    workflow::apply(request, &command(by), time(at)).unwrap()
}

fn shortened(request: MutationRequest) -> MutationRequest {
    if request.decisions.len() <= DECISIONS {
        return request;
    }
    let revision = request.revision();
    let mut document = request.into_document();
    document.decisions.drain(1..document.decisions.len() - (DECISIONS - 1));
    MutationRequest::from_document(document, revision).unwrap()
}

fn id(number: u64, filed_at: u64) -> RequestId {
    let millis = filed_at / 1_000;
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let text = format!(
        "{:08x}-{:04x}-7{:03x}-a{:03x}-{:012x}",
        millis >> 16,
        millis & 0xffff,
        number & 0xfff,
        random & 0xfff,
        random >> 16
    );
    RequestId::new(text).unwrap()
}

fn write_id(number: u64) -> WriteId {
    let mut rng = Rng::with_seed(SEED ^ number);
    WriteId::from_bytes(rng.u128(..).to_be_bytes())
}

fn filed_at(number: u64) -> u64 {
    FIRST_FILED + number * 7 * SECOND
}

fn time(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}
