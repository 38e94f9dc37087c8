//! The calls of a store: commands and scripts, with their arguments.

mod namespace;

use std::borrow::Cow;

use redis::{Arg, Cmd};

use super::check::CheckMode;
use super::feed::FeedRead;
use super::keyspace::KeyKind;
use super::options::Settings;
use super::record::NewRecord;
use super::script::{self, Script};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::index::{KeyRange, SortKey, Term};
use crate::redis::check::reply::{StoredHeader, StoredRecord};
use crate::redis::connection::durability::Durability;
use crate::redis::connection::greeting::ask_time;
use crate::redis::pages::scan::{Scan, lex_bounds};
use crate::redis::record::index_entries::{EncodedEntries, add_decision_entries};
use crate::request::{MutationRequest, RequestId, Revision, WriteIntent};
use crate::stored_format::SizeBudget;

/// One round trip to one partition.
pub(crate) struct Call {
    /// Whether it may write.
    pub(crate) writes: bool,
    what: What,
}

enum What {
    Command(Cmd),
    /// A script by its hash, and its number of keys.
    Script {
        script: &'static Script,
        keys: usize,
        command: Cmd,
    },
}

/// Sent before a script's keys: EVALSHA, the hash, and the number of keys.
const BEFORE_KEYS: usize = 3;
/// The number of bytes of a record that are read first.
pub(super) const RECORD_START: usize = 64 * 1024;
/// Initial capacity for a script's arguments beside records and index entries. An estimate: a longer command grows.
const OTHER_BYTES: usize = 512;

impl Call {
    /// The server's INFO.
    pub(crate) fn server_info() -> Self {
        Self::reading(redis::cmd("INFO"))
    }

    /// The server's time.
    pub(crate) fn time() -> Self {
        Self::reading(ask_time())
    }

    /// Checks whether writes can wait for this.
    pub(crate) fn probe(durability: Durability) -> Self {
        Self::reading(durability.probe())
    }

    /// The first bytes of the record at a key, which hold most records completely. A command, because a script takes
    /// the server ten times as long.
    pub(crate) fn record_start(key: &str) -> Self {
        let mut command = Cmd::with_capacity(4, key.len() + 32);
        command.arg("GETRANGE").arg(key).arg(0).arg(RECORD_START - 1);
        Self::reading(command)
    }

    /// The record at a key, or only its size if that is over the limit of a record.
    pub(crate) fn whole_record(settings: &Settings, key: &str) -> Self {
        Self::records_at(settings, [key.to_owned()], 0)
    }

    /// The first of these records, which must be in one partition, until they have this many bytes in total; only the
    /// sizes of those over the limit of a record.
    pub(crate) fn records(settings: &Settings, ids: &[&RequestId], enough_bytes: usize) -> Self {
        Self::records_at(settings, ids.iter().map(|id| settings.keyspace.record(id)), enough_bytes)
    }

    fn records_at(
        settings: &Settings,
        record_keys: impl IntoIterator<Item = String, IntoIter: ExactSizeIterator>,
        enough_bytes: usize,
    ) -> Self {
        let record_keys = record_keys.into_iter();
        let keys = record_keys.len();
        let mut command = by_hash(&script::RECORDS, keys, 2, 64 * keys + OTHER_BYTES);
        for key in record_keys {
            command.arg(key);
        }
        command.arg(enough_bytes).arg(settings.record_limit());
        Self { writes: false, what: What::Script { script: &script::RECORDS, keys, command } }
    }

    /// # Errors
    /// If the request is over the document limit, or is not at revision 0.
    pub(crate) fn create(settings: &Settings, request: &MutationRequest) -> Result<Self> {
        request.check_new()?;
        let record = NewRecord::new(
            settings,
            request,
            request.revision(),
            request.creation_intent(),
            SizeBudget::to_submit(settings.document_limit, request),
        )?;
        let groups = with_decisions(record.lasting, request, 0);
        let entries = groups.uncounted();
        let bytes = record.bytes.len() + entries.len() + OTHER_BYTES;
        let mut command = writing(&script::CREATE, settings, request, 9, bytes);
        announce(&mut command, settings, request, request.revision(), 0);
        command.arg(&record.bytes).arg(entries).arg(settings.record_limit()).arg(&settings.layout);
        Ok(Self { writes: true, what: What::Script { script: &script::CREATE, keys: WRITING_KEYS, command } })
    }

    /// `stored_decisions` is the assumed number of stored decisions, at most as many as the request has.
    ///
    /// # Errors
    /// If the request is over the document limit.
    pub(crate) fn update(
        settings: &Settings,
        request: &MutationRequest,
        next: Revision,
        stored_decisions: usize,
    ) -> Result<Self> {
        let intent = request.update_intent(stored_decisions);
        let budget = SizeBudget::to_change(settings.document_limit, request);
        let record = NewRecord::new(settings, request, next, intent, budget)?;
        let expected = record.state(request.revision(), stored_decisions);
        let (state, entries_now, document) = record.split();
        let groups = with_decisions(EncodedEntries::default(), request, stored_decisions);
        let entries = groups.uncounted();
        let bytes = record.bytes.len() + entries.len() + OTHER_BYTES;
        let mut command = writing(&script::UPDATE, settings, request, 12, bytes);
        announce(&mut command, settings, request, next, stored_decisions);
        command.arg(&expected).arg(state).arg(entries_now).arg(document).arg(entries);
        command.arg(settings.record_limit()).arg(&settings.layout);
        Ok(Self { writes: true, what: What::Script { script: &script::UPDATE, keys: WRITING_KEYS, command } })
    }

