//! Every error has a code and a kind of its own, the page about errors lists them, and JSON and HTTP have both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::code::Code;
use super::*;
use crate::command::Command;
use crate::request::{
    ActorContext, ApprovalId, ApprovalStatus, ApprovalTarget, ClaimId, Digest, Intent, PendingReason, PolicyName,
    QuorumGroup, RequestDraft, Step, Target, UnsettledWrite,
};
use crate::workflow;

const PAGE: &str = include_str!("../../docs/errors.md");

fn id(text: &str) -> RequestId {
    RequestId::new(text).unwrap()
}

fn approval_errors() -> Vec<(ApprovalError, ErrorKind)> {
    use ApprovalError::*;
    use ErrorKind::{Conflict, Invalid, NotAllowed, NotFound};
    let approval = || ApprovalId::new("approval-1").unwrap();
    let group = || QuorumGroup::new("board").unwrap();
    let (actor, digest) = (|| "bob".to_owned(), Digest::from_bytes([7; 32]));
    let nothing = |why| ApprovalError::NothingToDecide { actor: actor(), why, explanation: "waits".to_owned() };
    let manager = ApprovalTarget::role("manager").unwrap();
    let (step, now) = (Step::new(1).unwrap(), Timestamp::MIN);
    vec![
        (NotAwaitingApproval { status: Status::Canceled }, Conflict),
        (NoApprovals, Conflict),
        (UnknownApproval { approval: approval(), known: "approval-2".to_owned() }, NotFound),
        (AlreadyDecided { approval: approval(), status: ApprovalStatus::Approved }, Conflict),
        (Expired { approval: approval(), expired_at: now }, Conflict),
        (AnonymousDecider { approval: approval() }, NotAllowed),
        (NotAddressed { approval: approval(), target: Box::new(manager), actor: actor() }, NotAllowed),
        (Excluded { approval: approval(), actor: actor() }, NotAllowed),
        (OwnRequest { approval: approval(), actor: actor(), requester: actor() }, NotAllowed),
        (AlreadyVoted { approval: approval(), group: group(), actor: actor() }, NotAllowed),
        (NotDistinct { approval: approval(), actor: actor() }, NotAllowed),
        (NotYet { approval: approval(), step, active: step }, Conflict),
        (NeededElsewhere { approval: approval(), group: Some(group()), actor: actor(), instead: None }, NotAllowed),
        (NeededElsewhere { approval: approval(), group: None, actor: actor(), instead: None }, NotAllowed),
        (ReasonDemanded { approval: approval(), rejecting: true }, Invalid),
        (nothing(crate::NothingToDecide::Anonymous), NotAllowed),
        (nothing(crate::NothingToDecide::Voted { approvals: vec![approval()] }), NotAllowed),
        (nothing(crate::NothingToDecide::NotYet { approvals: vec![approval()], step, active: step }), Conflict),
        (nothing(crate::NothingToDecide::Excluded { approvals: vec![approval()] }), NotAllowed),
        (nothing(crate::NothingToDecide::OwnRequest { approvals: vec![approval()], requester: actor() }), NotAllowed),
        (nothing(crate::NothingToDecide::Expired { approvals: vec![approval()], expired_at: now }), Conflict),
        (nothing(crate::NothingToDecide::Decided { approvals: vec![approval()] }), Conflict),
        (nothing(crate::NothingToDecide::NotAddressed { addressed: Vec::new() }), NotAllowed),
        (AnotherDigest { approval: approval(), seen: digest, current: digest }, Conflict),
        (Unmet { unmet: 1 }, Conflict),
        (NotWaiting { status: Status::Created }, Conflict),
        (NothingToWithdraw { actor: actor(), approval: Some(approval()) }, Conflict),
        (AnothersVote { approval: approval(), actor: actor(), voter: "bob".to_owned() }, NotAllowed),
        (AnonymousWithdrawal, NotAllowed),
        (TooLateToWithdraw { status: Status::Executed }, Conflict),
        (NothingToOverride, Conflict),
        (AnonymousOverride, NotAllowed),
        (OverrideWithoutReason, Invalid),
    ]
}

