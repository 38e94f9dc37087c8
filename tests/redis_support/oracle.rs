//! What must be stored for a set of requests, derived from their documents and from what the comments in `keyspace.rs`,
//! `record.rs` and `index_entries.rs` promise; and the comparison with what is stored, in both directions.
//!
//! To cover a new index add a rule to [`INDEXES`]. A key that no rule explains fails every test that checks.

use std::collections::{BTreeMap, BTreeSet};

use mutator_governance::{MutationRequest, RequestDocument};

use super::{Raw, Store};

type Bytes = Vec<u8>;

/// One kind of index: which entries a document must have in it.
struct IndexRule {
    name: &'static str,
    /// Whether the record's header lists its entries, because the next revision may end them.
    listed_in_header: bool,
    /// Suffix of the index key behind the partition's index prefix, and member.
    entries: fn(&RequestDocument) -> Vec<(Bytes, Bytes)>,
}

const INDEXES: &[IndexRule] = &[
    IndexRule {
        name: "all requests",
        listed_in_header: false,
        entries: |document| vec![(b"a".to_vec(), by_created(document))],
    },
    IndexRule {
        name: "by state",
        listed_in_header: false,
        entries: |document| vec![(with_state(b"t:", document), by_created(document))],
    },
    IndexRule {
        name: "pending",
        listed_in_header: true,
        entries: |document| if_pending(document, vec![(b"p".to_vec(), by_created(document))]),
    },
    IndexRule {
        name: "pending by state",
        listed_in_header: true,
        entries: |document| if_pending(document, vec![(with_state(b"p:", document), by_created(document))]),
    },
];

fn by_created(document: &RequestDocument) -> Bytes {
    let mut member = document.created_at.as_micros().to_be_bytes().to_vec();
    member.extend_from_slice(document.id.as_str().as_bytes());
    member
}

fn with_state(prefix: &[u8], document: &RequestDocument) -> Bytes {
    let mut suffix = prefix.to_vec();
    suffix.extend_from_slice(document.target.state_id.as_str().as_bytes());
    suffix
}

fn if_pending(document: &RequestDocument, entries: Vec<(Bytes, Bytes)>) -> Vec<(Bytes, Bytes)> {
    if matches!(document.state, mutator_governance::RequestState::Pending(_)) { entries } else { Vec::new() }
}

/// What one applied write must have announced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedEntry {
    pub id: String,
    pub revision: u64,
    pub status: String,
    pub decisions: String,
}

impl FeedEntry {
    /// The entry for `stored`, which came after `before`, if anything did.
    pub fn for_write(before: Option<&MutationRequest>, stored: &MutationRequest) -> Self {
        let known = before.map_or(0, |before| before.decisions.len());
        let kinds: Vec<String> = stored.decisions[known..].iter().map(|decision| decision.kind.to_string()).collect();
        Self {
            id: stored.id.to_string(),
            revision: stored.revision().number,
            status: format!("{:?}", stored.state.status()),
            decisions: kinds.join(","),
        }
    }

    pub fn of(fields: &[(String, String)]) -> Self {
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["id", "revision", "status", "decisions"], "the fields of a feed entry");
        Self {
            id: fields[0].1.clone(),
            revision: fields[1].1.parse().unwrap(),
            status: fields[2].1.clone(),
            decisions: fields[3].1.clone(),
        }
    }
}

pub struct Oracle {
    pub namespace: String,
    pub partitions: u16,
}

impl Oracle {
    pub fn new(namespace: &str, partitions: u16) -> Self {
        Self { namespace: namespace.to_owned(), partitions }
    }

    pub fn partition_of(&self, id: &str) -> u16 {
        u16::try_from(crc32(id.as_bytes()) % u32::from(self.partitions)).unwrap()
    }

    pub fn key(&self, partition: u16, rest: &[u8]) -> Bytes {
        [format!("{{{}:{partition}}}:", self.namespace).as_bytes(), rest].concat()
    }

    pub fn record_key(&self, id: &str) -> Bytes {
        self.key(self.partition_of(id), format!("r:{id}").as_bytes())
    }

