//! The store in Redis: opens it, and sends, retries and gives up calls.

use std::sync::Arc;

use super::super::redis_driver::{Driver, pause, recycle};
use super::{RedisStoreBuilder, dual};
use crate::error::{Error, Result};
use crate::redis::reply;
use crate::redis::{
    Attempts, Call, Cardinalities, Confirmation, Durability, Fault, Next, PreflightReport, Round, Settings,
};
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
    /// with the feature `tls-rustls`. User and password are percent-encoded; [`credentials`](RedisStoreBuilder::credentials)
    /// keep them out of the URL.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url.into())
    }

    /// What opening the store found out about the server.
    pub fn preflight(&self) -> &PreflightReport {
        &self.preflight
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.settings.options.timeout)
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
        Ok(self.attempt(call, &mut Attempts::new(deadline, call.writes)).await?.0)
    }

    /// The replies to these calls, in their order. As many as may be under way at once take one round trip together.
    ///
    /// A call that failed is repeated as by [`call`](Self::call), without the others that were answered.
    pub(super) async fn call_all(&self, calls: &[Call], deadline: Deadline) -> Result<Vec<redis::Value>> {
        let mut replies = Vec::with_capacity(calls.len());
        for calls in calls.chunks(self.settings.calls_at_once()) {
            match calls {
                [call] => replies.push(self.call(call, deadline).await?),
                _ => replies.extend(self.round(calls, deadline).await?),
            }
        }
        Ok(replies)
    }

    async fn round(&self, calls: &[Call], deadline: Deadline) -> Result<Vec<redis::Value>> {
        let writes = calls.iter().any(|call| call.writes);
        if writes {
            self.settings.check_writable()?;
        }
        let mut attempts = Attempts::new(deadline, writes);
        let mut round = Round::new(calls);
        loop {
            let commands = round.commands();
            let (call, fault) = match self.driver.run_all(&commands, deadline).await {
                Ok(answers) => match round.take(answers) {
                    Some((call, fault)) => (Some(call), fault),
                    None => return Ok(round.finish()),
                },
                Err(fault) => (None, fault),
            };
            match attempts.after(fault, fastrand::f64()) {
                Next::SendSource => round.send_source(),
                Next::After(duration) => pause(duration).await,
                Next::Stop(error) => {
                    return Err(match call {
                        Some(call) => call.locate(error).into(),
                        None => error.into(),
                    });
                }
            }
        }
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
        attempts: &mut Attempts,
    ) -> Result<(redis::Value, Option<Confirmation>)> {
        if call.writes {
            self.settings.check_writable()?;
        }
        let mut with_source = false;
        loop {
            let fault = match self.send(call, with_source, attempts.deadline()).await {
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
        call: &Call,
        with_source: bool,
        deadline: Deadline,
    ) -> Result<(redis::Value, Option<Confirmation>), Fault> {
        let command = &call.command(with_source);
        if !call.durability.waits() {
            return Ok((self.driver.run(command, deadline).await?, None));
        }
        self.waiting.run_and_wait(command, call.durability, deadline).await
    }
}
