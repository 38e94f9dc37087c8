//! The store in Redis: how it is opened, and how a call is sent, attempted again and given up.

use std::sync::Arc;
use std::time::Duration;

use super::super::credential_source::CredentialSource;
use super::super::redis_driver::{Driver, pause, recycle};
use super::dual;
use crate::error::{Error, Result};
use crate::index::Dimension;
#[cfg(feature = "tls")]
use crate::redis::ClientCertificate;
use crate::redis::namespace::reply as namespace_reply;
use crate::redis::reply;
use crate::redis::{
    Attempts, Call, Cardinalities, CheckReport, CheckStep, Confirmation, Durability, Fault, Next, PreflightReport,
    RedisOptions, Settings,
};
use crate::request::IdComparison;
use crate::service::deadline::Deadline;
use crate::stored_format::{Compression, DocumentLimit, FormatVersion};

/// Keeps requests in Redis, 7.0 or newer, or in Valkey, 7.2 or newer.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct RedisStore {
    driver: Driver,
    pub(super) durability: Durability,
    /// The driver for writes that wait for more than the server's answer.
    waiting: Driver,
    pub(super) settings: Arc<Settings>,
    pub(super) cardinalities: Arc<Cardinalities>,
    preflight: Arc<PreflightReport>,
}

/// Says how a [`RedisStore`] is to be opened.
#[derive(Clone)]
pub struct RedisStoreBuilder {
    options: RedisOptions,
    credentials: Option<Arc<dyn CredentialSource>>,
}

impl RedisStore {
    /// A store at this URL: `redis://[user:password@]host[:port][/db]`, `redis+unix:///path`, or `rediss://…` for TLS with
    /// the feature `tls`. User and password are percent-encoded; [`credentials`](RedisStoreBuilder::credentials) keep them out
    /// of the URL.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder { options: RedisOptions::new(url.into()), credentials: None }
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

    /// The most connections the blocking flavour holds; 8 if nothing is said. The asynchronous one has one for each runtime that
    /// calls it.
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
    ///
    /// Not within it is the look-up of a host name in the blocking flavour: the system takes the time it takes. Where that
    /// may be long, name the address instead.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// The most bytes a stored document may have before it is compressed, at writing and at reading; 1 MiB if nothing is said.
    /// A request is submitted within seven eighths of it, so that there is room for what is decided about it.
    #[must_use]
    pub fn document_limit(mut self, limit: DocumentLimit) -> Self {
        self.options.document_limit = limit;
        self
    }

    /// Logs each new connection in by what this source gives then: [`Credentials`](crate::Credentials), or a function that
    /// fetches them. Defaults to the login in the URL, if there is one; a URL with a login and a source are refused together.
    ///
    /// A source is asked once for each connection, by the call that needs it. So a password can change while the store is open:
    /// the security guide says how no call fails meanwhile. When the source fails, the call fails with
    /// [`StoreErrorKind::Unavailable`](crate::StoreErrorKind::Unavailable) and nothing was sent.
    #[must_use]
    pub fn credentials(mut self, source: impl CredentialSource) -> Self {
        self.credentials = Some(Arc::new(source));
        self
    }

