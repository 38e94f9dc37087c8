//! Who acts and when, and how decisions are added to the history.

use std::sync::Arc;
use std::time::Duration;

use crate::error::InvalidValue;
use crate::proof;
use crate::request::{
    ActorContext, Decision, DecisionKind, IdComparison, Metadata, RequestDocument, Timestamp, Value, for_oneself,
};

/// Who acts, and when.
#[derive(Clone, Copy)]
pub(super) struct Occasion<'a> {
    pub(super) by: &'a Arc<ActorContext>,
    pub(super) now: Timestamp,
}

impl<'a> Occasion<'a> {
    /// The actor acts on this request while the clock says `now`.
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

    /// As `on`, for an action with an error of its own for a blank reason.
    pub(super) fn with_any_reason(document: &RequestDocument, by: &'a Arc<ActorContext>, now: Timestamp) -> Self {
        Self { by, now: time_after(document.updated_at, now) }
    }
}

impl Occasion<'_> {
    /// A decision with the actor's reason.
    pub(super) fn decision(self, kind: impl Into<DecisionKind>, about: Metadata) -> Decision {
        self.decision_because(kind, self.by.reason.clone(), about)
    }

    /// A decision with a reason of its own.
    pub(super) fn decision_because(
        self,
        kind: impl Into<DecisionKind>,
        reason: Option<String>,
        about: Metadata,
    ) -> Decision {
        Decision::new(kind, self.by, self.now).because(reason).about(about)
    }
}

/// A blank reason is no reason: give one in words, or none.
pub(super) fn check_reason(reason: Option<&str>) -> Result<(), InvalidValue> {
    match reason {
        Some(reason) if reason.trim().is_empty() => {
            Err(InvalidValue::new("reason", "is blank; give it in words, or leave it out"))
        }
        _ => Ok(()),
    }
}

/// Nobody acts for themselves, by whatever spelling of their id.
pub(super) fn check_acting_for(actor: &ActorContext, ids: IdComparison) -> Result<(), InvalidValue> {
    match (&actor.id, &actor.acting_for) {
        (Some(id), Some(acting)) if ids.is_same(id, &acting.id) => Err(for_oneself(id)),
        _ => Ok(()),
    }
}

/// The time of an action on a request that was last changed at `updated_at`: the clock's time or, if the clock was set
/// back before that, one microsecond after it. Deadlines and leases are judged by this time, so that they agree with
/// the history.
pub(super) fn time_after(updated_at: Timestamp, now: Timestamp) -> Timestamp {
    if now < updated_at { updated_at.saturating_add(Duration::from_micros(1)) } else { now }
}

/// Appends a decision to the history and its chain, dated no earlier than its predecessor; its time becomes the time of
/// the last change.
pub(super) fn record(document: &mut RequestDocument, mut decision: Decision) {
    let last = document.decisions.last().map_or(Timestamp::MIN, |last| last.at);
    decision.at = decision.at.max(last);
    document.updated_at = decision.at;
    proof::begin_if_absent(document);
    document.decisions.push(decision);
    proof::extend(document);
}

/// Names as a metadata value.
pub(super) fn names<'a, T: ToString + 'a>(names: impl IntoIterator<Item = &'a T>) -> Value {
    Value::List(names.into_iter().map(|name| Value::Text(name.to_string())).collect())
}

/// A number of things as a metadata value, at most `u32::MAX`.
pub(super) fn count(things: usize) -> u32 {
    u32::try_from(things).unwrap_or(u32::MAX)
}
