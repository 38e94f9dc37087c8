//! Sends commands over a pool of connections that notices by itself when one is no longer good.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ConnectionLike as _, RedisError, Value};

use crate::deadline::Deadline;
use crate::error::Result;
use crate::redis::{Effect, Fault, Settings};

/// A pool of connections; clones share it.
#[derive(Clone)]
pub(super) struct Driver {
    pool: r2d2::Pool<Connector>,
    address: Arc<str>,
}

struct Connector {
    client: redis::Client,
    connect_timeout: Duration,
}

/// A connection, and whether it may be used again.
struct Connection {
    connection: redis::Connection,
    is_broken: bool,
}

/// Waits.
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

impl Driver {
    /// Makes no connection yet.
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let client = settings.client()?;
        let pool = r2d2::Pool::builder()
            .max_size(settings.pool_size)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(settings.connect_timeout)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Connector { client, connect_timeout: settings.connect_timeout });
        Ok(Self { pool, address: settings.address.as_str().into() })
    }

    /// Sends one command and waits for its reply, until the deadline.
    pub(super) fn run(&self, command: &Cmd, deadline: Deadline) -> Result<Value, Fault> {
        let time_left = || deadline.remaining().ok_or_else(|| Fault::deadline(&self.address, deadline, Effect::None));
        let mut pooled = self
            .pool
            .get_timeout(time_left()?)
            .map_err(|error| Fault::no_connection(&self.address, deadline, &error.to_string()))?;
        let remaining = Some(time_left()?);
        let Connection { connection, is_broken } = &mut *pooled;
        let outcome = connection
            .set_read_timeout(remaining)
            .and_then(|()| connection.set_write_timeout(remaining))
            .and_then(|()| connection.req_command(command))
            .and_then(Value::extract_error);
        outcome.map_err(|error| {
            let fault = Fault::command(&self.address, error);
            *is_broken |= fault.breaks_connection;
            fault
        })
    }
}

impl r2d2::ManageConnection for Connector {
    type Connection = Connection;
    type Error = RedisError;

    fn connect(&self) -> Result<Connection, RedisError> {
        let connection = self.client.get_connection_with_timeout(self.connect_timeout)?;
        Ok(Connection { connection, is_broken: false })
    }

    /// Not asked of the server: a ping would cost a round trip and prove nothing about the next command.
    fn is_valid(&self, _: &mut Connection) -> Result<(), RedisError> {
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.is_broken || !connection.connection.is_open()
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("address", &self.address).finish_non_exhaustive()
    }
}
