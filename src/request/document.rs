//! The mutation request: the aggregate, and what is read of and written about it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    ActorContext, Approval, ApproverLimits, Decision, Digest, Execution, HistoryChain, IdComparison, Intent, Metadata,
    MutationType, Participants, Payload, Quorum, QuorumGroup, RequestId, RequestState, Requirement, Revision,
    SideEffect, StateId, StateType, StateVersion, Step, Timestamp, UniqueKey, WriteIntent,
};
use crate::error::{Error, InvalidValue};
use crate::json::read_beside;

/// A mutation request as it was read or written at one revision.
///
/// Every field of its [`RequestDocument`] can be read (`request.state`, `request.decisions`, …); none can be set.
/// Through the service a request changes only by the rules of [`workflow`](crate::workflow).
///
/// That prevents mistakes, but does not restrict code that holds the store. Such code can take the document out, change
/// it and put it back ([`from_document`](Self::from_document)). The store then checks that the document comes from the
/// stored revision, that its history begins with the stored one, that what is [fixed at
/// submission](crate::for_stores::has_same_submission) is unchanged, and its size; it does not check the rules. So give
/// the store itself only to code that may decide everything.
#[derive(Clone, Debug)]
pub struct MutationRequest {
    revision: Revision,
    document: RequestDocument,
    /// How many decisions the stored revision had, as far as this value knows.
    stored_decisions: usize,
    /// The head of the chain over these decisions.
    stored_head: Option<Digest>,
    /// Whether it was read from elsewhere than a store, so that it may hold more than its revision had.
    is_read_elsewhere: bool,
    /// What commands did to it since it was read.
    write_intent: Option<WriteIntent>,
}

/// Everything in a mutation request except its revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RequestDocument {
    /// The id of the request.
    pub id: RequestId,
    /// What it would change.
    pub target: Target,
    /// What the change is meant to do.
    pub intent: Intent,
    /// Who asked for it.
    pub requested_by: Arc<ActorContext>,
    /// The change itself, where the request carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// The state of the request.
    pub state: RequestState,
    /// What policies demanded for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Requirement>,
    /// The approvals it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// Which round of approvals it is in; the first is 1.
    pub approval_round: u32,
    /// What was decided, in order; decisions are added and never changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// What its execution caused besides the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_effects: Vec<SideEffect>,
    /// Which version of the state it was written for.
    #[serde(default, skip_serializing_if = "Versioning::is_empty")]
    pub versioning: Versioning,
    /// How it is executed.
    #[serde(default, skip_serializing_if = "Execution::is_default")]
    pub execution: Execution,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Anything else about the request.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Who may not decide its approvals, whatever they say.
    #[serde(default, skip_serializing_if = "ApproverLimits::is_none")]
    pub approver_limits: ApproverLimits,
    /// Whom its draft named, so that they may read it; [`workflow::participants`](crate::workflow::participants) has all
    /// who may.
    #[serde(default, skip_serializing_if = "Participants::is_empty")]
    pub participants: Participants,
    /// The key that no other open request of its namespace has. Fixed at submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<UniqueKey>,
    /// The hash chain over its history; `None` in a request that only releases without chains have written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Box<HistoryChain>>,
    /// The rule by which ids of people in it are equal: that of its namespace. Not in the stored bytes; a store sets it
    /// on every request that it reads or writes.
    #[serde(default, skip_serializing_if = "IdComparison::is_default")]
    pub id_comparison: IdComparison,
}

/// The state a mutation changes, and the type of the mutation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Target {
    /// The state.
    pub state_id: StateId,
    /// The type of the state.
    pub state_type: StateType,
    /// The type of the mutation.
    pub mutation_type: MutationType,
}

/// Which version of the state a request was written for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Versioning {
    /// The version the state must have for the request to be executed as approved; `None` accepts any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<StateVersion>,
    /// The expected version when the approvals were requested; the [digest](MutationRequest::digest) covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<StateVersion>,
}

impl Versioning {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Target {
    /// A state, its type, and the type of the mutation.
    ///
    /// # Errors
    /// [`InvalidValue`] when one of the three is not valid.
    pub fn new(
        state_id: impl Into<String>,
        state_type: impl Into<String>,
        mutation_type: impl Into<String>,
    ) -> Result<Self, InvalidValue> {
        Ok(Self {
            state_id: StateId::new(state_id)?,
            state_type: StateType::new(state_type)?,
            mutation_type: MutationType::new(mutation_type)?,
        })
    }
}

impl RequestDocument {
    /// Its unique key while it is open.
    pub(crate) fn open_key(&self) -> Option<&UniqueKey> {
        self.unique_key.as_ref().filter(|_| !self.state.status().is_terminal())
    }
}

impl MutationRequest {
    /// The request that a store read, at this revision.
    ///
    /// # Errors
    /// [`Error::InvalidApprovalConfiguration`] when two approvals share an id, when the members of a quorum group
    /// disagree or are too few, or when the request waits for approval but has none.
    pub fn from_document(document: RequestDocument, revision: Revision) -> Result<Self, Error> {
        check_approvals(&document)?;
        let stored_decisions = document.decisions.len();
        let stored_head = document.chain.as_ref().map(|chain| chain.head);
        Ok(Self { revision, document, stored_decisions, stored_head, is_read_elsewhere: false, write_intent: None })
    }

