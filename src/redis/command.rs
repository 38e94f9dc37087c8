//! The calls of a store: commands and scripts, with their arguments.

mod check;
mod consumers;
mod import;
mod namespace;
mod place;
mod remove;
mod repartition;
mod unique;

use std::borrow::Cow;

use redis::{Arg, Cmd};

pub(crate) use self::import::{ImportBatch, ImportedRecord};
pub(crate) use self::place::{Freshness, Place};
pub(crate) use self::unique::{ReservationChange, UniqueHash};
use super::feed::{FeedRead, actor_text};
use super::options::Settings;
use super::record::NewRecord;
use super::script::{self, Script};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::feed::FeedActor;
use crate::index::{KeyRange, Term};
use crate::redis::connection::durability::Durability;
use crate::redis::connection::greeting::ask_time;
use crate::redis::pages::scan::{Scan, lex_bounds};
use crate::redis::record::index_entries::{EncodedEntries, add_decision_entries};
use crate::redis::topology::Purpose;
use crate::request::{MutationRequest, RequestId, Revision};
use crate::stored_format::SizeBudget;

/// One round trip to one partition.
pub(crate) struct Call {
    /// Where it goes.
    pub(crate) place: Place,
    /// Whether it may write.
    pub(crate) writes: bool,
    pub(crate) freshness: Freshness,
    /// What a write waits for.
    pub(crate) durability: Durability,
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
/// Of a record that is read together with others only this many bytes are.
pub(super) const SHORT_RECORD: usize = 8 * 1024;
/// Initial capacity for a script's arguments beside records and index entries. An estimate: a longer command grows.
const OTHER_BYTES: usize = 512;

impl Call {
    /// The server's INFO.
    pub(crate) fn server_info() -> Self {
        Self::reading(Place::Node, redis::cmd("INFO"))
    }

    /// The server's time: of a cluster, that of the node by which consumers are judged.
    pub(crate) fn time() -> Self {
        Self::reading(Place::CONSUMERS, ask_time())
    }

    /// Checks whether writes can wait for this.
    pub(crate) fn probe(durability: Durability) -> Self {
        Self::reading(Place::Node, durability.probe())
    }

    /// The first bytes of the record at a key, which hold most records completely. A command, because a script takes
    /// the server ten times as long.
    pub(crate) fn record_start(place: Place, key: &str) -> Self {
        Self::first_bytes(place, key, RECORD_START)
    }

    /// The record at a key if it is short, to be read together with others: so they take little memory.
    pub(crate) fn short_record(place: Place, key: &str) -> Self {
        Self::first_bytes(place, key, SHORT_RECORD)
    }

    fn first_bytes(place: Place, key: &str, most: usize) -> Self {
        let mut command = Cmd::with_capacity(4, key.len() + 32);
        command.arg("GETRANGE").arg(key).arg(0).arg(most - 1);
        Self::reading(place, command)
    }

    /// The record at a key, or only its size if that is over the limit of a record.
    pub(crate) fn whole_record(settings: &Settings, place: Place, key: &str) -> Self {
        Self::records_at(settings, place, [key.to_owned()], 0)
    }

    /// The first of these records, which must be in one partition, until they have this many bytes in total; only the
    /// sizes of those over the limit of a record.
    pub(crate) fn records(settings: &Settings, ids: &[&RequestId], enough_bytes: usize) -> Self {
        let place = ids.first().map_or(Place::Node, |id| Place::Partition(settings.keyspace.partition_of(id)));
        Self::records_at(settings, place, ids.iter().map(|id| settings.keyspace.record(id)), enough_bytes)
    }

    fn records_at(
        settings: &Settings,
        place: Place,
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
        Self::script(place, false, &script::RECORDS, keys, command)
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
            SizeBudget::to_submit(settings.options.document_limit, request),
        )?;
        let groups = with_decisions(record.lasting, request, 0);
        let entries = groups.uncounted();
        let bytes = record.bytes.len() + entries.len() + OTHER_BYTES;
        let partition = settings.keyspace.partition_of(&request.id);
        let (script, keys) = match request.unique_key {
            None => (&script::CREATE, WRITING_KEYS),
            Some(_) => (&script::CREATE_PERMITTED, WRITING_KEYS + 1),
        };
        let mut command = writing(script, settings, request, [keys, 13], bytes);
        if request.unique_key.is_some() {
            command.arg(settings.keyspace.permits(partition));
        }
        announce(&mut command, settings, request, request.revision(), 0);
        command.arg(&record.bytes).arg(entries).arg(settings.record_limit()).arg(&settings.layout);
        Ok(Self::script(Place::Partition(partition), true, script, keys, command))
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
        let budget = SizeBudget::to_change(settings.options.document_limit, request);
        let record = NewRecord::new(settings, request, next, intent, budget)?;
        let expected = record.state(request.revision(), stored_decisions);
        let (state, entries_now, document) = record.split();
        let groups = with_decisions(EncodedEntries::default(), request, stored_decisions);
        let entries = groups.uncounted();
        let bytes = record.bytes.len() + entries.len() + OTHER_BYTES;
        let mut command = writing(&script::UPDATE, settings, request, [WRITING_KEYS, 15], bytes);
        announce(&mut command, settings, request, next, stored_decisions);
        command.arg(&expected).arg(state).arg(entries_now).arg(document).arg(entries);
        command.arg(settings.record_limit()).arg(&settings.layout);
        let place = Place::Partition(settings.keyspace.partition_of(&request.id));
        Ok(Self::script(place, true, &script::UPDATE, WRITING_KEYS, command))
    }

