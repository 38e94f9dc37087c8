//! Random requests, and random changes to them, out of few choices each, so that coincidences are common.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use mutator_governance::workflow::{self, Command};
use mutator_governance::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{happens, one, second, some};
use crate::play::{self, Move};

pub const STATES: [&str; 3] = ["tenant:acme", "tenant:beta", "t"];
pub const STATE_TYPES: [&str; 2] = ["Tenant", "Team"];
pub const MUTATION_TYPES: [&str; 2] = ["RoleGrant", "Limit"];
pub const CATEGORIES: [&str; 2] = ["Access", "Billing"];
pub const TAGS: [&str; 3] = ["urgent", "audit", "nightly"];
pub const PEOPLE: [&str; 5] = ["requester", "alice", "bob", "carol", "dave"];
pub const ROLES: [&str; 2] = ["manager", "owner"];
pub const GROUPS: [&str; 2] = ["security", "legal"];
pub const EFFECTS: [&str; 2] = ["MailSent", "CacheInvalidated"];
pub const CONTRACTS: [&str; 2] = ["mail/1", "cache/1"];
pub const KEYS: [&str; 2] = ["ticket", "team"];
pub const CORRELATION_IDS: [&str; 2] = ["import-7", "import-70"];
pub const CONTENT_TYPES: [&str; 2] = ["application/json", "text/plain"];
pub const RISKS: [RiskLevel; 4] = [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical];
pub const SCOPES: [BlastScope; 4] = [BlastScope::Single, BlastScope::Module, BlastScope::System, BlastScope::Global];
pub const SEVERITIES: [Severity; 4] = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];

/// Integer and float 1 are different values; so are text and integer.
pub fn values() -> Vec<Value> {
    vec![Value::Null, Value::from(1_i64), Value::from(1.0), Value::from("1")]
}

/// Makes requests and changes them, the same ones for the same seed.
pub struct Changes {
    pub rng: Rng,
    runner: TestRunner,
    numbers: u64,
}

impl Changes {
    pub fn new(seed: u64) -> Self {
        let bytes: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(32).collect();
        let source = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self { rng: Rng::with_seed(seed), runner: TestRunner::new_with_rng(Config::default(), source), numbers: 0 }
    }

    /// A request that no store has yet.
    ///
    /// Submitted by the rules and then moved on by them, or made up: stores have to take any document that is one.
    pub fn new_request(&mut self) -> MutationRequest {
        let submitted = play::submitted().new_tree(&mut self.runner).unwrap().current();
        let write_id = self.write_id();
        let mut document = submitted.into_document();
        self.describe(&mut document);
        let made_up = happens(&mut self.rng, 50);
        if made_up {
            self.make_up(&mut document);
        }
        let request = MutationRequest::from_document(document, Revision::first(write_id)).unwrap();
        if made_up { request } else { self.play_on(request) }
    }

    /// The next revision of a request, and the write that makes it.
    pub fn change(&mut self, request: MutationRequest) -> (MutationRequest, WriteId) {
        let write_id = self.write_id();
        if happens(&mut self.rng, 60) {
            return (self.play_on(request), write_id);
        }
        let revision = request.revision();
        let mut document = request.into_document();
        self.make_up(&mut document);
        (MutationRequest::from_document(document, revision).unwrap(), write_id)
    }

    fn write_id(&mut self) -> WriteId {
        WriteId::from_bytes(self.rng.u128(..).to_be_bytes())
    }

