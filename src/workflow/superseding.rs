//! How one request takes another's place: what is checked and written of two documents, each of which is written by itself.
//!
//! The request that takes the place says so first ([`announce`]); then the other is superseded. As long as the one says so it is
//! not superseded itself: whoever wants that withdraws what it says ([`withdraw`]) and changes the revision of those it was
//! said about, so that no write that was prepared under the withdrawn word succeeds. So at the moment a request is superseded
//! the one in its place is not, and the last write of a cycle would need just that.

use crate::error::{Error, Result, SupersedeError};
use crate::request::{MutationRequest, RequestId, RequestState, Supersession, Timestamp};

/// The one that is to take the place of `id`, if it is there and not superseded itself.
///
/// # Errors
/// [`Error::Supersede`] otherwise.
pub(crate) fn check_superseding(
    id: &RequestId,
    superseding: &RequestId,
    found: Option<MutationRequest>,
) -> Result<MutationRequest> {
    let refused = |problem| Err(Error::Supersede { id: id.clone(), problem: Box::new(problem) });
    let Some(found) = found else {
        return refused(SupersedeError::Missing { superseding: superseding.clone() });
    };
    match &found.state {
        RequestState::Superseded { by } => {
            refused(SupersedeError::Superseded { superseding: superseding.clone(), by: by.clone() })
        }
        _ => Ok(found),
    }
}

/// Whether this request says that it takes the place of the other.
pub(crate) fn is_announced(superseding: &MutationRequest, superseded: &RequestId) -> bool {
    superseding.execution.supersedes.iter().any(|said| said.request == *superseded && !said.withdrawn)
}

/// The request, saying that it takes the place of the other.
#[must_use]
pub(crate) fn announce(mut superseding: MutationRequest, superseded: &RequestId, now: Timestamp) -> MutationRequest {
    let announcements = &mut superseding.edit().execution.supersedes;
    announcements.retain(|said| said.request != *superseded);
    announcements.push(Supersession { request: superseded.clone(), at: now, withdrawn: false });
    superseding
}

/// Those whose place the request takes or is about to take.
pub(crate) fn announced(request: &MutationRequest) -> Vec<RequestId> {
    said_of(request, false)
}

/// Those of which it is said no more.
pub(crate) fn withdrawn(request: &MutationRequest) -> Vec<RequestId> {
    said_of(request, true)
}

/// The request, not saying any more that it takes the place of these.
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
