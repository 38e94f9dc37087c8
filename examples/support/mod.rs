//! What the examples share: where requests are kept, and how they are printed.

#![allow(dead_code, unreachable_pub, reason = "each example uses this module for itself")]

pub mod print;
#[cfg(feature = "redis")]
mod redis_keys;
pub mod stores;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// What an example returns.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Where an example keeps its requests.
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
    /// Redis where `REDIS_URL` says so, else the embedded store.
    pub fn from_environment() -> Self {
        match std::env::var("REDIS_URL") {
            Ok(url) if !url.is_empty() => Self::Redis { url, namespace: namespace_of_this_run() },
            _ => Self::Embedded,
        }
    }

    /// Deletes what this run has written, which the library has no call for: governed requests are kept.
    ///
    /// Blocks, also where an asynchronous example calls it: nothing else is left to run by then.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn clean_up(&self) -> Result<()> {
        match self {
            Self::Embedded => Ok(()),
            #[cfg(feature = "redis")]
            Self::Redis { url, namespace } => {
                let deleted = redis_keys::delete_namespace(url, namespace)?;
                println!("\nCleaned up: {deleted} keys of namespace {namespace} deleted.");
                Ok(())
            }
            #[cfg(not(feature = "redis"))]
            Self::Redis { .. } => Ok(()),
        }
    }
}

fn namespace_of_this_run() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("example-{:x}-{:x}", std::process::id(), now.as_micros())
}

/// The end of the program: an error is printed as its sentence, not as the value behind it.
pub fn finish(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error}");
            ExitCode::FAILURE
        }
    }
}
