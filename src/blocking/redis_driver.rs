//! Sends commands over a pool of connections that notices by itself when one is no longer good.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{Cmd, Value};

use super::credential_source::CredentialSource;
use super::redis_connection::{Connection, Failure};
pub(super) use super::redis_reply::recycle;
use crate::error::Result;
use crate::redis::{Confirmation, Durability, Effect, Fault, ServerClock, Settings, has_written};
use crate::service::deadline::Deadline;

/// A pool of connections; clones share it.
#[derive(Clone)]
pub(super) struct Driver {
    pool: r2d2::Pool<Places>,
    settings: Arc<Settings>,
    login: Option<Arc<dyn CredentialSource>>,
    /// Raised when a connection breaks: what broke it, a restart or a failover, has broken those made before it too.
    generation: Arc<AtomicU64>,
}

/// Makes places for connections. The caller who finds a place empty connects, so that it learns why that failed, and
/// nobody connects when no call is waiting.
struct Places;

/// Room for a connection, empty before its first use and after the connection broke.
#[derive(Default)]
struct Slot {
    connected: Option<Connected>,
}

struct Connected {
    connection: Connection,
    generation: u64,
    /// Whether it must not be used again.
    is_broken: bool,
}

pub(super) use super::timer::pause;

impl Driver {
    /// Makes no connection yet.
    pub(super) fn new(settings: &Arc<Settings>, login: Option<Arc<dyn CredentialSource>>) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(settings.options.pool_size)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Places);
        Self { pool, settings: Arc::clone(settings), login, generation: Arc::default() }
    }

    /// Sends one command and waits for its reply, until the deadline.
    pub(super) fn run(&self, command: &Cmd, deadline: Deadline) -> Result<Value, Fault> {
        self.with_connection(deadline, |connected| self.ask(connected, command, deadline))
    }

    /// Sends these commands at once, and waits for all replies, until the deadline. The first fault concerns them all, the others
    /// one command each.
    pub(super) fn run_all(
        &self,
        commands: &[Cow<'_, Cmd>],
        deadline: Deadline,
    ) -> Result<Vec<Result<Value, Fault>>, Fault> {
        self.with_connection(deadline, |connected| {
            let replies =
                self.exchange(connected, deadline, |connection, clock| connection.run_all(commands, deadline, clock))?;
            let fault = |connected: &mut Connected, error| self.failed(connected, Failure::Sent(error));
            Ok(replies.into_iter().map(|reply| reply.map_err(|error| fault(connected, error))).collect())
        })
    }

    /// Sends one command and, if it has written something, waits on the same connection for its confirmation, for as long as
    /// it takes or there is time left behind the answer.
    pub(super) fn run_and_wait(
        &self,
        command: &Cmd,
        durability: Durability,
        deadline: Deadline,
    ) -> Result<(Value, Option<Confirmation>), Fault> {
        self.with_connection(deadline, |connected| {
            let answer = self.ask(connected, command, deadline)?;
            let confirmation = has_written(&answer).then(|| self.confirm(connected, durability, deadline));
            Ok((answer, confirmation))
        })
    }

    /// A driver for commands that wait; here the same, since each call has a connection of its own.
    pub(super) fn for_waiting(&self) -> Self {
        self.clone()
    }

    fn with_connection<T>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&mut Connected) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut place = match self.pool.try_get() {
            Some(place) => place,
            None => self
                .pool
                .get_timeout(self.time_left(deadline)?)
                .map_err(|_| Fault::no_connection(&self.settings.address, deadline, "all of the pool are in use"))?,
        };
        // Out of its place for as long as its state is not known, whatever happens meanwhile.
        let mut connected = match place.connected.take().and_then(|connected| self.still_good(connected, deadline)) {
            Some(connected) => connected,
            None => self.connect(deadline)?,
        };
        let outcome = work(&mut connected);
        if !connected.is_broken {
            place.connected = Some(connected);
        }
        outcome
    }

    fn ask(&self, connected: &mut Connected, command: &Cmd, deadline: Deadline) -> Result<Value, Fault> {
        self.exchange(connected, deadline, |connection, clock| connection.run(command, deadline, clock))
    }

    fn exchange<T>(
        &self,
        connected: &mut Connected,
        deadline: Deadline,
        run: impl FnOnce(&mut Connection, Option<&ServerClock>) -> Result<T, Failure>,
    ) -> Result<T, Fault> {
        // Not sent at all when there is no time left, so that the caller learns that nothing was applied.
        self.time_left(deadline)?;
        let clock = &*self.settings.clock;
        let outcome = run(&mut connected.connection, clock.asks().then_some(clock));
        connected.is_broken |= connected.connection.has_surplus();
        outcome.map_err(|failure| self.failed(connected, failure))
    }

    /// Waits for the confirmation of what was written on this connection.
    fn confirm(&self, connected: &mut Connected, durability: Durability, deadline: Deadline) -> Confirmation {
        if let Err(error) = connected.connection.check_quiet(deadline) {
            return Err(self.failed(connected, Failure::NotSent(error)));
        }
        self.ask(connected, &durability.wait(deadline), deadline)
    }

    fn failed(&self, connected: &mut Connected, failure: Failure) -> Fault {
        let fault = match failure {
            Failure::NotSent(error) => Fault::not_sent(&self.settings.address, error),
            Failure::Sent(error) => Fault::command(&self.settings.address, error),
        };
        connected.is_broken |= fault.breaks_connection;
        if fault.breaks_connection && fault.breaks_others {
            let (broken, next) = (connected.generation, connected.generation.wrapping_add(1));
            // Whoever comes first raises it, once for all connections of a generation.
            let _raised = self.generation.compare_exchange(broken, next, Ordering::Relaxed, Ordering::Relaxed);
        }
        fault
    }

    /// The connection, unless what broke another has broken it too, or the server closed it or sent what nobody had asked for.
    fn still_good(&self, mut connected: Connected, deadline: Deadline) -> Option<Connected> {
        let is_current = connected.generation == self.generation.load(Ordering::Relaxed);
        (is_current && connected.connection.check_quiet(deadline).is_ok()).then_some(connected)
    }

    fn connect(&self, deadline: Deadline) -> Result<Connected, Fault> {
        self.time_left(deadline)?;
        let generation = self.generation.load(Ordering::Relaxed);
        let connecting = deadline.within(self.settings.options.connect_timeout);
        let credentials = match &self.login {
            Some(source) => {
                Some(source.credentials().map_err(|error| Fault::credentials(&self.settings.address, error))?)
            }
            None => None,
        };
        match Connection::open(&self.settings, credentials.as_ref(), connecting) {
            Ok(connection) => Ok(Connected { connection, generation, is_broken: false }),
            Err(error) => Err(Fault::connecting(&self.settings.address, error)),
        }
    }

    fn time_left(&self, deadline: Deadline) -> Result<Duration, Fault> {
        deadline.remaining().ok_or_else(|| Fault::deadline(&self.settings.address, deadline, Effect::None))
    }
}

impl r2d2::ManageConnection for Places {
    type Connection = Slot;
    type Error = Infallible;

    fn connect(&self) -> Result<Slot, Infallible> {
        Ok(Slot::default())
    }

    /// Not asked of the server: a ping would cost a round trip and prove nothing about the next command.
    fn is_valid(&self, _: &mut Slot) -> Result<(), Infallible> {
        Ok(())
    }

    /// An empty place is as good as a new one.
    fn has_broken(&self, _: &mut Slot) -> bool {
        false
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("address", &self.settings.address).finish_non_exhaustive()
    }
}
