//! Reads a body into the domain types, part by part, in the order of `write`.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::actors::Actor;
use super::links::{self, Links};
use super::reader::{Failed, Reader, is_before};
use super::{approval_parts, chain, charge, retries, timing};
use crate::request::{
    ActingFor, ActorContext, Approval, ApprovalState, ApprovalTarget, ApproverLimits, BlastRadius, Cause, Claim,
    ClaimId, CompensationPlan, Decision, Execution, ExecutionKind, IdComparison, Intent, Metadata, Participants,
    Payload, Pending, Quorum, Rejection, RequestDocument, RequestState, Requirement, SideEffect, Step, Supersession,
    Target, UniqueKey, Value, Verdict, Versioning, metadata_key,
};
use crate::stored_format::Budget;
use crate::stored_format::gates::Field;

pub(super) type In<'r, 'a> = &'r mut Reader<'a>;
pub(super) type Read<T> = Result<T, Failed>;

// The fields of a literal are read in the order of the source, which is the order of the format and not of the type.
pub(super) fn document(input: In<'_, '_>) -> Read<RequestDocument> {
    let rare;
    Ok(RequestDocument {
        id: input.name()?,
        target: Target { state_id: input.name()?, state_type: input.name()?, mutation_type: input.name()? },
        created_at: input.time()?,
        updated_at: input.time()?,
        state: state(input)?,
        versioning: Versioning { expected: input.optional_name()?, reviewed: input.optional_name()? },
        requested_by: actor(input)?,
        intent: intent(input)?,
        payload: {
            let has_payload;
            (has_payload, rare) = rare_parts_and_payload(input)?;
            if has_payload { Some(payload(input)?) } else { None }
        },
        requirements: list(input, charge::REQUIREMENT, requirement)?,
        approval_round: input.small_number("approval round")?,
        approvals: list(input, charge::APPROVAL, approval)?,
        decisions: list(input, charge::DECISION, decision)?,
        side_effects: list(input, charge::SIDE_EFFECT, side_effect)?,
        execution: execution(input)?,
        metadata: metadata(input)?,
        approver_limits: rare.approver_limits,
        participants: rare.participants,
        unique_key: rare.unique_key,
        chain: rare.chain.map(|bytes| chain::read(input, bytes)).transpose()?,
        id_comparison: IdComparison::default(),
    })
}

/// The rare parts of a document, each empty if it is not there.
#[derive(Default)]
pub(super) struct RareParts<'a> {
    pub(super) approver_limits: ApproverLimits,
    participants: Participants,
    unique_key: Option<UniqueKey>,
    /// As it is stored: rows do not show it.
    chain: Option<&'a [u8]>,
}

/// Whether a payload follows, and the rare parts before it.
pub(super) fn rare_parts_and_payload<'a>(input: In<'_, 'a>) -> Read<(bool, RareParts<'a>)> {
    let rare = [Field::ApproverLimits, Field::UniqueKey, Field::Participants, Field::Chain];
    let (byte, extras) = input.byte_and(&rare)?;
    if byte > 1 {
        return Err(input.fail(format!("{byte} is neither true nor false")));
    }
    let mut rare = RareParts::default();
    if extras.has(Field::ApproverLimits) {
        let limits = &mut rare.approver_limits;
        (limits.distinct, limits.excluded) = (input.flag()?, input.names()?);
    }
    if extras.has(Field::UniqueKey) {
        rare.unique_key = Some(input.name()?);
    }
    if extras.has(Field::Participants) {
        let named = &mut rare.participants;
        (named.actor_ids, named.roles, named.groups) = (input.names()?, input.names()?, input.names()?);
    }
    if extras.has(Field::Chain) {
        rare.chain = Some(input.bytes()?);
    }
    Ok((byte == 1, rare))
}

pub(super) fn state(input: In<'_, '_>) -> Read<RequestState> {
    Ok(match input.byte()? {
        0 => RequestState::Created,
        1 => RequestState::Pending(Pending { reason: input.kind()?, expires_at: input.optional_time()? }),
        2 => RequestState::Approved,
        3 => RequestState::Rejected,
        4 => RequestState::Canceled,
        5 => RequestState::Expired,
        6 => RequestState::Superseded { by: input.name()? },
        7 => RequestState::Executed { at: input.time()?, resulting_version: input.optional_name()? },
        other => return Err(input.fail(format!("there is no request state {other}"))),
    })
}

fn actor(input: In<'_, '_>) -> Read<Arc<ActorContext>> {
    match input.known_actor()? {
        None => {
            let actor = new_actor(input)?;
            Ok(input.remember(actor))
        }
        Some((_, Actor::Read(known))) => Ok(known),
        Some((number, Actor::Passed(place))) => {
            let actor = input.at(place, new_actor)?;
            Ok(input.remember_read(number, actor))
        }
    }
}

