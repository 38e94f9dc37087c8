//! A connection to the server: logged in, one command at a time.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::time::Instant;

use redis::{Cmd, RedisError, RedisResult, Value};

use super::redis_reply::Replies;
use super::redis_stream::Stream;
use crate::redis::{Credentials, ServerClock, Settings, ask_time, greetings};
use crate::service::deadline::Deadline;

/// What a connection keeps of the room that its longest command took.
const MAX_KEPT: usize = 64 * 1024;

pub(super) struct Connection {
    stream: Stream,
    sending: Vec<u8>,
    replies: Replies,
}

/// Why a command was not answered.
pub(super) enum Failure {
    /// No server has got the whole command, so none has executed it.
    NotSent(RedisError),
    /// The command was sent.
    Sent(RedisError),
}

impl Connection {
    /// Connects, logs in and chooses the database.
    pub(super) fn open(
        settings: &Settings,
        credentials: Option<&Credentials>,
        deadline: Deadline,
    ) -> RedisResult<Self> {
        let stream = Stream::connect(settings, deadline)?;
        let mut connection = Self { stream, sending: Vec::new(), replies: Replies::new(settings.reply_limit()) };
        for greeting in greetings(credentials, settings.database(), settings.peer) {
            let sent = Instant::now();
            let answer = connection.run(&greeting.command, deadline, None);
            let answer = answer.map_err(|failure| match failure {
                Failure::NotSent(error) | Failure::Sent(error) => error,
            });
            greeting.answered(sent, answer, &settings.clock)?;
        }
        connection.check_quiet(deadline)?;
        Ok(connection)
    }

    /// Sends one command and reads its reply; before it, in the same round trip, the question for the server's time, where a
    /// clock is to learn that. After an I/O or a parse error the connection must not be used again.
    pub(super) fn run(
        &mut self,
        command: &Cmd,
        deadline: Deadline,
        clock: Option<&ServerClock>,
    ) -> Result<Value, Failure> {
        self.send(std::iter::once(command), deadline, clock)?;
        self.replies.read(&mut self.stream).and_then(Value::extract_error).map_err(Failure::Sent)
    }

    /// Sends these commands at once. Their replies are then to be read by [`read_all`](Self::read_all). After an error the
    /// connection must not be used again.
    pub(super) fn send_all(
        &mut self,
        commands: &[Cow<'_, Cmd>],
        deadline: Deadline,
        clock: Option<&ServerClock>,
    ) -> Result<(), Failure> {
        self.send(commands.iter().map(|command| &**command), deadline, clock)
    }

    /// Reads the replies to so many commands that were sent at once, which together have the limit of as many. After an I/O or
    /// a parse error the connection must not be used again.
    pub(super) fn read_all(&mut self, commands: usize) -> Result<Vec<RedisResult<Value>>, Failure> {
        let replies = self.replies.read_all(commands, &mut self.stream).map_err(Failure::Sent)?;
        Ok(replies.into_iter().map(Value::extract_error).collect())
    }

    /// Sends commands; before them the question for the server's time, where a clock is to learn that, whose reply it reads.
    fn send<'a>(
        &mut self,
        commands: impl Iterator<Item = &'a Cmd>,
        deadline: Deadline,
        clock: Option<&ServerClock>,
    ) -> Result<(), Failure> {
        self.stream.set_deadline(deadline);
        self.sending.clear();
        self.sending.shrink_to(MAX_KEPT);
        if clock.is_some() {
            ask_time().write_packed_command(&mut self.sending);
        }
        commands.for_each(|command| command.write_packed_command(&mut self.sending));
        let asked = Instant::now();
        let sent = self.stream.write_all(&self.sending).and_then(|()| self.stream.flush());
        if let Err(error) = sent {
            let is_whole = self.stream.may_have_sent_all();
            // A server that closes a connection without looking at what is sent may have said why.
            return match self.replies.read(&mut self.stream) {
                Ok(Value::ServerError(why)) => Err(Failure::NotSent(why.into())),
                _ if is_whole => Err(Failure::Sent(error.into())),
                _ => Err(Failure::NotSent(error.into())),
            };
        }
        if let Some(clock) = clock {
            let time = self.replies.read(&mut self.stream).map_err(Failure::Sent)?;
            // Rejected, it is asked for again later, and by the next connection; what was asked for beside is not kept back.
            drop(clock.learn(asked, Instant::now(), &time));
        }
        Ok(())
    }

    /// Before a command is sent: the connection has not been closed, and nothing has come that would be taken for the reply.
    /// Waits for nothing. After an error the connection must not be used again.
    pub(super) fn check_quiet(&mut self, deadline: Deadline) -> RedisResult<()> {
        self.stream.set_deadline(deadline);
        if self.replies.has_surplus() || self.stream.has_arrived()? {
            let problem = "the server closed the connection, or sent what nobody had asked for";
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, problem).into());
        }
        Ok(())
    }

    /// Whether more came than was asked for.
    pub(super) fn has_surplus(&self) -> bool {
        self.replies.has_surplus()
    }
}
