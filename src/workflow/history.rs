//! Who acts when, and how the history of a request goes on.

use std::sync::Arc;
use std::time::Duration;

use crate::error::InvalidValue;
use crate::request::{ActorContext, Decision, DecisionKind, Metadata, RequestDocument, Timestamp, Value};

/// Who acts, and when.
#[derive(Clone, Copy)]
pub(super) struct Occasion<'a> {
    pub(super) by: &'a Arc<ActorContext>,
    pub(super) now: Timestamp,
}

impl<'a> Occasion<'a> {
    /// The actor does something to this request while the clock says `now`.
    ///
    /// # Errors
    /// [`InvalidValue`] when the actor gives a blank reason.
    pub(super) fn on(
        document: &RequestDocument,
        by: &'a Arc<ActorContext>,
        now: Timestamp,
    ) -> Result<Self, InvalidValue> {
        check_reason(by.reason.as_deref())?;
        Ok(Self::with_any_reason(document, by, now))
    }

    /// The same for an action that has an error of its own for a blank reason.
    pub(super) fn with_any_reason(document: &RequestDocument, by: &'a Arc<ActorContext>, now: Timestamp) -> Self {
        Self { by, now: time_after(document.updated_at, now) }
    }
}

impl Occasion<'_> {
    /// A decision for the reason the actor gave.
    pub(super) fn decision(self, kind: impl Into<DecisionKind>, about: Metadata) -> Decision {
        self.decision_because(kind, self.by.reason.clone(), about)
    }

    /// A decision for a reason of its own.
    pub(super) fn decision_because(
        self,
        kind: impl Into<DecisionKind>,
        reason: Option<String>,
        about: Metadata,
    ) -> Decision {
        Decision::new(kind, self.by, self.now).because(reason).about(about)
    }
}

/// A reason that says nothing is no reason: it is given in words, or not at all.
pub(super) fn check_reason(reason: Option<&str>) -> Result<(), InvalidValue> {
    match reason {
        Some(reason) if reason.trim().is_empty() => {
            Err(InvalidValue::new("reason", "is blank; give it in words, or leave it out"))
        }
        _ => Ok(()),
    }
}

/// The time for a request that was last changed at `updated_at`: what the clock says, and where the clock has been set back
/// behind that, the microsecond after it. Deadlines and leases are judged by this time, so that they agree with history.
pub(super) fn time_after(updated_at: Timestamp, now: Timestamp) -> Timestamp {
    if now < updated_at { updated_at.saturating_add(Duration::from_micros(1)) } else { now }
}

/// Appends a decision, never dated before the one it follows; its time is when the request was last changed.
pub(super) fn record(document: &mut RequestDocument, mut decision: Decision) {
    let last = document.decisions.last().map_or(Timestamp::MIN, |last| last.at);
    decision.at = decision.at.max(last);
    document.updated_at = decision.at;
    document.decisions.push(decision);
}

/// Names as a metadata value.
pub(super) fn names<'a, T: ToString + 'a>(names: impl IntoIterator<Item = &'a T>) -> Value {
    Value::List(names.into_iter().map(|name| Value::Text(name.to_string())).collect())
}

/// A number of things as a metadata value; above `u32::MAX` it stays there.
pub(super) fn count(things: usize) -> u32 {
    u32::try_from(things).unwrap_or(u32::MAX)
}
