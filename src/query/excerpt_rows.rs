//! Rows about parts of a request, made without the rest of its document.

use std::sync::Arc;

use super::read::Rows;
use super::{DecisionQuery, DecisionRow, PendingApprovalRow, RequestSummary, SortKey, StoredRequest, Unreadable};
use crate::request::{Approval, ApprovalState, Timestamp};
use crate::stored_format::Head;

/// Rows about approvals, each with its key.
type ApprovalRows = Vec<(SortKey, PendingApprovalRow)>;

/// The rows under keys that are wanted, of the pending approvals that are asked for.
///
/// No row is about an approval that was decided: of who decided it, too little is read.
pub(super) fn of_pending_approvals(
    stored: StoredRequest,
    is_wanted: impl Fn(&SortKey) -> bool,
    is_asked: impl Fn(&Head, &[Approval], &Approval) -> bool,
) -> Result<ApprovalRows, Unreadable> {
    let revision = stored.revision();
    let (head, approvals) = stored.into_approvals()?;
    let key = |approval: &Approval| {
        let key = SortKey::approval(head.created_at, &head.id, approval.step, &approval.id);
        (approval.state == ApprovalState::Pending && is_wanted(&key) && is_asked(&head, &approvals, approval))
            .then_some(key)
    };
    let keys: Vec<Option<SortKey>> = approvals.iter().map(key).collect();
    let request = Arc::new(RequestSummary::new(head, revision));
    let row = |approval| PendingApprovalRow { request: Arc::clone(&request), approval };
    let rows = keys.into_iter().zip(approvals).filter_map(|(key, approval)| Some((key?, row(approval))));
    let mut rows: ApprovalRows = rows.collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(rows)
}

/// The rows under keys that are wanted, of decisions that the query asks for.
pub(super) fn of_decisions(
    query: &DecisionQuery,
    stored: StoredRequest,
    is_wanted: impl Fn(&SortKey) -> bool,
) -> Result<Rows<DecisionQuery>, Unreadable> {
    let revision = stored.revision();
    let key = |head: &Head, ordinal, at: Timestamp| SortKey::decision(at, &head.id, ordinal, head.created_at);
    let (head, decisions) = stored.into_decisions(&|head, ordinal, at| is_wanted(&key(head, ordinal, at)))?;
    let asked = decisions.into_iter().filter(|(_, decision)| query.matches_decision(decision));
    let keyed = asked.map(|(ordinal, decision)| (key(&head, ordinal, decision.at), ordinal, decision));
    let keyed: Vec<_> = keyed.collect();
    let request = Arc::new(RequestSummary::new(head, revision));
    let row = |ordinal, decision| DecisionRow { request: Arc::clone(&request), ordinal, decision };
    let rows = keyed.into_iter().map(|(key, ordinal, decision)| (key, row(ordinal, decision)));
    let mut rows: Rows<DecisionQuery> = rows.collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(rows)
}
