//! `expire-due`: one sweep to its end.

use std::time::Duration;

use clap::Args;
use mutator_governance::PageRequest;

use crate::confirm::Confirmation;
use crate::failure::Failure;
use crate::progress::{LongWork, command_to_go_on};
use crate::session::{Session, note};
use crate::text;

/// As a sweeper does it, once. Others may do the same at once.
#[derive(Args)]
pub(crate) struct ExpireDue {
    #[command(flatten)]
    confirmation: Confirmation,
}

const AT_ONCE: usize = 100;

impl ExpireDue {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let actor = session.actor()?;
        let governance = session.writing()?;
        let due = governance.statistics(&[Duration::ZERO])?.due_within.values().sum();
        if due > 0 {
            self.confirmation.ask(&format!("expire what is due in {}?", text::count(due, "request")))?;
        }
        let work = LongWork::begin()?;
        let (mut expired, mut escalated, mut failed) = (0, 0, 0);
        let mut swept = governance.expire_due(actor.clone(), AT_ONCE)?;
        loop {
            expired += swept.expired.len() as u64;
            escalated += swept.escalated.len() as u64;
            failed += swept.failed.len() as u64;
            work.show("expire", expired + escalated + failed, Some(due));
            work.pause(|| swept.failed.iter().for_each(|(id, error)| note(format_args!("{id}: {error}"))));
            let Some(next) = swept.next.filter(|_| swept.more) else { break };
            if work.is_interrupted() {
                work.end();
                let how = command_to_go_on("");
                return Err(Failure::Interrupted(format!("interrupted after {expired}; the rest: {how}")));
            }
            swept = governance.expire_due_after(actor.clone(), AT_ONCE.min(PageRequest::MAX_LIMIT), next)?;
        }
        work.end();
        if session.is_json() {
            session.json(&serde_json::json!({ "expired": expired, "escalated": escalated, "failed": failed }))?;
        } else {
            session.line(format_args!("expired in {}, escalated in {escalated}", text::count(expired, "request")))?;
        }
        if failed > 0 {
            return Err(Failure::Incomplete(format!("{} could not be expired", text::count(failed, "request"))));
        }
        Ok(())
    }
}
