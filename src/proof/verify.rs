//! Verifies a history: whether its decisions are those that were recorded, and which one is not.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::chain::ordinal;
use super::hashing::{
    Hash, content_at_first, content_at_last, content_hash, decision_hash, next_head, submission_hash,
};
use super::keys::SealKeys;
use super::seal::{self, Sealed};
use crate::request::{
    DecisionKind, Digest, HashMark, HistoryChain, KeyId, LifecycleDecision, MutationRequest, RequestDocument, Status,
};

/// What verifying a history found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HistoryVerification {
    /// How many decisions the history has.
    pub decisions: u32,
    /// The first decision that is chained; `None` if none is. Decisions before it are not proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chained_from: Option<u32>,
    /// The first decision that a seal covers, if the history is sealed and the keys were given. What was decided after
    /// the seal was made is [`Unsealed`](HistoryProblem::Unsealed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_from: Option<u32>,
    /// The head of the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
    /// The first thing that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<HistoryProblem>,
}

/// Why a history is not the one that was recorded. Decisions are named by their ordinals, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "problem")]
#[non_exhaustive]
pub enum HistoryProblem {
    /// What was submitted was changed, or this is the history of another request.
    Submission,
    /// This decision was changed.
    Changed {
        /// Its ordinal.
        decision: u32,
    },
    /// This decision was recorded at another place.
    Reordered {
        /// Its ordinal.
        decision: u32,
        /// The ordinal that it was recorded at.
        recorded_at: u32,
    },
    /// The decision that was recorded here is gone.
    Missing {
        /// Its ordinal.
        decision: u32,
    },
    /// This decision was never recorded here.
    Foreign {
        /// Its ordinal.
        decision: u32,
    },
    /// Every decision has its mark, and yet they do not lead to the head: decisions and their marks were both changed.
    Head,
    /// The content of the request is not what it was submitted with, or last amended to.
    Content,
    /// The request has another status than its history led to.
    Status {
        /// The one that its history led to.
        recorded: Status,
    },
    /// The seal is not that of this key: somebody without the key wrote the history or the seal.
    Seal {
        /// The key that it names.
        key: KeyId,
    },
    /// The keys lack the one that the seal names.
    KeyMissing {
        /// The key that it names.
        key: KeyId,
    },
    /// Somebody without a key added this decision.
    Unsealed {
        /// Its ordinal.
        decision: u32,
    },
}

impl HistoryVerification {
    /// Whether nothing was found. What was decided before the chain or the seal begins is not proven by that: see
    /// [`chained_from`](Self::chained_from) and [`sealed_from`](Self::sealed_from).
    pub const fn is_intact(&self) -> bool {
        self.problem.is_none()
    }

    /// Whether nothing was found, and every decision is chained.
    pub const fn is_wholly_chained(&self) -> bool {
        self.is_intact() && matches!(self.chained_from, Some(0))
    }

    /// Whether nothing was found, and a seal covers every decision.
    pub const fn is_wholly_sealed(&self) -> bool {
        self.is_wholly_chained() && matches!(self.sealed_from, Some(0))
    }
}

/// Verifies the history of a request, with its seal if keys are given.
///
/// It finds every change of a decision, a decision that was added, removed or moved, another submission, another
/// content and another status, as long as whoever made them did not compute the chain again. Who can write the store can
/// do that, but not the seal, for which they need a key. The guide says what neither of them finds: an
/// older state of the whole request, and requests that are gone. A [`Checkpoint`](super::Checkpoint) finds these.
///
/// ```
/// use mutator_governance::proof::{HistoryProblem, verify_history};
/// use mutator_governance::workflow::{Command, apply, submit};
/// use mutator_governance::{ActorContext, Intent, RequestDraft, RequestId, Revision, Target, Timestamp, WriteId};
/// use mutator_governance::MutationRequest;
///
/// # fn main() -> Result<(), mutator_governance::Error> {
/// let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
/// let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("alice")?);
/// let request = submit(draft, RequestId::generate(), WriteId::generate(), Timestamp::now())?;
/// let request = apply(request, &Command::comment(ActorContext::user("bob")?, "Why?"), Timestamp::now())?;
/// assert!(verify_history(&request, None).is_wholly_chained());
///
/// let revision = request.revision();
/// let mut document = request.into_document();
/// document.decisions[1].reason = Some("I was never here".to_owned());
/// let changed = MutationRequest::from_document(document, revision)?;
/// let problem = verify_history(&changed, None).problem;
/// assert_eq!(problem, Some(HistoryProblem::Changed { decision: 1 }));
/// # Ok(())
/// # }
/// ```
pub fn verify_history(request: &MutationRequest, keys: Option<&SealKeys>) -> HistoryVerification {
    let document = request.document();
    let decisions = ordinal(document.decisions.len());
    let Some(chain) = &document.chain else {
        return HistoryVerification { decisions, chained_from: None, sealed_from: None, head: None, problem: None };
    };
    let sealed = chain.seal.as_ref().zip(keys);
    HistoryVerification {
        decisions,
        chained_from: Some(chain.first),
        sealed_from: sealed.map(|(seal, _)| seal.from),
        head: Some(chain.head),
        problem: problem(document, chain, keys),
    }
}

