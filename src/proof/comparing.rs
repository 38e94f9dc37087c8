//! What a namespace has of the heads that were in a tree.

use serde::Serialize;

use super::checkpoint::ProofProblem;
use super::head_tree::HistoryHead;
use super::verify::HistoryVerification;
use crate::query::Lookup;
use crate::request::RequestId;

/// A request, and what verifying its history found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HistoryRow {
    /// The request.
    pub id: RequestId,
    /// What was found.
    pub verification: HistoryVerification,
}

/// What comparing some of the heads of a tree with a namespace found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HeadsReport {
    /// How many requests were compared.
    pub compared: usize,
    /// The requests that are not what they were, in the order of ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<HeadFinding>,
    /// The last request that was compared, to go on after it; `None` at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<RequestId>,
}

/// A request that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HeadFinding {
    /// The request.
    pub id: RequestId,
    /// In which way.
    pub problem: ProofProblem,
}

impl HeadsReport {
    /// Compares `wanted` with what the store has of them.
    pub(crate) fn of(wanted: Vec<(RequestId, HistoryHead)>, found: &Lookup, is_last: bool) -> Self {
        let next = if is_last { None } else { wanted.last().map(|(id, _)| id.clone()) };
        let compared = wanted.len();
        let findings = wanted.into_iter().zip(&found.requests).filter_map(|((id, head), request)| {
            let problem = match request {
                Some(request) => head.verify(request).err()?,
                None if found.unknown.contains(&id) => ProofProblem::Unanswered,
                None if found.unreadable.iter().any(|unreadable| unreadable.id == id) => ProofProblem::Unreadable,
                None => ProofProblem::Missing,
            };
            Some(HeadFinding { id, problem })
        });
        Self { compared, findings: findings.collect(), next }
    }
}
