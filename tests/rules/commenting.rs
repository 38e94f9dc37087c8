//! Comments: allowed whenever, and nothing follows from them.

use mutator_governance::workflow::{AfterFailure, Command, Failure, explain};
use mutator_governance::{ClaimId, DecisionCategory, Error, Status, Value, metadata_keys};

use crate::support::*;

const LEASE: std::time::Duration = std::time::Duration::from_secs(60);

#[test]
fn anybody_comments_in_every_status_and_changes_nothing_else() {
    for status in Status::ALL {
        let before = in_status(status);
        let after = apply(&before, &Command::comment(user("anybody"), "Why so early?"), 7);
        let [earlier @ .., last] = after.decisions.as_slice() else { panic!("no decision") };
        assert_eq!(earlier, before.decisions.as_slice());
        assert_eq!((last.comment(), last.reason.as_deref(), last.at), (Some("Why so early?"), None, at(7)));
        assert_eq!(
            (last.kind.category(), last.kind.to_string().as_str()),
            (DecisionCategory::Discussion, "Discussion/Commented")
        );
        assert_eq!(after.digest(), before.digest());
        let mut rest = after.document().clone();
        rest.decisions.pop();
        rest.chain.clone_from(&before.chain);
        rest.updated_at = before.updated_at;
        assert_eq!(rest, *before.document(), "{status}");
    }
}

#[test]
fn a_comment_is_allowed_after_the_deadline_and_under_a_claim() {
    let mut waiting = file_with([rule("alice")]).into_document();
    waiting.state = mutator_governance::RequestState::Pending(mutator_governance::Pending {
        reason: mutator_governance::PendingReason::Approval,
        expires_at: Some(at(5)),
    });
    let waiting =
        mutator_governance::MutationRequest::from_document(waiting, in_status(Status::Created).revision()).unwrap();
    apply(&waiting, &Command::comment(user("bob"), "Too late, I fear."), 9);

    let claim = ClaimId::from_bytes([1; 16]);
    let claimed = apply(&in_status(Status::Approved), &Command::claim(user("executor"), claim, LEASE), 1);
    let discussed = apply(&claimed, &Command::comment(user("bob"), "Is it done?"), 2);
    assert_eq!(discussed.execution, claimed.execution);
    let failed = Command::fail(user("executor"), claim, Failure::new("broken"), AfterFailure::KeepApproved);
    let failed = apply(&discussed, &failed, 3);
    let discussed = apply(&failed, &Command::comment(user("bob"), "Why?"), 4);
    let at_one_time = |request| explain(request, at(5)).to_string();
    assert_eq!(at_one_time(&discussed), at_one_time(&failed), "nothing is explained otherwise");
}

#[test]
fn blank_and_long_comments_are_rejected_and_the_longest_is_kept() {
    let request = in_status(Status::Created);
    let comment = |text: &str| try_apply(&request, &Command::comment(user("bob"), text), 1);
    for blank in ["", " ", "\t\n\u{a0}"] {
        assert!(
            matches!(comment(blank), Err(Error::Invalid(error)) if error.problem.contains("is blank")),
            "{blank:?}"
        );
    }
    let most = Command::MAX_COMMENT_BYTES;
    for long in ["x".repeat(most + 1), "x".repeat(5 * 1024), "ä".repeat(most / 2 + 1)] {
        let Err(Error::Invalid(error)) = comment(&long) else { panic!("{} bytes", long.len()) };
        let problem = format!("has {} bytes, but at most 4096 are allowed", long.len());
        assert!(error.field == "comment" && error.problem.starts_with(&problem), "{error}");
    }
    let longest = "x".repeat(most);
    let kept = comment(&longest).unwrap();
    assert_eq!(kept.decisions.last().unwrap().metadata.get(metadata_keys::TEXT), Some(&Value::Text(longest)));
}
