//! Whether a document agrees with an index about where its rows stand.

use std::borrow::Cow;

use super::{KeyLayout, SortKey, approval_activity};
use crate::request::{MutationRequest, Timestamp};
use crate::workflow;

/// The members of an index of one layout that name one request.
#[derive(Clone, Debug)]
pub struct Named<'a> {
    layout: KeyLayout,
    members: Cow<'a, [&'a SortKey]>,
}

/// The rows of a request, and the members that name it and that its document has no place for.
#[derive(Debug)]
#[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only the Redis store reads along indexes"))]
pub struct Placed<Row> {
    pub(crate) rows: Vec<(SortKey, Row)>,
    pub(crate) strays: Vec<SortKey>,
}

impl<'a> Named<'a> {
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only the Redis store reads along indexes"))]
    pub(crate) fn new(layout: KeyLayout, members: impl Into<Cow<'a, [&'a SortKey]>>) -> Self {
        Self { layout, members: members.into() }
    }

    /// The time and the member by which the request is known, where that is its key in the order of creation.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only the Redis store reads along indexes"))]
    pub(crate) fn created(&self) -> Option<(&SortKey, Timestamp)> {
        let member = self.members.first().filter(|_| self.layout == KeyLayout::Created)?;
        Some((member, member.time()?))
    }

    /// The members that have no place in this request: it was created, decided about, or is due at another time than the
    /// index says. Record and index are read at one moment, so no change in between explains that.
    pub(crate) fn strays(&self, request: &MutationRequest) -> Vec<SortKey> {
        let (created, id) = (request.created_at, &request.id);
        let key = match self.layout {
            KeyLayout::Created => Some(SortKey::created(created, id)),
            KeyLayout::Due => workflow::next_deadline(request).map(|deadline| SortKey::due(deadline, id)),
            KeyLayout::ApprovalActivity => {
                approval_activity(request).map(|activity| SortKey::approval_activity(activity, id, created))
            }
            KeyLayout::Approval => return self.strays_but(|member| is_of_an_approval(request, member)),
            KeyLayout::Decision => return self.strays_but(|member| is_of_a_decision(request, member)),
        };
        self.strays_but(|member| key.as_ref() == Some(member))
    }

    /// The members for which this does not hold.
    pub(crate) fn strays_but(&self, has_place: impl Fn(&SortKey) -> bool) -> Vec<SortKey> {
        self.members.iter().filter(|member| !has_place(member)).map(|member| (*member).clone()).collect()
    }
}

fn is_of_an_approval(request: &MutationRequest, member: &SortKey) -> bool {
    let key = |approval: &crate::request::Approval| {
        SortKey::approval(request.created_at, &request.id, approval.step, &approval.id)
    };
    let is_named = |approval: &&crate::request::Approval| member.as_bytes().ends_with(approval.id.as_str().as_bytes());
    request.approvals.iter().filter(is_named).any(|approval| key(approval) == *member)
}

fn is_of_a_decision(request: &MutationRequest, member: &SortKey) -> bool {
    let Some(ordinal) = member.ordinal() else { return false };
    let decision = usize::try_from(ordinal).ok().and_then(|place| request.decisions.get(place));
    decision.is_some_and(|decision| SortKey::decision(decision.at, &request.id, ordinal, request.created_at) == *member)
}
