//! Rows read one after the other, over all pages. Compiled twice, like the cases.

use std::sync::Arc;

use mutator_governance::*;

use super::cases::{over, seed};
use super::{Governance, RowQuery, Rows, Store, dual};
use crate::rows::company::person;

#[dual]
async fn words<Asked: RowQuery>(mut rows: Rows<Asked>, word: fn(&Asked::Row) -> String) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(row) = rows.next_row().await {
        found.push(row.map_or_else(|error| format!("error: {error}"), |row| word(&row)));
    }
    let after_the_last = rows.next_row().await;
    assert!(after_the_last.is_none());
    found
}

fn approval(row: &PendingApprovalRow) -> String {
    format!("{} {}", row.request.id, row.approval.id)
}

#[dual]
pub(crate) async fn all_rows_come_once(store: Arc<dyn Store>) {
    seed(&store).await;
    let governance = over(&store);
    let all = ["grant-1", "grant-2", "limit-1", "access-3", "limit-2", "flag-1", "flag-2", "grant-4", "stale-1"];
    let open = ["grant-1 security", "grant-2 board-2", "grant-2 board-3"];
    for limit in [1, 2, 3, 50] {
        let page = || PageRequest::of(limit).unwrap();
        let requests = governance.rows(RequestQuery::new()).from_page(page());
        let found = words(requests, |request| request.id.to_string()).await;
        assert_eq!(found, all, "{limit} at once");
        let approvals = governance.rows(PendingApprovalQuery::new()).from_page(page());
        let found = words(approvals, approval).await;
        assert_eq!(found, open, "{limit} at once");
        let inbox = InboxQuery::of(&person("sam")).unwrap();
        let found = words(governance.rows(inbox).from_page(page()), approval).await;
        assert_eq!(found, [open[0], open[2]], "{limit} at once");
        let recent = governance.rows(RecentApprovalQuery::new()).from_page(page());
        let found = words(recent, |row| row.request.id.to_string()).await;
        assert_eq!(found, ["stale-1", "limit-2"], "{limit} at once");
        let decisions = governance.rows(DecisionQuery::new()).from_page(page());
        let found = words(decisions, |row| row.request.id.to_string()).await;
        assert_eq!(found.len(), 34, "{limit} at once");
    }
}

/// Answers 1 and 2 beside a request that cannot be read, and fails from then on.
struct Troubled {
    next: Cursor,
}

#[dual]
impl RowQuery for Troubled {
    type Row = u32;
    async fn read(&self, _governance: &Governance, page: &PageRequest) -> Result<Page<u32>> {
        if page.cursor().is_some() {
            return Err(StoreError::new(StoreErrorKind::Connection, Outcome::NotApplied, "cut").into());
        }
        let mut page = Page::new(vec![1, 2], Some(self.next.clone()), 3);
        page.unreadable.push(Unreadable::new(RequestId::new("damaged").unwrap(), FormatError::Foreign));
        Ok(page)
    }
}

#[dual]
pub(crate) async fn an_unreadable_request_is_one_row_and_a_failure_the_last(store: Arc<dyn Store>) {
    seed(&store).await;
    let first = store.requests(&RequestQuery::new(), &PageRequest::of(1).unwrap()).await.unwrap();
    let query = Troubled { next: first.next.unwrap() };
    let found = words(over(&store).rows(query), ToString::to_string).await;
    assert_eq!(found[..2], ["1", "2"]);
    assert!(found[2].contains("damaged"), "{}", found[2]);
    assert_eq!(found[3..], ["error: cut"]);
}
