//! Sends commands over one shared connection, and makes a new one when that is no longer good.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, RedisResult, Value};

use super::silence::Silence;
use super::timer::within;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::redis::{Confirmation, Durability, Effect, Fault, Settings, ask_time, greetings, has_written};

pub(super) use super::timer::pause;

/// Nothing is kept of a reply that was read: redis-rs makes room for each by itself.
pub(super) fn done_with(_: Value) {}

/// One connection; clones share it.
#[derive(Clone)]
pub(super) struct Driver(Arc<Shared>);

struct Shared {
    client: Client,
    settings: Arc<Settings>,
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
        Ok(Self::of(settings.client()?, Arc::clone(settings)))
    }

    fn of(client: Client, settings: Arc<Settings>) -> Self {
        let (connected, connecting) = (std::sync::Mutex::default(), async_lock::Mutex::new(()));
        Self(Arc::new(Shared { client, settings, connected, connecting }))
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
        Self::of(self.0.client.clone(), Arc::clone(&self.0.settings))
    }

    async fn ask(&self, connected: &Connected, command: &Cmd, deadline: Deadline) -> Result<Value, Fault> {
        let time_left = self.time_left(deadline)?;
        let (mut connection, silence) = (connected.connection.clone(), &connected.silence);
        let mut waiting = Waiting { driver: self, silence, from: Instant::now(), is_answered: false };
        let outcome = if self.0.settings.clock.asks() {
            // In a box, so that the calls that bring no time along are not as large as those that do.
            within(time_left, Box::pin(self.send_asking_time(connection, command))).await
        } else {
            within(time_left, pin!(connection.send_packed_command(command))).await
        };
        let outcome = outcome.ok_or_else(|| Fault::deadline(self.address(), deadline, Effect::Unknown))?;
        waiting.is_answered = true;
        silence.ends();
        outcome.and_then(Value::extract_error).map_err(|error| {
            let fault = Fault::command(self.address(), error);
            if fault.breaks_connection {
                self.give_up(silence);
            }
            fault
        })
    }

    /// Sends the command and before it, in the same round trip, the question for the server's time.
    async fn send_asking_time(&self, mut connection: MultiplexedConnection, command: &Cmd) -> RedisResult<Value> {
        let (mut other, ask, asked) = (connection.clone(), ask_time(), Instant::now());
        let time = async { other.send_packed_command(&ask).await.map(|time| (Instant::now(), time)) };
        let (time, answer) = join(time, connection.send_packed_command(command)).await;
        if let Ok((answered, time)) = time {
            // Refused, it is asked for again later, and by the next connection; what was asked for beside is not kept back.
            drop(self.0.settings.clock.learn(asked, answered, &time));
        }
        answer
    }

    /// The connection, made if there is none.
    async fn connected(&self, deadline: Deadline) -> Result<Connected, Fault> {
        let time_left = self.time_left(deadline)?;
        if let Some(connected) = self.slot().clone() {
            return Ok(connected);
        }
        within(time_left, pin!(self.connect()))
            .await
            .ok_or_else(|| Fault::no_connection(self.address(), deadline, "it was still being made"))?
    }

    /// One caller makes the connection, the others wait for that.
    async fn connect(&self) -> Result<Connected, Fault> {
        let _connecting = self.0.connecting.lock().await;
        if let Some(connected) = self.slot().clone() {
            return Ok(connected);
        }
        // In a box, because connecting takes more room than all else, and every call would carry it along.
        let connection = within(self.0.settings.connect_timeout, Box::pin(self.greet()))
            .await
            .unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
            .map_err(|error| Fault::connecting(self.address(), error))?;
        let connected = Connected { connection, silence: Arc::default() };
        *self.slot() = Some(connected.clone());
        Ok(connected)
    }

    async fn greet(&self) -> RedisResult<MultiplexedConnection> {
        // Each call has a deadline of its own, and so has this, so redis-rs needs none.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut connection = self.0.client.get_multiplexed_async_connection_with_config(&config).await?;
        for greeting in greetings(self.0.settings.connection.redis_settings()) {
            let sent = Instant::now();
            let answer = connection.send_packed_command(&greeting.command).await.and_then(Value::extract_error);
            greeting.answered(sent, answer, &self.0.settings.clock)?;
        }
        Ok(connection)
    }

    fn address(&self) -> &str {
        &self.0.settings.address
    }

    /// Has the next call make a new connection, unless somebody did already.
    fn give_up(&self, old: &Arc<Silence>) {
        let mut slot = self.slot();
        if slot.as_ref().is_some_and(|current| Arc::ptr_eq(&current.silence, old)) {
            *slot = None;
        }
    }

    fn time_left(&self, deadline: Deadline) -> Result<Duration, Fault> {
        deadline.remaining().ok_or_else(|| Fault::deadline(self.address(), deadline, Effect::None))
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
        f.debug_struct("Driver").field("address", &self.address()).finish_non_exhaustive()
    }
}
