//! Rows about parts of a request, made without decoding the rest of its document.

use std::sync::Arc;

use super::{DecisionQuery, DecisionRow, PendingApprovalRow, RequestSummary};
use crate::index::{Named, Placed, SortKey};
use crate::request::{Approval, ApprovalSummary, Timestamp};
use crate::stored_format::{Head, StoredRequest, Unreadable};

/// The rows of the pending approvals that the query finds, under wanted keys.
pub(super) fn of_pending_approvals(
    named: &Named<'_>,
    stored: StoredRequest,
    is_wanted: impl Fn(&SortKey) -> bool,
    is_asked: impl Fn(&Head, &[ApprovalSummary], &Approval) -> bool,
) -> Result<Placed<PendingApprovalRow>, Unreadable> {
    let revision = stored.revision();
    let key = |head: &Head, step, id: &str| SortKey::approval_of(head.created_at, &head.id, step, id);
    let (head, approvals) = stored.into_approvals(&|head, step, id| is_wanted(&key(head, step, id)))?;
    let created = SortKey::created(head.created_at, &head.id);
    let strays = named.strays_but(|member| member.as_bytes().starts_with(created.as_bytes()));
    let asked = approvals.wanted.into_iter().filter(|approval| is_asked(&head, &approvals.summaries, approval));
    let keyed = asked.map(|approval| (key(&head, approval.step.number(), approval.id.as_str()), approval));
    let mut keyed: Vec<_> = keyed.collect();
    keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
    let request = Arc::new(RequestSummary::new(head, revision));
    let row = |approval| PendingApprovalRow { request: Arc::clone(&request), approval };
    Ok(Placed { rows: keyed.into_iter().map(|(key, approval)| (key, row(approval))).collect(), strays })
}

/// The rows of the decisions that the query finds, under wanted keys.
pub(super) fn of_decisions(
    query: &DecisionQuery,
    named: &Named<'_>,
    stored: StoredRequest,
    is_wanted: impl Fn(&SortKey) -> bool,
) -> Result<Placed<DecisionRow>, Unreadable> {
    let revision = stored.revision();
    let key = |head: &Head, ordinal, at: Timestamp| SortKey::decision(at, &head.id, ordinal, head.created_at);
    let (head, decisions) = stored.into_decisions(&|head, ordinal, at| is_wanted(&key(head, ordinal, at)))?;
    // The index holds every wanted decision, whatever the filters.
    let has_place = |member: &SortKey| {
        let (mut wanted, ordinal) = (decisions.iter(), member.ordinal());
        wanted.any(|(place, decision)| ordinal == Some(*place) && key(&head, *place, decision.at) == *member)
    };
    let strays = named.strays_but(has_place);
    let ids = head.id_comparison;
    let asked = decisions.into_iter().filter(|(_, decision)| query.matches_decision(decision, ids));
    let keyed = asked.map(|(ordinal, decision)| (key(&head, ordinal, decision.at), ordinal, decision));
    let mut keyed: Vec<_> = keyed.collect();
    keyed.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let request = Arc::new(RequestSummary::new(head, revision));
    let row = |ordinal, decision| DecisionRow { request: Arc::clone(&request), ordinal, decision };
    Ok(Placed {
        rows: keyed.into_iter().map(|(key, ordinal, decision)| (key, row(ordinal, decision))).collect(),
        strays,
    })
}
