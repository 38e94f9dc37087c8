use std::borrow::Cow;

use super::check::CheckMode;
use super::durability::Durability;
use super::index_entries::{Groups, add_decision_entries};
use super::options::Settings;
use super::record::NewRecord;
use super::scan::{Scan, lex_bounds};
use super::script::{self, Script};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::query::{KeyRange, SortKey, Term};
use crate::request::{MutationRequest, RequestId, Revision};

/// The version of keys, records and indexes taken together.
pub(super) const LAYOUT_VERSION: u32 = 1;

/// One round trip to one partition.
pub(crate) struct Call {
    /// Whether it may change anything.
    pub(crate) writes: bool,
    what: What,
}

enum What {
    Command(redis::Cmd),
    Script { script: &'static Script, keys: Vec<Vec<u8>>, arguments: Vec<Vec<u8>> },
}

impl Call {
    /// The server's own description of itself.
    pub(crate) fn server_info() -> Self {
        Self::reading(redis::cmd("INFO"))
    }

    /// Reads how a namespace is laid out, if it is.
    pub(crate) fn look_at_namespace(settings: &Settings) -> Self {
        let mode = if settings.read_only { "read" } else { "look" };
        Self { writes: false, what: Self::namespace(settings, &script::LOOK_AT_NAMESPACE, mode) }
    }

    /// Records the layout of a namespace, or reads what somebody else has recorded meanwhile.
    pub(crate) fn open_namespace(settings: &Settings) -> Self {
        Self { writes: true, what: Self::namespace(settings, &script::OPEN_NAMESPACE, "open") }
    }

    fn namespace(settings: &Settings, script: &'static Script, mode: &str) -> What {
        let keyspace = &settings.keyspace;
        let keys = vec![keyspace.meta().into_bytes()];
        let (sample_index, sample_feed) = (format!("{}a", keyspace.index_prefix(0)), keyspace.feed(0));
        let metadata: Vec<&str> = settings.indexed_metadata.iter().collect();
        let arguments = vec![
            text(&keyspace.partition_count()),
            text(&LAYOUT_VERSION),
            text(&metadata.join("\n")),
            text(&sample_index),
            text(&sample_feed),
            text(&mode),
        ];
        What::Script { script, keys, arguments }
    }

    /// Asks whether writes can wait for this.
    pub(crate) fn probe(durability: Durability) -> Self {
        Self::reading(durability.probe())
    }

    /// Records another choice of indexed metadata keys.
    pub(crate) fn choose_indexed_metadata(settings: &Settings) -> Self {
        let metadata: Vec<&str> = settings.indexed_metadata.iter().collect();
        let command = redis::cmd("HSET").arg(settings.keyspace.meta()).arg("metadata").arg(metadata.join("\n")).clone();
        Self { writes: true, what: What::Command(command) }
    }

    pub(crate) fn get(settings: &Settings, id: &RequestId) -> Self {
        Self::reading(redis::cmd("GET").arg(settings.keyspace.record(id)).clone())
    }

    /// All ids must be of one partition.
    pub(crate) fn get_many<'a>(settings: &Settings, ids: impl IntoIterator<Item = &'a RequestId>) -> Self {
        let mut command = redis::cmd("MGET");
        for id in ids {
            command.arg(settings.keyspace.record(id));
        }
        Self::reading(command)
    }

    /// # Errors
    /// When the request is over the document limit.
    pub(crate) fn create(settings: &Settings, request: &MutationRequest) -> Result<Self> {
        let record = NewRecord::new(settings, request, request.revision())?;
        let mut arguments = announcement(settings, request, request.revision(), 0).to_vec();
        arguments.push(record.bytes);
        arguments.push(with_decisions(record.lasting, request, 0));
        Ok(Self::writing(&script::CREATE, settings, request, arguments))
    }

    /// `stored_decisions` is how many decisions are taken to be stored, at most as many as the request has.
    ///
    /// # Errors
    /// When the request is over the document limit.
    pub(crate) fn update(
        settings: &Settings,
        request: &MutationRequest,
        next: Revision,
        stored_decisions: usize,
    ) -> Result<Self> {
        let record = NewRecord::new(settings, request, next)?;
        let mut arguments = announcement(settings, request, next, stored_decisions).to_vec();
        arguments.push(record.state(request.revision(), stored_decisions));
        arguments.extend(NewRecord::split(record.bytes));
        arguments.push(with_decisions(Groups::default(), request, stored_decisions));
        Ok(Self::writing(&script::UPDATE, settings, request, arguments))
    }

