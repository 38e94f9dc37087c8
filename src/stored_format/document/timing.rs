//! When a request is executed, and for how long its approval lasts: rare parts of an execution.

use super::extras::Extras;
use super::read::{In, Read};
use super::write::Out;
use super::writer::Written;
use crate::request::{Execution, Period, Timestamp};
use crate::stored_format::gates::Field;

/// Which of the two there are.
const NOT_BEFORE: u8 = 1;
const VALID_FOR: u8 = 2;

/// The time before which a request is not executed, and its validity.
type Times = (Option<Timestamp>, Option<Period>);

pub(super) const fn is_there(execution: &Execution) -> bool {
    execution.not_before.is_some() || execution.valid_for.is_some()
}

pub(super) fn write(out: Out<'_, '_>, execution: &Execution) -> Written {
    if !is_there(execution) {
        return Ok(());
    }
    let of = |has: bool, field: u8| if has { field } else { 0 };
    out.byte(of(execution.not_before.is_some(), NOT_BEFORE) | of(execution.valid_for.is_some(), VALID_FOR))?;
    if let Some(time) = execution.not_before {
        out.time(time)?;
    }
    execution.valid_for.map_or(Ok(()), |period| out.number(period.as_micros()))
}

pub(super) fn read(input: In<'_, '_>, extras: Extras) -> Read<Times> {
    if !extras.has(Field::Timing) {
        return Ok((None, None));
    }
    let fields = input.byte()?;
    if !(NOT_BEFORE..=NOT_BEFORE | VALID_FOR).contains(&fields) {
        return Err(input.fail(format!("there is no set of times {fields} of an execution")));
    }
    let not_before = if fields & NOT_BEFORE != 0 { Some(input.time()?) } else { None };
    let valid_for = if fields & VALID_FOR != 0 { Some(period(input)?) } else { None };
    Ok((not_before, valid_for))
}

pub(super) fn period(input: In<'_, '_>) -> Read<Period> {
    let micros = input.number()?;
    Period::of_micros(micros).ok_or_else(|| input.fail("a period of 0"))
}
