//! A store as somebody outside the crate would write it, by the public interface alone: it passes the suite in both
//! flavours.

mod table;

#[cfg(feature = "blocking")]
mod blocking;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod nonblocking;
