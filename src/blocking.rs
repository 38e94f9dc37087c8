//! The synchronous flavour: every call blocks until it is done.
//!
//! [`Governance`] is the one handle: it submits requests, moves them on and finds them again. It keeps them in a
//! [`Store`] that the application picks at start: [`MemoryStore`] for development and tests, `RedisStore` to
//! keep them durably.
//!
//! ```
//! use std::sync::Arc;
//! use mutator_governance::blocking::{Governance, MemoryStore};
//! use mutator_governance::workflow::explain;
//! use mutator_governance::{ActorContext, ApprovalRule, Intent, PageRequest, RequestDraft, Status, Target};
//!
//! let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//!
//! // Rita asks for a change that a manager has to approve, and then security.
//! let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! let intent = Intent::new("grant-role", "Access")?.described_as("Erin takes over billing");
//! let draft = RequestDraft::new(target, intent, ActorContext::user("rita")?)
//!     .requires_approval(ApprovalRule::role("manager")?)
//!     .requires_approval(ApprovalRule::group("security")?);
//! let request = governance.submit(draft)?;
//! let standing = explain(&request, governance.clock().now()).to_string();
//! assert_eq!(standing, "waits for anyone with role manager to decide approval-1; step 1 of 2");
//!
//! // Whoever may decide it finds it in their inbox. The error for anybody else says why, and who can act.
//! let mona = ActorContext::user("mona")?.with_role("manager")?.because("Erin leads billing from May");
//! let inbox = governance.inbox(&mona, &PageRequest::first())?;
//! let id = &inbox.items[0].request.id;
//!
//! let sam = ActorContext::user("sam")?.with_group("security")?;
//! let too_early = governance.approve(id, sam.clone()).unwrap_err();
//! assert!(too_early.to_string().contains("sam can decide approval-2 only after the earlier steps"));
//!
//! governance.approve(id, mona)?;
//! let approved = governance.approve(id, sam)?;
//! assert_eq!(approved.state.status(), Status::Approved);
//! # Ok::<(), mutator_governance::Error>(())
//! ```
//!
//! # Redis
//!
//! Only the store changes. Open a store once and share it: a clone of the store, or of the service, shares the pool.
//!
//! ```no_run
//! # #[cfg(feature = "redis")] {
//! use std::sync::Arc;
//! use mutator_governance::blocking::{Governance, RedisStore};
//!
//! let store = RedisStore::builder("redis://127.0.0.1:6379").namespace("billing").open()?;
//! let governance = Governance::builder().store(Arc::new(store)).build();
//! # }
//! # Ok::<(), mutator_governance::Error>(())
//! ```
//!
//! A Redis Cluster is opened by the URLs of some of its nodes; all else is the same:
//!
//! ```no_run
//! # #[cfg(feature = "redis")] {
//! # use mutator_governance::blocking::RedisStore;
//! let nodes = ["redis://node-1:6379", "redis://node-2:6379", "redis://node-3:6379"];
//! let store = RedisStore::cluster_builder(nodes).namespace("billing").partitions(16).open()?;
//! # }
//! # Ok::<(), mutator_governance::Error>(())
//! ```
//!
//! So is a primary that Sentinels watch, by its name and the URLs of all of them:
//!
//! ```no_run
//! # #[cfg(feature = "redis")] {
//! # use mutator_governance::blocking::RedisStore;
//! let sentinels = ["redis://sentinel-1:26379", "redis://sentinel-2:26379", "redis://sentinel-3:26379"];
//! let store = RedisStore::sentinel_builder("mymaster", sentinels).namespace("billing").open()?;
//! # }
//! # Ok::<(), mutator_governance::Error>(())
//! ```
//!
//! A request may take 10,000 index entries, which [`Error::TooManyEntries`](crate::Error::TooManyEntries) explains, and
//! as many bytes as the store's `document_limit`.
//!
//! # When two writes meet
//!
//! Of two changes computed from one revision, only the first is stored: the second was decided without knowing the
//! first. The service then checks the second command again on what is stored, as often as necessary until its
//! [deadline](GovernanceBuilder::deadline) (30 s by default), with growing pauses; see
//! [`OnConflict`](crate::OnConflict). So any number of people who decide different approvals at once all succeed, and a
//! command that has become impossible fails at once with its own error.
//!
//! # When it is unknown whether a write was applied
//!
//! A call ends by the store's timeout. If a write is then neither applied nor rejected,
//! [`Error::outcome`](crate::Error::outcome) is [`Outcome::Unknown`](crate::Outcome::Unknown), and a plain second call
//! could apply it twice. To be able to repeat a call, choose a write id first and keep it, on disk if need be, until
//! the call returns: [`Governance::submit_as`] submits once and [`Governance::apply_as`] applies once, however often
//! you call them with that id. A write id belongs to one use: the same command by the same actor for the same reason,
//! or the same draft. Any other use on that request fails with [`Error::WriteIdReused`](crate::Error::WriteIdReused).
//!
//! ```
//! # use std::sync::Arc;
//! # use mutator_governance::blocking::{Governance, MemoryStore};
//! # use mutator_governance::{ActorContext, ApprovalDecision, ApprovalRule, Intent, RequestDraft, Target};
//! use mutator_governance::workflow::Command;
//! use mutator_governance::{Outcome, WriteId};
//!
//! # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//! # let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! # let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("rita")?);
//! # let request = governance.submit(draft.requires_approval(ApprovalRule::role("manager")?))?;
//! let mona = ActorContext::user("mona")?.with_role("manager")?;
//! let (command, write_id) = (Command::approve(mona), WriteId::generate());
//! let granted = loop {
//!     match governance.apply_as(&request.id, &command, write_id) {
//!         // Unknown, or nothing was written: the same call again does what is still to be done.
//!         Err(error) if error.outcome() == Outcome::Unknown || error.is_retryable() => continue,
//!         answer => break answer?,
//!     }
//! };
//! # let again = governance.apply_as(&request.id, &command, write_id)?;
//! # assert_eq!(again, granted);
//! # Ok::<(), mutator_governance::Error>(())
//! ```
//!
//! After a call without a write id, [`Error::unsettled_write`](crate::Error::unsettled_write) names the write, and
//! [`Governance::settle`] returns what became of it, also later and from another process;
//! [`Outcome::Unknown`](crate::Outcome::Unknown) says how to go on.
//!
//! # Waiting for a decision
//!
//! [`Governance::wait`] returns when somebody has decided, in this process or another; the end of the time is an answer
//! too. [`Governance::approve_many`] and its like handle many requests by one call.
//!
//! ```
//! # use std::sync::Arc;
//! # use mutator_governance::blocking::{Governance, MemoryStore};
//! # use mutator_governance::{ActorContext, ApprovalRule, Intent, RequestDraft, Target};
//! use std::time::Duration;
//! use mutator_governance::{ManyOptions, WaitUntil, Waited};
//!
//! # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//! # let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! # let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("rita")?);
//! # let drafts = vec![draft.requires_approval(ApprovalRule::actor("mona")?); 3];
//! let submitted = governance.submit_many(&drafts, &ManyOptions::new())?;
//! let ids: Vec<_> = submitted.results.into_iter().map(|result| result.id).collect();
//!
//! let waited = governance.wait(&ids[0], WaitUntil::Decided, Duration::from_millis(10))?;
//! assert!(matches!(waited, Waited::TimedOut(_)));
//!
//! let approved = governance.approve_many(&ids, ActorContext::user("mona")?, &ManyOptions::new())?;
//! assert!(approved.is_complete());
//! let waited = governance.wait(&ids[0], WaitUntil::Decided, Duration::from_secs(20))?;
//! assert!(waited.is_met());
//! # Ok::<(), mutator_governance::Error>(())
//! ```
//!
//! # Work beside the program
//!
//! A [`Sweeper`] expires what is due, an [`Executor`] runs approved requests by a handler of their mutation type, and a
//! [`FeedFollower`] hands every write to a handler, for one of any number of replicas. Each runs in threads of its own,
//! in any number of processes at once, reports what it does, and stops on request.
//!
//! ```
//! # use std::sync::Arc;
//! # use std::sync::mpsc::channel;
//! # use mutator_governance::blocking::{Governance, MemoryStore};
//! use mutator_governance::blocking::{ExecutionHandler, Executor};
//! use mutator_governance::workflow::{Completion, Failure};
//! # use mutator_governance::{Intent, RequestDraft, Target};
//! use mutator_governance::{ActorContext, ClaimedRequest, ExecutorReport, MutationRequest, StateVersion};
//!
//! struct Directory;
//!
//! impl ExecutionHandler for Directory {
//!     fn current_version(&self, _request: &MutationRequest) -> Result<StateVersion, Failure> {
//!         Ok(StateVersion::new("v7")?)
//!     }
//!
//!     fn execute(&self, request: &ClaimedRequest) -> Result<Completion, Failure> {
//!         println!("{} on {}", request.intent.operation, request.target.state_id);
//!         Ok(Completion::new())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//! # let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! # let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("rita")?);
//! # let request = governance.submit(draft.already_approved())?;
//! # let (sender, ended) = channel();
//! # let sender = std::sync::Mutex::new(sender);
//! let executor = Executor::builder(governance.clone(), ActorContext::service("executor")?)
//!     .handle("RoleGrant".try_into()?, Directory)?
//!     .report_to(move |report| match report {
//!         ExecutorReport::Ended(outcome) => {
//!             println!("{} is {}", outcome.request().id, outcome.request().state.status());
//! #           sender.lock().unwrap().send(outcome.is_executed()).unwrap();
//!         }
//!         failure => eprintln!("{failure:?}"),
//!     })
//!     .start();
//!
//! # assert!(ended.recv()?);
//! let stopped = executor.stop();
//! assert!(stopped.still_running.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # use std::sync::Arc;
//! # use std::sync::mpsc::{Sender, channel};
//! # use mutator_governance::blocking::{Governance, MemoryStore};
//! use mutator_governance::blocking::{FeedFollower, FeedHandler};
//! # use mutator_governance::{ActorContext, Intent, RequestDraft, Target};
//! use mutator_governance::{Delivery, DeliveryFailure, FollowerReport, MissedEntries};
//!
//! struct Mailer {
//! #   sent: std::sync::Mutex<Sender<String>>,
//! }
//!
//! impl FeedHandler for Mailer {
//!     fn deliver(&self, delivery: &Delivery) -> Result<(), DeliveryFailure> {
//!         let entry = &delivery.entry;
//!         let by = entry.by.as_ref().map_or("somebody", |by| by.label());
//!         println!("{by} made {} {}", entry.id, entry.status);
//! #       self.sent.lock().unwrap().send(format!("{by} {}", entry.status))?;
//!         Ok(())
//!     }
//!
//!     fn resync(&self, missed: &MissedEntries) -> Result<(), DeliveryFailure> {
//!         missed.gaps.iter().for_each(|gap| println!("{gap}"));
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
//! # let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! # governance.submit(RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("rita")?))?;
//! # let (sender, sent) = channel();
//! # let mailer = Mailer { sent: std::sync::Mutex::new(sender) };
//! # #[cfg(any())]
//! let mailer = Mailer {};
//! let follower = FeedFollower::builder(governance.clone(), "mailer".try_into()?)
//!     .report_to(|report| {
//!         if let FollowerReport::NotHandled { failure, attempt, .. } = report {
//!             eprintln!("attempt {attempt}: {failure}");
//!         }
//!     })
//!     .start(mailer);
//!
//! # assert_eq!(sent.recv()?, "rita Created");
//! follower.stop()?;
//! assert_eq!(governance.consumers()?[0].lag, Some(0));
//! # Ok(())
//! # }
//! ```
//!
//! The types here have the same names, methods and behaviour as those in `nonblocking`; both are compiled from one
//! source.

