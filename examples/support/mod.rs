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
    /// On a Redis server, in a namespace that no other run uses.
    Redis {
        /// Where the server is.
        url: String,
        /// The namespace.
        namespace: String,
    },
}

impl Place {
    /// Redis if `REDIS_URL` is set, otherwise the memory store. However the program ends from now on, even by Ctrl-C or
    /// because nobody reads its output, it deletes what it has written.
    pub fn from_environment() -> Self {
        let place = match std::env::var("REDIS_URL") {
            Ok(url) if !url.is_empty() => Self::Redis { url, namespace: namespace_of_this_run() },
            _ => Self::Embedded,
        };
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
            Self::Redis { url, namespace } => redis_keys::delete_namespace(url, namespace),
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
