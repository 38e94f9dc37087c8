use super::Fingerprint;
use crate::error::InvalidValue;
use crate::request::{RequestDocument, RequestId, StateId, Timestamp};

use super::PageRequest;

/// A list of requests that every store keeps ready, in the order of creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// The pending ones.
    Pending,
    /// Those that would change a state.
    State(StateId),
    /// The pending ones that would change a state.
    PendingInState(StateId),
}

impl Listing {
    /// Whether a request is on the list.
    pub(crate) fn holds(&self, document: &RequestDocument) -> bool {
        let is_pending = document.state.pending().is_some();
        match self {
            Self::Pending => is_pending,
            Self::State(state) => document.target.state_id == *state,
            Self::PendingInState(state) => is_pending && document.target.state_id == *state,
        }
    }

    /// What a cursor over the list is bound to. `store` tells stores apart that do not hold the same requests.
    pub(crate) fn fingerprint(&self, store: &str) -> Fingerprint {
        let (name, state): (&str, &str) = match self {
            Self::Pending => ("pending", ""),
            Self::State(state) => ("state", state.as_str()),
            Self::PendingInState(state) => ("pending in state", state.as_str()),
        };
        Fingerprint::of(&[store.as_bytes(), name.as_bytes(), state.as_bytes()])
    }
}

/// Created order, as bytes that sort the same way: the time, then the id.
pub(crate) fn created_order(created_at: Timestamp, id: &RequestId) -> Vec<u8> {
    [&created_at.as_micros().to_be_bytes(), id.as_str().as_bytes()].concat()
}

/// Refuses more ids than a page may have.
pub(crate) fn check_id_count(ids: &[RequestId]) -> Result<(), InvalidValue> {
    if ids.len() > PageRequest::MAX_LIMIT {
        let problem = format!("are {}; at most {} are looked up at once", ids.len(), PageRequest::MAX_LIMIT);
        return Err(InvalidValue::new("request ids", problem));
    }
    Ok(())
}
