//! The service: what it works with, and how requests get into it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::applying::Changed;
use super::{Store, StoreExtension as _, dual};
use crate::error::{Error, InvalidValue, Outcome, Result, StoreError, StoreErrorKind};
use crate::request::{IdComparison, MutationRequest, RequestDraft, RequestId, WriteId};
use crate::service::clock::Clock;
use crate::service::on_conflict::{OnConflict, Rebases};
use crate::service::settle::{Settled, UnsettledWrite};
use crate::workflow;

/// The one handle of an application: submits requests, applies commands to them by the rules of
/// [`workflow`](crate::workflow), finds them again, and reads the change feed.
///
/// A command reads the request, is applied to it, and is stored if nobody else changed the request meanwhile. Cloning is
/// cheap and shares the store. Who acts is given as an actor context; the reason it
/// [holds](crate::ActorContext::because) is recorded as the reason of the decision.
#[derive(Clone)]
pub struct Governance {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    new_id: NewId,
    on_conflict: OnConflict,
    deadline: Duration,
}

/// Long enough for a hundred people who decide at once, and within the patience of most callers.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

type NewId = Arc<dyn Fn() -> RequestId + Send + Sync>;

/// Says what a [`Governance`] works with.
#[derive(Clone, Default)]
pub struct GovernanceBuilder<StoreSlot = ()> {
    store: StoreSlot,
    clock: Option<Arc<dyn Clock>>,
    new_id: Option<NewId>,
    on_conflict: OnConflict,
    deadline: Option<Duration>,
}

impl Governance {
    /// A service over a store that is still to be named.
    pub fn builder() -> GovernanceBuilder {
        GovernanceBuilder::default()
    }

    /// The store the service works with.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The clock the service takes the time from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The same service with another policy: `governance.on_conflict(OnConflict::Fail).cancel(…)`.
    #[must_use]
    pub fn on_conflict(&self, policy: OnConflict) -> Self {
        Self { on_conflict: policy, ..self.clone() }
    }

    pub(super) fn rebases(&self) -> Rebases {
        Rebases::new(self.on_conflict, self.deadline)
    }
}

impl<StoreSlot> GovernanceBuilder<StoreSlot> {
    /// Keeps requests in this store.
    pub fn store(self, store: Arc<dyn Store>) -> GovernanceBuilder<Arc<dyn Store>> {
        let Self { store: _, clock, new_id, on_conflict, deadline } = self;
        GovernanceBuilder { store, clock, new_id, on_conflict, deadline }
    }

    /// Takes the time from this clock, as it is. Defaults to the [clock of the store](Store::clock): in Redis the
    /// server's, so that hosts agree on the time whatever their own clocks say; of the memory store the host's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Takes the ids of requests whose drafts name none from here; version 7 UUIDs if nothing is said.
    #[must_use]
    pub fn ids(mut self, new_id: impl Fn() -> RequestId + Send + Sync + 'static) -> Self {
        self.new_id = Some(Arc::new(new_id));
        self
    }

    /// What commands do when somebody else changed the request meanwhile. Defaults to rebasing until the
    /// [deadline](Self::deadline).
    #[must_use]
    pub fn on_conflict(mut self, policy: OnConflict) -> Self {
        self.on_conflict = policy;
        self
    }

    /// Begins no further rebase of a command that has taken this long; its conflict is returned instead. A command then
    /// ends within this and the time of a few calls to the store, whose own timeout bounds each. Defaults to 30 s.
    ///
    /// The result of an execution is recorded without regard to it: what has happened is not left out.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

impl GovernanceBuilder<Arc<dyn Store>> {
    /// Makes sure that the store compares ids of people without regard to case (`true`), or exactly (`false`). A service goes by
    /// [its store](Store::id_comparison) in any case; this is for programs that must not run on another one.
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`] when it compares them otherwise.
    pub fn fold_case(self, fold_case: bool) -> Result<Self> {
        let (asked, found) = (IdComparison::folding(fold_case), self.store.id_comparison());
        if asked != found {
            let problem = format!(
                "the service is to compare ids of people by the rule {asked:?}, and its store compares them by {found:?}; open \
                 the store with fold_case({fold_case}), or build the service with fold_case({})",
                found.folds_case()
            );
            return Err(StoreError::new(StoreErrorKind::Incompatible, Outcome::NotApplied, problem).into());
        }
        Ok(self)
    }

    /// The service.
    pub fn build(self) -> Governance {
        Governance {
            clock: self.clock.unwrap_or_else(|| self.store.clock()),
            store: self.store,
            new_id: self.new_id.unwrap_or_else(|| Arc::new(RequestId::generate)),
            on_conflict: self.on_conflict,
            deadline: self.deadline.unwrap_or(DEFAULT_DEADLINE),
        }
    }
}

#[dual]
impl Governance {
    /// Submits a request.
    ///
    /// # Errors
    /// - [`Error::AlreadyExists`] when the draft names an id that is taken.
    /// - [`Error::InvalidApprovalConfiguration`] when its approval rules do not fit together.
    /// - [`Error::TooLarge`], [`Error::TooManyEntries`] and [`Error::Unwritable`] when the store cannot keep it.
    /// - [`Error::Store`] when the store fails; its [outcome](Error::outcome) tells whether the request was submitted.
    /// - [`Error::NotCommitMode`] when the requester's [mode](crate::ActorContext::mode) is another than `Commit`.
    pub async fn submit(&self, draft: RequestDraft) -> Result<MutationRequest> {
        self.store_draft(draft, WriteId::generate()).await
    }

    /// Submits a request under a write id of the caller's, so that a repetition, even by another process, submits it once.
    ///
    /// A repetition is the same id and the same [intent](crate::RequestDraft::write_intent): the same draft, where session, address,
    /// roles and the like of the requester may differ. It returns the request as it is stored now.
    ///
    /// # Errors
    /// As [`submit`](Self::submit), [`Error::WriteIdReused`] when the id was used on this request for another intent, and
    /// [`Error::Invalid`] when the draft does not name its id: a repetition would file another request.
    pub async fn submit_as(&self, draft: RequestDraft, write_id: WriteId) -> Result<MutationRequest> {
        let Some(id) = draft.id.clone() else {
            let problem = "is missing; name it in the draft, or a repetition would file another request";
            return Err(Error::from(InvalidValue::new("request id", problem)));
        };
        draft.requested_by.ensure_commit_mode()?;
        let write = UnsettledWrite { id, base: None, write_id, intent: Some(draft.write_intent()) };
        let submitted = self.store_draft(draft, write_id).await;
        self.unless_repeated(submitted.map(Changed::Stored), &write).await
    }

    async fn store_draft(&self, draft: RequestDraft, write_id: WriteId) -> Result<MutationRequest> {
        draft.requested_by.ensure_commit_mode()?;
        let now = self.refreshed_now().await?;
        let draft = draft.comparing_ids(self.store.id_comparison());
        let request = workflow::submit(draft, (self.new_id)(), write_id, now)?;
        self.store.create(request).await
    }

    /// What became of a write whose outcome an error left unknown; the error [names it](Error::unsettled_write).
    ///
    /// # Errors
    /// [`Error::NotFound`] when an update's request is not there, [`Error::WriteIdReused`] when the write's id was used for
    /// another intent, so that it did not take effect and cannot, and [`Error::Unreadable`] when what is stored cannot be read.
    pub async fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        self.store.settle_write(write).await
    }
}

impl fmt::Debug for Governance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governance").finish_non_exhaustive()
    }
}
