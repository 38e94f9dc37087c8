//! The rows that one request has in each read, and their keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::filter::Shape as _;
use super::{
    DecisionQuery, DecisionRow, InboxQuery, PendingApprovalQuery, PendingApprovalRow, QueryDigest, RecentApprovalQuery,
    RecentApprovalRow, RequestQuery, RequestSummary, SortDirection, excerpt_rows,
};
use crate::index::{ChosenIndexes, Conditions, KeyLayout, Named, Placed, SortKey, Term, approval_activity};
use crate::request::{Approval, Decision, IdComparison, MutationRequest, Timestamp};
use crate::stored_format::{StoredRequest, Unreadable, head_of};
use crate::workflow::DecisionContext;

/// Results of a query, each with its key.
pub(crate) type Rows<Q> = Vec<(SortKey, <Q as Query>::Row)>;

/// A query of stored requests: the rows of each request, and the order of all rows.
///
/// Only the queries of this crate implement it.
pub trait Query: Conditions + Clone {
    /// The part of a request that one row shows.
    type Part<'a>;
    /// One result.
    type Row;

    /// The layout of the rows' keys.
    const LAYOUT: KeyLayout;

    /// Every row of this request, with its key, in ascending order of the keys.
    fn rows_of<'a>(&self, request: &'a MutationRequest, now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)>;

    /// The result for this part of a request.
    fn row(part: Self::Part<'_>) -> Self::Row;

    /// The results of this request whose keys are wanted, each with its key, in ascending order of the keys.
    fn rows_from(&self, request: MutationRequest, now: Timestamp, is_wanted: impl Fn(&SortKey) -> bool) -> Rows<Self> {
        let parts = self.rows_of(&request, now).into_iter().filter(|(key, _)| is_wanted(key));
        parts.map(|(key, part)| (key, Self::row(part))).collect()
    }

    /// The same for a stored request that an index names, with the index members that its document does not explain. If
    /// `is_certain`, the index has answered the query, and nothing is left to check on the request.
    ///
    /// # Errors
    /// [`Unreadable`] if the document is needed and cannot be decoded.
    fn rows_from_stored(
        &self,
        named: &Named<'_>,
        stored: StoredRequest,
        _is_certain: bool,
        now: Timestamp,
        is_wanted: impl Fn(&SortKey) -> bool,
    ) -> Result<Placed<Self::Row>, Unreadable> {
        let request = stored.into_request()?;
        let strays = named.strays(&request);
        Ok(Placed { rows: self.rows_from(request, now, is_wanted), strays })
    }

    /// Whether this query finds every row.
    fn is_without_filters(&self) -> bool {
        false
    }

    /// Whether it finds only what a viewer may read. Then a page names no request that cannot be read: only its document
    /// says whom it concerns.
    fn is_for_a_viewer(&self) -> bool {
        false
    }

    /// The end of the order at which reading begins.
    fn direction(&self) -> SortDirection {
        SortDirection::Ascending
    }

    /// Every term that a plan of this query could read along or look up.
    fn terms(&self, chosen: &ChosenIndexes, ids: IdComparison) -> BTreeSet<Term> {
        let conditions = std::iter::once(self.base()).chain(self.conditions(chosen));
        conditions.flat_map(|condition| condition.comparing(ids).terms).collect()
    }

    /// The digest that binds a cursor to this query: equal queries give the same bytes, in every version of this crate.
    fn fingerprint(&self) -> [u8; 8];
}

impl Query for RequestQuery {
    type Part<'a> = &'a MutationRequest;
    type Row = MutationRequest;
    const LAYOUT: KeyLayout = KeyLayout::Created;

    fn rows_of<'a>(&self, request: &'a MutationRequest, _now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        if self.matches(request) {
            vec![(SortKey::created(request.created_at, &request.id), request)]
        } else {
            Vec::new()
        }
    }

    fn row(part: Self::Part<'_>) -> MutationRequest {
        part.clone()
    }

    fn rows_from(&self, request: MutationRequest, now: Timestamp, is_wanted: impl Fn(&SortKey) -> bool) -> Rows<Self> {
        let key = self.rows_of(&request, now).pop().map(|(key, _)| key).filter(is_wanted);
        key.map(|key| (key, request)).into_iter().collect()
    }

    fn is_without_filters(&self) -> bool {
        self.clone().in_order(SortDirection::default()) == Self::new()
    }

    fn is_for_a_viewer(&self) -> bool {
        Self::is_for_a_viewer(self)
    }

    fn direction(&self) -> SortDirection {
        self.0.direction
    }

    fn fingerprint(&self) -> [u8; 8] {
        fingerprint("requests", |digest| self.feed(digest))
    }
}

