//! The calls about unique keys; [`unique`](crate::redis::unique) explains in which order they come.

use serde::{Deserialize, Serialize};

use super::{Call, OTHER_BYTES, Place, What, by_hash};
use crate::redis::check::UniqueWalk;
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
    /// It has this value if it has none.
    Move { value: &'a [u8] },
}

impl Call {
    /// Finds the reservation of a key.
    pub(crate) fn find_reservation(settings: &Settings, key: &UniqueKey) -> Self {
        let place = settings.keyspace.partition_of_key(key);
        let mut command = by_hash(&script::FIND_RESERVATION, 1, 2, OTHER_BYTES);
        command.arg(UniqueHash::Reservations.key(settings, place)).arg("find").arg(key.as_str());
        Self::script(Place::Partition(place), false, &script::FIND_RESERVATION, 1, command)
    }

    pub(crate) fn change_reservation(settings: &Settings, key: &UniqueKey, change: ReservationChange<'_>) -> Self {
        let (mode, id, token, value) = match change {
            ReservationChange::Reserve { id, token, instead_of } => {
                ("reserve", id.as_str(), token.to_string(), instead_of)
            }
            ReservationChange::Release { id, token } => {
                ("release", id.as_str(), token.map(|token| token.to_string()).unwrap_or_default(), &[][..])
            }
            ReservationChange::Move { value } => ("move", "", String::new(), value),
        };
        let (partition, hash) = (settings.keyspace.partition_of_key(key), UniqueHash::Reservations);
        Self::field(settings, partition, hash, &[mode, key.as_str(), id, &token], value)
    }

    /// Removes a field of a hash, whatever it is, if it still has this value.
    pub(crate) fn drop_field(settings: &Settings, partition: u16, of: UniqueHash, name: &str, value: &[u8]) -> Self {
        Self::field(settings, partition, of, &["drop", name, "", ""], value)
    }

    fn field(settings: &Settings, partition: u16, of: UniqueHash, words: &[&str; 4], value: &[u8]) -> Self {
        let mut command = by_hash(&script::RESERVATION, 2, 6, OTHER_BYTES);
        command.arg(of.key(settings, partition)).arg(settings.keyspace.layout(partition));
        command.arg(words).arg(value).arg(&settings.layout);
        Self::script(Place::Partition(partition), true, &script::RESERVATION, 2, command)
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
        let mut command = by_hash(&script::PERMIT, 3, 4, OTHER_BYTES);
        command.arg(settings.keyspace.record(id)).arg(UniqueHash::Permits.key(settings, place));
        command.arg(settings.keyspace.layout(place));
        command.arg(mode).arg(id.as_str()).arg(token).arg(&settings.layout);
        Self::script(Place::Partition(place), true, &script::PERMIT, 3, command)
    }

    /// Some fields of a hash of a partition, and their values: one step of HSCAN.
    pub(crate) fn fields(settings: &Settings, UniqueWalk { partition, hash, cursor }: UniqueWalk) -> Self {
        let command = redis::cmd("HSCAN").arg(hash.key(settings, partition)).arg(cursor).arg("COUNT").arg(200).clone();
        Self::reading(Place::Partition(partition), command)
    }

    /// The creation or import of a request that has a unique key, by a permit with this token. After what it
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

impl UniqueHash {
    pub(crate) fn key(self, settings: &Settings, partition: u16) -> String {
        match self {
            Self::Reservations => settings.keyspace.reservations(partition),
            Self::Permits => settings.keyspace.permits(partition),
        }
    }
}
