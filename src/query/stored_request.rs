use std::fmt;

use super::Unreadable;
use crate::error::Error;
use crate::request::{Approval, MutationRequest, RequestId, Revision, check_approvals};
use crate::stored_format::{
    self, DocumentLimit, Excerpt, FormatError, IsWanted, PlacedDecision, approvals_of, decisions_of,
};

/// A request of a page as its store keeps it: id and revision at hand, the document decoded when it is asked for.
///
/// Decoding takes most of the time of a page. Whoever looks at few of its requests, or wants ids and revisions only, does
/// not pay for the others.
///
/// ```
/// # #[cfg(feature = "blocking")]
/// # fn list() -> Result<(), Box<dyn std::error::Error>> {
/// use mutator_governance::blocking::{MemoryStore, RequestQueries as _};
/// use mutator_governance::{PageRequest, RequestQuery};
///
/// // With Redis: RedisStore::builder("redis://127.0.0.1:6379").namespace("billing").open()?
/// let store = MemoryStore::new();
/// let page = store.stored_requests(&RequestQuery::pending_approval_queue(), &PageRequest::first())?;
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
    /// Stands behind so many other bytes.
    Encoded {
        bytes: Vec<u8>,
        begins_at: usize,
        limit: DocumentLimit,
        /// How many bytes all are when the document is not compressed.
        uncompressed_bytes: usize,
    },
    Decoded(Box<MutationRequest>),
}

impl StoredRequest {
    /// The request whose document, as [`stored_format::encode`] writes it, stands in `bytes` behind so many others; for those
    /// who write a store of their own.
    ///
    /// # Errors
    /// [`Unreadable`] when the bytes are not whole or of a newer version.
    pub fn encoded(
        id: RequestId,
        revision: Revision,
        bytes: Vec<u8>,
        begins_at: usize,
        limit: DocumentLimit,
    ) -> Result<Self, Unreadable> {
        match stored_format::check_envelope(bytes.get(begins_at..).unwrap_or_default(), limit) {
            Ok(uncompressed) => {
                let uncompressed_bytes = begins_at.saturating_add(uncompressed);
                let document = Document::Encoded { bytes, begins_at, limit, uncompressed_bytes };
                Ok(Self { id, revision, document })
            }
            Err(error) => Err(Unreadable::new(id, error)),
        }
    }

    /// The id under which the request is stored.
    pub const fn id(&self) -> &RequestId {
        &self.id
    }

    /// The revision that is stored.
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// How many bytes the stored request is when it is not compressed; nothing for one that is decoded.
    #[allow(dead_code, reason = "without the Redis store nothing asks")]
    pub(crate) const fn uncompressed_bytes(&self) -> usize {
        match self.document {
            Document::Encoded { uncompressed_bytes, .. } => uncompressed_bytes,
            Document::Decoded(_) => 0,
        }
    }

    /// The request. Decodes its document, each time anew; [`into_request`](Self::into_request) moves a decoded one out.
    ///
    /// # Errors
    /// [`Unreadable`] when the document is whole, as far as its checksum tells, and cannot be read all the same, or is that
    /// of another request. A store that decodes by itself has found that before.
    pub fn request(&self) -> Result<MutationRequest, Unreadable> {
        match &self.document {
            Document::Decoded(request) => Ok((**request).clone()),
            Document::Encoded { bytes, begins_at, limit, .. } => {
                let decoded = decode(bytes.get(*begins_at..).unwrap_or_default(), self.revision, *limit);
                decoded
                    .and_then(|request| check_id(&request.id, &self.id).map(|()| request))
                    .map_err(|error| Unreadable::new(self.id.clone(), error))
            }
        }
    }

    /// The request, as [`request`](Self::request) gives it.
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

/// Parts of a request without the rest of it: for the rows of a page, which show no more.
impl StoredRequest {
    /// Its approvals. Of those who decided them, kind and id are certain to be there, and nothing else is.
    ///
    /// # Errors
    /// [`Unreadable`] as far as [`request`](Self::request) would find it in these parts.
    pub(super) fn into_approvals(self) -> Result<Excerpt<Approval>, Unreadable> {
        match self.document {
            Document::Decoded(request) => Ok(approvals_of(request.into_document())),
            Document::Encoded { bytes, begins_at, limit, .. } => {
                let document = bytes.get(begins_at..).unwrap_or_default();
                let read = stored_format::decode_approvals(document, limit).and_then(|(head, approvals)| {
                    check_id(&head.id, &self.id)?;
                    check_approvals(&head.id, &head.state, &approvals).map_err(|error| malformed(&error))?;
                    Ok((head, approvals))
                });
                read.map_err(|error| Unreadable::new(self.id, error))
            }
        }
    }

    /// Those of its decisions that are wanted, each with its place in the history.
    ///
    /// # Errors
    /// As [`into_approvals`](Self::into_approvals).
    pub(super) fn into_decisions(self, is_wanted: IsWanted<'_>) -> Result<Excerpt<PlacedDecision>, Unreadable> {
        match self.document {
            Document::Decoded(request) => Ok(decisions_of(request.into_document(), is_wanted)),
            Document::Encoded { bytes, begins_at, limit, .. } => {
                let document = bytes.get(begins_at..).unwrap_or_default();
                let read = stored_format::decode_decisions(document, limit, is_wanted);
                let read = read.and_then(|read| check_id(&read.0.id, &self.id).map(|()| read));
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

/// The request of a document, in this revision.
pub(crate) fn decode(
    document: &[u8],
    revision: Revision,
    limit: DocumentLimit,
) -> Result<MutationRequest, FormatError> {
    MutationRequest::from_document(stored_format::decode(document, limit)?, revision).map_err(|error| malformed(&error))
}

fn malformed(error: &Error) -> FormatError {
    FormatError::Malformed { problem: error.to_string() }
}

/// Refuses the document of another request.
pub(crate) fn check_id(found: &RequestId, id: &RequestId) -> Result<(), FormatError> {
    if found != id {
        let problem = format!("the document is of request {found}, but is stored under {id}");
        return Err(FormatError::Malformed { problem });
    }
    Ok(())
}
