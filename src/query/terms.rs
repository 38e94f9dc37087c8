use std::fmt;

use super::KeyLayout;
use super::digest::QuestionDigest;
use crate::request::{BlastScope, DecisionKind, IdComparison, PendingReason, RiskLevel, Status, Value};

/// What rows are indexed by. A [`Term`] is one value of a dimension; it holds the sort keys of the rows that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// Every request; the term is empty.
    All,
    /// Requests by the state they would change.
    StateId,
    /// Requests by the type of that state.
    StateType,
    /// Requests by mutation type.
    MutationType,
    /// Requests by the id of the actor who filed them.
    ActorId,
    /// Requests by the category of their intent.
    Category,
    /// Requests by each tag of their intent.
    Tag,
    /// Requests by risk level.
    Risk,
    /// Requests by the scope of their blast radius, where they have one.
    BlastRadius,
    /// Requests by status.
    Status,
    /// Pending requests by what they wait for.
    PendingReason,
    /// Pending requests by the state they would change.
    PendingOfState,
    /// Requests by a pair of their metadata, for the keys that are chosen to be indexed.
    Metadata,
    /// Requests of which something is due to expire, themselves or open approvals, the next first; the term is empty.
    Due,
    /// Requests that wait for approval, by their own deadline, from which on nothing of them can be decided; the term is empty.
    DecisionDeadline,
    /// Approved and executed requests with approval activity, the latest first; the term is empty.
    ApprovalActivity,
    /// Every open approval, which is a pending one of a request that waits for approval; the term is empty.
    Approval,
    /// Open approvals by each actor id they are addressed to.
    ApproverId,
    /// Open approvals by each role they are addressed to.
    ApproverRole,
    /// Open approvals by each group they are addressed to.
    ApproverGroup,
    /// Open approvals by the category of the request's intent.
    ApprovalCategory,
    /// Open approvals of the active step by each actor id they are addressed to.
    InboxActor,
    /// Open approvals of the active step by each role they are addressed to.
    InboxRole,
    /// Open approvals of the active step by each group they are addressed to.
    InboxGroup,
    /// Every decision; the term is empty.
    Decision,
    /// Decisions by category and kind.
    DecisionKind,
    /// Decisions by the id of the actor who made them.
    DecisionActor,
}