    /// The revision this request was read or written at.
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// Everything in the request except its revision.
    pub const fn document(&self) -> &RequestDocument {
        &self.document
    }

    /// Everything in the request except its revision, by value.
    pub fn into_document(self) -> RequestDocument {
        self.document
    }

    /// The digest of what the request would do: its payload, its target and the version its reviewers saw.
    pub fn digest(&self) -> Digest {
        Digest::of(self.payload.as_ref(), &self.target, self.versioning.reviewed.as_ref())
    }

    /// The same request after a store has written it.
    #[must_use]
    pub fn at_revision(mut self, revision: Revision) -> Self {
        self.revision = revision;
        self.stored_decisions = self.document.decisions.len();
        self.stored_head = self.document.chain.as_ref().map(|chain| chain.head);
        self.is_read_elsewhere = false;
        self.write_intent = None;
        self
    }

    /// The same request with this rule for comparing ids of people; for authors of stores, which use one rule for all
    /// requests.
    #[must_use]
    pub fn comparing_ids(mut self, rule: IdComparison) -> Self {
        self.document.id_comparison = rule;
        self
    }

    /// The same request with this intent added to those that made it.
    pub(crate) fn meant_to(mut self, intent: WriteIntent) -> Self {
        self.write_intent = Some(self.write_intent.map_or(intent, |before| before.and_then(intent)));
        self
    }

    /// The same request with this intent alone.
    pub(crate) fn meant_only_to(mut self, intent: WriteIntent) -> Self {
        self.write_intent = Some(intent);
        self
    }

    pub(crate) const fn has_write_intent(&self) -> bool {
        self.write_intent.is_some()
    }

    pub(super) const fn write_intent(&self) -> Option<WriteIntent> {
        self.write_intent
    }

    /// Whether decisions were added to it since a store read it, as far as that is known.
    pub(super) fn may_hold_new_decisions(&self) -> bool {
        self.is_read_elsewhere || self.decisions.len() > self.stored_decisions
    }

    /// How many decisions were stored when it was read. An estimate: only the store knows.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only the Redis store sends changes by parts"))]
    pub(crate) const fn stored_decisions(&self) -> usize {
        self.stored_decisions
    }

    /// Whether a store can create it, for authors of stores. A value with a later revision number would claim earlier
    /// writes, and `settle` counts revisions to find out what became of a write.
    ///
    /// # Errors
    /// [`InvalidValue`] when the revision number is not 0.
    pub fn check_new(&self) -> Result<(), InvalidValue> {
        match self.revision.number {
            0 => Ok(()),
            number => {
                let problem = format!(
                    "has number {number}; a request is created at number 0. To create what was read elsewhere, build it by \
                     MutationRequest::from_document with Revision::first"
                );
                Err(InvalidValue::new("revision", problem))
            }
        }
    }

    /// How many decisions were stored when it was read, and the head of the chain over them.
    pub(crate) const fn stored_history(&self) -> (usize, Option<Digest>) {
        (self.stored_decisions, self.stored_head)
    }

    pub(crate) fn edit(&mut self) -> &mut RequestDocument {
        &mut self.document
    }
}

/// Two requests are equal when revision and document are; the number of stored decisions does not count.
impl PartialEq for MutationRequest {
    fn eq(&self, other: &Self) -> bool {
        self.revision == other.revision && self.document == other.document
    }
}

impl Eq for MutationRequest {}

impl Deref for MutationRequest {
    type Target = RequestDocument;
    fn deref(&self) -> &RequestDocument {
        &self.document
    }
}

fn check_approvals(document: &RequestDocument) -> Result<(), Error> {
    let mut ids = BTreeSet::new();
    let mut groups: BTreeMap<&QuorumGroup, (&Quorum, Step, u32)> = BTreeMap::new();
    for approval in &document.approvals {
        if !ids.insert(&approval.id) {
            return Err(Error::invalid_approval_configuration(format!("two approvals have the id {}", approval.id)));
        }
        let Some(quorum) = &approval.quorum else { continue };
        let (first, step, members) = groups.entry(&quorum.group).or_insert((quorum, approval.step, 0));
        if *first != quorum || *step != approval.step {
            return Err(Error::invalid_approval_configuration(format!(
                "the members of quorum group {} differ in step, required grants or rejection rule",
                quorum.group
            )));
        }
        *members += 1;
    }
    for (group, (quorum, _, members)) in groups {
        if quorum.required.get() > members {
            return Err(Error::invalid_approval_configuration(format!(
                "quorum group {group} asks for {} grants of {members} members",
                quorum.required
            )));
        }
    }
    if document.state.awaits_approval() && document.approvals.is_empty() {
        return Err(Error::invalid_approval_configuration(format!(
            "request {} waits for approval but has no approval that anybody could grant",
            document.id
        )));
    }
    Ok(())
}

/// The serde form of a request: the fields of its document, and its revision.
#[derive(Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields<'a> {
    /// The revision the request was read or written at.
    revision: Revision,
    #[serde(flatten)]
    document: &'a RequestDocument,
}

impl Serialize for MutationRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields { revision: self.revision, document: &self.document }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MutationRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (revision, document) = read_beside(deserializer, "revision")?;
        let request = Self::from_document(document, revision).map_err(D::Error::custom)?;
        Ok(Self { is_read_elsewhere: true, ..request })
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for MutationRequest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MutationRequest".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Fields::json_schema(generator)
    }
}
