//! The calls about unique keys; [`unique`](crate::redis::unique) explains in which order they come.

use serde::{Deserialize, Serialize};

use super::{Call, OTHER_BYTES, Place, What, by_hash};
use crate::redis::options::Settings;
use crate::redis::script;
use crate::request::{RequestId, UniqueKey, WriteId};

/// What becomes of the reservation of a unique key.
#[derive(Clone, Copy)]
pub(crate) enum ReservationChange<'a> {
    /// It is reserved for this request, whose permit has this token, unless another request has it; that one loses it
    /// only if the reservation is this value.
    Reserve { id: &'a RequestId, token: WriteId, instead_of: &'a [u8] },
    /// It is free if it is reserved for this request, by a permit with this token, if one is given.
    Release { id: &'a RequestId, token: Option<WriteId> },
    /// It is free if the reservation is this value.
    Drop { value: &'a [u8] },
}

impl Call {
    /// Finds the reservation of a key.
    pub(crate) fn find_reservation(settings: &Settings, key: &UniqueKey) -> Self {
        let place = settings.keyspace.partition_of_key(key);
        let mut command = by_hash(&script::FIND_RESERVATION, 1, 2, OTHER_BYTES);
        command.arg(settings.keyspace.reservations(place)).arg("find").arg(key.as_str());
        Self::script(Place::Partition(place), false, &script::FIND_RESERVATION, 1, command)
    }

    pub(crate) fn change_reservation(settings: &Settings, key: &UniqueKey, change: ReservationChange<'_>) -> Self {
        Self::reservation(settings, settings.keyspace.partition_of_key(key), key.as_str(), change)
    }

    /// Removes this reservation of a key, whatever the key, if it is still this value.
    pub(crate) fn drop_reservation(settings: &Settings, partition: u16, key: &str, value: &[u8]) -> Self {
        Self::reservation(settings, partition, key, ReservationChange::Drop { value })
    }

    fn reservation(settings: &Settings, partition: u16, key: &str, change: ReservationChange<'_>) -> Self {
        let (mode, id, token, value) = match change {
            ReservationChange::Reserve { id, token, instead_of } => {
                ("reserve", id.as_str(), token.to_string(), instead_of)
            }
            ReservationChange::Release { id, token } => {
                ("release", id.as_str(), token.map(|token| token.to_string()).unwrap_or_default(), &[][..])
            }
            ReservationChange::Drop { value } => ("drop", "", String::new(), value),
        };
        let mut command = by_hash(&script::RESERVATION, 1, 5, OTHER_BYTES);
        command.arg(settings.keyspace.reservations(partition)).arg(mode).arg(key).arg(id).arg(token).arg(value);
        Self::script(Place::Partition(partition), true, &script::RESERVATION, 1, command)
    }

    /// Gives the permit to create this request, with this token unless there is a permit.
    pub(crate) fn give_permit(settings: &Settings, id: &RequestId, token: WriteId) -> Self {
        Self::permit(settings, "give", id, &token.to_string())
    }

    /// Revokes the permit to create this request, unless it was used.
    pub(crate) fn revoke_permit(settings: &Settings, id: &RequestId) -> Self {
        Self::permit(settings, "revoke", id, "")
    }

    fn permit(settings: &Settings, mode: &str, id: &RequestId, token: &str) -> Self {
        let place = settings.keyspace.partition_of(id);
        let mut command = by_hash(&script::PERMIT, 2, 3, OTHER_BYTES);
        command.arg(settings.keyspace.record(id)).arg(settings.keyspace.permits(place));
        command.arg(mode).arg(id.as_str()).arg(token);
        Self::script(Place::Partition(place), true, &script::PERMIT, 2, command)
    }

    /// Some fields of a hash of a partition, and their values: one step of HSCAN.
    pub(crate) fn fields(settings: &Settings, partition: u16, of: UniqueHash, cursor: u64) -> Self {
        let key = match of {
            UniqueHash::Reservations => settings.keyspace.reservations(partition),
            UniqueHash::Permits => settings.keyspace.permits(partition),
        };
        let command = redis::cmd("HSCAN").arg(key).arg(cursor).arg("COUNT").arg(200).clone();
        Self::reading(Place::Partition(partition), command)
    }

    /// The creation of a request that has a unique key, by a permit with this token. After what it
    /// [waits for](Self::confirmed_by).
    pub(crate) fn permitted_by(mut self, token: WriteId) -> Self {
        if let What::Script { command, .. } = &mut self.what {
            if !self.durability.waits() {
                command.arg("");
            }
            command.arg(token.to_string());
        }
        self
    }
}

/// The hashes of a partition about unique keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub(crate) enum UniqueHash {
    Reservations,
    Permits,
}
