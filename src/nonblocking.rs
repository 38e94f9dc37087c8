//! The asynchronous flavour, on tokio or on smol: every call is a future that is `Send`.
//!
//! [`Governance`] is the one handle: it submits requests, moves them on and finds them again. It keeps them in a
//! [`Store`] that the application picks at start: [`MemoryStore`] for development and tests, `RedisStore` to
//! keep them durably.
//!
//! ```
//! use std::sync::Arc;
//! use mutator_governance::nonblocking::{Governance, MemoryStore};
//! use mutator_governance::{ActorContext, ApprovalRule, Intent, RequestDraft, Result, Status, Target};
//!
//! async fn grant_role(governance: &Governance) -> Result<Status> {
//!     let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//!     let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("rita")?)
//!         .requires_approval(ApprovalRule::role("manager")?);
//!     let request = governance.submit(draft).await?;
//!
//!     let mona = ActorContext::user("mona")?.with_role("manager")?.because("Erin leads billing from May");
//!     let approved = governance.approve(&request.id, mona).await?;
//!     Ok(approved.state.status())
//! }
//!
//! # #[cfg(feature = "tokio")] {
//! // On tokio:
//! let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! assert_eq!(runtime.block_on(grant_role(&governance))?, Status::Approved);
//! # }
//! # #[cfg(feature = "smol")] {
//!
//! // On smol:
//! let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//! assert_eq!(smol::block_on(grant_role(&governance))?, Status::Approved);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Redis
//!
//! Only the store changes. Open a store once and share it: a clone of the store, or of the service, shares the
//! connection.
//!
//! ```no_run
//! # #[cfg(feature = "redis")]
//! # async fn open() -> mutator_governance::Result<()> {
//! use std::sync::Arc;
//! use mutator_governance::nonblocking::{Governance, RedisStore};
//!
//! let store = RedisStore::builder("redis://127.0.0.1:6379").namespace("billing").open().await?;
//! let governance = Governance::builder().store(Arc::new(store)).build();
//! # Ok(())
//! # }
//! ```
//!
//! A Redis Cluster is opened by `RedisStore::cluster_builder` with the URLs of some of its nodes; all else is the same.
//! So is a primary that Sentinels watch, by `RedisStore::sentinel_builder` with its name and the URLs of all of them.
//!
//! # Runtimes and dropped futures
//!
//! With both features, calls use tokio within a tokio runtime, and smol everywhere else. The tokio runtime needs I/O
//! and time enabled: a command pauses between its attempts after a conflict. Dropping a future leaves the store usable.
//! A write whose future was dropped may have taken effect; read the request to find out.
//!
//! One store serves callers on several runtimes at once, of tokio and of smol alike. Each runtime gets a connection of
//! its own at its first call. A runtime at rest, such as a current-thread tokio runtime between two calls of
//! `block_on`, keeps nobody else waiting; one that ends closes its connection. Poll a future only on the runtime that
//! polled it first: its timer belongs to that runtime.
//!
//! # Waiting for a decision
//!
//! [`Governance::wait`] returns when somebody has decided, in this process or another; the end of the time is an answer
//! too. Any number of futures may wait: all on one runtime share one task. [`Governance::approve_many`] and its like
//! handle many requests by one call.
//!
//! ```
//! # use std::sync::Arc;
//! # use mutator_governance::nonblocking::{Governance, MemoryStore};
//! # use mutator_governance::{ActorContext, ApprovalRule, Intent, RequestDraft, Target};
//! use std::time::Duration;
//! use mutator_governance::{ManyOptions, WaitUntil, Waited};
//!
//! # async fn run() -> mutator_governance::Result<()> {
//! # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//! # let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! # let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("rita")?);
//! # let drafts = vec![draft.requires_approval(ApprovalRule::actor("mona")?); 3];
//! let submitted = governance.submit_many(&drafts, &ManyOptions::new()).await?;
//! let ids: Vec<_> = submitted.results.into_iter().map(|result| result.id).collect();
//! let waited = governance.wait(&ids[2], WaitUntil::Decided, Duration::from_millis(10)).await?;
//! assert!(matches!(waited, Waited::TimedOut(_)));
//!
//! let approved = governance.approve_many(&ids, ActorContext::user("mona")?, &ManyOptions::new()).await?;
//! assert!(approved.is_complete());
//! let waited = governance.wait(&ids[2], WaitUntil::Decided, Duration::from_secs(20)).await?;
//! assert!(waited.is_met());
//! # Ok(())
//! # }
//! # #[cfg(feature = "tokio")]
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(run())?;
//! # #[cfg(not(feature = "tokio"))]
//! # smol::block_on(run())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Work beside the program
//!
//! A [`Sweeper`] expires what is due, an [`Executor`] runs approved requests by a handler of their mutation type, and a
//! [`FeedFollower`] hands every write to a handler, for one of any number of replicas; each in tasks of the runtime it
//! was started in. Handlers are written with [`macro@async_trait`]:
//!
//! ```
//! use mutator_governance::nonblocking::{ExecutionHandler, Executor, FeedFollower, FeedHandler, async_trait};
//! # use std::sync::{Arc, Mutex, mpsc};
//! # use mutator_governance::nonblocking::{Governance, MemoryStore};
//! # use mutator_governance::{Intent, RequestDraft, Target};
//! use mutator_governance::workflow::{Completion, Failure};
//! use mutator_governance::{
//!     ActorContext, ClaimedRequest, Delivery, DeliveryFailure, MissedEntries, MutationRequest, StateVersion,
//! };
//!
//! struct Directory;
//!
//! #[async_trait]
//! impl ExecutionHandler for Directory {
//!     async fn current_version(&self, _request: &MutationRequest) -> Result<StateVersion, Failure> {
//!         Ok(StateVersion::new("v7")?)
//!     }
//!
//!     async fn execute(&self, request: &ClaimedRequest) -> Result<Completion, Failure> {
//!         println!("{} on {}", request.intent.operation, request.target.state_id);
//!         Ok(Completion::new())
//!     }
//! }
//!
//! struct Mailer {
//! #   sent: Mutex<mpsc::Sender<String>>,
//! }
//!
//! #[async_trait]
//! impl FeedHandler for Mailer {
//!     async fn deliver(&self, delivery: &Delivery) -> Result<(), DeliveryFailure> {
//!         println!("{} is {}", delivery.entry.id, delivery.entry.status);
//! #       self.sent.lock().unwrap().send(delivery.entry.status.to_string())?; // any error is tried again
//!         Ok(())
//!     }
//!
//!     async fn resync(&self, missed: &MissedEntries) -> Result<(), DeliveryFailure> {
//!         missed.gaps.iter().for_each(|gap| println!("{gap}"));
//!         Ok(())
//!     }
//! }
//!
//! # fn start() -> (Mailer, mpsc::Receiver<String>) {
//! #     let (sender, sent) = mpsc::channel();
//! #     (Mailer { sent: Mutex::new(sender) }, sent)
//! # }
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//! # let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! # let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("rita")?);
//! # governance.submit(draft.already_approved()).await?;
//! # let (mailer, sent) = start();
//! # #[cfg(any())]
//! let mailer = Mailer {};
//! let executor = Executor::builder(governance.clone(), ActorContext::service("executor")?)
//!     .handle("RoleGrant".try_into()?, Directory)?
//!     .report_to(|report| println!("{report:?}"))
//!     .start();
//! let follower = FeedFollower::builder(governance.clone(), "mailer".try_into()?)
//! #   .interval(std::time::Duration::from_millis(5))
//!     .report_to(|report| println!("{report:?}"))
//!     .start(mailer);
//!
//! # let sent = move || sent.recv();
//! # #[cfg(feature = "tokio")]
//! # let statuses = tokio::task::spawn_blocking(move || [sent(), sent(), sent()]).await?;
//! # #[cfg(not(feature = "tokio"))]
//! # let statuses = smol::unblock(move || [sent(), sent(), sent()]).await;
//! # assert_eq!(statuses.map(|status| status.unwrap()), ["Approved", "Approved", "Executed"]);
//! follower.stop().await?;
//! assert!(executor.stop().await.still_running.is_empty());
//! # Ok(())
//! # }
//! # #[cfg(feature = "tokio")]
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(run())?;
//! # #[cfg(not(feature = "tokio"))]
//! # smol::block_on(run())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The docs of `blocking` say what happens when two writes meet, and how to go on when it is unknown whether a write
//! was applied: [`Governance::submit_as`] and [`Governance::apply_as`] can be repeated.
//!
//! The types here have the same names, methods and behaviour as those in `blocking`; both are compiled from one source.

