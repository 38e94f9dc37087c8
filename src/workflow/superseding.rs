//! How one request takes another's place: what is checked and written of two documents, each of which is written by itself.
//!
//! The request that takes the place says so first ([`announce`]); then the other is superseded. As long as the one says so it is
//! not superseded itself: whoever wants that withdraws what it says ([`withdraw`]) and changes the revision of those it was
//! said about, so that no write that was prepared under the withdrawn word succeeds. So at the moment a request is superseded
//! the one in its place is not, and the last write of a cycle would need just that.

use crate::error::{Error, Result, SupersedeError};
use crate::request::{ExecutionLink, LinkRelation, MutationRequest, RequestId, RequestState};

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
    superseding.execution.links.contains(&link(LinkRelation::Supersedes, superseded))
}

/// The request, saying that it takes the place of the other.
#[must_use]
pub(crate) fn announce(mut superseding: MutationRequest, superseded: &RequestId) -> MutationRequest {
    let links = &mut superseding.edit().execution.links;
    links.retain(|known| *known != link(LinkRelation::WasToSupersede, superseded));
    links.push(link(LinkRelation::Supersedes, superseded));
    superseding
}

/// Those whose place the request takes or is about to take, in pieces that can be looked up at once.
pub(crate) fn announced(request: &MutationRequest) -> Vec<RequestId> {
    with_relation(request, LinkRelation::Supersedes)
}

/// Those whose place it was about to take.
pub(crate) fn withdrawn(request: &MutationRequest) -> Vec<RequestId> {
    with_relation(request, LinkRelation::WasToSupersede)
}

/// The request, not saying any more that it takes the place of these.
#[must_use]
pub(crate) fn withdraw(mut request: MutationRequest, open: &[RequestId]) -> MutationRequest {
    for link in &mut request.edit().execution.links {
        if link.relation == LinkRelation::Supersedes && open.contains(&link.request) {
            link.relation = LinkRelation::WasToSupersede;
        }
    }
    request
}

fn with_relation(request: &MutationRequest, relation: LinkRelation) -> Vec<RequestId> {
    let links = request.execution.links.iter().filter(|link| link.relation == relation);
    links.map(|link| link.request.clone()).collect()
}

fn link(relation: LinkRelation, request: &RequestId) -> ExecutionLink {
    ExecutionLink { relation, request: request.clone() }
}
