//! Sends calls to the nodes of a cluster, and goes where their answers lead, until the deadline.

use super::super::redis_driver::{pause, run_at_once};
use super::dual;
use super::redis_nodes::Nodes;
use crate::error::{Result, StoreError};
use crate::redis::topology::Step;
use crate::redis::{Attempts, Batch, Call, Confirmation, Delay, Fault, NodeAddress, RoutedRound, name_node};
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
            let by_map = || node.cloned().or_else(|| self.node_for(call.place)).map(|node| (node, false));
            let Some((to, is_asking)) = next.take().or_else(by_map) else {
                return Err(attempts.ended(Fault::no_connection("the cluster", deadline, "no node is known")).into());
            };
            let fault = match self.send(call, &to, is_asking, with_source, deadline).await {
                Ok((mut reply, confirmation)) => {
                    name_node(&mut reply, &to);
                    return Ok((reply, confirmation));
                }
                Err(fault) => fault,
            };
            let failure = self.failure(&to, &fault, deadline);
            let Some(step) = attempts.step(&failure, fastrand::f64()) else {
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
        self.check_suspect(to, deadline).await?;
        let waits = call.durability.waits();
        let (driver, command) = (self.driver(to, waits), call.command(with_source));
        if waits || is_asking {
            return driver.run_and_wait(&command, is_asking, call.durability, deadline).await;
        }
        Ok((driver.run(&command, deadline).await?, None))
    }

    /// The replies to these calls, in their order. All nodes are asked at the same time, each for all of its calls at once.
    pub(super) async fn round(&self, calls: &[Call], deadline: Deadline) -> Result<Vec<redis::Value>> {
        let mut round = RoutedRound::new(calls, deadline);
        self.send_round(&mut round, deadline).await?;
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
        self.send_round(&mut round, deadline).await?;
        let results = round.results();
        for (call, result) in calls.iter().zip(&results) {
            let is_passing = result.as_ref().is_err_and(|error| error.kind.may_pass());
            if let Some(node) = self.node_for(call.place).filter(|_| is_passing) {
                self.suspect(&node);
            }
        }
        Ok(results)
    }

    async fn send_round(&self, round: &mut RoutedRound<'_>, deadline: Deadline) -> Result<()> {
        loop {
            let batches = round.batches(|place| self.node_for(place));
            if batches.is_empty() {
                return Ok(());
            }
            let mut delay = Delay::default();
            let mut asked: Vec<Batch<'_>> = Vec::with_capacity(batches.len());
            for batch in batches {
                match self.check_suspect(&batch.node, deadline).await {
                    Ok(()) => asked.push(batch),
                    Err(fault) if round.is_tolerant() => {
                        self.refresh(Some(&batch.node), deadline).await;
                        if round.is_for(&batch, |place| self.node_for(place)) {
                            round.give_up(&batch, &fault);
                        }
                    }
                    Err(fault) => {
                        round.take(
                            &batch,
                            Err(fault),
                            |fault| self.failure(&batch.node, fault, deadline),
                            &mut delay,
                        )?;
                    }
                }
            }
            let sent: Vec<_> = asked.iter().map(|batch| (self.driver(&batch.node, false), &*batch.commands)).collect();
            let answers = run_at_once(&sent, deadline).await;
            drop(sent);
            for (batch, answers) in asked.iter().zip(answers) {
                round.take(batch, answers, |fault| self.failure(&batch.node, fault, deadline), &mut delay)?;
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
