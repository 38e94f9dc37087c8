//! Reads of which parts are missing.

use crate::error::{Outcome, StoreError, StoreErrorKind};
use crate::query::MissingPartition;

/// Checks that not everything is missing: such a result would look like that of an empty store.
///
/// # Errors
/// [`StoreErrorKind::Unavailable`] if as many partitions are missing as were asked.
pub(crate) fn check_some_answered<'a>(
    missing: impl IntoIterator<Item = &'a MissingPartition>,
    asked: impl Into<usize>,
) -> Result<(), StoreError> {
    let missing: Vec<&MissingPartition> = missing.into_iter().collect();
    match missing.first() {
        Some(first) if missing.len() >= asked.into() => {
            let problem = format!("no partition answers; the first of them: {}", first.problem);
            Err(StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, problem))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_missing_is_no_error_and_everything_is() {
        let missing = [0, 1].map(|partition| MissingPartition::new(partition, "h:1", "connection refused"));
        assert!(check_some_answered(&missing, 3_usize).is_ok());
        assert!(check_some_answered(&[], 2_usize).is_ok());
        let error = check_some_answered(&missing, 2_usize).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert!(error.problem.contains("connection refused"), "{error}");
    }
}
