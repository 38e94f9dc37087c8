//! `Debug` of errors: what a program that ends with one prints.

use std::error::Error;
use std::fmt;

/// Writes the text of the error, and then each cause that this text does not name already.
pub(crate) fn write_with_causes(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut written = error.to_string();
    f.write_str(&written)?;
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !written.contains(&text) {
            write!(f, "\n  caused by: {text}")?;
            written.push_str(&text);
        }
        next = cause.source();
    }
    Ok(())
}

/// Implements `Debug` as the text of the error with its causes.
macro_rules! debug_as_sentence {
    ($($Error:ty),+ $(,)?) => {
        $(impl std::fmt::Debug for $Error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::error::sentence::write_with_causes(self, f)
            }
        })+
    };
}
pub(crate) use debug_as_sentence;

use super::{
    AmendmentError, ApprovalError, ArchiveError, Conflict, CorrectionError, ExecutionError, FormatError, InvalidValue,
    LayoutError, PolicyError, RemovalError, StoreError, SupersedeError, UnrecordedExecution,
};

debug_as_sentence!(
    ArchiveError,
    super::Error,
    AmendmentError,
    ApprovalError,
    Conflict,
    CorrectionError,
    ExecutionError,
    FormatError,
    InvalidValue,
    LayoutError,
    PolicyError,
    RemovalError,
    StoreError,
    SupersedeError,
    UnrecordedExecution,
);
