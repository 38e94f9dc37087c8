//! From the domain to the types of version 1. Nothing is copied but lists of references.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::metadata::Map;
use super::wire::{
    Actor, Approval, ApprovalState, BlastRadius, Claim, Decision, DecisionKind, Document, Execution, ExecutionKind,
    Intent, Link, List, Names, Payload, Quorum, Rejection, Requirement, SideEffect, State, Verdict,
};
use crate::request::{self, RequestDocument};

impl<'a> From<&'a RequestDocument> for Document<'a> {
    fn from(document: &'a RequestDocument) -> Self {
        Self {
            id: document.id.as_str(),
            state_id: document.target.state_id.as_str(),
            state_type: document.target.state_type.as_str(),
            mutation_type: document.target.mutation_type.as_str(),
            intent: Intent::from(&document.intent),
            requested_by: Actor::from(&*document.requested_by),
            payload: document
                .payload
                .as_ref()
                .map(|payload| Payload { content_type: payload.content_type(), bytes: payload.bytes() }),
            state: State::from(&document.state),
            requirements: list(&document.requirements),
            approvals: list(&document.approvals),
            approval_round: document.approval_round,
            decisions: list(&document.decisions),
            side_effects: list(&document.side_effects),
            expected_version: text(document.versioning.expected.as_ref()),
            reviewed_version: text(document.versioning.reviewed.as_ref()),
            execution: Execution::from(&document.execution),
            created_at: document.created_at.as_micros(),
            updated_at: document.updated_at.as_micros(),
            metadata: map(&document.metadata),
        }
    }
}

impl<'a> From<&'a request::Intent> for Intent<'a> {
    fn from(intent: &'a request::Intent) -> Self {
        Self {
            operation: intent.operation.as_str(),
            category: intent.category.as_str(),
            description: intent.description.as_deref(),
            risk: intent.risk.into(),
            reversible: intent.reversible,
            blast_radius: intent.blast_radius.as_ref().map(|radius| BlastRadius {
                scope: radius.scope.into(),
                estimated_count: radius.estimated_count,
                description: radius.description.as_deref(),
            }),
            tags: names(&intent.tags),
            metadata: map(&intent.metadata),
            created_at: intent.created_at.map(request::Timestamp::as_micros),
        }
    }
}

impl<'a> From<&'a request::ActorContext> for Actor<'a> {
    fn from(actor: &'a request::ActorContext) -> Self {
        Self {
            kind: actor.kind.into(),
            id: text(actor.id.as_ref()),
            name: actor.name.as_deref(),
            roles: names(&actor.roles),
            groups: names(&actor.groups),
            reason: actor.reason.as_deref(),
            mode: actor.mode.into(),
            correlation_id: actor.correlation_id.as_deref(),
            causation_id: actor.causation_id.as_deref(),
            session_id: actor.session_id.as_deref(),
            source_address: actor.source_address.as_deref(),
            user_agent: actor.user_agent.as_deref(),
            time_zone: actor.time_zone.as_deref(),
            culture: actor.culture.as_deref(),
            at: actor.at.map(request::Timestamp::as_micros),
            metadata: map(&actor.metadata),
        }
    }
}

impl<'a> From<&'a request::RequestState> for State<'a> {
    fn from(state: &'a request::RequestState) -> Self {
        use request::RequestState as From;
        match state {
            From::Created => Self::Created,
            From::Pending(pending) => Self::Pending {
                reason: pending.reason.into(),
                expires_at: pending.expires_at.map(request::Timestamp::as_micros),
            },
            From::Approved => Self::Approved,
            From::Rejected => Self::Rejected,
            From::Canceled => Self::Canceled,
            From::Expired => Self::Expired,
            From::Superseded { by } => Self::Superseded { by: by.as_str() },
            From::Executed { at, resulting_version } => {
                Self::Executed { at: at.as_micros(), resulting_version: text(resulting_version.as_ref()) }
            }
        }
    }
}

impl<'a> From<&'a request::Requirement> for Requirement<'a> {
    fn from(requirement: &'a request::Requirement) -> Self {
        Self {
            kind: requirement.kind.as_str(),
            description: &requirement.description,
            data: map(&requirement.data),
            fulfilled: requirement.fulfilled,
        }
    }
}

