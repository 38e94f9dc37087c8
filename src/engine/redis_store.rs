//! The store in Redis: opens it, and sends, retries and gives up calls.

use std::sync::Arc;

use super::super::redis_driver::{Driver, pause, recycle};
use super::{RedisStoreBuilder, dual};
use crate::error::{Error, Result};
use crate::redis::reply;
use crate::redis::{Attempts, Call, Cardinalities, Confirmation, Durability, Fault, Next, PreflightReport, Settings};
use crate::service::deadline::Deadline;

/// Keeps requests in Redis, 7.0 or newer, or in Valkey, 7.2 or newer.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct RedisStore {
    pub(super) driver: Driver,
    pub(super) durability: Durability,
    /// The driver for writes that wait for replicas or the disk.
    pub(super) waiting: Driver,
    pub(super) settings: Arc<Settings>,
    pub(super) cardinalities: Arc<Cardinalities>,
    pub(super) preflight: Arc<PreflightReport>,
}

impl RedisStore {
    /// A store at this URL: `redis://[user:password@]host[:port][/db]`, `redis+unix:///path`, or `rediss://…` for TLS
    /// with the feature `tls`. User and password are percent-encoded; [`credentials`](RedisStoreBuilder::credentials)
    /// keep them out of the URL.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url.into())
    }

    /// What opening the store found out about the server.
    pub fn preflight(&self) -> &PreflightReport {
        &self.preflight
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.settings.timeout)
    }
}

#[dual]
impl RedisStore {
    /// A store whose writes wait for this before their calls return. Clones and other such stores are unaffected.
    ///
    /// In the asynchronous flavour, waiting writes share a separate connection, made at the first of them: keep the
    /// returned store.
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) when the server has no command to wait
    /// with, and [`StoreErrorKind::Rejected`](crate::StoreErrorKind::Rejected) when this user may not use it.
    pub async fn with_durability(&self, durability: Durability) -> Result<Self> {
        if durability.waits() {
            self.call(&Call::probe(durability), self.deadline()).await.map_err(|error| match error {
                Error::Store(error) => Error::from(durability.unavailable(error)),
                other => other,
            })?;
        }
        Ok(Self { durability, waiting: self.driver.for_waiting(), ..self.clone() })
    }

    pub(super) async fn call(&self, call: &Call, deadline: Deadline) -> Result<redis::Value> {
        Ok(self.attempt(call, false, &mut Attempts::new(deadline, call.writes)).await?.0)
    }

    /// The record at a key: nil if there is none, and only its size if that is above the limit of a record.
    ///
    /// One command reads most records whole; a script reads longer ones and checks their size first.
    pub(super) async fn stored_record(&self, key: &str, deadline: Deadline) -> Result<redis::Value> {
        let start = self.call(&Call::record_start(key), deadline).await?;
        if reply::is_whole_record(&start) {
            return Ok(start);
        }
        recycle(start);
        let value = self.call(&Call::whole_record(&self.settings, key), deadline).await?;
        reply::only_record(value)
    }

    /// The answer and, if the call waits for a confirmation, the answer to that query.
    pub(super) async fn attempt(
        &self,
        call: &Call,
        waits: bool,
        attempts: &mut Attempts,
    ) -> Result<(redis::Value, Option<Confirmation>)> {
        if call.writes {
            self.settings.check_writable()?;
        }
        let mut with_source = false;
        loop {
            let fault = match self.send(&call.command(with_source), waits, attempts.deadline()).await {
                Ok(answers) => return Ok(answers),
                Err(fault) => fault,
            };
            match attempts.after(fault, fastrand::f64()) {
                Next::SendSource => with_source = true,
                Next::After(duration) => pause(duration).await,
                Next::Stop(error) => return Err(call.locate(error).into()),
            }
        }
    }

    async fn send(
        &self,
        command: &redis::Cmd,
        waits: bool,
        deadline: Deadline,
    ) -> Result<(redis::Value, Option<Confirmation>), Fault> {
        if !waits {
            return Ok((self.driver.run(command, deadline).await?, None));
        }
        self.waiting.run_and_wait(command, self.durability, deadline).await
    }
}
