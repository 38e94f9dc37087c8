//! The calls of one connection in their order, without I/O: which wait to be sent, which for their reply, and what becomes of
//! them when the connection ends.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use futures_channel::oneshot;
use redis::{RedisError, RedisResult, Value};

/// What is sent at once. One command that is longer is sent whole.
const MAX_BATCH_BYTES: usize = 64 * 1024;

pub(super) type Answer = Result<Value, Failure>;

/// Why a call was not answered.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// No server has got the whole command, so none has executed it.
    NotSent(RedisError),
    /// The command was sent.
    Sent(RedisError),
}

/// What callers and the connection's task share. Never locked while anything is waited for.
#[derive(Default)]
pub(super) struct Calls(Mutex<State>);

#[derive(Default)]
struct State {
    next_number: u64,
    unsent: VecDeque<Unsent>,
    sent: VecDeque<Sent>,
    /// Bytes that were handed over to be sent, and of these, those that the system has taken.
    packed_bytes: u64,
    sent_bytes: u64,
    /// Why no call is taken any more.
    ended: Option<RedisError>,
    /// Wakes the task that sends and receives.
    task: Option<Waker>,
}

struct Unsent {
    number: u64,
    command: Vec<u8>,
    replies: Replies,
    caller: oneshot::Sender<Answer>,
}

/// A call whose command is `from..to` of all bytes.
struct Sent {
    from: u64,
    to: u64,
    replies: Replies,
    caller: oneshot::Sender<Answer>,
}

/// What answers a call.
enum Replies {
    One,
    /// To several commands: a list, complete when none is left.
    Several {
        left: usize,
        come: Vec<Value>,
    },
}

/// A call's place among the others, by which it can be taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(u64);

/// What there is to do for the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// The connection has ended, or nobody can make a call any more.
    Stop,
    /// Commands wait to be sent. Whether replies are awaited meanwhile.
    Send { awaits_replies: bool },
    /// Nothing is to be sent.
    Wait,
}

impl Calls {
    /// Adds a call behind the others.
    pub(super) fn add(&self, command: Vec<u8>) -> Result<(Place, oneshot::Receiver<Answer>), Failure> {
        self.add_any(command, Replies::One)
    }

    /// The same for so many commands at once. The list of their replies answers the call, errors of the server among them.
    pub(super) fn add_all(
        &self,
        commands: Vec<u8>,
        count: usize,
    ) -> Result<(Place, oneshot::Receiver<Answer>), Failure> {
        self.add_any(commands, Replies::Several { left: count, come: Vec::with_capacity(count) })
    }

    fn add_any(&self, command: Vec<u8>, replies: Replies) -> Result<(Place, oneshot::Receiver<Answer>), Failure> {
        let mut state = self.state();
        if let Some(why) = &state.ended {
            return Err(Failure::NotSent(why.clone()));
        }
        let number = state.next_number;
        state.next_number = number.wrapping_add(1);
        let (caller, answer) = oneshot::channel();
        state.unsent.push_back(Unsent { number, command, replies, caller });
        let task = state.task.take();
        drop(state);
        task.into_iter().for_each(Waker::wake);
        Ok((Place(number), answer))
    }

