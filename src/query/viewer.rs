//! The viewer: as whom somebody reads, which narrows a query to the requests that concern them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::filter::{MAX_CHOICES, QueryDigest, Shape};
use super::{DecisionQuery, InboxQuery, PendingApprovalQuery, ReadyQuery, RecentApprovalQuery, RequestQuery};
use crate::error::InvalidValue;
use crate::index::{ChosenIndexes, Condition, Dimension, Filter, participant_terms};
use crate::json::Strict;
use crate::request::{ActorContext, ActorId, Group, IdComparison, MutationRequest, Participants, Role};
use crate::workflow;

/// As whom somebody reads: with an id, roles and groups, at least one of them.
///
/// A viewer may read the requests whose [participants](workflow::participants) include them. The application says who
/// the viewer is, as it says who acts.
///
/// ```
/// use mutator_governance::{ActorContext, RequestQuery, Viewer};
///
/// let mona = ActorContext::user("mona")?.with_role("manager")?;
/// let query = RequestQuery::pending().visible_to(Viewer::of(&mona)?);
/// assert_eq!(query.to_string(), "requests that are Pending, visible to mona or role manager, oldest first");
///
/// let error = Viewer::of(&ActorContext::system()).unwrap_err();
/// assert!(error.to_string().contains("no id, no role and no group"));
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<Participants>", into = "Participants")]
pub struct Viewer(Participants);

const FIELD: &str = "viewer";

impl Viewer {
    /// The viewer with this id, if they have one, these roles and these groups.
    ///
    /// # Errors
    /// [`InvalidValue`] if there is neither id nor role nor group, or if there are more than
    /// [`MAX_CHOICES`](crate::MAX_CHOICES) roles, or groups, because each needs a lookup of its own.
    pub fn new(
        id: impl Into<Option<ActorId>>,
        roles: BTreeSet<Role>,
        groups: BTreeSet<Group>,
    ) -> Result<Self, InvalidValue> {
        Self::try_from(Participants { actor_ids: id.into().into_iter().collect(), roles, groups })
    }

    /// This actor, who reads what they may decide or have decided, also for the person they act for.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(actor: &ActorContext) -> Result<Self, InvalidValue> {
        let actor_ids = actor.people().cloned().collect();
        Self::try_from(Participants { actor_ids, roles: actor.roles.clone(), groups: actor.groups.clone() })
    }

    /// The viewer's ids: their own, and that of the person they act for.
    pub const fn actor_ids(&self) -> &BTreeSet<ActorId> {
        &self.0.actor_ids
    }

    /// The viewer's roles.
    pub const fn roles(&self) -> &BTreeSet<Role> {
        &self.0.roles
    }

    /// The viewer's groups.
    pub const fn groups(&self) -> &BTreeSet<Group> {
        &self.0.groups
    }

    /// Whether the viewer may read this request: they are one of its [participants](workflow::participants), by its rule
    /// for comparing ids.
    pub fn may_read(&self, request: &MutationRequest) -> bool {
        workflow::participants(request).overlap(&self.0, request.id_comparison)
    }

    pub(super) fn is_met_by(&self, request: &MutationRequest, _ids: IdComparison) -> bool {
        self.may_read(request)
    }

    pub(super) fn conditions(&self, dimension: Dimension, filter: &Filter, _: &ChosenIndexes) -> Vec<Condition> {
        vec![Condition::of(participant_terms(dimension, &self.0), [filter.clone()])]
    }
}

/// A query that can be narrowed to what a viewer may read. Only the queries of this crate implement it.
pub trait VisibleTo: Clone {
    /// The same query, for this viewer instead of any other.
    #[must_use]
    fn visible_to(self, viewer: Viewer) -> Self;
}

macro_rules! visible_to {
    ($($Query:ident),*) => {
        $(impl VisibleTo for $Query {
            fn visible_to(self, viewer: Viewer) -> Self {
                Self::visible_to(self, viewer)
            }
        })*
    };
}

visible_to!(RequestQuery, ReadyQuery, PendingApprovalQuery, RecentApprovalQuery, DecisionQuery, InboxQuery);

impl TryFrom<Participants> for Viewer {
    type Error = InvalidValue;
    fn try_from(who: Participants) -> Result<Self, InvalidValue> {
        let viewer = Self(who);
        viewer.check(FIELD)?;
        Ok(viewer)
    }
}

impl TryFrom<Strict<Participants>> for Viewer {
    type Error = InvalidValue;
    fn try_from(Strict(who): Strict<Participants>) -> Result<Self, InvalidValue> {
        Self::try_from(who)
    }
}

impl From<Viewer> for Participants {
    fn from(viewer: Viewer) -> Self {
        viewer.0
    }
}

impl Shape for Viewer {
    fn check(&self, field: &'static str) -> Result<(), InvalidValue> {
        if self.0.is_empty() {
            let problem = "has no id, no role and no group, so no request could be visible to them; name at least one";
            return Err(InvalidValue::new(field, problem));
        }
        let counts = [("ids", self.0.actor_ids.len()), ("roles", self.0.roles.len()), ("groups", self.0.groups.len())];
        match counts.into_iter().find(|(_, count)| *count > MAX_CHOICES) {
            Some((what, count)) => {
                let problem = format!("has {count} {what}; at most {MAX_CHOICES} are allowed");
                Err(InvalidValue::new(field, problem))
            }
            None => Ok(()),
        }
    }

    fn feed(&self, name: &str, digest: &mut QueryDigest) {
        digest.set(name, &self.0.actor_ids);
        digest.set("viewer roles", &self.0.roles);
        digest.set("viewer groups", &self.0.groups);
    }

    fn clause(&self, asked: &str) -> String {
        format!("{asked} {self}")
    }
}

impl fmt::Display for Viewer {
    /// For example `alice or role manager`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
