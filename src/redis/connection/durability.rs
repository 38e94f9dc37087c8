//! What a write waits for before it counts as done.

use std::fmt;
use std::time::Duration;

use redis::{Cmd, Value};
use serde::{Deserialize, Serialize};

use crate::error::{Outcome, StoreError, StoreErrorKind};
use crate::redis::connection::fault::{Effect, Fault};
use crate::request::{RequestId, Revision};
use crate::service::deadline::Deadline;

/// What a write waits for before its call returns.
///
/// A write that is not confirmed in time has still been applied. Its call then returns [`StoreErrorKind::Unconfirmed`]
/// with [`Outcome::Applied`](crate::Outcome::Applied), so a caller that needs more than
/// [`Acknowledged`](Self::Acknowledged) always learns that it is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "replicas", deny_unknown_fields)]
#[non_exhaustive]
pub enum Durability {
    /// The server has executed it. The server's persistence and replication decide what it survives.
    #[default]
    Acknowledged,
    /// This many replicas have it too, in memory (`WAIT`).
    Replicas(u32),
    /// It is on the disk of the server (`WAITAOF`); needs Redis 7.2 with `appendonly yes`.
    Fsynced,
}

/// The cause of a missing confirmation.
type Source = Option<Box<dyn std::error::Error + Send + Sync>>;

/// The answer to the wait, or why there is none.
pub(crate) type Confirmation = Result<Value, Fault>;

impl Durability {
    /// Whether there is anything to wait for.
    pub(crate) const fn waits(self) -> bool {
        !matches!(self, Self::Acknowledged | Self::Replicas(0))
    }

    /// The command that waits for the confirmation of this connection's writes, for most of the time left, because the
    /// answer must also arrive in time.
    pub(crate) fn wait(self, deadline: Deadline) -> Cmd {
        let time = deadline.remaining().unwrap_or_default().mul_f64(0.75).max(Duration::from_millis(1));
        self.command(true, time)
    }

    /// The same command for no confirmation, which checks whether the server has it and allows it.
    pub(crate) fn probe(self) -> Cmd {
        self.command(false, Duration::from_millis(1))
    }

    fn command(self, asks: bool, time: Duration) -> Cmd {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match self {
            Self::Fsynced => redis::cmd("WAITAOF").arg(u8::from(asks)).arg(0).arg(milliseconds).clone(),
            _ => redis::cmd("WAIT").arg(if asks { self.replicas() } else { 0 }).arg(milliseconds).clone(),
        }
    }

    const fn replicas(self) -> u32 {
        match self {
            Self::Replicas(count) => count,
            _ => 0,
        }
    }

    /// Reads the result of the wait, if there was one.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unconfirmed`] if fewer confirmed than required, or if no answer came: the write has been
    /// applied, whatever happened to the wait.
    pub(crate) fn confirm(
        self,
        found: Option<Confirmation>,
        id: &RequestId,
        revision: Revision,
    ) -> Result<(), StoreError> {
        let Some((shortfall, source)) = self.unconfirmed(found) else { return Ok(()) };
        let problem = format!(
            "request {id} was written as revision {}, but {shortfall}: it may be lost if the server fails now. Do not \
             repeat the command; check the server and its replicas, and read the request",
            revision.number
        );
        Err(StoreError { source, ..StoreError::new(StoreErrorKind::Unconfirmed, Outcome::Applied, problem) })
    }

    /// The same for a step of a call that does not go on without the confirmation; `step` names it.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if fewer confirmed than required, or if no answer came.
    pub(crate) fn confirm_step(self, found: Option<Confirmation>, step: &str) -> Result<(), StoreError> {
        let Some((shortfall, source)) = self.unconfirmed(found) else { return Ok(()) };
        let problem = format!(
            "the call ended because {step} may be lost: {shortfall}. Check the server and its replicas, and repeat the call"
        );
        Err(StoreError { source, ..StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, problem) })
    }

    /// What is missing, and its cause.
    fn unconfirmed(self, found: Option<Confirmation>) -> Option<(String, Source)> {
        match found? {
            Ok(found) => Some((self.shortfall(&found)?, None)),
            Err(fault) => {
                let error = fault.into_error(false, Effect::None);
                Some((format!("the confirmation failed: {error}"), error.source))
            }
        }
    }

    /// What is missing in the answer to the wait.
    fn shortfall(self, found: &Value) -> Option<String> {
        match (self, found) {
            (Self::Replicas(wanted), Value::Int(found)) if i64::from(wanted) > *found => {
                Some(format!("only {found} of {wanted} replicas confirmed it in time"))
            }
            (Self::Fsynced, Value::Array(found)) if found.first() == Some(&Value::Int(0)) => {
                Some("the server did not confirm in time that it is on its disk".to_owned())
            }
            (Self::Replicas(_), Value::Int(_)) | (Self::Fsynced, Value::Array(_)) => None,
            (_, other) => Some(format!("the server replied to the command for its confirmation with {other:?}")),
        }
    }

    /// The error for a server without the command to wait with.
    pub(crate) fn unavailable(self, error: StoreError) -> StoreError {
        if error.to_string().contains("unknown command") {
            let problem =
                format!("writes that wait for {self} need Redis 7.2 or newer; upgrade the server, or require less");
            return StoreError { source: error.source, ..crate::redis::connection::preflight::incompatible(problem) };
        }
        error
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledged => f.write_str("the server"),
            Self::Replicas(1) => f.write_str("1 replica"),
            Self::Replicas(count) => write!(f, "{count} replicas"),
            Self::Fsynced => f.write_str("the server's disk"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::WriteId;

    fn confirm(durability: Durability, found: Confirmation) -> Result<(), StoreError> {
        let revision = Revision { number: 3, write_id: WriteId::generate() };
        durability.confirm(Some(found), &RequestId::generate(), revision)
    }

    fn fsynced(local: i64) -> Value {
        Value::Array(vec![Value::Int(local), Value::Int(0)])
    }

    #[test]
    fn enough_confirmations_are_a_success() {
        for found in [1, 2] {
            confirm(Durability::Replicas(1), Ok(Value::Int(found))).unwrap();
        }
        confirm(Durability::Fsynced, Ok(fsynced(1))).unwrap();
    }

    #[test]
    fn too_few_are_an_error_whose_write_was_applied() {
        let answer = redis::parse_redis_value(b"-NOPERM no WAIT\r\n").and_then(Value::extract_error).unwrap_err();
        let rejected = Fault::command("here", answer);
        let late = Fault::deadline("here", Deadline::after(Duration::ZERO), Effect::None);
        for (durability, found, said) in [
            (Durability::Replicas(2), Ok(Value::Int(1)), "only 1 of 2 replicas"),
            (Durability::Fsynced, Ok(fsynced(0)), "on its disk"),
            (Durability::Replicas(1), Ok(Value::Nil), "replied"),
            (Durability::Fsynced, Err(rejected), "no WAIT"),
            (Durability::Fsynced, Err(late), "before the command could be sent"),
        ] {
            let error = confirm(durability, found).unwrap_err();
            assert_eq!((error.kind, error.outcome), (StoreErrorKind::Unconfirmed, Outcome::Applied));
            assert!(error.problem.contains(said) && error.problem.contains("revision 3"), "{error}");
        }
    }

    /// A time of 0 would mean no limit.
    #[test]
    fn waiting_is_limited_even_when_no_time_is_left() {
        let packed = Durability::Replicas(2).wait(Deadline::after(Duration::ZERO)).get_packed_command();
        assert_eq!(packed, b"*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$1\r\n1\r\n");
    }
}
