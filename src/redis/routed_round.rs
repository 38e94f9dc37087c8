//! Several calls to a cluster that are under way at once: which node each goes to, and what follows what the nodes answer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use redis::{Cmd, Value};

use super::command::{Call, Place};
use super::connection::fault::Fault;
use super::connection::greeting::asking;
use super::connection::retry::Attempts;
use super::reply::name_node;
use super::topology::{Failure, NodeAddress, Step};
use crate::error::StoreError;
use crate::service::deadline::Deadline;

/// Calls, the replies that have come to them, and where the others go next.
pub(crate) struct RoutedRound<'a> {
    calls: Vec<Routed<'a>>,
    /// Whether a call that ends with an error leaves the others under way.
    is_tolerant: bool,
}

struct Routed<'a> {
    call: &'a Call,
    reply: Option<Result<Value, StoreError>>,
    attempts: Attempts,
    with_source: bool,
    /// Where it goes, and whether after ASKING, if that is not to whom the map names.
    next: Option<(NodeAddress, bool)>,
}

/// The commands for one node.
pub(crate) struct Batch<'a> {
    pub(crate) node: NodeAddress,
    pub(crate) commands: Vec<Cow<'a, Cmd>>,
    /// The place of each call, and whether ASKING is before it.
    members: Vec<(usize, bool)>,
}

/// What to do before the calls without a reply are sent.
#[derive(Debug, Default)]
pub(crate) struct Delay {
    /// Whether the map is to be refreshed, by another node than this.
    pub(crate) refresh: Option<NodeAddress>,
    pub(crate) pause: Duration,
}

