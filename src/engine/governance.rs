use std::fmt;
use std::sync::Arc;

use super::{RequestStore, dual};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::query::{Lookup, Page, PageRequest};
use crate::request::{
    ActorContext, ApprovalId, MutationRequest, Pending, Rejection, RequestDraft, RequestId, StateId, WriteId,
};
use crate::workflow::{self, Command};

/// Files requests, and moves them on by the rules of [`workflow`](crate::workflow): reads the request, applies a command
/// to it, and stores the result if nobody else changed it meanwhile.
///
/// Cloning is cheap and shares the store. Who acts is given as an actor context; the reason it
/// [holds](ActorContext::because) is recorded as the reason of the decision.
#[derive(Clone)]
pub struct Governance {
    store: Arc<dyn RequestStore>,
    clock: Arc<dyn Clock>,
}

/// Says what a [`Governance`] works with.
#[derive(Clone, Default)]
pub struct GovernanceBuilder<Store = ()> {
    store: Store,
    clock: Option<Arc<dyn Clock>>,
}

impl Governance {
    /// A service over a store that is still to be named.
    pub fn builder() -> GovernanceBuilder {
        GovernanceBuilder::default()
    }

    /// The store the service works with.
    pub fn store(&self) -> &Arc<dyn RequestStore> {
        &self.store
    }
}

impl<Store> GovernanceBuilder<Store> {
    /// Keeps requests in this store.
    pub fn store(self, store: Arc<dyn RequestStore>) -> GovernanceBuilder<Arc<dyn RequestStore>> {
        GovernanceBuilder { store, clock: self.clock }
    }

    /// Takes the time from this clock; from the system's if nothing is said.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }
}

impl GovernanceBuilder<Arc<dyn RequestStore>> {
    /// The service.
    pub fn build(self) -> Governance {
        Governance { store: self.store, clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)) }
    }
}

#[dual]
impl Governance {
    /// Files a request.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when the draft names an id that is taken, and
    /// [`Error::InvalidApprovalConfiguration`] when its approval rules do not fit together.
    pub async fn submit(&self, draft: RequestDraft) -> Result<MutationRequest> {
        self.submit_as(draft, WriteId::generate()).await
    }

    /// Files a request under a write id of the caller's, so that a repetition, even by another process, files it once.
    ///
    /// The draft has to name its id for that.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn submit_as(&self, draft: RequestDraft, write_id: WriteId) -> Result<MutationRequest> {
        let request = workflow::file(draft, RequestId::generate(), write_id, self.clock.now())?;
        self.store.create(request).await
    }

    /// The request with this id, if there is one.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when what is stored cannot be read.
    pub async fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        self.store.get(id).await
    }

    /// The requests with these ids, at most [`PageRequest::MAX_LIMIT`], in the order of the ids.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there are more ids.
    pub async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.store.get_many(ids).await
    }

    /// Pending requests, by the time they were filed, then by id.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`] when the page goes on from a cursor of another query.
    pub async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.store.pending(page).await
    }

    /// Requests that would change this state, by the time they were filed, then by id.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`] when the page goes on from a cursor of another query.
    pub async fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.store.by_state(state, page).await
    }

    /// Pending requests that would change this state, by the time they were filed, then by id.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`] when the page goes on from a cursor of another query.
    pub async fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.store.pending_by_state(state, page).await
    }

    /// Applies a command to the request with this id and stores the result.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such request; [`Error::InvalidTransition`] and [`Error::Approval`] when the
    /// command is not allowed; [`Error::Conflict`] when somebody else changed the request meanwhile.
    pub async fn apply(&self, id: &RequestId, command: &Command) -> Result<MutationRequest> {
        let Some(request) = self.store.get(id).await? else {
            return Err(Error::NotFound { id: id.clone() });
        };
        let changed = workflow::apply(request, command, self.clock.now())?;
        self.store.update(changed, WriteId::generate()).await
    }

    /// Lets a created or approved request wait.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn hold(
        &self,
        id: &RequestId,
        by: impl Into<Arc<ActorContext>> + Send,
        pending: impl Into<Pending> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::hold(by, pending)).await
    }

    /// Approves a request directly. One with unmet approvals is refused.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn approve(&self, id: &RequestId, by: impl Into<Arc<ActorContext>> + Send) -> Result<MutationRequest> {
        self.apply(id, &Command::approve(by)).await
    }

    /// Rejects a request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn reject(&self, id: &RequestId, by: impl Into<Arc<ActorContext>> + Send) -> Result<MutationRequest> {
        self.apply(id, &Command::reject(by)).await
    }

    /// Withdraws a request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn cancel(&self, id: &RequestId, by: impl Into<Arc<ActorContext>> + Send) -> Result<MutationRequest> {
        self.apply(id, &Command::cancel(by)).await
    }

    /// Expires a pending request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn expire(&self, id: &RequestId, by: impl Into<Arc<ActorContext>> + Send) -> Result<MutationRequest> {
        self.apply(id, &Command::expire(by)).await
    }

    /// Puts another request in a request's place.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn supersede(
        &self,
        id: &RequestId,
        by: impl Into<Arc<ActorContext>> + Send,
        superseding: RequestId,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::supersede(by, superseding)).await
    }

    /// Grants one approval of a request. The last one that was missing approves the request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn grant(
        &self,
        id: &RequestId,
        approval: &ApprovalId,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::grant(by, approval.clone())).await
    }

    /// Refuses one approval of a request, which rejects the request.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn refuse(
        &self,
        id: &RequestId,
        approval: &ApprovalId,
        by: impl Into<Arc<ActorContext>> + Send,
        rejection: Option<Rejection>,
    ) -> Result<MutationRequest> {
        self.apply(id, &Command::refuse(by, approval.clone(), rejection)).await
    }
}

impl fmt::Debug for Governance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governance").finish_non_exhaustive()
    }
}