impl Query for RecentApprovalQuery {
    type Part<'a> = (&'a MutationRequest, Timestamp);
    type Row = RecentApprovalRow;
    const LAYOUT: KeyLayout = KeyLayout::ApprovalActivity;

    fn rows_of<'a>(&self, request: &'a MutationRequest, _now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        let activity = approval_activity(request).filter(|_| self.request.matches(request));
        let key = |activity| SortKey::approval_activity(activity, &request.id, request.created_at);
        activity.map(|activity| (key(activity), (request, activity))).into_iter().collect()
    }

    fn row((request, activity_at): Self::Part<'_>) -> RecentApprovalRow {
        RecentApprovalRow { request: request.clone(), activity_at }
    }

    fn rows_from(&self, request: MutationRequest, now: Timestamp, is_wanted: impl Fn(&SortKey) -> bool) -> Rows<Self> {
        let found = self.rows_of(&request, now).pop().map(|(key, (_, activity_at))| (key, activity_at));
        let wanted = found.filter(|(key, _)| is_wanted(key));
        wanted.map(|(key, activity_at)| (key, RecentApprovalRow { request, activity_at })).into_iter().collect()
    }

    fn is_for_a_viewer(&self) -> bool {
        self.request.is_for_a_viewer()
    }

    fn fingerprint(&self) -> [u8; 8] {
        fingerprint("recent approvals", |digest| self.request.feed(digest))
    }
}

impl Query for PendingApprovalQuery {
    type Part<'a> = (&'a MutationRequest, &'a Approval);
    type Row = PendingApprovalRow;
    const LAYOUT: KeyLayout = KeyLayout::Approval;

    fn rows_of<'a>(&self, request: &'a MutationRequest, _now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        if !self.matches_request(request) {
            return Vec::new();
        }
        let ids = request.id_comparison;
        approval_rows(request, request.approvals.iter().filter(|approval| self.matches_approval(approval, ids)))
    }

    fn row((request, approval): Self::Part<'_>) -> PendingApprovalRow {
        PendingApprovalRow { request: Arc::new(request.into()), approval: approval.clone() }
    }

    fn rows_from(&self, request: MutationRequest, now: Timestamp, is_wanted: impl Fn(&SortKey) -> bool) -> Rows<Self> {
        let wanted = self.rows_of(&request, now).into_iter().filter(|(key, _)| is_wanted(key));
        let approvals = wanted.map(|(key, (_, approval))| (key, approval.clone())).collect();
        let rows = with_summaries(request, approvals);
        rows.map(|(request, (key, approval))| (key, PendingApprovalRow { request, approval })).collect()
    }

    fn rows_from_stored(
        &self,
        named: &Named<'_>,
        stored: StoredRequest,
        is_certain: bool,
        now: Timestamp,
        is_wanted: impl Fn(&SortKey) -> bool,
    ) -> Result<Placed<Self::Row>, Unreadable> {
        if is_certain {
            return excerpt_rows::of_pending_approvals(named, stored, is_wanted, |head, _, approval| {
                head.state.awaits_approval() && self.matches_approval(approval, head.id_comparison)
            });
        }
        let request = stored.into_request()?;
        let strays = named.strays(&request);
        Ok(Placed { rows: self.rows_from(request, now, is_wanted), strays })
    }

    fn is_without_filters(&self) -> bool {
        self.clone().in_order(SortDirection::default()) == Self::new()
    }

    fn is_for_a_viewer(&self) -> bool {
        self.0.request.is_for_a_viewer()
    }

    fn direction(&self) -> SortDirection {
        self.0.direction
    }

    fn fingerprint(&self) -> [u8; 8] {
        fingerprint("approvals", |digest| self.feed(digest))
    }
}

impl Query for InboxQuery {
    type Part<'a> = (&'a MutationRequest, &'a Approval);
    type Row = PendingApprovalRow;
    const LAYOUT: KeyLayout = KeyLayout::Approval;

