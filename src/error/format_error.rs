//! Why bytes are not a document, or a document cannot be written.

/// Why bytes cannot be read as a stored request, or a request cannot be written as bytes.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes do not begin like a stored request.
    #[error("these bytes were not written by mutator-governance; something else uses the key")]
    Foreign,
    /// There are fewer bytes than announced.
    #[error("cut off: {expected} bytes were announced, {found} are there; restore the value from a backup")]
    Truncated {
        /// The announced number of bytes.
        expected: usize,
        /// The actual number of bytes.
        found: usize,
    },
    /// The bytes are damaged.
    #[error("checksum mismatch: recorded {recorded:08x}, computed {computed:08x}; restore the value from a backup")]
    ChecksumMismatch {
        /// The checksum in the bytes.
        recorded: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// The header before the document does not belong to this request and this document.
    #[error(
        "the header of the record is damaged: its checksum does not fit; have it rebuilt from the document by \
         RedisStore::repair"
    )]
    DamagedHeader,
    /// A newer release wrote the bytes.
    #[error(
        "{part} version {found} is not supported, the newest known is {newest_supported}; upgrade mutator-governance here first"
    )]
    UnsupportedVersion {
        /// The part with the version.
        part: &'static str,
        /// The version found.
        found: u16,
        /// The newest version this release reads.
        newest_supported: u16,
    },
    /// The bytes use a feature that only a newer release knows.
    #[error("the flags {flags:#04x} are not known here; upgrade mutator-governance here first")]
    UnsupportedFlags {
        /// The unknown flags.
        flags: u8,
    },
    /// The document is over the limit.
    #[error("{size} {unit} are over the limit of {limit}; raise the document limit to read it")]
    OverLimit {
        /// Its size, or the size it announces.
        size: usize,
        /// What the size counts: the bytes that are stored, or those it takes in memory.
        unit: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The bytes are undamaged, but do not describe a request.
    #[error("malformed: {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
    /// The version to write cannot express something in the document.
    #[error(
        "format version {version} cannot hold the document: {problem}; write a newer format once every node reads it"
    )]
    NotExpressible {
        /// The version to write.
        version: u16,
        /// What it cannot express.
        problem: String,
    },
}

impl FormatError {
    pub(crate) fn malformed(problem: impl Into<String>) -> Self {
        Self::Malformed { problem: problem.into() }
    }
}
