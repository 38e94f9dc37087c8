//! Drafts: what is to be submitted.

use std::sync::Arc;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    ActorContext, ActorId, ApprovalRule, ApproverLimits, CompensationPlan, ExecutionKind, IdComparison, Intent,
    Metadata, Participants, Payload, Pending, PendingReason, Period, RequestId, Requirement, RetryPolicy, Salt,
    StateVersion, Target, Timestamp, UniqueKey,
};
use crate::error::{Error, InvalidValue};
use crate::json::Strict;

/// A request before submission: the change, who asks for it, and what it has to wait for.
///
/// A draft with approval rules waits for approval; one that waits for something else says so by
/// [`waiting_for`](Self::waiting_for). Any other becomes a created request, or an approved one by
/// [`already_approved`](Self::already_approved).
///
/// It can be read from JSON, where a field that is not known is an error.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "Strict<Fields>")]
pub struct RequestDraft {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<RequestId>,
    pub(crate) target: Target,
    pub(crate) intent: Intent,
    pub(crate) requested_by: Arc<ActorContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) initial_state: Option<InitialState>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) requirements: Vec<Requirement>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) approval_rules: Vec<ApprovalRule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected_version: Option<StateVersion>,
    #[serde(skip_serializing_if = "ExecutionKind::is_standard")]
    pub(crate) execution: ExecutionKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resubmits: Option<RequestId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<RetryPolicy>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub(crate) metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_for: Option<Period>,
    #[serde(skip_serializing_if = "ApproverLimits::is_none")]
    pub(crate) approver_limits: ApproverLimits,
    #[serde(skip_serializing_if = "Participants::is_empty")]
    pub(crate) participants: Participants,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unique_key: Option<UniqueKey>,
    #[serde(skip_serializing_if = "IdComparison::is_default")]
    pub(crate) id_comparison: IdComparison,
    /// For the commitments to personal fields; a service draws it.
    #[serde(skip)]
    pub(crate) salt: Option<Salt>,
}

/// The state that a request can have when it is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "status")]
pub enum InitialState {
    /// Nobody has to do anything yet.
    Created,
    /// It waits.
    Pending(Pending),
    /// It may be executed at once.
    Approved,
}

impl RequestDraft {
    /// A draft of this change, requested by this actor.
    pub fn new(target: Target, intent: Intent, requested_by: impl Into<Arc<ActorContext>>) -> Self {
        Self {
            id: None,
            target,
            intent,
            requested_by: requested_by.into(),
            payload: None,
            initial_state: None,
            requirements: Vec::new(),
            approval_rules: Vec::new(),
            expected_version: None,
            execution: ExecutionKind::Standard,
            resubmits: None,
            retry: None,
            metadata: Metadata::new(),
            not_before: None,
            valid_for: None,
            approver_limits: ApproverLimits::default(),
            participants: Participants::default(),
            unique_key: None,
            id_comparison: IdComparison::default(),
            salt: None,
        }
    }

    /// Submits the request under this id instead of a generated one.
    pub fn with_id(mut self, id: RequestId) -> Self {
        self.id = Some(id);
        self
    }

    /// Attaches the change itself.
    pub fn with_payload(mut self, payload: Payload) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Expects this version of the state.
    pub fn for_version(mut self, version: StateVersion) -> Self {
        self.expected_version = Some(version);
        self
    }

    /// Requires this approval; rules keep the order in which they are added.
    pub fn requires_approval(mut self, rule: ApprovalRule) -> Self {
        self.approval_rules.push(rule);
        self
    }

    /// Lets nobody decide twice, in whatever step: every vote comes from another person. Otherwise nobody decides twice
    /// in one quorum group, but one person may decide in several steps.
    pub fn distinct_approvers(mut self) -> Self {
        self.approver_limits.distinct = true;
        self
    }

    /// Excludes these people, for example the beneficiary, from deciding its approvals, whatever the rules say.
    pub fn excluding(mut self, people: impl IntoIterator<Item = ActorId>) -> Self {
        self.approver_limits.excluded.extend(people);
        self
    }

    /// Names these as participants: they may read the request although they neither submit nor decide it, if the application
    /// narrows its reads to a [`Viewer`](crate::Viewer). Calling it again adds to them. Fixed when the request is submitted.
    pub fn with_participants(mut self, participants: Participants) -> Self {
        self.participants.extend(participants);
        self
    }