    /// Verifies the server of a `rediss://` address by these root certificates, in PEM; by the system's if nothing is said.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.options.tls.root_certificates = Some(pem.into());
        self
    }

    /// Shows the server of a `rediss://` address this certificate chain, and proves it by its private key, both in PEM.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    #[must_use]
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, private_key: impl Into<Vec<u8>>) -> Self {
        self.options.tls.client_certificate = Some(ClientCertificate { chain: chain.into(), key: private_key.into() });
        self
    }

    /// Indexes these metadata keys, so that asking for their pairs costs no more than asking for a tag. None if nothing is
    /// said; other pairs are checked on each request that the rest of a query finds.
    ///
    /// Chosen when a namespace is first opened; changed by [`reindex`](Self::reindex).
    #[must_use]
    pub fn index_metadata(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.options.indexed_metadata = self.options.indexed_metadata.and_metadata(keys);
        self
    }

    /// Indexes requests by the correlation id of the actor who submitted them, so that
    /// [`with_correlation_ids`](RequestQuery::with_correlation_ids) costs no more than asking for a tag, and each request one
    /// more index entry. Not indexed unless chosen: then it is checked on each request that the rest of a query finds.
    ///
    /// Chosen when a namespace is first opened; changed by [`reindex`](Self::reindex).
    #[must_use]
    pub fn index_correlation_ids(mut self) -> Self {
        self.options.indexed_metadata = self.options.indexed_metadata.and(Dimension::CorrelationId);
        self
    }

    /// Compares ids of actors, roles and groups without regard to case, by [`IdComparison::FoldCase`], wherever people are
    /// told apart and in every index and query. Defaults to `false`: exactly.
    ///
    /// Chosen when a namespace is first opened; changed by [`reindex`](Self::reindex).
    #[must_use]
    pub fn fold_case(mut self, fold_case: bool) -> Self {
        self.options.id_comparison = IdComparison::folding(fold_case);
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

    /// Writes requests compressed that have payloads of at least this size; 4 KiB if nothing is said.
    ///
    /// What is stored already stays as it is until it is written again. Processes of a release that knows no compression
    /// refuse a compressed request as unreadable and leave it untouched: a fleet that has some keeps to
    /// [`Compression::NEVER`] until all are upgraded.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.options.compression = compression;
        self
    }

    /// Opens a store that writes nothing: the namespace has to be there, the user needs no permission to write, the server
    /// may be a replica, and whatever would change something is refused before it is sent.
    ///
    /// A replica answers with what it has got so far.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.options.read_only = true;
        self
    }

    /// What a write waits for before its call returns; the server's answer if nothing is said.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
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
    /// another number of partitions, with another choice of indexed metadata or of [how ids are compared](Self::fold_case), or
    /// with indexes that a [`reindex`](Self::reindex) has not completed; also when it is a node of a cluster or a Sentinel. Where
    /// another release laid the namespace out, [`StoreError::layout`] tells an older layout, which `reindex` brings up to date, from
    /// a newer and a foreign one.
    pub async fn open(self) -> Result<RedisStore> {
        let (store, layout) = self.connect().await?;
        namespace_reply::check_indexes(&store.settings, &layout)?;
        store.check_partitions().await?;
        Ok(store)
    }

    /// Rebuilds the indexes of the namespace and opens it: for the layout of this release, when an older one laid it out, and for
    /// another choice of [indexed metadata](Self::index_metadata) or of [how ids are compared](Self::fold_case). It works in
    /// bounded steps, after each of which `progress` is called.
    ///
    /// From the moment it begins no other layout or choice is written: every write, repair and migration of a process that was
    /// opened with another one returns [`StoreErrorKind::Incompatible`], with nothing written. Such a process still reads, and is to
    /// be closed, since what it reads is no longer complete.
    ///
    /// Until it is complete nobody opens the namespace, since answers would lack requests. Interrupted, it is called again with
    /// the same choice, and goes on where it was while the server runs on; after a restart of the server it begins anew. The
    /// report is of this call. Where two rebuild for different choices, the one that began last goes on, and the other returns
    /// [`StoreErrorKind::Incompatible`]. For the layout and the choice that the namespace has already it is a
    /// [`repair`](super::RedisStore::repair), and nobody is kept out.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for an older layout and for what it completes, and [`StoreErrorKind::Incompatible`] when another
    /// rebuild began meanwhile, or records were [too busy](crate::Finding::Busy) to be indexed.
    pub async fn reindex(self, progress: impl FnMut(&CheckStep) + Send) -> Result<(RedisStore, CheckReport)> {
        let (store, _) = self.connect().await?;
        let report = store.rebuild(progress).await?;
        Ok((store, report))
    }

    async fn connect(self) -> Result<(RedisStore, redis::Value)> {
        let durability = self.options.durability;
        let settings = Arc::new(self.options.check()?);
        settings.check_one_login(self.credentials.is_some())?;
        let of_url = || Some(Arc::new(settings.credentials.clone()?) as Arc<dyn CredentialSource>);
        let login = self.credentials.or_else(of_url);
        let driver = Driver::new(&settings, login);
        let mut store = RedisStore {
            waiting: driver.clone(),
            driver,
            durability: Durability::Acknowledged,
            settings,
            cardinalities: Arc::default(),
            preflight: Arc::default(),
        };
        let info = store.call(&Call::server_info(), store.deadline()).await?;
        store.preflight = Arc::new(reply::preflight(&store.settings, &info)?);
        let layout = store.namespace().await?;
        Ok((store.with_durability(durability).await?, layout))
    }
}

#[dual]
impl RedisStore {
    /// The same store, whose writes wait for this before their calls return. Clones and other such stores are unaffected.
    ///
    /// Writes that wait share a connection of their own in the asynchronous flavour, made at the first of them: keep what
    /// this returns.
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) when the server has no command to wait by, and [`StoreErrorKind::Rejected`](crate::StoreErrorKind::Rejected) when
    /// this user may not use it.
    pub async fn with_durability(&self, durability: Durability) -> Result<Self> {
        if durability.waits() {
            self.call(&Call::probe(durability), self.deadline()).await.map_err(|error| match error {
                Error::Store(error) => Error::from(durability.unavailable(*error)),
                other => other,
            })?;
        }
        Ok(Self { durability, waiting: self.driver.for_waiting(), ..self.clone() })
    }

    pub(super) async fn call(&self, call: &Call, deadline: Deadline) -> Result<redis::Value> {
        Ok(self.attempt(call, false, &mut Attempts::new(deadline, call.writes)).await?.0)
    }

    /// The record at a key: nil where there is none, and its size alone where that is over what a record may take.
    ///
    /// Most are read whole by one command; only what is longer than most is read by a script that looks at its size first.
    pub(super) async fn stored_record(&self, key: &str, deadline: Deadline) -> Result<redis::Value> {
        let start = self.call(&Call::record_start(key), deadline).await?;
        if reply::is_whole_record(&start) {
            return Ok(start);
        }
        recycle(start);
        let value = self.call(&Call::whole_record(&self.settings, key), deadline).await?;
        reply::only_record(value)
    }

    /// The answer and, if the call waits for it, that to the question for its confirmation.
    pub(super) async fn attempt(
        &self,
        call: &Call,
        waits: bool,
        attempts: &mut Attempts,
    ) -> Result<(redis::Value, Option<Confirmation>)> {
        if call.writes {
            self.settings.check_writable()?;
        }
        let mut with_source = false;
        loop {
            let fault = match self.send(&call.command(with_source), waits, attempts.deadline()).await {
                Ok(answers) => return Ok(answers),
                Err(fault) => fault,
            };
            match attempts.after(fault, fastrand::f64()) {
                Next::SendSource => with_source = true,
                Next::After(duration) => pause(duration).await,
                Next::Stop(error) => return Err(call.locate(error).into()),
            }
        }
    }

    async fn send(
        &self,
        command: &redis::Cmd,
        waits: bool,
        deadline: Deadline,
    ) -> Result<(redis::Value, Option<Confirmation>), Fault> {
        if !waits {
            return Ok((self.driver.run(command, deadline).await?, None));
        }
        self.waiting.run_and_wait(command, self.durability, deadline).await
    }
}
