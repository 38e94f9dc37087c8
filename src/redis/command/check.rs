//! The calls of checks and repairs.

use super::{Call, OTHER_BYTES, Place, by_hash, with_decisions};
use crate::error::Result;
use crate::index::SortKey;
use crate::redis::check::reply::{StoredHeader, StoredRecord};
use crate::redis::check::{CheckMode, revision_bytes};
use crate::redis::keyspace::KeyKind;
use crate::redis::options::Settings;
use crate::redis::record::NewRecord;
use crate::redis::script::{self, Script};
use crate::request::{RequestId, Revision, WriteIntent};
use crate::stored_format::SizeBudget;

impl Call {
    /// Some keys of one kind in any partition of the namespace, and keys that look similar: one step of SCAN.
    pub(crate) fn find(settings: &Settings, cursor: u64, kind: KeyKind) -> Self {
        // No character of a namespace is special in a pattern.
        let pattern = format!("{{{}:*}}:{}*", settings.keyspace.namespace(), kind.prefix());
        Self::reading(
            Place::Node,
            redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(200).clone(),
        )
    }

    /// Reads a key of a partition that never exists: a node that gives the partition away redirects it.
    pub(crate) fn is_served(settings: &Settings, partition: u16) -> Self {
        let key = settings.keyspace.record_prefix(partition);
        Self::reading(Place::Partition(partition), redis::cmd("STRLEN").arg(key).clone())
    }

    /// A part of an index, after a member if one is given. With `removes`, also removes members longer than any valid one.
    pub(crate) fn index_part(settings: &Settings, index: &str, after: &[u8], most: usize, removes: bool) -> Self {
        let from = if after.is_empty() { b"-".to_vec() } else { [b"(", after].concat() };
        let script: &'static Script = if removes { &script::REPAIR_INDEX_PART } else { &script::INDEX_PART };
        let mut command = by_hash(script, 2, 4, OTHER_BYTES);
        command.arg(index).arg(settings.keyspace.layout_beside(index));
        command.arg(from).arg(most).arg(u8::from(removes)).arg(layout_of(settings, index));
        Self::script(settings.keyspace.place_of(index), removes, script, 2, command)
    }

    /// Sets the score of members of an index again, if they are still there.
    pub(crate) fn restore_scores(settings: &Settings, index: &str, members: &[SortKey]) -> Self {
        Self::repair_members(settings, index, "restore", members)
    }

    pub(crate) fn remove_members(settings: &Settings, index: &str, members: &[SortKey]) -> Self {
        Self::repair_members(settings, index, "remove", members)
    }

    pub(super) fn repair_members(settings: &Settings, index: &str, mode_name: &str, members: &[SortKey]) -> Self {
        let mut command = by_hash(&script::REPAIR_MEMBERS, 2, 2 + members.len(), 64 * members.len() + OTHER_BYTES);
        command.arg(index).arg(settings.keyspace.layout_beside(index)).arg(layout_of(settings, index)).arg(mode_name);
        for member in members {
            command.arg(member.as_bytes());
        }
        Self::script(settings.keyspace.place_of(index), true, &script::REPAIR_MEMBERS, 2, command)
    }

    /// Compares a record's index entries with those of its document, and repairs them in such a mode.
    ///
    /// # Errors
    /// If the request is over the document limit.
    pub(crate) fn repair(settings: &Settings, stored: &StoredRecord, mode: CheckMode) -> Result<Self> {
        let StoredRecord { request, header, .. } = stored;
        let revision = request.revision();
        let budget = SizeBudget::whole(settings.options.document_limit);
        let record = NewRecord::new(settings, request, revision, WriteIntent::REPAIR, budget)?;
        let mode_name = match mode {
            CheckMode::Report => "report",
            CheckMode::Repair => "repair",
            CheckMode::Migrate => "migrate",
        };
        let groups = with_decisions(record.lasting, request, 0);
        let others = groups.uncounted();
        let keyspace = &settings.keyspace;
        let mut command = by_hash(&script::REPAIR, 3, 7, record.bytes.len() + others.len() + OTHER_BYTES);
        let partition = keyspace.partition_of(&request.id);
        command.arg(keyspace.record(&request.id)).arg(keyspace.index_prefix(partition)).arg(keyspace.layout(partition));
        match header {
            StoredHeader::Whole => command.arg(&revision_bytes(revision)),
            StoredHeader::Damaged { sha1, .. } => command.arg(sha1),
        };
        command.arg(mode_name).arg(&record.bytes).arg(others).arg(request.id.as_str()).arg(&settings.layout);
        if let StoredHeader::Damaged { document_from, .. } = header {
            command.arg(document_from.saturating_add(1));
        }
        Ok(Self::script(Place::Partition(partition), mode.repairs(), &script::REPAIR, 3, command))
    }

    /// With `drops`, removes an index entry that the document at this revision, or its absence, does not explain. Index and
    /// request are of one partition.
    pub(crate) fn drop_entry(
        settings: &Settings,
        index: &str,
        member: &SortKey,
        id: &RequestId,
        revision: Option<Revision>,
        drops: bool,
    ) -> Self {
        let revision = revision.map(revision_bytes);
        let revision = revision.as_ref().map_or(&[][..], |bytes| bytes);
        let keyspace = &settings.keyspace;
        let mut command = by_hash(&script::DROP_ENTRY, 3, 5, OTHER_BYTES);
        command
            .arg(keyspace.record(id))
            .arg(index)
            .arg(keyspace.layout(keyspace.partition_of(id)))
            .arg(revision)
            .arg(member.as_bytes())
            .arg(u8::from(drops))
            .arg(id.as_str())
            .arg(&settings.layout);
        Self::script(settings.keyspace.place_of(index), drops, &script::DROP_ENTRY, 3, command)
    }
}

/// The layout to be found beside an index: none where it names no partition. Whoever repairs it has looked at another partition's.
fn layout_of<'a>(settings: &'a Settings, index: &str) -> &'a str {
    settings.keyspace.partition_named_by(index).map_or("", |_| &settings.layout)
}
