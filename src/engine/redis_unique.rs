//! Creates requests with a unique key; [`unique`] explains in which order its calls come.

use std::time::Duration;

use super::{RedisStore, Store as _, dual};
use crate::archive::Imported;
use crate::error::{Error, Outcome, Result};
use crate::redis::reply::Created;
use crate::redis::unique::{self, Judgement, Permit, Reservation, Reserved};
use crate::redis::{Attempts, Call, Freshness, ImportBatch, ImportedRecord, Place, ReservationChange, reply};
use crate::request::{MutationRequest, RequestId, UniqueKey, WriteId};
use crate::service::deadline::Deadline;

/// How often a submission begins anew because somebody else came between its calls.
const MAX_ROUNDS: usize = 16;
/// How long a write that ended a request waits for the release of its key, whose node may be down.
const MAX_RELEASE: Duration = Duration::from_secs(1);

#[dual]
impl RedisStore {
    /// Creates a request unless another open one has its key.
    pub(super) async fn create_unique(&self, request: MutationRequest, key: &UniqueKey) -> Result<MutationRequest> {
        let (deadline, id) = (self.deadline(), request.id.clone());
        self.check_create(&request)?;
        for _ in 0..MAX_ROUNDS {
            let token = self.permit_and_reserve(key, &id, deadline).await?;
            let mut attempts = Attempts::new(deadline, true);
            let call = Call::create(&self.settings, &request)?.confirmed_by(self.durability).permitted_by(token);
            match self.send_creation(&request, &call, &mut attempts).await {
                Ok(Created::Unpermitted) => {}
                Ok(created) => {
                    return created.into_stored(request).ok_or_else(|| reply::unexpected_write("create.lua").into());
                }
                Err(error) => {
                    if error.outcome() == Outcome::NotApplied {
                        self.withdraw(key, &id, token, deadline).await;
                    }
                    return Err(error);
                }
            }
        }
        Err(unique::contended(&id, key))
    }

    /// Stores a request that comes from elsewhere, unless another open one has its key.
    pub(super) async fn import_unique(&self, record: ImportedRecord, key: &UniqueKey) -> Result<Imported> {
        let (deadline, id) = (self.deadline(), record.request.id.clone());
        let batch = ImportBatch::of_unique(&self.settings, record);
        for _ in 0..MAX_ROUNDS {
            let token = self.permit_and_reserve(key, &id, deadline).await?;
            let call = batch.call(&self.settings).confirmed_by(self.durability).permitted_by(token);
            let imported = match self.import_batch(&batch, &call, deadline).await {
                Ok(value) if reply::is_unpermitted(&value) => continue,
                Ok(value) => reply::imported(&self.settings, &batch.records, &value),
                Err(error) => Err(error),
            };
            if imported.as_ref().is_err_and(|error| error.outcome() == Outcome::NotApplied) {
                self.withdraw(key, &id, token, deadline).await;
            }
            return imported?.pop().unwrap_or_else(|| Err(reply::unexpected_write("import.lua").into()));
        }
        Err(unique::contended(&id, key))
    }

    /// The token of a permit by which the key is reserved now. If the request exists it needs none: the script that creates it
    /// finds that.
    ///
    /// # Errors
    /// Nothing was created.
    async fn permit_and_reserve(&self, key: &UniqueKey, id: &RequestId, deadline: Deadline) -> Result<WriteId> {
        let fresh = WriteId::generate();
        let permit = self.call(&Call::give_permit(&self.settings, id, fresh), deadline).await;
        let permit = permit.and_then(|value| unique::permit(&self.settings, &value));
        let Permit::Given(token) = permit.map_err(unique::before_creation)? else { return Ok(fresh) };
        if let Err(error) = self.reserve(key, id, token, deadline).await {
            self.withdraw(key, id, token, deadline).await;
            return Err(unique::before_creation(error));
        }
        Ok(token)
    }

    pub(super) async fn find_open_request(&self, key: &UniqueKey) -> Result<Option<MutationRequest>> {
        let value = self.call(&Call::find_reservation(&self.settings, key), self.deadline()).await?;
        let found = match unique::reserved(&self.settings, &value)? {
            Reserved::HeldBy(reservation) => {
                let found = self.named_request(&reservation.id, self.deadline()).await?;
                found.filter(|request| unique::holds(request, key))
            }
            Reserved::Damaged(_) => return Err(unique::damaged(key)),
            Reserved::Free | Reserved::Done => None,
        };
        if found.is_none() {
            let partition = self.settings.keyspace.partition_of_key(key);
            self.partition_layout(partition).await?.check_partitions(&self.settings)?;
        }
        Ok(found)
    }

