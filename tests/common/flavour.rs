//! The Redis store of every flavour that is switched on, behind one synchronous face.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "blocking")]
use mutator_governance::blocking::{self, Store as _, StoreExtension as _};
#[cfg(any(feature = "tokio", feature = "smol"))]
use mutator_governance::nonblocking::{self, Store as _, StoreExtension as _};
use mutator_governance::{
    CheckReport, CheckStep, Compression, Consumer, ConsumerLease, ConsumerName, Count, DecisionQuery, DecisionRow,
    DocumentLimit, Durability, Error, FeedPage, FeedPosition, HolderId, InboxQuery, Inspection, Lookup,
    MutationRequest, NamespaceLayout, Outcome, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow,
    PreflightReport, ReadyQuery, RecentApprovalQuery, RecentApprovalRow, Removal, RequestId, RequestQuery, Result,
    Settled, StateId, Statistics, StoredRequest, Timestamp, Tombstone, UniqueKey, UnsettledWrite, WriteId,
};

use crate::server::SentinelSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Blocking,
    Tokio,
    Smol,
}

/// How a store is opened; by default with patience, since two cores serve many tests.
#[derive(Clone, Debug)]
pub struct Options {
    pub url: String,
    /// The URLs of a cluster, instead of that of a server.
    pub cluster: Vec<String>,
    /// The URLs of Sentinels, which watch a primary by the name of [`SentinelSet::NAME`].
    pub sentinels: Vec<String>,
    pub namespace: String,
    pub partitions: u16,
    pub pool_size: u32,
    pub timeout: Duration,
    pub connect_timeout: Duration,
    pub limit: DocumentLimit,
    pub compression: Compression,
    pub durability: Durability,
    pub read_only: bool,
    pub replicas: bool,
    pub allow_eviction: bool,
    pub feed_length: u32,
    pub indexed_metadata: Vec<String>,
    pub fold_case: bool,
}

/// A store in one of the flavours; every call waits for its end.
#[derive(Clone)]
pub struct Store(Inner);

#[derive(Clone)]
enum Inner {
    #[cfg(feature = "blocking")]
    Blocking(blocking::RedisStore),
    #[cfg(any(feature = "tokio", feature = "smol"))]
    Nonblocking(nonblocking::RedisStore, Flavour),
}

impl Options {
    pub fn new(url: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            cluster: Vec::new(),
            sentinels: Vec::new(),
            namespace: namespace.into(),
            partitions: 1,
            pool_size: 8,
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
            limit: DocumentLimit::DEFAULT,
            compression: Compression::DEFAULT,
            durability: Durability::default(),
            read_only: false,
            replicas: false,
            allow_eviction: false,
            feed_length: 100_000,
            indexed_metadata: Vec::new(),
            fold_case: false,
        }
    }

    /// In a cluster, by the URLs of some nodes.
    pub fn in_cluster(urls: Vec<String>, namespace: impl Into<String>) -> Self {
        Self { cluster: urls, ..Self::new(String::new(), namespace) }
    }

    /// In the primary that these Sentinels watch.
    pub fn watched(sentinels: Vec<String>, namespace: impl Into<String>) -> Self {
        Self { sentinels, ..Self::new(String::new(), namespace) }
    }

    pub fn partitions(self, partitions: u16) -> Self {
        Self { partitions, ..self }
    }

    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    pub fn pool_size(self, pool_size: u32) -> Self {
        Self { pool_size, ..self }
    }

    pub fn durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    pub fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// Reads from replicas.
    pub fn replicas(self) -> Self {
        Self { replicas: true, ..self }
    }

    pub fn allow_eviction(self) -> Self {
        Self { allow_eviction: true, ..self }
    }

    pub fn feed_length(self, feed_length: u32) -> Self {
        Self { feed_length, ..self }
    }

    pub fn index_metadata(self, keys: &[&str]) -> Self {
        Self { indexed_metadata: keys.iter().map(|key| (*key).to_owned()).collect(), ..self }
    }

    pub fn fold_case(self, fold_case: bool) -> Self {
        Self { fold_case, ..self }
    }

    pub fn limit(self, limit: DocumentLimit) -> Self {
        Self { limit, ..self }
    }

    pub fn compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }
}

