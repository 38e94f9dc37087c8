//! Simulated streams, for the tests beside this file.

use redis::Value;

use super::walk::FeedRead;
use crate::redis::keyspace::Keyspace;

/// The feeds of a namespace as on a server: all entries ever added, and how many of them have been removed.
pub(super) struct Feeds {
    pub(super) keyspace: Keyspace,
    pub(super) streams: Vec<Stream>,
}

#[derive(Clone, Default)]
pub(super) struct Stream {
    pub(super) added: Vec<(u64, Vec<(String, String)>)>,
    pub(super) removed: usize,
}

pub(super) fn bulk(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

pub(super) fn fields(id: &str, revision: &str) -> Vec<(String, String)> {
    let fields = [("id", id), ("revision", revision), ("status", "Pending"), ("decisions", "Lifecycle/Pending")];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// An entry in the form of XRANGE.
pub(super) fn entry(id: &str, fields: &[(String, String)]) -> Value {
    let fields = fields.iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect();
    Value::Array(vec![bulk(id), Value::Array(fields)])
}

pub(super) fn reply(added: usize, kept: usize, entries: Vec<Value>) -> Value {
    Value::Array(vec![Value::Int(added as i64), Value::Int(kept as i64), Value::Array(entries), Value::Int(0)])
}

impl Feeds {
    pub(super) fn new(partitions: u16) -> Self {
        let streams = vec![Stream::default(); usize::from(partitions)];
        Self { keyspace: Keyspace::new("billing", partitions).unwrap(), streams }
    }

    /// Adds an entry of a request to its feed, and returns the partition.
    pub(super) fn add(&mut self, id: &str, revision: usize) -> usize {
        let partition = self.keyspace.partition_of(&crate::request::RequestId::new(id).unwrap());
        self.streams[usize::from(partition)].push(fields(id, &revision.to_string()));
        usize::from(partition)
    }

    /// Adds these revisions of one request.
    pub(super) fn write(&mut self, revisions: std::ops::Range<usize>) {
        for revision in revisions {
            self.add("a", revision);
        }
    }

    /// The reply of feed.lua.
    pub(super) fn answer(&self, read: FeedRead) -> Value {
        let stream = &self.streams[usize::from(read.partition)];
        let from = match read.from().as_str() {
            "-" => 0,
            "end" => stream.added.last().map_or(0, |(at, _)| *at),
            id => id.strip_suffix("-0").unwrap().parse().unwrap(),
        };
        let kept = stream.added.iter().skip(stream.removed).filter(|(at, _)| *at >= from);
        let entries = kept.take(read.count()).map(|(at, fields)| entry(&format!("{at}-0"), fields)).collect();
        reply(stream.added.len(), stream.added.len() - stream.removed, entries)
    }
}

impl Stream {
    /// Ids are times: those of a lost stream do not come again by themselves.
    pub(super) fn push(&mut self, fields: Vec<(String, String)>) {
        let at = self.added.last().map_or(1_000, |(at, _)| at + 1);
        self.added.push((at, fields));
    }
}
