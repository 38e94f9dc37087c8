use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::{Payload, StateVersion, Target};

/// A SHA-256 digest of what a request would do: its payload, its target and the state version it was written for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Every part goes in behind its length, so that no two requests with different parts give the same bytes.
    pub(crate) fn of(payload: Option<&Payload>, target: &Target, version: Option<&StateVersion>) -> Self {
        let mut sha = sha2::Sha256::new();
        let mut part = |bytes: Option<&[u8]>| match bytes {
            None => sha.update([0]),
            Some(bytes) => {
                sha.update([1]);
                sha.update((bytes.len() as u64).to_be_bytes());
                sha.update(bytes);
            }
        };
        part(Some(b"mutator-governance digest 1"));
        part(payload.map(|payload| payload.content_type().as_bytes()));
        part(payload.map(Payload::bytes));
        part(Some(target.state_id.as_str().as_bytes()));
        part(Some(target.state_type.as_str().as_bytes()));
        part(Some(target.mutation_type.as_str().as_bytes()));
        part(version.map(|version| version.as_str().as_bytes()));
        Self(sha.finalize().into())
    }
}

impl fmt::Display for Digest {
    /// Lower-case hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