fn new_actor(input: In<'_, '_>) -> Read<ActorContext> {
    input.charge(1, charge::ACTOR)?;
    let (kind, extras) = input.kind_and(&[Field::ActingFor])?;
    let acting_for = if extras.has(Field::ActingFor) { Some(acting_for(input)?) } else { None };
    Ok(ActorContext {
        kind,
        acting_for,
        mode: input.kind()?,
        id: input.optional_name()?,
        name: input.optional_owned_text()?,
        roles: input.names()?,
        groups: input.names()?,
        reason: input.optional_owned_text()?,
        correlation_id: input.optional_owned_text()?,
        causation_id: input.optional_owned_text()?,
        session_id: input.optional_owned_text()?,
        source_address: input.optional_owned_text()?,
        user_agent: input.optional_owned_text()?,
        time_zone: input.optional_owned_text()?,
        culture: input.optional_owned_text()?,
        at: input.optional_time()?,
        metadata: metadata(input)?,
    })
}

pub(super) fn acting_for(input: In<'_, '_>) -> Read<ActingFor> {
    Ok(ActingFor { id: input.name()?, grounds: input.name()? })
}

pub(super) fn intent(input: In<'_, '_>) -> Read<Intent> {
    Ok(Intent {
        operation: input.name()?,
        category: input.name()?,
        description: input.optional_owned_text()?,
        risk: input.kind()?,
        reversible: input.flag()?,
        blast_radius: optional(input, blast_radius)?,
        tags: input.names()?,
        created_at: input.optional_time()?,
        metadata: metadata(input)?,
    })
}

fn blast_radius(input: In<'_, '_>) -> Read<BlastRadius> {
    Ok(BlastRadius {
        scope: input.kind()?,
        estimated_count: optional(input, Reader::number)?,
        description: input.optional_owned_text()?,
    })
}

fn payload(input: In<'_, '_>) -> Read<Payload> {
    let content_type = input.text()?;
    let bytes = input.bytes()?;
    input.valid(Payload::new(content_type, bytes))
}

fn requirement(input: In<'_, '_>) -> Read<Requirement> {
    Ok(Requirement {
        kind: input.name()?,
        description: input.owned_text()?,
        fulfilled: input.flag()?,
        data: metadata(input)?,
    })
}

pub(super) fn approval(input: In<'_, '_>) -> Read<Approval> {
    let rare;
    Ok(Approval {
        id: input.name()?,
        target: target(input)?,
        description: input.owned_text()?,
        name: input.optional_owned_text()?,
        step: step(input)?,
        quorum: optional(input, quorum)?,
        expires_at: input.optional_time()?,
        decider: {
            let (decider, extras) = input.kind_and(approval_parts::PARTS)?;
            rare = approval_parts::read(input, extras)?;
            decider
        },
        reasons: rare.reasons,
        expires_after: rare.expires_after,
        mandatory: rare.mandatory,
        delegation: rare.delegation,
        escalation: rare.escalation,
        state: approval_state(input)?,
        metadata: metadata(input)?,
    })
}

pub(super) fn target(input: In<'_, '_>) -> Read<ApprovalTarget> {
    let target = ApprovalTarget::any_of(input.names()?, input.names()?, input.names()?);
    input.valid(target)
}

fn step(input: In<'_, '_>) -> Read<Step> {
    let number = input.small_number("step")?;
    input.valid(Step::new(number))
}

fn quorum(input: In<'_, '_>) -> Read<Quorum> {
    Ok(Quorum {
        group: input.name()?,
        required: {
            let number = input.small_number("quorum")?;
            NonZeroU32::new(number).ok_or_else(|| input.fail("a quorum of 0 grants"))?
        },
        rejection: input.kind()?,
    })
}

fn approval_state(input: In<'_, '_>) -> Read<ApprovalState> {
    Ok(match input.byte()? {
        0 => ApprovalState::Pending,
        1 => ApprovalState::Approved(verdict(input)?),
        2 => ApprovalState::Rejected { verdict: verdict(input)?, rejection: optional(input, rejection)?.map(Box::new) },
        3 => ApprovalState::Satisfied(cause(input)?),
        4 => ApprovalState::Expired(cause(input)?),
        other => return Err(input.fail(format!("there is no approval state {other}"))),
    })
}

fn verdict(input: In<'_, '_>) -> Read<Verdict> {
    Ok(Verdict { by: actor(input)?, at: input.time()?, reason: input.optional_owned_text()?, digest: input.digest()? })
}

fn cause(input: In<'_, '_>) -> Read<Cause> {
    Ok(Cause { by: actor(input)?, at: input.time()?, reason: input.optional_owned_text()? })
}

fn rejection(input: In<'_, '_>) -> Read<Rejection> {
    Ok(Rejection {
        code: input.owned_text()?,
        category: input.optional_owned_text()?,
        message: input.owned_text()?,
        metadata: metadata(input)?,
    })
}