/// One value of a dimension, and with it the name of one ordered set of sort keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Term {
    /// The dimension.
    pub dimension: Dimension,
    /// The value; empty where the dimension has only one. Different values have different texts.
    pub text: Box<str>,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 27] = [
        Self::All,
        Self::StateId,
        Self::StateType,
        Self::MutationType,
        Self::ActorId,
        Self::Category,
        Self::Tag,
        Self::Risk,
        Self::BlastRadius,
        Self::Status,
        Self::PendingReason,
        Self::PendingOfState,
        Self::Metadata,
        Self::Due,
        Self::DecisionDeadline,
        Self::ApprovalActivity,
        Self::Approval,
        Self::ApproverId,
        Self::ApproverRole,
        Self::ApproverGroup,
        Self::ApprovalCategory,
        Self::InboxActor,
        Self::InboxRole,
        Self::InboxGroup,
        Self::Decision,
        Self::DecisionKind,
        Self::DecisionActor,
    ];

    /// How the sort keys in this dimension are laid out.
    pub const fn layout(self) -> KeyLayout {
        match self {
            Self::All
            | Self::StateId
            | Self::StateType
            | Self::MutationType
            | Self::ActorId
            | Self::Category
            | Self::Tag
            | Self::Risk
            | Self::BlastRadius
            | Self::Status
            | Self::PendingReason
            | Self::PendingOfState
            | Self::Metadata => KeyLayout::Created,
            Self::Due | Self::DecisionDeadline => KeyLayout::Due,
            Self::ApprovalActivity => KeyLayout::ApprovalActivity,
            Self::Approval
            | Self::ApproverId
            | Self::ApproverRole
            | Self::ApproverGroup
            | Self::ApprovalCategory
            | Self::InboxActor
            | Self::InboxRole
            | Self::InboxGroup => KeyLayout::Approval,
            Self::Decision | Self::DecisionKind | Self::DecisionActor => KeyLayout::Decision,
        }
    }

    /// Whether its terms come from what is fixed when a request is filed. Metadata is fixed too, but which of its keys
    /// are indexed is not.
    pub(crate) const fn is_fixed_at_filing(self) -> bool {
        matches!(
            self,
            Self::All
                | Self::StateId
                | Self::StateType
                | Self::MutationType
                | Self::ActorId
                | Self::Category
                | Self::Tag
                | Self::Risk
                | Self::BlastRadius
        )
    }

    /// Whether its terms are ids of actors, roles or groups, which indexes hold as the keys that all spellings share.
    const fn names_people(self) -> bool {
        matches!(
            self,
            Self::ActorId
                | Self::ApproverId
                | Self::ApproverRole
                | Self::ApproverGroup
                | Self::InboxActor
                | Self::InboxRole
                | Self::InboxGroup
                | Self::DecisionActor
        )
    }

    /// The dimension's name: lower-case words with hyphens, never changed once released, because keys are made of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::StateId => "state-id",
            Self::StateType => "state-type",
            Self::MutationType => "mutation-type",
            Self::ActorId => "actor-id",
            Self::Category => "category",
            Self::Tag => "tag",
            Self::Risk => "risk",
            Self::BlastRadius => "blast-radius",
            Self::Status => "status",
            Self::PendingReason => "pending-reason",
            Self::PendingOfState => "pending-of-state",
            Self::Metadata => "metadata",
            Self::Due => "due",
            Self::DecisionDeadline => "decision-deadline",
            Self::ApprovalActivity => "approval-activity",
            Self::Approval => "approval",
            Self::ApproverId => "approver-id",
            Self::ApproverRole => "approver-role",
            Self::ApproverGroup => "approver-group",
            Self::ApprovalCategory => "approval-category",
            Self::InboxActor => "inbox-actor",
            Self::InboxRole => "inbox-role",
            Self::InboxGroup => "inbox-group",
            Self::Decision => "decision",
            Self::DecisionKind => "decision-kind",
            Self::DecisionActor => "decision-actor",
        }
    }
}

impl Term {
    /// The value `text` of this dimension.
    pub fn new(dimension: Dimension, text: impl AsRef<str>) -> Self {
        Self { dimension, text: text.as_ref().into() }
    }

    /// The only term of a dimension that has no values.
    pub fn whole(dimension: Dimension) -> Self {
        Self::new(dimension, "")
    }

    /// The term as indexes hold it where ids of people are compared so.
    #[must_use]
    pub fn comparing(self, ids: IdComparison) -> Self {
        if !self.dimension.names_people() {
            return self;
        }
        Self::new(self.dimension, ids.key(&self.text))
    }

    /// The requests at this status.
    pub fn status(status: Status) -> Self {
        Self::new(Dimension::Status, status.as_str())
    }

    /// The requests that wait for this.
    pub fn pending_reason(reason: PendingReason) -> Self {
        Self::new(Dimension::PendingReason, reason.as_str())
    }

    pub(super) fn risk(risk: RiskLevel) -> Self {
        Self::new(Dimension::Risk, risk.to_string())
    }

    pub(super) fn blast_radius(scope: BlastScope) -> Self {
        Self::new(Dimension::BlastRadius, scope.to_string())
    }

    pub(super) fn decision_kind(kind: DecisionKind) -> Self {
        Self::new(Dimension::DecisionKind, kind.to_string())
    }

    /// The value goes in as a digest of fixed length, because values may be long, and `=` may be part of a key.
    pub(super) fn metadata(key: &str, value: &Value) -> Self {
        Self::new(Dimension::Metadata, format!("{key}={}", QuestionDigest::of_value(value)))
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Term {
    /// For example `state-id:tenant:acme`, or `all`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.text {
            "" => write!(f, "{}", self.dimension),
            text => write!(f, "{}:{text}", self.dimension),
        }
    }
}
