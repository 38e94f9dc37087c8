//! `write_format` and `migrate` between versions of the stored format, on a Redis: in a unit test, which can add later versions.

use std::sync::Arc;

use super::{Governance, RedisStore, Store, StoreExtension as _};
use crate::query::{PageRequest, RequestQuery};
use crate::request::{ActorContext, ApprovalRule, Intent, PendingReason, RequestDraft, RequestId, Target};
use crate::stored_format::gates_tests::stand_in_a_later_format;
use crate::{Error, Finding, FormatError, FormatVersion, Outcome};

#[path = "../../tests/common/server/process.rs"]
#[allow(dead_code, unreachable_pub, reason = "tests elsewhere use more of it")]
mod process;
#[path = "../../tests/common/server/supervisor.rs"]
#[allow(unreachable_pub, reason = "as above")]
mod supervisor;

use process::ServerProcess;

fn draft(id: &str) -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let intent = Intent::new("grant-role", "Access").unwrap();
    RequestDraft::new(target, intent, ActorContext::user("alice").unwrap()).with_id(RequestId::new(id).unwrap())
}

fn open(server: &ServerProcess, version: u16) -> (Arc<RedisStore>, Governance) {
    let builder = RedisStore::builder(server.url()).namespace("migrate");
    let version = FormatVersion::new(version).unwrap();
    let store = Arc::new(builder.timeout(std::time::Duration::from_secs(20)).write_format(version).open().unwrap());
    let governance = Governance::builder().store(Arc::clone(&store) as Arc<dyn Store>).build();
    (store, governance)
}

#[test]
fn migrating_rewrites_documents_of_another_format_and_nothing_else() {
    stand_in_a_later_format();
    let server = ServerProcess::start("redis-server", None, &[]);
    let ((_, older), (store, newer)) = (open(&server, 1), open(&server, 3));
    for number in 0..12 {
        let draft = draft(&format!("r{number}"));
        let draft = match number % 3 {
            0 => draft,
            1 => draft.waiting_for(PendingReason::Quota),
            _ => draft.requires_approval(ApprovalRule::actor("bob").unwrap()),
        };
        older.submit(draft).unwrap();
    }
    newer.submit(draft("new").waiting_for(PendingReason::ManualReview)).unwrap();
    let stored = || store.requests(&RequestQuery::new(), &PageRequest::first()).unwrap().items;
    let before = stored();
    assert_eq!(before.len(), 13);
    assert!(store.verify(|_| {}).unwrap().is_clean());

    let report = store.migrate(|_| {}).unwrap();
    assert_eq!(report.findings.len(), 12, "{:?}", report.findings);
    assert!(report.findings.iter().all(|finding| matches!(finding, Finding::OtherFormat { version: 1, .. })));
    assert!(store.migrate(|_| {}).unwrap().is_clean());
    assert!(store.verify(|_| {}).unwrap().is_clean());
    assert_eq!(stored(), before);
    newer.cancel(&RequestId::new("r1").unwrap(), ActorContext::user("bob").unwrap()).unwrap();
    assert!(store.verify(|_| {}).unwrap().is_clean());
}

#[test]
fn what_the_chosen_format_has_no_place_for_is_rejected_and_not_written() {
    stand_in_a_later_format();
    let server = ServerProcess::start("redis-server", None, &[]);
    let (store, older) = open(&server, 1);
    let error = older.submit(draft("new").waiting_for(PendingReason::ManualReview)).unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied);
    let Error::Unwritable { error: FormatError::NotExpressible { version: 1, problem }, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(problem, "it has the pending reason ManualReview, which came with version 3");
    assert!(store.get(&RequestId::new("new").unwrap()).unwrap().is_none());
    older.submit(draft("new").waiting_for(PendingReason::Quota)).unwrap();
}

#[test]
fn the_first_version_has_no_place_for_a_comment_and_keeps_its_request() {
    let server = ServerProcess::start("redis-server", None, &[]);
    let ((store, first), (_, second)) = (open(&server, 1), open(&server, 2));
    let (id, bob) = (RequestId::new("r").unwrap(), || ActorContext::user("bob").unwrap());
    let request = first.submit(draft("r")).unwrap();
    let error = first.comment(&id, bob(), "For how long?").unwrap_err();
    assert_eq!((error.code(), error.outcome()), ("format.not_expressible", Outcome::NotApplied));
    let stored = store.get(&id).unwrap().unwrap();
    assert_eq!((&stored.decisions, &stored.chain), (&request.decisions, &None), "nor for a chain, which it leaves out");
    let discussed = second.comment(&id, bob(), "For how long?").unwrap();
    assert_eq!(store.get(&id).unwrap().unwrap(), discussed, "what reads does not depend on what is written");
    let error = first.cancel(&id, bob()).unwrap_err();
    assert_eq!(error.code(), "format.not_expressible", "no part of a history is left out");
}
