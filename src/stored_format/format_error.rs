//! Why bytes are not a document, or a document cannot be written.

/// Why bytes cannot be read as a stored request, or a request cannot be written as bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes do not begin as ours do.
    #[error("these bytes were not written by mutator-governance; something else uses the key")]
    Foreign,
    /// The bytes end before what they announce.
    #[error("cut off: {expected} bytes were announced, {found} are there; restore the value from a backup")]
    Truncated {
        /// How many bytes were announced.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The bytes are not those that were written.
    #[error("checksum mismatch: recorded {recorded:08x}, computed {computed:08x}; restore the value from a backup")]
    ChecksumMismatch {
        /// The checksum that was written with them.
        recorded: u32,
        /// The checksum they have.
        computed: u32,
    },
    /// The header before the document is not the one that was written for this request and this document.
    #[error(
        "the header of the record is damaged: its checksum does not fit; have it rebuilt from the document by \
         RedisStore::repair"
    )]
    DamagedHeader,
    /// The bytes were written by a newer release.
    #[error(
        "{part} version {found} is not supported, the newest known is {newest_supported}; upgrade mutator-governance here first"
    )]
    UnsupportedVersion {
        /// What carries the version.
        part: &'static str,
        /// The version found.
        found: u16,
        /// The newest version this release reads.
        newest_supported: u16,
    },
    /// The bytes make use of something that only a newer release knows.
    #[error("the flags {flags:#04x} are not known here; upgrade mutator-governance here first")]
    UnsupportedFlags {
        /// The flags that are not known.
        flags: u8,
    },
    /// The document is larger than the limit.
    #[error("{size} {unit} are over the limit of {limit}; raise the document limit to read it")]
    OverLimit {
        /// How large it is, or claims to be.
        size: usize,
        /// What the size counts: the bytes that are stored, or those it takes in memory.
        unit: &'static str,
        /// How large it may be.
        limit: usize,
    },
    /// The bytes are whole, but do not describe a request.
    #[error("malformed: {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
    /// The document holds something that the version it is to be written in has no place for.
    #[error(
        "format version {version} cannot hold the document: {problem}; write a newer format once every node reads it"
    )]
    NotExpressible {
        /// The version it was to be written in.
        version: u16,
        /// What there is no place for.
        problem: String,
    },
}

impl FormatError {
    pub(super) fn malformed(problem: impl Into<String>) -> Self {
        Self::Malformed { problem: problem.into() }
    }
}