    /// Frees the key of a request that has ended. Not needed for others to get it: whoever finds the reservation judges it
    /// by the request. So an error is none of the write's.
    pub(super) async fn release_key_of(&self, ended: &MutationRequest, deadline: Deadline) {
        if let (Some(key), None) = (&ended.unique_key, ended.open_key()) {
            let change = ReservationChange::Release { id: &ended.id, token: None };
            let call = Call::change_reservation(&self.settings, key, change);
            let _ = self.call(&call, deadline.within(MAX_RELEASE)).await;
        }
    }

    /// Reserves the key for this request, which has a permit with this token.
    async fn reserve(&self, key: &UniqueKey, id: &RequestId, token: WriteId, deadline: Deadline) -> Result<()> {
        let mut instead_of = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let change = ReservationChange::Reserve { id, token, instead_of: &instead_of };
            let call = Call::change_reservation(&self.settings, key, change);
            let value = self.confirmed(call, &format!("the reservation of unique key {key}"), deadline).await?;
            match unique::reserved(&self.settings, &value)? {
                Reserved::Done => return Ok(()),
                Reserved::HeldBy(reservation) if self.is_free(key, &reservation, deadline).await? => {
                    instead_of = reservation.value;
                }
                Reserved::HeldBy(reservation) => return Err(Error::already_open(reservation.id, key.clone())),
                Reserved::Damaged(_) => return Err(unique::damaged(key)),
                Reserved::Free => instead_of.clear(),
            }
        }
        Err(unique::contended(id, key))
    }

    /// Whether the reservation may be taken over or removed, as long as it is the same. Revokes the permit of a request that
    /// was not created in time.
    pub(super) async fn is_free(&self, key: &UniqueKey, reservation: &Reservation, deadline: Deadline) -> Result<bool> {
        let mut found = self.named_request(&reservation.id, deadline).await?;
        let mut judgement = unique::judge(key, found.as_deref(), reservation.age);
        if judgement == Judgement::IsAbandoned {
            if self.revoke(&reservation.id, deadline).await? {
                return Ok(true);
            }
            found = self.named_request(&reservation.id, deadline).await?;
            judgement = unique::judge(key, found.as_deref(), reservation.age);
        }
        Ok(judgement == Judgement::IsFree)
    }

    /// Whether there is no such request, and none is created by an earlier permit.
    pub(super) async fn revoke(&self, id: &RequestId, deadline: Deadline) -> Result<bool> {
        let call = Call::revoke_permit(&self.settings, id);
        let value = self.confirmed(call, &format!("the end of the permit for request {id}"), deadline).await?;
        Ok(unique::permit(&self.settings, &value)? == Permit::Revoked)
    }

    /// The reply to a step about a unique key. Whoever needs replicas to have a request needs them to have this step, too:
    /// losing it in a failover would let a second request be created.
    pub(super) async fn confirmed(&self, call: Call, step: &str, deadline: Deadline) -> Result<redis::Value> {
        let call = call.confirmed_by(self.durability);
        let (value, confirmation) = self.attempt(&call, &mut Attempts::new(deadline, true)).await?;
        self.durability.confirm_step(confirmation, step)?;
        Ok(value)
    }

    /// Frees the key of a request that was not created. The permit goes first, so that nobody creates it afterwards. What
    /// fails here is found by whoever wants the key a minute later.
    async fn withdraw(&self, key: &UniqueKey, id: &RequestId, token: WriteId, deadline: Deadline) {
        if let Ok(true) = self.revoke(id, deadline).await {
            let change = ReservationChange::Release { id, token: Some(token) };
            let _ = self.call(&Call::change_reservation(&self.settings, key, change), deadline).await;
        }
    }

    /// The request that a reservation names.
    pub(super) async fn named_request(&self, id: &RequestId, deadline: Deadline) -> Result<Option<MutationRequest>> {
        let keyspace = &self.settings.keyspace;
        let place = Place::Partition(keyspace.partition_of(id));
        let key = keyspace.record(id);
        let value = self.stored_record(place, &key, Freshness::Latest, deadline).await?;
        reply::request(&self.settings, id, &value).map_err(|unreadable| Error::unreadable(key, unreadable.error))
    }
}