    /// What is fixed when a request is submitted.
    fn describe(&mut self, document: &mut RequestDocument) {
        self.numbers += 1;
        let rng = &mut self.rng;
        // Ids that begin with each other, and that do not come in the order of the times.
        let id = format!("{}{}", one(rng, &["r", "r!", "q", "~"]), self.numbers * 7 % 89);
        document.id = RequestId::new(format!("{id}.{}", self.numbers)).unwrap();
        if happens(rng, 30) {
            document.id =
                RequestId::new(id.clone() + &"z".repeat(rng.usize(1..60)) + &self.numbers.to_string()).unwrap();
        }
        document.target = Target::new(one(rng, &STATES), one(rng, &STATE_TYPES), one(rng, &MUTATION_TYPES)).unwrap();
        let mut intent = Intent::new("change", one(rng, &CATEGORIES)).unwrap().with_risk(one(rng, &RISKS));
        intent.blast_radius = happens(rng, 70).then(|| BlastRadius::new(one(rng, &SCOPES)));
        intent.tags = some(rng, &TAGS).into_iter().map(|tag| Tag::new(tag).unwrap()).collect();
        if happens(rng, 40) {
            intent.tags = BTreeSet::new();
        }
        intent.metadata = metadata(rng);
        document.intent = intent;
        if happens(rng, 60) {
            document.requested_by = person(rng);
        }
        document.approver_limits.distinct = happens(rng, 20);
        if happens(rng, 20) {
            document.approver_limits.excluded.insert(ActorId::new(one(rng, &PEOPLE)).unwrap());
        }
        document.payload = happens(rng, 60).then(|| Payload::new(one(rng, &CONTENT_TYPES), *b"{}").unwrap());
        document.created_at = second(rng.u64(0..4) * 50);
        document.updated_at = document.created_at;
        document.metadata = metadata(rng);
    }

    /// Anything that a later revision may change, within what makes a document.
    fn make_up(&mut self, document: &mut RequestDocument) {
        let (_, approvals) = self.drawn();
        let rng = &mut self.rng;
        document.approvals = approvals;
        for approval in &mut document.approvals {
            if happens(rng, 40) {
                approval.state = approval_state(rng);
            }
            if happens(rng, 30) {
                approval.target = approval.target.clone().or(ApprovalTarget::group(one(rng, &GROUPS)).unwrap());
            }
            if happens(rng, 20) {
                approval.target = approval.target.clone().or(ApprovalTarget::role(one(rng, &ROLES)).unwrap());
            }
        }
        document.state = state(rng);
        if document.state.awaits_approval() && document.approvals.is_empty() {
            document.state = RequestState::Created;
        }
        for _ in 0..rng.usize(0..4) {
            let decision = decision(rng, document);
            document.decisions.push(decision);
        }
        document.side_effects = (0..rng.usize(0..3)).map(|_| side_effect(rng)).collect();
        document.updated_at = second(rng.u64(0..8) * 50);
        let execution = &mut document.execution;
        execution.not_before = happens(rng, 20).then(|| second(rng.u64(0..400)));
        execution.valid_for = happens(rng, 30).then(|| Period::new(Duration::from_secs(rng.u64(1..300))).unwrap());
        execution.claim = None;
        if happens(rng, 30) {
            document.execution.claim = Some(claim(rng));
        }
        if happens(rng, 30) {
            document.metadata = metadata(rng);
        }
    }

    /// State and approvals of some request that the rules lead to.
    fn drawn(&mut self) -> (RequestState, Vec<Approval>) {
        let submitted = play::submitted().new_tree(&mut self.runner).unwrap().current();
        let played = self.play_on(submitted).into_document();
        (played.state, played.approvals)
    }

    /// Some commands by the rules; those that are rejected change nothing.
    fn play_on(&mut self, mut request: MutationRequest) -> MutationRequest {
        let moves: Vec<Move> = play::moves().new_tree(&mut self.runner).unwrap().current();
        let mut now = request.updated_at;
        for step in moves.iter().take(self.rng.usize(0..6)) {
            now = now.saturating_add(Duration::from_secs(step.seconds));
            let command: Command = play::command(&request, step, now);
            request = workflow::apply(request.clone(), &command, now).unwrap_or(request);
        }
        request
    }
}

/// What only a rule can make, as a document of a store has it.
fn claim(rng: &mut Rng) -> Claim {
    let lease = serde_json::json!({
        "id": ClaimId::from_bytes([rng.u8(..); 16]),
        "by": person(rng),
        "at": second(0),
        "lease_ends_at": second(rng.u64(0..400)),
    });
    serde_json::from_value(lease).unwrap()
}

