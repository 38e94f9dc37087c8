//! The types version 1 consists of. FROZEN: the order of fields and of variants *is* the format.
//!
//! Text, bytes and lists are written behind their length; enums as the number of their variant, counted from 0 in the
//! order below; options as 0 or 1; integers as bincode's variable-length ones. Times are microseconds since 1970.

use bincode::de::BorrowDecoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{BorrowDecode, Decode, Encode};

use super::super::limits::Budget;
use super::metadata::{Map, decode_length, encode_length, spent};

type Time = u64;

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Document<'a> {
    pub(super) id: &'a str,
    pub(super) state_id: &'a str,
    pub(super) state_type: &'a str,
    pub(super) mutation_type: &'a str,
    pub(super) intent: Intent<'a>,
    pub(super) requested_by: Actor<'a>,
    pub(super) payload: Option<Payload<'a>>,
    pub(super) state: State<'a>,
    pub(super) requirements: List<Requirement<'a>, 256>,
    pub(super) approvals: List<Approval<'a>, 1536>,
    pub(super) approval_round: u32,
    pub(super) decisions: List<Decision<'a>, 1024>,
    pub(super) side_effects: List<SideEffect<'a>, 256>,
    pub(super) expected_version: Option<&'a str>,
    pub(super) reviewed_version: Option<&'a str>,
    pub(super) execution: Execution<'a>,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
    pub(super) metadata: Map<'a>,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Intent<'a> {
    pub(super) operation: &'a str,
    pub(super) category: &'a str,
    pub(super) description: Option<&'a str>,
    pub(super) risk: RiskLevel,
    pub(super) reversible: bool,
    pub(super) blast_radius: Option<BlastRadius<'a>>,
    pub(super) tags: Names<'a>,
    pub(super) metadata: Map<'a>,
    pub(super) created_at: Option<Time>,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum RiskLevel {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct BlastRadius<'a> {
    pub(super) scope: BlastScope,
    pub(super) estimated_count: Option<u64>,
    pub(super) description: Option<&'a str>,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum BlastScope {
    Single,
    Module,
    System,
    Global,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Actor<'a> {
    pub(super) kind: ActorKind,
    pub(super) id: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) roles: Names<'a>,
    pub(super) groups: Names<'a>,
    pub(super) reason: Option<&'a str>,
    pub(super) mode: ActorMode,
    pub(super) correlation_id: Option<&'a str>,
    pub(super) causation_id: Option<&'a str>,
    pub(super) session_id: Option<&'a str>,
    pub(super) source_address: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
    pub(super) time_zone: Option<&'a str>,
    pub(super) culture: Option<&'a str>,
    pub(super) at: Option<Time>,
    pub(super) metadata: Map<'a>,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum ActorKind {
    Unknown,
    User,
    System,
    Service,
    Policy,
    Scheduler,
    Administrator,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum ActorMode {
    Simulate,
    Validate,
    Commit,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Payload<'a> {
    pub(super) content_type: &'a str,
    pub(super) bytes: &'a [u8],
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) enum State<'a> {
    Created,
    Pending { reason: PendingReason, expires_at: Option<Time> },
    Approved,
    Rejected,
    Canceled,
    Expired,
    Superseded { by: &'a str },
    Executed { at: Time, resulting_version: Option<&'a str> },
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum PendingReason {
    Approval,
    ExternalCheck,
    Schedule,
    Dependency,
    Quota,
    ManualReview,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Requirement<'a> {
    pub(super) kind: &'a str,
    pub(super) description: &'a str,
    pub(super) data: Map<'a>,
    pub(super) fulfilled: bool,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Approval<'a> {
    pub(super) id: &'a str,
    pub(super) target_actor_ids: Names<'a>,
    pub(super) target_roles: Names<'a>,
    pub(super) target_groups: Names<'a>,
    pub(super) description: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) step: u32,
    pub(super) quorum: Option<Quorum<'a>>,
    pub(super) expires_at: Option<Time>,
    pub(super) decider: DeciderRule,
    pub(super) state: ApprovalState<'a>,
    pub(super) metadata: Map<'a>,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Quorum<'a> {
    pub(super) group: &'a str,
    pub(super) required: u32,
    pub(super) rejection: QuorumRejection,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum QuorumRejection {
    Any,
    WhenImpossible,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum DeciderRule {
    NotTheRequester,
    Anyone,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) enum ApprovalState<'a> {
    Pending,
    Approved { verdict: Verdict<'a> },
    Rejected { verdict: Verdict<'a>, rejection: Option<Rejection<'a>> },
    Satisfied { at: Time },
    Expired { at: Time },
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Verdict<'a> {
    pub(super) by: Actor<'a>,
    pub(super) at: Time,
    pub(super) reason: Option<&'a str>,
    pub(super) digest: [u8; 32],
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Rejection<'a> {
    pub(super) code: &'a str,
    pub(super) category: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) metadata: Map<'a>,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Decision<'a> {
    pub(super) kind: DecisionKind,
    pub(super) by: Actor<'a>,
    pub(super) reason: Option<&'a str>,
    pub(super) at: Time,
    pub(super) metadata: Map<'a>,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum DecisionKind {
    Lifecycle(LifecycleDecision),
    Approval(ApprovalDecision),
    VersionResolution(VersionDecision),
    Execution(ExecutionDecision),
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum LifecycleDecision {
    Submitted,
    Pending,
    Approved,
    Rejected,
    Canceled,
    Expired,
    Superseded,
    Executed,
    Compensated,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum ApprovalDecision {
    Requested,
    Granted,
    Rejected,
    QuorumSatisfied,
    Expired,
    Overridden,
    Renewed,
    Delegated,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum VersionDecision {
    Validated,
    RevalidationRequired,
    RenewedApprovalRequired,
    RejectedAsStale,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum ExecutionDecision {
    Claimed,
    Released,
    Failed,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct SideEffect<'a> {
    pub(super) effect_type: &'a str,
    pub(super) description: &'a str,
    pub(super) severity: Severity,
    pub(super) data: Option<Map<'a>>,
    pub(super) contract_id: Option<&'a str>,
    pub(super) at: Time,
    pub(super) requires_action: bool,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum Severity {
    Info,
    Warning,
    Error,
    Critical,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Execution<'a> {
    pub(super) kind: ExecutionKind<'a>,
    pub(super) links: List<Link<'a>, 64>,
    pub(super) claim: Option<Claim<'a>>,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) enum ExecutionKind<'a> {
    Standard,
    Compensation {
        compensates: &'a str,
        kind: CompensationKind,
        trigger: CompensationTrigger,
        related: Names<'a>,
        description: Option<&'a str>,
    },
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum CompensationKind {
    Rollback,
    ForwardCorrection,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum CompensationTrigger {
    Operator,
    Batch,
    FailedExecution,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Link<'a> {
    pub(super) relation: LinkRelation,
    pub(super) request: &'a str,
}

#[derive(Encode, Decode, Clone, Copy, Debug, PartialEq)]
pub(super) enum LinkRelation {
    Compensates,
    CompensatedBy,
    BeingCompensatedBy,
    WasToBeCompensatedBy,
    Supersedes,
    WasToSupersede,
}

#[derive(Encode, BorrowDecode, Debug, PartialEq)]
#[bincode(decode_context = "Budget")]
pub(super) struct Claim<'a> {
    pub(super) id: [u8; 16],
    pub(super) by: Actor<'a>,
    pub(super) at: Time,
    pub(super) lease_ends_at: Time,
}

/// Things behind their number, each charged `CHARGE` bytes of the budget before room is made for it.
#[derive(Debug, PartialEq)]
pub(super) struct List<T, const CHARGE: usize>(pub(super) Vec<T>);

impl<T: Encode, const CHARGE: usize> Encode for List<T, CHARGE> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_length(self.0.len(), encoder)?;
        self.0.iter().try_for_each(|thing| thing.encode(encoder))
    }
}

impl<'de, T: BorrowDecode<'de, Budget>, const CHARGE: usize> BorrowDecode<'de, Budget> for List<T, CHARGE> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Budget>>(decoder: &mut D) -> Result<Self, DecodeError> {
        const { assert!(size_of::<T>() <= CHARGE, "a thing takes more than it is charged") };
        let count = decode_length(decoder)?;
        decoder.context().charge(count, CHARGE).map_err(spent)?;
        let mut things = Vec::with_capacity(count);
        for _ in 0..count {
            things.push(T::borrow_decode(decoder)?);
        }
        Ok(Self(things))
    }
}

/// A set of names in ascending order, behind their number.
#[derive(Debug, PartialEq)]
pub(super) struct Names<'a>(pub(super) Vec<&'a str>);

impl Encode for Names<'_> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_length(self.0.len(), encoder)?;
        self.0.iter().try_for_each(|name| name.encode(encoder))
    }
}

impl<'de> BorrowDecode<'de, Budget> for Names<'de> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Budget>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let count = decode_length(decoder)?;
        decoder.context().charge_set(count).map_err(spent)?;
        let mut names: Vec<&str> = Vec::with_capacity(count);
        for _ in 0..count {
            let name = <&str>::borrow_decode(decoder)?;
            if names.last().is_some_and(|last| *last >= name) {
                return Err(DecodeError::OtherString(format!("{name:?} is not in ascending order in its set")));
            }
            names.push(name);
        }
        Ok(Self(names))
    }
}
