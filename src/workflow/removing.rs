//! Which requests may be removed, and what stays of one.

use std::collections::BTreeSet;

use super::owes_link;
use crate::error::{Error, RemovalError, Result};
use crate::feed::FeedActor;
use crate::removal::{Removal, Tombstone};
use crate::request::{ExecutionKind, MutationRequest, RequestId, RequestState, Timestamp, Value};

/// The requests that this one names: it compensates, follows or supersedes them, or they do so with it. A request that
/// names an open one cannot be removed.
pub fn linked_requests(request: &MutationRequest) -> BTreeSet<&RequestId> {
    let execution = &request.execution;
    let mut linked: BTreeSet<&RequestId> = execution.links.iter().map(|link| &link.request).collect();
    linked.extend(execution.supersedes.iter().filter(|it| !it.withdrawn).map(|it| &it.request));
    linked.extend(execution.resubmits.iter().chain(&execution.resubmitted_as).map(|it| &it.request));
    if let ExecutionKind::Compensation(plan) = &execution.kind {
        linked.insert(&plan.compensates);
    }
    if let RequestState::Superseded { by } = &request.state {
        linked.insert(by);
    }
    linked.remove(&request.id);
    linked
}

/// Why nobody can remove the request as it is, whatever the requests are that it names.
///
/// # Errors
/// [`RemovalError::NotTerminal`] and [`RemovalError::OnHold`].
pub fn check_removable(request: &MutationRequest) -> Result<()> {
    let status = request.state.status();
    let error = if !status.is_terminal() {
        RemovalError::NotTerminal { status }
    } else if is_on_hold(request) {
        RemovalError::OnHold
    } else {
        return Ok(());
    };
    Err(Error::Removal { id: request.id.clone(), error })
}

/// Whether its own metadata or that of its intent holds the request.
fn is_on_hold(request: &MutationRequest) -> bool {
    let holds = [&request.metadata, &request.intent.metadata];
    holds.iter().any(|metadata| metadata.get(Removal::LEGAL_HOLD) == Some(&Value::from(true)))
}

/// The tombstone of a request that may be removed as far as the request itself says; `linked` are those of its
/// [linked requests](linked_requests) that exist.
pub(crate) fn remove<'a>(
    request: &MutationRequest,
    removal: &Removal,
    linked: impl IntoIterator<Item = &'a MutationRequest>,
    now: Timestamp,
) -> Result<Tombstone> {
    let by = removal.by();
    by.ensure_commit_mode()?;
    let not_allowed = |error| Err(Error::Removal { id: request.id.clone(), error });
    if by.id.is_none() {
        return not_allowed(RemovalError::Anonymous);
    }
    check_removable(request)?;
    for other in linked {
        let (linked, status) = (other.id.clone(), other.state.status());
        if !status.is_terminal() {
            return not_allowed(RemovalError::LinkedToOpen { linked, status });
        } else if owes_link(other, request) {
            return not_allowed(RemovalError::CompensationNotLinked { original: linked });
        }
    }
    let removed_at = now.max(request.updated_at);
    Ok(Tombstone::new(request, FeedActor::from(&**by), removed_at, removal.archive().cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ActorContext, Intent, Metadata, RequestDraft, Target, WriteId};
    use crate::workflow::{self, Command};

    fn submitted(id: &str, metadata: Metadata) -> MutationRequest {
        let target = Target::new("s", "State", "Change").unwrap();
        let draft = RequestDraft::new(target, Intent::new("change", "Test").unwrap(), rita()).with_metadata(metadata);
        workflow::submit(draft, RequestId::new(id).unwrap(), WriteId::generate(), Timestamp::now()).unwrap()
    }

    fn rita() -> ActorContext {
        ActorContext::user("rita").unwrap()
    }

    fn canceled(id: &str, metadata: Metadata) -> MutationRequest {
        workflow::apply(submitted(id, metadata), &Command::cancel(rita()), Timestamp::now()).unwrap()
    }

    fn error_of(result: Result<Tombstone>) -> &'static str {
        result.unwrap_err().code()
    }

    #[test]
    fn only_a_terminal_request_without_a_hold_is_removed_and_by_somebody() {
        let (removal, now) = (Removal::new(rita()), Timestamp::now());
        let nothing = Metadata::new();
        let open = submitted("open", nothing.clone());
        assert_eq!(error_of(remove(&open, &removal, [], now)), "removal.not_terminal");
        let held = canceled("held", nothing.clone().with(Removal::LEGAL_HOLD, true).unwrap());
        assert_eq!(error_of(remove(&held, &removal, [], now)), "removal.on_hold");
        let released = canceled("released", nothing.clone().with(Removal::LEGAL_HOLD, false).unwrap());
        assert!(remove(&released, &removal, [], now).is_ok());
        let ended = canceled("ended", nothing);
        let nobody = Removal::new(ActorContext::system());
        assert_eq!(error_of(remove(&ended, &nobody, [], now)), "removal.anonymous");
        assert_eq!(error_of(remove(&ended, &removal, [&released, &open], now)), "removal.linked_to_open");
        let tombstone = remove(&ended, &removal, [&released], now).unwrap();
        assert!(tombstone.is_of(&ended) && !tombstone.is_of(&released), "{tombstone}");
        let mut other = ended.document().clone();
        other.intent.description = Some("something else".to_owned());
        let other = MutationRequest::from_document(other, ended.revision()).unwrap();
        assert!(!tombstone.is_of(&other));
    }

    #[test]
    fn a_successor_is_linked_in_both_directions() {
        let now = Timestamp::now();
        let old = canceled("old", Metadata::new());
        let draft = workflow::resubmission_draft(&old, workflow::Amendment::new(), rita(), now).unwrap();
        let new = workflow::submit(draft, RequestId::new("new").unwrap(), WriteId::generate(), now).unwrap();
        let linked: Vec<&str> = linked_requests(&new).into_iter().map(RequestId::as_str).collect();
        assert_eq!(linked, ["old"]);
    }
}
