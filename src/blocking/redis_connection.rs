//! A connection to the server: logged in, one command at a time.

use std::io::Write as _;
use std::time::Instant;

use redis::{Cmd, RedisResult, Value};

use super::redis_reply::Replies;
use super::redis_stream::Stream;
use crate::deadline::Deadline;
use crate::redis::{ServerClock, Settings, ask_time, greetings};

/// What a connection keeps of the room that its longest command or reply took.
pub(super) const MOST_KEPT: usize = 64 * 1024;

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
        for greeting in greetings(settings.connection.redis_settings()) {
            let sent = Instant::now();
            let answer = connection.run(&greeting.command, deadline, None);
            greeting.answered(sent, answer, &settings.clock)?;
        }
        Ok(connection)
    }

    /// Sends one command and reads its reply; before it, in the same round trip, the question for the server's time, where a
    /// clock is to learn that. After an I/O or a parse error the connection must not be used again.
    pub(super) fn run(&mut self, command: &Cmd, deadline: Deadline, clock: Option<&ServerClock>) -> RedisResult<Value> {
        self.stream.set_deadline(deadline);
        self.sending.clear();
        self.sending.shrink_to(MOST_KEPT);
        if clock.is_some() {
            ask_time().write_packed_command(&mut self.sending);
        }
        command.write_packed_command(&mut self.sending);
        let asked = Instant::now();
        let sent = self.stream.write_all(&self.sending).and_then(|()| self.stream.flush());
        let mut reply = self.replies.read(&mut self.stream);
        if let (Ok(()), Some(clock), Ok(time)) = (&sent, clock, &reply) {
            // Refused, it is asked for again later, and by the next connection; what was asked for beside is not kept back.
            drop(clock.learn(asked, Instant::now(), time));
            reply = self.replies.read_next(&mut self.stream);
        }
        match (sent, reply) {
            (Ok(()), reply) => reply?.extract_error(),
            // A server that closes a connection without looking at what is sent may have said why.
            (Err(_), Ok(Value::ServerError(why))) => Err(why.into()),
            (Err(error), _) => Err(error.into()),
        }
    }
}