impl<'a> RoutedRound<'a> {
    pub(crate) fn new(calls: &'a [Call], deadline: Deadline) -> Self {
        let routed = |call: &'a Call| {
            let attempts = Attempts::new(deadline, call.writes);
            Routed { call, reply: None, attempts, with_source: false, next: None }
        };
        Self { calls: calls.iter().map(routed).collect(), is_tolerant: false }
    }

    /// The same round, in which each call has a result of its own.
    pub(crate) fn tolerant(self) -> Self {
        Self { is_tolerant: true, ..self }
    }

    pub(crate) const fn is_tolerant(&self) -> bool {
        self.is_tolerant
    }

    /// Whether the calls of a batch would go to its node again.
    pub(crate) fn is_for(&self, batch: &Batch<'_>, node_for: impl Fn(Place) -> Option<NodeAddress>) -> bool {
        let routed = |(place, _): &(usize, bool)| self.calls.get(*place);
        batch.members.iter().filter_map(routed).any(|routed| {
            let next = routed.next.clone().map(|(node, _)| node).or_else(|| node_for(routed.call.place));
            next.as_ref() == Some(&batch.node)
        })
    }

    /// Ends the calls of a batch, whose node does not answer.
    pub(crate) fn give_up(&mut self, batch: &Batch<'_>, fault: &Fault) {
        for (place, _) in &batch.members {
            if let Some(routed) = self.calls.get_mut(*place) {
                routed.reply = Some(Err(routed.attempts.ended(fault.again())));
            }
        }
    }

    /// The commands of the calls without a reply, in the order of the nodes' addresses; none if all have one. The source of a
    /// script is sent to a node once, since a node executes commands in their order.
    pub(crate) fn batches(&self, node_for: impl Fn(&Call) -> Option<NodeAddress>) -> Vec<Batch<'a>> {
        let mut batches: BTreeMap<NodeAddress, (Batch<'a>, Vec<&str>)> = BTreeMap::new();
        for (place, routed) in self.calls.iter().enumerate().filter(|(_, routed)| routed.reply.is_none()) {
            let next = routed.next.clone().or_else(|| node_for(routed.call).map(|node| (node, false)));
            let Some((node, is_asking)) = next else { continue };
            let new = || (Batch { node: node.clone(), commands: Vec::new(), members: Vec::new() }, Vec::new());
            let (batch, sources) = batches.entry(node.clone()).or_insert_with(new);
            let hash = routed.call.script_hash().filter(|hash| routed.with_source && !sources.contains(hash));
            sources.extend(hash);
            batch.commands.extend(is_asking.then(|| Cow::Owned(asking())));
            batch.commands.push(routed.call.command(hash.is_some()));
            batch.members.push((place, is_asking));
        }
        batches.into_values().map(|(batch, _)| batch).collect()
    }

    /// Takes what a node answered to these commands. `means` says what a fault means.
    ///
    /// # Errors
    /// The error of the first call that ends here.
    pub(crate) fn take(
        &mut self,
        batch: &Batch<'_>,
        answers: Result<Vec<Result<Value, Fault>>, Fault>,
        means: impl Fn(&Fault) -> Failure,
        delay: &mut Delay,
    ) -> Result<(), StoreError> {
        let mut answers = match answers {
            Ok(answers) => answers.into_iter(),
            Err(fault) => {
                let failure = means(&fault);
                for (place, is_asking) in &batch.members {
                    let Some(routed) = self.calls.get_mut(*place) else { continue };
                    if routed.follow(&failure, &fault, &batch.node, *is_asking, delay) {
                        continue;
                    }
                    let error = routed.attempts.ended(fault.again());
                    if !self.is_tolerant {
                        return Err(error);
                    }
                    routed.reply = Some(Err(error));
                }
                return Ok(());
            }
        };
        for (place, is_asking) in &batch.members {
            let asked = if *is_asking { answers.next() } else { None };
            let (Some(answer), Some(routed)) = (answers.next(), self.calls.get_mut(*place)) else { continue };
            let fault = match (asked, answer) {
                (Some(Err(fault)), _) | (_, Err(fault)) => fault,
                (_, Ok(mut value)) => {
                    name_node(&mut value, &batch.node);
                    routed.reply = Some(Ok(value));
                    continue;
                }
            };
            if !routed.follow(&means(&fault), &fault, &batch.node, *is_asking, delay) {
                let error = routed.call.locate(routed.attempts.ended(fault));
                if !self.is_tolerant {
                    return Err(error);
                }
                routed.reply = Some(Err(error));
            }
        }
        Ok(())
    }

    /// The replies, in the order of the calls.
    pub(crate) fn finish(self) -> Vec<Value> {
        self.calls.into_iter().filter_map(|routed| routed.reply?.ok()).collect()
    }

    /// The result of each call, in their order.
    pub(crate) fn results(self) -> Vec<Result<Value, StoreError>> {
        self.calls.into_iter().filter_map(|routed| routed.reply).collect()
    }
}

