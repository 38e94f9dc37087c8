//! Rows about parts of a request, made without decoding the rest of its document.

use std::sync::Arc;

use super::read::in_order;
use super::{DecisionQuery, DecisionRow, PendingApprovalRow, RequestSummary};
use crate::index::{Named, Placed, SortKey};
use crate::request::{Approval, ApprovalSummary, Timestamp};
use crate::stored_format::{Approvals, Decisions, Head, PendingApprovals, StoredRequest, Unreadable};

/// The rows of the pending approvals that the query finds, under wanted keys.
pub(super) fn of_pending_approvals(
    named: &Named<'_>,
    stored: StoredRequest,
    is_wanted: impl Fn(&SortKey) -> bool,
    is_asked: impl Fn(&Head, &[ApprovalSummary], &Approval) -> bool,
) -> Result<Placed<PendingApprovalRow>, Unreadable> {
    let revision = stored.revision();
    let key = |head: &Head, step, id: &str| SortKey::approval_of(head.created_at, &head.id, step, id);
    let excerpt = PendingApprovals(&|head, step, id| is_wanted(&key(head, step, id)));
    let (head, Approvals { summaries, mut wanted }) = stored.into_excerpt(excerpt)?;
    let created = SortKey::created(head.created_at, &head.id);
    let strays = named.strays_but(|member| member.as_bytes().starts_with(created.as_bytes()));
    wanted.retain(|approval| is_asked(&head, &summaries, approval));
    let keyed = wanted.into_iter().map(|approval| (key(&head, approval.step.number(), approval.id.as_str()), approval));
    let rows = in_order(keyed);
    let request = Arc::new(RequestSummary::new(head, revision));
    let row = |approval| PendingApprovalRow { request: Arc::clone(&request), approval };
    Ok(Placed { rows: rows.into_iter().map(|(key, approval)| (key, row(approval))).collect(), strays })
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
    let excerpt = Decisions(&|head, ordinal, at| is_wanted(&key(head, ordinal, at)));
    let (head, mut decisions) = stored.into_excerpt(excerpt)?;
    // The index holds every wanted decision, whatever the filters.
    let has_place = |member: &SortKey| {
        let (mut wanted, ordinal) = (decisions.iter(), member.ordinal());
        wanted.any(|(place, decision)| ordinal == Some(*place) && key(&head, *place, decision.at) == *member)
    };
    let strays = named.strays_but(has_place);
    decisions.retain(|(_, decision)| query.matches_decision(decision, head.id_comparison));
    let keyed =
        decisions.into_iter().map(|(ordinal, decision)| (key(&head, ordinal, decision.at), (ordinal, decision)));
    let rows = in_order(keyed);
    let request = Arc::new(RequestSummary::new(head, revision));
    let row = |(ordinal, decision)| DecisionRow { request: Arc::clone(&request), ordinal, decision };
    Ok(Placed { rows: rows.into_iter().map(|(key, decision)| (key, row(decision))).collect(), strays })
}