    fn rows_of<'a>(&self, request: &'a MutationRequest, now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        approval_rows(request, self.approvals_of(request, now))
    }

    fn row(part: Self::Part<'_>) -> PendingApprovalRow {
        PendingApprovalQuery::row(part)
    }

    fn rows_from(&self, request: MutationRequest, now: Timestamp, is_wanted: impl Fn(&SortKey) -> bool) -> Rows<Self> {
        let wanted = self.rows_of(&request, now).into_iter().filter(|(key, _)| is_wanted(key));
        let approvals = wanted.map(|(key, (_, approval))| (key, approval.clone())).collect();
        let rows = with_summaries(request, approvals);
        rows.map(|(request, (key, approval))| (key, PendingApprovalRow { request, approval })).collect()
    }

    fn rows_from_stored(
        &self,
        named: &Named<'_>,
        stored: StoredRequest,
        is_certain: bool,
        now: Timestamp,
        is_wanted: impl Fn(&SortKey) -> bool,
    ) -> Result<Placed<Self::Row>, Unreadable> {
        if self.viewer().is_some() && !is_certain {
            let request = stored.into_request()?;
            let strays = named.strays(&request);
            return Ok(Placed { rows: self.rows_from(request, now, is_wanted), strays });
        }
        excerpt_rows::of_pending_approvals(named, stored, is_wanted, |head, summaries, approval| {
            let deciding = DecisionContext {
                requester: head.requested_by.people_ids(),
                limits: &head.approver_limits,
                state: &head.state,
                updated_at: head.updated_at,
                summaries,
                ids: head.id_comparison,
            };
            self.lets_decide(deciding, approval, now)
        })
    }

    fn is_without_filters(&self) -> bool {
        self.viewer().is_none()
    }

    fn is_for_a_viewer(&self) -> bool {
        self.viewer().is_some()
    }

    fn fingerprint(&self) -> [u8; 8] {
        fingerprint("inbox", |digest| {
            digest.text("actor id", self.actor_id().as_str());
            digest.set("roles", self.roles());
            digest.set("groups", self.groups());
            if let Some(acting_for) = self.person_acted_for() {
                digest.text("acting for", acting_for.id.as_str());
            }
            if let Some(viewer) = self.viewer() {
                viewer.feed("viewer", digest);
            }
        })
    }
}

impl Query for DecisionQuery {
    type Part<'a> = (&'a MutationRequest, u32, &'a Decision);
    type Row = DecisionRow;
    const LAYOUT: KeyLayout = KeyLayout::Decision;

    fn rows_of<'a>(&self, request: &'a MutationRequest, _now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        if !self.0.request.matches(request) {
            return Vec::new();
        }
        let ids = request.id_comparison;
        let asked = (0_u32..).zip(&request.decisions).filter(|(_, decision)| self.matches_decision(decision, ids));
        let key = |ordinal, at| SortKey::decision(at, &request.id, ordinal, request.created_at);
        in_order(asked.map(|(ordinal, decision)| (key(ordinal, decision.at), (request, ordinal, decision))))
    }

    fn row((request, ordinal, decision): Self::Part<'_>) -> DecisionRow {
        DecisionRow { request: Arc::new(request.into()), ordinal, decision: decision.clone() }
    }

    fn rows_from(&self, request: MutationRequest, now: Timestamp, is_wanted: impl Fn(&SortKey) -> bool) -> Rows<Self> {
        let wanted = self.rows_of(&request, now).into_iter().filter(|(key, _)| is_wanted(key));
        let decisions = wanted.map(|(key, (_, ordinal, decision))| (key, ordinal, decision.clone())).collect();
        let rows = with_summaries(request, decisions);
        rows.map(|(request, (key, ordinal, decision))| (key, DecisionRow { request, ordinal, decision })).collect()
    }

    fn rows_from_stored(
        &self,
        named: &Named<'_>,
        stored: StoredRequest,
        is_certain: bool,
        now: Timestamp,
        is_wanted: impl Fn(&SortKey) -> bool,
    ) -> Result<Placed<Self::Row>, Unreadable> {
        if is_certain {
            return excerpt_rows::of_decisions(self, named, stored, is_wanted);
        }
        let request = stored.into_request()?;
        let strays = named.strays(&request);
        Ok(Placed { rows: self.rows_from(request, now, is_wanted), strays })
    }

    fn is_without_filters(&self) -> bool {
        *self == Self::new()
    }

    fn is_for_a_viewer(&self) -> bool {
        self.0.request.is_for_a_viewer()
    }

    fn fingerprint(&self) -> [u8; 8] {
        fingerprint("decisions", |digest| self.feed(digest))
    }
}

type ApprovalPart<'a> = (&'a MutationRequest, &'a Approval);

fn approval_rows<'a>(
    request: &'a MutationRequest,
    asked: impl IntoIterator<Item = &'a Approval>,
) -> Vec<(SortKey, ApprovalPart<'a>)> {
    let key = |approval: &Approval| SortKey::approval(request.created_at, &request.id, approval.step, &approval.id);
    in_order(asked.into_iter().map(|approval| (key(approval), (request, approval))))
}

/// Adds to each part the summary of its request.
fn with_summaries<Part>(
    request: MutationRequest,
    parts: Vec<Part>,
) -> impl Iterator<Item = (Arc<RequestSummary>, Part)> {
    let revision = request.revision();
    let summary = RequestSummary::new(head_of(request.into_document()), revision);
    std::iter::repeat_n(Arc::new(summary), parts.len()).zip(parts)
}

/// These rows, by their keys.
pub(super) fn in_order<Part>(rows: impl Iterator<Item = (SortKey, Part)>) -> Vec<(SortKey, Part)> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    rows
}

fn fingerprint(read: &str, feed: impl FnOnce(&mut QueryDigest)) -> [u8; 8] {
    let mut digest = QueryDigest::of(read);
    feed(&mut digest);
    digest.finish()
}
