//! The calls about the layout of a namespace and its partitions, and about rebuilding its indexes.

use super::{Call, Place, What, by_hash};
use crate::redis::namespace::indexed_metadata;
use crate::redis::namespace::layout::{LAST_BYTE, LAYOUT_VERSION};
use crate::redis::options::Settings;
use crate::redis::script::{self, Script};
use crate::request::WriteId;

impl Call {
    /// Reads the layout of a namespace, if it has one.
    pub(crate) fn look_at_namespace(settings: &Settings) -> Self {
        let mode = if settings.options.read_only { "read" } else { "look" };
        Self::new(Place::Namespace, false, namespace(settings, &script::LOOK_AT_NAMESPACE, mode, "", ""))
    }

    /// Records the layout of a namespace, or reads the one that another process has recorded meanwhile.
    pub(crate) fn open_namespace(settings: &Settings) -> Self {
        Self::changing_namespace(settings, "open", "", "")
    }

    /// Records that the indexes must be rebuilt for these settings, under a mark with this id, unless they already are
    /// or a rebuild for them is under way.
    pub(crate) fn begin_reindex(settings: &Settings, id: WriteId) -> Self {
        Self::changing_namespace(settings, "reindex", &format!("{LAYOUT_VERSION} {id}"), "")
    }

    /// Records the progress of the rebuild with this mark, if it is still the one under way.
    pub(crate) fn save_reindex(settings: &Settings, mark: &str, position: &str) -> Self {
        Self::changing_namespace(settings, "step", mark, position)
    }

    /// Records that the rebuild with this mark is complete, and the layout version, if it is still the one under way.
    pub(crate) fn end_reindex(settings: &Settings, mark: &str) -> Self {
        Self::changing_namespace(settings, "reindexed", mark, "")
    }

    pub(super) fn changing_namespace(settings: &Settings, mode: &str, mark: &str, position: &str) -> Self {
        Self::new(Place::Namespace, true, namespace(settings, &script::OPEN_NAMESPACE, mode, mark, position))
    }

    /// Checks on one node that the user may run what the scripts run on this partition.
    pub(crate) fn check_permissions(settings: &Settings, partition: u16) -> Self {
        let keyspace = &settings.keyspace;
        let mut command = by_hash(&script::CHECK_PERMISSIONS, 0, 3, 256);
        command
            .arg(keyspace.index_prefix(partition) + "a")
            .arg(keyspace.feed(partition))
            .arg(keyspace.layout(partition));
        Self::script(Place::Node, false, &script::CHECK_PERMISSIONS, 0, command)
    }

    /// Reads the layout that a partition records, and no more bytes than show whether it is one.
    pub(crate) fn partition_layout(settings: &Settings, partition: u16) -> Self {
        let key = settings.keyspace.layout(partition);
        Self::reading(Place::Partition(partition), redis::cmd("GETRANGE").arg(key).arg(0).arg(LAST_BYTE).clone())
    }

    /// Records the layout of a partition without requests, or reads the one that is recorded.
    pub(crate) fn lay_out(settings: &Settings, partition: u16) -> Self {
        let keyspace = &settings.keyspace;
        let mut command = by_hash(&script::LAY_OUT, 2, 1, 256);
        command.arg(keyspace.layout(partition)).arg(keyspace.index_prefix(partition) + "a").arg(&settings.layout);
        Self::script(Place::Partition(partition), true, &script::LAY_OUT, 2, command)
    }

    /// Records the layout of a partition whose indexes are to be rebuilt. From then on writers of another layout are
    /// rejected.
    pub(crate) fn replace_layout(settings: &Settings, partition: u16) -> Self {
        let command = redis::cmd("SET").arg(settings.keyspace.layout(partition)).arg(&settings.layout).clone();
        Self::new(Place::Partition(partition), true, What::Command(command))
    }
}

fn namespace(settings: &Settings, script: &'static Script, mode: &str, mark: &str, position: &str) -> What {
    let keyspace = &settings.keyspace;
    let mut command = by_hash(script, 1, 9, 256);
    command
        .arg(keyspace.meta())
        .arg(keyspace.partition_count())
        .arg(LAYOUT_VERSION)
        .arg(indexed_metadata::recorded(&settings.options.indexed_metadata))
        .arg(keyspace.index_prefix(0) + "a")
        .arg(keyspace.feed(0))
        .arg(mode)
        .arg(settings.options.id_comparison.as_str())
        .arg(mark)
        .arg(position);
    What::Script { script, keys: 1, command }
}
