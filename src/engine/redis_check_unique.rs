//! The part of a check that is about unique keys.

use super::redis_check::Repair;
use super::{RedisStore, dual};
use crate::error::Result;
use crate::redis::check::reply::is_of_another_type;
use crate::redis::unique::{self, Fields, Judgement, Reservation, Reserved};
use crate::redis::{Call, CheckMode, CheckStep, Finding, Phase, ReservationChange, UniqueHash, UniqueWalk};
use crate::request::{MutationRequest, RequestId, UniqueKey, WriteId};
use crate::service::clock::Clock as _;

#[dual]
impl RedisStore {
    /// Whether the unique key of a request is reserved for it, if the request is open.
    pub(super) async fn check_reserved(&self, request: &Repair, mode: CheckMode, step: &mut CheckStep) -> Result<()> {
        let Repair { id, open_key: Some(key), .. } = request else { return Ok(()) };
        let deadline = self.deadline();
        let value = self.call(&Call::find_reservation(&self.settings, key), deadline).await?;
        let (instead_of, other) = match unique::reserved(&self.settings, &value)? {
            Reserved::HeldBy(reservation) if reservation.id == *id => return Ok(()),
            Reserved::HeldBy(reservation) => (reservation.value.clone(), Some(reservation)),
            Reserved::Damaged(value) => (value, None),
            Reserved::Free | Reserved::Done => (Vec::new(), None),
        };
        // It may have ended since it was read.
        let found = self.named_request(id, deadline).await?;
        if !found.is_some_and(|request| unique::holds(&request, key)) {
            return Ok(());
        }
        if let Some(reservation) = &other
            && let Some(holder) = self.named_request(&reservation.id, deadline).await?
            && unique::holds(&holder, key)
        {
            let (id, other) = (id.clone(), holder.id.clone());
            step.findings.push(Finding::SharedUniqueKey { id, other, key: key.clone() });
            return Ok(());
        }
        step.findings.push(Finding::MissingReservation { id: id.clone(), key: key.clone() });
        if mode.repairs() {
            if let Some(reservation) = &other
                && !self.is_free(key, reservation, deadline).await?
            {
                return Ok(());
            }
            let change = ReservationChange::Reserve { id, token: WriteId::generate(), instead_of: &instead_of };
            let value = self.call(&Call::change_reservation(&self.settings, key, change), deadline).await?;
            unique::reserved(&self.settings, &value)?;
        }
        Ok(())
    }

    /// One step along the reservations or permits of a partition.
    pub(super) async fn check_unique_keys(
        &self,
        at: UniqueWalk,
        mode: CheckMode,
        step: &mut CheckStep,
    ) -> Result<Option<Phase>> {
        let (next, fields) = self.unique_fields(at, step).await?;
        for (name, value) in fields {
            match at.hash {
                UniqueHash::Reservations => self.check_reservation(at.partition, &name, &value, mode, step).await?,
                UniqueHash::Permits => self.check_permit(at.partition, &name, &value, mode, step).await?,
            }
        }
        Ok(next.map(Phase::UniqueKeys))
    }

    /// Some reservations or permits of a partition, and where others follow.
    pub(super) async fn unique_fields(
        &self,
        of: UniqueWalk,
        step: &mut CheckStep,
    ) -> Result<(Option<UniqueWalk>, Fields)> {
        let call = Call::fields(&self.settings, of);
        let (next, fields) = match self.call(&call, self.deadline()).await {
            Err(error) if is_of_another_type(&error) => {
                step.findings.push(Finding::OtherType { key: of.hash.key(&self.settings, of.partition) });
                (0, Vec::new())
            }
            answered => unique::fields(&answered?)?,
        };
        step.reservations += fields.len() as u64;
        Ok((of.next(next, self.settings.keyspace.partition_count()), fields))
    }

    async fn check_reservation(
        &self,
        partition: u16,
        name: &str,
        value: &[u8],
        mode: CheckMode,
        step: &mut CheckStep,
    ) -> Result<()> {
        let key = UniqueKey::new(name).ok().filter(|key| self.settings.keyspace.partition_of_key(key) == partition);
        let (id, is_orphan) = match key.zip(unique::id_in(value)) {
            Some((key, id)) => {
                let age = self.age_of(value);
                let reservation = Reservation { id: id.clone(), age, value: value.to_vec() };
                (Some(id), self.is_orphan(&key, &reservation, mode).await?)
            }
            None => (None, true),
        };
        if is_orphan {
            step.findings.push(Finding::OrphanReservation { key: name.to_owned(), id });
            if mode.repairs() {
                self.drop_field(partition, UniqueHash::Reservations, name, value).await?;
            }
        }
        Ok(())
    }

    /// A reservation is none within a minute of the end of its request: its release may be under way.
    async fn is_orphan(&self, key: &UniqueKey, reservation: &Reservation, mode: CheckMode) -> Result<bool> {
        let found: Option<MutationRequest> = self.named_request(&reservation.id, self.deadline()).await?;
        let ended_at = found.as_ref().map(|request| request.updated_at);
        Ok(match unique::judge(key, found.as_deref(), reservation.age) {
            Judgement::Stands => false,
            Judgement::IsFree => {
                ended_at.is_none_or(|ended| self.settings.clock.now().duration_since(ended) >= unique::PATIENCE)
            }
            Judgement::IsAbandoned if mode.repairs() => self.revoke(&reservation.id, self.deadline()).await?,
            Judgement::IsAbandoned => true,
        })
    }

    async fn check_permit(
        &self,
        partition: u16,
        name: &str,
        value: &[u8],
        mode: CheckMode,
        step: &mut CheckStep,
    ) -> Result<()> {
        let is_here = RequestId::new(name).is_ok_and(|id| self.settings.keyspace.partition_of(&id) == partition);
        if is_here && self.age_of(value) < unique::PATIENCE {
            return Ok(());
        }
        step.findings.push(Finding::OrphanPermit { id: name.to_owned() });
        if mode.repairs() {
            self.drop_field(partition, UniqueHash::Permits, name, value).await?;
        }
        Ok(())
    }

    /// Removes a reservation or permit, unless it has changed.
    pub(super) async fn drop_field(&self, partition: u16, of: UniqueHash, name: &str, value: &[u8]) -> Result<()> {
        let call = Call::drop_field(&self.settings, partition, of, name, value);
        unique::released(&self.settings, &self.call(&call, self.deadline()).await?).map(drop)
    }

    /// The age of a reservation or permit by the clock of the store; of one that names no time, more than any.
    fn age_of(&self, value: &[u8]) -> std::time::Duration {
        unique::age_at(value, self.settings.clock.now())
    }
}
