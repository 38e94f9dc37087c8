//! The calls of a repartition: about the namespace, about the layout of partitions, and about records that move.

use super::{Call, OTHER_BYTES, Place, by_hash};
use crate::index::SortKey;
use crate::redis::feed::Origin;
use crate::redis::options::Settings;
use crate::redis::record::moved::MovedRecord;
use crate::redis::script;
use crate::request::WriteId;

impl Call {
    /// Records the number of partitions of these settings and that requests have to move, under a mark with this id, unless
    /// the namespace has that number or is being repartitioned.
    pub(crate) fn begin_repartition(settings: &Settings, id: WriteId) -> Self {
        Self::changing_namespace(settings, "repartition", &id.to_string(), "")
    }

    /// Records that the repartition with this mark is complete, if it is still the one under way.
    pub(crate) fn end_repartition(settings: &Settings, mark: &str) -> Self {
        Self::changing_namespace(settings, "repartitioned", mark, "")
    }

    /// Records the layout of these settings for a partition, if it records the expected one.
    pub(crate) fn relabel(settings: &Settings, partition: u16, expected: &str) -> Self {
        let mut command = by_hash(&script::RELABEL, 1, 2, OTHER_BYTES);
        command.arg(settings.keyspace.layout(partition)).arg(expected).arg(&settings.layout);
        Self::script(Place::Partition(partition), true, &script::RELABEL, 1, command)
    }

    /// Records the layout of these settings for a partition that is added, and its origin.
    pub(crate) fn add_partition(settings: &Settings, partition: u16, origin: &Origin) -> Self {
        let keyspace = &settings.keyspace;
        let mut command = by_hash(&script::ADD_PARTITION, 3, 2, OTHER_BYTES);
        command.arg(keyspace.layout(partition)).arg(keyspace.index_prefix(partition) + "a");
        command.arg(keyspace.origin(partition)).arg(&settings.layout).arg(origin.to_string());
        Self::script(Place::Partition(partition), true, &script::ADD_PARTITION, 3, command)
    }

    /// Stores a record in its new partition, with its index entries.
    pub(crate) fn take_over(settings: &Settings, moved: &MovedRecord) -> Self {
        let (keyspace, partition) = (&settings.keyspace, settings.keyspace.partition_of(&moved.id));
        let bytes = moved.bytes.len() + moved.entries.len() + OTHER_BYTES;
        let mut command = by_hash(&script::TAKE_OVER, 3, 3, bytes);
        command.arg(keyspace.record(&moved.id)).arg(keyspace.index_prefix(partition)).arg(keyspace.layout(partition));
        command.arg(&moved.bytes).arg(&moved.entries).arg(&settings.layout);
        Self::script(Place::Partition(partition), true, &script::TAKE_OVER, 3, command)
    }

    /// Removes a record from the partition where it was, with its index entries.
    pub(crate) fn give_up(settings: &Settings, moved: &MovedRecord) -> Self {
        let (keyspace, partition) = (&settings.keyspace, moved.from);
        let mut command = by_hash(&script::GIVE_UP, 3, 3, moved.entries.len() + OTHER_BYTES);
        command.arg(keyspace.record_in(partition, &moved.id));
        command.arg(keyspace.index_prefix(partition)).arg(keyspace.layout(partition));
        command.arg(moved.sha1()).arg(&moved.entries).arg(&settings.layout);
        Self::script(Place::Partition(partition), true, &script::GIVE_UP, 3, command)
    }

    /// Adds members to an index.
    pub(crate) fn add_members(settings: &Settings, index: &str, members: &[SortKey]) -> Self {
        Self::repair_members(settings, index, "add", members)
    }
}
