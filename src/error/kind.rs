//! The kinds of errors, by what a program does about them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a program does about an error. The [page about errors](crate::guide::errors) says which code has which kind.
///
/// Read from JSON, a kind that only a newer release knows is [`Internal`](Self::Internal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ErrorKind {
    /// What the call names does not exist. Do not repeat it.
    NotFound,
    /// The call itself is wrong: a value, or how it was put together. Correct it.
    Invalid,
    /// This actor may not do it, now or later. Somebody else may.
    NotAllowed,
    /// The request stands otherwise than the call assumes. Read it again and decide anew.
    Conflict,
    /// Somebody is at it right now, or its time has not come. Repeat the call later: see [`retry_after`](crate::Error::retry_after).
    Busy,
    /// The store cannot serve now, and nothing was written. Repeat the call later.
    Unavailable,
    /// The write took effect or may have, or may not last. Do not repeat the call plainly:
    /// [`Outcome::Unknown`](crate::Outcome::Unknown) says how to go on.
    UnknownOutcome,
    /// What is stored is damaged or contradicts itself. An operator has to repair or restore it.
    Corrupt,
    /// This program or the server is not set up as it has to be. An operator has to correct that.
    Misconfigured,
    /// A bug in a store or a clock.
    #[serde(other)]
    Internal,
}

impl ErrorKind {
    /// The kind as it is written: its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::Invalid => "Invalid",
            Self::NotAllowed => "NotAllowed",
            Self::Conflict => "Conflict",
            Self::Busy => "Busy",
            Self::Unavailable => "Unavailable",
            Self::UnknownOutcome => "UnknownOutcome",
            Self::Corrupt => "Corrupt",
            Self::Misconfigured => "Misconfigured",
            Self::Internal => "Internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