fn amendment_errors() -> Vec<(AmendmentError, ErrorKind)> {
    use AmendmentError::*;
    use ErrorKind::{Conflict, Invalid, NotAllowed};
    let approval = ApprovalId::new("approval-1").unwrap();
    let (group, name) = (QuorumGroup::new("board").unwrap(), || "bob".to_owned());
    vec![
        (NotPending { status: Status::Approved }, Conflict),
        (Anonymous, NotAllowed),
        (WithoutReason, Invalid),
        (ToOneself { approval: approval.clone(), actor: name() }, Invalid),
        (Circle { approval: approval.clone(), to: name(), chain: name() }, NotAllowed),
        (ChainTooLong { approval: approval.clone(), chain: name() }, NotAllowed),
        (ToRequester { approval: approval.clone(), to: name(), requester: name() }, NotAllowed),
        (ToExcluded { approval: approval.clone(), to: name() }, NotAllowed),
        (ToVoter { approval: approval.clone(), group: group.clone(), to: name() }, NotAllowed),
        (SameTarget { approval: approval.clone(), target: name() }, Conflict),
        (IdTaken { approval: approval.clone() }, Conflict),
        (GroupTaken { group }, Conflict),
        (Mandatory { approval: approval.clone() }, NotAllowed),
        (LastUnmet { approval }, Conflict),
    ]
}

fn archive_errors() -> Vec<(ArchiveError, ErrorKind)> {
    use ArchiveError::*;
    use ErrorKind::{Conflict, Corrupt, Invalid, Misconfigured, NotFound, Unavailable};
    let (file, problem) = (|| "part-000001.jsonl".to_owned(), || "it is damaged".to_owned());
    let digest = Digest::from_bytes([7; 32]);
    let revision = crate::request::Revision::first(WriteId::from_bytes([7; 16]));
    let rules = (crate::request::IdComparison::Exact, crate::request::IdComparison::FoldCase);
    let error = Box::new(Error::not_found(id("r")));
    vec![
        (File { file: file(), writing: true, problem: problem() }, Unavailable),
        (Manifest { problem: problem() }, Corrupt),
        (Unfinished { requests: 1 }, Conflict),
        (NotResumable { problem: problem() }, Invalid),
        (UnknownFormat { file: file(), problem: problem() }, Misconfigured),
        (OtherLayout { archived: rules.0, found: rules.1 }, Misconfigured),
        (Truncated { file: file(), expected: 2, found: 1 }, Corrupt),
        (Checksum { file: file(), recorded: digest, computed: digest }, Corrupt),
        (OtherCount { file: file(), recorded: 2, found: 1 }, Corrupt),
        (Line { file: file(), line: 1, problem: problem() }, Corrupt),
        (LineTooLong { file: file(), line: 1, limit: 1 }, Misconfigured),
        (Rejected { file: file(), line: 1, id: id("r"), error }, NotFound),
        (ArchiveError::Conflict { file: file(), line: 1, id: id("r"), archived: revision, stored: revision }, Conflict),
    ]
}

fn policy_errors() -> Vec<(PolicyError, ErrorKind)> {
    use ErrorKind::{Invalid, Misconfigured};
    let text = || "policies.toml".to_owned();
    let policies = vec![PolicyName::new("access").unwrap()];
    vec![
        (PolicyError::Unreadable { file: text(), problem: text() }, Misconfigured),
        (PolicyError::Invalid { file: text(), line: 1, problem: text() }, Misconfigured),
        (PolicyError::Unsatisfiable { policies, problem: text() }, Invalid),
    ]
}

fn execution_errors() -> Vec<(ExecutionError, ErrorKind)> {
    use ErrorKind::{Busy, Conflict, Invalid, Unavailable};
    use ExecutionError::*;
    let (digest, second) = (Digest::from_bytes([7; 32]), Duration::from_secs(1));
    let status = Status::Approved;
    vec![
        (NotApproved { status }, Conflict),
        (Claimed { by: "worker".to_owned(), lease_ends_at: Timestamp::MIN }, Busy),
        (BetweenAttempts { failed: 3, next_at: Timestamp::MIN }, Busy),
        (ClaimLost { claim: ClaimId::generate(), status }, Conflict),
        (LeaseTooShort { lease: second, call_timeout: second, shortest: second }, Invalid),
        (LeaseNearlyOver { lease_ends_at: Timestamp::MIN, left: second }, Unavailable),
        (
            ApprovedOtherwise { approval: ApprovalId::new("approval-1").unwrap(), approved: digest, current: digest },
            Conflict,
        ),
        (OverriddenOtherwise { overridden: digest.to_string(), current: digest }, Conflict),
        (NoRoom { size: 2, limit: 1 }, Conflict),
        (NotYet { not_before: Timestamp::MIN }, Busy),
        (NoLongerValid { valid_until: Timestamp::MIN }, Conflict),
        (StartAfterDeadline { not_before: Timestamp::MAX, deadline: Timestamp::MIN }, Invalid),
        (TooLateToSchedule { status: Status::Executed }, Conflict),
        (NotRevalidating { status: Status::Pending, waits_for: Some(PendingReason::Quota) }, Conflict),
        (NothingToRenew, Conflict),
        (NotExecuted { status }, Conflict),
        (CompensatedAlready { by: id("other") }, Conflict),
        (NoCompensation, Invalid),
        (CompensatesAnother { compensates: id("other") }, Invalid),
    ]
}