macro_rules! builder {
    ($module:ident, $options:expr) => {{
        let builder = match (&$options.cluster[..], &$options.sentinels[..]) {
            ([], []) => $module::RedisStore::builder($options.url.clone()),
            ([], urls) => $module::RedisStore::sentinel_builder(SentinelSet::NAME, urls.to_vec()),
            (urls, _) => $module::RedisStore::cluster_builder(urls.to_vec()),
        };
        let builder = builder
            .namespace($options.namespace.clone())
            .partitions($options.partitions)
            .pool_size($options.pool_size)
            .timeout($options.timeout)
            .connect_timeout($options.connect_timeout)
            .document_limit($options.limit)
            .compression($options.compression)
            .durability($options.durability)
            .feed_length($options.feed_length)
            .index_metadata($options.indexed_metadata.clone())
            .fold_case($options.fold_case)
            .replicas($options.replicas);
        let builder = if $options.allow_eviction { builder.allow_eviction() } else { builder };
        if $options.read_only { builder.read_only() } else { builder }
    }};
}

impl Flavour {
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        if cfg!(feature = "blocking") {
            all.push(Self::Blocking);
        }
        if cfg!(feature = "tokio") {
            all.push(Self::Tokio);
        }
        if cfg!(feature = "smol") {
            all.push(Self::Smol);
        }
        assert!(!all.is_empty(), "no flavour is switched on");
        all
    }

    pub fn open(self, options: &Options) -> Result<Store> {
        match self {
            #[cfg(feature = "blocking")]
            Self::Blocking => Ok(Store(Inner::Blocking(builder!(blocking, options).open()?))),
            #[cfg(any(feature = "tokio", feature = "smol"))]
            other => {
                let store = other.block_on(builder!(nonblocking, options).open())?;
                Ok(Store(Inner::Nonblocking(store, other)))
            }
            #[allow(unreachable_patterns, reason = "with every feature on, all flavours are above")]
            other => panic!("{other:?} is not switched on"),
        }
    }

    /// How the namespace is laid out, whatever the options say of that.
    pub fn layout(self, options: &Options) -> Result<Option<NamespaceLayout>> {
        match self {
            #[cfg(feature = "blocking")]
            Self::Blocking => builder!(blocking, options).layout(),
            #[cfg(any(feature = "tokio", feature = "smol"))]
            other => other.block_on(builder!(nonblocking, options).layout()),
            #[allow(unreachable_patterns, reason = "with every feature on, all flavours are above")]
            other => panic!("{other:?} is not switched on"),
        }
    }

    /// The store with this layout, whatever the options say of that.
    pub fn open_laid_out_as(self, options: &Options, layout: &NamespaceLayout) -> Result<Store> {
        match self {
            #[cfg(feature = "blocking")]
            Self::Blocking => Ok(Store(Inner::Blocking(builder!(blocking, options).laid_out_as(layout).open()?))),
            #[cfg(any(feature = "tokio", feature = "smol"))]
            other => {
                let store = other.block_on(builder!(nonblocking, options).laid_out_as(layout).open())?;
                Ok(Store(Inner::Nonblocking(store, other)))
            }
            #[allow(unreachable_patterns, reason = "with every feature on, all flavours are above")]
            other => panic!("{other:?} is not switched on"),
        }
    }

    /// The open store, with whatever deadline it has: where the machine takes longer than that to open it, it is opened again.
    pub fn opened(self, options: &Options) -> Store {
        patiently("open", || self.open(options))
    }

    pub fn reindex(self, options: &Options) -> Result<CheckReport> {
        self.reindex_in_steps(options, |_| {})
    }

    /// What is called behind each step may use a store of this flavour only on a thread of its own.
    pub fn reindex_in_steps(self, options: &Options, progress: impl FnMut(&CheckStep) + Send) -> Result<CheckReport> {
        match self {
            #[cfg(feature = "blocking")]
            Self::Blocking => Ok(builder!(blocking, options).reindex(progress)?.1),
            #[cfg(any(feature = "tokio", feature = "smol"))]
            other => Ok(other.block_on(builder!(nonblocking, options).reindex(progress))?.1),
            #[allow(unreachable_patterns, reason = "with every feature on, all flavours are above")]
            other => panic!("{other:?} is not switched on"),
        }
    }

    pub fn repartition(self, options: &Options) -> Result<CheckReport> {
        self.repartition_in_steps(options, |_| {})
    }

    /// What is called behind each step may use a store of this flavour only on a thread of its own.
    pub fn repartition_in_steps(
        self,
        options: &Options,
        progress: impl FnMut(&CheckStep) + Send,
    ) -> Result<CheckReport> {
        match self {
            #[cfg(feature = "blocking")]
            Self::Blocking => Ok(builder!(blocking, options).repartition(progress)?.1),
            #[cfg(any(feature = "tokio", feature = "smol"))]
            other => Ok(other.block_on(builder!(nonblocking, options).repartition(progress))?.1),
            #[allow(unreachable_patterns, reason = "with every feature on, all flavours are above")]
            other => panic!("{other:?} is not switched on"),
        }
    }

    /// Runs a future on this flavour's runtime.
    pub fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        match self {
            Self::Tokio => tokio_runtime().block_on(future),
            _ => smol::block_on(future),
        }
    }
}

