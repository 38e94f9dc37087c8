//! How a call can fail, and with which exit code.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use mutator_governance::{Error, ErrorKind};

/// The end of `--help`.
pub(crate) const EXIT_CODES: &str = "Exit codes:
   0  done
   1  a check found something, or a part failed
   2  the command line or the configuration is wrong
   3  not confirmed: nothing was changed
   4  a file or the output cannot be read or written
  10  not found             15  the store is unavailable
  11  invalid value         16  whether it took effect is unknown
  12  not allowed           17  what is stored is corrupt
  13  conflict              18  misconfigured
  14  busy, try later       19  internal error
 130  interrupted; says how to go on";

/// Why a call ended without doing everything.
pub(crate) enum Failure {
    /// The library's error.
    Library(Box<Error>),
    /// A check found something, or a part of the work failed; it has been printed.
    Incomplete(String),
    /// The command line or the configuration is wrong.
    Usage(String),
    /// Nobody confirmed the change.
    NotConfirmed(String),
    /// A file, or the output.
    File(String),
    /// There is no such thing.
    NotFound(String),
    /// Somebody interrupted it.
    Interrupted(String),
    /// Whoever reads the output has gone, as `head` does.
    OutputClosed,
}

impl Failure {
    pub(crate) fn usage(problem: impl Into<String>) -> Self {
        Self::Usage(problem.into())
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::File(format!("{}: {error}", path.display()))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Incomplete(_) => 1,
            Self::Usage(_) => 2,
            Self::NotConfirmed(_) => 3,
            Self::File(_) => 4,
            Self::NotFound(_) => 10,
            Self::Interrupted(_) => 130,
            Self::OutputClosed => 0,
            Self::Library(error) => code_of(error.kind()),
        })
    }
}

const fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::NotFound => 10,
        ErrorKind::Invalid => 11,
        ErrorKind::NotAllowed => 12,
        ErrorKind::Conflict => 13,
        ErrorKind::Busy => 14,
        ErrorKind::Unavailable => 15,
        ErrorKind::UnknownOutcome => 16,
        ErrorKind::Corrupt => 17,
        ErrorKind::Misconfigured => 18,
        _ => 19,
    }
}

/// The command that does what the error asks for in terms of the library.
fn command_for(code: &str) -> Option<&'static str> {
    match code {
        "layout.older" | "layout.rebuilding" => Some("mutatorctl reindex"),
        "layout.repartitioning" => Some("mutatorctl repartition"),
        "store.corrupt" => Some("mutatorctl verify, then mutatorctl repair"),
        _ => None,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(error) => match command_for(error.code()) {
                Some(command) => write!(f, "{error} [{}]; here: {command}", error.code()),
                None => write!(f, "{error} [{}]", error.code()),
            },
            Self::Incomplete(text)
            | Self::Usage(text)
            | Self::NotConfirmed(text)
            | Self::File(text)
            | Self::NotFound(text)
            | Self::Interrupted(text) => f.write_str(text),
            Self::OutputClosed => Ok(()),
        }
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Library(Box::new(error.into()))
    }
}

/// A failure of the output; files have [`Failure::file`].
pub(crate) fn of_output(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::File(format!("the output cannot be written: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_code_of_its_own_and_help_lists_it() {
        let kinds = [
            ErrorKind::NotFound,
            ErrorKind::Invalid,
            ErrorKind::NotAllowed,
            ErrorKind::Conflict,
            ErrorKind::Busy,
            ErrorKind::Unavailable,
            ErrorKind::UnknownOutcome,
            ErrorKind::Corrupt,
            ErrorKind::Misconfigured,
            ErrorKind::Internal,
        ];
        let codes: std::collections::BTreeSet<u8> = kinds.into_iter().map(code_of).collect();
        assert_eq!(codes.len(), kinds.len());
        for code in codes {
            assert!(EXIT_CODES.contains(&format!(" {code}  ")), "{code} is not in the help");
        }
    }
}
