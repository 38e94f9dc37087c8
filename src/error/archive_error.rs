//! Why an archive cannot be written, read or imported.

use super::Error;
use crate::removal::Tombstone;
use crate::request::{Digest, IdComparison, RequestId, Revision};

/// Why an archive cannot be written, read or imported. Lines are counted from 1; in an archive of stored bytes a line is one
/// record.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A file cannot be read or written.
    #[error("{file} of the archive cannot be {}: {problem}; check the place and its permissions", done(*writing))]
    File {
        /// The name of the file in the archive.
        file: String,
        /// Whether it was to be written.
        writing: bool,
        /// What the system reported.
        problem: String,
    },
    /// The manifest is none, or contradicts itself.
    #[error("the manifest of the archive cannot be used: {problem}; restore the file, or export again")]
    Manifest {
        /// What is wrong with it.
        problem: String,
    },
    /// The export that wrote the archive did not end.
    #[error("the archive is not finished, {requests} requests are in it; resume its export with this manifest")]
    Unfinished {
        /// How many requests its finished files hold.
        requests: u64,
    },
    /// The export to be resumed was another one.
    #[error("the export cannot be resumed: {problem}; resume it with the same query and options, or begin a new one")]
    NotResumable {
        /// What differs.
        problem: String,
    },
    /// This release, or this build of it, does not know the format.
    #[error("{file} has a format that this program does not know: {problem}")]
    UnknownFormat {
        /// The file.
        file: String,
        /// What is not known, and what to do.
        problem: String,
    },
    /// The archive comes from a namespace that compares ids of people by another rule.
    #[error(
        "the archive holds requests that compare ids of people by the rule {archived:?}, and this store compares them by \
         {found:?}; import it into a store opened with fold_case({})", archived.folds_case()
    )]
    OtherLayout {
        /// The rule of the archive.
        archived: IdComparison,
        /// The rule of the store.
        found: IdComparison,
    },
    /// A file ends too early.
    #[error("{file} is cut off: it has {found} of {expected} bytes; restore the file")]
    Truncated {
        /// The file.
        file: String,
        /// How many bytes it had when it was written.
        expected: u64,
        /// How many it has.
        found: u64,
    },
    /// A file has changed since it was written.
    #[error("{file} has changed: its SHA-256 is {computed}, and was {recorded} when it was written; restore the file")]
    Checksum {
        /// The file.
        file: String,
        /// What the manifest says.
        recorded: Digest,
        /// What it is.
        computed: Digest,
    },
    /// A file does not hold as many requests as the manifest says.
    #[error("{file} holds {found} requests, and the manifest says {recorded}; one of the two is of another archive")]
    OtherCount {
        /// The file.
        file: String,
        /// What the manifest says.
        recorded: u64,
        /// How many there are.
        found: u64,
    },
    /// A line is no request.
    #[error("{file}, line {line}: {problem}; restore the file, or skip the line")]
    Line {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A line is over the limit.
    #[error(
        "{file}, line {line}: longer than {limit} bytes; raise the document limit of the archive, or skip the line"
    )]
    LineTooLong {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// How long a line may be.
        limit: u64,
    },
    /// The store cannot keep a request.
    #[error("{file}, line {line}: request {id} cannot be imported: {error}")]
    Rejected {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// The request.
        id: RequestId,
        /// Why not; the error of this one has its code.
        error: Box<Error>,
    },
    /// Another request has the id, or the same one at another revision.
    #[error(
        "{file}, line {line}: request {id} is stored with other content: {}; skip it, or import into another namespace",
        differing(stored, archived)
    )]
    Conflict {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// The request.
        id: RequestId,
        /// The revision in the archive.
        archived: Revision,
        /// The revision that is stored.
        stored: Revision,
    },
    /// The request was removed from the store.
    #[error(
        "{file}, line {line}: {tombstone}, and what was removed does not come back; skip it, or import into another namespace"
    )]
    Removed {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// What is left of the request.
        tombstone: Box<Tombstone>,
    },
}

const fn done(writing: bool) -> &'static str {
    if writing { "written" } else { "read" }
}

fn differing(stored: &Revision, archived: &Revision) -> String {
    if stored == archived {
        return "another document at the same revision".to_owned();
    }
    format!("revision {stored} instead of revision {archived}")
}

impl ArchiveError {
    pub(super) fn request(&self) -> Option<&RequestId> {
        match self {
            Self::Rejected { id, .. } | Self::Conflict { id, .. } => Some(id),
            Self::Removed { tombstone, .. } => Some(&tombstone.id),
            _ => None,
        }
    }
}
