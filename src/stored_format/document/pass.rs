//! Skips the parts of a body that are not wanted: remembers what later parts can refer to, and allocates nothing.
//!
//! Follows `read` field by field. It finds the end of a part, and does not check each of its values.

use super::read::{In, Read};
use crate::request::{Metadata, Timestamp};
use crate::stored_format::gates::Field;

pub(super) fn versioning(input: In<'_, '_>) -> Read<()> {
    optional_texts(input, 2)
}

/// What is known of a skipped approval.
pub(super) struct PassedApproval<'a, By> {
    pub(super) id: &'a str,
    pub(super) step: u32,
    pub(super) group: Option<&'a str>,
    pub(super) is_pending: bool,
    pub(super) is_granted: bool,
    pub(super) decided_by: Option<By>,
}

fn actor(input: In<'_, '_>) -> Read<()> {
    if input.known_actor()?.is_none() {
        let place = input.place();
        new_actor(input)?;
        input.remember_passed(place);
    }
    Ok(())
}

/// Skips the fields of an actor; returns its id, and that of the person acted for.
pub(super) fn new_actor<'a>(input: In<'_, 'a>) -> Read<[Option<&'a str>; 2]> {
    let (_kind, extras) = input.byte_and(&[Field::ActingFor])?;
    let acting_for = if extras.has(Field::ActingFor) { Some(acting_for(input)?) } else { None };
    let _mode = input.byte()?;
    let id = input.optional_text()?;
    let _name = input.optional_text()?;
    roles_and_groups(input)?;
    let _reason = input.optional_text()?;
    circumstances(input)?;
    Ok([id, acting_for])
}

/// Returns the id of the person acted for.
fn acting_for<'a>(input: In<'_, 'a>) -> Read<&'a str> {
    let id = input.text()?;
    input.text()?;
    Ok(id)
}

pub(super) fn roles_and_groups(input: In<'_, '_>) -> Read<()> {
    names(input)?;
    names(input)
}

/// All fields of an actor after its reason.
pub(super) fn circumstances(input: In<'_, '_>) -> Read<()> {
    optional_texts(input, 7)?;
    input.optional_time()?;
    metadata(input)
}

pub(super) fn payload(input: In<'_, '_>) -> Read<()> {
    input.text()?;
    input.bytes()?;
    Ok(())
}

pub(super) fn requirements(input: In<'_, '_>) -> Read<()> {
    list(input, |input| {
        texts(input, 2)?;
        input.flag()?;
        metadata(input)
    })
}

pub(super) fn approvals(input: In<'_, '_>) -> Read<()> {
    list(input, |input| approval(input, actor).map(drop))
}

/// Skips an approval; `actor` skips the actor who decided it.
pub(super) fn approval<'a, By>(
    input: In<'_, 'a>,
    actor: impl FnOnce(In<'_, 'a>) -> Read<By>,
) -> Read<PassedApproval<'a, By>> {
    let id = input.text()?;
    names(input)?;
    names(input)?;
    names(input)?;
    input.text()?;
    input.optional_text()?;
    let step = input.small_number("step")?;
    let group = if input.flag()? { Some(quorum(input)?) } else { None };
    input.optional_time()?;
    let (_decider, extras) = input.byte_and(&[Field::Reasons, Field::ApprovalPeriod])?;
    if extras.has(Field::Reasons) {
        input.byte()?;
    }
    if extras.has(Field::ApprovalPeriod) {
        input.number()?;
    }
    let state = input.byte()?;
    let decided_by = match state {
        0 => None,
        1 | 2 => Some(verdict(input, actor)?),
        3 | 4 => {
            cause(input, actor)?;
            None
        }
        other => return Err(input.fail(format!("there is no approval state {other}"))),
    };
    if state == 2 && input.flag()? {
        rejection(input)?;
    }
    metadata(input)?;
    Ok(PassedApproval { id, step, group, is_pending: state == 0, is_granted: state == 1, decided_by })
}

/// Returns the group.
fn quorum<'a>(input: In<'_, 'a>) -> Read<&'a str> {
    let group = input.text()?;
    input.number()?;
    input.byte()?;
    Ok(group)
}

fn cause<'a, By>(input: In<'_, 'a>, actor: impl FnOnce(In<'_, 'a>) -> Read<By>) -> Read<()> {
    actor(input)?;
    input.time()?;
    input.optional_text()?;
    Ok(())
}

fn verdict<'a, By>(input: In<'_, 'a>, actor: impl FnOnce(In<'_, 'a>) -> Read<By>) -> Read<By> {
    let by = actor(input)?;
    input.time()?;
    input.optional_text()?;
    input.digest()?;
    Ok(by)
}

fn rejection(input: In<'_, '_>) -> Read<()> {
    input.text()?;
    input.optional_text()?;
    input.text()?;
    metadata(input)
}

/// Skips a decision; returns its time.
pub(super) fn decision(input: In<'_, '_>) -> Read<Timestamp> {
    input.byte()?;
    actor(input)?;
    input.optional_text()?;
    let at = input.time()?;
    metadata(input)?;
    Ok(at)
}

fn metadata(input: In<'_, '_>) -> Read<()> {
    map(input, Metadata::MAX_DEPTH)
}

fn map(input: In<'_, '_>, levels: usize) -> Read<()> {
    list(input, |input| {
        input.text()?;
        value(input, levels)
    })
}

fn value(input: In<'_, '_>, levels: usize) -> Read<()> {
    let Some(left) = levels.checked_sub(1) else {
        return Err(input.fail("metadata nests deeper than 16 levels"));
    };
    match input.byte()? {
        0..=2 => Ok(()),
        3 => input.signed().map(drop),
        4 => input.array::<8>().map(drop),
        5 => input.text().map(drop),
        6 => input.bytes().map(drop),
        7 => input.time().map(drop),
        8 => list(input, |input| value(input, left)),
        9 => map(input, left),
        other => Err(input.fail(format!("there is no kind of metadata value {other}"))),
    }
}

fn names(input: In<'_, '_>) -> Read<()> {
    list(input, |input| input.text().map(drop))
}

fn list<'a>(input: In<'_, 'a>, mut pass: impl FnMut(In<'_, 'a>) -> Read<()>) -> Read<()> {
    for _ in 0..input.length()? {
        pass(input)?;
    }
    Ok(())
}

fn texts(input: In<'_, '_>, count: usize) -> Read<()> {
    for _ in 0..count {
        input.text()?;
    }
    Ok(())
}

fn optional_texts(input: In<'_, '_>, count: usize) -> Read<()> {
    for _ in 0..count {
        input.optional_text()?;
    }
    Ok(())
}