    /// The same write with a wait: if it `waits` for a confirmation and was applied before, the script writes it again,
    /// so that there is something to confirm. Only for a creation or an update, after all other arguments.
    pub(crate) fn waiting(mut self, waits: bool) -> Self {
        if let (true, What::Script { command, .. }) = (waits, &mut self.what) {
            command.arg(1);
        }
        self
    }

    /// Reads along the indexes of one partition.
    pub(crate) fn scan(settings: &Settings, partition: u16, scan: &Scan<'_>) -> Self {
        let keyspace = &settings.keyspace;
        let sign = |positive: bool| if positive { "+" } else { "-" };
        let keys = 1 + scan.terms().count();
        let mut command = by_hash(&script::SCAN, keys, 9 + 2 * scan.probes.len(), 64 * keys + OTHER_BYTES);
        command.arg(keyspace.record_prefix(partition));
        for term in scan.terms() {
            command.arg(keyspace.index(partition, term));
        }
        command
            .arg(scan.driver.len())
            .arg(sign(!scan.descending))
            .arg(&scan.from)
            .arg(&scan.to)
            .arg(scan.limit)
            .arg(scan.budget)
            .arg(sign(scan.created_first))
            .arg(u8::from(scan.wants_records))
            .arg(settings.record_limit());
        for (terms, by_row) in &scan.probes {
            command.arg(terms.len()).arg(if *by_row { "row" } else { "request" });
        }
        Self { writes: false, what: What::Script { script: &script::SCAN, keys, command } }
    }

    /// Counts the keys of terms in one partition, each within a range, and reads the first key of the first term.
    pub(crate) fn sizes<'a>(
        settings: &Settings,
        partition: u16,
        ranges: impl IntoIterator<Item = (&'a Term, &'a KeyRange)>,
    ) -> Self {
        let (terms, ranges): (Vec<_>, Vec<_>) = ranges.into_iter().unzip();
        let keys = terms.len();
        let mut command = by_hash(&script::SIZES, keys, 2 * keys, 96 * keys);
        for term in terms {
            command.arg(settings.keyspace.index(partition, term));
        }
        for range in ranges {
            let (from, to) = lex_bounds(range);
            command.arg(from).arg(to);
        }
        Self { writes: false, what: What::Script { script: &script::SIZES, keys, command } }
    }

    /// Reads the next entries of one partition's feed.
    pub(crate) fn feed(settings: &Settings, read: FeedRead) -> Self {
        let mut command = by_hash(&script::FEED, 1, 2, OTHER_BYTES);
        command.arg(settings.keyspace.feed(read.partition)).arg(read.from()).arg(read.count());
        Self { writes: false, what: What::Script { script: &script::FEED, keys: 1, command } }
    }

    /// Some keys of one kind in any partition of the namespace, and keys that look similar: one step of SCAN.
    pub(crate) fn find(settings: &Settings, cursor: u64, kind: KeyKind) -> Self {
        // No character of a namespace is special in a pattern.
        let pattern = format!("{{{}:*}}:{}*", settings.keyspace.namespace(), kind.prefix());
        Self::reading(redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(200).clone())
    }

    /// A part of an index, after a member if one is given. If told to, removes members longer than any valid one.
    pub(crate) fn index_part(settings: &Settings, index: &str, after: &[u8], most: usize, removes: bool) -> Self {
        let from = if after.is_empty() { b"-".to_vec() } else { [b"(", after].concat() };
        let script: &'static Script = if removes { &script::REPAIR_INDEX_PART } else { &script::INDEX_PART };
        let mut command = by_hash(script, 2, 4, OTHER_BYTES);
        command.arg(index).arg(settings.keyspace.layout_beside(index));
        command.arg(from).arg(most).arg(u8::from(removes)).arg(&settings.layout);
        Self { writes: removes, what: What::Script { script, keys: 2, command } }
    }

    /// Sets the score of members of an index again, if they are still there.
    pub(crate) fn restore_scores(settings: &Settings, index: &str, members: &[SortKey]) -> Self {
        Self::repair_members(settings, index, "restore", members)
    }

    pub(crate) fn remove_members(settings: &Settings, index: &str, members: &[SortKey]) -> Self {
        Self::repair_members(settings, index, "remove", members)
    }

    fn repair_members(settings: &Settings, index: &str, mode_name: &str, members: &[SortKey]) -> Self {
        let mut command = by_hash(&script::REPAIR_MEMBERS, 2, 2 + members.len(), 64 * members.len() + OTHER_BYTES);
        command.arg(index).arg(settings.keyspace.layout_beside(index)).arg(&settings.layout).arg(mode_name);
        for member in members {
            command.arg(member.as_bytes());
        }
        Self { writes: true, what: What::Script { script: &script::REPAIR_MEMBERS, keys: 2, command } }
    }

    /// Compares a record's index entries with those of its document, and repairs them if told to.
    ///
    /// # Errors
    /// If the request is over the document limit.
    pub(crate) fn repair(settings: &Settings, stored: &StoredRecord, mode: CheckMode) -> Result<Self> {
        let StoredRecord { request, header, .. } = stored;
        let revision = request.revision();
        let budget = SizeBudget::whole(settings.document_limit);
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
        Ok(Self { writes: mode.repairs(), what: What::Script { script: &script::REPAIR, keys: 3, command } })
    }

    /// If told to, removes an index entry that the document at this revision, or its absence, does not explain.
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
        Self { writes: drops, what: What::Script { script: &script::DROP_ENTRY, keys: 3, command } }
    }

    const fn reading(command: Cmd) -> Self {
        Self { writes: false, what: What::Command(command) }
    }

    /// Adds to an error the keys it is about, which the server does not name.
    pub(crate) fn locate(&self, mut error: StoreError) -> StoreError {
        const MAX_NAMED: usize = 4;
        if error.kind == StoreErrorKind::Rejected {
            let keys: Vec<_> = self.keys().into_iter().take(MAX_NAMED).collect();
            if !keys.is_empty() {
                error.problem = format!("{}; asked of {}", error.problem, keys.join(", "));
            }
        }
        error
    }

    fn keys(&self) -> Vec<String> {
        let (command, from, most) = match &self.what {
            What::Command(command) => (command, 0, usize::MAX),
            What::Script { keys, command, .. } => (command, BEFORE_KEYS, *keys),
        };
        let keys = command.args_iter().skip(from).take(most).filter_map(|argument| match argument {
            Arg::Simple(bytes) if bytes.starts_with(b"{") => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
        keys.collect()
    }

    /// The command to send: a script by its hash, or with its source if the server did not know the hash.
    pub(crate) fn command(&self, with_source: bool) -> Cow<'_, Cmd> {
        match &self.what {
            What::Script { script, command, .. } if with_source => {
                let mut whole = redis::cmd("EVAL");
                whole.arg(&script.source);
                for argument in command.args_iter().skip(BEFORE_KEYS - 1) {
                    if let Arg::Simple(bytes) = argument {
                        whole.arg(bytes);
                    }
                }
                Cow::Owned(whole)
            }
            What::Script { command, .. } | What::Command(command) => Cow::Borrowed(command),
        }
    }
}

