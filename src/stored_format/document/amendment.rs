//! The fields of an approval that few have: that it is mandatory, was delegated or escalates. They follow an approval
//! whose decider is marked, so that others cost no byte more.

use std::time::Duration;

use super::charge;
use super::read::{self, In, Read};
use super::write::{Out, target as write_target};
use super::writer::Written;
use crate::request::{Approval, Delegation, Escalation};

/// Added to the number of the decider.
pub(super) const MARK: u8 = 0x80;

const MANDATORY: u8 = 1;
const DELEGATED: u8 = 2;
const ESCALATES: u8 = 4;

/// Which of the fields the approval has.
fn fields_of(approval: &Approval) -> u8 {
    let of = |has: bool, field: u8| if has { field } else { 0 };
    of(approval.mandatory, MANDATORY)
        | of(approval.delegation.is_some(), DELEGATED)
        | of(approval.escalation.is_some(), ESCALATES)
}

pub(super) fn is_marked(approval: &Approval) -> bool {
    fields_of(approval) != 0
}

pub(super) fn write<'d>(out: Out<'_, 'd>, approval: &'d Approval) -> Written {
    out.charge(1, charge::APPROVAL)?;
    out.byte(fields_of(approval))?;
    if let Some(delegation) = &approval.delegation {
        write_target(out, &delegation.from)?;
        out.count(delegation.by.len(), charge::LINK)?;
        delegation.by.iter().try_for_each(|by| out.text(by.as_str()))?;
        out.text(delegation.to.as_str())?;
    }
    if let Some(escalation) = &approval.escalation {
        out.number(u64::try_from(escalation.after.as_micros()).unwrap_or(u64::MAX))?;
        write_target(out, &escalation.to)?;
        out.optional_time(escalation.at)?;
        out.flag(escalation.recorded)?;
    }
    Ok(())
}

pub(super) fn read(input: In<'_, '_>, approval: &mut Approval) -> Read<()> {
    input.charge(1, charge::APPROVAL)?;
    let fields = fields(input)?;
    approval.mandatory = fields & MANDATORY != 0;
    if fields & DELEGATED != 0 {
        let from = read::target(input)?;
        let by = read::list(input, charge::LINK, |input| input.name())?;
        approval.delegation = Some(Box::new(Delegation { from, by, to: input.name()? }));
    }
    if fields & ESCALATES != 0 {
        let after = Duration::from_micros(input.number()?);
        let (to, at, recorded) = (read::target(input)?, input.optional_time()?, input.flag()?);
        approval.escalation = Some(Box::new(Escalation { after, to, at, recorded }));
    }
    Ok(())
}

/// Skips the fields.
pub(super) fn pass(input: In<'_, '_>, names: impl Fn(In<'_, '_>) -> Read<()>) -> Read<()> {
    let target = |input: In<'_, '_>| (0..3).try_for_each(|_| names(input));
    let fields = fields(input)?;
    if fields & DELEGATED != 0 {
        target(input)?;
        names(input)?;
        input.text()?;
    }
    if fields & ESCALATES != 0 {
        input.number()?;
        target(input)?;
        input.optional_time()?;
        input.flag()?;
    }
    Ok(())
}

fn fields(input: In<'_, '_>) -> Read<u8> {
    match input.byte()? {
        fields @ 1..=7 => Ok(fields),
        other => Err(input.fail(format!("there is no set of fields {other} of an approval"))),
    }
}