fn format_errors() -> Vec<(FormatError, ErrorKind)> {
    use ErrorKind::{Corrupt, Misconfigured};
    use FormatError::*;
    vec![
        (Foreign, Corrupt),
        (Truncated { expected: 2, found: 1 }, Corrupt),
        (ChecksumMismatch { recorded: 1, computed: 2 }, Corrupt),
        (DamagedHeader, Corrupt),
        (Malformed { problem: "no end".to_owned() }, Corrupt),
        (UnsupportedVersion { part: "schema", found: 9, newest_supported: 1 }, Misconfigured),
        (UnsupportedFlags { flags: 8 }, Misconfigured),
        (OverLimit { size: 2, unit: "bytes", limit: 1 }, Misconfigured),
        (NotExpressible { version: 1, problem: "it has a number".to_owned() }, Misconfigured),
    ]
}

fn correction_errors() -> Vec<(CorrectionError, ErrorKind)> {
    use CorrectionError::*;
    use ErrorKind::{Conflict, Invalid, NotAllowed};
    vec![
        (NotSentBack { status: Status::Created, waits_for: None }, Conflict),
        (AnothersRequest { actor: "bob".to_owned(), requester: None }, NotAllowed),
        (NothingAmended, Invalid),
        (NoApprovals, Conflict),
        (NotResubmittable { status: Status::Approved }, Conflict),
        (ResubmittedAlready { resubmitted_as: id("s") }, Conflict),
    ]
}

fn layout_errors() -> Vec<(LayoutError, ErrorKind)> {
    use ErrorKind::{Corrupt, Misconfigured, Unavailable};
    use LayoutError::*;
    let place = || "namespace billing".to_owned();
    vec![
        (Older { place: place(), found: 1, expected: 2 }, Misconfigured),
        (Newer { place: place(), found: 3, expected: 2 }, Misconfigured),
        (Foreign { key: place(), what: "a namespace", remedy: "choose another" }, Misconfigured),
        (OtherChoice { key: place() }, Misconfigured),
        (Rebuilding { namespace: place(), indexed: "nothing".to_owned() }, Unavailable),
        (Repartitioning { place: place(), from: 4, to: 8 }, Unavailable),
        (Missing { key: place(), remedy: "restore it" }, Corrupt),
    ]
}

fn store_errors() -> Vec<(StoreError, ErrorKind)> {
    use StoreErrorKind::*;
    let kinds = [
        (Unreachable, ErrorKind::Unavailable),
        (DeadlineExceeded, ErrorKind::Unavailable),
        (Connection, ErrorKind::Unavailable),
        (Unavailable, ErrorKind::Unavailable),
        (Rejected, ErrorKind::Misconfigured),
        (Incompatible, ErrorKind::Misconfigured),
        (Corrupt, ErrorKind::Corrupt),
        (Configuration, ErrorKind::Misconfigured),
        (Panicked, ErrorKind::Internal),
        (Unconfirmed, ErrorKind::UnknownOutcome),
    ];
    let plain = kinds.map(|(kind, as_kind)| (StoreError::new(kind, Outcome::NotApplied, "it failed"), as_kind));
    plain
        .into_iter()
        .chain(layout_errors().into_iter().map(|(error, kind)| (StoreError::of_layout(error), kind)))
        .collect()
}

fn unrecorded() -> Error {
    let by = ActorContext::service("worker").unwrap();
    let claim = ClaimId::generate();
    let cause = StoreError::new(StoreErrorKind::Unreachable, Outcome::NotApplied, "no route");
    UnrecordedExecution::new(id("r"), claim, Command::release(by, claim), cause.into()).into()
}

