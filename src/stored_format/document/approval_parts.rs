//! The rare parts of an approval, which follow its decider: reasons, mandatory, delegation, escalation, period.

use std::time::Duration;

use super::extras::Extras;
use super::read::{self, In, Read};
use super::reader::Reader;
use super::write::{self, Out};
use super::writer::Written;
use super::{charge, timing};
use crate::request::{Approval, Delegation, Escalation, Period, ReasonRule};
use crate::stored_format::gates::Field;

pub(super) const PARTS: &[Field] =
    &[Field::Reasons, Field::Mandatory, Field::Delegation, Field::Escalation, Field::ApprovalPeriod];

/// The rare parts of one approval.
#[derive(Default)]
pub(super) struct RareParts {
    pub(super) reasons: ReasonRule,
    pub(super) mandatory: bool,
    pub(super) delegation: Option<Box<Delegation>>,
    pub(super) escalation: Option<Box<Escalation>>,
    pub(super) expires_after: Option<Period>,
}

pub(super) fn of(approval: &Approval) -> [(Field, bool); 5] {
    [
        (Field::Reasons, !approval.reasons.is_default()),
        (Field::Mandatory, approval.mandatory),
        (Field::Delegation, approval.delegation.is_some()),
        (Field::Escalation, approval.escalation.is_some()),
        (Field::ApprovalPeriod, approval.expires_after.is_some()),
    ]
}

pub(super) fn write<'d>(out: Out<'_, 'd>, approval: &'d Approval) -> Written {
    if !approval.reasons.is_default() {
        out.kind(approval.reasons)?;
    }
    if let Some(delegation) = &approval.delegation {
        write_delegation(out, delegation)?;
    }
    if let Some(escalation) = &approval.escalation {
        out.charge(1, charge::APPROVAL)?;
        out.number(u64::try_from(escalation.after.as_micros()).unwrap_or(u64::MAX))?;
        write::target(out, &escalation.to)?;
        out.optional_time(escalation.at)?;
        out.flag(escalation.recorded)?;
        out.flag(escalation.delegation.is_some())?;
        if let Some(delegation) = &escalation.delegation {
            write_delegation(out, delegation)?;
        }
    }
    approval.expires_after.map_or(Ok(()), |period| out.number(period.as_micros()))
}

fn write_delegation<'d>(out: Out<'_, 'd>, delegation: &'d Delegation) -> Written {
    out.charge(1, charge::APPROVAL)?;
    write::target(out, &delegation.from)?;
    out.count(delegation.by.len(), charge::LINK)?;
    delegation.by.iter().try_for_each(|by| out.text(by.as_str()))?;
    out.text(delegation.to.as_str())
}

#[inline]
pub(super) fn read(input: In<'_, '_>, extras: Extras) -> Read<RareParts> {
    if extras.is_empty() { Ok(RareParts::default()) } else { read_some(input, extras) }
}

fn read_some(input: In<'_, '_>, extras: Extras) -> Read<RareParts> {
    let has = |field| extras.has(field);
    Ok(RareParts {
        reasons: if has(Field::Reasons) { input.kind()? } else { ReasonRule::default() },
        mandatory: has(Field::Mandatory),
        delegation: if has(Field::Delegation) { Some(Box::new(delegation(input)?)) } else { None },
        escalation: if has(Field::Escalation) { Some(Box::new(escalation(input)?)) } else { None },
        expires_after: if has(Field::ApprovalPeriod) { Some(timing::period(input)?) } else { None },
    })
}

fn delegation(input: In<'_, '_>) -> Read<Delegation> {
    input.charge(1, charge::APPROVAL)?;
    Ok(Delegation { from: read::target(input)?, by: read::list(input, charge::LINK, Reader::name)?, to: input.name()? })
}

fn escalation(input: In<'_, '_>) -> Read<Escalation> {
    input.charge(1, charge::APPROVAL)?;
    Ok(Escalation {
        after: Duration::from_micros(input.number()?),
        to: read::target(input)?,
        at: input.optional_time()?,
        recorded: input.flag()?,
        delegation: if input.flag()? { Some(Box::new(delegation(input)?)) } else { None },
    })
}

/// Skips the parts; `names` skips a set of names.
pub(super) fn pass<'a>(input: In<'_, 'a>, extras: Extras, names: impl Fn(In<'_, 'a>) -> Read<()>) -> Read<()> {
    if extras.has(Field::Reasons) {
        input.byte()?;
    }
    let delegation = |input: In<'_, 'a>| {
        (0..3).try_for_each(|_| names(input))?;
        names(input)?;
        input.text().map(drop)
    };
    if extras.has(Field::Delegation) {
        delegation(input)?;
    }
    if extras.has(Field::Escalation) {
        input.number()?;
        (0..3).try_for_each(|_| names(input))?;
        input.optional_time()?;
        input.flag()?;
        if input.flag()? {
            delegation(input)?;
        }
    }
    if extras.has(Field::ApprovalPeriod) {
        input.number()?;
    }
    Ok(())
}
