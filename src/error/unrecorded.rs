//! An execution whose result could not be recorded.

use std::fmt;

use super::Error;
use crate::command::Command;
use crate::request::{ClaimId, RequestId};

/// An execution that has run, and whose result only this value holds.
#[non_exhaustive]
pub struct UnrecordedExecution {
    /// The request.
    pub id: RequestId,
    /// The claim it was executed under.
    pub claim: ClaimId,
    /// The command that records the result, for `Governance::apply`.
    pub record: Command,
    /// The request that it compensates, if any. The command does not link that request: executing this one again does,
    /// and runs nothing once the result is recorded.
    pub compensates: Option<RequestId>,
    /// Why it could not be recorded.
    pub error: Error,
}

impl UnrecordedExecution {
    /// An execution under this claim whose result `record` could not record, for this reason.
    pub const fn new(id: RequestId, claim: ClaimId, record: Command, error: Error) -> Self {
        Self { id, claim, record, compensates: None, error }
    }

    /// The same execution, which compensates this request.
    #[must_use]
    pub fn compensating(mut self, original: RequestId) -> Self {
        self.compensates = Some(original);
        self
    }
}

impl fmt::Display for UnrecordedExecution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, claim, compensates, error, .. } = self;
        write!(
            f,
            "request {id} was executed under claim {claim}, but its result could not be recorded: {error}. Apply the \
             command in this error before the lease ends; from then on somebody else may execute the request again. If \
             that fails because the claim is lost, the result was recorded after all, or somebody has taken over: read \
             the request"
        )?;
        match compensates {
            Some(original) => write!(
                f,
                ". Once it is recorded, execute it again: that runs nothing and links request {original}, which it \
                 compensates"
            ),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnrecordedExecution {
    /// What the backend reported: the text says the rest.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
