//! The dimensions that index rows: one row for each.

use std::fmt;

use super::KeyLayout;

/// Makes [`Dimension`] from rows. A row is
///
/// ```text
/// /// The rows it indexes, and by what.
/// Name: "name" as "code", key layout, lifetime, about usual size, of people, if chosen;
/// ```
///
/// The name is for people. Keys contain the code, which is short because every record of a waiting request repeats
/// some. Neither changes once released. The usual size is used until a term is counted, and affects only plans. `of
/// people`: the terms are ids, which indexes hold as the key that all spellings share. `if chosen`: an application has
/// to choose it.
macro_rules! dimensions {
    ($(
        $(#[$docs:meta])*
        $Name:ident: $name:literal as $code:literal, $Layout:ident, $Lifetime:ident, about $size:literal
            $(, of $people:ident)? $(, if $chosen:ident)?;
    )*) => {
        /// A dimension that indexes rows. A [`Term`](super::Term) is one value of a dimension; it holds the sort keys
        /// of the rows with that value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Dimension {
            $($(#[$docs])* $Name,)*
        }

        impl Dimension {
            /// Every dimension.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$Name),*];

            /// The dimension's name: lower-case words with hyphens, which never changes once released.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Name => $name,)* }
            }

            /// A few letters that no other dimension has, which never change once released, because keys contain them.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$Name => $code,)* }
            }

            /// The layout of the sort keys in this dimension.
            pub const fn layout(self) -> KeyLayout {
                match self { $(Self::$Name => KeyLayout::$Layout,)* }
            }

            /// How long an index entry stays true.
            pub const fn lifetime(self) -> Lifetime {
                match self { $(Self::$Name => Lifetime::$Lifetime,)* }
            }

            /// About how many keys one of its terms holds, if none was counted.
            #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only the Redis store plans"))]
            pub(crate) const fn usual_size(self) -> u64 {
                match self { $(Self::$Name => $size,)* }
            }

            /// Whether its terms are ids of actors, roles or groups, which indexes hold as the keys that all spellings
            /// share.
            pub(super) const fn is_of_people(self) -> bool {
                match self { $(Self::$Name => dimensions!(@is $($people)?),)* }
            }

            /// Whether it is indexed only if the application chose it.
            pub(crate) const fn is_chosen(self) -> bool {
                match self { $(Self::$Name => dimensions!(@is $($chosen)?),)* }
            }
        }
    };
    (@is) => { false };
    (@is $yes:ident) => { true };
}

/// How long an index entry stays true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lifetime {
    /// As long as the request exists: it depends only on fields fixed at submission.
    Lasting,
    /// Until the request changes, or the application's choice of indexes.
    Current,
    /// As long as the request exists, from its decision on.
    Growing,
}

dimensions! {
    /// Every request; the term is empty.
    All: "all" as "a", Created, Lasting, about 1_000_000_000;
    /// Requests by the state they would change.
    StateId: "state-id" as "si", Created, Lasting, about 100;
    /// Requests by the type of that state.
    StateType: "state-type" as "st", Created, Lasting, about 10_000_000;
    /// Requests by mutation type.
    MutationType: "mutation-type" as "mt", Created, Lasting, about 10_000_000;
    /// Requests by the id of the actor who submitted them, and of the person that actor acted for.
    ActorId: "actor-id" as "ac", Created, Lasting, about 10_000, of people;
    /// Requests by the category of their intent.
    Category: "category" as "ca", Created, Lasting, about 10_000_000;
    /// Requests by each tag of their intent.
    Tag: "tag" as "tg", Created, Lasting, about 1_000_000;
    /// Requests by risk level.
    Risk: "risk" as "rk", Created, Lasting, about 100_000_000;
    /// Requests by the scope of their blast radius, where they have one.
    BlastRadius: "blast-radius" as "br", Created, Lasting, about 100_000_000;
    /// Requests by status.
    Status: "status" as "s", Created, Current, about 10_000_000;
    /// Pending requests by their pending reason.
    PendingReason: "pending-reason" as "p", Created, Current, about 100_000;
    /// Pending requests by the state they would change.
    PendingOfState: "pending-of-state" as "ps", Created, Current, about 10;
    /// Requests by a pair of their metadata, for the keys that the application chose to index.
    Metadata: "metadata" as "m", Created, Current, about 1_000;
    /// Requests by the correlation id of the actor who submitted them.
    CorrelationId: "correlation-id" as "co", Created, Current, about 10, if chosen;
    /// Requests that are due to expire or have an open approval that is, the next first; the term is empty.
    Due: "due" as "d", Due, Current, about 100_000;
    /// Requests that wait for approval, by their own deadline, which ends deciding; the term is empty.
    DecisionDeadline: "decision-deadline" as "dd", Due, Current, about 100_000;
    /// Approved requests by the time they become ready to be executed, those that an executor holds apart, and those
    /// with a validity by its end once more.
    Ready: "ready" as "r", Ready, Current, about 10_000;
    /// Approved and executed requests with approval activity, the latest first; the term is empty.
    ApprovalActivity: "approval-activity" as "v", ApprovalActivity, Current, about 1_000_000;
    /// Every open approval: a pending approval of a request that waits for approval; the term is empty.
    Approval: "approval" as "o", Approval, Current, about 100_000;
    /// Open approvals by each actor id they are addressed to.
    ApproverId: "approver-id" as "oa", Approval, Current, about 1_000, of people;
    /// Open approvals by each role they are addressed to.
    ApproverRole: "approver-role" as "or", Approval, Current, about 1_000, of people;
    /// Open approvals by each group they are addressed to.
    ApproverGroup: "approver-group" as "og", Approval, Current, about 1_000, of people;
    /// Open approvals by the category of the request's intent.
    ApprovalCategory: "approval-category" as "oc", Approval, Current, about 100_000;
    /// Open approvals of the active step by each actor id they are addressed to, and those that approvals are addressed
    /// to whose vote can move to them.
    InboxActor: "inbox-actor" as "ia", Approval, Current, about 100, of people;
    /// Open approvals of the active step by each role, in the same way.
    InboxRole: "inbox-role" as "ir", Approval, Current, about 100, of people;
    /// Open approvals of the active step by each group, in the same way.
    InboxGroup: "inbox-group" as "ig", Approval, Current, about 100, of people;
    /// Every decision; the term is empty.
    Decision: "decision" as "e", Decision, Growing, about 1_000_000_000;
    /// Decisions by category and kind.
    DecisionKind: "decision-kind" as "ek", Decision, Growing, about 100_000_000;
    /// Decisions by the id of the actor who made them, and of the person that actor acted for.
    DecisionActor: "decision-actor" as "ea", Decision, Growing, about 10_000, of people;
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