    /// Takes a call back, if its command has not been handed over yet; whether that is so.
    pub(super) fn take_back(&self, place: Place) -> bool {
        let mut state = self.state();
        match state.unsent.binary_search_by_key(&place.0, |call| call.number) {
            Ok(index) => state.unsent.remove(index).is_some(),
            Err(_) => false,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended.is_some()
    }

    /// What the task is to do, which is woken when that changes.
    pub(super) fn work(&self, context: &Context<'_>) -> Work {
        let mut state = self.state();
        if state.ended.is_some() {
            return Work::Stop;
        }
        state.task = Some(context.waker().clone());
        if state.unsent.is_empty() { Work::Wait } else { Work::Send { awaits_replies: !state.sent.is_empty() } }
    }

    /// Adds the commands that come next to `batch`, and has their callers wait for replies.
    pub(super) fn next_batch(&self, batch: &mut Vec<u8>) {
        let state = &mut *self.state();
        while let Some(next) = state.unsent.front() {
            if !batch.is_empty() && batch.len().saturating_add(next.command.len()) > MAX_BATCH_BYTES {
                break;
            }
            let Some(call) = state.unsent.pop_front() else { break };
            let from = state.packed_bytes;
            state.packed_bytes = from.saturating_add(u64::try_from(call.command.len()).unwrap_or(u64::MAX));
            batch.extend_from_slice(&call.command);
            let (to, replies) = (state.packed_bytes, call.replies);
            state.sent.push_back(Sent { from, to, replies, caller: call.caller });
        }
    }

    /// The system has taken so many more bytes.
    pub(super) fn has_taken(&self, bytes: usize) {
        let mut state = self.state();
        state.sent_bytes = state.sent_bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// How many replies the call that is next still waits for, at least one.
    pub(super) fn replies_awaited(&self) -> usize {
        match self.state().sent.front().map(|call| &call.replies) {
            Some(Replies::Several { left, .. }) => *left,
            _ => 1,
        }
    }

    /// Gives a reply to the call that is next: whether that call is answered now. The reply comes back if no call of which
    /// anything was sent waits for one.
    pub(super) fn answer(&self, mut reply: RedisResult<Value>) -> Result<bool, RedisResult<Value>> {
        let mut state = self.state();
        let sent_bytes = state.sent_bytes;
        let Some(call) = state.sent.front_mut().filter(|call| call.from < sent_bytes) else { return Err(reply) };
        if let Replies::Several { left, come } = &mut call.replies {
            *left = left.saturating_sub(1);
            reply = match reply {
                Ok(value) => {
                    come.push(value);
                    if *left > 0 {
                        return Ok(false);
                    }
                    Ok(Value::Array(std::mem::take(come)))
                }
                error => error,
            };
        }
        let Some(call) = state.sent.pop_front() else { return Err(reply) };
        drop(state);
        // A caller who has gone needs no reply.
        drop(call.caller.send(reply.map_err(Failure::Sent)));
        Ok(true)
    }

    /// Ends the connection: every call that is under way fails, and so does every later one. The first reason stays.
    pub(super) fn end(&self, why: &RedisError) {
        let mut state = self.state();
        state.ended.get_or_insert_with(|| why.clone());
        let (unsent, sent) = (std::mem::take(&mut state.unsent), std::mem::take(&mut state.sent));
        let (sent_bytes, task) = (state.sent_bytes, state.task.take());
        drop(state);
        for call in sent {
            let is_whole = call.to <= sent_bytes;
            let failure = if is_whole { Failure::Sent(why.clone()) } else { Failure::NotSent(why.clone()) };
            drop(call.caller.send(Err(failure)));
        }
        for call in unsent {
            drop(call.caller.send(Err(Failure::NotSent(why.clone()))));
        }
        task.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody panics with it, and what is in it would be whole all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn ended() -> RedisError {
        io::Error::from(io::ErrorKind::UnexpectedEof).into()
    }

    fn outcome(receiver: &mut oneshot::Receiver<Answer>) -> Option<Answer> {
        receiver.try_recv().unwrap()
    }

    #[test]
    fn only_a_command_that_was_sent_whole_may_have_been_executed() {
        let calls = Calls::default();
        let mut answers: Vec<_> =
            ["first", "second", "third"].map(|command| calls.add(command.into()).unwrap().1).into_iter().collect();
        let mut batch = Vec::new();
        calls.next_batch(&mut batch);
        assert_eq!(batch, b"firstsecondthird");
        calls.has_taken(8);
        let (_, mut late) = calls.add(b"late".to_vec()).unwrap();
        calls.end(&ended());
        answers.push(std::mem::replace(&mut late, oneshot::channel().1));
        let outcomes: Vec<_> = answers.iter_mut().map(|answer| outcome(answer).unwrap().unwrap_err()).collect();
        let is_sent: Vec<_> = outcomes.iter().map(|failure| matches!(failure, Failure::Sent(_))).collect();
        assert_eq!(is_sent, [true, false, false, false]);
        assert!(matches!(calls.add(b"later".to_vec()), Err(Failure::NotSent(_))));
        assert!(calls.has_ended());
    }

    #[test]
    fn replies_go_to_the_calls_in_their_order_and_none_to_one_that_was_not_sent() {
        let calls = Calls::default();
        let (_, mut first) = calls.add(b"1".to_vec()).unwrap();
        assert!(calls.answer(Ok(Value::Int(0))).is_err(), "nothing was asked yet");
        let mut batch = Vec::new();
        calls.next_batch(&mut batch);
        assert!(calls.answer(Ok(Value::Int(0))).is_err(), "nothing was sent yet");
        calls.has_taken(1);
        calls.answer(Ok(Value::Int(1))).unwrap();
        assert!(matches!(outcome(&mut first), Some(Ok(Value::Int(1)))));
        assert!(calls.answer(Ok(Value::Int(2))).is_err(), "it was answered");
    }

    #[test]
    fn a_call_of_several_commands_is_answered_by_all_their_replies() {
        let calls = Calls::default();
        let (_, mut several) = calls.add_all(b"123".to_vec(), 3).unwrap();
        let (_, mut single) = calls.add(b"4".to_vec()).unwrap();
        calls.next_batch(&mut Vec::new());
        // Replies to the first commands may come before the last are sent.
        calls.has_taken(1);
        assert_eq!(calls.replies_awaited(), 3);
        assert!(!calls.answer(Ok(Value::Int(1))).unwrap());
        calls.has_taken(3);
        assert!(!calls.answer(Ok(Value::Nil)).unwrap());
        assert!(outcome(&mut several).is_none());
        assert_eq!(calls.replies_awaited(), 1);
        assert!(calls.answer(Ok(Value::Int(3))).unwrap());
        assert!(calls.answer(Ok(Value::Int(4))).unwrap());
        let expected = Value::Array(vec![Value::Int(1), Value::Nil, Value::Int(3)]);
        assert!(matches!(outcome(&mut several), Some(Ok(found)) if found == expected));
        assert!(matches!(outcome(&mut single), Some(Ok(Value::Int(4)))));
    }

    #[test]
    fn a_call_of_several_commands_fails_as_a_whole() {
        let calls = Calls::default();
        let (_, mut several) = calls.add_all(b"123".to_vec(), 3).unwrap();
        let (_, mut unsent) = calls.add_all(b"45".to_vec(), 2).unwrap();
        calls.next_batch(&mut Vec::new());
        calls.has_taken(4);
        assert!(!calls.answer(Ok(Value::Int(1))).unwrap());
        calls.end(&ended());
        assert!(matches!(outcome(&mut several), Some(Err(Failure::Sent(_)))));
        assert!(matches!(outcome(&mut unsent), Some(Err(Failure::NotSent(_)))));
    }

    #[test]
    fn a_call_is_taken_back_only_before_it_is_handed_over() {
        let calls = Calls::default();
        let (first, _) = calls.add(b"1".to_vec()).unwrap();
        let (second, _) = calls.add(b"2".to_vec()).unwrap();
        let (third, _) = calls.add(b"3".to_vec()).unwrap();
        assert!(calls.take_back(second) && !calls.take_back(second));
        let mut batch = Vec::new();
        calls.next_batch(&mut batch);
        assert_eq!(batch, b"13");
        assert!(!calls.take_back(first) && !calls.take_back(third));
    }

    #[test]
    fn a_batch_is_bounded_and_a_long_command_goes_whole() {
        let calls = Calls::default();
        let _answers: Vec<_> = [MAX_BATCH_BYTES + 1, 10, MAX_BATCH_BYTES - 10, 1]
            .map(|length| calls.add(vec![0; length]).unwrap())
            .into_iter()
            .collect();
        for expected in [MAX_BATCH_BYTES + 1, MAX_BATCH_BYTES, 1, 0] {
            let mut batch = Vec::new();
            calls.next_batch(&mut batch);
            assert_eq!(batch.len(), expected);
        }
    }
}