    /// The same write, which waits for this: if it was applied before, the script writes it again, so that there is
    /// something to confirm. After all other arguments.
    pub(crate) fn confirmed_by(mut self, durability: Durability) -> Self {
        self.durability = durability;
        if let (true, What::Script { command, .. }) = (durability.waits(), &mut self.what) {
            command.arg(1);
        }
        self
    }

    /// The same read, whose answer may be so old.
    pub(crate) fn with_freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// Reads along the indexes of one partition.
    pub(crate) fn scan(settings: &Settings, partition: u16, scan: &Scan<'_>) -> Self {
        let keyspace = &settings.keyspace;
        let sign = |positive: bool| if positive { "+" } else { "-" };
        let keys = 1 + scan.terms().count();
        let mut command = by_hash(&script::SCAN, keys, 10 + 2 * scan.probes.len(), 64 * keys + OTHER_BYTES);
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
            .arg(settings.record_limit())
            .arg(scan.bytes);
        for (terms, by_row) in &scan.probes {
            command.arg(terms.len()).arg(if *by_row { "row" } else { "request" });
        }
        Self::script(Place::Partition(partition), false, &script::SCAN, keys, command)
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
        Self::script(Place::Partition(partition), false, &script::SIZES, keys, command)
    }

    /// Reads the next entries of one partition's feed.
    pub(crate) fn feed(settings: &Settings, read: FeedRead) -> Self {
        let keys = if read.is_from_oldest() { 2 } else { 1 };
        let mut command = by_hash(&script::FEED, keys, 3, OTHER_BYTES);
        command.arg(settings.keyspace.feed(read.partition));
        if read.is_from_oldest() {
            command.arg(settings.keyspace.origin(read.partition));
        }
        command.arg(read.from()).arg(read.count()).arg(read.bytes());
        Self::script(Place::Partition(read.partition), false, &script::FEED, keys, command)
    }

    const fn reading(place: Place, command: Cmd) -> Self {
        Self::new(place, false, What::Command(command))
    }

    const fn script(place: Place, writes: bool, script: &'static Script, keys: usize, command: Cmd) -> Self {
        Self::new(place, writes, What::Script { script, keys, command })
    }

    const fn new(place: Place, writes: bool, what: What) -> Self {
        Self { place, writes, freshness: Freshness::Latest, durability: Durability::Acknowledged, what }
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

    pub(crate) const fn purpose(&self) -> Purpose {
        if self.writes { Purpose::Write } else { Purpose::Read }
    }

    /// The hash of the script that it runs, if it runs one.
    pub(crate) fn script_hash(&self) -> Option<&'static str> {
        match &self.what {
            What::Script { script, .. } => Some(&script.sha1),
            What::Command(_) => None,
        }
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

/// The same, with the keys of a script that writes a request; the caller may add more.
fn writing(
    script: &Script,
    settings: &Settings,
    request: &MutationRequest,
    [keys, arguments]: [usize; 2],
    bytes: usize,
) -> Cmd {
    let keyspace = &settings.keyspace;
    let partition = keyspace.partition_of(&request.id);
    let mut command = by_hash(script, keys, arguments, bytes);
    command.arg(keyspace.record(&request.id)).arg(keyspace.feed(partition)).arg(keyspace.index_prefix(partition));
    command.arg(keyspace.layout(partition));
    command
}

/// Adds the arguments of a feed entry: feed length, id, revision number, status, kinds of the decisions from this one on,
/// its place and who made it; nothing for the last two without such a decision.
fn announce(command: &mut Cmd, settings: &Settings, request: &MutationRequest, revision: Revision, first: usize) {
    let kinds = request.decisions.iter().skip(first).map(|decision| decision.kind.with_category());
    let kinds: Vec<&str> = kinds.collect();
    command
        .arg(settings.options.feed_length)
        .arg(request.id.as_str())
        .arg(revision.number)
        .arg(request.state.status().as_str())
        .arg(kinds.join(","));
    match request.decisions.get(first) {
        Some(decision) => command.arg(first).arg(actor_text(&FeedActor::from(&*decision.by))),
        None => command.arg("").arg(""),
    };
}

/// These groups and those of the decisions from this one on.
fn with_decisions(mut groups: EncodedEntries, request: &MutationRequest, first: usize) -> EncodedEntries {
    add_decision_entries(&mut groups, request, first);
    groups
}
