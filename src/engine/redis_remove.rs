//! Removes requests from a Redis store.

use super::{RedisStore, dual};
use crate::error::{Outcome, Result, StoreError, StoreErrorKind};
use crate::redis::{Attempts, Call, reply};
use crate::removal::Tombstone;
use crate::request::MutationRequest;

#[dual]
impl RedisStore {
    /// One script, which may be repeated: a removal that came first stays.
    pub(super) async fn remove_request(&self, request: &MutationRequest, removed: &Tombstone) -> Result<Tombstone> {
        if request.id != removed.id || request.revision() != removed.revision {
            let problem = format!("the tombstone is not that of request {} at its revision", request.id);
            return Err(StoreError::new(StoreErrorKind::Rejected, Outcome::NotApplied, problem).into());
        }
        let call = Call::remove(&self.settings, request, removed).confirmed_by(self.durability);
        let mut attempts = Attempts::new(self.deadline(), true);
        let (value, confirmation) = self.attempt(&call, &mut attempts).await?;
        let stored = reply::removed(&self.settings, request, removed, &value);
        let stored = stored.map_err(|error| attempts.rejected(error))?;
        self.durability.confirm(confirmation, &stored.id, stored.revision)?;
        Ok(stored)
    }
}