fn person(rng: &mut Rng) -> Arc<ActorContext> {
    let actor = if happens(rng, 20) { ActorContext::system() } else { ActorContext::user(one(rng, &PEOPLE)).unwrap() };
    let mut actor = if happens(rng, 70) { actor.named(one(rng, &PEOPLE).to_uppercase()) } else { actor };
    actor.correlation_id = happens(rng, 50).then(|| one(rng, &CORRELATION_IDS).to_owned());
    actor = actor.with_roles(some(rng, &ROLES)).unwrap();
    if happens(rng, 20)
        && let Ok(acting) = actor.clone().acting_for(one(rng, &PEOPLE), "deputy")
    {
        actor = acting;
    }
    Arc::new(actor)
}

fn metadata(rng: &mut Rng) -> Metadata {
    let pairs = (0..rng.usize(0..3)).map(|_| (one(rng, &KEYS), one(rng, &values()))).collect::<Vec<_>>();
    pairs.into_iter().fold(Metadata::new(), |metadata, (key, value)| metadata.with(key, value).unwrap())
}

fn state(rng: &mut Rng) -> RequestState {
    let pending = |rng: &mut Rng, reason| {
        let expires_at = happens(rng, 40).then(|| second(rng.u64(0..400)));
        RequestState::Pending(Pending { reason, expires_at })
    };
    match rng.u8(..10) {
        0..4 => pending(rng, PendingReason::Approval),
        4..6 => {
            let reason = one(rng, &PendingReason::ALL);
            pending(rng, reason)
        }
        6 => RequestState::Approved,
        7 => RequestState::Executed { at: second(9), resulting_version: None },
        _ => one(
            rng,
            &[
                RequestState::Created,
                RequestState::Rejected,
                RequestState::Canceled,
                RequestState::Expired,
                RequestState::Superseded { by: RequestId::new("other").unwrap() },
            ],
        ),
    }
}

fn approval_state(rng: &mut Rng) -> ApprovalState {
    let cause = Cause::new(person(rng), second(rng.u64(0..300)), None);
    match rng.u8(..5) {
        4 => ApprovalState::Approved(vote(rng)),
        0 => ApprovalState::Satisfied(cause),
        1 => ApprovalState::Expired(cause),
        _ => ApprovalState::Pending,
    }
}

/// Of some request that the rules lead to, by another.
fn vote(rng: &mut Rng) -> Verdict {
    let mut runner = TestRunner::deterministic();
    loop {
        let request = play::submitted().new_tree(&mut runner).unwrap().current();
        let by = person(rng);
        let command = Command::approve(Arc::new(ActorContext::user("bob").unwrap()));
        let Ok(voted) = workflow::apply(request, &command, second(0)) else { continue };
        let verdict = voted.approvals.iter().find_map(|approval| approval.state.verdict().cloned());
        if let Some(mut verdict) = verdict {
            (verdict.by, verdict.at) = (by, second(rng.u64(0..300)));
            return verdict;
        }
    }
}

fn decision(rng: &mut Rng, document: &RequestDocument) -> Decision {
    let kinds: Vec<DecisionKind> = DecisionKind::all().collect();
    let mut decision = document.decisions[0].clone();
    decision.kind = one(rng, &kinds);
    decision.by = person(rng);
    decision.at = second(rng.u64(0..6) * 50);
    decision
}

fn side_effect(rng: &mut Rng) -> SideEffect {
    let effect = SideEffect::new(one(rng, &EFFECTS), "", one(rng, &SEVERITIES), second(4)).unwrap();
    let contract = happens(rng, 60).then(|| ContractId::new(one(rng, &CONTRACTS)).unwrap());
    let effect = effect.with_data(Metadata::new(), contract);
    if happens(rng, 40) { effect.requiring_action() } else { effect }
}