/// One error of every variant, and its kind.
fn every_error() -> Vec<(Error, ErrorKind)> {
    use ErrorKind::{Conflict, Invalid, NotFound};
    let request = || id("r");
    let write_id = WriteId::generate();
    let mut errors = vec![
        (InvalidValue::new("reason", "is blank").into(), Invalid),
        (Error::invalid_approval_configuration("nobody can decide it"), Invalid),
        (Error::invalid_cursor("it is damaged"), Invalid),
        (Error::invalid_feed_position("it is damaged"), Invalid),
        (Error::NotCommitMode { mode: ActorMode::Simulate }, Invalid),
        (Error::not_found(request()), NotFound),
        (Error::already_exists(request()), Conflict),
        (Error::WriteIdReused { id: request(), write_id, used_to: WriteKind::Submit, revision: 0 }, Conflict),
        (conflict(), Conflict),
        (Error::InvalidTransition { id: request(), from: Status::Executed, to: Status::Approved }, Conflict),
        (Error::DeadlinePassed { id: request(), deadline: Timestamp::MIN }, Conflict),
        (Error::NothingDue { id: request() }, Conflict),
        (Error::rewritten_history(request(), 1), Invalid),
        (Error::submitted_fields_changed(request()), Invalid),
        (Error::too_large(request(), 2, 1), Invalid),
        (Error::too_many_entries(request(), 2, 1), Invalid),
        (Error::Supersede { id: request(), error: SupersedeError::Missing { superseding: id("s") } }, NotFound),
        (
            Error::Supersede { id: request(), error: SupersedeError::Superseded { superseding: id("s"), by: id("t") } },
            Conflict,
        ),
        (unrecorded(), ErrorKind::UnknownOutcome),
    ];
    errors.extend(
        correction_errors().into_iter().map(|(error, kind)| (Error::Correction { id: request(), error }, kind)),
    );
    errors.extend(approval_errors().into_iter().map(|(error, kind)| (Error::Approval { id: request(), error }, kind)));
    errors
        .extend(amendment_errors().into_iter().map(|(error, kind)| (Error::Amendment { id: request(), error }, kind)));
    errors
        .extend(execution_errors().into_iter().map(|(error, kind)| (Error::Execution { id: request(), error }, kind)));
    errors.extend(archive_errors().into_iter().map(|(error, kind)| (Error::from(error), kind)));
    errors.extend(policy_errors().into_iter().map(|(error, kind)| (Error::from(error), kind)));
    errors.extend(format_errors().into_iter().map(|(error, kind)| (Error::unreadable("r", error), kind)));
    errors.extend(format_errors().into_iter().map(|(error, kind)| (Error::unwritable(id("r"), error), kind)));
    errors.extend(store_errors().into_iter().map(|(error, kind)| (error.into(), kind)));
    errors
}

fn conflict() -> Error {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let intent = Intent::new("grant-role", "Access").unwrap();
    let draft = RequestDraft::new(target, intent, ActorContext::user("alice").unwrap());
    let stored = workflow::submit(draft, id("r"), WriteId::generate(), Timestamp::MIN).unwrap();
    Conflict::between(&stored, &stored).into()
}

#[test]
fn every_code_is_that_of_some_error_and_every_error_has_the_kind_of_its_code() {
    let mut used = BTreeSet::new();
    for (error, kind) in every_error() {
        assert_eq!(error.kind(), kind, "{}: {error}", error.code());
        used.insert(error.full_code());
    }
    assert_eq!(used, Code::ALL.iter().copied().collect::<BTreeSet<_>>());
}

#[test]
fn a_code_is_two_plain_words_and_no_two_are_the_same() {
    let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(texts.len(), Code::ALL.len());
    for text in texts {
        let (group, name) = text.split_once('.').expect("a group and a name");
        let is_plain =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
        assert!(is_plain(group) && is_plain(name), "{text}");
    }
}

#[test]
fn a_write_that_took_effect_or_may_have_is_never_reported_as_one_to_repeat() {
    for (error, _) in store_errors() {
        for outcome in [Outcome::Unknown, Outcome::Applied] {
            let error = Error::from(StoreError::new(error.kind, outcome, "it failed"));
            assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{}, {outcome}", error.code());
        }
    }
    for (error, kind) in every_error() {
        assert!(!error.is_retryable() || kind == ErrorKind::Unavailable, "{}: {error}", error.code());
    }
}

/// The cells of each row of the page that begins with this text in code style.
fn rows(begins: impl Fn(&str) -> bool) -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| -> Vec<&str> { line.trim_matches('|').split(" | ").map(str::trim).collect() };
    let is_wanted = |row: &Vec<&str>| row[0].starts_with('`') && begins(row[0].trim_matches('`'));
    PAGE.lines().filter(|line| line.starts_with("| ")).map(cells).filter(is_wanted).collect()
}

#[test]
fn the_page_lists_every_code_with_its_kind_and_no_other() {
    let listed: BTreeMap<&str, &str> =
        rows(|text| text.contains('.')).iter().map(|row| (row[0].trim_matches('`'), row[1])).collect();
    let codes: BTreeMap<&str, &str> = Code::ALL.iter().map(|code| (code.as_str(), code.kind().as_str())).collect();
    assert_eq!(listed, codes);
    for row in rows(|text| text.contains('.')) {
        assert!(row.len() == 3 && row[2].trim_matches(['|', ' ']).len() > 10, "says what to do: {row:?}");
    }
}

