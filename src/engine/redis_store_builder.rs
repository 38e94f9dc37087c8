//! How a Redis store is configured and opened.

use std::sync::Arc;
use std::time::Duration;

use super::super::credential_source::CredentialSource;
use super::super::redis_driver::Driver;
use super::redis_nodes::Nodes;
use super::redis_store::Servers;
use super::{RedisStore, dual};
use crate::error::Result;
use crate::index::Dimension;
#[cfg(feature = "tls-rustls")]
use crate::redis::ClientCertificate;
use crate::redis::namespace::reply as namespace_reply;
use crate::redis::{
    CheckReport, CheckStep, Durability, NamespaceLayout, NodeAddress, RedisOptions, SeedKind, Seeds, Settings,
    check_primary_name, no_sentinels,
};
use crate::request::IdComparison;
use crate::stored_format::{Compression, DocumentLimit, FormatVersion};

/// Configures and opens a [`RedisStore`].
#[derive(Clone)]
pub struct RedisStoreBuilder {
    entry: Entry,
    options: RedisOptions,
    credentials: Option<Arc<dyn CredentialSource>>,
    sentinel_credentials: Option<Arc<dyn CredentialSource>>,
}

/// Where the servers are found.
#[derive(Clone)]
enum Entry {
    Server(String),
    /// The URLs of some nodes.
    Cluster(Vec<String>),
    /// The name of a primary, and the URLs of the Sentinels that watch it.
    Sentinels(String, Vec<String>),
}

impl RedisStoreBuilder {
    pub(super) fn new(url: String) -> Self {
        Self::at(Entry::Server(url))
    }

    pub(super) fn of_cluster(urls: Vec<String>) -> Self {
        Self::at(Entry::Cluster(urls))
    }

    pub(super) fn of_sentinels(name: String, urls: Vec<String>) -> Self {
        Self::at(Entry::Sentinels(name, urls))
    }

    fn at(entry: Entry) -> Self {
        Self { entry, options: RedisOptions::default(), credentials: None, sentinel_credentials: None }
    }

