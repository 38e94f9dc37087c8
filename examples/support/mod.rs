//! Shared by the examples: where requests are kept, and how they are printed.

#![allow(dead_code, unreachable_pub, reason = "each example uses this module for itself")]

pub mod ending;
pub mod print;
#[cfg(feature = "redis")]
mod redis_keys;
mod say;
pub mod stores;

pub(crate) use say::say;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// What an example returns.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Where an example keeps its requests.
#[derive(Clone)]
pub enum Place {
    /// In the memory of this process.
    Embedded,
    /// In Redis, in a namespace that no other run uses.
    Redis {
        /// Where it is.
        servers: Servers,
        /// The namespace.
        namespace: String,
    },
}

/// One Redis server or a cluster.
#[derive(Clone)]
pub enum Servers {
    /// The URL of a server.
    One(String),
    /// The URLs of some nodes.
    Cluster(Vec<String>),
}

impl Servers {
    /// From `REDIS_CLUSTER_URLS`, with commas between the URLs, or `REDIS_URL`.
    pub fn from_environment() -> Option<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let cluster = variable("REDIS_CLUSTER_URLS");
        let cluster = cluster.map(|urls| Self::Cluster(urls.split(',').map(|url| url.trim().to_owned()).collect()));
        cluster.or_else(|| variable("REDIS_URL").map(Self::One))
    }
}

impl Place {
    /// A cluster if `REDIS_CLUSTER_URLS` is set, a server if `REDIS_URL` is, otherwise the memory store. However the program ends from now on, even by Ctrl-C or
    /// because nobody reads its output, it deletes what it has written.
    pub fn from_environment() -> Self {
        let servers = Servers::from_environment();
        let place =
            servers.map_or(Self::Embedded, |servers| Self::Redis { servers, namespace: namespace_of_this_run() });
        ending::watch(&place);
        place
    }

    /// Deletes what this run has written. The library has no call for this, because governed requests are kept.
    ///
    /// Blocks, even in an asynchronous example: by then nothing else runs.
    ///
    /// # Errors
    /// If the server cannot be reached or returns an error.
    pub fn clean_up(&self) -> Result<()> {
        let deleted = ending::clean_up()?;
        if let Self::Redis { namespace, .. } = self {
            say!("\nCleaned up: {deleted} keys of namespace {namespace} deleted.");
        }
        Ok(())
    }

    /// Deletes everything stored here and returns the number of keys.
    fn delete(&self) -> Result<usize> {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis { servers, namespace } => redis_keys::delete_namespace(servers, namespace),
            _ => Ok(0),
        }
    }
}

fn namespace_of_this_run() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("example-{:x}-{:x}", std::process::id(), now.as_micros())
}

/// The end of the program: prints an error as its text, not as its `Debug` form, and deletes what a failed run has written.
pub fn finish(result: Result<()>) -> ExitCode {
    let result = result.and(ending::clean_up().map(|_| ()));
    ending::go_on();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ending::complain(&format!("\nerror: {error}"));
            ExitCode::FAILURE
        }
    }
}
