//! The synchronous flavour: every call returns when it is done.
//!
//! The types here have the names, methods and behaviour of their namesakes in `nonblocking`; both are compiled from one
//! source.

use maybe_async::must_be_sync as dual;
use std::ops::FnOnce as RunOnce;

#[cfg(feature = "redis")]
#[path = "blocking/redis_driver.rs"]
mod redis_driver;

#[path = "blocking/background.rs"]
mod background;

#[path = "engine/mod.rs"]
mod engine;

#[path = "blocking/rows.rs"]
mod rows;

pub use engine::*;

#[cfg(feature = "conformance")]
#[path = "blocking/together.rs"]
mod together;

#[cfg(feature = "conformance")]
use together::together;

#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
#[path = "conformance/mod.rs"]
pub mod conformance;
