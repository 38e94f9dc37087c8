//! What stays of a removed request.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::ArchiveName;
use crate::feed::FeedActor;
use crate::request::{Digest, MutationRequest, RequestId, Revision, Status, Timestamp, canonical_bytes};

/// What stays of a removed request: enough to say that there was one, who removed it, and whether an archived copy is that
/// one. It stays for as long as the namespace, so that no id is used twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Tombstone {
    /// The id of the request.
    pub id: RequestId,
    /// Its last revision.
    pub revision: Revision,
    /// Its last status, which is terminal.
    pub status: Status,
    /// A SHA-256 over all of the request: see [`is_of`](Self::is_of).
    pub digest: Digest,
    /// When it was removed, by the clock of the service.
    pub removed_at: Timestamp,
    /// Who removed it.
    pub removed_by: FeedActor,
    /// Where it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveName>,
}

impl Tombstone {
    /// The tombstone of a request. Whoever makes one has checked that the request may be removed.
    pub(crate) fn new(
        request: &MutationRequest,
        removed_by: FeedActor,
        removed_at: Timestamp,
        archive: Option<ArchiveName>,
    ) -> Self {
        Self {
            id: request.id.clone(),
            revision: request.revision(),
            status: request.state.status(),
            digest: digest_of(request),
            removed_at,
            removed_by,
            archive,
        }
    }

    #[cfg(feature = "redis")]
    pub(crate) fn stored(
        (id, revision): (RequestId, Revision),
        (status, digest): (Status, Digest),
        (removed_by, removed_at): (FeedActor, Timestamp),
        archive: Option<ArchiveName>,
    ) -> Self {
        Self { id, revision, status, digest, removed_at, removed_by, archive }
    }

    /// Whether this is the request that was removed, unchanged: the proof that an archive holds what the store held.
    pub fn is_of(&self, request: &MutationRequest) -> bool {
        request.id == self.id && request.revision() == self.revision && digest_of(request) == self.digest
    }
}

/// Over all fields in their canonical form, the revision included; no store and no format changes it.
fn digest_of(request: &MutationRequest) -> Digest {
    Digest::from_bytes(sha2::Sha256::digest(canonical_bytes(request)).into())
}

impl fmt::Display for Tombstone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, status, removed_at, removed_by, archive, .. } = self;
        write!(f, "request {id} ({status}) was removed at {removed_at} by {}", removed_by.label())?;
        match archive {
            Some(archive) => write!(f, "; it is archived in {archive}"),
            None => f.write_str("; it was not archived"),
        }
    }
}
