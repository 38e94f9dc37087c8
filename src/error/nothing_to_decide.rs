//! Why an actor can decide nothing about a request, in words for this person.

use crate::request::{ApprovalId, ApprovalTarget, Step, Timestamp};

/// Why there is nothing for an actor to decide about a request that waits for approval. If several reasons apply, this
/// is the first of them in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NothingToDecide {
    /// The actor has no id.
    Anonymous,
    /// The actor has voted in the active step or, if the request lets nobody decide twice, in any.
    Voted {
        /// What they voted on.
        approvals: Vec<ApprovalId>,
    },
    /// The actor's step is not active yet.
    NotYet {
        /// What the actor can decide in that step.
        approvals: Vec<ApprovalId>,
        /// Their next step.
        step: Step,
        /// The step that has to be decided now.
        active: Step,
    },
    /// The request excludes the actor from deciding.
    Excluded {
        /// The open approvals the actor matches.
        approvals: Vec<ApprovalId>,
    },
    /// The request was submitted by or for the actor, or by or for the person the actor acts for, who match only
    /// approvals that its requester may not decide.
    OwnRequest {
        /// The open approvals the actor matches.
        approvals: Vec<ApprovalId>,
        /// Who submitted the request.
        requester: String,
    },
    /// What the actor could have decided has expired.
    Expired {
        /// The expired approvals.
        approvals: Vec<ApprovalId>,
        /// When the last of them expired.
        expired_at: Timestamp,
    },
    /// What the actor could have decided was decided before, by them or by others, or is no longer needed.
    Decided {
        /// The approvals the actor matches.
        approvals: Vec<ApprovalId>,
    },
    /// No approval is addressed to the actor.
    NotAddressed {
        /// Whom the open approvals of the active step are addressed to.
        addressed: Vec<(ApprovalId, ApprovalTarget)>,
    },
}

/// The whole sentence; the explanation continues it after "it".
pub(super) fn sentence(actor: &str, why: &NothingToDecide, explanation: &str) -> String {
    let why = match why {
        NothingToDecide::Anonymous => {
            return "an actor without an id can decide nothing; give the actor's id".to_owned();
        }
        NothingToDecide::Voted { approvals } => format!("{actor} has voted already, on {}", list(approvals)),
        NothingToDecide::NotYet { approvals, .. } => {
            format!("{actor} can decide {} only after the earlier steps", list(approvals))
        }
        NothingToDecide::Excluded { approvals } => {
            format!("{actor} is excluded from deciding it, so somebody else has to decide {}", list(approvals))
        }
        NothingToDecide::OwnRequest { approvals, requester } if actor == requester => {
            format!("{actor} submitted it, so somebody else has to decide {}", list(approvals))
        }
        NothingToDecide::OwnRequest { approvals, requester } => {
            format!(
                "{actor} cannot decide it because it was submitted by {requester}, so somebody else has to decide {}",
                list(approvals)
            )
        }
        NothingToDecide::Expired { approvals, expired_at } => {
            format!("{actor} could decide {} only until {expired_at}", list(approvals))
        }
        NothingToDecide::Decided { approvals } => {
            let are = if approvals.len() == 1 { "is" } else { "are" };
            format!("{} {are} decided already, and no other approval is for {actor}", list(approvals))
        }
        NothingToDecide::NotAddressed { .. } => {
            format!("none of its approvals is for {actor}, by id, role or group")
        }
    };
    format!("{why}; it {explanation}")
}

fn list(approvals: &[ApprovalId]) -> String {
    let ids: Vec<String> = approvals.iter().map(ApprovalId::in_words).collect();
    match ids.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