    pub fn feed_key(&self, partition: u16) -> Bytes {
        self.key(partition, b"feed")
    }

    pub fn meta_key(&self) -> String {
        format!("{{{}}}:meta", self.namespace)
    }

    /// Every index key that a document has an entry in.
    pub fn index_keys(&self, document: &RequestDocument) -> Vec<Bytes> {
        self.entries(document).into_iter().map(|(key, _)| key).collect()
    }

    fn entries(&self, document: &RequestDocument) -> Vec<(Bytes, Bytes)> {
        let partition = self.partition_of(document.id.as_str());
        let key = |suffix: Bytes| self.key(partition, &[b"i:".as_slice(), &suffix].concat());
        let all = INDEXES.iter().flat_map(|rule| (rule.entries)(document));
        all.map(|(suffix, member)| (key(suffix), member)).collect()
    }

    /// Compares all that is stored in the namespace with what its documents demand, and returns the documents.
    pub fn check(&self, raw: &mut Raw, store: &Store) -> BTreeMap<String, MutationRequest> {
        let mut documents = BTreeMap::new();
        let mut stored: BTreeSet<(Bytes, Bytes)> = BTreeSet::new();
        for key in raw.keys(&self.namespace) {
            let shown = String::from_utf8_lossy(&key).into_owned();
            let kind = raw.type_of(&key);
            if shown == self.meta_key() {
                let meta: BTreeMap<String, String> = raw.ask(&["HGETALL", &shown]);
                assert_eq!(meta.get("partitions"), Some(&self.partitions.to_string()));
                assert_eq!(meta.get("layout").map(String::as_str), Some("1"));
                continue;
            }
            let (partition, rest) = self.split(&key);
            if let Some(id) = rest.strip_prefix(b"r:") {
                assert_eq!(kind, "string", "{shown}");
                let id = std::str::from_utf8(id).unwrap();
                assert_eq!(partition, self.partition_of(id), "partition of {shown}");
                let request = store.get(&super::requests::id(id)).unwrap().expect("the key was there a moment ago");
                assert_eq!(request.id, id);
                let value: Bytes = raw.ask(&[b"GET".as_slice(), &key]);
                check_header(&value, &request);
                documents.insert(id.to_owned(), request);
            } else if rest == b"feed" {
                assert_eq!(kind, "stream", "{shown}");
            } else if rest.starts_with(b"i:") {
                assert_eq!(kind, "zset", "{shown}");
                let members: Vec<(Bytes, String)> = raw.ask(&[b"ZRANGE".as_slice(), &key, b"0", b"-1", b"WITHSCORES"]);
                assert!(members.iter().all(|(_, score)| score == "0"), "a score of {shown} is not 0");
                stored.extend(members.into_iter().map(|(member, _)| (key.clone(), member)));
            } else {
                panic!("no rule explains the key {shown} ({kind})");
            }
        }
        let expected: BTreeSet<_> = documents.values().flat_map(|request| self.entries(request.document())).collect();
        let show = |entries: BTreeSet<&(Bytes, Bytes)>| -> Vec<String> {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            entries.iter().map(|(key, member)| format!("{} ∋ {}", text(key), text(&member[8..]))).collect()
        };
        let missing = show(expected.difference(&stored).collect());
        let extra = show(stored.difference(&expected).collect());
        assert!(missing.is_empty() && extra.is_empty(), "indexes: missing {missing:#?}, extra {extra:#?}");
        documents
    }

    /// The feeds of all partitions must hold exactly these, in this order within each partition.
    pub fn check_feed(&self, raw: &mut Raw, writes: &[FeedEntry]) {
        for partition in 0..self.partitions {
            let here = |entry: &&FeedEntry| self.partition_of(&entry.id) == partition;
            let expected: Vec<FeedEntry> = writes.iter().filter(here).cloned().collect();
            assert_eq!(raw.feed(&self.feed_key(partition)), expected, "feed of partition {partition}");
        }
    }

