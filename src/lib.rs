//! Puts changes to production state under governance: a change is submitted as a durable *mutation request*, waits for
//! the approvals it needs, collects decisions that are never rewritten, is checked against the version of the state it
//! was written for, and is executed once.
//!
//! ```
//! use std::sync::Arc;
//! use mutator_governance::blocking::{Governance, MemoryStore};
//! use mutator_governance::{ActorContext, ApprovalRule, Intent, RequestDraft, Status, Target};
//!
//! let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//!
//! let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! let intent = Intent::new("grant-role", "Access")?.described_as("Erin takes over billing");
//! let draft = RequestDraft::new(target, intent, ActorContext::user("rita")?)
//!     .requires_approval(ApprovalRule::role("manager")?);
//! let request = governance.submit(draft)?;
//!
//! let mona = ActorContext::user("mona")?.with_role("manager")?;
//! let request = governance.approve(&request.id, mona.because("She leads billing from May"))?;
//! assert_eq!(request.state.status(), Status::Approved);
//! # Ok::<(), mutator_governance::Error>(())
//! ```
//!
//! Redis keeps the requests or, for development and tests, memory does. Synchronous programs use [`blocking`], those
//! on tokio or smol [`nonblocking`]; both have the same types and methods.
//!
//! | | blocking | nonblocking |
//! |---|---|---|
//! | submits, decides, finds | [`Governance`](blocking::Governance) | [`Governance`](nonblocking::Governance) |
//! | keeps requests in Redis | [`RedisStore`](blocking::RedisStore) | [`RedisStore`](nonblocking::RedisStore) |
//! | keeps them in memory | [`MemoryStore`](blocking::MemoryStore) | [`MemoryStore`](nonblocking::MemoryStore) |
//! | executes what is approved | [`Executor`](blocking::Executor) | [`Executor`](nonblocking::Executor) |
//! | hands on each write | [`FeedFollower`](blocking::FeedFollower) | [`FeedFollower`](nonblocking::FeedFollower) |
//! | expires what is due | [`Sweeper`](blocking::Sweeper) | [`Sweeper`](nonblocking::Sweeper) |
//!
//! # Where to find what
//!
//! - **To submit**: [`RequestDraft`] says what is to change: its [`Target`], its [`Intent`], maybe a [`Payload`], and
//!   the [`StateVersion`] it was written for.
//! - **Whose approval**: [`ApprovalRule`] of [`ApprovalTarget`]s, in [`Step`]s or as a [`QuorumGroup`].
//! - **Policies**: [`policy::PolicySet`] keeps as data which changes need whose approval.
//! - **People**: [`ActorContext`] says who acts, with [`Role`]s and [`Group`]s.
//! - **What is stored**: [`MutationRequest`], with its [`RequestState`], [`Approval`]s, [`Decision`]s, [`SideEffect`]s
//!   and [`Metadata`], under the keys of [`metadata_keys`].
//! - **The rules**: [`workflow`], pure functions that need no store; [`workflow::explain`] says why a request waits
//!   and who can move it on. [`workflow::Command`] is a command as data.
//! - **To find requests**: [`RequestQuery`], [`PendingApprovalQuery`], [`RecentApprovalQuery`], [`DecisionQuery`] and
//!   [`Statistics`]; a [`PageRequest`] gets a [`Page`]. Only what concerns somebody: [`Viewer`].
//! - **Errors**: [`Error`], with its [`ErrorKind`] for programs, its [`Outcome`] (did the write take effect?), and
//!   [`ErrorReport`] for the clients of a service. [`UnsettledWrite`] and [`Settled`] if the outcome is unknown.
//! - **To wait for a decision**: [`WaitUntil`], [`Waited`]. **One call for many requests**: [`ManyOptions`],
//!   [`ManyReport`].
//! - **To repeat a call safely**: [`WriteId`]. **When two writes meet**: [`OnConflict`].
//! - **To follow changes**: [`feed`]. **To test with a time of your own**: [`ManualClock`].
//! - **Archives**: [`archive`], with the features `archive` and `gzip`: export, and import as it was.
//! - **Proof**: [`proof`] verifies that a history is the one that was recorded.
//! - **To operate Redis**: [`PreflightReport`], [`NamespaceLayout`], [`CheckReport`], [`Inspection`], [`Durability`].
//! - **To write a store**: [`for_stores`], [`stored_format`], and the suite of the feature `conformance`.
//!
#![cfg_attr(
    doc,
    doc = "The [`guide`] has a page for each subject: wiring, errors, JSON, security, reliability, and more."
)]
//!
//! # Features
//!
//! Features only add: any set of them compiles together, and none changes what another provides.
//!
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "blocking", feature = "redis", any(feature = "tokio", feature = "smol"))),
    allow(rustdoc::broken_intra_doc_links, reason = "the docs link to what other features provide")
)]
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

