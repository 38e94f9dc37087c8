//! Governed mutation requests.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod request;
pub mod stored_format;
pub mod workflow;

pub use error::{ApprovalRefusal, Conflict, Error, InvalidValue, Outcome, Result, StoreError, StoreErrorKind};
pub use request::*;
pub use stored_format::{DocumentLimit, FormatError, FormatVersion};
