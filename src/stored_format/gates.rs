//! The versions of the format, and the parts that not all of them have.
//!
//! A field or kind of a later version than the first has a row in [`GATES`]; the versions follow from these rows. A
//! writer rejects parts whose gate is closed, a reader gives their default.

use std::fmt;

use super::{FormatError, envelope};

/// The gates, in the order of versions.
const GATES: &[Gate] = &[
    Gate { since: FIRST, opens: Part::Field(Field::Batch) },
    Gate { since: 2, opens: Part::Kind("decision kind", 40) },
    Gate { since: 2, opens: Part::Kind("decision kind", 128) },
    Gate { since: 2, opens: Part::Field(Field::ActingFor) },
    Gate { since: 2, opens: Part::Field(Field::Reasons) },
    Gate { since: 2, opens: Part::Field(Field::ApproverLimits) },
    Gate { since: 2, opens: Part::Kind("reason rule", 0) },
    Gate { since: 2, opens: Part::Kind("reason rule", 1) },
    Gate { since: 2, opens: Part::Kind("reason rule", 2) },
    Gate { since: 2, opens: Part::Kind("decision kind", 41) },
    Gate { since: 2, opens: Part::Kind("decision kind", 42) },
    Gate { since: 2, opens: Part::Kind("decision kind", 43) },
    Gate { since: 2, opens: Part::Kind("decision kind", 44) },
    Gate { since: 2, opens: Part::Field(Field::Mandatory) },
    Gate { since: 2, opens: Part::Field(Field::Delegation) },
    Gate { since: 2, opens: Part::Field(Field::Escalation) },
    Gate { since: 2, opens: Part::Kind("decision kind", 9) },
    Gate { since: 2, opens: Part::Kind("pending reason", 6) },
    Gate { since: 2, opens: Part::Kind("link relation", 4) },
    Gate { since: 2, opens: Part::Kind("link relation", 5) },
    Gate { since: 2, opens: Part::Kind("decision kind", 99) },
    Gate { since: 2, opens: Part::Kind("pending reason", 7) },
    Gate { since: 2, opens: Part::Field(Field::Timing) },
    Gate { since: 2, opens: Part::Field(Field::ApprovalPeriod) },
    Gate { since: 2, opens: Part::Field(Field::Participants) },
    Gate { since: 2, opens: Part::Field(Field::Retries) },
    Gate { since: 2, opens: Part::Field(Field::UniqueKey) },
    Gate { since: 2, opens: Part::Field(Field::Chain) },
];

const FIRST: u16 = 1;

/// The version from which bodies have a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    pub(super) since: u16,
    pub(super) opens: Part,
}

/// A part of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Field(Field),
    /// A variant without data, by the name of its enum and its number.
    Kind(&'static str, u8),
}

/// A field that a version may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Of a compensation's plan, and of the links it makes.
    Batch,
    /// Of an actor: one of its rare parts.
    ActingFor,
    /// Of an approval: one of its rare parts.
    Reasons,
    /// Of a document: one of its rare parts.
    ApproverLimits,
    /// Of a document: one of its rare parts.
    Participants,
    UniqueKey,
    /// Of an approval: one of its rare parts.
    Mandatory,
    /// Of an approval: one of its rare parts.
    Delegation,
    /// Of an approval: one of its rare parts.
    Escalation,
    /// Of an execution: one of its rare parts.
    Timing,
    /// Of an approval: one of its rare parts.
    ApprovalPeriod,
    /// Of an execution: one of its rare parts.
    Retries,
    /// Of a document: one of its rare parts.
    Chain,
}

/// All versions there are.
#[derive(Clone, Copy)]
pub(super) struct Format(&'static [Gate]);

/// One version, and its closed gates.
#[derive(Clone, Copy)]
pub(crate) struct Version {
    pub(super) number: u16,
    closed: &'static [Gate],
}

impl Format {
    pub(super) const CURRENT: Self = Self::of(GATES);

    /// The format to read and write.
    #[cfg(not(test))]
    pub(super) const fn current() -> Self {
        Self::CURRENT
    }

    /// The format to read and write; a test may set a later one for its thread.
    #[cfg(test)]
    pub(super) fn current() -> Self {
        super::gates_tests::STAND_IN.get().unwrap_or(Self::CURRENT)
    }

    /// The format with these gates, which must be in the order of versions, with none left out.
    pub(super) const fn of(gates: &'static [Gate]) -> Self {
        let (mut rest, mut reached) = (gates, FIRST);
        while let [gate, behind @ ..] = rest {
            assert!(gate.since == reached || gate.since == reached + 1, "gates are in the order of versions");
            (rest, reached) = (behind, gate.since);
        }
        Self(gates)
    }

    pub(super) const fn newest(self) -> u16 {
        match self.0.last() {
            Some(gate) => gate.since,
            None => FIRST,
        }
    }

    pub(super) fn versions(self) -> impl Iterator<Item = Version> {
        (FIRST..=self.newest()).map(move |number| self.at(number))
    }

    /// The version with this number.
    pub(super) fn version(self, number: u16) -> Result<Version, FormatError> {
        if (FIRST..=self.newest()).contains(&number) {
            return Ok(self.at(number));
        }
        Err(envelope::unknown_version("schema", number, self.newest()))
    }

    fn at(self, number: u16) -> Version {
        let open = self.0.partition_point(|gate| gate.since <= number);
        Version { number, closed: self.0.get(open..).unwrap_or_default() }
    }
}

impl Version {
    #[inline]
    pub(super) fn has(self, part: Part) -> bool {
        self.gate_before(part).is_none()
    }

    /// Rejects a part that this version lacks; `name` is its name in the error.
    #[inline]
    pub(super) fn check(self, part: Part, name: impl fmt::Display) -> Result<(), FormatError> {
        let Some(gate) = self.gate_before(part) else { return Ok(()) };
        let problem = format!("it has {name}, which came with version {}", gate.since);
        Err(FormatError::NotExpressible { version: self.number, problem })
    }

    fn gate_before(self, part: Part) -> Option<&'static Gate> {
        self.closed.iter().find(|gate| gate.opens == part)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Batch => "the batch of a compensation",
            Self::ActingFor => "an actor who acts for another",
            Self::Reasons => "an approval that demands a reason",
            Self::ApproverLimits => "limits on its approvers",
            Self::Participants => "named participants",
            Self::UniqueKey => "a unique key",
            Self::Mandatory => "a mandatory approval",
            Self::Delegation => "a delegated approval",
            Self::Escalation => "an approval that escalates",
            Self::Timing => "a time before which it is not executed, or a validity",
            Self::ApprovalPeriod => "an approval that expires after a duration",
            Self::Retries => "retries of its execution",
            Self::Chain => "the chain of its history",
        })
    }
}
