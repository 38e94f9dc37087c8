//! What must be stored for a set of requests, derived from their documents and from what the comments in `keyspace.rs`,
//! `record.rs` and `index_entries.rs` promise; and the comparison with what is stored, in both directions.
//!
//! To cover a new index add a rule to [`INDEXES`]. A key that no rule explains fails every test that checks.

use std::collections::{BTreeMap, BTreeSet};

use mutator_governance::{
    Approval, ApprovalDecision, ApprovalState, Decision, DecisionCategory, DecisionKind, Error, Escalation,
    LifecycleDecision, MutationRequest, Pending, PendingReason, RequestDocument, RequestState, Timestamp,
};

use super::{Raw, Store};

type Bytes = Vec<u8>;

/// One kind of index: which entries a document must have in it.
struct IndexRule {
    name: &'static str,
    /// Whether the record's header lists its entries, because the next revision may end them.
    listed_in_header: bool,
    /// Suffix of the index key behind the partition's index prefix, and member.
    entries: fn(&RequestDocument) -> Vec<(String, Bytes)>,
}

const fn lasting(name: &'static str, entries: fn(&RequestDocument) -> Vec<(String, Bytes)>) -> IndexRule {
    IndexRule { name, listed_in_header: false, entries }
}

const fn passing(name: &'static str, entries: fn(&RequestDocument) -> Vec<(String, Bytes)>) -> IndexRule {
    IndexRule { name, listed_in_header: true, entries }
}

const INDEXES: &[IndexRule] = &[
    lasting("all requests", |document| of_request(document, ["a".to_owned()])),
    lasting("state id", |document| of_request(document, [format!("si:{}", document.target.state_id)])),
    lasting("state type", |document| of_request(document, [format!("st:{}", document.target.state_type)])),
    lasting("mutation type", |document| of_request(document, [format!("mt:{}", document.target.mutation_type)])),
    lasting("requester", |document| of_request(document, document.requested_by.id.iter().map(|id| format!("ac:{id}")))),
    lasting("category", |document| of_request(document, [format!("ca:{}", document.intent.category)])),
    lasting("tags", |document| of_request(document, document.intent.tags.iter().map(|tag| format!("tg:{tag}")))),
    lasting("risk", |document| of_request(document, [format!("rk:{}", document.intent.risk)])),
    lasting("blast radius", |document| {
        of_request(document, document.intent.blast_radius.iter().map(|radius| format!("br:{}", radius.scope)))
    }),
    passing("status", |document| of_request(document, [format!("s:{:?}", document.state.status())])),
    passing("pending reason", |document| {
        of_request(document, pending(document).map(|pending| format!("p:{:?}", pending.reason)))
    }),
    passing("pending of state", |document| {
        of_request(document, pending(document).map(|_| format!("ps:{}", document.target.state_id)))
    }),
    passing("due", |document| {
        let own = pending(document).and_then(|pending| pending.expires_at);
        let expiries = open_approvals(document).into_iter().filter_map(|approval| approval.expires_at);
        let escalations = open_approvals(document).into_iter().filter_map(|approval| {
            let escalation = approval.escalation.as_ref().filter(|it| !it.recorded && comes(approval, it))?;
            escalation.at
        });
        let deadline = expiries.chain(escalations).chain(own).chain(end_of_validity(document)).min();
        let id = document.id.as_str().as_bytes();
        deadline.map(|deadline| ("d".to_owned(), bytes(&[&micros(deadline), id]))).into_iter().collect()
    }),
    passing("ready", ready),
    passing("recent approvals", recent_approvals),
    passing("open approvals", |document| of_approvals(document, |_| vec!["o".to_owned()])),
    passing("open approvals by category", |document| {
        of_approvals(document, |_| vec![format!("oc:{}", document.intent.category)])
    }),
    passing("open approvals by addressee", |document| {
        of_approvals(document, |one| addressees("o", one, |escalation| escalation.recorded))
    }),
    passing("inbox", |document| {
        let active = open_approvals(document).iter().map(|approval| approval.step).min();
        of_approvals(document, |one| {
            if Some(one.step) == active {
                addressees("i", one, |escalation| comes(one, escalation))
            } else {
                Vec::new()
            }
        })
    }),
    lasting("decisions", |document| {
        let mut entries = Vec::new();
        for (ordinal, decision) in (0_u32..).zip(&document.decisions) {
            let late_first = micros(decision.at).map(|byte| !byte);
            let id = document.id.as_str().as_bytes();
            let member = bytes(&[&late_first, id, b"\0", &ordinal.to_be_bytes(), &micros(document.created_at)]);
            let mut suffixes = vec!["e".to_owned(), format!("ek:{}", decision.kind)];
            suffixes.extend(decision.by.id.iter().map(|id| format!("ea:{id}")));
            entries.extend(suffixes.into_iter().map(|suffix| (suffix, member.clone())));
        }
        entries
    }),
];

