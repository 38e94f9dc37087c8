//! The bytes a request is stored as: envelope, limits and frozen versions.
//!
//! The only place that names bincode; what it gives out is bytes, requests and [`FormatError`]s.

mod format_error;

pub use format_error::FormatError;