    /// Keeps the requests apart from those of other namespaces on the same server. Defaults to `governance`.
    ///
    /// 1 to 64 letters, digits, dots, dashes and underscores.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.options.namespace = namespace.into();
        self
    }

    /// Spreads the requests over this many partitions, 1 to 1,024, each in one Cluster slot. Defaults to 1.
    ///
    /// Fixed when a namespace is first opened; [`repartition`](Self::repartition) multiplies it.
    #[must_use]
    pub fn partitions(mut self, partitions: u16) -> Self {
        self.options.partitions = partitions;
        self
    }

    /// The maximum number of connections of the blocking flavour to each server. Defaults to 8. The asynchronous flavour has one
    /// connection to each for each runtime that calls it.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.options.pool_size = connections;
        self
    }

    /// How long a call may take in total, including the wait for a connection and retries. Defaults to 2 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How long connecting may take. Defaults to 1 s.
    ///
    /// In the blocking flavour this excludes the look-up of the host name, whose time the system decides. If that may
    /// be long, use an address instead.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// The maximum size of a document in bytes, before compression, for writing and for reading. Defaults to 1 MiB.
    /// Submitting allows seven eighths of it, so that later decisions have room.
    #[must_use]
    pub fn document_limit(mut self, limit: DocumentLimit) -> Self {
        self.options.document_limit = limit;
        self
    }

    /// Logs each new connection in with what this source returns then: [`Credentials`](crate::Credentials), or a
    /// function that fetches them. Defaults to the login in the URL, if any; a URL with a login together with a source
    /// is an error.
    ///
    /// The call that needs a connection asks the source once for it. So a password can change while the store is open;
    /// the security guide says how to rotate it without a failed call. When the source fails, the call fails with
    /// [`StoreErrorKind::Unavailable`](crate::StoreErrorKind::Unavailable) and nothing was sent.
    #[must_use]
    pub fn credentials(mut self, source: impl CredentialSource) -> Self {
        self.credentials = Some(Arc::new(source));
        self
    }

    /// Logs each new connection to a Sentinel in with what this source returns then. Defaults to the login in their URLs, if any;
    /// a URL with a login together with a source is an error. For a store without Sentinels, a source is an error too.
    #[must_use]
    pub fn sentinel_credentials(mut self, source: impl CredentialSource) -> Self {
        self.sentinel_credentials = Some(Arc::new(source));
        self
    }

    /// Verifies the server of a `rediss://` address by these root certificates, in PEM. Defaults to the system's.
    #[cfg(feature = "tls-rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls-rustls")))]
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.options.tls.root_certificates = Some(pem.into());
        self
    }

    /// Presents this certificate chain to the server of a `rediss://` address, with its private key, both in PEM.
    #[cfg(feature = "tls-rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls-rustls")))]
    #[must_use]
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, private_key: impl Into<Vec<u8>>) -> Self {
        self.options.tls.client_certificate = Some(ClientCertificate { chain: chain.into(), key: private_key.into() });
        self
    }

    /// The name that the certificates of all servers and Sentinels must have. Defaults to the host by which each is reached, which
    /// for the nodes of a cluster is often an IP address.
    #[cfg(feature = "tls-rustls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls-rustls")))]
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.options.tls.server_name = Some(name.into());
        self
    }

    /// Maps the address that a cluster or the Sentinels announce for a server to the address where this process reaches it, for
    /// containers and address translation. Defaults to the announced address.
    ///
    /// The function is not called for the URLs. It must return at once.
    #[must_use]
    pub fn node_address(mut self, mapping: impl Fn(&NodeAddress) -> NodeAddress + Send + Sync + 'static) -> Self {
        self.options.node_address = Some(Arc::new(mapping));
        self
    }

    /// Indexes these metadata keys, so that a query for their pairs costs no more than a query for a tag. Defaults to
    /// none; other pairs are checked on each request that the rest of a query finds.
    ///
    /// Fixed when a namespace is first opened; [`reindex`](Self::reindex) changes it.
    #[must_use]
    pub fn index_metadata(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.options.indexed_metadata = self.options.indexed_metadata.and_metadata(keys);
        self
    }

    /// Indexes requests by the correlation id of the actor who submitted them, so that
    /// [`with_correlation_ids`](crate::RequestQuery::with_correlation_ids) costs no more than a query for a tag. Each request
    /// takes one more index entry. Defaults to not indexed: the id is then checked on each request that the rest of a
    /// query finds.
    ///
    /// Fixed when a namespace is first opened; [`reindex`](Self::reindex) changes it.
    #[must_use]
    pub fn index_correlation_ids(mut self) -> Self {
        self.options.indexed_metadata = self.options.indexed_metadata.and(Dimension::CorrelationId);
        self
    }

    /// Indexes requests by their [participants](crate::workflow::participants), so that a query for a
    /// [viewer](crate::RequestQuery::visible_to) costs what concerns them, and not what is stored. Each request takes one more
    /// index entry for each id, role and group among its participants: two or three for most. Defaults to not indexed: whom
    /// a request concerns is then checked on each request that the rest of a query finds.
    ///
    /// Fixed when a namespace is first opened; [`reindex`](Self::reindex) changes it.
    #[must_use]
    pub fn index_participants(mut self) -> Self {
        self.options.indexed_metadata = self.options.indexed_metadata.and(Dimension::Participant);
        self
    }

    /// Compares ids of actors, roles and groups without regard to case, by [`IdComparison::FoldCase`], in all
    /// decisions, indexes and queries. Defaults to `false`: exactly.
    ///
    /// Fixed when a namespace is first opened; [`reindex`](Self::reindex) changes it.
    #[must_use]
    pub fn fold_case(mut self, fold_case: bool) -> Self {
        self.options.id_comparison = IdComparison::folding(fold_case);
        self
    }

    /// Lays the namespace out like this, for programs that open any namespace: as [`layout`](Self::layout) returned it.
    /// Replaces the number of partitions, the chosen indexes and the rule for ids that were set before.
    #[must_use]
    pub fn laid_out_as(mut self, layout: &NamespaceLayout) -> Self {
        self.options.partitions = layout.partitions;
        self.options.indexed_metadata = layout.chosen_indexes();
        self.options.id_comparison = layout.id_comparison;
        self
    }

    /// Opens the store even if the server may evict data when its memory is full, which loses requests.
    #[must_use]
    pub fn allow_eviction(mut self) -> Self {
        self.options.tolerance.eviction = true;
        self
    }

    /// Writes documents in this version of the stored format. Defaults to the newest.
    ///
    /// During an upgrade, a fleet keeps writing the older version until every process reads the newer one.
    #[must_use]
    pub fn write_format(mut self, version: FormatVersion) -> Self {
        self.options.write_format = version;
        self
    }

    /// Compresses requests with payloads of at least this size. Defaults to 4 KiB.
    ///
    /// Stored requests stay as they are until the next write. Processes of a release without compression report a
    /// compressed request as unreadable and leave it untouched: a fleet that has such processes keeps
    /// [`Compression::NEVER`] until all are upgraded.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.options.compression = compression;
        self
    }

    /// Opens a store that writes nothing. The namespace has to exist, the user needs no permission to write, and the
    /// server may be a replica. Any call that would write returns an error before anything is sent.
    ///
    /// A replica answers with the data that has reached it.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.options.read_only = true;
        self
    }

    /// Reads pages and single requests from replicas that are in sync; from the primary if there is none, or if it fails. Only
    /// for a [`read_only`](Self::read_only) store in a cluster or with Sentinels. Defaults to `false`.
    ///
    /// A replica may lag: by milliseconds as a rule, by at most about 12 seconds if it loses its primary unnoticed. Pages of one
    /// query may come from replicas that lag differently. Counts, statistics, the feed and checks are read from primaries. A wait
    /// for a request may notice its change five seconds later.
    #[must_use]
    pub fn replicas(mut self, replicas: bool) -> Self {
        self.options.replicas = replicas;
        self
    }

    /// What a write waits for before its call returns. Defaults to the server's answer.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
        self
    }

    /// About how many entries each partition's change feed keeps. Defaults to 100,000.
    #[must_use]
    pub fn feed_length(mut self, entries: u32) -> Self {
        self.options.feed_length = entries;
        self
    }
}