#[test]
fn the_page_lists_every_kind() {
    let listed: BTreeSet<&str> =
        rows(|text| text.starts_with(char::is_uppercase)).iter().map(|row| row[0].trim_matches('`')).collect();
    let kinds: BTreeSet<&str> = Code::ALL.iter().map(|code| code.kind().as_str()).collect();
    assert_eq!(listed, kinds);
}

#[test]
fn an_error_in_json_is_read_back_and_leaves_out_what_it_does_not_have() {
    for (error, _) in every_error() {
        let json = serde_json::to_value(&error).unwrap();
        let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(
            fields.len(),
            3 + usize::from(error.request().is_some()) + usize::from(error.retry_after().is_some())
        );
        assert_eq!(json["message"], error.to_string());
        let read: ErrorReport = serde_json::from_value(json).unwrap();
        assert_eq!(read, ErrorReport::from(&error));
    }
}

#[test]
fn an_unsettled_write_and_the_time_to_retry_are_part_of_the_json() {
    let write = UnsettledWrite { id: id("r"), base: None, write_id: WriteId::generate(), intent: None };
    let failure = StoreError::new(StoreErrorKind::DeadlineExceeded, Outcome::Unknown, "no reply");
    let error = Error::from(failure.leaving(write.clone()));
    let read: ErrorReport = serde_json::from_value(serde_json::to_value(&error).unwrap()).unwrap();
    assert_eq!((read.unsettled_write, read.request), (Some(write), Some(id("r"))));

    let claimed = ExecutionError::Claimed { by: "worker".to_owned(), lease_ends_at: Timestamp::MIN };
    let json = serde_json::to_value(Error::Execution { id: id("r"), error: claimed }).unwrap();
    assert_eq!(json["retry_after"], serde_json::to_value(Timestamp::MIN).unwrap());
}

#[test]
fn what_a_newer_release_reports_is_read() {
    let newer = r#"{"code":"later.thing","kind":"Later","message":"m","hint":{"a":1}}"#;
    let read: ErrorReport = serde_json::from_str(newer).unwrap();
    assert_eq!((read.code.as_str(), read.kind), ("later.thing", ErrorKind::Internal));
    let kinds: BTreeSet<&str> = Code::ALL.iter().map(|code| code.kind().as_str()).collect();
    for kind in Code::ALL.iter().map(|code| code.kind()) {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        assert_eq!(serde_json::from_value::<ErrorKind>(kind.as_str().into()).unwrap(), kind);
    }
    assert_eq!(kinds.len(), 10);
}

#[cfg(feature = "http")]
#[test]
fn the_page_says_the_status_of_every_kind() {
    for row in rows(|text| text.starts_with(char::is_uppercase)) {
        let kind: ErrorKind = serde_json::from_value(row[0].trim_matches('`').into()).unwrap();
        let status = ::http::StatusCode::from(kind);
        assert_eq!(row[3].trim_matches(['|', ' ']), status.as_str(), "{kind}");
    }
}

#[cfg(feature = "http")]
#[test]
fn retry_after_is_an_http_date_that_is_not_too_early() {
    let at = |micros| {
        let lease_ends_at = Timestamp::from_micros(micros).unwrap();
        let error = ExecutionError::Claimed { by: "worker".to_owned(), lease_ends_at };
        Error::Execution { id: id("r"), error }.retry_after_header().unwrap()
    };
    assert_eq!(at(784_111_777_000_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(at(784_111_777_000_001), "Sun, 06 Nov 1994 08:49:38 GMT");
    assert_eq!(Error::not_found(id("r")).retry_after_header(), None);
}

/// A `Result` is moved on every path, with or without an error in it.
#[test]
fn an_error_is_small() {
    assert!(size_of::<Error>() < 128, "{} bytes", size_of::<Error>());
}

#[test]
fn debug_is_the_sentence_and_then_the_causes_that_it_does_not_name() {
    let not_found = Error::not_found(id("r"));
    assert_eq!(format!("{not_found:?}"), not_found.to_string());
    let named = StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, "cannot write: disk full");
    let named = Error::from(named.caused_by("disk full"));
    assert_eq!(format!("{named:?}"), "cannot write: disk full");
    let unnamed = StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, "cannot write");
    let unnamed = Error::from(unnamed.caused_by("disk full"));
    assert_eq!(format!("{unnamed:?}"), "cannot write\n  caused by: disk full");
    for (error, _) in every_error() {
        assert!(format!("{error:?}").starts_with(&error.to_string()));
    }
}
