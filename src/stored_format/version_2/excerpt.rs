//! From a body to what rows show of it; the rest is walked past, or left where it is.

use std::sync::Arc;

use super::actors::Actor;
use super::read::{self, In, Read};
use super::{charge, pass};
use crate::request::{ActorContext, Approval, Target};
use crate::stored_format::excerpt::{Excerpt, Head, IsWanted, PlacedDecision};

/// Who decided approvals is read by kind and id only.
pub(super) fn approvals(input: In<'_, '_>) -> Read<Excerpt<Approval>> {
    let head = head_and_requirements(input)?;
    let approvals = read::list(input, charge::APPROVAL, |input| read::approval_with(input, decider))?;
    Ok((head, approvals))
}

/// Those that are wanted, by their place and time.
pub(super) fn decisions(input: In<'_, '_>, is_wanted: IsWanted<'_>) -> Read<Excerpt<PlacedDecision>> {
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

/// All that comes before the approvals.
fn head_and_requirements(input: In<'_, '_>) -> Read<Head> {
    let head = head(input)?;
    input.pass(|input| {
        pass::payload(input)?;
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
            read::actor(input)?
        },
        intent: read::intent(input)?,
    })
}

/// An actor of whom only kind and id are read. Referred to later, it is read whole.
fn decider(input: In<'_, '_>) -> Read<Arc<ActorContext>> {
    match input.known_actor()? {
        Some((_, Actor::Read(known))) => Ok(known),
        Some((_, Actor::Passed(place))) => input.at(place, kind_and_id).map(Arc::new),
        None => {
            let place = input.place();
            let decider = kind_and_id(input)?;
            input.remember_passed(place);
            Ok(Arc::new(decider))
        }
    }
}

fn kind_and_id(input: In<'_, '_>) -> Read<ActorContext> {
    input.charge(1, charge::ACTOR)?;
    let mut actor = ActorContext::new(input.kind()?);
    let _mode = input.byte()?;
    actor.id = input.optional_name()?;
    input.pass(|input| {
        input.optional_text()?;
        pass::rest_of_actor(input)
    })?;
    Ok(actor)
}
