//! Sends commands over a pool of connections that notices by itself when one is no longer good.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::{Cmd, Value};
use scheduled_thread_pool::ScheduledThreadPool;

use super::credential_source::CredentialSource;
use super::redis_connection::{Connection, Failure};
pub(super) use super::redis_reply::recycle;
use crate::error::Result;
use crate::redis::{Confirmation, Durability, Effect, Fault, ServerClock, Settings, asking, has_written};
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

/// A connection out of its place, for as long as its state is not known.
struct Taken {
    place: r2d2::PooledConnection<Places>,
    connected: Connected,
}

/// Commands that were sent at once, and whose replies are still to be read.
pub(super) struct InFlight {
    driver: Driver,
    taken: Taken,
    commands: usize,
}

/// The answers to commands that were sent at once. The first fault concerns them all, the others one command each.
pub(super) type Answers = Result<Vec<Result<Value, Fault>>, Fault>;

/// Lets go of connections that nobody uses, for all pools: a cluster has one for each node, and each would have three threads.
static REAPER: LazyLock<Arc<ScheduledThreadPool>> = LazyLock::new(|| Arc::new(ScheduledThreadPool::new(1)));

pub(super) use super::timer::pause;

/// Sends each server its commands, and then reads the replies of all, so that the servers work at the same time. The servers
/// are in an order that all callers keep, so that none waits for a connection that another holds who waits for its own.
pub(super) fn run_at_once(batches: &[(Driver, &[Cow<'_, Cmd>])], deadline: Deadline) -> Vec<Answers> {
    let begun: Vec<_> = batches.iter().map(|(driver, commands)| driver.begin_all(commands, deadline)).collect();
    begun.into_iter().map(|begun| begun?.finish()).collect()
}

impl Taken {
    fn put_back(mut self) {
        if !self.connected.is_broken {
            self.place.connected = Some(self.connected);
        }
    }
}

impl InFlight {
    fn finish(mut self) -> Answers {
        let Self { driver, taken, commands } = &mut self;
        let connected = &mut taken.connected;
        let replies = connected.connection.read_all(*commands);
        connected.is_broken |= connected.connection.has_surplus();
        let replies = match replies {
            Ok(replies) => replies,
            Err(failure) => return Err(driver.failed(connected, failure)),
        };
        let fault = |connected: &mut Connected, error| driver.failed(connected, Failure::Sent(error));
        let answers = replies.into_iter().map(|reply| reply.map_err(|error| fault(connected, error))).collect();
        self.taken.put_back();
        Ok(answers)
    }
}

impl Driver {
    /// Makes no connection yet.
    pub(super) fn new(settings: &Arc<Settings>, login: Option<Arc<dyn CredentialSource>>) -> Self {
        let pool = r2d2::Pool::builder()
            .thread_pool(Arc::clone(&REAPER))
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
    pub(super) fn run_all(&self, commands: &[Cow<'_, Cmd>], deadline: Deadline) -> Answers {
        self.begin_all(commands, deadline)?.finish()
    }

    /// Sends these commands at once, and reads no reply yet.
    pub(super) fn begin_all(&self, commands: &[Cow<'_, Cmd>], deadline: Deadline) -> Result<InFlight, Fault> {
        let mut taken = self.take_connection(deadline)?;
        match self.send_all(&mut taken.connected, commands, deadline) {
            Ok(()) => Ok(InFlight { driver: self.clone(), taken, commands: commands.len() }),
            Err(fault) => {
                taken.put_back();
                Err(fault)
            }
        }
    }

    fn send_all(&self, connected: &mut Connected, commands: &[Cow<'_, Cmd>], deadline: Deadline) -> Result<(), Fault> {
        self.time_left(deadline)?;
        let clock = &*self.settings.clock;
        let sent = connected.connection.send_all(commands, deadline, clock.asks().then_some(clock));
        sent.map_err(|failure| self.failed(connected, failure))
    }

    /// Sends one command, after ASKING if `is_asking`. If it has written something and that is to be waited for, waits on the
    /// same connection for its confirmation, for as long as it takes or there is time left behind the answer.
    pub(super) fn run_and_wait(
        &self,
        command: &Cmd,
        is_asking: bool,
        durability: Durability,
        deadline: Deadline,
    ) -> Result<(Value, Option<Confirmation>), Fault> {
        self.with_connection(deadline, |connected| {
            if is_asking {
                self.ask(connected, &asking(), deadline)?;
            }
            let answer = self.ask(connected, command, deadline)?;
            let is_to_confirm = durability.waits() && has_written(&answer);
            Ok((answer, is_to_confirm.then(|| self.confirm(connected, durability, deadline))))
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
        let mut place = self.place(deadline)?;
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

    fn take_connection(&self, deadline: Deadline) -> Result<Taken, Fault> {
        let mut place = self.place(deadline)?;
        let connected = match place.connected.take().and_then(|connected| self.still_good(connected, deadline)) {
            Some(connected) => connected,
            None => self.connect(deadline)?,
        };
        Ok(Taken { place, connected })
    }

    #[inline]
    fn place(&self, deadline: Deadline) -> Result<r2d2::PooledConnection<Places>, Fault> {
        match self.pool.try_get() {
            Some(place) => Ok(place),
            None => self
                .pool
                .get_timeout(self.time_left(deadline)?)
                .map_err(|_| Fault::no_connection(&self.settings.address, deadline, "all of the pool are in use")),
        }
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
