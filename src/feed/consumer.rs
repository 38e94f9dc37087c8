//! A named consumer of the feed: how far it has read, and who may read on for it.

use std::time::Duration;

use serde::Serialize;

use super::FeedPosition;
use crate::error::{Error, InvalidValue, Outcome, Result, StoreError, StoreErrorKind};
use crate::request::{ConsumerName, Timestamp};

/// A named consumer of the change feed, as a store keeps it: what an operator sees of the followers with that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Consumer {
    /// The name.
    pub name: ConsumerName,
    /// The position it saved last; the beginning when it has saved none.
    pub position: FeedPosition,
    /// When it saved that position, by the store's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Timestamp>,
    /// Until when one follower alone delivers, by the store's clock. `None` when nobody follows now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// How many entries were added after the position, also when the feed no longer has them. `None` when the position
    /// does not belong to the feed as it is now, which the follower meets as a gap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<u64>,
}

/// What asking for the lease of a consumer results in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerLease {
    /// The asking holder has it.
    Held {
        /// The position that the consumer saved last; `None` when it has never saved one.
        position: Option<FeedPosition>,
    },
    /// Another holder has it.
    HeldByAnother {
        /// How long at most, unless that one renews it.
        free_in: Duration,
    },
}

impl Consumer {
    /// The consumers that a store keeps at most: 100.
    pub const MAX_COUNT: usize = 100;
    /// The longest lease: a day.
    pub const MAX_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

    /// A consumer, for authors of stores.
    pub const fn new(
        name: ConsumerName,
        position: FeedPosition,
        saved_at: Option<Timestamp>,
        held_until: Option<Timestamp>,
        lag: Option<u64>,
    ) -> Self {
        Self { name, position, saved_at, held_until, lag }
    }

    /// Checks the length of a lease; every store does so first.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is longer than [`MAX_LEASE`](Self::MAX_LEASE).
    pub fn check_lease(lease: Duration) -> Result<Duration, InvalidValue> {
        if lease > Self::MAX_LEASE {
            let longest = Self::MAX_LEASE;
            return Err(InvalidValue::new("lease of a consumer", format!("of {lease:?}; at most {longest:?}")));
        }
        Ok(lease)
    }

    /// The error about a consumer that nobody may remove yet, for authors of stores.
    pub fn still_held(name: &ConsumerName, free_in: Duration) -> Error {
        let problem = format!(
            "the feed consumer {name} has a follower, whose lease lasts another {free_in:?}; stop it first, or wait \
             until the lease of one that died is over"
        );
        StoreError::new(StoreErrorKind::Rejected, Outcome::NotApplied, problem).into()
    }

    /// The error about one consumer too many, for authors of stores.
    pub fn too_many(name: &ConsumerName) -> Error {
        let most = Self::MAX_COUNT;
        let problem = format!(
            "the store has {most} feed consumers, which is the most, so {name} cannot be added; remove those that are \
             no longer used with Governance::remove_consumer"
        );
        StoreError::new(StoreErrorKind::Rejected, Outcome::NotApplied, problem).into()
    }
}
