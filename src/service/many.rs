//! One call for many requests: its options, its progress and its results.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, InvalidValue};
use crate::request::{MutationRequest, RequestId, Status, WriteId};

/// How a call for many requests works: `ManyOptions::new().concurrency(32)?`.
#[derive(Clone, Default)]
pub struct ManyOptions {
    concurrency: Option<usize>,
    write_id: Option<WriteId>,
    progress: Option<Arc<Progress>>,
}

type Progress = dyn Fn(&ManyProgress<'_>) -> ControlFlow<()> + Send + Sync;

impl ManyOptions {
    /// The most requests that one call takes: 10,000.
    pub const MAX_REQUESTS: usize = 10_000;

    /// The greatest number of requests that one call handles at once: 256.
    pub const MAX_CONCURRENCY: usize = 256;

    const DEFAULT_CONCURRENCY: usize = 16;

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many requests are handled at once: 1 to [`MAX_CONCURRENCY`](Self::MAX_CONCURRENCY). The blocking flavour uses
    /// as many threads while the call lasts; give its Redis store a pool of the same size. Defaults to 16.
    ///
    /// # Errors
    /// [`InvalidValue`] for any other number.
    pub fn concurrency(mut self, requests: usize) -> Result<Self, InvalidValue> {
        if !(1..=Self::MAX_CONCURRENCY).contains(&requests) {
            let problem = format!("of {requests}; it must be 1 to {}", Self::MAX_CONCURRENCY);
            return Err(InvalidValue::new("concurrency of a call for many", problem));
        }
        self.concurrency = Some(requests);
        Ok(self)
    }

    /// The id of the whole call, from which the write id of each request is derived: a repetition of the call with the
    /// same id, even by another process, applies nothing twice. Defaults to a new id, which
    /// [`ManyReport::write_id`] names.
    #[must_use]
    pub const fn write_id(mut self, write_id: WriteId) -> Self {
        self.write_id = Some(write_id);
        self
    }

    /// Calls this after each request, for one at a time, in the order in which they end. After
    /// [`ControlFlow::Break`] no further request is started; those under way are finished.
    #[must_use]
    pub fn on_progress(
        mut self,
        progress: impl Fn(&ManyProgress<'_>) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Whether a repetition with the same options is to find what this call did.
    pub(crate) const fn is_repeatable(&self) -> bool {
        self.write_id.is_some()
    }

    pub(crate) fn concurrency_for(&self, requests: usize) -> usize {
        self.concurrency.unwrap_or(Self::DEFAULT_CONCURRENCY).min(requests)
    }

    pub(crate) fn write_id_or_new(&self) -> WriteId {
        self.write_id.unwrap_or_else(WriteId::generate)
    }

    pub(crate) fn report(&self, progress: &ManyProgress<'_>) -> ControlFlow<()> {
        self.progress.as_ref().map_or(ControlFlow::Continue(()), |report| report(progress))
    }
}

impl fmt::Debug for ManyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("ManyOptions");
        options.field("concurrency", &self.concurrency).field("write_id", &self.write_id).finish_non_exhaustive()
    }
}

/// One request of a call for many, as it ends.
#[derive(Debug)]
#[non_exhaustive]
pub struct ManyProgress<'a> {
    /// The place of the request in the call, from 0.
    pub place: usize,
    /// Its id.
    pub id: &'a RequestId,
    /// The request as it is stored now, or why the call failed for it.
    pub result: Result<&'a MutationRequest, &'a Error>,
    /// How many requests have ended, this one included.
    pub ended: usize,
    /// How many requests the call is about.
    pub total: usize,
}

/// What became of each request of a call for many.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ManyReport {
    /// The id of the whole call: [give it to a repetition](ManyOptions::write_id), which does what is still to be done.
    pub write_id: WriteId,
    /// One result for each request, in the order of the call.
    pub results: Vec<ManyResult>,
}

/// What became of one request of a call for many.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ManyResult {
    /// The id of the request.
    pub id: RequestId,
    /// What became of it.
    pub outcome: ManyOutcome,
}

/// What became of one request of a call for many. Does not contain the request, so that 10,000 of them take little
/// memory; [`ManyProgress`] has it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum ManyOutcome {
    /// It is done, now or by an earlier call with this write id.
    Done {
        /// The status of the request now.
        status: Status,
        /// The number of its revision now.
        revision: u64,
    },
    /// It failed; the error's [outcome](Error::outcome) says whether it took effect.
    Failed {
        /// Why.
        error: Error,
    },
    /// The call was stopped before it came to this request.
    NotStarted,
}

impl ManyReport {
    /// How many requests are done.
    pub fn done(&self) -> usize {
        self.results.iter().filter(|result| matches!(result.outcome, ManyOutcome::Done { .. })).count()
    }

    /// Whether all requests are done.
    pub fn is_complete(&self) -> bool {
        self.done() == self.results.len()
    }

    /// The requests that failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&RequestId, &Error)> {
        self.results.iter().filter_map(|result| match &result.outcome {
            ManyOutcome::Failed { error } => Some((&result.id, error)),
            _ => None,
        })
    }

    /// The requests that the call did not come to.
    pub fn not_started(&self) -> impl Iterator<Item = &RequestId> {
        let is_left = |result: &&ManyResult| matches!(result.outcome, ManyOutcome::NotStarted);
        self.results.iter().filter(is_left).map(|result| &result.id)
    }
}
