//! From the types of version 1 to the domain, through the constructors that check each value.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::metadata::Map;
use super::wire::{
    Actor, Approval, ApprovalState, Claim, Decision, DecisionKind, Document, Execution, ExecutionKind, Intent, List,
    Names, Payload, Quorum, Rejection, Requirement, SideEffect, State, Verdict,
};
use crate::request::{self, ApprovalTarget, Metadata, RequestDocument, Step, Timestamp};
use crate::stored_format::FormatError;

impl Document<'_> {
    pub(super) fn into_document(self) -> Result<RequestDocument, FormatError> {
        let mut actors = Actors::default();
        Ok(RequestDocument {
            id: checked(self.id)?,
            target: request::Target {
                state_id: checked(self.state_id)?,
                state_type: checked(self.state_type)?,
                mutation_type: checked(self.mutation_type)?,
            },
            intent: intent(self.intent)?,
            requested_by: actors.share(self.requested_by)?,
            payload: self.payload.as_ref().map(payload).transpose()?,
            state: state(&self.state)?,
            requirements: list(self.requirements, requirement)?,
            approvals: list(self.approvals, |part| approval(part, &mut actors))?,
            approval_round: self.approval_round,
            decisions: list(self.decisions, |part| decision(part, &mut actors))?,
            side_effects: list(self.side_effects, side_effect)?,
            versioning: request::Versioning {
                expected: checked_option(self.expected_version)?,
                reviewed: checked_option(self.reviewed_version)?,
            },
            execution: execution(self.execution, &mut actors)?,
            created_at: time(self.created_at)?,
            updated_at: time(self.updated_at)?,
            metadata: metadata(self.metadata),
            id_comparison: request::IdComparison::default(),
        })
    }
}

/// The actors read last, so that equal ones are one value again. Bounded, so that many actors cost no square.
#[derive(Default)]
struct Actors<'a>(Vec<(Actor<'a>, Arc<request::ActorContext>)>);

impl<'a> Actors<'a> {
    const REMEMBERED: usize = 32;

    fn share(&mut self, wire: Actor<'a>) -> Result<Arc<request::ActorContext>, FormatError> {
        if let Some((_, known)) = self.0.iter().find(|(known, _)| *known == wire) {
            return Ok(Arc::clone(known));
        }
        let context = Arc::new(actor(&wire)?);
        if self.0.len() < Self::REMEMBERED {
            self.0.push((wire, Arc::clone(&context)));
        }
        Ok(context)
    }
}

fn actor(wire: &Actor<'_>) -> Result<request::ActorContext, FormatError> {
    Ok(request::ActorContext {
        kind: wire.kind.into(),
        id: checked_option(wire.id)?,
        name: wire.name.map(str::to_owned),
        roles: names(&wire.roles)?,
        groups: names(&wire.groups)?,
        reason: wire.reason.map(str::to_owned),
        mode: wire.mode.into(),
        correlation_id: wire.correlation_id.map(str::to_owned),
        causation_id: wire.causation_id.map(str::to_owned),
        session_id: wire.session_id.map(str::to_owned),
        source_address: wire.source_address.map(str::to_owned),
        user_agent: wire.user_agent.map(str::to_owned),
        time_zone: wire.time_zone.map(str::to_owned),
        culture: wire.culture.map(str::to_owned),
        at: wire.at.map(time).transpose()?,
        metadata: wire.metadata.0.clone().into_owned(),
    })
}

fn intent(wire: Intent<'_>) -> Result<request::Intent, FormatError> {
    Ok(request::Intent {
        operation: checked(wire.operation)?,
        category: checked(wire.category)?,
        description: wire.description.map(str::to_owned),
        risk: wire.risk.into(),
        reversible: wire.reversible,
        blast_radius: wire.blast_radius.map(|radius| request::BlastRadius {
            scope: radius.scope.into(),
            estimated_count: radius.estimated_count,
            description: radius.description.map(str::to_owned),
        }),
        tags: names(&wire.tags)?,
        metadata: metadata(wire.metadata),
        created_at: wire.created_at.map(time).transpose()?,
    })
}

