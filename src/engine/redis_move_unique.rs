//! The part of a repartition that is about unique keys.

use super::{RedisStore, dual};
use crate::error::Result;
use crate::redis::unique;
use crate::redis::{Call, CheckStep, Phase, ReservationChange, UniqueHash, UniqueWalk};
use crate::request::UniqueKey;

#[dual]
impl RedisStore {
    /// One step along the reservations and permits of the partitions that there were before, `from` of them. Reservations move
    /// to the partition where their key belongs; permits are removed: whoever has one may not write any more.
    pub(super) async fn move_unique_keys(
        &self,
        at: UniqueWalk,
        from: u16,
        step: &mut CheckStep,
    ) -> Result<Option<Phase>> {
        let (next, fields) = self.unique_fields(at, step).await?;
        for (name, value) in fields {
            match (at.hash, UniqueKey::new(&*name)) {
                // A check reports it.
                (UniqueHash::Reservations, Err(_)) => continue,
                (UniqueHash::Reservations, Ok(key)) => {
                    if self.settings.keyspace.partition_of_key(&key) == at.partition {
                        continue;
                    }
                    let call =
                        Call::change_reservation(&self.settings, &key, ReservationChange::Move { value: &value });
                    let moved = format!("the reservation of unique key {key}");
                    unique::reserved(&self.settings, &self.confirmed(call, &moved, self.deadline()).await?)?;
                }
                (UniqueHash::Permits, _) => {}
            }
            self.drop_field(at.partition, at.hash, &name, &value).await?;
        }
        Ok(next.filter(|next| next.partition < from).map(Phase::UniqueKeys))
    }
}
