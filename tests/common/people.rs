//! Times, ids, people and errors that cases are about.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::{
    ActorContext, ApprovalError, ApprovalId, CorrectionError, Error, ExecutionError, MutationRequest, RequestId,
    Timestamp,
};

/// The given number of seconds after the beginning of 2026.
pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000).unwrap().saturating_add(Duration::from_secs(seconds))
}

pub fn id(text: &str) -> RequestId {
    RequestId::new(text).unwrap()
}

pub fn approval(text: &str) -> ApprovalId {
    ApprovalId::new(text).unwrap()
}

pub fn user(id: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(id).unwrap())
}

pub fn user_because(id: &str, reason: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(id).unwrap().because(reason))
}

/// The kinds of the decisions from the given one on, as words.
pub fn history(request: &MutationRequest, from: usize) -> Vec<String> {
    request.decisions[from..].iter().map(|decision| decision.kind.to_string()).collect()
}

pub fn approval_error(error: Error) -> ApprovalError {
    match error {
        Error::Approval { error, .. } => error,
        other => panic!("not an approval error: {other}"),
    }
}

pub fn correction_error(error: Error) -> CorrectionError {
    match error {
        Error::Correction { error, .. } => error,
        other => panic!("not a correction error: {other}"),
    }
}

pub fn execution_error(error: Error) -> ExecutionError {
    match error {
        Error::Execution { error, .. } => error,
        other => panic!("not an execution error: {other}"),
    }
}
