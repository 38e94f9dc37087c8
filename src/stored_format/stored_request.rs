//! A request as its store keeps it, decoded on demand.

use std::fmt;

use super::{DocumentLimit, Excerpt, FormatError, Head, Unreadable};
use crate::request::{IdComparison, MutationRequest, RequestId, Revision, Timestamp};

/// A request of a page as its store keeps it: with id and revision, and a document that is decoded on demand.
///
/// Decoding takes most of the time of a page. A caller that looks at few of its requests, or needs only ids and
/// revisions, does not pay for the others.
///
/// ```
/// # #[cfg(feature = "blocking")]
/// # fn list() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use mutator_governance::blocking::{Governance, MemoryStore};
/// use mutator_governance::{PageRequest, RequestQuery};
///
/// // With Redis: RedisStore::builder("redis://127.0.0.1:6379").namespace("billing").open()?
/// let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
/// let page = governance.stored_requests(&RequestQuery::pending_approval_queue(), &PageRequest::first())?;
/// for stored in page.items {
///     println!("{} at revision {}", stored.id(), stored.revision().number);
///     if stored.id() == "req-1" {
///         println!("  {}", stored.into_request()?.intent.operation);
///     }
/// }
/// # Ok(())
/// # }
/// # #[cfg(feature = "blocking")]
/// # list().unwrap();
/// ```
#[derive(Clone)]
pub struct StoredRequest {
    id: RequestId,
    revision: Revision,
    document: Document,
}

#[derive(Clone)]
enum Document {
    /// Begins after this many other bytes.
    Encoded {
        bytes: Vec<u8>,
        begins_at: usize,
        limit: DocumentLimit,
        ids: IdComparison,
        /// The total number of uncompressed bytes.
        uncompressed_bytes: usize,
        /// When the request was created, as the store says beside the document.
        created: Option<Timestamp>,
    },
    Decoded(Box<MutationRequest>),
}

impl StoredRequest {
    /// The request with the document in `bytes`, as [`encode`](super::encode) writes it, after this many other bytes,
    /// and with ids of people compared by the store's rule; for those who write a store.
    ///
    /// # Errors
    /// [`Unreadable`] if the bytes are damaged or of a newer version.
    pub fn encoded(
        id: RequestId,
        revision: Revision,
        bytes: Vec<u8>,
        begins_at: usize,
        limit: DocumentLimit,
        ids: IdComparison,
    ) -> Result<Self, Unreadable> {
        match super::check_envelope(bytes.get(begins_at..).unwrap_or_default(), limit) {
            Ok(uncompressed) => {
                let uncompressed_bytes = begins_at.saturating_add(uncompressed);
                let document = Document::Encoded { bytes, begins_at, limit, ids, uncompressed_bytes, created: None };
                Ok(Self { id, revision, document })
            }
            Err(error) => Err(Unreadable::new(id, error)),
        }
    }

    /// The same, of which its store says beside the document when the request was created.
    #[cfg(feature = "redis")]
    pub(crate) fn recorded_as_created(mut self, at: Option<Timestamp>) -> Self {
        if let Document::Encoded { created, .. } = &mut self.document {
            *created = at;
        }
        self
    }

    /// When the request was created, where that is known without decoding its document.
    #[cfg(feature = "redis")]
    pub(crate) fn created(&self) -> Option<Timestamp> {
        match &self.document {
            Document::Encoded { created, .. } => *created,
            Document::Decoded(request) => Some(request.created_at),
        }
    }

    /// The id under which the request is stored.
    pub const fn id(&self) -> &RequestId {
        &self.id
    }

    /// The stored revision.
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// What its store keeps before the document; nothing of a decoded one.
    #[cfg(feature = "redis")]
    pub(crate) fn before_document(&self) -> &[u8] {
        match &self.document {
            Document::Encoded { bytes, begins_at, .. } => bytes.get(..*begins_at).unwrap_or_default(),
            Document::Decoded(_) => &[],
        }
    }

