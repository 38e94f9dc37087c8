//! Asks the Sentinels who the primary is: before a write to one that nobody has confirmed for a while, and after one that took
//! longer.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::super::redis_driver::{Driver, pause};
use super::dual;
use super::redis_nodes::Nodes;
use crate::error::{Result, StoreError};
use crate::redis::topology::{self, Inquiry, Opinion, Opinions, Purpose};
use crate::redis::{Fault, NodeAddress};
use crate::service::deadline::Deadline;

/// The pause of a call that waits until another has asked.
const PAUSE: Duration = Duration::from_millis(2);
/// How long asking may take of the call that does it, and of any call.
const ASKING_SHARE: u32 = 2;
const MAX_ASKING: Duration = Duration::from_secs(1);
const MAX_ASKING_TO_READ: Duration = Duration::from_millis(250);

#[dual]
impl Nodes {
    /// Checks that no server has taken over from this primary, as far as a majority of the Sentinels knows. In a cluster there
    /// is nothing to check: its nodes decide.
    ///
    /// # Errors
    /// A fault of a command that was not sent: another server is the primary, or nobody knows.
    pub(super) async fn check_primary(&self, node: &NodeAddress, deadline: Deadline) -> Result<(), Fault> {
        if !self.has_sentinels() {
            return Ok(());
        }
        loop {
            let (now, whole) = (Instant::now(), asking(deadline, MAX_ASKING));
            match self.inquire(Purpose::Write, now, now + whole.total()) {
                Inquiry::Confirmed => break,
                Inquiry::Ask(first, then) => {
                    let known = self.ask_sentinels(first, then, whole).await;
                    known.map_err(|error| Fault::not_confirmed(error.problem))?;
                    break;
                }
                Inquiry::Unknown(problem) => return Err(Fault::not_confirmed(problem)),
                Inquiry::Wait if deadline.remaining().is_none() => {
                    let late = || "the Sentinels did not answer in time who the primary is".to_owned();
                    return Err(Fault::not_confirmed(self.problem().unwrap_or_else(late)));
                }
                Inquiry::Wait => pause(PAUSE).await,
            }
        }
        match self.primaries().first() {
            Some(primary) if primary != node => {
                let problem = format!("{node} is not the primary any more, say the Sentinels: that is {primary}");
                Err(Fault::not_confirmed(problem))
            }
            _ => Ok(()),
        }
    }

    /// Learns who the primary is, if nobody has asked for a while, so that reads follow it too.
    pub(super) async fn look_for_primary(&self, purpose: Purpose, deadline: Deadline) {
        if !self.has_sentinels() {
            return;
        }
        let longest = if purpose == Purpose::Read { MAX_ASKING_TO_READ } else { MAX_ASKING };
        let (now, whole) = (Instant::now(), asking(deadline, longest));
        if let Inquiry::Ask(first, then) = self.inquire(purpose, now, now + whole.total()) {
            // A primary that nobody names is read from all the same, and a write asks again.
            drop(self.ask_sentinels(first, then, whole).await);
        }
    }

    /// Asks the first, and the others if too few of them answer. Returns what an operator should know.
    pub(super) async fn ask_sentinels(
        &self,
        first: Vec<NodeAddress>,
        then: Vec<NodeAddress>,
        whole: Deadline,
    ) -> Result<Vec<String>, StoreError> {
        let begun = Instant::now();
        let mut opinions = Opinions::new();
        for (sentinels, is_needed) in [(first, true), (then, false)] {
            let count = sentinels.len();
            for (place, sentinel) in sentinels.into_iter().enumerate() {
                if !is_needed && !self.is_majority_missing(&opinions) {
                    break;
                }
                let others = u32::try_from(count - place).unwrap_or(u32::MAX);
                let share = whole.within(whole.remaining().unwrap_or_default() / others);
                let Some(driver) = self.sentinel_driver(&sentinel) else { continue };
                let opinion = self.ask_sentinel(&sentinel, driver, share).await;
                opinions.push((sentinel, opinion));
            }
        }
        self.conclude(opinions, begun, whole.total())
    }

    async fn ask_sentinel(
        &self,
        sentinel: &NodeAddress,
        driver: &Driver,
        deadline: Deadline,
    ) -> Result<Opinion, StoreError> {
        let name = self.primary_name();
        let queries = topology::sentinel_queries(&name, self.settings().options.replicas);
        let commands: Vec<_> = queries.iter().map(Cow::Borrowed).collect();
        let answers = driver.run_all(&commands, deadline).await;
        topology::opinion(self.settings(), sentinel, &name, answers)
    }
}

fn asking(deadline: Deadline, longest: Duration) -> Deadline {
    Deadline::after((deadline.remaining().unwrap_or_default() / ASKING_SHARE).min(longest))
}