    /// Records this requirement, other than an approval, for readers. Nothing enforces it: the request is approved and
    /// executed whether or not it is met.
    pub fn requires(mut self, requirement: Requirement) -> Self {
        self.requirements.push(requirement);
        self
    }

    /// Requires all of these, as a policy engine states them: those of the kind `Approval` as
    /// [approval rules](ApprovalRule::from_requirement), the others for the record.
    ///
    /// # Errors
    /// As [`ApprovalRule::from_requirement`].
    pub fn requires_all(mut self, requirements: impl IntoIterator<Item = Requirement>) -> Result<Self, Error> {
        for requirement in requirements {
            if requirement.is_approval() {
                let ordinal = u32::try_from(self.approval_rules.len()).unwrap_or(u32::MAX).saturating_add(1);
                self.approval_rules.push(ApprovalRule::from_requirement(&requirement, ordinal)?);
            } else {
                self.requirements.push(requirement);
            }
        }
        Ok(self)
    }

    /// Makes the submitted request wait for this. Submitting a draft that waits for correction is an error.
    pub fn waiting_for(mut self, pending: impl Into<Pending>) -> Self {
        self.initial_state = Some(InitialState::Pending(pending.into()));
        self
    }

    /// Makes the submitted request approved. Submitting such a draft with approval rules is an error.
    pub fn already_approved(mut self) -> Self {
        self.initial_state = Some(InitialState::Approved);
        self
    }

    /// Lets nobody execute the request before this time, however early it is approved. Until somebody claims it,
    /// [`Command::schedule`](crate::workflow::Command::schedule) changes the time.
    ///
    /// Submitting is an error when the request's own deadline is earlier.
    pub fn not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(time);
        self
    }

    /// Expires the request when it has been approved for this long and nobody has claimed it. When it waits again and
    /// is approved again, the time starts anew. Defaults to an approval that lasts.
    ///
    /// # Errors
    /// [`InvalidValue`] when the duration is shorter than a microsecond.
    pub fn valid_for(mut self, duration: Duration) -> Result<Self, InvalidValue> {
        self.valid_for = Some(Period::of("validity", duration)?);
        Ok(self)
    }

    /// Makes the request compensate an executed one.
    pub fn compensating(mut self, plan: CompensationPlan) -> Self {
        self.execution = ExecutionKind::Compensation(plan);
        self
    }

    /// Makes the request follow one that was rejected, canceled or expired, as its resubmission: both are linked with each
    /// other. [`resubmission_draft`](crate::workflow::resubmission_draft) makes a whole draft of that request.
    ///
    /// Submitting fails with a [`CorrectionError`](crate::CorrectionError) unless the requester is the same and the
    /// other request has ended without being executed; and when another request follows it already.
    pub fn resubmitting(mut self, ended: RequestId) -> Self {
        self.resubmits = Some(ended);
        self
    }

    /// Tries it again by this policy when its execution fails, unless the executor decides
    /// [otherwise](crate::workflow::AfterFailure). Defaults to rejecting it.
    pub fn retrying(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Gives the request a key that no other open request of the namespace has, so that there is one request for one
    /// thing: two people who ask for the same restart get one request.
    ///
    /// Submitting fails with [`Error::AlreadyOpen`], which names the other request, while another one with this key is
    /// [open](crate::Status::is_terminal); the key is free again when that request ends, in whatever status. If a process
    /// ends between reserving the key and storing the request, the key is taken for at most a minute.
    ///
    /// ```
    /// # #[cfg(feature = "blocking")] {
    /// use std::sync::Arc;
    /// use mutator_governance::blocking::{Governance, MemoryStore};
    /// use mutator_governance::{ActorContext, Error, Intent, RequestDraft, Target, UniqueKey};
    ///
    /// # fn main() -> mutator_governance::Result<()> {
    /// let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
    /// let restart = |by: &str| -> mutator_governance::Result<RequestDraft> {
    ///     let target = Target::new("service:payments", "Service", "Restart")?;
    ///     let draft = RequestDraft::new(target, Intent::new("restart", "Operations")?, ActorContext::user(by)?);
    ///     Ok(draft.with_unique_key(UniqueKey::new("restart payments")?))
    /// };
    /// let first = governance.submit(restart("alice")?)?;
    /// match governance.submit(restart("bob")?) {
    ///     Err(Error::AlreadyOpen { id, .. }) => assert_eq!(id, first.id),
    ///     other => panic!("{other:?}"),
    /// }
    /// governance.cancel(&first.id, ActorContext::user("alice")?)?;
    /// governance.submit(restart("bob")?)?;
    /// # Ok(())
    /// # }
    /// # main().unwrap();
    /// # }
    /// ```
    pub fn with_unique_key(mut self, key: UniqueKey) -> Self {
        self.unique_key = Some(key);
        self
    }

    /// Sets the rule for comparing ids of people. A service replaces it by the rule of its store.
    pub fn comparing_ids(mut self, rule: IdComparison) -> Self {
        self.id_comparison = rule;
        self
    }

    /// Salts the commitments to personal fields, so that nobody can guess these from a hash.
    #[cfg_attr(
        not(any(feature = "blocking", feature = "tokio", feature = "smol")),
        expect(dead_code, reason = "a service salts")
    )]
    pub(crate) fn salted(mut self, salt: Salt) -> Self {
        self.salt = Some(salt);
        self
    }

    /// Attaches this metadata.
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }
}