pub mod archive;
mod command;
mod error;
pub mod feed;
pub mod for_stores;
#[cfg(doc)]
pub mod guide;
mod index;
mod json;
#[cfg(test)]
mod json_tests;
#[cfg(feature = "policies")]
#[cfg_attr(docsrs, doc(cfg(feature = "policies")))]
pub mod policy;
pub mod proof;
mod query;
#[cfg(all(feature = "redis", any(feature = "blocking", feature = "tokio", feature = "smol")))]
mod redis;
mod removal;
mod request;
pub mod retention;
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
    CheckMode, CheckPhase, CheckPosition, CheckReport, CheckStep, Credentials, Durability, Finding, Inspection,
    NamespaceLayout, NodeAddress, PreflightReport,
};
#[doc(inline)]
pub use error::{
    AmendmentError, ApprovalError, ArchiveError, Conflict, CorrectionError, Error, ErrorKind, ErrorReport,
    ExecutionError, FormatError, InvalidValue, LayoutError, NothingToDecide, Outcome, PolicyError, RemovalError,
    Result, StoreError, StoreErrorKind, SupersedeError, UnrecordedExecution,
};
#[doc(inline)]
pub use feed::{
    Consumer, ConsumerLease, DeliveredDocument, Delivery, DeliveryFailure, FeedActor, FeedChange, FeedEntry, FeedGap,
    FeedPage, FeedPosition, FollowerReport, MissedEntries, UnreadableEntry,
};
pub use query::{
    Count, Cursor, DecisionQuery, DecisionRow, InboxQuery, Lookup, MAX_CHOICES, MissingPart, MissingPartition, Page,
    PageRequest, PendingApprovalQuery, PendingApprovalRow, ReadyQuery, RecentApprovalQuery, RecentApprovalRow,
    RequestQuery, RequestSummary, SortDirection, Statistics, Viewer, VisibleTo,
};
pub use removal::{ArchiveName, Removal, Tombstone};
pub use request::metadata_keys;
pub use request::{
    ActingFor, ActorContext, ActorId, ActorKind, ActorMode, Approval, ApprovalDecision, ApprovalId, ApprovalRule,
    ApprovalState, ApprovalStatus, ApprovalTarget, ApproverLimits, BatchId, BlastRadius, BlastScope, Category, Cause,
    Claim, ClaimId, CompensationKind, CompensationPlan, CompensationTrigger, ConsumerName, ContractId, DeciderRule,
    Decision, DecisionCategory, DecisionKind, Delegation, Digest, DiscussionDecision, Escalation, Execution,
    ExecutionDecision, ExecutionKind, ExecutionLink, FailedAttempts, Grounds, Group, HashMark, HistoryChain,
    HistorySeal, HolderId, IdComparison, InitialState, Intent, IntoId, KeyId, LifecycleDecision, LinkRelation,
    Metadata, MetadataIter, MutationRequest, MutationType, Operation, Participants, Payload, Pending, PendingReason,
    Period, PolicyName, Quorum, QuorumGroup, QuorumRejection, ReasonRule, Rejection, RequestDocument, RequestDraft,
    RequestId, RequestState, Requester, Requirement, RequirementKind, Resubmission, RetryPolicy, Revision, RiskLevel,
    Role, Salt, Severity, SideEffect, StateId, StateType, StateVersion, Status, Step, Supersession, Tag, Target,
    Timestamp, UniqueKey, UnsettledWrite, Value, Verdict, VersionDecision, Versioning, WriteId, WriteIntent, WriteKind,
};
pub use service::clock::{Clock, ManualClock, SystemClock};
pub use service::executor::{ExecutorReport, ExecutorStopped};
pub use service::lease::{ClaimedRequest, Lease};
pub use service::many::{ManyOptions, ManyOutcome, ManyProgress, ManyReport, ManyResult};
pub use service::on_conflict::OnConflict;
pub use service::reports::ReportPanicked;
pub use service::settle::{RememberedWrite, Settled, WriteLookup};
pub use service::sweep::Swept;
pub use service::waiting::{WaitUntil, Waited};
#[doc(inline)]
pub use stored_format::{Compression, DocumentLimit, FormatVersion, StoredRequest, Unreadable};

/// Compiles and runs the code in the README.
#[cfg(all(doctest, feature = "blocking", feature = "redis", feature = "smol", feature = "tokio"))]
#[doc = include_str!("../README.md")]
mod readme {}
