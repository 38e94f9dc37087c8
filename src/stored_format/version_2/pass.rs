//! Walks past the parts of a body that nobody asked for: what they refer to is remembered, nothing is allocated.
//!
//! Follows `read` field by field. It finds where a part ends, not whether each of its values is valid.

use super::read::{In, Read};
use crate::request::{Metadata, Timestamp};

pub(super) fn versioning(input: In<'_, '_>) -> Read<()> {
    optional_texts(input, 2)
}

pub(super) fn actor(input: In<'_, '_>) -> Read<()> {
    if input.known_actor()?.is_some() {
        return Ok(());
    }
    let place = input.place();
    new_actor(input)?;
    input.remember_passed(place);
    Ok(())
}

fn new_actor(input: In<'_, '_>) -> Read<()> {
    let [_kind, _mode] = input.array()?;
    // Id and name.
    optional_texts(input, 2)?;
    rest_of_actor(input)
}

/// All of an actor that follows its name.
pub(super) fn rest_of_actor(input: In<'_, '_>) -> Read<()> {
    names(input)?;
    names(input)?;
    optional_texts(input, 8)?;
    input.optional_time()?;
    metadata(input)
}

pub(super) fn payload(input: In<'_, '_>) -> Read<()> {
    if input.flag()? {
        input.text()?;
        input.bytes()?;
    }
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
    list(input, |input| {
        input.text()?;
        names(input)?;
        names(input)?;
        names(input)?;
        input.text()?;
        input.optional_text()?;
        input.number()?;
        if input.flag()? {
            input.text()?;
            input.number()?;
            input.byte()?;
        }
        input.optional_time()?;
        input.byte()?;
        approval_state(input)?;
        metadata(input)
    })
}

fn approval_state(input: In<'_, '_>) -> Read<()> {
    match input.byte()? {
        0 => Ok(()),
        1 => verdict(input),
        2 => {
            verdict(input)?;
            if input.flag()? {
                input.text()?;
                input.optional_text()?;
                input.text()?;
                metadata(input)?;
            }
            Ok(())
        }
        3 | 4 => input.time().map(drop),
        other => Err(input.fail(format!("there is no approval state {other}"))),
    }
}

fn verdict(input: In<'_, '_>) -> Read<()> {
    actor(input)?;
    input.time()?;
    input.optional_text()?;
    input.digest().map(drop)
}

/// Walks past a decision; gives out when it was made.
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
