//! Writes the domain types to a body, part by part; the order of the calls is the format.

use std::sync::Arc;

use super::kinds::Numbered as _;
use super::writer::{Writer, Written};
use super::{approval_parts, chain, charge, links, retries, timing};
use crate::request::{
    ActorContext, Approval, ApprovalState, ApprovalTarget, Cause, Claim, Decision, Execution, ExecutionKind, Intent,
    Metadata, Quorum, Rejection, RequestDocument, RequestState, Requirement, SideEffect, StateVersion, Value, Verdict,
};
use crate::stored_format::gates::Field;

pub(super) type Out<'w, 'document> = &'w mut Writer<'document>;

pub(super) fn document<'d>(out: Out<'_, 'd>, document: &'d RequestDocument) -> Written {
    out.text(document.id.as_str())?;
    out.text(document.target.state_id.as_str())?;
    out.text(document.target.state_type.as_str())?;
    out.text(document.target.mutation_type.as_str())?;
    out.time(document.created_at)?;
    out.time(document.updated_at)?;
    state(out, &document.state)?;
    version(out, document.versioning.expected.as_ref())?;
    version(out, document.versioning.reviewed.as_ref())?;
    actor(out, &document.requested_by)?;
    intent(out, &document.intent)?;
    let (limits, named) = (&document.approver_limits, &document.participants);
    let chain = chain::of(document, out);
    let rare = [
        (Field::ApproverLimits, !limits.is_none()),
        (Field::UniqueKey, document.unique_key.is_some()),
        (Field::Participants, !named.is_empty()),
        (Field::Chain, chain.is_some()),
    ];
    out.byte_and(document.payload.is_some().into(), &rare)?;
    if !limits.is_none() {
        out.flag(limits.distinct)?;
        out.names(&limits.excluded)?;
    }
    if let Some(key) = &document.unique_key {
        out.text(key.as_str())?;
    }
    if !named.is_empty() {
        out.names(&named.actor_ids)?;
        out.names(&named.roles)?;
        out.names(&named.groups)?;
    }
    if let Some(chain) = chain {
        chain::write(out, chain)?;
    }
    if let Some(payload) = &document.payload {
        out.text(payload.content_type())?;
        out.bytes(payload.bytes())?;
    }
    out.count(document.requirements.len(), charge::REQUIREMENT)?;
    document.requirements.iter().try_for_each(|part| requirement(out, part))?;
    out.number(document.approval_round.into())?;
    out.count(document.approvals.len(), charge::APPROVAL)?;
    document.approvals.iter().try_for_each(|part| approval(out, part))?;
    out.count(document.decisions.len(), charge::DECISION)?;
    document.decisions.iter().try_for_each(|part| decision(out, part))?;
    out.count(document.side_effects.len(), charge::SIDE_EFFECT)?;
    document.side_effects.iter().try_for_each(|part| side_effect(out, part))?;
    execution(out, &document.execution)?;
    metadata(out, &document.metadata)
}

fn state<'d>(out: Out<'_, 'd>, state: &'d RequestState) -> Written {
    match state {
        RequestState::Created => out.byte(0),
        RequestState::Pending(pending) => {
            out.byte(1)?;
            out.kind(pending.reason)?;
            out.optional_time(pending.expires_at)
        }
        RequestState::Approved => out.byte(2),
        RequestState::Rejected => out.byte(3),
        RequestState::Canceled => out.byte(4),
        RequestState::Expired => out.byte(5),
        RequestState::Superseded { by } => {
            out.byte(6)?;
            out.text(by.as_str())
        }
        RequestState::Executed { at, resulting_version } => {
            out.byte(7)?;
            out.time(*at)?;
            version(out, resulting_version.as_ref())
        }
    }
}

fn version<'d>(out: Out<'_, 'd>, version: Option<&'d StateVersion>) -> Written {
    out.optional_text(version.map(StateVersion::as_str))
}

