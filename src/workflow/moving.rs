//! Moves votes within a quorum group, so that a newcomer's vote completes it.

use super::eligibility::DecisionContext;
use super::history::Occasion;
use super::seats::Seats;
use crate::error::Result;
use crate::request::{Approval, ApprovalState, ApprovalSummary, Metadata, RequestDocument, Value};

/// The approval that takes the actor's vote: this one if it addresses them; otherwise another of its group, whose vote
/// moves on, and so forth until one moves to this approval. Also returns which votes moved where.
pub(super) fn make_way(
    document: &mut RequestDocument,
    approval: &Approval,
    occasion: Occasion<'_>,
) -> Result<(Approval, Option<Value>)> {
    let way = way(document, approval, occasion).unwrap_or_default();
    let (Some(taken), true) = (way.first().and_then(|place| document.approvals.get(*place)).cloned(), way.len() > 1)
    else {
        return Ok((approval.clone(), None));
    };
    let mut moved = Metadata::new();
    for step in way.windows(2).rev() {
        let [from, to] = *step else { continue };
        let Some(vote) = document.approvals.get_mut(from) else { continue };
        let state = std::mem::replace(&mut vote.state, ApprovalState::Pending);
        let from = vote.id.clone();
        let Some(place) = document.approvals.get_mut(to) else { continue };
        place.state = state;
        moved = moved.with(from.as_str(), place.id.as_str())?;
    }
    Ok((taken, Some(Value::Map(moved))))
}

/// The places of the approvals on the way; `None` or one alone if nothing has to move.
fn way(document: &RequestDocument, approval: &Approval, occasion: Occasion<'_>) -> Option<Vec<usize>> {
    let quorum = approval.quorum.as_ref()?;
    let summaries = ApprovalSummary::of_all(&document.approvals, &document.approver_limits);
    let context = DecisionContext::about(document, &summaries);
    let is_requester = context.is_requester(occasion.by);
    if context.addresses(approval, occasion.by, is_requester, occasion.now) {
        return None;
    }
    let end = document.approvals.iter().position(|other| other.id == approval.id)?;
    Seats::of(context, &quorum.group, Some(occasion.now))?.way(end, occasion.by, is_requester)
}