    /// The bytes of the document; `None` if it is already decoded.
    #[cfg(any(feature = "archive", feature = "redis"))]
    pub(crate) fn document_bytes(&self) -> Option<&[u8]> {
        match &self.document {
            Document::Encoded { bytes, begins_at, .. } => bytes.get(*begins_at..),
            Document::Decoded(_) => None,
        }
    }

    /// The uncompressed number of bytes of the stored request; 0 if it is already decoded.
    #[allow(dead_code, reason = "without the Redis store nothing asks")]
    pub(crate) const fn uncompressed_bytes(&self) -> usize {
        match self.document {
            Document::Encoded { uncompressed_bytes, .. } => uncompressed_bytes,
            Document::Decoded(_) => 0,
        }
    }

    /// The request. Decodes the document at each call; [`into_request`](Self::into_request) returns a decoded one
    /// without a copy.
    ///
    /// # Errors
    /// [`Unreadable`] when the document is whole, as far as its checksum tells, and cannot be read all the same, is that of
    /// another request, or was created at another time than the record says beside it. A store that decodes by
    /// itself has found that before.
    pub fn request(&self) -> Result<MutationRequest, Unreadable> {
        match &self.document {
            Document::Decoded(request) => Ok((**request).clone()),
            Document::Encoded { bytes, begins_at, limit, ids, created, .. } => {
                let decoded = decode_request(bytes.get(*begins_at..).unwrap_or_default(), self.revision, *limit, *ids);
                let request = decoded
                    .and_then(|request| check_id(&request.id, &self.id).map(|()| request))
                    .map_err(|error| Unreadable::new(self.id.clone(), error))?;
                if created.is_some_and(|created| created != request.created_at) {
                    return Err(Unreadable::stray(self.id.clone()));
                }
                Ok(request)
            }
        }
    }

    /// The request, as from [`request`](Self::request).
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn into_request(self) -> Result<MutationRequest, Unreadable> {
        match self.document {
            Document::Decoded(request) => Ok(*request),
            Document::Encoded { .. } => self.request(),
        }
    }
}

impl StoredRequest {
    /// A part of the request, for the rows of a page.
    ///
    /// # Errors
    /// [`Unreadable`] if the part cannot be read, or belongs to another request.
    pub(crate) fn into_excerpt<E: Excerpt>(self, excerpt: E) -> Result<(Head, E::Parts), Unreadable> {
        match self.document {
            Document::Decoded(request) => Ok(excerpt.of(request.into_document())),
            Document::Encoded { bytes, begins_at, limit, ids, .. } => {
                let read = super::decode_excerpt(bytes.get(begins_at..).unwrap_or_default(), limit, excerpt);
                let read = read.and_then(|(head, parts)| {
                    check_id(&head.id, &self.id)?;
                    Ok((Head { id_comparison: ids, ..head }, parts))
                });
                read.map_err(|error| Unreadable::new(self.id, error))
            }
        }
    }
}

impl From<MutationRequest> for StoredRequest {
    fn from(request: MutationRequest) -> Self {
        Self { id: request.id.clone(), revision: request.revision(), document: Document::Decoded(Box::new(request)) }
    }
}

impl fmt::Debug for StoredRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRequest").field("id", &self.id).field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// The request of a document, at this revision, with this rule for comparing ids of people.
pub(crate) fn decode_request(
    document: &[u8],
    revision: Revision,
    limit: DocumentLimit,
    ids: IdComparison,
) -> Result<MutationRequest, FormatError> {
    MutationRequest::from_document(super::decode(document, limit)?, revision)
        .map(|request| request.comparing_ids(ids))
        .map_err(|error| FormatError::Malformed { problem: error.to_string() })
}

/// Rejects the document of another request.
pub(crate) fn check_id(found: &RequestId, id: &RequestId) -> Result<(), FormatError> {
    if found != id {
        let problem = format!("the document is of request {found}, but is stored under {id}");
        return Err(FormatError::Malformed { problem });
    }
    Ok(())
}
