//! Conflicts: what another write changed meanwhile.

use crate::request::{Decision, MutationRequest, RequestId, Revision, Status};

/// What became of a request while an update of it was computed.
#[derive(Clone, thiserror::Error)]
#[error(
        "request {id} was changed meanwhile: the update was computed from revision {expected}, but revision {actual} \
         is stored, {status}, with {} further decision(s); read it again and decide anew", .decisions_since.len()
)]
#[non_exhaustive]
pub struct Conflict {
    /// The request.
    pub id: RequestId,
    /// The revision the update was computed from.
    pub expected: Revision,
    /// The revision that is stored.
    pub actual: Revision,
    /// The status that is stored.
    pub status: Status,
    /// The stored decisions that the update did not know of.
    pub decisions_since: Vec<Decision>,
    /// The request as it is stored.
    pub stored: MutationRequest,
    /// Whether the command behind the update is allowed on what is stored too, so that it can simply be repeated;
    /// `None` for an update without a command.
    pub commutes: Option<bool>,
}

impl Conflict {
    /// The conflict between an update and what is stored.
    pub fn between(update: &MutationRequest, stored: &MutationRequest) -> Self {
        let same = |(ours, theirs): &(&Decision, &Decision)| ours == theirs;
        let known = update.decisions.iter().zip(&stored.decisions).take_while(same).count();
        Self {
            id: update.id.clone(),
            expected: update.revision(),
            actual: stored.revision(),
            status: stored.state.status(),
            decisions_since: stored.decisions.iter().skip(known).cloned().collect(),
            stored: stored.clone(),
            commutes: None,
        }
    }
}