fn micros(time: Timestamp) -> [u8; 8] {
    time.as_micros().to_be_bytes()
}

fn bytes(parts: &[&[u8]]) -> Bytes {
    parts.concat()
}

fn pending(document: &RequestDocument) -> Option<Pending> {
    if let RequestState::Pending(pending) = document.state { Some(pending) } else { None }
}

/// The pending approvals of a request that waits for approval.
fn open_approvals(document: &RequestDocument) -> Vec<&Approval> {
    let waits = pending(document).is_some_and(|pending| pending.reason == PendingReason::Approval);
    let is_open = |approval: &&Approval| waits && matches!(approval.state, ApprovalState::Pending);
    document.approvals.iter().filter(is_open).collect()
}

/// Entries under created time and id.
fn of_request(document: &RequestDocument, suffixes: impl IntoIterator<Item = String>) -> Vec<(String, Bytes)> {
    let member = bytes(&[&micros(document.created_at), document.id.as_str().as_bytes()]);
    suffixes.into_iter().map(|suffix| (suffix, member.clone())).collect()
}

/// Entries under created time, id, step and approval id, of each open approval.
fn of_approvals(document: &RequestDocument, suffixes: impl Fn(&Approval) -> Vec<String>) -> Vec<(String, Bytes)> {
    let mut entries = Vec::new();
    for approval in open_approvals(document) {
        let step = approval.step.number().to_be_bytes();
        let (id, approval_id) = (document.id.as_str().as_bytes(), approval.id.as_str().as_bytes());
        let member = bytes(&[&micros(document.created_at), id, b"\0", &step, approval_id]);
        entries.extend(suffixes(approval).into_iter().map(|suffix| (suffix, member.clone())));
    }
    entries
}

/// Whether an approval escalates before it expires.
fn comes(approval: &Approval, escalation: &Escalation) -> bool {
    escalation.at.is_none_or(|at| approval.expires_at.is_none_or(|end| at < end))
}

/// Whom an approval is addressed to, and by its escalation if that counts.
fn addressees(prefix: &str, approval: &Approval, counts: impl Fn(&Escalation) -> bool) -> Vec<String> {
    let escalation = approval.escalation.as_ref().filter(|escalation| counts(escalation));
    let target = escalation.map_or_else(|| approval.target.clone(), |it| approval.target.clone().or(it.to.clone()));
    let ids = target.actor_ids().iter().map(|id| format!("{prefix}a:{id}"));
    let roles = target.roles().iter().map(|role| format!("{prefix}r:{role}"));
    let groups = target.groups().iter().map(|group| format!("{prefix}g:{group}"));
    ids.chain(roles).chain(groups).collect()
}

/// Approved and executed requests, by their latest decision about approvals other than the one that asked for them.
fn recent_approvals(document: &RequestDocument) -> Vec<(String, Bytes)> {
    let about: Vec<_> = document
        .decisions
        .iter()
        .filter_map(|decision| match decision.kind {
            DecisionKind::Approval(kind) => Some((kind, decision.at)),
            _ => None,
        })
        .collect();
    let is_approved = matches!(document.state, RequestState::Approved | RequestState::Executed { .. });
    if !is_approved || (document.approvals.is_empty() && about.is_empty()) {
        return Vec::new();
    }
    let latest = about.iter().filter(|(kind, _)| *kind != ApprovalDecision::Requested).map(|(_, at)| *at).max();
    let late_first = micros(latest.unwrap_or(document.updated_at)).map(|byte| !byte);
    let id = document.id.as_str().as_bytes();
    vec![("v".to_owned(), bytes(&[&late_first, id, b"\0", &micros(document.created_at)]))]
}

