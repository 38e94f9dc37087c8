//! The asynchronous flavour, on tokio or on smol: every call is a future that is `Send`.
//!
//! With both features switched on, tokio is used within a tokio runtime and smol everywhere else. Dropping a future
//! leaves the store usable; a write whose future was dropped may have taken effect, and is found out by repeating it.

use maybe_async::must_be_async as dual;
use std::ops::AsyncFnOnce as RunOnce;

#[cfg(feature = "redis")]
#[path = "nonblocking/redis_driver.rs"]
mod redis_driver;

#[path = "nonblocking/timer.rs"]
mod timer;

#[path = "nonblocking/background.rs"]
mod background;

#[path = "engine/mod.rs"]
mod engine;

#[path = "nonblocking/rows.rs"]
mod rows;

pub use engine::*;

#[cfg(feature = "conformance")]
#[path = "nonblocking/together.rs"]
mod together;

#[cfg(feature = "conformance")]
use together::together;

#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
#[path = "conformance/mod.rs"]
pub mod conformance;