fn actor<'d>(out: Out<'_, 'd>, actor: &'d Arc<ActorContext>) -> Written {
    if !out.actor_is_new(actor)? {
        return Ok(());
    }
    out.charge(1, charge::ACTOR)?;
    out.byte_and(actor.kind.number(), &[(Field::ActingFor, actor.acting_for.is_some())])?;
    if let Some(acting) = &actor.acting_for {
        out.text(acting.id.as_str())?;
        out.text(acting.grounds.as_str())?;
    }
    out.kind(actor.mode)?;
    out.optional_text(actor.id.as_ref().map(AsRef::as_ref))?;
    out.optional_text(actor.name.as_deref())?;
    out.names(&actor.roles)?;
    out.names(&actor.groups)?;
    out.optional_text(actor.reason.as_deref())?;
    out.optional_text(actor.correlation_id.as_deref())?;
    out.optional_text(actor.causation_id.as_deref())?;
    out.optional_text(actor.session_id.as_deref())?;
    out.optional_text(actor.source_address.as_deref())?;
    out.optional_text(actor.user_agent.as_deref())?;
    out.optional_text(actor.time_zone.as_deref())?;
    out.optional_text(actor.culture.as_deref())?;
    out.optional_time(actor.at)?;
    metadata(out, &actor.metadata)
}

fn intent<'d>(out: Out<'_, 'd>, intent: &'d Intent) -> Written {
    out.text(intent.operation.as_str())?;
    out.text(intent.category.as_str())?;
    out.optional_text(intent.description.as_deref())?;
    out.kind(intent.risk)?;
    out.flag(intent.reversible)?;
    out.flag(intent.blast_radius.is_some())?;
    if let Some(radius) = &intent.blast_radius {
        out.kind(radius.scope)?;
        out.flag(radius.estimated_count.is_some())?;
        if let Some(count) = radius.estimated_count {
            out.number(count)?;
        }
        out.optional_text(radius.description.as_deref())?;
    }
    out.names(&intent.tags)?;
    out.optional_time(intent.created_at)?;
    metadata(out, &intent.metadata)
}

fn requirement<'d>(out: Out<'_, 'd>, requirement: &'d Requirement) -> Written {
    out.text(requirement.kind.as_str())?;
    out.text(&requirement.description)?;
    out.flag(requirement.fulfilled)?;
    metadata(out, &requirement.data)
}

fn approval<'d>(out: Out<'_, 'd>, approval: &'d Approval) -> Written {
    out.text(approval.id.as_str())?;
    target(out, &approval.target)?;
    out.text(&approval.description)?;
    out.optional_text(approval.name.as_deref())?;
    out.number(approval.step.number().into())?;
    out.flag(approval.quorum.is_some())?;
    if let Some(part) = &approval.quorum {
        quorum(out, part)?;
    }
    out.optional_time(approval.expires_at)?;
    out.byte_and(approval.decider.number(), &approval_parts::of(approval))?;
    approval_parts::write(out, approval)?;
    approval_state(out, &approval.state)?;
    metadata(out, &approval.metadata)
}

pub(super) fn target<'d>(out: Out<'_, 'd>, target: &'d ApprovalTarget) -> Written {
    out.names(target.actor_ids())?;
    out.names(target.roles())?;
    out.names(target.groups())
}

fn quorum<'d>(out: Out<'_, 'd>, quorum: &'d Quorum) -> Written {
    out.text(quorum.group.as_str())?;
    out.number(quorum.required.get().into())?;
    out.kind(quorum.rejection)
}

fn approval_state<'d>(out: Out<'_, 'd>, state: &'d ApprovalState) -> Written {
    match state {
        ApprovalState::Pending => out.byte(0),
        ApprovalState::Approved(part) => {
            out.byte(1)?;
            verdict(out, part)
        }
        ApprovalState::Rejected { verdict: part, rejection: reason } => {
            out.byte(2)?;
            verdict(out, part)?;
            out.flag(reason.is_some())?;
            reason.as_ref().map_or(Ok(()), |reason| rejection(out, reason))
        }
        ApprovalState::Satisfied(part) => {
            out.byte(3)?;
            cause(out, part)
        }
        ApprovalState::Expired(part) => {
            out.byte(4)?;
            cause(out, part)
        }
    }
}

fn verdict<'d>(out: Out<'_, 'd>, verdict: &'d Verdict) -> Written {
    actor(out, &verdict.by)?;
    out.time(verdict.at)?;
    out.optional_text(verdict.reason.as_deref())?;
    out.digest(verdict.digest)
}

