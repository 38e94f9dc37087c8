//! The progress of a rebuild of the indexes, which the namespace records so that another process can continue it.

use crate::redis::check::{CheckPosition, Phase};

/// The position as text, for the server process with this run id. `None` if a rebuild cannot continue from it.
///
/// A SCAN cursor is valid only for one server process, because each hashes its keys differently; so no position
/// survives a restart or a failover of the server.
pub(crate) fn saved(position: &CheckPosition, run_id: &str) -> Option<String> {
    let (phase, cursor) = match &position.0 {
        // The nodes of a cluster have cursors of their own: there a rebuild begins anew.
        Phase::Records { nodes: Some(_), .. } | Phase::Indexes { nodes: Some(_), .. } => return None,
        Phase::Records { cursor, nodes: None } => ("records", *cursor),
        // Only between two steps of SCAN: the indexes it has returned would need too much space.
        Phase::Indexes { cursor: Some(cursor), keys, .. } if keys.is_empty() => ("indexes", *cursor),
        Phase::Indexes { .. } | Phase::UniqueKeys(_) => return None,
    };
    (!run_id.is_empty()).then(|| format!("{run_id} {phase} {cursor}"))
}

/// The position that was [`saved`]; the beginning if none was saved for this server process.
pub(crate) fn resumed(text: &str, run_id: &str) -> CheckPosition {
    let mut words = text.split(' ');
    let is_for_server = !run_id.is_empty() && words.next() == Some(run_id);
    let phase = match (is_for_server, words.next(), words.next().and_then(|cursor| cursor.parse().ok())) {
        (true, Some("records"), Some(cursor)) => Phase::Records { cursor, nodes: None },
        (true, Some("indexes"), Some(cursor)) => {
            Phase::Indexes { cursor: Some(cursor), nodes: None, keys: Vec::new(), after: Vec::new() }
        }
        _ => Phase::default(),
    };
    CheckPosition(phase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_resumed_by_the_server_process_it_was_saved_for_alone() {
        let indexes = |keys: &[&str], cursor| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            CheckPosition(Phase::Indexes { cursor, nodes: None, keys, after: Vec::new() })
        };
        for position in
            [CheckPosition(Phase::Records { cursor: 96, nodes: None }), indexes(&[], Some(0)), indexes(&[], Some(7))]
        {
            let text = saved(&position, "run").unwrap();
            assert_eq!(resumed(&text, "run"), position, "{text}");
            assert_eq!(resumed(&text, "other"), CheckPosition::default(), "{text}");
            assert_eq!((saved(&position, ""), resumed(&text, "")), (None, CheckPosition::default()));
        }
        assert_eq!((saved(&indexes(&["i"], Some(7)), "run"), saved(&indexes(&[], None), "run")), (None, None));
        for foreign in ["", "run", "run records", "run records x", "run record 1", "run records -1"] {
            assert_eq!(resumed(foreign, "run"), CheckPosition::default(), "{foreign:?}");
        }
    }
}
