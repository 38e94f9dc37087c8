//! A connection that many calls share: each is sent when it comes, and answered in its turn.
//!
//! The socket belongs to a task of the runtime that made it. When that task ends, be it that the server closed the connection or
//! that the runtime is gone, every call learns so at once, and whether its command was sent.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use redis::{RedisError, RedisResult, Value};

use super::redis_calls::{Answer, Calls, Failure, Place, Work};
use super::redis_stream::Stream;
use crate::redis::{IncomingReply, ReplyLimit, is_too_long, unasked, whole_reply};

/// What is read of a stream at once.
const AT_ONCE: usize = 16 * 1024;
/// What a connection keeps of the room that its longest batch of commands took.
const MAX_KEPT: usize = 64 * 1024;
/// After so many reads and writes one after another, others that share the thread get their turn.
const MAX_STEPS: usize = 32;

/// Makes calls; clones share the connection, which is closed when the last of them and of their calls is dropped.
#[derive(Clone)]
pub(super) struct Connection(Arc<Open>);

struct Open(Arc<Calls>);

/// A call that is under way: its answer, when it comes. Dropped before its command was sent, it is never sent.
pub(super) struct Call {
    connection: Connection,
    place: Place,
    answer: oneshot::Receiver<Answer>,
}

/// Sends and receives for a connection, for as long as it is polled.
pub(super) struct Driving {
    calls: Arc<Calls>,
    stream: Stream,
    limit: ReplyLimit,
    incoming: IncomingReply,
    /// Whether the next reply is the first to a call, so that the limit of its replies is yet to be set.
    is_between: bool,
    received: Box<[u8]>,
    batch: Vec<u8>,
    /// How many bytes of the batch the system has taken.
    taken: usize,
}

impl Connection {
    /// A connection over this stream, and what has to be polled for it to work.
    pub(super) fn over(stream: Stream, limit: ReplyLimit) -> (Self, Driving) {
        let calls = Arc::new(Calls::default());
        let driving = Driving {
            calls: Arc::clone(&calls),
            stream,
            limit,
            incoming: IncomingReply::new(limit),
            is_between: true,
            received: vec![0; AT_ONCE].into(),
            batch: Vec::new(),
            taken: 0,
        };
        (Self(Arc::new(Open(calls))), driving)
    }

    /// Sends a command behind those of other calls.
    pub(super) fn call(&self, command: Vec<u8>) -> Result<Call, Failure> {
        let (place, answer) = self.0.0.add(command)?;
        Ok(Call { connection: self.clone(), place, answer })
    }

    /// Sends so many commands at once; the list of their replies answers the call.
    pub(super) fn call_all(&self, commands: Vec<u8>, count: usize) -> Result<Call, Failure> {
        let (place, answer) = self.0.0.add_all(commands, count)?;
        Ok(Call { connection: self.clone(), place, answer })
    }

    /// Whether it takes no call any more.
    pub(super) fn has_ended(&self) -> bool {
        self.0.0.has_ended()
    }
}

impl Call {
    /// Gives it up, and says whether it was sent.
    pub(super) fn was_sent(&self) -> bool {
        !self.connection.0.0.take_back(self.place)
    }
}

impl Future for Call {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        // Every call is answered before it is forgotten.
        let answer = Pin::new(&mut self.answer).poll(context);
        answer.map(|answer| answer.unwrap_or_else(|_| Err(Failure::Sent(closed()))))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.connection.0.0.take_back(self.place);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.end(&closed());
    }
}

impl Driving {
    /// Reads and writes what there is; ready when neither will ever be possible again.
    fn drive(&mut self, context: &mut Context<'_>) -> Poll<RedisError> {
        for _ in 0..MAX_STEPS {
            let work = self.calls.work(context);
            if work == Work::Stop {
                return Poll::Ready(closed());
            }
            // Both directions at each turn: a server that waits to be read from reads nothing itself.
            let steps = self.read(context).and_then(|read| Ok((read, self.write(context, work)?)));
            match steps {
                Ok((Poll::Pending, Poll::Pending)) => return Poll::Pending,
                Ok(_) => {}
                Err(why) => return Poll::Ready(why),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn read(&mut self, context: &mut Context<'_>) -> RedisResult<Poll<()>> {
        match self.stream.poll_read(context, &mut self.received)? {
            Poll::Ready(count) => self.take_in(count).map(Poll::Ready),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    fn write(&mut self, context: &mut Context<'_>, work: Work) -> RedisResult<Poll<()>> {
        if let Work::Send { awaits_replies } = work
            && self.batch.is_empty()
        {
            if !awaits_replies {
                self.check_quiet()?;
            }
            self.calls.next_batch(&mut self.batch);
        }
        let Some(rest) = self.batch.get(self.taken..).filter(|rest| !rest.is_empty()) else {
            // What is flushed is no step: there is nothing to go on with.
            let _flushed = self.stream.poll_flush(context)?;
            return Ok(Poll::Pending);
        };
        match self.stream.poll_write(context, rest)? {
            Poll::Ready(0) => Err(io::Error::from(io::ErrorKind::WriteZero).into()),
            Poll::Ready(count) => {
                self.calls.has_taken(count);
                self.taken = self.taken.saturating_add(count);
                if self.taken >= self.batch.len() {
                    self.batch.clear();
                    self.batch.shrink_to(MAX_KEPT);
                    self.taken = 0;
                }
                Ok(Poll::Ready(()))
            }
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    /// Before a command is sent while none waits for a reply: the connection has not been closed, and nothing has come that
    /// would be taken for the reply.
    fn check_quiet(&mut self) -> RedisResult<()> {
        match self.stream.read_arrived(&mut self.received) {
            // Where it is no whole reply, the reply to the next command would be taken for the rest of it.
            Ok(count) => self.take_in(count).and_then(|()| Err(unasked(Ok(Value::Nil)))),
            Err(_) if self.incoming.has_begun() => Err(unasked(Ok(Value::Nil))),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes in so many bytes that were received, and gives each reply that ends with one of them to its call.
    fn take_in(&mut self, count: usize) -> RedisResult<()> {
        let mut rest = self.received.get(..count).filter(|received| !received.is_empty()).ok_or_else(closed)?;
        while !rest.is_empty() {
            let whole = if self.incoming.has_begun() { None } else { whole_reply(rest) };
            if let Some(reply) = whole {
                self.is_between = self.calls.answer(Ok(reply)).map_err(unasked)?;
                return Ok(());
            }
            if std::mem::take(&mut self.is_between) {
                self.incoming = IncomingReply::new(self.limit.of_replies(self.calls.replies_awaited()));
            }
            let (end, reply) = match self.incoming.advance(rest) {
                Ok(Some(ended)) => ended,
                Ok(None) => return Ok(()),
                Err(error) => {
                    // Also of a reply that is too long nothing is held while its call is answered.
                    self.incoming = IncomingReply::new(self.limit);
                    if !is_too_long(&error) {
                        return Err(error);
                    }
                    // The calls after it do not learn what is wrong with this reply.
                    self.calls.answer(Err(error)).map_err(unasked)?;
                    return Err(closed());
                }
            };
            self.is_between = self.calls.answer(Ok(reply)).map_err(unasked)?;
            rest = rest.get(end..).unwrap_or_default();
        }
        Ok(())
    }
}

impl Future for Driving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.drive(context).map(|why| self.calls.end(&why))
    }
}

/// However it ends, with its runtime for one: nobody waits for it any longer.
impl Drop for Driving {
    fn drop(&mut self) {
        self.calls.end(&closed());
    }
}

fn closed() -> RedisError {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed").into()
}
