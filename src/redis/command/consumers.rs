//! The calls about the consumers of the feed.

use std::time::Duration;

use super::{Call, OTHER_BYTES, Place, by_hash};
use crate::error::Result;
use crate::feed::{Consumer, FeedPosition};
use crate::redis::feed::MAX_VALUE_BYTES;
use crate::redis::options::Settings;
use crate::redis::script;
use crate::request::{ConsumerName, HolderId};

impl Call {
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for too long a lease.
    pub(crate) fn lease_consumer(
        settings: &Settings,
        name: &ConsumerName,
        holder: HolderId,
        lease: Duration,
    ) -> Result<Self> {
        let lease = Consumer::check_lease(lease)?;
        Ok(Self::consumer(settings, "lease", name, &holder.to_string(), lease, ""))
    }

    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for too long a lease.
    pub(crate) fn save_consumer(
        settings: &Settings,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<Self> {
        let lease = Consumer::check_lease(lease)?;
        Ok(Self::consumer(settings, "save", name, &holder.to_string(), lease, &position.to_string()))
    }

    pub(crate) fn remove_consumer(settings: &Settings, name: &ConsumerName) -> Self {
        Self::consumer(settings, "remove", name, "", Duration::ZERO, "")
    }

    fn consumer(
        settings: &Settings,
        mode: &str,
        name: &ConsumerName,
        holder: &str,
        lease: Duration,
        position: &str,
    ) -> Self {
        let mut command = by_hash(&script::CONSUMER, 1, 6, position.len() + OTHER_BYTES);
        command.arg(settings.keyspace.consumers()).arg(mode).arg(name.as_str()).arg(holder);
        command.arg(u64::try_from(lease.as_micros()).unwrap_or(u64::MAX)).arg(position).arg(Consumer::MAX_COUNT);
        Self::script(Place::CONSUMERS, true, &script::CONSUMER, 1, command)
    }

    pub(crate) fn consumers(settings: &Settings) -> Self {
        let mut command = by_hash(&script::CONSUMERS, 1, 2, OTHER_BYTES);
        command.arg(settings.keyspace.consumers()).arg(Consumer::MAX_COUNT).arg(MAX_VALUE_BYTES);
        Self::script(Place::CONSUMERS, false, &script::CONSUMERS, 1, command)
    }
}
