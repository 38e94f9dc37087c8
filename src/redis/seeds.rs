//! The URLs of a cluster: any of its nodes, by which a client finds the others.

use redis::ConnectionAddr;

use super::options::{RedisOptions, Settings, configuration};
use super::topology::NodeAddress;
use crate::error::Result;

/// More say no more, and each may be asked when the store is opened.
const MAX_SEEDS: usize = 100;

/// The settings of all nodes, and the nodes that the application names.
pub(crate) struct Seeds {
    pub(crate) settings: Settings,
    pub(crate) nodes: Vec<NodeAddress>,
}

impl Seeds {
    /// # Errors
    /// [`StoreErrorKind::Configuration`](crate::StoreErrorKind::Configuration) if a URL cannot be read or names a database or
    /// a socket, if the URLs differ in login or encryption, and if there is none.
    pub(crate) fn check(options: &RedisOptions, urls: &[String]) -> Result<Self> {
        if urls.len() > MAX_SEEDS {
            let problem =
                format!("a cluster has {} URLs; some of its nodes are enough, at most {MAX_SEEDS}", urls.len());
            return Err(configuration(&problem).into());
        }
        let mut seeds: Option<Self> = None;
        for url in urls {
            let mut options = options.clone();
            options.tolerance.cluster = true;
            let settings = options.check(url)?;
            let node = node_of(&settings)?;
            match &mut seeds {
                None => seeds = Some(Self { settings, nodes: vec![node] }),
                Some(seeds) => {
                    check_alike(&seeds.settings, &settings)?;
                    if !seeds.nodes.contains(&node) {
                        seeds.nodes.push(node);
                    }
                }
            }
        }
        let none = "a cluster needs the URL of at least one of its nodes, better of three; there is none";
        Ok(seeds.ok_or_else(|| configuration(none))?)
    }
}

fn node_of(settings: &Settings) -> Result<NodeAddress> {
    let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) = settings.connection.addr()
    else {
        let problem = "a socket is no address of a cluster's node: give redis://host:port, as its other nodes see it";
        return Err(configuration(problem).into());
    };
    if settings.database() != 0 {
        let problem = format!(
            "the URL of {} names database {}, and a cluster has only database 0: take /{} out of the URL",
            settings.address,
            settings.database(),
            settings.database()
        );
        return Err(configuration(&problem).into());
    }
    Ok(NodeAddress::new(host.trim_matches(['[', ']']), *port)?)
}

fn check_alike(first: &Settings, other: &Settings) -> Result<()> {
    let differ = |what: &str| {
        let problem = format!(
            "the URLs of the cluster differ in {what}, at {} and {}: all its nodes are reached in the same way",
            first.address, other.address
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

    fn check(urls: &[&str]) -> Result<Seeds> {
        let urls: Vec<String> = urls.iter().map(|&url| url.to_owned()).collect();
        Seeds::check(&RedisOptions::default(), &urls)
    }

    #[test]
    fn nodes_are_named_once_each() {
        let seeds = check(&["redis://h:1", "redis://h:2/0", "redis://h:1/", "redis://[::1]:3"]).unwrap();
        let named: Vec<String> = seeds.nodes.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["h:1", "h:2", "[::1]:3"]);
    }

    #[test]
    fn what_cannot_be_a_cluster_is_rejected_at_once() {
        let many = vec!["redis://h"; MAX_SEEDS + 1];
        for (urls, said) in [
            (&[][..], "at least one"),
            (&["redis://h:1", "redis://h:2/3"], "database 3"),
            (&["redis+unix:///run/redis.sock"], "socket"),
            (&["redis://u:canary@h:1", "redis://h:2"], "login"),
            (&["redis://u:canary@h:1", "redis://u:canary-2@h:2"], "login"),
            (&["redis://h:1", "nonsense"], "cannot be read"),
            (&many, "at most 100"),
        ] {
            let error = check(urls).err().expect("must be rejected").to_string();
            assert!(error.contains(said) && !error.contains("canary"), "{urls:?}: {error}");
        }
    }

    #[cfg(feature = "tls-rustls")]
    #[test]
    fn all_nodes_are_encrypted_or_none_is() {
        let error = check(&["redis://h:1", "rediss://h:2"]).err().expect("must be rejected").to_string();
        assert!(error.contains("encryption"), "{error}");
    }
}
