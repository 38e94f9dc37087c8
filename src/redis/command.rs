use super::index_entries::{IndexEntry, suffix_of};
use super::options::Settings;
use super::record::NewRecord;
use super::script::{self, Script};
use crate::error::Result;
use crate::query::Listing;
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
        Self::reading(redis::cmd("INFO").arg("server").clone())
    }

    /// Records the layout of a namespace, or reads what is recorded.
    pub(crate) fn open_namespace(settings: &Settings) -> Self {
        let keyspace = &settings.keyspace;
        let keys = vec![keyspace.meta().into_bytes()];
        let arguments = vec![text(&keyspace.partition_count()), text(&LAYOUT_VERSION)];
        Self { writes: true, what: What::Script { script: &script::OPEN_NAMESPACE, keys, arguments } }
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
        let record = NewRecord::new(request.document(), request.revision(), settings.document_limit)?;
        let mut arguments = vec![record.bytes];
        arguments.extend(announcement(settings, request, request.revision()));
        arguments.extend(flat(record.lasting));
        Ok(Self::writing(&script::CREATE, settings, request, arguments))
    }

    /// # Errors
    /// When the request is over the document limit.
    pub(crate) fn update(settings: &Settings, request: &MutationRequest, next: Revision) -> Result<Self> {
        let record = NewRecord::new(request.document(), next, settings.document_limit)?;
        let expected = request.revision();
        let mut arguments = vec![record.bytes];
        arguments.extend(announcement(settings, request, next));
        arguments.push([&expected.number.to_be_bytes()[..], expected.write_id.as_bytes()].concat());
        arguments.push(record.marks);
        Ok(Self::writing(&script::UPDATE, settings, request, arguments))
    }

    /// A page of a list, behind this member, or its first one.
    pub(crate) fn page(settings: &Settings, partition: u16, listing: &Listing, after: &[u8], limit: usize) -> Self {
        let keyspace = &settings.keyspace;
        let index = [keyspace.index_prefix(partition).as_bytes(), &suffix_of(listing)].concat();
        let keys = vec![index, keyspace.record_prefix(partition).into_bytes()];
        let arguments = vec![after.to_vec(), text(&limit)];
        Self { writes: false, what: What::Script { script: &script::PAGE, keys, arguments } }
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

    /// The command to send: a script by its hash, or with its source when the server did not know the hash.
    pub(crate) fn command(&self, with_source: bool) -> redis::Cmd {
        match &self.what {
            What::Command(command) => command.clone(),
            What::Script { script, keys, arguments } => {
                let mut command = if with_source { redis::cmd("EVAL") } else { redis::cmd("EVALSHA") };
                command.arg(if with_source { &script.source } else { &script.sha1 });
                command.arg(keys.len()).arg(keys).arg(arguments);
                command
            }
        }
    }
}

/// The arguments of a feed entry: feed length, id, revision number, status, decision kinds in order.
fn announcement(settings: &Settings, request: &MutationRequest, revision: Revision) -> [Vec<u8>; 5] {
    let kinds: Vec<String> = request.decisions.iter().map(|decision| decision.kind.to_string()).collect();
    [
        text(&settings.feed_length),
        text(&request.id),
        text(&revision.number),
        text(&request.state.status()),
        kinds.join(",").into_bytes(),
    ]
}

fn flat(entries: Vec<IndexEntry>) -> impl Iterator<Item = Vec<u8>> {
    entries.into_iter().flat_map(|entry| [entry.suffix, entry.member])
}

fn text(value: &impl ToString) -> Vec<u8> {
    value.to_string().into_bytes()
}