fn payload(wire: &Payload<'_>) -> Result<request::Payload, FormatError> {
    request::Payload::new(wire.content_type, wire.bytes).map_err(invalid)
}

fn state(wire: &State<'_>) -> Result<request::RequestState, FormatError> {
    use request::RequestState as Into;
    Ok(match *wire {
        State::Created => Into::Created,
        State::Pending { reason, expires_at } => {
            Into::Pending(request::Pending { reason: reason.into(), expires_at: expires_at.map(time).transpose()? })
        }
        State::Approved => Into::Approved,
        State::Rejected => Into::Rejected,
        State::Canceled => Into::Canceled,
        State::Expired => Into::Expired,
        State::Superseded { by } => Into::Superseded { by: checked(by)? },
        State::Executed { at, resulting_version } => {
            Into::Executed { at: time(at)?, resulting_version: checked_option(resulting_version)? }
        }
    })
}

fn requirement(wire: Requirement<'_>) -> Result<request::Requirement, FormatError> {
    Ok(request::Requirement {
        kind: checked(wire.kind)?,
        description: wire.description.to_owned(),
        data: metadata(wire.data),
        fulfilled: wire.fulfilled,
    })
}

fn approval<'a>(wire: Approval<'a>, actors: &mut Actors<'a>) -> Result<request::Approval, FormatError> {
    let target =
        ApprovalTarget::any_of(names(&wire.target_actor_ids)?, names(&wire.target_roles)?, names(&wire.target_groups)?);
    Ok(request::Approval {
        id: checked(wire.id)?,
        target: target.map_err(invalid)?,
        description: wire.description.to_owned(),
        name: wire.name.map(str::to_owned),
        step: Step::new(wire.step).map_err(invalid)?,
        quorum: wire.quorum.as_ref().map(quorum).transpose()?,
        expires_at: wire.expires_at.map(time).transpose()?,
        decider: wire.decider.into(),
        state: approval_state(wire.state, actors)?,
        metadata: metadata(wire.metadata),
    })
}

fn quorum(wire: &Quorum<'_>) -> Result<request::Quorum, FormatError> {
    Ok(request::Quorum {
        group: checked(wire.group)?,
        required: NonZeroU32::new(wire.required).ok_or_else(|| FormatError::malformed("a quorum of 0 grants"))?,
        rejection: wire.rejection.into(),
    })
}

fn approval_state<'a>(wire: ApprovalState<'a>, actors: &mut Actors<'a>) -> Result<request::ApprovalState, FormatError> {
    use request::ApprovalState as Into;
    Ok(match wire {
        ApprovalState::Pending => Into::Pending,
        ApprovalState::Approved { verdict: wire } => Into::Approved(verdict(wire, actors)?),
        ApprovalState::Rejected { verdict: wire, rejection: reason } => {
            Into::Rejected { verdict: verdict(wire, actors)?, rejection: reason.map(rejection).map(Box::new) }
        }
        ApprovalState::Satisfied { at } => Into::Satisfied { at: time(at)? },
        ApprovalState::Expired { at } => Into::Expired { at: time(at)? },
    })
}

fn verdict<'a>(wire: Verdict<'a>, actors: &mut Actors<'a>) -> Result<request::Verdict, FormatError> {
    Ok(request::Verdict {
        by: actors.share(wire.by)?,
        at: time(wire.at)?,
        reason: wire.reason.map(str::to_owned),
        digest: request::Digest::from_bytes(wire.digest),
    })
}

fn rejection(wire: Rejection<'_>) -> request::Rejection {
    request::Rejection {
        code: wire.code.to_owned(),
        category: wire.category.map(str::to_owned),
        message: wire.message.to_owned(),
        metadata: metadata(wire.metadata),
    }
}

