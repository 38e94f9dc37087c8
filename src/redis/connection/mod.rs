//! What it takes to reach a server: where it is, who logs in, what its errors mean, and how its replies are framed.

pub(crate) mod address;
pub(crate) mod credentials;
pub(crate) mod durability;
pub(crate) mod fault;
pub(crate) mod greeting;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) mod incoming;
pub(crate) mod preflight;
pub(crate) mod reply_limit;
pub(crate) mod retry;
pub(crate) mod server_clock;
#[cfg(feature = "tls-rustls")]
pub(crate) mod tls;
