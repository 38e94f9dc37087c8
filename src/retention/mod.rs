//! Retention: for how long requests that have ended stay, as a value, and what becomes of each. Nothing here removes anything:
//! `Governance::retain` and `Retention` do, in the flavours.
//!
//! ```
//! use std::time::Duration;
//! use mutator_governance::retention::{RetentionAction, RetentionPolicy, RetentionRule};
//! use mutator_governance::{RequestQuery, Status};
//!
//! const DAY: Duration = Duration::from_secs(24 * 60 * 60);
//!
//! # fn main() -> Result<(), mutator_governance::InvalidValue> {
//! let drafts = RequestQuery::new().with_statuses([Status::Canceled, Status::Expired])?;
//! let policy = RetentionPolicy::new([
//!     RetentionRule::new("access", 7 * 365 * DAY, RetentionAction::Archive)?.of_class("access")?,
//!     RetentionRule::new("never-executed", 90 * DAY, RetentionAction::Purge)?.of_requests(drafts),
//!     RetentionRule::new("the-rest", 365 * DAY, RetentionAction::Archive)?,
//! ])?
//! .holding("case-7", RequestQuery::new().with_state_ids(["tenant:acme"])?)?;
//! # assert_eq!(policy.rules().len(), 3);
//! # Ok(())
//! # }
//! ```

mod judging;
mod policy;
mod report;
mod rule;
mod walk;

pub use judging::{Judgement, KeptBecause};
pub use policy::{LegalHold, RetentionPolicy};
pub use report::{DueRequest, KeptRequest, RetentionOptions, RetentionPosition, RetentionReport};
pub use rule::{RetentionAction, RetentionRule};
pub(crate) use walk::Walk;
