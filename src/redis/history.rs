use crate::request::Decision;

/// A running checksum over a history: the mark behind each decision covers all decisions up to it.
///
/// The stored record keeps the mark of its whole history, and an update brings the marks of its own, so that a script
/// sees whether the update begins with the stored history without reading a document. It guards against programming
/// mistakes, not against forgery: whoever can write a record can write its mark.
pub(crate) fn history_marks(decisions: &[Decision]) -> Vec<u32> {
    let mut hasher = crc32fast::Hasher::new();
    let behind_each = decisions.iter().map(|decision| {
        let by = &decision.by;
        for part in [
            decision.kind.category().as_str().as_bytes(),
            decision.kind.as_str().as_bytes(),
            &decision.at.as_micros().to_be_bytes(),
            by.kind.as_str().as_bytes(),
        ] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        // None has the length that no text has.
        for text in [by.id.as_ref().map(AsRef::as_ref), decision.reason.as_deref()] {
            hasher.update(&text.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
            hasher.update(text.unwrap_or_default().as_bytes());
        }
        hasher.clone().finalize()
    });
    std::iter::once(0).chain(behind_each).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::request::{ActorContext, LifecycleDecision, Timestamp};

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
