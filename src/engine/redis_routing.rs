//! Sends calls to the nodes of a cluster or to the primary of Sentinels, and goes where their answers lead, until the deadline.

use super::super::redis_driver::{pause, run_at_once};
use super::dual;
use super::redis_nodes::Nodes;
use crate::error::{Result, StoreError};
use crate::redis::topology::{Purpose, Step};
use crate::redis::{Attempts, Batch, Call, Confirmation, Delay, Fault, Freshness, NodeAddress, RoutedRound, name_node};
use crate::service::deadline::Deadline;

#[dual]
impl Nodes {
    /// The answer to a call and, if it waits for a confirmation, the answer to that query. A call that names no key goes to
    /// `node` alone.
    pub(super) async fn call(
        &self,
        call: &Call,
        node: Option<&NodeAddress>,
        attempts: &mut Attempts,
    ) -> Result<(redis::Value, Option<Confirmation>)> {
        let deadline = attempts.deadline();
        let mut with_source = false;
        let mut next: Option<(NodeAddress, bool)> = None;
        loop {
            if next.is_none() {
                self.look_for_primary(call.purpose(), deadline).await;
            }
            let by_map = || node.cloned().or_else(|| self.node_for(call.place)).map(|node| (node, false));
            let is_by_map = next.is_none();
            let Some((mut to, is_asking)) = next.take().or_else(by_map) else {
                return Err(attempts.ended(Fault::no_connection("the cluster", deadline, "no node is known")).into());
            };
            if is_by_map && call.freshness == Freshness::MayLag {
                to = self.reader_of(to, deadline).await;
            }
            let limit = self.limit_at(&to, deadline);
            let fault = match self.send(call, &to, is_asking, with_source, limit).await {
                Ok((mut reply, confirmation)) => {
                    name_node(&mut reply, &to);
                    return Ok((reply, confirmation));
                }
                Err(fault) => fault,
            };
            let failure = self.failure_at(&to, &fault, limit);
            let Some(step) = attempts.step(&failure, &fault, fastrand::f64()) else {
                return Err(call.locate(attempts.ended(fault)).into());
            };
            with_source = step == Step::SendSource;
            match step {
                Step::Send { to, is_asking } => next = Some((to, is_asking)),
                Step::SendSource => next = Some((to, is_asking)),
                Step::Refresh(duration) => {
                    self.refresh(Some(&to), deadline).await;
                    pause(duration).await;
                }
                Step::Wait(duration) => pause(duration).await,
            }
        }
    }

    async fn send(
        &self,
        call: &Call,
        to: &NodeAddress,
        is_asking: bool,
        with_source: bool,
        deadline: Deadline,
    ) -> Result<(redis::Value, Option<Confirmation>), Fault> {
        self.check_node(to, call.writes, deadline).await?;
        let waits = call.durability.waits();
        let (driver, command) = (self.driver(to, waits), call.command(with_source));
        let answers = if waits || is_asking {
            driver.run_and_wait(&command, is_asking, call.durability, deadline).await?
        } else {
            (driver.run(&command, deadline).await?, None)
        };
        if call.writes {
            // Another may have taken over while the answer took its time. The write is repeated there, and recognized.
            self.check_primary(to, deadline).await.map_err(Fault::after_command)?;
        }
        Ok(answers)
    }

    async fn check_node(&self, node: &NodeAddress, writes: bool, deadline: Deadline) -> Result<(), Fault> {
        if writes {
            self.check_primary(node, deadline).await?;
        }
        self.check_suspect(node, deadline).await
    }

    /// The replies to these calls, in their order. All nodes are asked at the same time, each for all of its calls at once.
    pub(super) async fn round(&self, calls: &[Call], deadline: Deadline) -> Result<Vec<redis::Value>> {
        let mut round = RoutedRound::new(calls, deadline);
        self.send_round(&mut round, calls, deadline).await?;
        Ok(round.finish())
    }

    /// The same with a result for each call: a node that does not answer keeps no other from being asked, and one of which that
    /// is known is not waited for.
    pub(super) async fn tolerant_round(
        &self,
        calls: &[Call],
        deadline: Deadline,
    ) -> Result<Vec<Result<redis::Value, StoreError>>> {
        let mut round = RoutedRound::new(calls, deadline).tolerant();
        self.send_round(&mut round, calls, deadline).await?;
        let results = round.results();
        for (call, result) in calls.iter().zip(&results) {
            let is_passing = result.as_ref().is_err_and(|error| error.kind.may_pass());
            if let Some(node) = self.node_for(call.place).filter(|_| is_passing) {
                self.suspect(&node);
            }
        }
        Ok(results)
    }

    async fn send_round<'a>(&self, round: &mut RoutedRound<'a>, calls: &'a [Call], deadline: Deadline) -> Result<()> {
        let writes = calls.iter().any(|call| call.writes);
        let purpose = if writes { Purpose::Write } else { Purpose::Read };
        loop {
            self.look_for_primary(purpose, deadline).await;
            let readers = self.readers(calls, deadline).await;
            let node_for = |call: &Call| {
                let primary = self.node_for(call.place)?;
                let reader = readers.get(&primary).filter(|_| call.freshness == Freshness::MayLag);
                Some(reader.unwrap_or(&primary).clone())
            };
            let batches = round.batches(node_for);
            if batches.is_empty() {
                return Ok(());
            }
            let mut delay = Delay::default();
            let mut asked: Vec<Batch<'_>> = Vec::with_capacity(batches.len());
            for batch in batches {
                match self.check_node(&batch.node, writes, deadline).await {
                    Ok(()) => asked.push(batch),
                    Err(fault) if round.is_tolerant() => {
                        self.failure_at(&batch.node, &fault, deadline);
                        self.refresh(Some(&batch.node), deadline).await;
                        if round.is_for(&batch, |place| self.node_for(place)) {
                            round.give_up(&batch, &fault);
                        }
                    }
                    Err(fault) => {
                        round.take(
                            &batch,
                            Err(fault),
                            |fault| self.failure_at(&batch.node, fault, deadline),
                            &mut delay,
                        )?;
                    }
                }
            }
            let sent: Vec<_> = asked.iter().map(|batch| (self.driver(&batch.node, false), &*batch.commands)).collect();
            let limit = asked.iter().map(|batch| self.limit_at(&batch.node, deadline)).min_by_key(Deadline::remaining);
            let limit = limit.unwrap_or(deadline);
            let answers = run_at_once(&sent, limit).await;
            drop(sent);
            for (batch, mut answers) in asked.iter().zip(answers) {
                if writes && answers.is_ok() {
                    let checked = self.check_primary(&batch.node, deadline).await;
                    answers = checked.map_err(Fault::after_command).and(answers);
                }
                round.take(batch, answers, |fault| self.failure_at(&batch.node, fault, limit), &mut delay)?;
            }
            if let Some(failed) = &delay.refresh {
                self.refresh(Some(failed), deadline).await;
            }
            if !delay.pause.is_zero() {
                pause(delay.pause).await;
            }
        }
    }
}
