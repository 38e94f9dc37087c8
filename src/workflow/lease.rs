//! The minimum length of a lease, and how much of it has to be left to call the function.

use std::time::Duration;

use crate::command::{Action, Command};
use crate::error::{Error, ExecutionError, Result};
use crate::request::RequestId;

/// How much of a lease has to be left to call the function. It covers the drift of clocks between two reads of the
/// store's time, and a short pause of the process.
pub(crate) const LEASE_MARGIN: Duration = Duration::from_millis(500);

/// # Errors
/// [`ExecutionError::LeaseTooShort`] when the answer to the claim could come too late to use the rest of the lease.
pub(crate) fn check_lease(id: &RequestId, lease: Duration, call_timeout: Duration) -> Result<()> {
    let shortest = call_timeout.saturating_add(LEASE_MARGIN);
    if lease >= shortest {
        return Ok(());
    }
    let error = ExecutionError::LeaseTooShort { lease, call_timeout, shortest };
    Err(Error::Execution { id: id.clone(), error })
}

/// As `check_lease`, for the lease in a command, if any.
pub(crate) fn check_lease_of(id: &RequestId, command: &Command, call_timeout: Duration) -> Result<()> {
    match command.action {
        Action::Claim { lease, .. } => check_lease(id, lease, call_timeout),
        _ => Ok(()),
    }
}

/// Whether this much of a lease is enough to call the function.
pub(crate) fn lets_run(left: Duration) -> bool {
    left >= LEASE_MARGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_outlasts_the_longest_call_and_the_margin() {
        let id = RequestId::generate();
        let milliseconds = Duration::from_millis;
        for (lease, call_timeout) in [(2_500, 2_000), (500, 0), (60_000, 59_500)] {
            assert!(check_lease(&id, milliseconds(lease), milliseconds(call_timeout)).is_ok(), "{lease}");
        }
        let just_below = milliseconds(2_500).saturating_sub(Duration::from_nanos(1));
        for (lease, call_timeout) in [
            (just_below, milliseconds(2_000)),
            (milliseconds(400), milliseconds(2_000)),
            (Duration::from_micros(1), Duration::ZERO),
            (Duration::ZERO, Duration::ZERO),
            (Duration::from_secs(60 * 60), Duration::MAX),
        ] {
            let error = check_lease(&id, lease, call_timeout).unwrap_err();
            let Error::Execution { error, .. } = error else { panic!("{error}") };
            let shortest = call_timeout.saturating_add(LEASE_MARGIN);
            assert_eq!(error, ExecutionError::LeaseTooShort { lease, call_timeout, shortest });
        }
    }
}
