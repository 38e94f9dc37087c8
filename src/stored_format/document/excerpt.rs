//! Reads from a body the parts that rows show; the rest is skipped or not read.

use std::num::NonZeroU32;

use super::actors::Actor;
use super::pass::PassedApproval;
use super::read::{self, In, Read};
use super::{charge, pass};
use crate::request::{ActorId, ApprovalSummary, ApproverLimits, IdComparison, QuorumGroup, Requester, Step, Target};
use crate::stored_format::excerpt::{Approvals, Decisions, Head, PendingApprovals, PlacedDecisions};
use crate::stored_format::gates::Field;

pub(super) fn approvals(
    input: In<'_, '_>,
    PendingApprovals(is_wanted): PendingApprovals<'_>,
) -> Read<(Head, Approvals)> {
    let head = head_and_requirements(input)?;
    let (mut summaries, mut wanted) = (Vec::new(), Vec::new());
    for _ in 0..input.length()? {
        let place = input.place();
        let PassedApproval { id, step, group, is_pending, is_granted, decided_by } =
            input.pass(|input| pass::approval(input, people))?;
        let is_wanted = is_pending && is_wanted(&head, step, id);
        // Whether another approval can be decided depends on whom this one addresses, and who could move to it.
        if is_wanted || ((is_pending || is_granted) && (group.is_some() || head.approver_limits.distinct)) {
            input.charge(1, charge::APPROVAL)?;
            let approval = input.at(place, read::approval)?;
            summaries.push(ApprovalSummary::of(&approval, &head.approver_limits));
            wanted.extend(is_wanted.then_some(approval));
            continue;
        }
        summaries.push(ApprovalSummary {
            step: input.valid(Step::new(step))?,
            is_pending,
            group: group.map(|group| quorum(input, group)).transpose()?,
            voters: decided_by.unwrap_or_default(),
            slot: None,
        });
    }
    Ok((head, Approvals { summaries, wanted }))
}

fn quorum(input: In<'_, '_>, (group, required): (&str, u32)) -> Read<(QuorumGroup, NonZeroU32)> {
    let required = NonZeroU32::new(required).ok_or_else(|| input.fail("a quorum of 0 grants"))?;
    Ok((input.valid(QuorumGroup::try_from(group))?, required))
}

pub(super) fn decisions(input: In<'_, '_>, Decisions(is_wanted): Decisions<'_>) -> Read<(Head, PlacedDecisions)> {
    let head = head_and_requirements(input)?;
    input.pass(pass::approvals)?;
    let mut decisions = Vec::new();
    for ordinal in (0_u32..).take(input.length()?) {
        let place = input.place();
        let at = input.pass(pass::decision)?;
        if is_wanted(&head, ordinal, at) {
            input.charge(1, charge::DECISION)?;
            decisions.push((ordinal, input.at(place, read::decision)?));
        }
    }
    Ok((head, decisions))
}

/// Everything before the approvals.
fn head_and_requirements(input: In<'_, '_>) -> Read<Head> {
    let mut head = head(input)?;
    let has_payload;
    (has_payload, head.approver_limits, _) = read::before_payload(input)?;
    input.pass(|input| {
        if has_payload {
            pass::payload(input)?;
        }
        pass::requirements(input)?;
        input.number()
    })?;
    Ok(head)
}

fn head(input: In<'_, '_>) -> Read<Head> {
    Ok(Head {
        id: input.name()?,
        target: Target { state_id: input.name()?, state_type: input.name()?, mutation_type: input.name()? },
        created_at: input.time()?,
        updated_at: input.time()?,
        state: read::state(input)?,
        requested_by: {
            input.pass(pass::versioning)?;
            requester(input)?
        },
        intent: read::intent(input)?,
        approver_limits: ApproverLimits::default(),
        id_comparison: IdComparison::default(),
    })
}

/// The first actor of a body; only a few of its fields are read, the rest only if a part refers to it.
fn requester(input: In<'_, '_>) -> Read<Requester> {
    if input.known_actor()?.is_some() {
        return Err(input.fail("there is no actor to refer to yet"));
    }
    let place = input.place();
    input.charge(1, charge::ACTOR)?;
    let (kind, extras) = input.kind_and(&[Field::ActingFor])?;
    let acting_for = if extras.has(Field::ActingFor) { Some(read::acting_for(input)?) } else { None };
    let _mode = input.byte()?;
    let (id, name) = (input.optional_name()?, input.optional_owned_text()?);
    input.pass(pass::roles_and_groups)?;
    let reason = input.optional_owned_text()?;
    input.pass(pass::circumstances)?;
    input.remember_passed(place);
    Ok(Requester::new(kind, id, name, reason, acting_for))
}

/// Skips an actor; returns its id, and that of the person acted for.
fn people(input: In<'_, '_>) -> Read<[Option<ActorId>; 2]> {
    match input.known_actor()? {
        Some((_, Actor::Read(known))) => {
            Ok([known.id.clone(), known.acting_for.as_ref().map(|acting| acting.id.clone())])
        }
        Some((_, Actor::Passed(place))) => input.at(place, pass::new_actor).and_then(|ids| names(input, ids)),
        None => {
            let place = input.place();
            let ids = pass::new_actor(input)?;
            input.remember_passed(place);
            names(input, ids)
        }
    }
}

fn names(input: In<'_, '_>, [actor, acting_for]: [Option<&str>; 2]) -> Read<[Option<ActorId>; 2]> {
    let mut name = |id: Option<&str>| id.map(|id| input.valid(ActorId::try_from(id))).transpose();
    Ok([name(actor)?, name(acting_for)?])
}
