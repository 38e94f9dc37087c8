//! What a write is meant to do: what tells its repetition from another write under the same id.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::canonical::canonical_bytes;
use super::{ActorContext, ActorId, ActorKind, Decision, MutationRequest, RequestDocument};

/// What a write is meant to do, as a kind and a fingerprint: a write id answers only for the intent it was used for.
///
/// A command's is made of its action with all arguments, of who gives it (kind and id, without an id the name) and of the reason
/// given; a submission's of the whole draft but for its id, and of the same of its requester. The circumstances
/// of an actor (address, session, user agent, correlation, time, roles, groups, time zone, culture, metadata) are no part of it:
/// they differ from one attempt to the next.
///
/// The fingerprint is the first 56 bits of a SHA-256. It tells mistakes apart; it is no proof against somebody who looks for
/// two commands of one fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WriteIntent {
    kind: WriteKind,
    fingerprint: [u8; 7],
}

macro_rules! write_kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $number:literal: $words:literal,)*) => {
        /// What kind of write it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum WriteKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl WriteKind {
            const fn number(self) -> u8 {
                match self {
                    $(Self::$kind => $number,)*
                }
            }

            const fn of_number(number: u8) -> Self {
                match number {
                    $($number => Self::$kind,)*
                    _ => Self::Other,
                }
            }

            /// The kind in words: what a write "was used to" do.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $words,)*
                }
            }
        }
    };
}

write_kinds! {
    /// A kind that only a newer release knows.
    Other = 255: "do what only a newer release knows",
    /// Makes a request.
    Submit = 1: "submit it",
    /// Changes it otherwise than by a command.
    Update = 2: "update it without a command",
    /// Restores a damaged record: see `RedisStore::repair`.
    Repair = 3: "repair its record",
    /// Carries out several commands at once.
    Several = 4: "apply several commands to it",
    /// Approves a request directly.
    ApproveRequest = 10: "approve it",
    /// Rejects a request.
    RejectRequest = 11: "reject it",
    /// Cancels a request.
    Cancel = 12: "cancel it",
    /// Expires a request.
    Expire = 13: "expire it",
    /// Puts another request in its place.
    Supersede = 14: "supersede it",
    /// Lets it wait.
    Hold = 15: "hold it",
    /// Asks for its approvals.
    RequestApprovals = 16: "request its approvals",
    /// Grants one approval.
    ApproveRequirement = 20: "approve one of its approvals",
    /// Rejects one approval.
    RejectRequirement = 21: "reject one of its approvals",
    /// Expires approvals.
    ExpireApprovals = 22: "expire its approvals",
    /// Breaks the glass.
    OverrideApprovals = 23: "override its approvals",
    /// Resolves it against the current version of its state.
    Resolve = 30: "resolve its version",
    /// Claims it for execution.
    Claim = 40: "claim it",
    /// Gives a claim up.
    Release = 41: "release its claim",
    /// Records that it was executed.
    Complete = 42: "complete its execution",
    /// Records that its execution failed.
    Fail = 43: "record that its execution failed",
    /// Links its compensation.
    LinkCompensation = 44: "link its compensation",
}

impl WriteIntent {
    /// How many bytes [`to_bytes`](Self::to_bytes) makes.
    pub const BYTES: usize = 8;

    /// The intent of a write of this kind, made of this.
    pub(crate) fn of(kind: WriteKind, content: &impl Serialize) -> Self {
        let digest = sha2::Sha256::digest(canonical_bytes(content));
        let mut fingerprint = [0; 7];
        fingerprint.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self { kind, fingerprint }
    }

    /// That of a repair, which nothing repeats.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only what Redis stores is repaired"))]
    pub(crate) const REPAIR: Self = Self { kind: WriteKind::Repair, fingerprint: [0; 7] };

    /// What kind of write it is.
    pub const fn kind(&self) -> WriteKind {
        self.kind
    }

