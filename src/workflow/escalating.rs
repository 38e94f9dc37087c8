//! Escalation: from when an approval is also addressed to others, and how the sweep records it.

use super::amending::describe;
use super::demand::is_pending;
use super::history::{Occasion, record};
use crate::error::{Error, Result};
use crate::request::{Approval, ApprovalDecision, Metadata, RequestDocument, Timestamp, metadata_keys};

/// Checks that an approval that is requested now, or later, does not expire before it escalates.
pub(super) fn check(approval: &Approval, now: Timestamp) -> Result<()> {
    let end = approval.expires_after.map(|period| now.saturating_add(period.duration())).or(approval.expires_at);
    let Some((escalation, end)) = approval.escalation.as_ref().zip(end) else { return Ok(()) };
    if now.saturating_add(escalation.after) < end {
        return Ok(());
    }
    Err(Error::invalid_approval_configuration(format!(
        "approval {} escalates {:?} after it is requested, but it expires at {end}, and it is {now} now; let it escalate \
         earlier, or expire later",
        approval.id, escalation.after
    )))
}

/// The next time at which an open approval is addressed to others, of those the sweep has not recorded.
pub(super) fn next(document: &RequestDocument) -> Option<Timestamp> {
    open(document).filter_map(Approval::unrecorded_escalation).min()
}

/// The approval that is the next one to be addressed to others after `now`, and when.
pub(super) fn next_after(document: &RequestDocument, now: Timestamp) -> Option<(Timestamp, &Approval)> {
    let times = open(document).filter_map(|approval| Some((approval.unrecorded_escalation()?, approval)));
    times.filter(|(at, _)| *at > now).min_by_key(|(at, _)| *at)
}

/// Records each escalation whose time has come, by a decision of its own; returns whether there was one.
pub(super) fn record_due(document: &mut RequestDocument, occasion: Occasion<'_>) -> Result<bool> {
    let has_come = |approval: &&Approval| approval.unrecorded_escalation().is_some_and(|at| at <= occasion.now);
    let due: Vec<Approval> = open(document).filter(has_come).cloned().collect();
    for approval in &due {
        let Some(escalation) = &approval.escalation else { continue };
        let about = Metadata::new().with(metadata_keys::FROM, approval.target.to_string())?;
        let about = about.with(metadata_keys::TO, escalation.first_named().to_string())?;
        let reason = escalation.at.map(|at| format!("not decided by {at}"));
        let about = describe(approval, document, about);
        record(document, occasion.decision_because(ApprovalDecision::Escalated, reason, about));
        let mut recorded = document.approvals.iter_mut().filter(|other| other.id == approval.id);
        if let Some(escalation) = recorded.next().and_then(|approval| approval.escalation.as_mut()) {
            escalation.recorded = true;
        }
    }
    Ok(!due.is_empty())
}

fn open(document: &RequestDocument) -> impl Iterator<Item = &Approval> {
    let awaited = document.state.awaits_approval();
    document.approvals.iter().filter(move |approval| awaited && is_pending(approval))
}