    /// Reads along indexes of one partition.
    pub(crate) fn scan(settings: &Settings, partition: u16, scan: &Scan<'_>) -> Self {
        let keyspace = &settings.keyspace;
        let sign = |positive: bool| if positive { b"+".to_vec() } else { b"-".to_vec() };
        let mut keys = vec![keyspace.record_prefix(partition).into_bytes()];
        keys.extend(scan.terms().map(|term| keyspace.index(partition, term)));
        let mut arguments = vec![
            text(&scan.driver.len()),
            sign(!scan.descending),
            scan.from.clone(),
            scan.to.clone(),
            text(&scan.limit),
            text(&scan.budget),
            sign(scan.created_first),
            text(&u8::from(scan.wants_records)),
        ];
        for (terms, by_row) in &scan.probes {
            arguments.push(text(&terms.len()));
            arguments.push(if *by_row { b"row".to_vec() } else { b"request".to_vec() });
        }
        Self { writes: false, what: What::Script { script: &script::SCAN, keys, arguments } }
    }

    /// Counts the keys that terms hold in one partition, each within a range, and reads the first key of the first term.
    pub(crate) fn sizes<'a>(
        settings: &Settings,
        partition: u16,
        ranges: impl IntoIterator<Item = (&'a Term, &'a KeyRange)>,
    ) -> Self {
        let (mut keys, mut arguments) = (Vec::new(), Vec::new());
        for (term, range) in ranges {
            keys.push(settings.keyspace.index(partition, term));
            let (from, to) = lex_bounds(range);
            arguments.extend([from, to]);
        }
        Self { writes: false, what: What::Script { script: &script::SIZES, keys, arguments } }
    }

    /// Some of the records of the namespace, in any partition: one step of SCAN.
    pub(crate) fn find_records(settings: &Settings, cursor: u64) -> Self {
        Self::find(settings, cursor, "r")
    }

    /// Some of the indexes of the namespace, in any partition: one step of SCAN.
    pub(crate) fn find_indexes(settings: &Settings, cursor: u64) -> Self {
        Self::find(settings, cursor, "i")
    }

    fn find(settings: &Settings, cursor: u64, kind: &str) -> Self {
        // No character of a namespace means anything in a pattern.
        let pattern = format!("{{{}:*}}:{kind}:*", settings.keyspace.namespace());
        Self::reading(redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(200).clone())
    }

    pub(crate) fn get_key(key: &str) -> Self {
        Self::reading(redis::cmd("GET").arg(key).clone())
    }

    /// A part of an index, behind a member if one is given.
    pub(crate) fn index_part(index: &str, after: &[u8], most: usize) -> Self {
        let from = if after.is_empty() { b"-".to_vec() } else { [b"(", after].concat() };
        let mut command = redis::cmd("ZRANGE");
        command.arg(index).arg(from).arg("+").arg("BYLEX").arg("LIMIT").arg(0).arg(most);
        Self::reading(command)
    }

    pub(crate) fn remove_member(index: &str, member: &SortKey) -> Self {
        let command = redis::cmd("ZREM").arg(index).arg(member.as_bytes()).clone();
        Self { writes: true, what: What::Command(command) }
    }

    /// Compares a record's index entries with those its document asks for, and mends them if told to.
    ///
    /// # Errors
    /// When the request is over the document limit.
    pub(crate) fn mend(settings: &Settings, request: &MutationRequest, mode: CheckMode) -> Result<Self> {
        let revision = request.revision();
        let record = NewRecord::new(settings, request, revision)?;
        let told = match mode {
            CheckMode::Report => "report",
            CheckMode::Repair => "repair",
            CheckMode::Migrate => "migrate",
        };
        let others = with_decisions(record.lasting, request, 0);
        let arguments = vec![revision_bytes(revision), told.as_bytes().to_vec(), record.bytes, others];
        let keyspace = &settings.keyspace;
        let keys = [keyspace.record(&request.id), keyspace.index_prefix(keyspace.partition_of(&request.id))];
        let keys = keys.map(String::into_bytes).to_vec();
        Ok(Self { writes: mode.mends(), what: What::Script { script: &script::MEND, keys, arguments } })
    }

    /// Removes an index entry, if told to, that the document at this revision, or the absence of one, does not explain.
    pub(crate) fn drop_entry(
        settings: &Settings,
        index: &str,
        member: &SortKey,
        id: &RequestId,
        revision: Option<Revision>,
        drops: bool,
    ) -> Self {
        let keys = vec![settings.keyspace.record(id).into_bytes(), index.as_bytes().to_vec()];
        let revision = revision.map(revision_bytes).unwrap_or_default();
        let arguments = vec![revision, member.as_bytes().to_vec(), text(&u8::from(drops))];
        Self { writes: drops, what: What::Script { script: &script::DROP_ENTRY, keys, arguments } }
    }

    const fn reading(command: redis::Cmd) -> Self {
        Self { writes: false, what: What::Command(command) }
    }

    fn writing(
        script: &'static Script,
        settings: &Settings,
        request: &MutationRequest,
        arguments: Vec<Vec<u8>>,
    ) -> Self {
        let keyspace = &settings.keyspace;
        let partition = keyspace.partition_of(&request.id);
        let keys = [keyspace.record(&request.id), keyspace.feed(partition), keyspace.index_prefix(partition)];
        let keys = keys.map(String::into_bytes).to_vec();
        Self { writes: true, what: What::Script { script, keys, arguments } }
    }

    /// Names the keys that a refusal is about, which the server does not.
    pub(crate) fn locate(&self, mut error: StoreError) -> StoreError {
        const MOST_NAMED: usize = 4;
        if error.kind == StoreErrorKind::Refused {
            let keys: Vec<_> = self.keys().into_iter().take(MOST_NAMED).collect();
            if !keys.is_empty() {
                error.problem = format!("{}; asked of {}", error.problem, keys.join(", "));
            }
        }
        error
    }

    fn keys(&self) -> Vec<String> {
        let readable = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match &self.what {
            What::Command(command) => command
                .args_iter()
                .filter_map(|argument| match argument {
                    redis::Arg::Simple(bytes) if bytes.starts_with(b"{") => Some(readable(bytes)),
                    _ => None,
                })
                .collect(),
            What::Script { keys, .. } => keys.iter().map(|key| readable(key)).collect(),
        }
    }

    /// The command to send: a script by its hash, or with its source when the server did not know the hash.
    pub(crate) fn command(&self, with_source: bool) -> Cow<'_, redis::Cmd> {
        match &self.what {
            What::Command(command) => Cow::Borrowed(command),
            What::Script { script, keys, arguments } => {
                let (name, script) = if with_source { ("EVAL", &script.source) } else { ("EVALSHA", &script.sha1) };
                let sizes = keys.iter().chain(arguments).map(Vec::len).sum::<usize>();
                let mut command =
                    redis::Cmd::with_capacity(keys.len() + arguments.len() + 3, sizes + script.len() + 16);
                command.arg(name).arg(script).arg(keys.len()).arg(keys).arg(arguments);
                Cow::Owned(command)
            }
        }
    }
}

/// The arguments of a feed entry: feed length, id, revision number, status, kinds of the decisions from this one on.
fn announcement(settings: &Settings, request: &MutationRequest, revision: Revision, first: usize) -> [Vec<u8>; 5] {
    let kinds: Vec<String> = request.decisions.iter().skip(first).map(|decision| decision.kind.to_string()).collect();
    [
        text(&settings.feed_length),
        text(&request.id),
        text(&revision.number),
        text(&request.state.status()),
        kinds.join(",").into_bytes(),
    ]
}

fn revision_bytes(revision: Revision) -> Vec<u8> {
    [&revision.number.to_be_bytes()[..], revision.write_id.as_bytes()].concat()
}

/// The bytes of these groups and of those of the decisions from this one on.
fn with_decisions(mut groups: Groups, request: &MutationRequest, first: usize) -> Vec<u8> {
    add_decision_entries(&mut groups, request, first);
    groups.into_uncounted()
}

fn text(value: &impl ToString) -> Vec<u8> {
    value.to_string().into_bytes()
}