#[dual]
impl RedisStoreBuilder {
    /// Connects, and checks that the server and the namespace fit this configuration.
    ///
    /// # Errors
    /// - [`Error::Invalid`](crate::Error::Invalid) for an invalid namespace or number of partitions.
    /// - [`Error::Store`](crate::Error::Store) when the server cannot be reached or is too old; when it is a Sentinel or a node of
    ///   a cluster, or not one, and the builder expects the other; when a primary of the cluster fails these checks, no
    ///   node gives its map, the URLs are of different clusters, or a slot is served by no node; when no majority of the
    ///   Sentinels answers, they know no primary by that name, or disagree about it; when the namespace has another number of partitions, another choice of indexed metadata or of
    ///   [how ids are compared](Self::fold_case); and when a [`reindex`](Self::reindex) has not completed its indexes.
    ///   Where another release created the namespace, [`StoreError::layout`](crate::StoreError::layout) tells an older layout, which `reindex`
    ///   upgrades, from a newer and a foreign one.
    pub async fn open(self) -> Result<RedisStore> {
        let (store, layout) = self.connect_to_namespace().await?;
        namespace_reply::check_indexes(&store.settings, &layout)?;
        store.check_partitions().await?;
        Ok(store)
    }

    /// Rebuilds the indexes of the namespace and opens it: for the layout of this release after an older one, and for
    /// another choice of [indexed metadata](Self::index_metadata) or of [how ids are compared](Self::fold_case). It
    /// works in bounded steps and calls `progress` after each.
    ///
    /// From its start, nobody can write in another layout or with another choice: every write, repair and migration of
    /// a process with another one returns [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible), and nothing is written. Such a process can
    /// still read, but close it: its results are no longer complete.
    ///
    /// Until the rebuild is complete nobody can open the namespace, because results would lack requests. After an
    /// interruption call it again with the same choice: it resumes where it was, or begins anew if the server was
    /// restarted. The report covers this call only. When two processes rebuild for different choices, the later one
    /// continues and the other returns [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible). If the namespace already has this layout and
    /// choice, the call is a [`repair`](super::RedisStore::repair) and excludes nobody.
    ///
    /// # Errors
    /// As [`open`](Self::open), except for an older layout and for what the rebuild completes; and
    /// [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) when another rebuild began meanwhile, or records were
    /// [too busy](crate::Finding::Busy) to be indexed.
    pub async fn reindex(self, progress: impl FnMut(&CheckStep) + Send) -> Result<(RedisStore, CheckReport)> {
        let (store, _) = self.connect_to_namespace().await?;
        let report = store.rebuild(progress).await?;
        Ok((store, report))
    }

