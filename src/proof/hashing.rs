//! What is hashed of a request: what was submitted, what an amendment can change, and each decision.

use sha2::{Digest as _, Sha256};

use super::canonical::Canonical;
use crate::request::{
    ActorContext, ActorMode, Decision, Digest, DiscussionDecision, ExecutionKind, LifecycleDecision, RequestDocument,
    Salt, Value, metadata_keys,
};

const SUBMISSION: [u8; 4] = *b"mgS1";
const CONTENT: [u8; 4] = *b"mgC1";
const DECISION: [u8; 4] = *b"mgD1";
const PERSONAL: [u8; 4] = *b"mgP1";
const NONCE: [u8; 4] = *b"mgN1";
const WITH_COMMITMENT: [u8; 4] = *b"mgL1";
const HEAD: [u8; 4] = *b"mgH1";

pub(super) type Hash = [u8; 32];

/// What an amendment can change, and who may not approve: the payload, the description, the metadata, the limits.
pub(crate) fn content_hash(document: &RequestDocument, payload_hash: Option<Hash>) -> Digest {
    let mut bytes = Canonical::of(CONTENT);
    if let Some(payload) = &document.payload {
        bytes.field(1, payload.content_type().as_bytes());
        let hash = payload_hash.unwrap_or_else(|| Sha256::digest(payload.bytes()).into());
        bytes.field(2, &hash);
    }
    bytes.text(3, document.intent.description.as_deref());
    bytes.metadata(4, &document.metadata, |_| false);
    if document.approver_limits.distinct {
        bytes.field(5, &[1]);
    }
    bytes.texts(6, &document.approver_limits.excluded);
    Digest::from_bytes(hash(&bytes))
}

/// What was submitted, and stays as it is as long as the request exists. `content` is the content at that time.
pub(super) fn submission_hash(document: &RequestDocument, content: Digest, first: u32, salt: Option<Salt>) -> Hash {
    let RequestDocument { id, target, intent, participants, execution, .. } = document;
    let mut bytes = Canonical::of(SUBMISSION);
    bytes.field(1, id.as_str().as_bytes());
    bytes.field(2, target.state_id.as_str().as_bytes());
    bytes.field(3, target.state_type.as_str().as_bytes());
    bytes.field(4, target.mutation_type.as_str().as_bytes());
    bytes.number(5, document.created_at.as_micros());
    bytes.field(6, intent.operation.as_str().as_bytes());
    bytes.field(7, intent.category.as_str().as_bytes());
    bytes.field(8, intent.risk.to_string().as_bytes());
    if !intent.reversible {
        bytes.field(9, &[1]);
    }
    if let Some(radius) = &intent.blast_radius {
        bytes.field(10, radius.scope.to_string().as_bytes());
        if let Some(count) = radius.estimated_count {
            bytes.number(11, count);
        }
        bytes.text(12, radius.description.as_deref());
    }
    bytes.texts(13, &intent.tags);
    bytes.time(14, intent.created_at);
    bytes.metadata(15, &intent.metadata, |_| false);
    actor(&mut bytes, &document.requested_by);
    bytes.texts(30, &participants.actor_ids);
    bytes.texts(31, &participants.roles);
    bytes.texts(32, &participants.groups);
    if let ExecutionKind::Compensation(plan) = &execution.kind {
        bytes.field(33, plan.compensates.as_str().as_bytes());
        bytes.field(34, plan.kind.as_str().as_bytes());
        bytes.field(35, plan.trigger.as_str().as_bytes());
        bytes.text(36, plan.batch.as_ref().map(AsRef::as_ref));
        bytes.texts(37, &plan.related);
        bytes.text(38, plan.description.as_deref());
    }
    if let Some(resubmits) = &execution.resubmits {
        bytes.field(39, resubmits.request.as_str().as_bytes());
    }
    if let Some(period) = execution.valid_for {
        bytes.number(40, period.as_micros());
    }
    if let Some(retry) = execution.retry {
        bytes.number(41, retry.attempts().into());
        bytes.number(42, retry.first_pause().as_micros());
        bytes.number(43, retry.longest_pause().as_micros());
    }
    bytes.text(44, document.unique_key.as_ref().map(AsRef::as_ref));
    if first > 0 {
        bytes.number(50, first.into());
    }
    bytes.field(51, content.as_bytes());
    with_commitment(&bytes, &personal_of_actor(&document.requested_by), salt)
}

