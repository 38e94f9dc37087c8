//! The mutation request: the aggregate, and what is read of and written about it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    ActorContext, Approval, Decision, Digest, Execution, IdComparison, Intent, Metadata, MutationType, Payload, Quorum,
    QuorumGroup, RequestId, RequestState, Requirement, Revision, SideEffect, StateId, StateType, StateVersion, Step,
    Timestamp, WriteIntent,
};
use crate::error::{Error, InvalidValue};

/// A mutation request as it was read or written at one revision.
///
/// Every field of its [`RequestDocument`] can be read (`request.state`, `request.decisions`, …); none can be set. By the
/// service a request changes only by the rules of [`workflow`](crate::workflow).
///
/// That guards against mistakes, not against whoever holds the store: of a document taken out, changed and put in again
/// ([`from_document`](Self::from_document)), a store checks that it was made of the stored revision, that its history
/// begins with the stored one, that what is [fixed when a request is submitted](crate::for_stores::has_same_submission) is unchanged,
/// and how large it is; not that the rules allow it. So give the store itself to nobody who is not to decide
/// everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct MutationRequest {
    revision: Revision,
    document: RequestDocument,
    /// How many of the decisions were there at that revision, as far as this value has seen.
    #[serde(skip)]
    stored_decisions: usize,
    /// What was done to it since it was read, where that was done by commands.
    #[serde(skip)]
    write_intent: Option<WriteIntent>,
}

/// All that a mutation request holds, but for its revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestDocument {
    /// Names the request.
    pub id: RequestId,
    /// What it would change.
    pub target: Target,
    /// What the change is meant to do.
    pub intent: Intent,
    /// Who asked for it.
    pub requested_by: Arc<ActorContext>,
    /// The change itself, where the request carries it.
    pub payload: Option<Payload>,
    /// Where the request stands.
    pub state: RequestState,
    /// What policies demanded of it.
    pub requirements: Vec<Requirement>,
    /// The approvals it needs.
    pub approvals: Vec<Approval>,
    /// Which round of approvals it is in; the first is 1.
    pub approval_round: u32,
    /// What was decided, in order; entries are added and never changed.
    pub decisions: Vec<Decision>,
    /// What executing it caused beside the change.
    pub side_effects: Vec<SideEffect>,
    /// Which version of the state it was written for.
    pub versioning: Versioning,
    /// How it is carried out.
    pub execution: Execution,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Anything else about the request.
    pub metadata: Metadata,
    /// When two ids of people in it are the same: as its namespace has it. No part of the stored bytes; a store sets it on
    /// what it reads and on what it writes.
    #[serde(default, skip_serializing_if = "IdComparison::is_default")]
    pub id_comparison: IdComparison,
}

/// The state a mutation changes, and the type of the mutation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[non_exhaustive]
pub struct Versioning {
    /// The version the state must have for the request to be executed as it is; any, if there is none.
    pub expected: Option<StateVersion>,
    /// The version that was expected when its reviewers were asked; the [digest](MutationRequest::digest) covers it.
    pub reviewed: Option<StateVersion>,
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

impl MutationRequest {
    /// The request that a store read at this revision.
    ///
    /// # Errors
    /// [`Error::InvalidApprovalConfiguration`] when two approvals share an id, when the members of a quorum group do not
    /// agree or are too few, or when it waits for approval without having one.
    pub fn from_document(document: RequestDocument, revision: Revision) -> Result<Self, Error> {
        check_approvals(&document)?;
        let stored_decisions = document.decisions.len();
        Ok(Self { revision, document, stored_decisions, write_intent: None })
    }

    /// The revision this request was read or written at.
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// All that the request holds.
    pub const fn document(&self) -> &RequestDocument {
        &self.document
    }

    /// All that the request holds, taken out.
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
        self.write_intent = None;
        self
    }

    /// The same request, whose ids of people are compared so; for those who write a store, whose requests are all compared
    /// by one rule.
    #[must_use]
    pub fn comparing_ids(mut self, rule: IdComparison) -> Self {
        self.document.id_comparison = rule;
        self
    }

    /// The same request, which was made what it is by this as well.
    pub(crate) fn meant_to(mut self, intent: WriteIntent) -> Self {
        self.write_intent = Some(self.write_intent.map_or(intent, |before| before.and_then(intent)));
        self
    }

    /// The same request, which was made what it is by this and nothing else.
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

    /// How many of the decisions were there when it was read. A guess: only the store knows.
    pub(crate) const fn stored_decisions(&self) -> usize {
        self.stored_decisions
    }

    /// Whether a store can create it, for those who write a store. A value that was read elsewhere at a later revision would
    /// say of itself that it had been written before, and what became of a write is told by counting.
    ///
    /// # Errors
    /// [`InvalidValue`] at another revision than number 0.
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

    pub(crate) fn edit(&mut self) -> &mut RequestDocument {
        &mut self.document
    }
}

/// Two are equal when revision and document are; how much of it was stored when is no part of a request.
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

#[derive(Deserialize)]
struct Fields {
    revision: Revision,
    document: RequestDocument,
}

impl TryFrom<Fields> for MutationRequest {
    type Error = Error;
    fn try_from(fields: Fields) -> Result<Self, Error> {
        Self::from_document(fields.document, fields.revision)
    }
}