    /// Gives the namespace the [number of partitions](Self::partitions) of this builder, a multiple of its present one, and
    /// opens it. No request is lost or doubled, and none changes: each that belongs to another partition is moved, with its
    /// index entries. It works in bounded steps and calls `progress` after each; `moved` counts the requests.
    ///
    /// From its start until it is complete nobody can write to the namespace or open it: a process with the earlier number gets
    /// [`LayoutError::Repartitioning`](crate::LayoutError::Repartitioning), and nothing is written. Close such processes: they can
    /// still read, but do not find requests that were moved. After an interruption, wherever it was, call it again with the same
    /// number: it goes on. If the namespace already has this number, the call is a [`repair`](super::RedisStore::repair).
    ///
    /// Cursors of pages stay valid, and so do feed positions and the consumers' of followers: what is written in a partition that
    /// was added comes after all that is in the feed of the one it was split from, so the entries of a request stay in order.
    /// A [`CheckPosition`](crate::CheckPosition) does not.
    ///
    /// A record leaves its partition only after the other has stored it. Open with
    /// [`durability`](Self::durability)`(Durability::Replicas(1))` so that it also has a replica there before.
    ///
    /// The user needs the permission for `DEL`, which nothing else does.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) when the namespace does not
    /// exist, its number of partitions cannot be multiplied to the new one, it is being [reindexed](Self::reindex), or being
    /// repartitioned to another number; when a record is over the [document limit](Self::document_limit) of this builder; and when
    /// two processes repartition at once, to the one that the other has overtaken.
    pub async fn repartition(self, progress: impl FnMut(&CheckStep) + Send) -> Result<(RedisStore, CheckReport)> {
        let store = self.connect().await?;
        let report = store.repartition(progress).await?;
        Ok((store, report))
    }

    /// How the namespace is laid out, whatever this builder was set to; `None` if it does not exist. Writes nothing, and takes
    /// no permission to write.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the server cannot be reached or is none that [`open`](Self::open) accepts,
    /// and when a newer release laid the namespace out, or something else uses its key.
    pub async fn layout(&self) -> Result<Option<NamespaceLayout>> {
        let store = self.clone().read_only().durability(Durability::Acknowledged).connect().await?;
        store.recorded_layout().await
    }

    async fn connect_to_namespace(self) -> Result<(RedisStore, redis::Value)> {
        let store = self.connect().await?;
        let layout = store.namespace().await?;
        Ok((store, layout))
    }

    async fn connect(self) -> Result<RedisStore> {
        let durability = self.options.durability;
        let of_url = |settings: &Settings| Some(Arc::new(settings.credentials.clone()?) as Arc<dyn CredentialSource>);
        let login = |settings: &Settings| -> Result<_> {
            settings.check_one_login(self.credentials.is_some())?;
            Ok(self.credentials.clone().or_else(|| of_url(settings)))
        };
        if self.sentinel_credentials.is_some() && !matches!(self.entry, Entry::Sentinels(..)) {
            return Err(no_sentinels().into());
        }
        let (servers, settings) = match &self.entry {
            Entry::Server(url) => {
                let settings = Arc::new(self.options.check(url)?);
                let driver = Driver::new(&settings, login(&settings)?);
                (Servers::One { waiting: driver.clone(), driver }, settings)
            }
            Entry::Cluster(urls) => {
                let seeds = Seeds::check(&self.options, urls, SeedKind::ClusterNode)?;
                let login = login(&seeds.settings)?;
                let nodes = Nodes::new(seeds, login);
                let settings = Arc::clone(nodes.settings());
                (Servers::Routed(Arc::new(nodes)), settings)
            }
            Entry::Sentinels(name, urls) => {
                check_primary_name(name)?;
                let seeds = Seeds::check(&self.options, urls, SeedKind::Sentinel)?;
                seeds.settings.check_one_login_of_sentinels(self.sentinel_credentials.is_some())?;
                let their_login = self.sentinel_credentials.clone().or_else(|| of_url(&seeds.settings));
                let nodes = Nodes::watched(name, seeds, their_login.as_ref(), self.credentials.clone());
                let settings = Arc::clone(nodes.settings());
                (Servers::Routed(Arc::new(nodes)), settings)
            }
        };
        settings.check_replicas(matches!(servers, Servers::Routed(_)))?;
        let mut store = RedisStore {
            servers,
            durability: Durability::Acknowledged,
            is_partial: false,
            settings,
            cardinalities: Arc::default(),
            preflight: Arc::default(),
        };
        store.preflight = Arc::new(store.check_servers().await?);
        store.with_durability(durability).await
    }
}
