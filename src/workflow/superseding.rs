//! How one request supersedes another: what is checked and written in two documents, each by a write of its own.
//!
//! The superseding request announces it first ([`announce`]); then the other is superseded. An announcing request is
//! not superseded itself: whoever wants that withdraws its announcements ([`withdraw`]) and changes the revision of the
//! announced requests, so that no write prepared under a withdrawn announcement succeeds. So at the moment a request is
//! superseded, its successor is not, which the last write of a cycle would need.

use crate::error::{Error, Result, SupersedeError};
use crate::request::{MutationRequest, RequestId, RequestState, Supersession, Timestamp};

/// The request that is to supersede `id`, if it exists and is not superseded itself.
///
/// # Errors
/// [`Error::Supersede`] otherwise.
pub(crate) fn check_superseding(
    id: &RequestId,
    superseding: &RequestId,
    found: Option<MutationRequest>,
) -> Result<MutationRequest> {
    let not_allowed = |error| Err(Error::Supersede { id: id.clone(), error });
    let Some(found) = found else {
        return not_allowed(SupersedeError::Missing { superseding: superseding.clone() });
    };
    match &found.state {
        RequestState::Superseded { by } => {
            not_allowed(SupersedeError::Superseded { superseding: superseding.clone(), by: by.clone() })
        }
        _ => Ok(found),
    }
}

/// Whether this request announces that it supersedes the other.
pub(crate) fn is_announced(superseding: &MutationRequest, superseded: &RequestId) -> bool {
    superseding.execution.supersedes.iter().any(|said| said.request == *superseded && !said.withdrawn)
}

/// The request with the announcement that it supersedes the other.
#[must_use]
pub(crate) fn announce(mut superseding: MutationRequest, superseded: &RequestId, now: Timestamp) -> MutationRequest {
    let announcements = &mut superseding.edit().execution.supersedes;
    announcements.retain(|said| said.request != *superseded);
    announcements.push(Supersession { request: superseded.clone(), at: now, withdrawn: false });
    superseding
}

/// The requests that this one supersedes or is about to supersede.
pub(crate) fn announced(request: &MutationRequest) -> Vec<RequestId> {
    said_of(request, false)
}

/// The requests whose announcement was withdrawn.
pub(crate) fn withdrawn(request: &MutationRequest) -> Vec<RequestId> {
    said_of(request, true)
}

/// The request with its announcements about these withdrawn.
#[must_use]
pub(crate) fn withdraw(mut request: MutationRequest, open: &[RequestId]) -> MutationRequest {
    for said in &mut request.edit().execution.supersedes {
        said.withdrawn |= open.contains(&said.request);
    }
    request
}

fn said_of(request: &MutationRequest, withdrawn: bool) -> Vec<RequestId> {
    let said = request.execution.supersedes.iter().filter(|said| said.withdrawn == withdrawn);
    said.map(|said| said.request.clone()).collect()
}
