//! Which decisions of a history count for an index.

use crate::request::{ActingFor, ActorContext, Decision, Metadata, Timestamp, Value};

/// A running checksum over a history: the mark of each decision covers all decisions up to it, completely.
///
/// The stored record keeps the mark of its whole history, and an update sends the marks of its own. So a script sees
/// whether the update begins with the stored history without reading a document. This guards against programming
/// mistakes, not against forgery: whoever can write a record can write its mark.
pub(crate) fn history_marks(decisions: &[Decision]) -> Vec<u32> {
    let (mut running, mut part) = (crc32fast::Hasher::new(), Covered(Vec::with_capacity(1000)));
    let behind_each = decisions.iter().map(|decision| {
        part.0.clear();
        part.decision(decision);
        running.update(&part.0);
        running.clone().finalize()
    });
    std::iter::once(0).chain(behind_each).collect()
}

/// The input of the checksum, unambiguous because each part follows its length or kind. Collected first, because a
/// checksum of many small parts takes longer.
struct Covered(Vec<u8>);

impl Covered {
    fn decision(&mut self, decision: &Decision) {
        let Decision { kind, by, reason, at, metadata } = decision;
        self.text(kind.category().as_str());
        self.text(kind.as_str());
        self.actor(by);
        self.optional(reason.as_deref());
        self.time(*at);
        self.metadata(metadata);
    }

    fn actor(&mut self, actor: &ActorContext) {
        let ActorContext {
            kind,
            id,
            name,
            roles,
            groups,
            reason,
            mode,
            correlation_id,
            causation_id,
            session_id,
            source_address,
            user_agent,
            time_zone,
            culture,
            at,
            metadata,
            acting_for,
        } = actor;
        self.text(kind.as_str());
        self.text(mode.as_str());
        self.optional(id.as_ref().map(AsRef::as_ref));
        self.count(roles.len());
        for role in roles {
            self.text(role.as_ref());
        }
        self.count(groups.len());
        for group in groups {
            self.text(group.as_ref());
        }
        for text in
            [name, reason, correlation_id, causation_id, session_id, source_address, user_agent, time_zone, culture]
        {
            self.optional(text.as_deref());
        }
        self.kind(u8::from(at.is_some()) + 2 * u8::from(acting_for.is_some()));
        if let Some(at) = at {
            self.time(*at);
        }
        self.metadata(metadata);
        if let Some(ActingFor { id, grounds }) = acting_for {
            self.text(id.as_str());
            self.text(grounds.as_str());
        }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        self.count(metadata.len());
        for (key, value) in metadata {
            self.text(key);
            self.value(value);
        }
    }

    /// Metadata nests no deeper than [`Metadata::MAX_DEPTH`].
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.kind(0),
            Value::Bool(flag) => self.kind(1 + u8::from(*flag)),
            Value::Integer(number) => self.fixed(3, number.to_be_bytes()),
            Value::Float(number) => self.fixed(4, number.to_bits().to_be_bytes()),
            Value::Text(text) => {
                self.kind(5);
                self.text(text);
            }
            Value::Bytes(bytes) => {
                self.kind(6);
                self.bytes(bytes);
            }
            Value::Time(time) => self.fixed(7, time.as_micros().to_be_bytes()),
            Value::List(values) => {
                self.kind(8);
                self.count(values.len());
                for value in values {
                    self.value(value);
                }
            }
            Value::Map(values) => self.map(values),
        }
    }

    fn map(&mut self, values: &Metadata) {
        self.kind(9);
        self.count(values.len());
        for (key, value) in values {
            self.text(key);
            self.value(value);
        }
    }

    fn optional(&mut self, text: Option<&str>) {
        self.kind(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn time(&mut self, time: Timestamp) {
        self.0.extend_from_slice(&time.as_micros().to_be_bytes());
    }

    fn fixed(&mut self, kind: u8, bytes: [u8; 8]) {
        self.kind(kind);
        self.0.extend_from_slice(&bytes);
    }

    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&(count as u64).to_be_bytes());
    }

    fn kind(&mut self, kind: u8) {
        self.0.push(kind);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::request::{ActorKind, ActorMode, Group, LifecycleDecision, Role};

    fn history(reasons: &[&str]) -> Vec<Decision> {
        let by = |reason: &str| Arc::new(ActorContext::user("alice").unwrap().because(reason));
        let decision = |reason: &&str| {
            Decision::new(LifecycleDecision::Pending, &by(reason), Timestamp::MIN).because(Some((*reason).to_owned()))
        };
        reasons.iter().map(decision).collect()
    }

    #[test]
    fn a_longer_history_begins_with_the_marks_of_the_shorter() {
        let short = history_marks(&history(&["a", "b"]));
        let long = history_marks(&history(&["a", "b", "c"]));
        assert_eq!(short, long[..3]);
        assert_eq!(long.len(), 4);
    }

    /// A change in any part of a decision changes the mark.
    #[test]
    fn every_part_of_a_decision_counts() {
        let decision = || history(&["a"]).remove(0);
        let by = |change: fn(&mut ActorContext)| {
            let mut changed = decision();
            change(Arc::make_mut(&mut changed.by));
            changed
        };
        let noted = |value: Value| Metadata::new().with("key", value).unwrap();
        let about = |metadata: Metadata| Decision { metadata, ..decision() };
        let changed = [
            decision(),
            Decision { kind: LifecycleDecision::Approved.into(), ..decision() },
            Decision { at: Timestamp::MAX, ..decision() },
            Decision { reason: None, ..decision() },
            by(|actor| actor.kind = ActorKind::System),
            by(|actor| actor.mode = ActorMode::Simulate),
            by(|actor| actor.id = None),
            by(|actor| assert!(actor.roles.insert(Role::new("manager").unwrap()))),
            by(|actor| assert!(actor.groups.insert(Group::new("manager").unwrap()))),
            by(|actor| actor.name = Some("x".to_owned())),
            by(|actor| actor.correlation_id = Some("x".to_owned())),
            by(|actor| actor.session_id = Some("x".to_owned())),
            by(|actor| actor.culture = Some("x".to_owned())),
            by(|actor| actor.at = Some(Timestamp::MIN)),
            by(|actor| actor.metadata.note("key", 1)),
            about(noted(Value::Null)),
            about(noted(Value::Bool(false))),
            about(noted(Value::Bool(true))),
            about(noted(Value::Integer(1))),
            about(noted(Value::Float(1.0))),
            about(noted(Value::Time(Timestamp::MIN))),
            about(noted(Value::Text("x".to_owned()))),
            about(noted(Value::Bytes(b"x".to_vec()))),
            about(noted(Value::List(vec![Value::Null]))),
            about(noted(Value::List(vec![Value::Null, Value::Null]))),
            about(noted(Value::Map(Metadata::new().with("x", Value::Null).unwrap()))),
            about(Metadata::new().with("other", Value::Null).unwrap()),
        ];
        let marks: BTreeSet<u32> = changed.iter().map(|decision| history_marks(&[decision.clone()])[1]).collect();
        assert_eq!(marks.len(), changed.len());
    }

    #[test]
    fn a_changed_or_moved_decision_changes_all_marks_from_there_on() {
        let marks = history_marks(&history(&["a", "b", "c"]));
        let changed = history_marks(&history(&["a", "x", "c"]));
        let moved = history_marks(&history(&["b", "a", "c"]));
        assert_eq!(marks[..2], changed[..2]);
        assert!(marks[2] != changed[2] && marks[3] != changed[3]);
        assert!(marks[1] != moved[1] && marks[2] != moved[2] && marks[3] != moved[3]);
    }
}
