//! A connection to the server: logged in, one command at a time.

use std::io::Write as _;

use redis::{Cmd, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, Value};

use super::redis_reply::Replies;
use super::redis_stream::Stream;
use crate::deadline::Deadline;
use crate::redis::Settings;

/// What a connection keeps of the room that its longest command took.
const MOST_KEPT: usize = 64 * 1024;

pub(super) struct Connection {
    stream: Stream,
    sending: Vec<u8>,
    replies: Replies,
}

impl Connection {
    /// Connects, logs in and chooses the database.
    pub(super) fn open(settings: &Settings, deadline: Deadline) -> RedisResult<Self> {
        let stream = Stream::connect(settings, deadline)?;
        let mut connection = Self { stream, sending: Vec::new(), replies: Replies::new() };
        connection.set_up(settings.connection.redis_settings(), deadline)?;
        Ok(connection)
    }

    /// Sends one command and reads its reply. After an I/O or a parse error the connection must not be used again.
    pub(super) fn run(&mut self, command: &Cmd, deadline: Deadline) -> RedisResult<Value> {
        self.stream.set_deadline(deadline);
        self.sending.clear();
        self.sending.shrink_to(MOST_KEPT);
        command.write_packed_command(&mut self.sending);
        self.stream.write_all(&self.sending)?;
        self.stream.flush()?;
        self.replies.read(&mut self.stream)?.extract_error()
    }

    fn set_up(&mut self, settings: &RedisConnectionInfo, deadline: Deadline) -> RedisResult<()> {
        if let Some(password) = settings.password() {
            let mut login = redis::cmd("AUTH");
            if let Some(username) = settings.username() {
                login.arg(username);
            }
            self.run(login.arg(password), deadline).map_err(refused_login)?;
        }
        if settings.db() != 0 {
            self.run(redis::cmd("SELECT").arg(settings.db()), deadline)?;
        }
        Ok(())
    }
}

/// Whatever the server says of a login, it is one that was refused.
fn refused_login(error: RedisError) -> RedisError {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => {
            // Not in the server's own words, which may repeat what was sent.
            let code = error.code().unwrap_or_default().to_owned();
            (ErrorKind::AuthenticationFailed, "the login was refused", code).into()
        }
        _ => error,
    }
}