/// What one applied write must have announced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedEntry {
    pub id: String,
    pub revision: u64,
    pub status: String,
    pub decisions: String,
    /// The place of the first of them, and kind, id and name of who made it.
    pub first: String,
    pub by: String,
    /// What kind of change it was; nothing for an ordinary write.
    pub change: String,
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
            first: if kinds.is_empty() { String::new() } else { known.to_string() },
            by: stored.decisions.get(known).map_or_else(String::new, |first| {
                let id = first.by.id.as_ref().map_or("", |id| id.as_str());
                let name = first.by.name.as_deref().filter(|name| name.len() <= 256).unwrap_or("");
                format!("{:?}\n{id}\n{name}", first.by.kind)
            }),
            change: String::new(),
        }
    }

    pub fn of(fields: &[(String, String)]) -> Self {
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let expected = ["id", "revision", "status", "decisions", "first", "by", "change"];
        assert!(names == expected[..6] || names == expected, "the fields of a feed entry: {names:?}");
        Self {
            id: fields[0].1.clone(),
            revision: fields[1].1.parse().unwrap(),
            status: fields[2].1.clone(),
            decisions: fields[3].1.clone(),
            first: fields[4].1.clone(),
            by: fields[5].1.clone(),
            change: fields.get(6).map_or_else(String::new, |(_, change)| change.clone()),
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

    pub fn layout_key(&self, partition: u16) -> Bytes {
        self.key(partition, b"layout")
    }

    pub fn meta_key(&self) -> String {
        format!("{{{}}}:meta", self.namespace)
    }

    /// Every index key that a document has an entry in.
    pub fn index_keys(&self, document: &RequestDocument) -> Vec<Bytes> {
        self.entries(document).into_iter().map(|(key, _)| key).collect()
    }

    /// Every index key and member that a document has.
    pub fn entries(&self, document: &RequestDocument) -> Vec<(Bytes, Bytes)> {
        let partition = self.partition_of(document.id.as_str());
        let key = |suffix: String| self.key(partition, format!("i:{suffix}").as_bytes());
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
                assert_eq!(meta.get("layout").map(String::as_str), Some("3"));
                assert_eq!(meta.get("reindexing").map_or("", String::as_str), "");
                continue;
            }
            let (partition, rest) = self.split(&key);
            if let Some(id) = rest.strip_prefix(b"r:") {
                assert_eq!(kind, "string", "{shown}");
                let id = std::str::from_utf8(id).unwrap();
                assert_eq!(partition, self.partition_of(id), "partition of {shown}");
                let value: Bytes = raw.ask(&[b"GET".as_slice(), &key]);
                if value.starts_with(b"MT\x01") {
                    assert_eq!(value[3..19], header_checksum(id, &value[19..]), "{id}: checksum of the tombstone");
                    let removed = store.get(&super::requests::id(id));
                    assert!(matches!(&removed, Err(Error::Removed(tombstone)) if tombstone.id == id), "{removed:?}");
                    continue;
                }
                let request = store.get(&super::requests::id(id)).unwrap().expect("the key was there a moment ago");
                assert_eq!(request.id, id);
                check_header(&value, &request);
                documents.insert(id.to_owned(), request);
            } else if rest == b"layout" {
                let layout: String = raw.ask(&[b"GET".as_slice(), &key]);
                assert!(layout.starts_with(&format!("3 {} ", self.partitions)), "{shown}: {layout}");
            } else if rest == b"origin" {
                assert_eq!(kind, "string", "{shown}");
                let origin: String = raw.ask(&[b"GET".as_slice(), &key]);
                let earlier: Vec<u64> = origin.split(' ').map(|word| word.parse().unwrap()).collect();
                let is_earlier = earlier.chunks(2).all(|pair| pair.len() == 2 && pair[0] < u64::from(partition));
                assert!(is_earlier && !earlier.is_empty(), "{shown}: {origin}");
            } else if rest == b"feed" {
                assert_eq!(kind, "stream", "{shown}");
            } else if rest == b"consumers" {
                assert_eq!((partition, kind.as_str()), (0, "hash"), "{shown}");
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
        let mut in_feed: BTreeMap<String, Vec<FeedEntry>> = BTreeMap::new();
        for partition in 0..self.partitions {
            for entry in raw.feed(&self.feed_key(partition)) {
                assert_eq!(self.partition_of(&entry.id), partition);
                in_feed.entry(entry.id.clone()).or_default().push(entry);
            }
        }
        // What was removed was in it before, and is at no later place.
        in_feed.retain(|_, entries| {
            let removals = entries.iter().filter(|entry| entry.change == "Removed").count();
            assert!(removals <= usize::from(entries.last().unwrap().change == "Removed"), "{entries:?}");
            removals == 0
        });
        assert_eq!(in_feed.keys().collect::<Vec<_>>(), documents.keys().collect::<Vec<_>>(), "who is in the feed");
        for (id, entries) in in_feed {
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
    let writes = usize::from(value[19]);
    assert_eq!(writes as u64, (request.revision().number + 1).min(8), "{id}: remembered write ids");
    assert_eq!(value[20..28], request.revision().number.to_be_bytes(), "{id}: revision");
    let decisions = u32::try_from(request.decisions.len()).unwrap();
    assert_eq!(value[28..32], decisions.to_be_bytes(), "{id}: number of decisions");
    assert_eq!(value[40..56], request.revision().write_id.as_bytes()[..], "{id}: newest write id");
    let mut rest = &value[40 + 24 * writes..];
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at(count);
        rest = left;
        taken.to_vec()
    };
    let number = |bytes: Vec<u8>| usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    let mut listed = BTreeSet::new();
    for _ in 0..number(take(2)) {
        let length = number(take(2));
        let member = take(length);
        for _ in 0..number(take(2)) {
            let length = number(take(2));
            let suffix = String::from_utf8(take(length)).unwrap();
            assert!(listed.insert((suffix, member.clone())), "{id}: an entry is listed twice");
        }
    }
    assert_eq!(&rest[..4], b"\x89MGR", "{id}: the document follows");
    let header = value.len() - rest.len();
    assert_eq!(value[3..19], header_checksum(id.as_str(), &value[19..header + 16]), "{id}: checksum of the header");
    let rules = INDEXES.iter().filter(|rule| rule.listed_in_header);
    let expected: BTreeSet<_> = rules.flat_map(|rule| (rule.entries)(request.document())).collect();
    assert_eq!(listed, expected, "{id}: entries listed in the header");
}

/// The checksum of the header of this request's record, of which `covered` is what it covers.
pub fn header_checksum(id: &str, covered: &[u8]) -> [u8; 16] {
    use sha1::Digest as _;
    let digest = sha1::Sha1::digest([id.as_bytes(), b"\0", covered].concat());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.as_bytes()[..16].try_into().unwrap()
}

/// Gives the header of a record the checksum that fits it.
pub fn seal_header(id: &str, record: &mut [u8]) {
    let magic = |window: &[u8]| window == b"\x89MGR";
    let header = record.windows(4).position(magic).expect("a document");
    let checksum = header_checksum(id, &record[19..header + 16]);
    record[3..19].copy_from_slice(&checksum);
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

/// The decisions since the last approval of an approved request, that one included.
fn since_approval(document: &RequestDocument) -> Option<&[Decision]> {
    let approved = DecisionKind::from(LifecycleDecision::Approved);
    let place = document.decisions.iter().rposition(|decision| decision.kind == approved)?;
    (document.state == RequestState::Approved).then(|| &document.decisions[place..])
}

fn end_of_validity(document: &RequestDocument) -> Option<Timestamp> {
    let (since, period) = (since_approval(document)?, document.execution.valid_for?);
    document.execution.claim.is_none().then(|| since[0].at.saturating_add(period.duration()))
}

/// By the latest of all that an executor has to wait for; an end of validity that comes first leaves none.
fn ready(document: &RequestDocument) -> Vec<(String, Bytes)> {
    let Some(since) = since_approval(document) else { return Vec::new() };
    let touches = ["Approved", "Released", "Failed", "Scheduled"];
    let touched = since.iter().filter(|decision| {
        let category = decision.kind.category();
        touches.contains(&decision.kind.as_str())
            && matches!(category, DecisionCategory::Lifecycle | DecisionCategory::Execution)
    });
    let lease = document.execution.claim.as_ref().map(|claim| claim.lease_ends_at);
    let next = document.execution.failed_attempts.as_ref().map(|attempts| attempts.next_at);
    let times = touched.map(|decision| decision.at).chain(document.execution.not_before).chain(next).chain(lease);
    let (begin, end) = (times.max().unwrap(), end_of_validity(document));
    let id = document.id.as_str().as_bytes();
    let member = |time| bytes(&[&micros(time), id, b"\0", &micros(document.created_at)]);
    let failing = next.map(|next| ("r:failing".to_owned(), member(next)));
    if end.is_some_and(|end| end <= begin) {
        return failing.into_iter().collect();
    }
    let suffix = if lease == Some(begin) { "r:claimed" } else { "r" };
    let ends = end.map(|end| ("r:ended".to_owned(), member(end)));
    [(suffix.to_owned(), member(begin))].into_iter().chain(ends).chain(failing).collect()
}