fn decision<'a>(wire: Decision<'a>, actors: &mut Actors<'a>) -> Result<request::Decision, FormatError> {
    Ok(request::Decision {
        kind: match wire.kind {
            DecisionKind::Lifecycle(kind) => request::DecisionKind::Lifecycle(kind.into()),
            DecisionKind::Approval(kind) => request::DecisionKind::Approval(kind.into()),
            DecisionKind::VersionResolution(kind) => request::DecisionKind::VersionResolution(kind.into()),
            DecisionKind::Execution(kind) => request::DecisionKind::Execution(kind.into()),
        },
        by: actors.share(wire.by)?,
        reason: wire.reason.map(str::to_owned),
        at: time(wire.at)?,
        metadata: metadata(wire.metadata),
    })
}

fn side_effect(wire: SideEffect<'_>) -> Result<request::SideEffect, FormatError> {
    let mut effect = request::SideEffect::new(wire.effect_type, wire.description, wire.severity.into(), time(wire.at)?)
        .map_err(invalid)?;
    if let Some(data) = wire.data {
        effect = effect.with_data(metadata(data), None);
    }
    if let Some(contract_id) = wire.contract_id {
        effect = effect.under_contract(checked(contract_id)?);
    }
    if wire.requires_action {
        effect = effect.requiring_action();
    }
    Ok(effect)
}

fn execution<'a>(wire: Execution<'a>, actors: &mut Actors<'a>) -> Result<request::Execution, FormatError> {
    Ok(request::Execution {
        kind: match wire.kind {
            ExecutionKind::Standard => request::ExecutionKind::Standard,
            ExecutionKind::Compensation { compensates, kind, trigger, related, description } => {
                request::ExecutionKind::Compensation(request::CompensationPlan {
                    compensates: checked(compensates)?,
                    kind: kind.into(),
                    trigger: trigger.into(),
                    related: names(&related)?,
                    description: description.map(str::to_owned),
                })
            }
        },
        links: list(wire.links, |link| {
            Ok(request::ExecutionLink { relation: link.relation.into(), request: checked(link.request)? })
        })?,
        claim: wire.claim.map(|wire| claim(wire, actors)).transpose()?,
    })
}

fn claim<'a>(wire: Claim<'a>, actors: &mut Actors<'a>) -> Result<request::Claim, FormatError> {
    Ok(request::Claim {
        id: request::WriteId::from_bytes(wire.id),
        by: actors.share(wire.by)?,
        at: time(wire.at)?,
        lease_ends_at: time(wire.lease_ends_at)?,
    })
}

fn list<From, Into, const CHARGE: usize>(
    wire: List<From, CHARGE>,
    convert: impl FnMut(From) -> Result<Into, FormatError>,
) -> Result<Vec<Into>, FormatError> {
    wire.0.into_iter().map(convert).collect()
}

fn names<'a, T: Ord + TryFrom<&'a str>>(wire: &Names<'a>) -> Result<BTreeSet<T>, FormatError>
where
    T::Error: std::fmt::Display,
{
    wire.0.iter().copied().map(checked).collect()
}

fn checked<'a, T: TryFrom<&'a str>>(text: &'a str) -> Result<T, FormatError>
where
    T::Error: std::fmt::Display,
{
    T::try_from(text).map_err(invalid)
}

fn checked_option<'a, T: TryFrom<&'a str>>(text: Option<&'a str>) -> Result<Option<T>, FormatError>
where
    T::Error: std::fmt::Display,
{
    text.map(checked).transpose()
}

fn time(micros: u64) -> Result<Timestamp, FormatError> {
    Timestamp::from_micros(micros).map_err(invalid)
}

fn metadata(wire: Map<'_>) -> Metadata {
    wire.0.into_owned()
}

fn invalid(error: impl std::fmt::Display) -> FormatError {
    FormatError::malformed(error.to_string())
}