/// Calls until it succeeds, with repetitions that do no harm. For what a test needs, not for what it is about.
pub fn patiently<T>(what: &str, mut call: impl FnMut() -> Result<T>) -> T {
    let started = Instant::now();
    loop {
        match call() {
            Ok(value) => return value,
            Err(error) => assert!(
                may_be_repeated(&error) && started.elapsed() < Duration::from_mins(1),
                "{what} does not succeed: {error:?}"
            ),
        }
    }
}

/// Whether a call whose repetition is recognised can be made again.
pub fn may_be_repeated(error: &Error) -> bool {
    error.is_retryable() || error.outcome() == Outcome::Unknown
}

/// One for all: it is never dropped, so no test waits for its end.
fn tokio_runtime() -> Arc<tokio::runtime::Runtime> {
    static RUNTIME: std::sync::OnceLock<Arc<tokio::runtime::Runtime>> = std::sync::OnceLock::new();
    let new = || Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    Arc::clone(RUNTIME.get_or_init(new))
}

macro_rules! call {
    ($self:ident, $store:ident => $call:expr) => {
        match &$self.0 {
            #[cfg(feature = "blocking")]
            Inner::Blocking($store) => $call,
            #[cfg(any(feature = "tokio", feature = "smol"))]
            Inner::Nonblocking($store, flavour) => flavour.block_on($call),
        }
    };
}

#[cfg(feature = "blocking")]
impl From<blocking::RedisStore> for Store {
    fn from(store: blocking::RedisStore) -> Self {
        Self(Inner::Blocking(store))
    }
}

impl Store {
    #[cfg(any(feature = "tokio", feature = "smol"))]
    pub fn nonblocking_of(store: nonblocking::RedisStore, flavour: Flavour) -> Self {
        Self(Inner::Nonblocking(store, flavour))
    }

    /// The same store, whose reads return what there is where a part does not answer.
    pub fn with_partial_reads(&self) -> Self {
        match &self.0 {
            #[cfg(feature = "blocking")]
            Inner::Blocking(store) => Self(Inner::Blocking(store.with_partial_reads())),
            #[cfg(any(feature = "tokio", feature = "smol"))]
            Inner::Nonblocking(store, flavour) => Self(Inner::Nonblocking(store.with_partial_reads(), *flavour)),
        }
    }

