//! The call that removes a request.

use super::{Call, OTHER_BYTES, Place, WRITING_KEYS, with_decisions, writing};
use crate::redis::check::revision_bytes;
use crate::redis::feed::actor_text;
use crate::redis::options::Settings;
use crate::redis::record::index_entries::index_entries;
use crate::redis::record::tombstone;
use crate::redis::script;
use crate::removal::Tombstone;
use crate::request::MutationRequest;

impl Call {
    /// Replaces the request by its tombstone, if it is stored at the tombstone's revision. `request` is at that revision.
    pub(crate) fn remove(settings: &Settings, request: &MutationRequest, removed: &Tombstone) -> Self {
        let lasting = index_entries(request, &settings.options.indexed_metadata).lasting;
        let groups = with_decisions(lasting, request, 0);
        let entries = groups.uncounted();
        let mut command = writing(&script::REMOVE, settings, request, [WRITING_KEYS, 11], entries.len() + OTHER_BYTES);
        command
            .arg(settings.options.feed_length)
            .arg(removed.id.as_str())
            .arg(removed.revision.number)
            .arg(removed.status.as_str())
            .arg(actor_text(&removed.removed_by))
            .arg(&revision_bytes(removed.revision))
            .arg(tombstone::encode(removed))
            .arg(entries)
            .arg(settings.record_limit())
            .arg(&settings.layout);
        let place = Place::Partition(settings.keyspace.partition_of(&removed.id));
        Self::script(place, true, &script::REMOVE, WRITING_KEYS, command)
    }
}
