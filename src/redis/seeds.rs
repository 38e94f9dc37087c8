//! The URLs of several servers: any nodes of a cluster, by which a client finds the others, or the Sentinels that watch a primary.

use redis::ConnectionAddr;

use super::options::{RedisOptions, Settings, configuration};
use super::topology::NodeAddress;
use crate::error::{Result, StoreError};

/// More say no more, and each may be asked when the store is opened.
const MAX_SEEDS: usize = 100;

/// The greatest length of the name of a primary.
const MAX_NAME_BYTES: usize = 255;

/// The settings of all nodes, and the nodes that the application names.
pub(crate) struct Seeds {
    pub(crate) settings: Settings,
    pub(crate) nodes: Vec<NodeAddress>,
}

/// What the URLs lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeedKind {
    ClusterNode,
    Sentinel,
}

impl Seeds {
    /// # Errors
    /// [`StoreErrorKind::Configuration`](crate::StoreErrorKind::Configuration) if a URL cannot be read or names a database or
    /// a socket, if the URLs differ in login or encryption, and if there is none.
    pub(crate) fn check(options: &RedisOptions, urls: &[String], kind: SeedKind) -> Result<Self> {
        if urls.len() > MAX_SEEDS {
            let problem =
                format!("there are {} URLs of {}; at most {MAX_SEEDS} are allowed", urls.len(), kind.plural());
            return Err(configuration(&problem).into());
        }
        let mut seeds: Option<Self> = None;
        for url in urls {
            let mut options = options.clone();
            options.tolerance.cluster = kind == SeedKind::ClusterNode;
            let mut settings = options.check(url)?;
            // A primary may have been replaced meanwhile; the answers of its servers then lead to the new one.
            settings.options.tolerance.replica |= kind == SeedKind::Sentinel;
            let node = node_of(&settings, kind)?;
            match &mut seeds {
                None => seeds = Some(Self { settings, nodes: vec![node] }),
                Some(seeds) => {
                    check_alike(&seeds.settings, &settings, kind)?;
                    if !seeds.nodes.contains(&node) {
                        seeds.nodes.push(node);
                    }
                }
            }
        }
        Ok(seeds.ok_or_else(|| configuration(kind.none()))?)
    }
}

/// # Errors
/// [`StoreErrorKind::Configuration`](crate::StoreErrorKind::Configuration) for a name that no Sentinel knows a primary by.
pub(crate) fn check_primary_name(name: &str) -> Result<()> {
    let is_foreign = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(is_foreign) {
        let problem = format!(
            "the name of the primary has {} bytes: it must have 1 to {MAX_NAME_BYTES}, without white space and control characters, \
             as in the line \"sentinel monitor NAME …\" of the Sentinels' configuration",
            name.len()
        );
        return Err(configuration(&problem).into());
    }
    Ok(())
}

/// The error of a login for Sentinels where there are none.
pub(crate) fn no_sentinels() -> StoreError {
    configuration(
        "sentinel_credentials() is for RedisStore::sentinel_builder: give the login of servers as credentials()",
    )
}

impl SeedKind {
    const fn plural(self) -> &'static str {
        match self {
            Self::ClusterNode => "nodes of a cluster",
            Self::Sentinel => "Sentinels",
        }
    }

    const fn none(self) -> &'static str {
        match self {
            Self::ClusterNode => "a cluster needs the URL of at least one of its nodes, better of three; there is none",
            Self::Sentinel => "the URLs of all Sentinels are needed; there is none",
        }
    }

    const fn has_no_database(self) -> &'static str {
        match self {
            Self::ClusterNode => "a cluster has only database 0",
            Self::Sentinel => "requests that Sentinels watch over are in database 0",
        }
    }
}

fn node_of(settings: &Settings, kind: SeedKind) -> Result<NodeAddress> {
    let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) = settings.connection.addr()
    else {
        let problem = format!("a socket is no address of {}: give redis://host:port, as others see it", kind.plural());
        return Err(configuration(&problem).into());
    };
    if settings.database() != 0 {
        let problem = format!(
            "the URL of {} names database {}, and {}: take /{} out of the URL",
            settings.address,
            settings.database(),
            kind.has_no_database(),
            settings.database()
        );
        return Err(configuration(&problem).into());
    }
    Ok(NodeAddress::new(host.trim_matches(['[', ']']), *port)?)
}

fn check_alike(first: &Settings, other: &Settings, kind: SeedKind) -> Result<()> {
    let differ = |what: &str| {
        let problem = format!(
            "the URLs of the {} differ in {what}, at {} and {}: all are reached in the same way",
            kind.plural(),
            first.address,
            other.address
        );
        Err(configuration(&problem).into())
    };
    if first.credentials != other.credentials {
        return differ("their login");
    }
    if first.is_encrypted() != other.is_encrypted() {
        return differ("their encryption");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [SeedKind; 2] = [SeedKind::ClusterNode, SeedKind::Sentinel];

    fn check(urls: &[&str], kind: SeedKind) -> Result<Seeds> {
        let urls: Vec<String> = urls.iter().map(|&url| url.to_owned()).collect();
        Seeds::check(&RedisOptions::default(), &urls, kind)
    }

    #[test]
    fn nodes_are_named_once_each() {
        for kind in KINDS {
            let seeds = check(&["redis://h:1", "redis://h:2/0", "redis://h:1/", "redis://[::1]:3"], kind).unwrap();
            let named: Vec<String> = seeds.nodes.iter().map(ToString::to_string).collect();
            assert_eq!(named, ["h:1", "h:2", "[::1]:3"]);
            assert_eq!(seeds.settings.options.tolerance.cluster, kind == SeedKind::ClusterNode);
        }
    }

    #[test]
    fn what_cannot_be_several_servers_is_rejected_at_once() {
        let many = vec!["redis://h"; MAX_SEEDS + 1];
        for (urls, said) in [
            (&[][..], "there is none"),
            (&["redis://h:1", "redis://h:2/3"], "database 3"),
            (&["redis+unix:///run/redis.sock"], "socket"),
            (&["redis://u:canary@h:1", "redis://h:2"], "login"),
            (&["redis://u:canary@h:1", "redis://u:canary-2@h:2"], "login"),
            (&["redis://h:1", "nonsense"], "cannot be read"),
            (&many, "at most 100"),
        ] {
            for kind in KINDS {
                let error = check(urls, kind).err().expect("must be rejected").to_string();
                assert!(error.contains(said) && !error.contains("canary"), "{urls:?}: {error}");
            }
        }
    }

    #[cfg(feature = "tls-rustls")]
    #[test]
    fn all_nodes_are_encrypted_or_none_is() {
        for kind in KINDS {
            let error = check(&["redis://h:1", "rediss://h:2"], kind).err().expect("must be rejected").to_string();
            assert!(error.contains("encryption"), "{error}");
        }
    }

    #[test]
    fn a_name_that_no_sentinel_knows_a_primary_by_is_rejected() {
        let long = "x".repeat(256);
        for name in ["", " ", "a b", "a\n", &long] {
            let error = check_primary_name(name).unwrap_err().to_string();
            assert!(error.contains("sentinel monitor"), "{error}");
        }
        check_primary_name("mymaster").unwrap();
    }
}