    /// The intent as a store keeps it.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [self.kind.number(); Self::BYTES];
        for (byte, of_fingerprint) in bytes.iter_mut().skip(1).zip(self.fingerprint) {
            *byte = of_fingerprint;
        }
        bytes
    }

    /// The intent that a store kept as these bytes.
    pub const fn from_bytes([kind, fingerprint @ ..]: [u8; Self::BYTES]) -> Self {
        Self { kind: WriteKind::of_number(kind), fingerprint }
    }

    /// This, and then that.
    pub(crate) fn and_then(self, next: Self) -> Self {
        Self::of(WriteKind::Several, &(self.to_bytes(), next.to_bytes()))
    }

    /// That of an update by nothing but this document, to which this is the first decision to be added, if there is one:
    /// what somebody did stands first, and what follows from it depends on what others have done.
    fn of_update(document: &RequestDocument, added: Option<&Decision>) -> Self {
        match added {
            Some(decision) => Self::of_decision(decision),
            None => Self::of_content(WriteKind::Update, document),
        }
    }

    /// Of the history, which may be long, its length and its last decision stand for the whole.
    fn of_content(kind: WriteKind, document: &RequestDocument) -> Self {
        let RequestDocument {
            id: _,
            target,
            intent,
            requested_by,
            payload,
            state,
            requirements,
            approvals,
            approval_round,
            decisions,
            side_effects,
            versioning,
            execution,
            created_at,
            updated_at,
            id_comparison: _,
            metadata,
        } = document;
        let submitted = (target, intent, requested_by, payload, requirements, created_at);
        let decided = (state, approvals, approval_round, decisions.len(), decisions.last(), updated_at);
        Self::of(kind, &(submitted, decided, side_effects, versioning, execution, metadata))
    }

    /// The time is left out: another attempt has another.
    fn of_decision(decision: &Decision) -> Self {
        let Decision { kind, by, reason, at: _, metadata } = decision;
        Self::of(WriteKind::Update, &(kind, Who::of(by), reason, metadata))
    }
}

/// Who acts, and why: of an actor's context what is no circumstance.
#[derive(Serialize)]
pub(crate) struct Who<'a> {
    kind: ActorKind,
    id: Option<&'a ActorId>,
    name: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> Who<'a> {
    pub(crate) fn of(actor: &'a ActorContext) -> Self {
        // An id says who it is, whatever name is shown for it.
        let name = if actor.id.is_none() { actor.name.as_deref() } else { None };
        Self { kind: actor.kind, id: actor.id.as_ref(), name, reason: actor.reason.as_deref() }
    }
}

/// What storing a request is meant to do, for those who write a store. Of what [`workflow`](crate::workflow) made, it is that of
/// the command or the draft; of any other it is derived from the content.
impl MutationRequest {
    /// The intent of creating it.
    pub fn creation_intent(&self) -> WriteIntent {
        self.write_intent().unwrap_or_else(|| WriteIntent::of_content(WriteKind::Submit, self.document()))
    }

    /// The intent of replacing by it a stored request that has so many decisions.
    pub fn update_intent(&self, stored_decisions: usize) -> WriteIntent {
        let derived = || WriteIntent::of_update(self.document(), self.decisions.get(stored_decisions));
        self.write_intent().unwrap_or_else(derived)
    }

    /// Whether it may have been stored by an update of this intent, which made revision `number` and left `stored` behind, or led
    /// to it.
    pub(crate) fn repeats(&self, intent: WriteIntent, number: u64, stored: &Self) -> bool {
        if let Some(own) = self.write_intent() {
            return own == intent;
        }
        // Made of what that write left, or of later: it can only be meant to be another.
        if self.revision().number >= number {
            return false;
        }
        let known = self.decisions.iter().zip(&stored.decisions).take_while(|(ours, theirs)| ours == theirs).count();
        match self.decisions.get(known) {
            Some(added) => WriteIntent::of_decision(added) == intent,
            // All its decisions are stored. One that a command made holds more of them than were read, as far as that is known,
            // and was changed last by the last of them.
            None => match intent.kind() {
                WriteKind::Update => {
                    WriteIntent::of_update(self.document(), None) == intent
                        || self.decisions.iter().any(|decision| WriteIntent::of_decision(decision) == intent)
                }
                WriteKind::Submit | WriteKind::Repair => false,
                _ => {
                    let is_decided = self.decisions.len() > self.stored_decisions();
                    is_decided && self.decisions.last().is_some_and(|last| last.at == self.updated_at)
                }
            },
        }
    }
}

impl fmt::Display for WriteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_read_back_from_its_bytes() {
        for number in 0..=u8::MAX {
            let kind = WriteKind::of_number(number);
            assert!(kind.number() == number || kind == WriteKind::Other, "{kind:?}");
            let intent = WriteIntent::of(kind, &number);
            assert_eq!(WriteIntent::from_bytes(intent.to_bytes()), intent);
            assert!(!kind.to_string().is_empty());
        }
    }
}
