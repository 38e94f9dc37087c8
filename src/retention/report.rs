//! Steps of a retention: how large they are, where they go on, and what they did.

use serde::{Deserialize, Serialize, Serializer};

use super::{KeptBecause, RetentionAction};
use crate::error::{Error, InvalidValue, Result};
use crate::query::{Count, Cursor, PageRequest};
use crate::removal::ArchiveName;
use crate::request::{PolicyName, RequestId, Revision, Status, Timestamp};

/// How a step of a retention works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionOptions {
    limit: usize,
    from: Option<RetentionPosition>,
}

/// Where a retention goes on: it can be saved, and taken up by another process with the same policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct RetentionPosition {
    /// The time by which all steps judge.
    pub(crate) as_of: Timestamp,
    /// The place of the rule whose requests are read.
    pub(crate) rule: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Cursor>,
    /// What the steps before have looked at, and what there was to look at when they began.
    pub(crate) done: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
}

/// What one step did, or would do.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RetentionReport {
    /// The requests that are due. They are removed now but for those that are in one of the other lists; in a
    /// [plan](RetentionReport::is_plan) nothing is removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub due: Vec<DueRequest>,
    /// Whether the step only lists what is due.
    pub is_plan: bool,
    /// How many requests were removed.
    pub removed: u64,
    /// The archive that holds those that were to be archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveName>,
    /// The requests that a rule's query found and that stay, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptRequest>,
    /// How many that were due somebody else changed or removed meanwhile.
    pub overtaken: u64,
    /// The requests that could not be removed, and why: linked to open ones, for instance. A later pass tries again.
    #[serde(serialize_with = "failures", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schemars", schemars(with = "Vec<RetentionFailure<'static>>"))]
    pub failed: Vec<(RequestId, Error)>,
    /// How many requests this pass has looked at so far.
    pub done: u64,
    /// How many the rules found when the pass began: exact, or at least so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Where to go on; `None` when the pass is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<RetentionPosition>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct RetentionFailure<'a> {
    request: &'a RequestId,
    error: &'a Error,
}

fn failures<S: Serializer>(failed: &[(RequestId, Error)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(failed.iter().map(|(request, error)| RetentionFailure { request, error }))
}

/// A request that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DueRequest {
    /// The request.
    pub id: RequestId,
    /// Its revision.
    pub revision: Revision,
    /// Its status.
    pub status: Status,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// The rule that decides.
    pub rule: PolicyName,
    /// What is done.
    pub action: RetentionAction,
}

/// A request that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct KeptRequest {
    /// The request.
    pub id: RequestId,
    /// Why.
    pub because: KeptBecause,
}

impl RetentionOptions {
    /// The defaults.
    pub const fn new() -> Self {
        Self { limit: 100, from: None }
    }

    /// How many requests a step looks at, 1 to [`PageRequest::MAX_LIMIT`]. Defaults to 100.
    ///
    /// # Errors
    /// [`InvalidValue`] for any other number.
    pub fn limit(mut self, requests: usize) -> Result<Self, InvalidValue> {
        self.limit = PageRequest::of(requests)?.limit();
        Ok(self)
    }

    /// Goes on where an earlier step [ended](RetentionReport::next). Defaults to the beginning.
    #[must_use]
    pub fn after(mut self, position: RetentionPosition) -> Self {
        self.from = Some(position);
        self
    }

    pub(crate) const fn page_limit(&self) -> usize {
        self.limit
    }

    pub(crate) const fn from(&self) -> Option<&RetentionPosition> {
        self.from.as_ref()
    }
}

impl Default for RetentionOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl RetentionReport {
    /// Records what came of one removal: whether this step made it, or another process.
    pub(crate) fn record(&mut self, id: RequestId, result: Result<bool>) {
        match result {
            Ok(true) => self.removed += 1,
            Ok(false) | Err(Error::Conflict(_) | Error::NotFound { .. } | Error::Removed(_)) => self.overtaken += 1,
            Err(error) => self.failed.push((id, error)),
        }
    }
}

/// The number of a count.
pub(super) const fn number_of(count: Count) -> u64 {
    match count {
        Count::Exact(number) | Count::AtLeast(number) => number,
    }
}