/// The beginning of a command that runs a script by its hash; the caller adds this many keys and arguments, of about
/// this many bytes.
fn by_hash(script: &Script, keys: usize, arguments: usize, bytes: usize) -> Cmd {
    let mut command = Cmd::with_capacity(BEFORE_KEYS + keys + arguments, script.sha1.len() + 16 + bytes);
    command.arg("EVALSHA").arg(&script.sha1).arg(keys);
    command
}

/// The number of keys of a script that writes a request.
const WRITING_KEYS: usize = 4;

/// The same, with the keys of a script that writes a request.
fn writing(script: &Script, settings: &Settings, request: &MutationRequest, arguments: usize, bytes: usize) -> Cmd {
    let keyspace = &settings.keyspace;
    let partition = keyspace.partition_of(&request.id);
    let mut command = by_hash(script, WRITING_KEYS, arguments, bytes);
    command.arg(keyspace.record(&request.id)).arg(keyspace.feed(partition)).arg(keyspace.index_prefix(partition));
    command.arg(keyspace.layout(partition));
    command
}

/// Adds the arguments of a feed entry: feed length, id, revision number, status, kinds of the decisions from this one on.
fn announce(command: &mut Cmd, settings: &Settings, request: &MutationRequest, revision: Revision, first: usize) {
    let kinds = request.decisions.iter().skip(first).map(|decision| decision.kind.with_category());
    let kinds: Vec<&str> = kinds.collect();
    command
        .arg(settings.feed_length)
        .arg(request.id.as_str())
        .arg(revision.number)
        .arg(request.state.status().as_str())
        .arg(kinds.join(","));
}

/// Number and write id, one after the other.
fn revision_bytes(revision: Revision) -> [u8; 24] {
    let mut bytes = [0; 24];
    let (number, write_id) = bytes.split_at_mut(8);
    number.copy_from_slice(&revision.number.to_be_bytes());
    write_id.copy_from_slice(revision.write_id.as_bytes());
    bytes
}

/// These groups and those of the decisions from this one on.
fn with_decisions(mut groups: EncodedEntries, request: &MutationRequest, first: usize) -> EncodedEntries {
    add_decision_entries(&mut groups, request, first);
    groups
}
