use std::sync::Arc;
use std::time::Duration;

use super::super::redis_driver::{Driver, pause};
use super::{RequestStore, dual};
use crate::deadline::Deadline;
use crate::error::{Outcome, Result, StoreError, StoreErrorKind};
use crate::query::{DueQuery, IndexedMetadata, Lookup, Page, PageRequest, RequestQuery, check_id_count};
use crate::redis::reply::{self, Created, Updated};
use crate::redis::{
    Attempts, Call, Cardinalities, CheckReport, CheckStep, Next, PreflightReport, RedisOptions, Settings,
};
use crate::request::{MutationRequest, RequestId, StateId, Timestamp, WriteId};
use crate::settle::{Settled, UnsettledWrite};
use crate::stored_format::{DocumentLimit, FormatVersion};

/// Keeps requests in Redis, 7.0 or newer, or in Valkey, 7.2 or newer.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct RedisStore {
    driver: Driver,
    pub(super) settings: Arc<Settings>,
    pub(super) cardinalities: Arc<Cardinalities>,
    preflight: Arc<PreflightReport>,
}

/// Says how a [`RedisStore`] is to be opened.
#[derive(Clone)]
pub struct RedisStoreBuilder {
    options: RedisOptions,
}

impl RedisStore {
    /// A store at this URL: `redis://[user:password@]host[:port][/db]` or `redis+unix:///path`.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder { options: RedisOptions::new(url.into()) }
    }

    /// What was found of the server when the store was opened.
    pub fn preflight(&self) -> &PreflightReport {
        &self.preflight
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.settings.timeout)
    }
}

impl RedisStoreBuilder {
    /// Keeps the requests apart from those of other namespaces on the same server. `governance` if nothing is said.
    ///
    /// 1 to 64 letters, digits, dots, dashes and underscores.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.options.namespace = namespace.into();
        self
    }

    /// Spreads the requests over this many partitions, 1 to 1,024, each in one Cluster slot; 1 if nothing is said.
    ///
    /// Fixed when a namespace is first opened.
    #[must_use]
    pub fn partitions(mut self, partitions: u16) -> Self {
        self.options.partitions = partitions;
        self
    }

    /// The most connections the blocking flavour holds; 8 if nothing is said. The asynchronous one shares a single one.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.options.pool_size = connections;
        self
    }

    /// How long a call may take in all, with waiting for a connection and with retries; 2 s if nothing is said.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How long making a connection may take; 1 s if nothing is said.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// The most bytes a stored document may have, at writing and at reading; 1 MiB if nothing is said.
    #[must_use]
    pub fn document_limit(mut self, limit: DocumentLimit) -> Self {
        self.options.document_limit = limit;
        self
    }

    /// Indexes these metadata keys, so that asking for their pairs costs no more than asking for a tag. None if nothing is
    /// said; other pairs are checked on each request that the rest of a query finds.
    ///
    /// Chosen when a namespace is first opened; changed by [`reindex`](Self::reindex).
    #[must_use]
    pub fn index_metadata(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.options.indexed_metadata = IndexedMetadata::keys(keys);
        self
    }

    /// Opens the store also when the server may evict data to keep within its memory, which loses requests.
    #[must_use]
    pub fn allow_eviction(mut self) -> Self {
        self.options.tolerance.eviction = true;
        self
    }

    /// Writes documents in this version of the stored format; the newest if nothing is said.
    ///
    /// A fleet that is being upgraded keeps writing the older version until every process reads the newer one.
    #[must_use]
    pub fn write_format(mut self, version: FormatVersion) -> Self {
        self.options.write_format = version;
        self
    }

    /// About how many entries each partition's change feed keeps; 100,000 if nothing is said.
    #[must_use]
    pub fn feed_length(mut self, entries: u32) -> Self {
        self.options.feed_length = entries;
        self
    }
}

#[dual]
impl RedisStoreBuilder {
    /// Connects, and checks that server and namespace fit.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a namespace or a number of partitions that cannot be, and
    /// [`Error::Store`](crate::Error::Store) when the server cannot be reached, is too old, or holds the namespace with
    /// another number of partitions.
    pub async fn open(self) -> Result<RedisStore> {
        let (store, layout) = self.connect().await?;
        reply::check_indexed_metadata(&store.settings, &layout)?;
        Ok(store)
    }

