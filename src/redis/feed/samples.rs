//! Simulated streams, for the tests beside this file.

use redis::Value;

use super::reply::Origin;
use super::walk::FeedRead;
use crate::redis::keyspace::Keyspace;

/// The feeds of a namespace as on a server: all entries ever added, and how many of them have been removed.
pub(super) struct Feeds {
    pub(super) keyspace: Keyspace,
    pub(super) streams: Vec<Stream>,
    /// What each partition records of where its requests came from.
    pub(super) origins: Vec<String>,
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

pub(super) fn reply(added: usize, kept: usize, entries: Vec<Value>, origin: &str) -> Value {
    let counts = [added, kept].map(|count| Value::Int(count as i64));
    Value::Array([counts.to_vec(), vec![Value::Array(entries), Value::Int(0), bulk(origin)]].concat())
}

impl Feeds {
    pub(super) fn new(partitions: u16) -> Self {
        let streams = vec![Stream::default(); usize::from(partitions)];
        let origins = vec![String::new(); usize::from(partitions)];
        Self { keyspace: Keyspace::new("billing", partitions).unwrap(), streams, origins }
    }

    /// The same feeds after each partition was split into `times` as many.
    pub(super) fn repartitioned(mut self, times: u16) -> Self {
        let before = self.keyspace.partition_count();
        self.keyspace = Keyspace::new("billing", before * times).unwrap();
        for added in before..before * times {
            let parent = usize::from(added % before);
            let origin = Origin::parse(&self.origins[parent]).unwrap();
            let origin = origin.split_from(added % before, self.streams[parent].added.len() as u64);
            self.origins.push(origin.to_string());
            self.streams.push(Stream::default());
        }
        self
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
        let origin = if read.is_from_oldest() { &self.origins[usize::from(read.partition)] } else { "" };
        reply(stream.added.len(), stream.added.len() - stream.removed, entries, origin)
    }
}

impl Stream {
    /// Ids are times: those of a lost stream do not come again by themselves.
    pub(super) fn push(&mut self, fields: Vec<(String, String)>) {
        let at = self.added.last().map_or(1_000, |(at, _)| at + 1);
        self.added.push((at, fields));
    }
}