fn problem(document: &RequestDocument, chain: &HistoryChain, keys: Option<&SealKeys>) -> Option<HistoryProblem> {
    let first = usize::try_from(chain.first).unwrap_or(usize::MAX);
    let Some(content) = content_at_first(document, first) else { return Some(HistoryProblem::Submission) };
    let origin = submission_hash(document, content, chain.first, chain.salt);
    let chained = document.decisions.iter().skip(first);
    let hashes: Vec<Hash> = chained.map(|decision| decision_hash(decision, chain.salt)).collect();
    if let Some(problem) = misplaced(chain.first, &chain.marks, &hashes) {
        return Some(problem);
    }
    if HashMark::of(&origin) != chain.origin {
        return Some(HistoryProblem::Submission);
    }
    let head = hashes.iter().fold(origin, |head, hash| next_head(&head, hash));
    if chain.head.as_bytes() != &head {
        return Some(HistoryProblem::Head);
    }
    if content_at_last(document).is_some_and(|content| content != content_hash(document, None)) {
        return Some(HistoryProblem::Content);
    }
    unsealed(document, chain, keys).or_else(|| status(document))
}

/// The head over the first `count` decisions, whether they were chained when they were recorded or not; `None` if there are fewer.
pub(super) fn head_after(document: &RequestDocument, count: usize) -> Option<Digest> {
    let decisions = document.decisions.get(..count)?;
    let salt = document.chain.as_ref().filter(|chain| chain.first == 0).and_then(|chain| chain.salt);
    let content = content_at_first(document, 0).unwrap_or(Digest::from_bytes([0; 32]));
    let origin = submission_hash(document, content, 0, salt);
    let head = decisions.iter().fold(origin, |head, decision| next_head(&head, &decision_hash(decision, salt)));
    Some(Digest::from_bytes(head))
}

/// The first decision that does not have the mark of its place.
fn misplaced(first: u32, marks: &[HashMark], hashes: &[Hash]) -> Option<HistoryProblem> {
    let found: Vec<HashMark> = hashes.iter().map(HashMark::of).collect();
    let fitting = marks.iter().zip(&found).take_while(|(mark, found)| mark == found).count();
    let decision = first.saturating_add(ordinal(fitting));
    let place_in = |all: &[HashMark], mark: &HashMark| {
        let later: HashMap<_, _> = all.iter().enumerate().skip(fitting).map(|(place, mark)| (mark.0, place)).collect();
        later.get(&mark.0).copied()
    };
    match (marks.get(fitting), found.get(fitting)) {
        (None, None) => None,
        (None, Some(_)) => Some(HistoryProblem::Foreign { decision }),
        (Some(_), None) => Some(HistoryProblem::Missing { decision }),
        (Some(mark), Some(here)) => Some(match (place_in(marks, here), place_in(&found, mark)) {
            (Some(place), Some(_)) => {
                let recorded_at = first.saturating_add(ordinal(place));
                HistoryProblem::Reordered { decision, recorded_at }
            }
            (Some(_), None) => HistoryProblem::Missing { decision },
            (None, Some(_)) => HistoryProblem::Foreign { decision },
            (None, None) => HistoryProblem::Changed { decision },
        }),
    }
}

fn unsealed(document: &RequestDocument, chain: &HistoryChain, keys: Option<&SealKeys>) -> Option<HistoryProblem> {
    let (keys, seal) = (keys?, chain.seal.as_ref()?);
    let key = seal.key.clone();
    if seal.decisions != ordinal(document.decisions.len()) {
        return Some(HistoryProblem::Unsealed { decision: seal.decisions });
    }
    match seal::check(seal, &document.id, chain.head, keys) {
        Sealed::Yes => None,
        Sealed::No => Some(HistoryProblem::Seal { key }),
        Sealed::KeyMissing => Some(HistoryProblem::KeyMissing { key }),
    }
}

/// Every change of the status is a decision.
fn status(document: &RequestDocument) -> Option<HistoryProblem> {
    let recorded = document.decisions.iter().rev().find_map(|decision| status_of(decision.kind))?;
    (recorded != document.state.status()).then_some(HistoryProblem::Status { recorded })
}

const fn status_of(kind: DecisionKind) -> Option<Status> {
    let DecisionKind::Lifecycle(kind) = kind else { return None };
    Some(match kind {
        LifecycleDecision::Submitted => Status::Created,
        LifecycleDecision::Pending => Status::Pending,
        LifecycleDecision::Approved => Status::Approved,
        LifecycleDecision::Rejected => Status::Rejected,
        LifecycleDecision::Canceled => Status::Canceled,
        LifecycleDecision::Expired => Status::Expired,
        LifecycleDecision::Superseded => Status::Superseded,
        LifecycleDecision::Executed => Status::Executed,
        LifecycleDecision::Compensated | LifecycleDecision::Amended => return None,
    })
}

impl fmt::Display for HistoryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submission => {
                f.write_str("what was submitted was changed, or the history is that of another request")
            }
            Self::Changed { decision } => write!(f, "decision {decision} was changed"),
            Self::Reordered { decision, recorded_at } => {
                write!(f, "decision {decision} was recorded as decision {recorded_at}")
            }
            Self::Missing { decision } => write!(f, "the decision that was recorded as decision {decision} is missing"),
            Self::Foreign { decision } => write!(f, "decision {decision} was never recorded here"),
            Self::Head => f.write_str("decisions and their marks were both changed: they do not lead to the head"),
            Self::Content => f.write_str("the content is not what the last amendment made it"),
            Self::Status { recorded } => write!(f, "the history led to the status {}", recorded.as_str()),
            Self::Seal { key } => write!(f, "the seal is not that of key {key}"),
            Self::KeyMissing { key } => write!(f, "key {key} made the seal; give it to verify the seal"),
            Self::Unsealed { decision } => write!(f, "somebody without a key added decision {decision}"),
        }
    }
}
