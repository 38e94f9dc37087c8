//! Puts changes to production state under governance: a change is submitted as a durable *mutation request*, waits for
//! the approvals it needs, collects decisions that are never rewritten, is checked against the version of the state it
//! was written for, and is executed once.
//!
//! Redis keeps the requests or, for development and tests, memory does. The same code serves synchronous programs
//! ([`blocking`]) and asynchronous ones ([`nonblocking`], on tokio or smol); start with the examples there.
//!
//! # Where to find what
//!
//! - [`RequestDraft`] says what is to change and what it has to wait for; [`ApprovalRule`] says whose approval.
//! - `Governance`, in either flavour, submits a draft as a [`MutationRequest`] and applies commands to it: approve,
//!   reject, cancel, …
//! - A request holds its state ([`RequestState`]), its approvals and its history ([`Decision`]). `Governance` changes
//!   it only by the rules of [`workflow`], which are pure functions that need no store. Code that holds the store
//!   itself can bypass them: see [`MutationRequest`].
//! - [`workflow::explain`] says, in words or as data, why a request waits and who can move it on;
//!   [`workflow::decidable_by`] returns the approvals that an actor can decide now.
//! - `Governance::read_feed` reports every write after it is made, for programs that follow changes.
//! - Every [`Error`] says what failed, for which request, and what to do next; [`Error::outcome`] says whether a write
//!   took effect.
//!
//! # Features
//!
//! Features only add: any set of them compiles together, and none changes what another provides.
//!
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "blocking", feature = "tokio", feature = "smol")),
    allow(dead_code, unused_imports, reason = "without a flavour, nothing drives what the flavours share")
)]

#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
#[cfg(any(feature = "tokio", feature = "smol"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "tokio", feature = "smol"))))]
pub mod nonblocking;
pub mod workflow;

mod command;
mod error;
pub mod feed;
pub mod for_stores;
mod index;
mod json;
#[cfg(test)]
mod json_tests;
mod query;
#[cfg(all(feature = "redis", any(feature = "blocking", feature = "tokio", feature = "smol")))]
mod redis;
mod request;
mod service;
#[cfg(feature = "conformance")]
mod store_cases;
pub mod stored_format;
mod token;

#[cfg(all(fuzzing, feature = "redis", any(feature = "blocking", feature = "tokio", feature = "smol")))]
#[doc(hidden)]
pub use crate::redis::fuzzing;
#[cfg(all(feature = "redis", any(feature = "blocking", feature = "tokio", feature = "smol")))]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use crate::redis::{
    CheckMode, CheckPosition, CheckReport, CheckStep, Credentials, Durability, Finding, Inspection, PreflightReport,
};
pub use error::{
    ApprovalError, Conflict, Error, ErrorKind, ErrorReport, ExecutionError, FormatError, InvalidValue, LayoutError,
    NothingToDecide, Outcome, Result, StoreError, StoreErrorKind, SupersedeError, UnrecordedExecution,
};
pub use feed::{
    Consumer, ConsumerLease, DeliveredDocument, Delivery, DeliveryFailure, FeedActor, FeedEntry, FeedGap, FeedPage,
    FeedPosition, FollowerReport, MissedEntries, UnreadableEntry,
};
pub use query::{
    Count, Cursor, DecisionQuery, DecisionRow, InboxQuery, Lookup, MAX_CHOICES, Page, PageRequest,
    PendingApprovalQuery, PendingApprovalRow, RecentApprovalQuery, RecentApprovalRow, RequestQuery, RequestSummary,
    SortDirection, Statistics,
};
pub use request::metadata_keys;
pub use request::{
    ActorContext, ActorId, ActorKind, ActorMode, Approval, ApprovalDecision, ApprovalId, ApprovalRule, ApprovalState,
    ApprovalStatus, ApprovalTarget, BatchId, BlastRadius, BlastScope, Category, Cause, Claim, ClaimId,
    CompensationKind, CompensationPlan, CompensationTrigger, ConsumerName, ContractId, DeciderRule, Decision,
    DecisionCategory, DecisionKind, Digest, DiscussionDecision, Execution, ExecutionDecision, ExecutionKind,
    ExecutionLink, Group, HolderId, IdComparison, InitialState, Intent, IntoId, LifecycleDecision, LinkRelation,
    Metadata, MetadataIter, MutationRequest, MutationType, Operation, Payload, Pending, PendingReason, Quorum,
    QuorumGroup, QuorumRejection, Rejection, RequestDocument, RequestDraft, RequestId, RequestState, Requester,
    Requirement, RequirementKind, Revision, RiskLevel, Role, Severity, SideEffect, StateId, StateType, StateVersion,
    Status, Step, Supersession, Tag, Target, Timestamp, UnsettledWrite, Value, Verdict, VersionDecision, Versioning,
    WriteId, WriteIntent, WriteKind,
};
pub use service::clock::{Clock, ManualClock, SystemClock};
pub use service::executor::{ExecutorReport, ExecutorStopped};
pub use service::lease::{ClaimedRequest, Lease};
pub use service::on_conflict::OnConflict;
pub use service::reports::ReportPanicked;
pub use service::settle::{RememberedWrite, Settled, WriteLookup};
pub use service::sweep::Swept;
pub use stored_format::{Compression, DocumentLimit, FormatVersion, StoredRequest, Unreadable};

/// Compiles and runs the code in the README.
#[cfg(all(doctest, feature = "blocking", feature = "redis", feature = "smol", feature = "tokio"))]
#[doc = include_str!("../README.md")]
mod readme {}

/// Compiles and runs the recipes.
#[cfg(all(doctest, feature = "blocking", feature = "redis", feature = "tokio"))]
#[doc = include_str!("../docs/wiring.md")]
mod wiring {}

/// Compiles and runs the code in the page about errors.
#[cfg(doctest)]
#[doc = include_str!("../docs/errors.md")]
mod errors {}

/// Compiles and runs the code in the security guide.
#[cfg(all(doctest, feature = "blocking", feature = "redis"))]
#[doc = include_str!("../docs/security.md")]
mod security {}
