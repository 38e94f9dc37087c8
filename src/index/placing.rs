//! Checks whether a document agrees with the index that names it.

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

/// The rows of a request, and the members that name it but that its document does not explain.
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

    /// The created time and the member of the request, if the member is its key in created order.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only the Redis store reads along indexes"))]
    pub(crate) fn created(&self) -> Option<(&SortKey, Timestamp)> {
        let member = self.members.first().filter(|_| self.layout == KeyLayout::Created)?;
        Some((member, member.time()?))
    }

    /// The members that this request does not explain: its created, decision, due or ready time is not the one in the index.
    /// Record and index are read at the same moment, so no concurrent change explains the difference.
    pub(crate) fn strays(&self, request: &MutationRequest) -> Vec<SortKey> {
        let (created, id) = (request.created_at, &request.id);
        let key = match self.layout {
            KeyLayout::Created => Some(SortKey::created(created, id)),
            KeyLayout::Due => workflow::next_deadline(request).map(|deadline| SortKey::due(deadline, id)),
            KeyLayout::Ready => workflow::ready_at(request).map(|ready| SortKey::ready(ready, id, created)),
            KeyLayout::ApprovalActivity => {
                approval_activity(request).map(|activity| SortKey::approval_activity(activity, id, created))
            }
            KeyLayout::Approval => return self.strays_but(|member| is_of_an_approval(request, member)),
            KeyLayout::Decision => return self.strays_but(|member| is_of_a_decision(request, member)),
        };
        self.strays_but(|member| key.as_ref() == Some(member))
    }

    /// The members for which this is false.
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
