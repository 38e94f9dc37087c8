//! Several calls that are under way at once: which are still to be answered, and with which commands.

use std::borrow::Cow;

use redis::{Cmd, Value};

use super::command::Call;
use super::connection::fault::Fault;

/// Calls, and the replies that have come to them.
pub(crate) struct Round<'a> {
    calls: &'a [Call],
    replies: Vec<Option<Value>>,
    sends_source: bool,
}

impl<'a> Round<'a> {
    pub(crate) fn new(calls: &'a [Call]) -> Self {
        Self { calls, replies: calls.iter().map(|_| None).collect(), sends_source: false }
    }

    /// From now on, sends the source of a script that the server did not know: once in each round trip, since the server
    /// executes commands in their order.
    pub(crate) fn send_source(&mut self) {
        self.sends_source = true;
    }

    /// The commands of the calls that have no reply yet; none if all have.
    pub(crate) fn commands(&self) -> Vec<Cow<'a, Cmd>> {
        let mut sent: Vec<&str> = Vec::new();
        let command = |(_, call): (usize, &'a Call)| {
            let hash = call.script_hash().filter(|hash| self.sends_source && !sent.contains(hash));
            sent.extend(hash);
            call.command(hash.is_some())
        };
        self.unanswered().map(command).collect()
    }

    /// Takes what the server answered to these commands; the first call that failed, and why.
    pub(crate) fn take(&mut self, answers: Vec<Result<Value, Fault>>) -> Option<(&'a Call, Fault)> {
        let asked: Vec<(usize, &Call)> = self.unanswered().collect();
        let mut failed = None;
        for ((place, call), answer) in asked.into_iter().zip(answers) {
            match (answer, self.replies.get_mut(place)) {
                (Ok(value), Some(reply)) => *reply = Some(value),
                (Err(fault), _) if failed.is_none() => failed = Some((call, fault)),
                _ => {}
            }
        }
        failed
    }

    /// The replies, in the order of the calls.
    pub(crate) fn finish(self) -> Vec<Value> {
        self.replies.into_iter().flatten().collect()
    }

    fn unanswered(&self) -> impl Iterator<Item = (usize, &'a Call)> {
        self.calls.iter().enumerate().zip(&self.replies).filter(|(_, reply)| reply.is_none()).map(|(call, _)| call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::RedisOptions;

    fn fault(line: &str) -> Fault {
        let error = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).and_then(Value::extract_error);
        Fault::command("here", error.unwrap_err())
    }

    fn names(round: &Round<'_>) -> Vec<String> {
        let name = |command: &Cow<'_, Cmd>| match command.args_iter().next() {
            Some(redis::Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => String::new(),
        };
        round.commands().iter().map(name).collect()
    }

    #[test]
    fn only_what_failed_is_sent_again_and_the_source_of_a_script_once() {
        let options = RedisOptions { partitions: 3, ..Default::default() };
        let settings = options.check("redis://h").unwrap();
        let script = || Call::lay_out(&settings, 0);
        let calls = [Call::partition_layout(&settings, 0), script(), script(), Call::time()];
        let mut round = Round::new(&calls);
        assert_eq!(names(&round), ["GETRANGE", "EVALSHA", "EVALSHA", "TIME"]);

        let unknown = || Err(fault("NOSCRIPT No matching script"));
        let (call, fault) = round.take(vec![Ok(Value::Int(1)), unknown(), unknown(), Ok(Value::Int(4))]).unwrap();
        assert!(std::ptr::eq(call, &raw const calls[1]) && fault.effect == crate::redis::Effect::None);
        round.send_source();
        assert_eq!(names(&round), ["EVAL", "EVALSHA"]);

        assert!(round.take(vec![Ok(Value::Int(2)), Ok(Value::Int(3))]).is_none());
        assert!(names(&round).is_empty());
        assert_eq!(round.finish(), [1, 2, 3, 4].map(Value::Int));
    }
}
