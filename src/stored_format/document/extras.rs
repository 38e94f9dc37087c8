//! Rare parts, which take no byte where there are none: bit 7 of a byte that is there anyway marks them, and each has a
//! bit of the byte after it.

use super::kinds::Numbered;
use super::reader::{Failed, Reader};
use super::writer::{Writer, Written};
use crate::stored_format::gates::{Field, Part};

/// Marks a byte that rare parts follow.
const MARK: u8 = 0x80;

/// The bit of a rare part among those of its place.
const fn bit(field: Field) -> u8 {
    match field {
        Field::ActingFor | Field::Reasons | Field::ApproverLimits | Field::Timing => 1,
        Field::Mandatory | Field::Retries | Field::UniqueKey => 2,
        Field::Delegation => 4,
        Field::Escalation | Field::Chain => 8,
        Field::ApprovalPeriod | Field::Participants => 16,
        Field::Batch => 0,
    }
}

/// The rare parts that follow at one place.
#[derive(Clone, Copy, Default)]
pub(super) struct Extras(u8);

impl Extras {
    pub(super) const fn of(parts: &[(Field, bool)]) -> Self {
        let (mut bits, mut rest) = (0, parts);
        while let [(field, is_there), others @ ..] = rest {
            if *is_there {
                bits |= bit(*field);
            }
            rest = others;
        }
        Self(bits)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn has(self, field: Field) -> bool {
        self.0 & bit(field) != 0
    }
}

impl Writer<'_> {
    /// A byte below 128, then which of these parts follow if any does.
    pub(super) fn byte_and(&mut self, byte: u8, parts: &[(Field, bool)]) -> Written {
        let Extras(bits) = Extras::of(parts);
        if bits == 0 {
            return self.byte(byte);
        }
        for (field, _) in parts.iter().filter(|(_, is_there)| *is_there) {
            self.check(*field)?;
        }
        self.byte(byte | MARK)?;
        self.byte(bits)
    }
}

impl Reader<'_> {
    /// A byte below 128, and which of these parts follow.
    #[inline]
    pub(super) fn byte_and(&mut self, parts: &[Field]) -> Result<(u8, Extras), Failed> {
        let byte = self.byte()?;
        if byte & MARK == 0 {
            return Ok((byte, Extras::default()));
        }
        Ok((byte & !MARK, self.extras(parts)?))
    }

    /// A variant without data, and which of these parts follow.
    #[inline]
    pub(super) fn kind_and<T: Numbered>(&mut self, parts: &[Field]) -> Result<(T, Extras), Failed> {
        let (number, extras) = self.byte_and(parts)?;
        Ok((self.kind_of(number)?, extras))
    }

    fn extras(&mut self, parts: &[Field]) -> Result<Extras, Failed> {
        let bits = self.byte()?;
        let known = parts.iter().filter(|field| self.version().has(Part::Field(**field)));
        let known = known.fold(0, |known, field| known | bit(*field));
        if bits == 0 || bits & !known != 0 {
            return Err(self.fail(format!("the rare parts {bits:#x} are none of this version")));
        }
        Ok(Extras(bits))
    }
}
