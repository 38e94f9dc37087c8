//! Sends commands over one shared connection for each runtime, and makes a new one when that is no longer good.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use redis::{Cmd, RedisError, RedisResult, Value};

use super::credential_source::CredentialSource;
use super::redis_calls::{Answer, Failure};
use super::redis_connection::{Call, Connection};
use super::redis_stream::Stream;
use super::response_watch::ResponseWatch;
use super::timer::{Runtime, spawn, within};
use crate::error::Result;
use crate::redis::{
    Confirmation, Credentials, Durability, Effect, Fault, Settings, ask_time, asking, greetings, has_written, unasked,
};
use crate::service::deadline::Deadline;

pub(super) use super::timer::pause;

/// The answers to commands that were sent at once. The first fault concerns them all, the others one command each.
pub(super) type Answers = Result<Vec<Result<Value, Fault>>, Fault>;

/// Sends each server its commands, and waits for the replies of all, so that the servers work at the same time.
pub(super) async fn run_at_once(batches: &[(Driver, &[Cow<'_, Cmd>])], deadline: Deadline) -> Vec<Answers> {
    join_all(batches.iter().map(|(driver, commands)| driver.run_all(commands, deadline))).await
}

/// Nothing is kept of a reply that was read: each has room of its own.
pub(super) fn recycle(_: Value) {}

/// One connection for each runtime that calls; clones share them.
#[derive(Clone)]
pub(super) struct Driver(Arc<Shared>);

struct Shared {
    settings: Arc<Settings>,
    login: Option<Arc<dyn CredentialSource>>,
    /// Never held while anything is waited for, so that looking at it or emptying it takes no time.
    slots: std::sync::Mutex<Vec<Slot>>,
}

/// A runtime's connection. A socket of one that is at rest or gone would answer nobody.
struct Slot {
    runtime: Runtime,
    connected: Option<Connected>,
    /// Held by the caller who makes a connection. The others wait for it, each within its own time.
    connecting: Arc<async_lock::Mutex<()>>,
}

#[derive(Clone)]
struct Connected {
    connection: Connection,
    watch: Arc<ResponseWatch>,
}

/// A call that waits for its reply, and counts as one that was not answered unless it is said to be.
struct Waiting<'a> {
    driver: &'a Driver,
    watch: &'a Arc<ResponseWatch>,
    from: Instant,
    is_answered: bool,
}

/// Has a connection forgotten when the task that drives it ends, be it with its runtime.
struct Ending {
    shared: Weak<Shared>,
    watch: Arc<ResponseWatch>,
}

impl Driver {
    /// Makes no connection yet.
    pub(super) fn new(settings: &Arc<Settings>, login: Option<Arc<dyn CredentialSource>>) -> Self {
        Self(Arc::new(Shared { settings: Arc::clone(settings), login, slots: std::sync::Mutex::default() }))
    }

    /// Sends one command and waits for its reply, until the deadline.
    ///
    /// Dropping the future leaves the connection usable: the reply is read and thrown away.
    pub(super) async fn run(&self, command: &Cmd, deadline: Deadline) -> Result<Value, Fault> {
        let connected = self.connected(deadline).await?;
        self.ask(&connected, command, deadline).await
    }

    /// Sends these commands at once, and waits for all replies, until the deadline. The first fault concerns them all, the others
    /// one command each.
    pub(super) async fn run_all(&self, commands: &[Cow<'_, Cmd>], deadline: Deadline) -> Answers {
        let connected = self.connected(deadline).await?;
        self.ask_all(&connected, commands, deadline).await
    }

    async fn ask_all(&self, connected: &Connected, commands: &[Cow<'_, Cmd>], deadline: Deadline) -> Answers {
        let mut packed = Vec::new();
        for command in commands {
            command.write_packed_command(&mut packed);
        }
        let send = |connection: &Connection| connection.call_all(packed, commands.len());
        let watch = &connected.watch;
        match self.exchange(connected, send, deadline).await? {
            Value::Array(replies) if replies.len() == commands.len() => {
                let replies = replies.into_iter().map(Value::extract_error);
                Ok(replies.map(|reply| reply.map_err(|error| self.failed(watch, Failure::Sent(error)))).collect())
            }
            other => Err(self.failed(watch, Failure::Sent(unasked(Ok(other))))),
        }
    }

    /// Sends one command, after ASKING if `is_asking`. If it has written something and that is to be waited for, waits on the
    /// same connection for its confirmation, for as long as it takes or there is time left behind the answer.
    pub(super) async fn run_and_wait(
        &self,
        command: &Cmd,
        is_asking: bool,
        durability: Durability,
        deadline: Deadline,
    ) -> Result<(Value, Option<Confirmation>), Fault> {
        let connected = self.connected(deadline).await?;
        let answer = if is_asking {
            // In one call, so that no other comes between.
            let commands = [Cow::Owned(asking()), Cow::Borrowed(command)];
            let answers = self.ask_all(&connected, &commands, deadline).await?;
            answers.into_iter().try_fold(Value::Nil, |_, answer| answer)?
        } else {
            self.ask(&connected, command, deadline).await?
        };
        if !durability.waits() || !has_written(&answer) {
            return Ok((answer, None));
        }
        let confirmation = self.ask(&connected, &durability.wait(deadline), deadline).await;
        Ok((answer, Some(confirmation)))
    }

    /// A driver with connections of its own: while one command waits, those behind it on the same connection do too.
    pub(super) fn for_waiting(&self) -> Self {
        Self::new(&self.0.settings, self.0.login.clone())
    }

    async fn ask(&self, connected: &Connected, command: &Cmd, deadline: Deadline) -> Result<Value, Fault> {
        let send = |connection: &Connection| connection.call(command.get_packed_command());
        let answer = self.exchange(connected, send, deadline).await?;
        answer.extract_error().map_err(|error| self.failed(&connected.watch, Failure::Sent(error)))
    }

    /// The answer to the call that `send` makes.
    async fn exchange(
        &self,
        connected: &Connected,
        send: impl FnOnce(&Connection) -> Result<Call, Failure> + Send,
        deadline: Deadline,
    ) -> Result<Value, Fault> {
        let time_left = self.time_left(deadline)?;
        let watch = &connected.watch;
        let (connection, failed) = (&connected.connection, |failure| self.failed(watch, failure));
        // Before the command, in the same round trip.
        let time = if self.0.settings.clock.asks() {
            Some((Instant::now(), connection.call(ask_time().get_packed_command()).map_err(failed)?))
        } else {
            None
        };
        let mut call = send(connection).map_err(failed)?;
        let mut waiting = Waiting { driver: self, watch, from: Instant::now(), is_answered: false };
        let answer = match time {
            // In a box, so that the calls that bring no time along are not as large as those that do.
            Some((asked, time)) => within(time_left, Box::pin(self.learning_time(asked, time, &mut call))).await,
            None => within(time_left, &mut call).await,
        };
        let Some(answer) = answer else {
            let effect = if call.was_sent() { Effect::Unknown } else { Effect::None };
            return Err(Fault::deadline(self.address(), deadline, effect));
        };
        waiting.is_answered = true;
        watch.ends();
        answer.map_err(failed)
    }

    /// The answer to a call, and beside it that to the question for the server's time, which was asked then.
    async fn learning_time(&self, asked: Instant, time: Call, call: &mut Call) -> Answer {
        let time = async { time.await.map(|time| (Instant::now(), time)) };
        let (time, answer) = join(time, call).await;
        if let Ok((answered, time)) = time {
            // Rejected, it is asked for again later, and by the next connection; what was asked for beside is not kept back.
            drop(self.0.settings.clock.learn(asked, answered, &time));
        }
        answer
    }

    fn failed(&self, watch: &Arc<ResponseWatch>, failure: Failure) -> Fault {
        let fault = match failure {
            Failure::NotSent(error) => Fault::not_sent(self.address(), error),
            Failure::Sent(error) => Fault::command(self.address(), error),
        };
        if fault.breaks_connection {
            self.0.give_up(watch);
        }
        fault
    }

    /// The connection of this runtime, made if there is none.
    async fn connected(&self, deadline: Deadline) -> Result<Connected, Fault> {
        let time_left = self.time_left(deadline)?;
        let runtime = Runtime::current().ok_or_else(|| Fault::no_runtime(self.address()))?;
        let connecting = match self.0.find(runtime) {
            Ok(connected) => return Ok(connected),
            Err(connecting) => connecting,
        };
        // In a box, because connecting takes more room than all else, and every call would carry it along.
        within(time_left, Box::pin(self.connect(runtime, &connecting)))
            .await
            .ok_or_else(|| Fault::no_connection(self.address(), deadline, "it was still being made"))?
    }

    /// One caller makes the connection, the others wait for that.
    async fn connect(&self, runtime: Runtime, connecting: &async_lock::Mutex<()>) -> Result<Connected, Fault> {
        let _connecting = connecting.lock().await;
        if let Ok(connected) = self.0.find(runtime) {
            return Ok(connected);
        }
        let watch = Arc::default();
        let connection = within(self.0.settings.options.connect_timeout, pin!(self.open(runtime, &watch)))
            .await
            .unwrap_or_else(|| Err(self.not_connected(io::Error::from(io::ErrorKind::TimedOut).into())))?;
        let connected = Connected { connection, watch };
        self.0.keep(runtime, connected.clone());
        Ok(connected)
    }

    async fn open(&self, runtime: Runtime, watch: &Arc<ResponseWatch>) -> Result<Connection, Fault> {
        let settings = &self.0.settings;
        let credentials = match &self.0.login {
            Some(source) => {
                Some(source.credentials().await.map_err(|error| Fault::credentials(self.address(), error))?)
            }
            None => None,
        };
        let stream = Stream::connect(settings, runtime).await.map_err(|error| self.not_connected(error.into()))?;
        let (connection, driving) = Connection::over(stream, settings.reply_limit());
        let ending = Ending { shared: Arc::downgrade(&self.0), watch: Arc::clone(watch) };
        spawn(async move {
            let _ending = ending;
            driving.await;
        });
        self.greet(&connection, credentials.as_ref()).await.map_err(|error| self.not_connected(error))?;
        Ok(connection)
    }

    async fn greet(&self, connection: &Connection, credentials: Option<&Credentials>) -> RedisResult<()> {
        for greeting in greetings(credentials, self.0.settings.database(), self.0.settings.peer) {
            let sent = Instant::now();
            let answer = match connection.call(greeting.command.get_packed_command()) {
                Ok(call) => call.await,
                Err(failure) => Err(failure),
            };
            let answer = answer.map_err(|failure| match failure {
                Failure::NotSent(error) | Failure::Sent(error) => error,
            });
            greeting.answered(sent, answer.and_then(Value::extract_error), &self.0.settings.clock)?;
        }
        Ok(())
    }

    fn not_connected(&self, error: RedisError) -> Fault {
        Fault::connecting(self.address(), error)
    }

    fn address(&self) -> &str {
        &self.0.settings.address
    }

    fn time_left(&self, deadline: Deadline) -> Result<Duration, Fault> {
        deadline.remaining().ok_or_else(|| Fault::deadline(self.address(), deadline, Effect::None))
    }
}

impl Shared {
    /// This runtime's connection, or what has to be held to make one.
    fn find(&self, runtime: Runtime) -> Result<Connected, Arc<async_lock::Mutex<()>>> {
        let mut slots = self.slots();
        if let Some(slot) = slots.iter_mut().find(|slot| slot.runtime == runtime) {
            return match &slot.connected {
                Some(connected) if !connected.connection.has_ended() => Ok(connected.clone()),
                _ => Err(Arc::clone(&slot.connecting)),
            };
        }
        // Those of runtimes that may be gone, and in which nobody connects.
        slots.retain(|slot| slot.connected.is_some() || Arc::strong_count(&slot.connecting) > 1);
        let connecting = Arc::default();
        slots.push(Slot { runtime, connected: None, connecting: Arc::clone(&connecting) });
        Err(connecting)
    }

    fn keep(&self, runtime: Runtime, connected: Connected) {
        if let Some(slot) = self.slots().iter_mut().find(|slot| slot.runtime == runtime) {
            slot.connected = Some(connected);
        }
    }

    /// Has the next call make a new connection, unless somebody did already.
    fn give_up(&self, old: &Arc<ResponseWatch>) {
        let is_old = |connected: &mut Connected| Arc::ptr_eq(&connected.watch, old);
        // Dropped behind the lock: what is dropped with it ends a connection.
        let _old = self.slots().iter_mut().find_map(|slot| slot.connected.take_if(is_old));
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        // Nobody panics with it, and what is in it would be whole all the same.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_answered && self.watch.lasted(self.from) {
            self.driver.0.give_up(self.watch);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.give_up(&self.watch);
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("address", &self.address()).finish_non_exhaustive()
    }
}