    /// Opens the store with another choice of [indexed metadata](Self::index_metadata) than the namespace has, and rebuilds
    /// its indexes for it in bounded steps, after each of which `progress` is called. Interrupted, it is simply called
    /// again.
    ///
    /// Processes that were opened with the old choice have to be closed first: they would go on indexing by it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn reindex(self, progress: impl FnMut(&CheckStep) + Send) -> Result<(RedisStore, CheckReport)> {
        let (store, _) = self.connect().await?;
        store.call(&Call::choose_indexed_metadata(&store.settings), store.deadline()).await?;
        let report = store.repair(progress).await?;
        Ok((store, report))
    }

    async fn connect(self) -> Result<(RedisStore, redis::Value)> {
        let settings = self.options.check()?;
        let driver = Driver::new(&settings)?;
        let mut store = RedisStore {
            driver,
            settings: Arc::new(settings),
            cardinalities: Arc::default(),
            preflight: Arc::default(),
        };
        let deadline = store.deadline();
        let info = store.call(&Call::server_info(), deadline).await?;
        store.preflight = Arc::new(reply::preflight(&store.settings, &info)?);
        let layout = store.call(&Call::open_namespace(&store.settings), deadline).await?;
        reply::check_namespace(&store.settings, &layout)?;
        Ok((store, layout))
    }
}

#[dual]
impl RedisStore {
    pub(super) async fn call(&self, call: &Call, deadline: Deadline) -> Result<redis::Value> {
        self.attempt(call, &mut Attempts::new(deadline, call.writes)).await
    }

    async fn attempt(&self, call: &Call, attempts: &mut Attempts) -> Result<redis::Value> {
        let mut with_source = false;
        loop {
            let fault = match self.driver.run(&call.command(with_source), attempts.deadline()).await {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            match attempts.after(fault, fastrand::f64()) {
                Next::SendSource => with_source = true,
                Next::After(duration) => pause(duration).await,
                Next::Stop(error) => return Err(call.locate(error).into()),
            }
        }
    }
}

#[dual]
impl RequestStore for RedisStore {
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        let call = Call::create(&self.settings, &request)?;
        let write = UnsettledWrite { id: request.id.clone(), base: None, write_id: request.revision().write_id };
        let value = self.call(&call, self.deadline()).await.map_err(|error| error.leaving(&write))?;
        match reply::created(&self.settings, &request, &value)? {
            // Its decisions are stored now, which makes the next update send only what it adds.
            Created::AsSent => {
                let revision = request.revision();
                Ok(request.at_revision(revision))
            }
            Created::Before(stored) => Ok(*stored),
            Created::Forgotten => Err(forgotten(write).into()),
        }
    }

    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        let next = request.revision().next(write_id);
        let write = UnsettledWrite { id: request.id.clone(), base: Some(request.revision()), write_id };
        let mut stored_decisions = request.stored_decisions();
        let mut attempts = Attempts::new(self.deadline(), true);
        loop {
            let call = Call::update(&self.settings, &request, next, stored_decisions)?;
            let value = self.attempt(&call, &mut attempts).await.map_err(|error| error.leaving(&write))?;
            match reply::updated(&self.settings, &request, write_id, &value)? {
                Updated::Applied => return Ok(request.at_revision(next)),
                Updated::Forgotten => return Err(forgotten(write).into()),
                Updated::Stored(decisions) => stored_decisions = decisions,
            }
        }
    }

    async fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        let value = self.call(&Call::get(&self.settings, &write.id), self.deadline()).await?;
        reply::settled(&self.settings, write, &value)
    }

    async fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        let value = self.call(&Call::get(&self.settings, id), self.deadline()).await?;
        reply::request(&self.settings, id, &value)
    }

    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        check_id_count(ids)?;
        let deadline = self.deadline();
        let (mut requests, mut unreadable) = (vec![None; ids.len()], Vec::new());
        for partition in self.settings.keyspace.partitions() {
            let places = self.settings.keyspace.places_in(partition, ids);
            if places.is_empty() {
                continue;
            }
            let ids_here: Vec<&RequestId> = places.iter().filter_map(|&place| ids.get(place)).collect();
            let call = Call::get_many(&self.settings, ids_here.iter().copied());
            let value = self.call(&call, deadline).await?;
            for (place, read) in places.into_iter().zip(reply::requests(&self.settings, ids_here, &value)?) {
                match (read, requests.get_mut(place)) {
                    (Ok(request), Some(slot)) => *slot = request,
                    (Err(error), _) => unreadable.push(error),
                    (Ok(_), None) => {}
                }
            }
        }
        Ok(Lookup::new(requests, unreadable))
    }

    async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.read(&RequestQuery::pending(), page, Timestamp::MIN).await
    }

    async fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.read(&RequestQuery::of_state(state.clone()), page, Timestamp::MIN).await
    }

    async fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.read(&RequestQuery::pending_of_state(state.clone()), page, Timestamp::MIN).await
    }

    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.read(&DueQuery { by }, page, by).await
    }
}

fn forgotten(write: UnsettledWrite) -> StoreError {
    let problem = format!(
        "request {}: its history holds the decisions of this write, but so many writes followed that the record no longer \
         tells whether they came from this one or from another just like it; read the request and decide anew",
        write.id
    );
    // Repeating it would not help, which is what tells this kind from the others.
    StoreError::new(StoreErrorKind::Refused, Outcome::Unknown, problem).leaving(write)
}