impl Routed<'_> {
    /// Whether the call goes on after this fault, which means this failure.
    fn follow(
        &mut self,
        failure: &Failure,
        fault: &Fault,
        node: &NodeAddress,
        is_asking: bool,
        delay: &mut Delay,
    ) -> bool {
        let Some(step) = self.attempts.step(failure, fault, fastrand::f64()) else { return false };
        (self.with_source, self.next) = (false, None);
        match step {
            Step::Send { to, is_asking } => self.next = Some((to, is_asking)),
            Step::SendSource => (self.with_source, self.next) = (true, Some((node.clone(), is_asking))),
            Step::Refresh(pause) => {
                delay.refresh.get_or_insert_with(|| node.clone());
                delay.pause = delay.pause.max(pause);
            }
            Step::Wait(pause) => delay.pause = delay.pause.max(pause),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Outcome, StoreErrorKind};
    use crate::redis::RedisOptions;
    use crate::redis::topology::Announcements;

    fn node(port: u16) -> NodeAddress {
        NodeAddress::new("h", port).unwrap()
    }

    fn fault(line: &str) -> Fault {
        let error = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).and_then(Value::extract_error);
        Fault::command("here", error.unwrap_err())
    }

    fn means(fault: &Fault) -> Failure {
        Failure::of(fault, Announcements::of(&node(9)))
    }

    fn by_partition(call: &Call) -> Option<NodeAddress> {
        match call.place {
            Place::Partition(partition) => Some(node(1 + partition % 2)),
            _ => None,
        }
    }

    fn shown(batches: &[Batch<'_>]) -> Vec<(u16, Vec<String>)> {
        let name = |command: &Cow<'_, Cmd>| match command.args_iter().next() {
            Some(redis::Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
            _ => String::new(),
        };
        batches.iter().map(|batch| (batch.node.port(), batch.commands.iter().map(name).collect())).collect()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn each_node_gets_its_calls_at_once_and_only_what_failed_goes_on() {
        let options = RedisOptions { partitions: 4, ..Default::default() };
        let settings = options.check("redis://h").unwrap();
        let calls: Vec<Call> = (0..4).map(|partition| Call::lay_out(&settings, partition)).collect();
        let mut round = RoutedRound::new(&calls, Deadline::after(Duration::from_secs(60)));
        let mut delay = Delay::default();
        let batches = round.batches(by_partition);
        assert_eq!(shown(&batches), [(1, names(&["EVALSHA"; 2])), (2, names(&["EVALSHA"; 2]))]);

        let answers = [
            vec![Err(fault("NOSCRIPT no")), Err(fault("NOSCRIPT no"))],
            vec![Ok(Value::Int(1)), Err(fault("ASK 7 h:3"))],
        ];
        for (batch, answers) in batches.into_iter().zip(answers) {
            round.take(&batch, Ok(answers), means, &mut delay).unwrap();
        }
        assert!(delay.pause.is_zero() && delay.refresh.is_none());
        let batches = round.batches(by_partition);
        assert_eq!(shown(&batches), [(1, names(&["EVAL", "EVALSHA"])), (3, names(&["ASKING", "EVALSHA"]))]);

        let answers =
            [vec![Ok(Value::Int(0)), Err(fault("TRYAGAIN later"))], vec![Ok(Value::Okay), Err(fault("NOSCRIPT no"))]];
        for (batch, answers) in batches.into_iter().zip(answers) {
            round.take(&batch, Ok(answers), means, &mut delay).unwrap();
        }
        let batches = round.batches(by_partition);
        assert_eq!(shown(&batches), [(1, names(&["EVALSHA"])), (3, names(&["ASKING", "EVAL"]))]);

        let answers = [vec![Ok(Value::Int(2))], vec![Ok(Value::Okay), Ok(Value::Int(3))]];
        for (batch, answers) in batches.into_iter().zip(answers) {
            round.take(&batch, Ok(answers), means, &mut delay).unwrap();
        }
        assert!(round.batches(by_partition).is_empty());
        assert_eq!(round.finish(), [0, 1, 2, 3].map(Value::Int));
    }

    #[test]
    fn a_node_that_is_lost_has_the_map_refreshed_and_a_lasting_failure_ends_the_round() {
        let settings = RedisOptions::default().check("redis://h").unwrap();
        let calls = [Call::lay_out(&settings, 0)];
        let mut round = RoutedRound::new(&calls, Deadline::after(Duration::from_secs(60)));
        let mut delay = Delay::default();
        let lost = || Fault::command("here", std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
        let batch =
            |round: &RoutedRound<'_>| round.batches(by_partition).pop().map(|batch| (batch.node, batch.members));
        let (first, members) = batch(&round).unwrap();
        let sent = Batch { node: first, commands: Vec::new(), members };
        round.take(&sent, Err(lost()), means, &mut delay).unwrap();
        assert_eq!(delay.refresh, Some(node(1)));

        let (first, members) = batch(&round).unwrap();
        let sent = Batch { node: first, commands: Vec::new(), members };
        let error = round.take(&sent, Ok(vec![Err(fault("NOPERM no"))]), means, &mut delay).unwrap_err();
        assert_eq!((error.kind, error.outcome), (StoreErrorKind::Rejected, Outcome::Unknown));
        assert!(error.problem.contains("{governance:0}:layout"), "{error}");
    }
}
