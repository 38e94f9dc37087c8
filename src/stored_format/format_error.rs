/// Why bytes cannot be read as a stored request.
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
    /// The document is larger than the limit.
    #[error("{size} bytes are over the limit of {limit}; raise the document limit to read it")]
    OverLimit {
        /// How large it is, or claims to be.
        size: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The bytes are whole, but do not describe a request.
    #[error("malformed: {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
}