pub(super) fn decision(input: In<'_, '_>) -> Read<Decision> {
    Ok(Decision {
        kind: input.kind()?,
        by: actor(input)?,
        reason: input.optional_owned_text()?,
        at: input.time()?,
        metadata: metadata(input)?,
    })
}

fn side_effect(input: In<'_, '_>) -> Read<SideEffect> {
    let (effect_type, description) = (input.text()?, input.text()?);
    let (severity, requires_action, at) = (input.kind()?, input.flag()?, input.time()?);
    let mut effect = input.valid(SideEffect::new(effect_type, description, severity, at))?;
    if requires_action {
        effect = effect.requiring_action();
    }
    let contract_id = input.optional_name()?;
    if let Some(data) = optional(input, metadata)? {
        effect = effect.with_data(data, None);
    }
    Ok(match contract_id {
        Some(contract_id) => effect.under_contract(contract_id),
        None => effect,
    })
}

fn execution(input: In<'_, '_>) -> Read<Execution> {
    let (kind, extras) = input.byte_and(&[Field::Timing, Field::Retries])?;
    let (not_before, valid_for) = timing::read(input, extras)?;
    let (retry, failed_attempts) = retries::read(input, extras)?;
    let kind = match kind {
        0 => ExecutionKind::Standard,
        1 => ExecutionKind::Compensation(CompensationPlan {
            compensates: input.name()?,
            kind: input.kind()?,
            trigger: input.kind()?,
            batch: input.field(Field::Batch, Reader::optional_name)?,
            related: input.names()?,
            description: input.optional_owned_text()?,
        }),
        other => return Err(input.fail(format!("there is no execution kind {other}"))),
    };
    let Links { of_compensations, resubmits, resubmitted_as } = links::read(input)?;
    Ok(Execution {
        not_before,
        valid_for,
        kind,
        links: of_compensations,
        claim: optional(input, claim)?,
        supersedes: list(input, charge::LINK, supersession)?,
        resubmits,
        resubmitted_as,
        retry,
        failed_attempts,
    })
}

fn supersession(input: In<'_, '_>) -> Read<Supersession> {
    Ok(Supersession { request: input.name()?, at: input.time()?, withdrawn: input.flag()? })
}

fn claim(input: In<'_, '_>) -> Read<Claim> {
    Ok(Claim {
        id: ClaimId::from_bytes(input.array()?),
        by: actor(input)?,
        at: input.time()?,
        lease_ends_at: input.time()?,
    })
}

fn metadata(input: In<'_, '_>) -> Read<Metadata> {
    map(input, Metadata::MAX_DEPTH)
}

/// `levels` is how many more levels its values may nest, which keeps hostile bytes from exhausting the stack.
fn map(input: In<'_, '_>, levels: usize) -> Read<Metadata> {
    let count = input.map_count()?;
    let mut entries = Vec::with_capacity(count);
    let mut last = None;
    for _ in 0..count {
        let key = input.text()?;
        if last.replace(key).is_some_and(|last| !is_before(last, key)) {
            return Err(input.fail(format!("the metadata key {key:?} is not in ascending order")));
        }
        let part = value(input, levels)?;
        entries.push((metadata_key(key), part));
    }
    Ok(Metadata::of_checked(entries))
}

fn value(input: In<'_, '_>, levels: usize) -> Read<Value> {
    let Some(left) = levels.checked_sub(1) else {
        return Err(input.fail("metadata nests deeper than 16 levels"));
    };
    Ok(match input.byte()? {
        0 => Value::Null,
        1 => Value::Bool(false),
        2 => Value::Bool(true),
        3 => Value::Integer(input.signed()?),
        4 => Value::Float(f64::from_bits(u64::from_le_bytes(input.array()?))),
        5 => Value::Text(input.owned_text()?),
        6 => Value::Bytes(input.bytes()?.to_vec()),
        7 => Value::Time(input.time()?),
        8 => Value::List(list(input, Budget::VALUE, |input| value(input, left))?),
        9 => Value::Map(map(input, left)?),
        other => return Err(input.fail(format!("there is no kind of metadata value {other}"))),
    })
}

pub(super) fn list<'a, T>(
    input: In<'_, 'a>,
    charge: usize,
    mut read: impl FnMut(In<'_, 'a>) -> Read<T>,
) -> Read<Vec<T>> {
    let count = input.count(charge)?;
    let mut things = Vec::with_capacity(count);
    for _ in 0..count {
        things.push(read(input)?);
    }
    Ok(things)
}

fn optional<'a, T>(input: In<'_, 'a>, read: impl FnOnce(In<'_, 'a>) -> Read<T>) -> Read<Option<T>> {
    if input.flag()? { read(input).map(Some) } else { Ok(None) }
}
