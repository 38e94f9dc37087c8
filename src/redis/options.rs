//! The options of a Redis store, and the settings made from them.

use std::sync::Arc;
use std::time::Duration;

use redis::io::tcp::socket2::TcpKeepalive;
use redis::{ConnectionAddr, RedisConnectionInfo};

use super::keyspace::Keyspace;
use crate::error::{InvalidValue, Outcome, Result, StoreError, StoreErrorKind};
use crate::index::ChosenIndexes;
use crate::redis::connection::address;
use crate::redis::connection::credentials::Credentials;
use crate::redis::connection::durability::Durability;
use crate::redis::connection::greeting::Peer;
use crate::redis::connection::preflight::Tolerance;
use crate::redis::connection::reply_limit::ReplyLimit;
use crate::redis::connection::server_clock::ServerClock;
#[cfg(feature = "tls-rustls")]
use crate::redis::connection::tls::{Tls, TlsOptions};
use crate::redis::namespace::layout;
use crate::redis::pages::scan::MAX_PAGE_BYTES;
use crate::redis::topology::{AddressMapping, Announcements, NodeAddress};
use crate::request::IdComparison;
use crate::stored_format::{Compression, DocumentLimit, FormatVersion};

/// After this long without traffic the system checks whether the other side is still there, which also keeps firewalls
/// from dropping the connection.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The key becomes part of the name of an index, whose length takes two bytes.
const MAX_INDEXED_KEY_BYTES: usize = 1_024;

/// The options of a Redis store beside its URL; they are checked only when it is opened.
#[derive(Clone)]
pub(crate) struct RedisOptions {
    pub(crate) namespace: String,
    pub(crate) partitions: u16,
    pub(crate) pool_size: u32,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) document_limit: DocumentLimit,
    pub(crate) feed_length: u32,
    pub(crate) indexed_metadata: ChosenIndexes,
    pub(crate) id_comparison: IdComparison,
    pub(crate) write_format: FormatVersion,
    pub(crate) compression: Compression,
    pub(crate) tolerance: Tolerance,
    pub(crate) durability: Durability,
    pub(crate) read_only: bool,
    /// Whether pages and single requests may be read from replicas.
    pub(crate) replicas: bool,
    /// How the nodes of a cluster are reached where that is not as they announce it.
    pub(crate) node_address: Option<Arc<AddressMapping>>,
    #[cfg(feature = "tls-rustls")]
    pub(crate) tls: TlsOptions,
}

/// Checked options and what follows from them, which a store works with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) options: RedisOptions,
    pub(crate) connection: redis::ConnectionInfo,
    /// The login in the URL.
    pub(crate) credentials: Option<Credentials>,
    /// The server's address, without any secret.
    pub(crate) address: String,
    pub(crate) keyspace: Keyspace,
    /// The layout that a partition must record for this store to write to it.
    pub(crate) layout: String,
    /// What the connections lead to.
    pub(crate) peer: Peer,
    /// Shared by all connections made with these settings.
    pub(crate) clock: Arc<ServerClock>,
    #[cfg(feature = "tls-rustls")]
    #[cfg_attr(
        not(any(feature = "blocking", feature = "tokio", feature = "smol")),
        allow(dead_code, reason = "checked, although nothing connects by it")
    )]
    pub(crate) tls: Tls,
}

impl Settings {
    /// The greatest size of a record in bytes: its document, plus half as many or 256 KiB for its header, which names
    /// index entries.
    pub(crate) fn record_limit(&self) -> usize {
        let document = self.options.document_limit.bytes();
        document.saturating_add((document / 2).max(256 * 1024))
    }

    /// The greatest number of calls under way at once for one read: at most 16, and fewer if their records of the greatest size
    /// would take more than 32 MiB. Each call returns at least one record, whatever its share of a page.
    pub(crate) fn calls_at_once(&self) -> usize {
        const MAX_CALLS: usize = 16;
        (2 * MAX_PAGE_BYTES / self.record_limit().max(1)).clamp(1, MAX_CALLS)
    }

    /// The limits of a reply: a page and one record more.
    pub(crate) fn reply_limit(&self) -> ReplyLimit {
        ReplyLimit::new(self.record_limit(), MAX_PAGE_BYTES)
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            namespace: Self::DEFAULT_NAMESPACE.to_owned(),
            partitions: 1,
            pool_size: 8,
            timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(1),
            document_limit: DocumentLimit::DEFAULT,
            feed_length: crate::feed::DEFAULT_LENGTH,
            indexed_metadata: ChosenIndexes::default(),
            id_comparison: IdComparison::default(),
            write_format: FormatVersion::NEWEST,
            compression: Compression::DEFAULT,
            tolerance: Tolerance::default(),
            durability: Durability::default(),
            read_only: false,
            replicas: false,
            node_address: None,
            #[cfg(feature = "tls-rustls")]
            tls: TlsOptions::default(),
        }
    }
}

impl RedisOptions {
    pub(crate) const DEFAULT_NAMESPACE: &str = "governance";

