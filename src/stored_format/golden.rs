//! Writes the golden vectors that `tests/format/golden.rs` reads. It writes only missing files: the vectors of a
//! released version never change.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::document::kinds::kinds_of;
use super::gates::Format;
use super::samples::{at, every_value, fullest, newest, person, realistic, smallest};
use super::{Compression, DocumentLimit, FormatError, FormatVersion, encode_as, encode_compressed, uncompressed_bytes};
use crate::request::*;

#[test]
#[ignore = "writes to tests/fixtures; run it when a version or a document is added"]
fn write_missing_vectors() {
    let fixtures = fixtures();
    for version in Format::CURRENT.versions() {
        let path = fixtures.join("documents").join(format!("kinds_of_v{}.txt", version.number));
        write_if_missing(&path, kinds_of(version).as_bytes());
    }
    for (name, document) in documents() {
        write_if_missing(
            &fixtures.join("documents").join(format!("{name}.txt")),
            format!("{document:#?}\n").as_bytes(),
        );
        for version in FormatVersion::all() {
            if !holds(version, &document) {
                continue;
            }
            let bytes = encode_as(&document, version, DocumentLimit::DEFAULT).unwrap();
            write_if_missing(&fixtures.join(format!("v{version}")).join(format!("{name}.bin")), &bytes);
            let any_payload = Compression::of_payloads_from(0);
            let bytes = encode_compressed(&document, version, any_payload, DocumentLimit::DEFAULT).unwrap();
            if uncompressed_bytes(&bytes).unwrap() > bytes.len() {
                write_if_missing(&fixtures.join(format!("v{version}_compressed")).join(format!("{name}.bin")), &bytes);
            }
        }
    }
}