/// What was decided, by whom, when, about what. Personal fields enter as a commitment.
pub(super) fn decision_hash(decision: &Decision, salt: Option<Salt>) -> Hash {
    let is_comment = decision.kind == DiscussionDecision::Commented.into();
    let is_personal = |key: &str| key == metadata_keys::MESSAGE || is_comment && key == metadata_keys::TEXT;
    let mut bytes = Canonical::of(DECISION);
    bytes.field(1, decision.kind.with_category().as_bytes());
    bytes.number(2, decision.at.as_micros());
    bytes.metadata(3, &decision.metadata, is_personal);
    actor(&mut bytes, &decision.by);
    let mut personal = personal_of_actor(&decision.by);
    personal.text(10, decision.reason.as_deref());
    if !decision.metadata.is_empty() {
        personal.metadata(11, &decision.metadata, |key| !is_personal(key));
    }
    with_commitment(&bytes, &personal, salt)
}

/// The head after one more hash.
pub(super) fn next_head(head: &Hash, of_decision: &Hash) -> Hash {
    Sha256::new().chain_update(HEAD).chain_update(head).chain_update(of_decision).finalize().into()
}

/// The fields that say who acted, as what; numbers 20 to 29.
fn actor(bytes: &mut Canonical, actor: &ActorContext) {
    bytes.field(20, actor.kind.as_str().as_bytes());
    bytes.text(21, actor.id.as_ref().map(AsRef::as_ref));
    bytes.texts(22, &actor.roles);
    bytes.texts(23, &actor.groups);
    bytes.text(
        24,
        match actor.mode {
            ActorMode::Commit => None,
            ActorMode::Simulate => Some("Simulate"),
            ActorMode::Validate => Some("Validate"),
        },
    );
    bytes.text(25, actor.correlation_id.as_deref());
    bytes.text(26, actor.causation_id.as_deref());
    bytes.time(27, actor.at);
    bytes.text(28, actor.acting_for.as_ref().map(|acting| acting.id.as_str()));
}

/// What somebody may have a right to have erased; numbers 1 to 9.
fn personal_of_actor(actor: &ActorContext) -> Canonical {
    let mut bytes = Canonical::of(PERSONAL);
    bytes.text(1, actor.name.as_deref());
    bytes.text(2, actor.reason.as_deref());
    bytes.text(3, actor.session_id.as_deref());
    bytes.text(4, actor.source_address.as_deref());
    bytes.text(5, actor.user_agent.as_deref());
    bytes.text(6, actor.time_zone.as_deref());
    bytes.text(7, actor.culture.as_deref());
    bytes.metadata(8, &actor.metadata, |_| false);
    bytes.text(9, actor.acting_for.as_ref().map(|acting| acting.grounds.as_str()));
    bytes
}

/// The hash of what is public, with a commitment to personal fields if there are any. The nonce of the commitment is derived
/// from the salt of the request and from what is public, so that one nonce can be kept or dropped without the others, wherever
/// the decision stands.
fn with_commitment(public: &Canonical, personal: &Canonical, salt: Option<Salt>) -> Hash {
    let public = hash(public);
    if personal.is_empty(PERSONAL) {
        return public;
    }
    let nonce: Hash = match salt {
        Some(Salt(salt)) => Sha256::new().chain_update(NONCE).chain_update(salt).chain_update(public).finalize().into(),
        None => [0; 32],
    };
    let commitment = Sha256::new().chain_update(nonce).chain_update(personal.as_bytes()).finalize();
    Sha256::new().chain_update(WITH_COMMITMENT).chain_update(public).chain_update(commitment).finalize().into()
}

fn hash(bytes: &Canonical) -> Hash {
    Sha256::digest(bytes.as_bytes()).into()
}

/// The content that decisions from `first` on began with: what the first amendment replaced, or what is there.
pub(super) fn content_at_first(document: &RequestDocument, first: usize) -> Option<Digest> {
    let mut chained = document.decisions.iter().skip(first);
    match chained.find(|decision| is_amendment(decision)) {
        Some(decision) => digest_under(decision, metadata_keys::PREVIOUS_CONTENT),
        None => Some(content_hash(document, None)),
    }
}

/// The content that the last amendment made; `None` if there was none.
pub(super) fn content_at_last(document: &RequestDocument) -> Option<Digest> {
    let last = document.decisions.iter().rev().find(|decision| is_amendment(decision))?;
    digest_under(last, metadata_keys::CONTENT)
}

/// Only these: whoever rejects an approval gives metadata under keys of their own.
fn is_amendment(decision: &Decision) -> bool {
    decision.kind == LifecycleDecision::Amended.into()
}

fn digest_under(decision: &Decision, key: &str) -> Option<Digest> {
    match decision.metadata.get(key) {
        Some(Value::Text(text)) => text.parse().ok(),
        _ => None,
    }
}
