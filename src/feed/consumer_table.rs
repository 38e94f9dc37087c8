//! The consumers of a store that keeps them in this process's memory.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Consumer, ConsumerLease, FeedPosition};
use crate::error::Result;
use crate::request::{ConsumerName, HolderId, Timestamp};

/// The consumers of a store in memory, and the rules by which every store leases and saves them.
#[derive(Clone, Debug, Default)]
pub struct ConsumerTable(BTreeMap<ConsumerName, Row>);

#[derive(Clone, Debug)]
struct Row {
    holder: HolderId,
    lease_ends_at: Timestamp,
    saved: Option<(FeedPosition, Timestamp)>,
}

impl ConsumerTable {
    /// Gives this holder the lease, or renews it, unless another holder has it. A lease of zero ends it.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for [too long a lease](Consumer::check_lease), and
    /// [`StoreErrorKind::Rejected`](crate::StoreErrorKind::Rejected) for one consumer [too many](Consumer::MAX_COUNT).
    pub fn lease(
        &mut self,
        name: &ConsumerName,
        holder: HolderId,
        lease: Duration,
        now: Timestamp,
    ) -> Result<ConsumerLease> {
        let lease_ends_at = now.saturating_add(Consumer::check_lease(lease)?);
        let Some(row) = self.0.get_mut(name) else {
            if self.0.len() >= Consumer::MAX_COUNT {
                return Err(Consumer::too_many(name));
            }
            self.0.insert(name.clone(), Row { holder, lease_ends_at, saved: None });
            return Ok(ConsumerLease::Held { position: None });
        };
        if row.holder != holder && row.lease_ends_at > now {
            return Ok(ConsumerLease::HeldByAnother { free_in: row.lease_ends_at.duration_since(now) });
        }
        (row.holder, row.lease_ends_at) = (holder, lease_ends_at);
        Ok(ConsumerLease::Held { position: row.saved.as_ref().map(|(position, _)| position.clone()) })
    }

    /// Saves the position and renews the lease, if this holder had the lease last, even if it is over; otherwise
    /// changes nothing and returns `false`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for [too long a lease](Consumer::check_lease).
    pub fn save(
        &mut self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
        now: Timestamp,
    ) -> Result<bool> {
        let lease_ends_at = now.saturating_add(Consumer::check_lease(lease)?);
        let Some(row) = self.0.get_mut(name).filter(|row| row.holder == holder) else { return Ok(false) };
        *row = Row { holder, lease_ends_at, saved: Some((position.clone(), now)) };
        Ok(true)
    }

    /// All consumers, by name; `lag` returns how many entries were added after a position.
    pub fn list(&self, now: Timestamp, lag: impl Fn(&FeedPosition) -> Option<u64>) -> Vec<Consumer> {
        let consumer = |(name, row): (&ConsumerName, &Row)| {
            let (position, saved_at) = match &row.saved {
                Some((position, at)) => (position.clone(), Some(*at)),
                None => (FeedPosition::beginning(), None),
            };
            let held_until = Some(row.lease_ends_at).filter(|ends_at| *ends_at > now);
            let lag = lag(&position);
            Consumer::new(name.clone(), position, saved_at, held_until, lag)
        };
        self.0.iter().map(consumer).collect()
    }

    /// Removes a consumer; `false` when there is none with this name.
    ///
    /// # Errors
    /// [`StoreErrorKind::Rejected`](crate::StoreErrorKind::Rejected) when somebody holds its lease.
    pub fn remove(&mut self, name: &ConsumerName, now: Timestamp) -> Result<bool> {
        match self.0.get(name) {
            Some(row) if row.lease_ends_at > now => {
                Err(Consumer::still_held(name, row.lease_ends_at.duration_since(now)))
            }
            _ => Ok(self.0.remove(name).is_some()),
        }
    }
}
