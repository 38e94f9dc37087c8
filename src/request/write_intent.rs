//! The intent of a write, which tells its repetition from another write under the same id.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::canonical::canonical_bytes;
use super::{ActingFor, ActorContext, ActorId, ActorKind, Decision, MutationRequest, RequestDocument};

/// The intent of a write, as a kind and a fingerprint: a write id belongs to one intent.
///
/// The intent of a command covers its action with all arguments, the actor (kind and id, or the name if there is no id)
/// and the reason; that of a submission covers the whole draft except its id, and the same of its requester. An actor's
/// circumstances (address, session, user agent, correlation, time, roles, groups, time zone, culture, metadata) are
/// excluded: they differ between attempts.
///
/// The fingerprint is the first 56 bits of a SHA-256. It detects mistakes; it does not stop somebody who searches for
/// two commands with one fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct WriteIntent {
    kind: WriteKind,
    #[serde(with = "fingerprint_text")]
    #[cfg_attr(feature = "schemars", schemars(with = "String", regex(pattern = "^[0-9a-f]{14}$")))]
    fingerprint: [u8; 7],
}

/// A fingerprint as 14 hexadecimal digits.
mod fingerprint_text {
    use serde::de::{Deserialize, Deserializer, Error as _};
    use serde::ser::Serializer;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
    pub(super) fn serialize<S: Serializer>(fingerprint: &[u8; 7], serializer: S) -> Result<S::Ok, S::Error> {
        let number = fingerprint.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        serializer.collect_str(&format_args!("{number:014x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 7], D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_hexadecimal = text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(&text, 16).ok().filter(|_| is_hexadecimal);
        let [_, fingerprint @ ..] =
            number.ok_or_else(|| D::Error::custom("a fingerprint has 14 hexadecimal digits"))?.to_be_bytes();
        Ok(fingerprint)
    }
}

macro_rules! write_kinds {
    ($($(#[$about:meta])* $kind:ident = $number:literal: $words:literal,)*) => {
        /// The kind of a write.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub enum WriteKind {
            $($(#[$about])* $kind,)*
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
    /// Makes a request.
    Submit = 1: "submit it",
    /// Changes it without a command.
    Update = 2: "update it without a command",
    /// Restores a damaged record: see `RedisStore::repair`.
    Repair = 3: "repair its record",
    /// Applies several commands at once.
    Several = 4: "apply several commands to it",
    /// Approves a request directly.
    ApproveRequest = 10: "approve it",
    /// Rejects a request.
    RejectRequest = 11: "reject it",
    /// Cancels a request.
    Cancel = 12: "cancel it",
    /// Expires a request.
    Expire = 13: "expire it",
    /// Supersedes a request.
    Supersede = 14: "supersede it",
    /// Makes it wait.
    Hold = 15: "hold it",
    /// Requests its approvals.
    RequestApprovals = 16: "request its approvals",
    /// Approves one requirement.
    ApproveRequirement = 20: "approve one of its approvals",
    /// Rejects one requirement.
    RejectRequirement = 21: "reject one of its approvals",
    /// Approves all that its actor may approve.
    Approve = 24: "approve for one of its approvers",
    /// Rejects all that its actor may reject.
    Reject = 25: "reject for one of its approvers",
    /// Takes back votes of its actor.
    Withdraw = 26: "withdraw a vote on it",
    /// Expires approvals.
    ExpireApprovals = 22: "expire its approvals",
    /// Overrides approvals: break-glass.
    OverrideApprovals = 23: "override its approvals",
    /// Sends it back to its requester.
    RequestChanges = 17: "send it back",
    /// Amends it.
    Amend = 18: "amend it",
    /// Resolves it against the current version of its state.
    Resolve = 30: "resolve its version",
    /// Changes the time before which it is not executed.
    Schedule = 31: "schedule it",
    /// Approves it again after it was revalidated.
    Revalidate = 32: "revalidate it",
    /// Claims it for execution.
    Claim = 40: "claim it",
    /// Releases a claim.
    Release = 41: "release its claim",
    /// Records that it was executed.
    Complete = 42: "complete its execution",
    /// Records that its execution failed.
    Fail = 43: "record that its execution failed",
    /// Comments on it.
    Comment = 50: "comment on it",
    /// Hands on one of its approvals.
    Delegate = 60: "delegate one of its approvals",
    /// Addresses one of its approvals to others.
    Reassign = 61: "reassign one of its approvals",
    /// Adds approvals.
    AddApproval = 62: "add an approval to it",
    /// Removes an approval.
    RemoveApproval = 63: "remove one of its approvals",
    /// Links its compensation.
    LinkCompensation = 44: "link its compensation",
    /// A kind that only a newer release knows.
    #[serde(other)]
    Other = 255: "do what only a newer release knows",
}

impl WriteIntent {
    /// The size of [`to_bytes`](Self::to_bytes).
    pub const BYTES: usize = 8;

    /// The intent of a write of this kind with this content.
    pub(crate) fn of(kind: WriteKind, content: &impl Serialize) -> Self {
        let digest = sha2::Sha256::digest(canonical_bytes(content));
        let mut fingerprint = [0; 7];
        fingerprint.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self { kind, fingerprint }
    }

    /// The intent of a repair, which is never repeated.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only what Redis stores is repaired"))]
    pub(crate) const REPAIR: Self = Self { kind: WriteKind::Repair, fingerprint: [0; 7] };

    /// The kind of the write.
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

    /// The intent that a store kept in these bytes.
    pub const fn from_bytes([kind, fingerprint @ ..]: [u8; Self::BYTES]) -> Self {
        Self { kind: WriteKind::of_number(kind), fingerprint }
    }

    /// This intent followed by the next one.
    pub(crate) fn and_then(self, next: Self) -> Self {
        Self::of(WriteKind::Several, &(self.to_bytes(), next.to_bytes()))
    }

    /// The intent of an update without a command. It covers the first added decision, if any: what somebody did comes
    /// first, and what follows from it depends on what others did.
    fn of_update(document: &RequestDocument, added: Option<&Decision>) -> Self {
        match added {
            Some(decision) => Self::of_decision(decision),
            None => Self::of_content(WriteKind::Update, document),
        }
    }

    /// The length and the last decision stand for the whole history, which may be long.
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
            approver_limits,
            participants,
            unique_key,
            chain: _,
        } = document;
        let submitted = (target, intent, requested_by, payload, requirements, created_at, approver_limits);
        let decided = (state, approvals, approval_round, decisions.len(), decisions.last(), updated_at);
        let content = (submitted, decided, side_effects, versioning, execution, metadata);
        match unique_key {
            None if participants.is_empty() => Self::of(kind, &content),
            None => Self::of(kind, &(content, participants)),
            Some(key) => Self::of(kind, &(content, participants, key)),
        }
    }

    /// The time is excluded: it differs between attempts.
    fn of_decision(decision: &Decision) -> Self {
        let Decision { kind, by, reason, at: _, metadata } = decision;
        Self::of(WriteKind::Update, &(kind, Who::of(by), reason, metadata))
    }
}

/// Who acts, and why: an actor's context without the circumstances.
#[derive(Serialize)]
pub(crate) struct Who<'a> {
    kind: ActorKind,
    id: Option<&'a ActorId>,
    name: Option<&'a str>,
    reason: Option<&'a str>,
    acting_for: Option<&'a ActingFor>,
}

impl<'a> Who<'a> {
    pub(crate) fn of(actor: &'a ActorContext) -> Self {
        // The id identifies the actor, whatever name is shown.
        let acting_for = actor.acting_for.as_ref();
        let name = if actor.id.is_none() { actor.name.as_deref() } else { None };
        Self { kind: actor.kind, id: actor.id.as_ref(), name, reason: actor.reason.as_deref(), acting_for }
    }
}

/// The intent of storing a request, for authors of stores. For a request from [`workflow`](crate::workflow) it is the
/// intent of the command or the draft; for any other it is derived from the content.
impl MutationRequest {
    /// The intent of creating this request.
    pub fn creation_intent(&self) -> WriteIntent {
        self.write_intent().unwrap_or_else(|| WriteIntent::of_content(WriteKind::Submit, self.document()))
    }

    /// The intent of an update to this request, from a stored one with this many decisions.
    pub fn update_intent(&self, stored_decisions: usize) -> WriteIntent {
        let derived = || WriteIntent::of_update(self.document(), self.decisions.get(stored_decisions));
        self.write_intent().unwrap_or_else(derived)
    }

    /// Whether an update of this intent, which made revision `number` and led to `stored`, may have stored this
    /// request.
    pub(crate) fn repeats(&self, intent: WriteIntent, number: u64, stored: &Self) -> bool {
        if let Some(own) = self.write_intent() {
            return own == intent;
        }
        // A request read after that write can only be meant as another update.
        if self.revision().number >= number {
            return false;
        }
        let known = self.decisions.iter().zip(&stored.decisions).take_while(|(ours, theirs)| ours == theirs).count();
        match self.decisions.get(known) {
            Some(added) => WriteIntent::of_decision(added) == intent,
            // All its decisions are stored. If a command made it, it has more decisions than were read, as far as that
            // is known, and the last one dates its last change.
            None => match intent.kind() {
                WriteKind::Update => {
                    WriteIntent::of_update(self.document(), None) == intent
                        || self.decisions.iter().any(|decision| WriteIntent::of_decision(decision) == intent)
                }
                WriteKind::Submit | WriteKind::Repair => false,
                _ => {
                    self.may_hold_new_decisions()
                        && self.decisions.last().is_some_and(|last| last.at == self.updated_at)
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