/// A draft as it is read: what every draft has, and what it may have.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    id: Option<RequestId>,
    target: Target,
    intent: Intent,
    requested_by: Arc<ActorContext>,
    payload: Option<Payload>,
    initial_state: Option<InitialState>,
    #[serde(default)]
    requirements: Vec<Requirement>,
    #[serde(default)]
    approval_rules: Vec<ApprovalRule>,
    expected_version: Option<StateVersion>,
    #[serde(default)]
    execution: ExecutionKind,
    resubmits: Option<RequestId>,
    retry: Option<RetryPolicy>,
    #[serde(default)]
    metadata: Metadata,
    not_before: Option<Timestamp>,
    valid_for: Option<Period>,
    #[serde(default)]
    approver_limits: ApproverLimits,
    unique_key: Option<UniqueKey>,
    #[serde(default)]
    participants: Participants,
    #[serde(default)]
    id_comparison: IdComparison,
}

impl From<Strict<Fields>> for RequestDraft {
    fn from(Strict(fields): Strict<Fields>) -> Self {
        Self {
            id: fields.id,
            payload: fields.payload,
            initial_state: fields.initial_state,
            requirements: fields.requirements,
            approval_rules: fields.approval_rules,
            expected_version: fields.expected_version,
            execution: fields.execution,
            resubmits: fields.resubmits,
            retry: fields.retry,
            metadata: fields.metadata,
            not_before: fields.not_before,
            valid_for: fields.valid_for,
            approver_limits: fields.approver_limits,
            participants: fields.participants,
            unique_key: fields.unique_key,
            id_comparison: fields.id_comparison,
            ..Self::new(fields.target, fields.intent, fields.requested_by)
        }
    }
}

/// The fields of every initial state, so that reading one misses no unknown field.
#[derive(Deserialize)]
struct StateFields {
    status: InitialStatus,
    reason: Option<PendingReason>,
    expires_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
enum InitialStatus {
    Created,
    Pending,
    Approved,
}

impl<'de> Deserialize<'de> for InitialState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = StateFields::deserialize(deserializer)?;
        fields.into_state().map_err(D::Error::custom)
    }
}

impl StateFields {
    fn into_state(self) -> Result<InitialState, InvalidValue> {
        let Self { status, reason, expires_at } = self;
        match (status, reason, expires_at) {
            (InitialStatus::Created, None, None) => Ok(InitialState::Created),
            (InitialStatus::Pending, Some(reason), expires_at) => {
                Ok(InitialState::Pending(Pending { reason, expires_at }))
            }
            (InitialStatus::Approved, None, None) => Ok(InitialState::Approved),
            (InitialStatus::Pending, None, _) => Err(InvalidValue::new("initial state", "is Pending without a reason")),
            _ => {
                let problem = format!("is {status:?}; only Pending has a reason and a time at which it expires");
                Err(InvalidValue::new("initial state", problem))
            }
        }
    }
}