/// A variant with a number and without a gate would be written for releases that do not know it.
#[test]
fn every_version_has_the_kinds_it_always_had() {
    for version in Format::CURRENT.versions() {
        let path = fixtures().join("documents").join(format!("kinds_of_v{}.txt", version.number));
        let known = fs::read_to_string(&path).unwrap();
        assert_eq!(kinds_of(version), known, "version {} has other kinds; give new ones a gate", version.number);
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stored_format")
}

fn write_if_missing(path: &Path, bytes: &[u8]) {
    if !path.exists() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Whether this version has every part that the document uses; the newest has.
pub(super) fn holds(version: FormatVersion, document: &RequestDocument) -> bool {
    let written = encode_as(document, version, DocumentLimit::MAX);
    !matches!(written, Err(FormatError::NotExpressible { .. }) if version != FormatVersion::NEWEST)
}

/// The documents that this version holds.
pub(super) fn documents_of(version: FormatVersion) -> Vec<(&'static str, RequestDocument)> {
    documents().into_iter().filter(|(_, document)| holds(version, document)).collect()
}

pub(super) fn documents() -> Vec<(&'static str, RequestDocument)> {
    let pending = |reason, expires_at| in_state(RequestState::Pending(Pending { reason, expires_at }));
    vec![
        ("newest", newest()),
        ("smallest", smallest()),
        ("realistic", realistic()),
        ("fullest", fullest()),
        ("metadata", RequestDocument { metadata: every_value(), ..smallest() }),
        ("approvals", approvals()),
        ("unicode", unicode()),
        ("extremes", extremes()),
        ("many", many()),
        ("payload", payload()),
        ("json_payload", json_payload()),
        ("unicode_payload", unicode_payload()),
        ("pending_external_check", pending(PendingReason::ExternalCheck, Some(at(1)))),
        ("pending_schedule", pending(PendingReason::Schedule, Some(Timestamp::MAX))),
        ("pending_dependency", pending(PendingReason::Dependency, None)),
        ("pending_quota", pending(PendingReason::Quota, None)),
        ("pending_manual_review", pending(PendingReason::ManualReview, Some(Timestamp::MIN))),
        ("pending_revalidation", pending(PendingReason::Revalidation, None)),
        ("approved", in_state(RequestState::Approved)),
        ("rejected", in_state(RequestState::Rejected)),
        ("canceled", in_state(RequestState::Canceled)),
        ("expired", in_state(RequestState::Expired)),
        ("superseded", in_state(RequestState::Superseded { by: RequestId::new("next").unwrap() })),
        ("executed", in_state(RequestState::Executed { at: at(60), resulting_version: None })),
        ("rollback_operator", compensating(CompensationKind::Rollback, CompensationTrigger::Operator)),
        ("correction_batch", compensating(CompensationKind::ForwardCorrection, CompensationTrigger::Batch)),
    ]
}

/// A small document in this state; the other small enums take turns.
fn in_state(state: RequestState) -> RequestDocument {
    let turn = state.status() as usize;
    let kinds = [ActorKind::Unknown, ActorKind::Service, ActorKind::Policy, ActorKind::Scheduler, ActorKind::User];
    let scopes = [BlastScope::Single, BlastScope::System, BlastScope::Module];
    let mut actor = ActorContext::new(kinds[turn % kinds.len()]);
    actor.mode = [ActorMode::Simulate, ActorMode::Validate, ActorMode::Commit][turn % 3];
    let mut intent = Intent::new("operate", "category").unwrap();
    intent.risk = [RiskLevel::Low, RiskLevel::Medium][turn % 2];
    intent.blast_radius = Some(BlastRadius::new(scopes[turn % scopes.len()]));
    let severity = [Severity::Info, Severity::Error][turn % 2];
    RequestDocument {
        state,
        intent,
        requested_by: Arc::new(actor),
        side_effects: vec![SideEffect::new("Log", "written", severity, at(2)).unwrap()],
        created_at: at(1),
        updated_at: at(2),
        ..smallest()
    }
}

fn compensating(kind: CompensationKind, trigger: CompensationTrigger) -> RequestDocument {
    let mut document = in_state(RequestState::Approved);
    document.execution.kind =
        ExecutionKind::Compensation(CompensationPlan::new(RequestId::new("original").unwrap(), kind, trigger));
    document
}

/// One approval in each state, in a group and alone.
fn approvals() -> RequestDocument {
    let by = person("u-1", "One", "reviewer", 5);
    let verdict = |reason: Option<&str>| Verdict {
        by: Arc::clone(&by),
        at: at(5),
        reason: reason.map(str::to_owned),
        digest: Digest::from_bytes([7; 32]),
    };
    let states = [
        ApprovalState::Pending,
        ApprovalState::Approved(verdict(None)),
        ApprovalState::Rejected { verdict: verdict(Some("no")), rejection: None },
        ApprovalState::Satisfied(Cause::new(
            Arc::clone(&by),
            at(6),
            Some("quorum group board has its 2 grants".into()),
        )),
        ApprovalState::Expired(Cause::new(Arc::new(ActorContext::system()), at(7), None)),
    ];
    let approvals = states.into_iter().zip(1_u32..).map(|(state, number)| Approval {
        id: ApprovalId::new(format!("a-{number}")).unwrap(),
        target: [ApprovalTarget::actor("u-1"), ApprovalTarget::role("reviewer"), ApprovalTarget::group("board")]
            [number as usize % 3]
            .clone()
            .unwrap(),
        description: String::new(),
        name: None,
        step: Step::FIRST,
        quorum: (number > 2).then(|| Quorum {
            group: QuorumGroup::new("board").unwrap(),
            required: NonZeroU32::new(2).unwrap(),
            rejection: QuorumRejection::Any,
        }),
        expires_at: (number == 5).then(|| at(7)),
        expires_after: None,
        decider: DeciderRule::NotTheRequester,
        reasons: ReasonRule::Optional,
        state,
        mandatory: false,
        delegation: None,
        escalation: None,
        metadata: Metadata::new(),
    });
    let reason = PendingReason::Approval;
    RequestDocument {
        state: RequestState::Pending(Pending { reason, expires_at: None }),
        approvals: approvals.collect(),
        approval_round: 2,
        ..smallest()
    }
}

fn unicode() -> RequestDocument {
    let mut document = smallest();
    document.target = Target::new("租户:北京", "Mandant", "Änderung – größer").unwrap();
    document.intent = Intent::new("🦀", "क्षत्रिय")
        .unwrap()
        .described_as("e\u{301} is not é; \u{202e}right to left\u{202c}; \u{0}; \u{10ffff}; line\r\nline")
        .with_tag("עברית")
        .and_then(|intent| intent.with_tag("العربية"))
        .unwrap();
    document.metadata = Metadata::new().with("🔑", "🔒").unwrap();
    document
}

/// Names of the greatest length, numbers at their ends, texts of the lengths at which their prefix grows.
fn extremes() -> RequestDocument {
    let mut document = smallest();
    document.id = RequestId::new("i".repeat(RequestId::MAX_BYTES)).unwrap();
    document.target = Target::new("s".repeat(256), "t".repeat(256), "m".repeat(256)).unwrap();
    document.approval_round = 0;
    document.created_at = Timestamp::MAX;
    document.metadata = [0, 1, 2, 3, 62, 63, 124, 125, 126, 250, 251, 32_767, 32_768]
        .into_iter()
        .fold(Metadata::new(), |metadata, length| metadata.with(format!("{length}"), "x".repeat(length)).unwrap());
    document.metadata =
        [-1, 0, 62, 63, 124, 125, -126, 250, 251, 65_535, 65_536, i64::from(u32::MAX), i64::MIN, i64::MAX]
            .into_iter()
            .fold(document.metadata, |metadata, number| metadata.with(format!("i{number}"), number).unwrap());
    document
}

/// More texts, times and actors than the short references reach, and the first of them again at the end.
fn many() -> RequestDocument {
    let actors: Vec<_> =
        (0..40).map(|number| Arc::new(ActorContext::user(format!("user-{number}")).unwrap())).collect();
    let decisions = actors.iter().chain(actors.iter().rev()).zip(0_u64..).map(|(actor, number)| {
        let about = Metadata::new().with(format!("key-{number}"), format!("value-{number}")).unwrap();
        Decision::new(ApprovalDecision::Granted, actor, at(number * 61)).about(about)
    });
    let tags = (0..150).map(|number| Tag::new(format!("tag-{number:03}")).unwrap());
    let mut document = smallest();
    document.intent.tags = tags.collect::<BTreeSet<_>>();
    document.decisions = decisions.collect();
    document
}

fn payload() -> RequestDocument {
    let bytes: Vec<u8> = (0..300_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    RequestDocument { payload: Some(Payload::new("application/octet-stream", bytes).unwrap()), ..smallest() }
}

/// A payload of the size that is compressed by default.
pub(super) fn json_payload() -> RequestDocument {
    let grants = (0..45_u32).map(|number| {
        let (amount, day) = (number.wrapping_mul(2_654_435_761) >> 12, number % 28 + 1);
        format!(
            r#"{{"to":"u-{number:04}","role":"billing-admin","limit":{amount},"from":"2026-01-{day:02}T08:00:00Z","until":null}}"#
        )
    });
    let json = format!(r#"{{"grants":[{}]}}"#, grants.collect::<Vec<_>>().join(","));
    RequestDocument { payload: Some(Payload::new("application/json", json.into_bytes()).unwrap()), ..realistic() }
}

fn unicode_payload() -> RequestDocument {
    let text = "Der Änderung wird zugestimmt – 承認済み 🦀 одобрено\u{0}\r\n".repeat(5);
    let payload = Payload::new("text/plain; charset=utf-8", text.into_bytes()).unwrap();
    RequestDocument { payload: Some(payload), ..unicode() }
}