use maybe_async::must_be_async as dual;
use std::ops::AsyncFnOnce as RunOnce;

#[cfg(feature = "redis")]
#[path = "nonblocking/credential_source.rs"]
mod credential_source;

#[cfg(feature = "redis")]
#[path = "nonblocking/redis_calls.rs"]
mod redis_calls;

#[cfg(feature = "redis")]
#[path = "nonblocking/redis_connection.rs"]
mod redis_connection;

#[cfg(feature = "redis")]
#[path = "nonblocking/redis_driver.rs"]
mod redis_driver;

#[cfg(feature = "redis")]
#[path = "nonblocking/redis_socket.rs"]
mod redis_socket;

#[cfg(feature = "redis")]
#[path = "nonblocking/redis_stream.rs"]
mod redis_stream;

#[cfg(feature = "tls-rustls")]
#[path = "nonblocking/redis_tls.rs"]
mod redis_tls;

#[cfg(feature = "redis")]
#[path = "nonblocking/response_watch.rs"]
mod response_watch;

#[cfg(feature = "archive")]
#[path = "nonblocking/archive_writer.rs"]
mod archive_writer;

#[cfg(feature = "archive")]
#[path = "nonblocking/off_thread.rs"]
mod off_thread;

#[path = "nonblocking/timer.rs"]
mod timer;

#[path = "nonblocking/background.rs"]
mod background;

/// A function for `execute` that makes this call.
macro_rules! run_with {
    (|$request:ident| $call:expr) => {
        async |$request: &crate::ClaimedRequest| $call.await
    };
}

#[path = "engine/mod.rs"]
mod engine;

#[path = "nonblocking/rows.rs"]
mod rows;

#[cfg(all(feature = "archive", feature = "smol"))]
pub use archive_writer::FuturesArchiveWriter;
#[cfg(all(feature = "archive", feature = "tokio"))]
pub use archive_writer::TokioArchiveWriter;
/// Goes before the `impl` of a trait of this module, such as [`Store`].
pub use async_trait::async_trait;
#[cfg(feature = "redis")]
pub use credential_source::CredentialSource;
pub use engine::*;
pub use rows::Rows;

#[path = "nonblocking/run_concurrently.rs"]
mod run_concurrently;

#[cfg(feature = "conformance")]
use run_concurrently::run_concurrently;

#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
#[path = "conformance/mod.rs"]
pub mod conformance;
