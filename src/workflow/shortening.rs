//! What to leave out of the record of an execution's end when it does not fit into the store.

use crate::command::{Action, Command};
use crate::command::{Completion, Failure, cut};
use crate::error::{Error, ExecutionError};
use crate::request::{Metadata, RequestId, SideEffect, Value};

/// A longer message is cut before anything else is left out.
const SHORT_MESSAGE_BYTES: usize = 512;
/// What remains of a message and of a code when nothing else can be left out.
const SHORTEST_TEXT_BYTES: usize = 64;

/// The command that records the same end in less space, if it records one, if it did not fit, and if there is still
/// something to leave out.
pub(crate) fn shortened(command: &Command, error: &Error) -> Option<Command> {
    let &Error::TooLarge { size, limit, .. } = error else { return None };
    let excess = size.saturating_sub(limit).max(1);
    let action = match &command.action {
        Action::Complete { claim, completion } => {
            Action::Complete { claim: *claim, completion: shortened_completion(completion.clone(), excess)? }
        }
        Action::Fail { claim, failure, then } => {
            Action::Fail { claim: *claim, failure: shortened_failure(failure.clone(), excess)?, then: *then }
        }
        _ => return None,
    };
    Some(Command { action, by: command.by.clone() })
}

/// The error of a claim: without room for the result, a request is not attempted again.
pub(crate) fn without_room_to_claim(error: Error, claimed: &RequestId) -> Error {
    match error {
        Error::TooLarge { id, size, limit, .. } if id == *claimed => {
            Error::Execution { id, error: ExecutionError::NoRoom { size, limit } }
        }
        other => other,
    }
}

fn shortened_completion(mut completion: Completion, excess: usize) -> Option<Completion> {
    completion.side_effects_left_out += leave_out_side_effects(&mut completion.side_effects, excess)?;
    Some(completion)
}

/// A long message is cut first, then details go, then side effects; the beginning of the message always stays.
fn shortened_failure(mut failure: Failure, excess: usize) -> Option<Failure> {
    let message = failure.recorded_message().into_owned();
    if message.len() > SHORT_MESSAGE_BYTES {
        // The limit may be memory rather than bytes, and text takes little of that.
        let kept = message.len().saturating_sub(excess).min(message.len() / 2).max(SHORT_MESSAGE_BYTES);
        failure.message = cut(&message, kept).into_owned();
        return Some(failure);
    }
    if let Some(left_out) = leave_out_details(&mut failure.metadata, excess) {
        failure.details_left_out += left_out;
        return Some(failure);
    }
    if let Some(left_out) = leave_out_side_effects(&mut failure.side_effects, excess) {
        failure.side_effects_left_out += left_out;
        return Some(failure);
    }
    let code = failure.code.as_deref().unwrap_or_default();
    if message.len().max(code.len()) <= SHORTEST_TEXT_BYTES {
        return None;
    }
    failure.code = failure.code.as_deref().map(|code| cut(code, SHORTEST_TEXT_BYTES).into_owned());
    failure.message = cut(&message, SHORTEST_TEXT_BYTES).into_owned();
    Some(failure)
}

/// Leaves out the last ones, about this many bytes. Repeated texts take less than counted here, so one pass may not
/// suffice; each leaves out at least an eighth, so that few passes do.
fn leave_out_side_effects(side_effects: &mut Vec<SideEffect>, excess: usize) -> Option<u32> {
    let all = side_effects.len();
    let (mut bytes, at_most) = (0_usize, all - all.div_ceil(8));
    while bytes < excess || side_effects.len() > at_most {
        let Some(last) = side_effects.pop() else { break };
        bytes = bytes.saturating_add(weight_of_side_effect(&last));
    }
    left_out(all, side_effects.len())
}

fn leave_out_details(details: &mut Metadata, excess: usize) -> Option<u32> {
    let all = details.len();
    let (mut bytes, at_most) = (0_usize, all - all.div_ceil(8));
    let keys: Vec<String> = details.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys.iter().rev() {
        if bytes >= excess && details.len() <= at_most {
            break;
        }
        let value = details.remove(key);
        bytes = bytes.saturating_add(key.len()).saturating_add(value.as_ref().map_or(0, weight_of));
    }
    left_out(all, details.len())
}

fn left_out(before: usize, after: usize) -> Option<u32> {
    let count = before.saturating_sub(after);
    (count > 0).then(|| u32::try_from(count).unwrap_or(u32::MAX))
}

fn weight_of_side_effect(side_effect: &SideEffect) -> usize {
    let texts = side_effect.effect_type().len() + side_effect.description().len();
    let contract = side_effect.contract_id().map_or(0, |id| id.as_str().len());
    side_effect.data().map_or(0, weight_of_metadata).saturating_add(texts).saturating_add(contract)
}

fn weight_of_metadata(metadata: &Metadata) -> usize {
    metadata.iter().map(|(key, value)| key.len().saturating_add(weight_of(value))).fold(0, usize::saturating_add)
}

/// The recursion is bounded by the maximum depth of metadata.
fn weight_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(values) => values.iter().map(weight_of).fold(values.len(), usize::saturating_add),
        Value::Map(entries) => weight_of_metadata(entries),
        _ => 8,
    }
}