use maybe_async::must_be_sync as dual;
use std::ops::FnOnce as RunOnce;

#[cfg(feature = "redis")]
#[path = "blocking/redis_connection.rs"]
mod redis_connection;

#[cfg(feature = "redis")]
#[path = "blocking/credential_source.rs"]
mod credential_source;

#[cfg(feature = "redis")]
#[path = "blocking/redis_driver.rs"]
mod redis_driver;

#[cfg(feature = "redis")]
#[path = "blocking/redis_reply.rs"]
mod redis_reply;

#[cfg(feature = "redis")]
#[path = "blocking/redis_socket.rs"]
mod redis_socket;

#[cfg(feature = "redis")]
#[path = "blocking/redis_stream.rs"]
mod redis_stream;

#[cfg(all(test, feature = "redis"))]
#[path = "blocking/migrate_tests.rs"]
mod migrate_tests;

#[cfg(feature = "archive")]
#[path = "blocking/archive_writer.rs"]
mod archive_writer;

#[cfg(feature = "archive")]
#[path = "blocking/off_thread.rs"]
mod off_thread;

#[path = "blocking/timer.rs"]
mod timer;

#[path = "blocking/background.rs"]
mod background;

/// A function for `execute` that makes this call.
macro_rules! run_with {
    (|$request:ident| $call:expr) => {
        |$request: &crate::ClaimedRequest| $call
    };
}

#[path = "engine/mod.rs"]
mod engine;

#[path = "blocking/rows.rs"]
mod rows;

#[cfg(feature = "archive")]
pub use archive_writer::ArchiveWriter;
#[cfg(feature = "redis")]
pub use credential_source::CredentialSource;
pub use engine::*;
pub use rows::Rows;

#[path = "blocking/run_concurrently.rs"]
mod run_concurrently;

#[cfg(feature = "conformance")]
use run_concurrently::run_concurrently;

#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
#[path = "conformance/mod.rs"]
pub mod conformance;