    pub fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        call!(self, store => store.create(request))
    }

    pub fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        call!(self, store => store.update(request, write_id))
    }

    pub fn open_request(&self, key: &UniqueKey) -> Result<Option<MutationRequest>> {
        call!(self, store => store.open_request(key))
    }

    /// Removes a request as it was read, by the rules of the service.
    pub fn remove(&self, id: &RequestId, removal: &Removal) -> Result<Tombstone> {
        match &self.0 {
            #[cfg(feature = "blocking")]
            Inner::Blocking(store) => {
                blocking::Governance::builder().store(Arc::new(store.clone())).build().remove(id, removal)
            }
            #[cfg(any(feature = "tokio", feature = "smol"))]
            Inner::Nonblocking(store, flavour) => {
                let service = nonblocking::Governance::builder().store(Arc::new(store.clone())).build();
                flavour.block_on(service.remove(id, removal))
            }
        }
    }

    pub fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        call!(self, store => store.get(id))
    }

    pub fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        call!(self, store => store.get_many(ids))
    }

    pub fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        call!(self, store => store.pending(page))
    }

    pub fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        call!(self, store => store.by_state(state, page))
    }

    pub fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        call!(self, store => store.pending_by_state(state, page))
    }

    pub fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        call!(self, store => store.settle_write(write))
    }

    pub fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        call!(self, store => store.due(by, page))
    }

    pub fn ready(&self, query: &ReadyQuery, now: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        call!(self, store => store.ready(query, now, page))
    }

    pub fn count_ready(&self, query: &ReadyQuery, now: Timestamp) -> Result<Count> {
        call!(self, store => store.count_ready(query, now))
    }

    pub fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        call!(self, store => store.requests(query, page))
    }

    pub fn stored_requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<StoredRequest>> {
        call!(self, store => store.stored_requests(query, page))
    }

    pub fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>> {
        call!(self, store => store.pending_approvals(query, page))
    }

    pub fn recent_approvals(&self, query: &RecentApprovalQuery, page: &PageRequest) -> Result<Page<RecentApprovalRow>> {
        call!(self, store => store.recent_approvals(query, page))
    }

    pub fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        call!(self, store => store.decisions(query, page))
    }

    pub fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        call!(self, store => store.inbox(query, now, page))
    }

    pub fn count(&self, query: &RequestQuery) -> Result<Count> {
        call!(self, store => store.count(query))
    }

    pub fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        call!(self, store => store.statistics(now, due_within))
    }

    pub fn explain_query(&self, query: &RequestQuery) -> Result<String> {
        call!(self, store => store.explain_query(query)).map(|plan| plan.to_string())
    }

    pub fn inspect(&self, id: &RequestId) -> Result<Option<Inspection>> {
        call!(self, store => store.inspect(id))
    }

    pub fn verify(&self) -> Result<CheckReport> {
        call!(self, store => store.verify(|_| {}))
    }

    pub fn repair(&self) -> Result<CheckReport> {
        call!(self, store => store.repair(|_| {}))
    }

    pub fn migrate(&self) -> Result<CheckReport> {
        call!(self, store => store.migrate(|_| {}))
    }

    pub fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        call!(self, store => store.read_feed(from, limit))
    }

    pub fn end_of_feed(&self) -> Result<FeedPosition> {
        call!(self, store => store.end_of_feed())
    }

    pub fn lease_consumer(&self, name: &ConsumerName, holder: HolderId, lease: Duration) -> Result<ConsumerLease> {
        call!(self, store => store.lease_consumer(name, holder, lease))
    }

    pub fn save_consumer(
        &self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<bool> {
        call!(self, store => store.save_consumer(name, holder, position, lease))
    }

    pub fn consumers(&self) -> Result<Vec<Consumer>> {
        call!(self, store => store.consumers())
    }

    pub fn remove_consumer(&self, name: &ConsumerName) -> Result<bool> {
        call!(self, store => store.remove_consumer(name))
    }

    pub fn preflight(&self) -> PreflightReport {
        match &self.0 {
            #[cfg(feature = "blocking")]
            Inner::Blocking(store) => store.preflight().clone(),
            #[cfg(any(feature = "tokio", feature = "smol"))]
            Inner::Nonblocking(store, _) => store.preflight().clone(),
        }
    }

    /// The asynchronous store underneath, for tests that poll by hand.
    #[cfg(any(feature = "tokio", feature = "smol"))]
    pub fn nonblocking(&self) -> &nonblocking::RedisStore {
        match &self.0 {
            Inner::Nonblocking(store, _) => store,
            #[cfg(feature = "blocking")]
            Inner::Blocking(_) => panic!("this store is blocking"),
        }
    }
}