fn cause<'d>(out: Out<'_, 'd>, cause: &'d Cause) -> Written {
    actor(out, &cause.by)?;
    out.time(cause.at)?;
    out.optional_text(cause.reason.as_deref())
}

fn rejection<'d>(out: Out<'_, 'd>, rejection: &'d Rejection) -> Written {
    out.text(&rejection.code)?;
    out.optional_text(rejection.category.as_deref())?;
    out.text(&rejection.message)?;
    metadata(out, &rejection.metadata)
}

fn decision<'d>(out: Out<'_, 'd>, decision: &'d Decision) -> Written {
    out.kind(decision.kind)?;
    actor(out, &decision.by)?;
    out.optional_text(decision.reason.as_deref())?;
    out.time(decision.at)?;
    metadata(out, &decision.metadata)
}

fn side_effect<'d>(out: Out<'_, 'd>, effect: &'d SideEffect) -> Written {
    out.text(effect.effect_type())?;
    out.text(effect.description())?;
    out.kind(effect.severity())?;
    out.flag(effect.requires_action())?;
    out.time(effect.at())?;
    out.optional_text(effect.contract_id().map(AsRef::as_ref))?;
    out.flag(effect.data().is_some())?;
    effect.data().map_or(Ok(()), |data| metadata(out, data))
}

fn execution<'d>(out: Out<'_, 'd>, execution: &'d Execution) -> Written {
    let rare = [(Field::Timing, timing::is_there(execution)), (Field::Retries, retries::are_there(execution))];
    out.byte_and(u8::from(!execution.kind.is_standard()), &rare)?;
    timing::write(out, execution)?;
    retries::write(out, execution)?;
    match &execution.kind {
        ExecutionKind::Standard => {}
        ExecutionKind::Compensation(plan) => {
            out.text(plan.compensates.as_str())?;
            out.kind(plan.kind)?;
            out.kind(plan.trigger)?;
            out.field(Field::Batch, plan.batch.as_ref().map(AsRef::as_ref), Writer::optional_text)?;
            out.names(&plan.related)?;
            out.optional_text(plan.description.as_deref())?;
        }
    }
    links::write(out, execution)?;
    out.flag(execution.claim.is_some())?;
    execution.claim.as_ref().map_or(Ok(()), |part| claim(out, part))?;
    out.count(execution.supersedes.len(), charge::LINK)?;
    for supersession in &execution.supersedes {
        out.text(supersession.request.as_str())?;
        out.time(supersession.at)?;
        out.flag(supersession.withdrawn)?;
    }
    Ok(())
}

fn claim<'d>(out: Out<'_, 'd>, claim: &'d Claim) -> Written {
    out.raw(claim.id.as_bytes())?;
    actor(out, &claim.by)?;
    out.time(claim.at)?;
    out.time(claim.lease_ends_at)
}

fn metadata<'d>(out: Out<'_, 'd>, metadata: &'d Metadata) -> Written {
    out.charge_map(metadata.len())?;
    out.number(metadata.len() as u64)?;
    for (key, part) in metadata {
        out.text(key)?;
        value(out, part)?;
    }
    Ok(())
}

/// Recurses at most as deep as metadata can be built.
fn value<'d>(out: Out<'_, 'd>, part: &'d Value) -> Written {
    match part {
        Value::Null => out.byte(0),
        Value::Bool(false) => out.byte(1),
        Value::Bool(true) => out.byte(2),
        Value::Integer(number) => {
            out.byte(3)?;
            out.signed(*number)
        }
        Value::Float(number) => {
            out.byte(4)?;
            out.raw(&number.to_bits().to_le_bytes())
        }
        Value::Text(text) => {
            out.byte(5)?;
            out.text(text)
        }
        Value::Bytes(bytes) => {
            out.byte(6)?;
            out.bytes(bytes)
        }
        Value::Time(time) => {
            out.byte(7)?;
            out.time(*time)
        }
        Value::List(values) => {
            out.byte(8)?;
            out.count(values.len(), crate::stored_format::Budget::VALUE)?;
            values.iter().try_for_each(|part| value(out, part))
        }
        Value::Map(entries) => {
            out.byte(9)?;
            metadata(out, entries)
        }
    }
}