impl<'a> From<&'a request::Approval> for Approval<'a> {
    fn from(approval: &'a request::Approval) -> Self {
        Self {
            id: approval.id.as_str(),
            target_actor_ids: names(approval.target.actor_ids()),
            target_roles: names(approval.target.roles()),
            target_groups: names(approval.target.groups()),
            description: &approval.description,
            name: approval.name.as_deref(),
            step: approval.step.number(),
            quorum: approval.quorum.as_ref().map(|quorum| Quorum {
                group: quorum.group.as_str(),
                required: quorum.required.get(),
                rejection: quorum.rejection.into(),
            }),
            expires_at: approval.expires_at.map(request::Timestamp::as_micros),
            decider: approval.decider.into(),
            state: ApprovalState::from(&approval.state),
            metadata: map(&approval.metadata),
        }
    }
}

impl<'a> From<&'a request::ApprovalState> for ApprovalState<'a> {
    fn from(state: &'a request::ApprovalState) -> Self {
        use request::ApprovalState as From;
        match state {
            From::Pending => Self::Pending,
            From::Approved(verdict) => Self::Approved { verdict: verdict.into() },
            From::Rejected { verdict, rejection } => Self::Rejected {
                verdict: verdict.into(),
                rejection: rejection.as_ref().map(|rejection| Rejection {
                    code: &rejection.code,
                    category: rejection.category.as_deref(),
                    message: &rejection.message,
                    metadata: map(&rejection.metadata),
                }),
            },
            From::Satisfied { at } => Self::Satisfied { at: at.as_micros() },
            From::Expired { at } => Self::Expired { at: at.as_micros() },
        }
    }
}

impl<'a> From<&'a request::Verdict> for Verdict<'a> {
    fn from(verdict: &'a request::Verdict) -> Self {
        Self {
            by: Actor::from(&*verdict.by),
            at: verdict.at.as_micros(),
            reason: verdict.reason.as_deref(),
            digest: *verdict.digest.as_bytes(),
        }
    }
}

impl<'a> From<&'a request::Decision> for Decision<'a> {
    fn from(decision: &'a request::Decision) -> Self {
        Self {
            kind: match decision.kind {
                request::DecisionKind::Lifecycle(kind) => DecisionKind::Lifecycle(kind.into()),
                request::DecisionKind::Approval(kind) => DecisionKind::Approval(kind.into()),
                request::DecisionKind::VersionResolution(kind) => DecisionKind::VersionResolution(kind.into()),
                request::DecisionKind::Execution(kind) => DecisionKind::Execution(kind.into()),
            },
            by: Actor::from(&*decision.by),
            reason: decision.reason.as_deref(),
            at: decision.at.as_micros(),
            metadata: map(&decision.metadata),
        }
    }
}

impl<'a> From<&'a request::SideEffect> for SideEffect<'a> {
    fn from(effect: &'a request::SideEffect) -> Self {
        Self {
            effect_type: effect.effect_type(),
            description: effect.description(),
            severity: effect.severity().into(),
            data: effect.data().map(map),
            contract_id: text(effect.contract_id()),
            at: effect.at().as_micros(),
            requires_action: effect.requires_action(),
        }
    }
}

impl<'a> From<&'a request::Execution> for Execution<'a> {
    fn from(execution: &'a request::Execution) -> Self {
        Self {
            kind: match &execution.kind {
                request::ExecutionKind::Standard => ExecutionKind::Standard,
                request::ExecutionKind::Compensation(plan) => ExecutionKind::Compensation {
                    compensates: plan.compensates.as_str(),
                    kind: plan.kind.into(),
                    trigger: plan.trigger.into(),
                    related: names(&plan.related),
                    description: plan.description.as_deref(),
                },
            },
            links: list(&execution.links),
            claim: execution.claim.as_ref().map(|claim| Claim {
                id: *claim.id.as_bytes(),
                by: Actor::from(&*claim.by),
                at: claim.at.as_micros(),
                lease_ends_at: claim.lease_ends_at.as_micros(),
            }),
        }
    }
}

impl<'a> From<&'a request::ExecutionLink> for Link<'a> {
    fn from(link: &'a request::ExecutionLink) -> Self {
        Self { relation: link.relation.into(), request: link.request.as_str() }
    }
}

fn list<'a, From: 'a, Into: std::convert::From<&'a From>, const CHARGE: usize>(
    things: &'a [From],
) -> List<Into, CHARGE> {
    List(things.iter().map(Into::from).collect())
}

fn names<T: AsRef<str>>(names: &BTreeSet<T>) -> Names<'_> {
    Names(names.iter().map(AsRef::as_ref).collect())
}

fn text<T: AsRef<str>>(text: Option<&T>) -> Option<&str> {
    text.map(AsRef::as_ref)
}

fn map(metadata: &request::Metadata) -> Map<'_> {
    Map(Cow::Borrowed(metadata))
}
