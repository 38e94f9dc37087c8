//! Every read that goes on from page to page, walked to its end.

use mutator_governance::{
    ActorContext, Cursor, DecisionQuery, InboxQuery, Page, PageRequest, PendingApprovalQuery, RecentApprovalQuery,
    RequestId, RequestQuery, Result, SortDirection, StateId, Status, Timestamp,
};

use common::Store;

/// What a page gave, of whatever kind its rows are.
pub struct Read {
    pub rows: Vec<String>,
    pub unreadable: Vec<RequestId>,
    pub next: Option<Cursor>,
}

/// What a page gave, for comparing.
pub fn shown<T: std::fmt::Debug>(page: Page<T>) -> Read {
    Read {
        rows: page.items.iter().map(|row| format!("{row:?}")).collect(),
        unreadable: page.unreadable.into_iter().map(|unreadable| unreadable.id).collect(),
        next: page.next,
    }
}

pub type Walk = (&'static str, fn(&Store, &PageRequest) -> Result<Read>);

fn officer() -> ActorContext {
    ActorContext::user("bob").unwrap().with_role("manager").unwrap().with_group("auditors").unwrap()
}

pub const WALKS: [Walk; 13] = [
    ("requests", |store, page| Ok(shown(store.requests(&RequestQuery::new(), page)?))),
    ("requests, the latest first", |store, page| {
        Ok(shown(store.requests(&RequestQuery::new().in_order(SortDirection::Descending), page)?))
    }),
    ("stored requests", |store, page| {
        let page = store.stored_requests(&RequestQuery::new(), page)?;
        Ok(shown(page.map(|stored| (stored.id().clone(), stored.revision()))))
    }),
    ("of two statuses, looked up by state", |store, page| {
        let query = RequestQuery::new().with_statuses([Status::Pending, Status::Approved]).unwrap();
        Ok(shown(store.requests(&query.with_state_types(["Tenant"]).unwrap(), page)?))
    }),
    ("pending", |store, page| Ok(shown(store.pending(page)?))),
    ("by state", |store, page| Ok(shown(store.by_state(&StateId::new("s").unwrap(), page)?))),
    ("pending by state", |store, page| Ok(shown(store.pending_by_state(&StateId::new("s").unwrap(), page)?))),
    ("pending approvals", |store, page| Ok(shown(store.pending_approvals(&PendingApprovalQuery::new(), page)?))),
    ("recent approvals", |store, page| Ok(shown(store.recent_approvals(&RecentApprovalQuery::new(), page)?))),
    ("decisions", |store, page| Ok(shown(store.decisions(&DecisionQuery::new(), page)?))),
    ("decisions by alice", |store, page| {
        Ok(shown(store.decisions(&DecisionQuery::new().with_actor_ids(["alice"]).unwrap(), page)?))
    }),
    ("inbox", |store, page| {
        let inbox = InboxQuery::of(&officer()).unwrap();
        Ok(shown(store.inbox(&inbox, Timestamp::from_micros(1_767_225_700_000_000).unwrap(), page)?))
    }),
    ("due", |store, page| Ok(shown(store.due(Timestamp::MAX, page)?))),
];

/// All that a walk gives, page after page of so many rows.
///
/// # Panics
/// When it takes more pages than this.
pub fn walked(store: &Store, (name, read): &Walk, limit: usize, most_pages: usize) -> Result<Read> {
    let mut all = Read { rows: Vec::new(), unreadable: Vec::new(), next: None };
    let mut page = PageRequest::of(limit).unwrap();
    for _ in 0..most_pages {
        let read = read(store, &page)?;
        all.rows.extend(read.rows);
        all.unreadable.extend(read.unreadable);
        match read.next {
            Some(next) => page = PageRequest::of(limit).unwrap().after(next),
            None => return Ok(all),
        }
    }
    panic!("{name}: {most_pages} pages, and no end: {} rows", all.rows.len());
}