    /// The feed must tell of each request every revision once, in order, the last one being the one stored, with the
    /// decisions that are stored: what holds whoever wrote, at once or not, and whatever failed meanwhile.
    pub fn check_feed_is_dense(&self, raw: &mut Raw, documents: &BTreeMap<String, MutationRequest>) {
        let mut told: BTreeMap<String, Vec<FeedEntry>> = BTreeMap::new();
        for partition in 0..self.partitions {
            for entry in raw.feed(&self.feed_key(partition)) {
                assert_eq!(self.partition_of(&entry.id), partition);
                told.entry(entry.id.clone()).or_default().push(entry);
            }
        }
        assert_eq!(told.keys().collect::<Vec<_>>(), documents.keys().collect::<Vec<_>>(), "who is in the feed");
        for (id, entries) in told {
            let request = &documents[&id];
            let revisions: Vec<u64> = entries.iter().map(|entry| entry.revision).collect();
            let expected: Vec<u64> = (0..=request.revision().number).collect();
            assert_eq!(revisions, expected, "revisions of {id} in the feed");
            let kinds: Vec<&str> =
                entries.iter().flat_map(|entry| entry.decisions.split(',')).filter(|kind| !kind.is_empty()).collect();
            let expected: Vec<String> = request.decisions.iter().map(|decision| decision.kind.to_string()).collect();
            assert_eq!(kinds, expected, "decisions of {id} in the feed");
            assert_eq!(entries.last().unwrap().status, format!("{:?}", request.state.status()));
        }
    }

    fn split<'a>(&self, key: &'a [u8]) -> (u16, &'a [u8]) {
        let shown = String::from_utf8_lossy(key).into_owned();
        let rest = key.strip_prefix(format!("{{{}:", self.namespace).as_bytes());
        let rest = rest.unwrap_or_else(|| panic!("{shown} does not begin with the namespace's hash tag"));
        let end = rest.iter().position(|&byte| byte == b'}').expect("a hash tag ends");
        let partition: u16 = std::str::from_utf8(&rest[..end]).unwrap().parse().expect("a partition is a number");
        assert!(partition < self.partitions, "{shown}: there is no such partition");
        (partition, rest[end + 1..].strip_prefix(b":").unwrap())
    }
}

/// Reads the header as `record.rs` describes it.
fn check_header(value: &[u8], request: &MutationRequest) {
    let id = &request.id;
    assert_eq!(&value[..3], b"MR\x01", "{id}");
    let writes = usize::from(value[3]);
    assert_eq!(writes as u64, (request.revision().number + 1).min(8), "{id}: remembered write ids");
    assert_eq!(value[4..12], request.revision().number.to_be_bytes(), "{id}: revision");
    let decisions = u32::try_from(request.decisions.len()).unwrap();
    assert_eq!(value[12..16], decisions.to_be_bytes(), "{id}: number of decisions");
    assert_eq!(value[20..36], request.revision().write_id.as_bytes()[..], "{id}: newest write id");
    let mut rest = &value[20 + 16 * writes..];
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at(count);
        rest = left;
        taken.to_vec()
    };
    let length = |bytes: Vec<u8>| usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    let common_length = usize::from(take(1)[0]);
    let common = take(common_length);
    let mut listed = BTreeSet::new();
    for _ in 0..length(take(2)) {
        let suffix_length = length(take(2));
        let suffix = take(suffix_length);
        let member_length = length(take(2));
        let member = if member_length == 0 { common.clone() } else { take(member_length) };
        assert!(listed.insert((suffix, member)), "{id}: an entry is listed twice");
    }
    let rules = INDEXES.iter().filter(|rule| rule.listed_in_header);
    let expected: BTreeSet<_> = rules.flat_map(|rule| (rule.entries)(request.document())).collect();
    assert_eq!(listed, expected, "{id}: entries listed in the header");
}

/// CRC-32 (IEEE), bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// Every index has a name of its own, so that a failure can be told.
pub fn index_names() -> Vec<&'static str> {
    INDEXES.iter().map(|rule| rule.name).collect()
}