    pub(crate) fn check(mut self, url: &str) -> Result<Settings> {
        let keyspace = Keyspace::new(&self.namespace, self.partitions)?;
        if self.pool_size == 0
            || self.timeout.is_zero()
            || self.connect_timeout.is_zero()
            || self.document_limit.bytes() == 0
        {
            return Err(configuration("pool size, timeouts and document limit must all be greater than 0").into());
        }
        if let Some(key) = self.indexed_metadata.metadata_keys().find(|key| key.len() > MAX_INDEXED_KEY_BYTES) {
            let problem = format!("has {} bytes; at most {MAX_INDEXED_KEY_BYTES} are allowed", key.len());
            return Err(InvalidValue::new("indexed metadata key", problem).into());
        }
        let parsed = address::read(url)?;
        let credentials = Credentials::of(parsed.redis_settings());
        // The login is already taken from the URL; here it could only leak.
        let redis_settings = RedisConnectionInfo::default().set_db(parsed.redis_settings().db());
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
        let tcp_settings = parsed.tcp_settings().clone().set_nodelay(true).set_keepalive(keepalive);
        let connection = parsed.set_redis_settings(redis_settings).set_tcp_settings(tcp_settings);
        self.tolerance.replica = self.read_only;
        Ok(Settings {
            #[cfg(feature = "tls-rustls")]
            tls: match connection.addr() {
                ConnectionAddr::TcpTls { .. } => self.tls.clone().check()?,
                _ => Tls::default(),
            },
            address: connection.addr().to_string(),
            connection,
            credentials,
            layout: layout::recorded(&keyspace, self.id_comparison, &self.indexed_metadata),
            keyspace,
            peer: Peer::Server,
            clock: Arc::new(ServerClock::new()),
            options: self,
        })
    }
}

impl Settings {
    /// # Errors
    /// [`StoreErrorKind::Configuration`] if the store was opened `read_only`.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.options.read_only {
            let problem = "the store was opened read_only and cannot write; open one without read_only to write";
            return Err(configuration(problem).into());
        }
        Ok(())
    }

    /// # Errors
    /// [`StoreErrorKind::Configuration`] if the URL holds a login and there is also a source of credentials.
    pub(crate) fn check_one_login(&self, has_source: bool) -> Result<()> {
        self.check_one_login_beside(has_source, "credentials()")
    }

    /// The same for the login of Sentinels.
    pub(crate) fn check_one_login_of_sentinels(&self, has_source: bool) -> Result<()> {
        self.check_one_login_beside(has_source, "sentinel_credentials()")
    }

    fn check_one_login_beside(&self, has_source: bool, option: &str) -> Result<()> {
        if has_source && self.credentials.is_some() {
            let problem =
                format!("there are two logins: take user and password out of the Redis URL, or leave {option} out");
            return Err(configuration(&problem).into());
        }
        Ok(())
    }

    /// The same settings for a Sentinel.
    pub(crate) fn at_sentinel(&self, node: &NodeAddress) -> Self {
        Self { peer: Peer::Sentinel, ..self.at(node, Arc::new(ServerClock::of_no_server())) }
    }

    /// # Errors
    /// [`StoreErrorKind::Configuration`] if replicas are to be read by a store that writes, or has no choice of servers.
    pub(crate) fn check_replicas(&self, has_replicas: bool) -> Result<()> {
        let problem = match self.options {
            RedisOptions { replicas: false, .. } => return Ok(()),
            RedisOptions { read_only: true, .. } if has_replicas => return Ok(()),
            RedisOptions { read_only: true, .. } => {
                "replicas(true) is for stores in a cluster or with Sentinels: open the replica by its own URL, or leave it out"
            }
            _ => "replicas(true) is for stores opened read_only: what a replica has is too old to decide by",
        };
        Err(configuration(problem).into())
    }

    /// The same settings for a node of the cluster, whose connections learn its time for this clock.
    pub(crate) fn at(&self, node: &NodeAddress, clock: Arc<ServerClock>) -> Self {
        let (host, port) = (node.host().to_owned(), node.port());
        let address = match self.connection.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        let connection = self.connection.clone().set_addr(address);
        Self { address: node.to_string(), connection, clock, ..self.clone() }
    }

    /// How to read the addresses in a reply of this node.
    pub(crate) fn announcements<'a>(&'a self, asked: &'a NodeAddress) -> Announcements<'a> {
        let announcements = Announcements::of(asked).encrypted(self.is_encrypted());
        match &self.options.node_address {
            Some(mapping) => announcements.mapped(&**mapping),
            None => announcements,
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self.connection.addr(), ConnectionAddr::TcpTls { .. })
    }

    pub(crate) fn database(&self) -> i64 {
        self.connection.redis_settings().db()
    }
}

pub(super) fn configuration(problem: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, Outcome::NotApplied, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_read_is_rejected_without_repeating_it() {
        for bad in ["", "not a url", "http://x:secret@localhost", "redis://x:secret@:bad"] {
            let error = RedisOptions::default().check(bad).err().expect("must be rejected");
            assert!(!error.to_string().contains("secret"), "{error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn the_address_holds_no_secret() {
        let settings = RedisOptions::default().check("redis://user:secret@localhost:7000/2").unwrap();
        assert_eq!(settings.address, "localhost:7000");
    }

    #[test]
    fn a_user_without_a_password_is_rejected_and_two_logins_are_too() {
        let check = |url: &str| RedisOptions::default().check(url);
        let error = check("redis://canary@localhost").err().expect("must be rejected").to_string();
        assert!(error.contains("no password") && !error.contains("canary"), "{error}");
        let settings = check("redis://canary:canary@localhost").unwrap();
        assert!(settings.check_one_login(false).is_ok());
        let error = settings.check_one_login(true).unwrap_err().to_string();
        assert!(error.contains("two logins") && !error.contains("canary"), "{error}");
        assert!(check("redis://localhost").unwrap().check_one_login(true).is_ok());
    }

    #[test]
    fn nothing_may_be_zero() {
        let check = |options: RedisOptions| options.check("redis://localhost");
        assert!(check(RedisOptions::default()).is_ok());
        assert!(check(RedisOptions { partitions: 0, ..Default::default() }).is_err());
        assert!(check(RedisOptions { pool_size: 0, ..Default::default() }).is_err());
        assert!(check(RedisOptions { timeout: Duration::ZERO, ..Default::default() }).is_err());
    }
}
