//! The service, its builder, and the submission of requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::applying::Changed;
use super::waiting::WaiterGroups;
use super::{Store, StoreExtension as _, dual};
use crate::error::{Error, InvalidValue, Outcome, Result, StoreError, StoreErrorKind};
use crate::proof::{self, SealKeys};
use crate::request::UnsettledWrite;
use crate::request::{IdComparison, MutationRequest, RequestDraft, RequestId, Salt, WriteId};
use crate::service::clock::Clock;
use crate::service::demands::Demands;
use crate::service::on_conflict::{OnConflict, Rebases};
use crate::service::settle::Settled;

/// The one handle of an application: submits requests, applies commands to them by the rules of
/// [`workflow`](crate::workflow), finds them again, and reads the change feed.
///
/// A command reads the request, changes it, and stores it if nobody else changed it meanwhile. Cloning is cheap and
/// shares the store. An actor context says who acts; the reason it [holds](crate::ActorContext::because) becomes the
/// reason of the decision. A method that takes the id of a request, an approval or a state, or a version, takes it owned,
/// borrowed or as text ([`IntoId`](crate::IntoId)), and returns [`Error::Invalid`] for text that is no id.
#[derive(Clone)]
pub struct Governance {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    new_id: NewId,
    on_conflict: OnConflict,
    deadline: Duration,
    pub(super) demands: Demands,
    pub(super) waiting: Arc<WaiterGroups>,
    pub(super) keys: Option<Arc<SealKeys>>,
}

/// Long enough for a hundred concurrent deciders, and short enough for most callers.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

type NewId = Arc<dyn Fn() -> RequestId + Send + Sync>;

/// Configures a [`Governance`].
#[derive(Clone, Default)]
pub struct GovernanceBuilder<StoreSlot = ()> {
    store: StoreSlot,
    clock: Option<Arc<dyn Clock>>,
    new_id: Option<NewId>,
    on_conflict: OnConflict,
    deadline: Option<Duration>,
    demands: Demands,
    keys: Option<Arc<SealKeys>>,
}

impl Governance {
    /// A builder of a service; it still needs a store.
    pub fn builder() -> GovernanceBuilder {
        GovernanceBuilder::default()
    }

    /// The store the service works with.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The clock that gives the service its time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The same service with another policy: `governance.on_conflict(OnConflict::Fail).cancel(…)`.
    #[must_use]
    pub fn on_conflict(&self, policy: OnConflict) -> Self {
        Self { on_conflict: policy, ..self.clone() }
    }

    /// An id for a draft without one.
    pub(super) fn new_id(&self) -> RequestId {
        (self.new_id)()
    }

    /// A request to create, sealed if there are keys.
    pub(super) fn sealed_new(&self, request: MutationRequest) -> MutationRequest {
        match &self.keys {
            Some(keys) => proof::seal_new(request, keys),
            None => request,
        }
    }

    /// A changed request, sealed if there are keys.
    pub(super) fn sealed(&self, request: MutationRequest) -> MutationRequest {
        match &self.keys {
            Some(keys) => proof::seal(request, keys),
            None => request,
        }
    }

    pub(super) fn rebases(&self) -> Rebases {
        Rebases::new(self.on_conflict, self.deadline)
    }
}

impl<StoreSlot> GovernanceBuilder<StoreSlot> {
    /// Keeps requests in this store.
    pub fn store(self, store: Arc<dyn Store>) -> GovernanceBuilder<Arc<dyn Store>> {
        let Self { store: _, clock, new_id, on_conflict, deadline, demands, keys } = self;
        GovernanceBuilder { store, clock, new_id, on_conflict, deadline, demands, keys }
    }

    /// Takes the time from this clock, unchanged. Defaults to the [clock of the store](Store::clock): the server's
    /// clock for Redis, so that hosts agree on the time whatever their own clocks say; the host's clock for the memory
    /// store.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Generates the ids of requests whose drafts have none. Defaults to version 7 UUIDs.
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

    /// Starts no further rebase of a command after this time and returns its conflict instead. A command then ends
    /// within this and the time of a few calls to the store, each bounded by the store's own timeout. Defaults to 30 s.
    ///
    /// Recording the result of an execution ignores it: a result is never dropped.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Applies these policies to each draft that is submitted, resubmitted or previewed, as
    /// [`PolicySet::draft`](crate::policy::PolicySet::draft) does; a call that they do not allow fails with
    /// [`Error::Policy`]. Defaults to none.
    ///
    /// A repetition under the same [write id](Governance::submit_as) returns what was submitted, although the policies
    /// have changed since.
    #[cfg(feature = "policies")]
    #[must_use]
    pub fn policies(mut self, policies: crate::policy::PolicySet) -> Self {
        self.demands = Demands::of(policies);
        self
    }

