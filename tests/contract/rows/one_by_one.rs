//! Rows read one after the other, over all pages. Compiled twice, like the cases.

use std::sync::Arc;

use mutator_governance::*;

use super::cases::{Store, tell};
use super::{Question, RequestQueries, Rows, dual};
use crate::rows::company::{person, second};

#[dual]
async fn words<Asked: Question>(mut rows: Rows<Asked>, word: fn(&Asked::Row) -> String) -> Vec<String> {
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
    tell(&store).await;
    let queries: Arc<dyn RequestQueries> = store;
    let all = ["grant-1", "grant-2", "limit-1", "access-3", "limit-2", "flag-1", "flag-2", "grant-4", "stale-1"];
    let open = ["grant-1 security", "grant-2 board-2", "grant-2 board-3"];
    for limit in [1, 2, 3, 50] {
        let page = || PageRequest::of(limit).unwrap();
        let requests = Rows::from_page(Arc::clone(&queries), RequestQuery::new(), page());
        let found = words(requests, |request| request.id.to_string()).await;
        assert_eq!(found, all, "{limit} at once");
        let approvals = Rows::from_page(Arc::clone(&queries), PendingApprovalQuery::new(), page());
        let found = words(approvals, approval).await;
        assert_eq!(found, open, "{limit} at once");
        let inbox = (InboxQuery::of(&person("sam")).unwrap(), second(100));
        let found = words(Rows::from_page(Arc::clone(&queries), inbox, page()), approval).await;
        assert_eq!(found, [open[0], open[2]], "{limit} at once");
        let recent = Rows::from_page(Arc::clone(&queries), RecentApprovalQuery::new(), page());
        let found = words(recent, |row| row.request.id.to_string()).await;
        assert_eq!(found, ["stale-1", "limit-2"], "{limit} at once");
        let decisions = Rows::from_page(Arc::clone(&queries), DecisionQuery::new(), page());
        let found = words(decisions, |row| row.request.id.to_string()).await;
        assert_eq!(found.len(), 34, "{limit} at once");
    }
}

/// Answers 1 and 2 beside a request that cannot be read, and fails from then on.
struct Troubled {
    next: Cursor,
}

#[dual]
impl Question for Troubled {
    type Row = u32;
    async fn ask(&self, _queries: &dyn RequestQueries, page: &PageRequest) -> Result<Page<u32>> {
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
    tell(&store).await;
    let first = store.requests(&RequestQuery::new(), &PageRequest::of(1).unwrap()).await.unwrap();
    let question = Troubled { next: first.next.unwrap() };
    let found = words(Rows::new(store, question), ToString::to_string).await;
    assert_eq!(found[..2], ["1", "2"]);
    assert!(found[2].contains("damaged"), "{}", found[2]);
    assert_eq!(found[3..], ["error: cut"]);
}
