//! Sends commands over one shared connection, and makes a new one when that is no longer good.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Value};

use super::silence::Silence;
use super::timer::within;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::redis::{Confirmation, Durability, Effect, Fault, Settings, has_written};

pub(super) use super::timer::pause;

/// Nothing is kept of a reply that was read: redis-rs makes room for each by itself.
pub(super) fn done_with(_: Value) {}

/// One connection; clones share it.
#[derive(Clone)]
pub(super) struct Driver(Arc<Shared>);

struct Shared {
    client: Client,
    config: AsyncConnectionConfig,
    address: Box<str>,
    /// Never held while anything is waited for, so that looking at it or emptying it takes no time.
    connected: std::sync::Mutex<Option<Connected>>,
    /// Held by the caller who makes a connection. The others wait for it, each within his own time.
    connecting: async_lock::Mutex<()>,
}

#[derive(Clone)]
struct Connected {
    connection: MultiplexedConnection,
    silence: Arc<Silence>,
}

/// A call that waits for its reply, and counts as one that was not answered unless it is said to be.
struct Waiting<'a> {
    driver: &'a Driver,
    silence: &'a Arc<Silence>,
    from: Instant,
    is_answered: bool,
}

impl Driver {
    /// Makes no connection yet.
    pub(super) fn new(settings: &Arc<Settings>) -> Result<Self> {
        // Each call has a deadline of its own, so redis-rs needs none.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(None);
        Ok(Self(Arc::new(Shared {
            client: settings.client()?,
            config,
            address: settings.address.as_str().into(),
            connected: std::sync::Mutex::default(),
            connecting: async_lock::Mutex::new(()),
        })))
    }

    /// Sends one command and waits for its reply, until the deadline.
    ///
    /// Dropping the future leaves the connection usable: the reply is read and thrown away.
    pub(super) async fn run(&self, command: &Cmd, deadline: Deadline) -> Result<Value, Fault> {
        let connected = self.connected(deadline).await?;
        self.ask(&connected, command, deadline).await
    }

    /// Sends one command and, if it has written something, waits on the same connection for its confirmation, for as long as
    /// it takes or there is time left behind the answer.
    pub(super) async fn run_and_wait(
        &self,
        command: &Cmd,
        durability: Durability,
        deadline: Deadline,
    ) -> Result<(Value, Option<Confirmation>), Fault> {
        let connected = self.connected(deadline).await?;
        let answer = self.ask(&connected, command, deadline).await?;
        if !has_written(&answer) {
            return Ok((answer, None));
        }
        let confirmation = self.ask(&connected, &durability.wait(deadline), deadline).await;
        Ok((answer, Some(confirmation)))
    }

    /// A driver with a connection of its own: while one command waits, those behind it on the same connection do too.
    pub(super) fn for_waiting(&self) -> Self {
        let Shared { client, config, address, .. } = &*self.0;
        let (client, config, address) = (client.clone(), config.clone(), address.clone());
        let (connected, connecting) = (std::sync::Mutex::default(), async_lock::Mutex::new(()));
        Self(Arc::new(Shared { client, config, address, connected, connecting }))
    }

    async fn ask(&self, connected: &Connected, command: &Cmd, deadline: Deadline) -> Result<Value, Fault> {
        let time_left = self.time_left(deadline)?;
        let (mut connection, silence) = (connected.connection.clone(), &connected.silence);
        let mut waiting = Waiting { driver: self, silence, from: Instant::now(), is_answered: false };
        let outcome = within(time_left, pin!(connection.send_packed_command(command)))
            .await
            .ok_or_else(|| Fault::deadline(&self.0.address, deadline, Effect::Unknown))?;
        waiting.is_answered = true;
        silence.ends();
        outcome.and_then(Value::extract_error).map_err(|error| {
            let fault = Fault::command(&self.0.address, error);
            if fault.breaks_connection {
                self.give_up(silence);
            }
            fault
        })
    }

    /// The connection, made if there is none.
    async fn connected(&self, deadline: Deadline) -> Result<Connected, Fault> {
        let time_left = self.time_left(deadline)?;
        if let Some(connected) = self.slot().clone() {
            return Ok(connected);
        }
        within(time_left, pin!(self.connect()))
            .await
            .ok_or_else(|| Fault::no_connection(&self.0.address, deadline, "it was still being made"))?
    }

    /// One caller makes the connection, the others wait for that.
    async fn connect(&self) -> Result<Connected, Fault> {
        let _connecting = self.0.connecting.lock().await;
        if let Some(connected) = self.slot().clone() {
            return Ok(connected);
        }
        // In a box, because connecting takes more room than all else, and every call would carry it along.
        let connection = Box::pin(self.0.client.get_multiplexed_async_connection_with_config(&self.0.config))
            .await
            .map_err(|error| Fault::connecting(&self.0.address, error))?;
        let connected = Connected { connection, silence: Arc::default() };
        *self.slot() = Some(connected.clone());
        Ok(connected)
    }

    /// Has the next call make a new connection, unless somebody did already.
    fn give_up(&self, old: &Arc<Silence>) {
        let mut slot = self.slot();
        if slot.as_ref().is_some_and(|current| Arc::ptr_eq(&current.silence, old)) {
            *slot = None;
        }
    }

    fn time_left(&self, deadline: Deadline) -> Result<Duration, Fault> {
        deadline.remaining().ok_or_else(|| Fault::deadline(&self.0.address, deadline, Effect::None))
    }

    fn slot(&self) -> MutexGuard<'_, Option<Connected>> {
        // Nobody panics with it, and what is in it would be whole all the same.
        self.0.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_answered && self.silence.lasted(self.from) {
            self.driver.give_up(self.silence);
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("address", &self.0.address).finish_non_exhaustive()
    }
}