    /// Seals the history of every request that it writes with the current one of these keys, and verifies seals with all
    /// of them. Give the same keys to every service that writes the namespace: a decision of one without keys is found
    /// as [`Unsealed`](crate::proof::HistoryProblem::Unsealed). Defaults to no keys: histories are chained and not sealed.
    #[must_use]
    pub fn seal_keys(mut self, keys: SealKeys) -> Self {
        self.keys = Some(Arc::new(keys));
        self
    }
}

impl GovernanceBuilder<Arc<dyn Store>> {
    /// Checks that the store compares ids of people without regard to case (`true`), or exactly (`false`). A service
    /// always follows [its store](Store::id_comparison); call this in programs that must not run on another one.
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`] when the store compares them otherwise.
    pub fn fold_case(self, fold_case: bool) -> Result<Self> {
        let (asked, found) = (IdComparison::folding(fold_case), self.store.id_comparison());
        if asked != found {
            let problem = format!(
                "the service is to compare ids of people by the rule {asked:?}, but its store compares them by \
                 {found:?}; open the store with fold_case({fold_case}), or build the service with fold_case({})",
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
            demands: self.demands,
            waiting: Arc::default(),
            keys: self.keys,
        }
    }
}

#[dual]
impl Governance {
    /// Submits a request.
    ///
    /// # Errors
    /// - [`Error::AlreadyExists`] when the draft names an id that is taken.
    /// - [`Error::AlreadyOpen`] when another open request has its [unique key](RequestDraft::with_unique_key).
    /// - [`Error::InvalidApprovalConfiguration`] when its approval rules do not fit together.
    /// - [`Error::TooLarge`], [`Error::TooManyEntries`] and [`Error::Unwritable`] when the store cannot keep it.
    /// - [`Error::Store`] when the store fails; its [outcome](Error::outcome) says whether the request was submitted.
    /// - [`Error::NotCommitMode`] when the requester's [mode](crate::ActorContext::mode) is not `Commit`.
    /// - [`Error::Policy`] when it cannot meet what the policies of the service demand.
    /// - [`Error::NotFound`] and [`Error::Correction`] when the draft [resubmits](RequestDraft::resubmitting) a request that
    ///   does not exist, or cannot be resubmitted.
    pub async fn submit(&self, draft: RequestDraft) -> Result<MutationRequest> {
        self.store_draft(draft, WriteId::generate()).await
    }

    /// Submits a request under the caller's write id, so that a repetition, even by another process, submits it once.
    ///
    /// A repetition has the same id and the same [intent](crate::RequestDraft::write_intent): the same draft, where
    /// session, address, roles and the like of the requester may differ. It returns the request as it is stored now.
    ///
    /// # Errors
    /// As [`submit`](Self::submit), [`Error::WriteIdReused`] when the id was used on this request for another intent,
    /// and [`Error::Invalid`] when the draft has no request id: a repetition would submit another request.
    pub async fn submit_as(&self, draft: RequestDraft, write_id: WriteId) -> Result<MutationRequest> {
        let Some(id) = draft.id.clone() else {
            let problem = "is missing; name it in the draft, or a repetition would submit another request";
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
        let draft = draft.comparing_ids(self.store.id_comparison()).salted(Salt::generate());
        if let Some(ended) = draft.resubmits.clone() {
            return self.store_resubmission(&draft, &ended, write_id, now).await;
        }
        let request = self.demands.submit(draft, self.new_id(), write_id, now)?;
        self.store.create(self.sealed_new(request)).await
    }

    /// What became of a write whose outcome an error left unknown; the error [names it](Error::unsettled_write).
    ///
    /// # Errors
    /// [`Error::NotFound`] when the request of an update does not exist, [`Error::WriteIdReused`] when the write id was
    /// used for another intent, so that this write did not take effect and cannot, and [`Error::Unreadable`] when the
    /// stored request cannot be read.
    pub async fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        self.store.settle_write(write).await
    }
}

impl fmt::Debug for Governance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governance").finish_non_exhaustive()
    }
}
