//! How often an execution is tried again, and the attempts that failed: a rare part of an execution.

use super::extras::Extras;
use super::read::{In, Read};
use super::write::Out;
use super::writer::Written;
use super::{charge, timing};
use crate::request::{Execution, FailedAttempts, RetryPolicy};
use crate::stored_format::gates::Field;

/// Which of the two there are.
const POLICY: u8 = 1;
const FAILED: u8 = 2;

/// The policy of a request, and its attempts that failed.
type Retries = (Option<RetryPolicy>, Option<Box<FailedAttempts>>);

pub(super) fn are_there(execution: &Execution) -> bool {
    execution.retry.is_some() || execution.failed_attempts.is_some()
}

pub(super) fn write<'d>(out: Out<'_, 'd>, execution: &'d Execution) -> Written {
    if !are_there(execution) {
        return Ok(());
    }
    let of = |has: bool, field: u8| if has { field } else { 0 };
    out.byte(of(execution.retry.is_some(), POLICY) | of(execution.failed_attempts.is_some(), FAILED))?;
    if let Some(policy) = execution.retry {
        out.number(policy.attempts().into())?;
        out.number(policy.first_pause().as_micros())?;
        out.number(policy.longest_pause().as_micros())?;
    }
    if let Some(attempts) = &execution.failed_attempts {
        out.charge(1, charge::DECISION)?;
        out.number(attempts.failed.into())?;
        out.number(attempts.allowed.into())?;
        out.time(attempts.last_at)?;
        out.text(&attempts.message)?;
        out.optional_text(attempts.code.as_deref())?;
        out.time(attempts.next_at)?;
    }
    Ok(())
}

pub(super) fn read(input: In<'_, '_>, extras: Extras) -> Read<Retries> {
    if !extras.has(Field::Retries) {
        return Ok((None, None));
    }
    let fields = input.byte()?;
    if !(POLICY..=POLICY | FAILED).contains(&fields) {
        return Err(input.fail(format!("there is no set of retries {fields} of an execution")));
    }
    let retry = if fields & POLICY != 0 { Some(policy(input)?) } else { None };
    let failed = if fields & FAILED != 0 { Some(Box::new(attempts(input)?)) } else { None };
    Ok((retry, failed))
}

fn policy(input: In<'_, '_>) -> Read<RetryPolicy> {
    let policy = RetryPolicy::new(input.small_number("attempts")?);
    let (first, longest) = (timing::period(input)?, timing::period(input)?);
    let policy = policy.and_then(|policy| policy.with_pauses(first, longest));
    input.valid(policy)
}

fn attempts(input: In<'_, '_>) -> Read<FailedAttempts> {
    input.charge(1, charge::DECISION)?;
    Ok(FailedAttempts {
        failed: input.small_number("failed attempts")?,
        allowed: input.small_number("allowed attempts")?,
        last_at: input.time()?,
        message: input.owned_text()?,
        code: input.optional_owned_text()?,
        next_at: input.time()?,
    })
}
