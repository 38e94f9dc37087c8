//! One call for many requests: results, repetitions, stops and limits.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use mutator_governance::workflow::Command;
use mutator_governance::{
    ActorContext, ActorMode, Error, Intent, ManyOptions, ManyOutcome, ManyReport, Outcome, Rejection, RequestDraft,
    RequestId, Status, Target, WriteId,
};

use super::shaky_store::Mishap;
use super::{World, dual};
use crate::runtime::people::{approved, id, needing, user};

fn ids(count: usize) -> Vec<RequestId> {
    (0..count).map(|number| id(&format!("request-{number}"))).collect()
}

fn drafts(count: usize) -> Vec<RequestDraft> {
    (0..count).map(|number| needing(&format!("request-{number}"), &["a", "b"])).collect()
}

fn options() -> ManyOptions {
    ManyOptions::new()
}

/// What became of each: `+` done, `-` failed, `.` not started.
fn outcomes(report: &ManyReport) -> String {
    let outcome = |outcome: &ManyOutcome| match outcome {
        ManyOutcome::Done { .. } => '+',
        ManyOutcome::Failed { .. } => '-',
        ManyOutcome::NotStarted => '.',
    };
    report.results.iter().map(|result| outcome(&result.outcome)).collect()
}

#[dual]
pub(crate) async fn each_request_has_its_result_in_its_place(world: World) {
    world.governance.submit_many(&drafts(100), &options()).await.unwrap();
    world.governance.cancel("request-7", user("requester")).await.unwrap();
    let mut asked = ids(100);
    asked.insert(50, id("unknown"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let options = options().concurrency(8).unwrap().on_progress(move |progress| {
        let entry = (progress.place, progress.id.clone(), progress.result.is_ok(), progress.ended, progress.total);
        log.lock().unwrap().push(entry);
        ControlFlow::Continue(())
    });
    let report = world.governance.approve_many(&asked, user("a"), &options).await.unwrap();
    let results = report.results.iter().map(|result| result.id.clone());
    assert_eq!(results.collect::<Vec<_>>(), asked);
    let expected: String = (0..101).map(|place| if [7, 50].contains(&place) { '-' } else { '+' }).collect();
    assert_eq!(outcomes(&report), expected);
    assert_eq!((report.done(), report.is_complete(), report.not_started().count()), (99, false, 0));
    let failed: Vec<_> = report.failures().collect();
    assert_eq!(failed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["request-7", "unknown"]);
    assert!(matches!(failed[1].1, Error::NotFound { id } if id == "unknown"), "{failed:?}");
    for (place, result) in report.results.iter().enumerate().filter(|(place, _)| ![7, 50].contains(place)) {
        let stored = world.stored(&result.id).await;
        let ManyOutcome::Done { status, revision } = result.outcome else { panic!("{result:?}") };
        assert_eq!((status, revision), (stored.state.status(), stored.revision().number), "{place}");
        assert_eq!((status, revision), (Status::Pending, 1), "{place}");
    }
    let mut seen = seen.lock().unwrap().clone();
    assert!(seen.iter().enumerate().all(|(number, entry)| (entry.3, entry.4) == (number + 1, 101)), "{seen:?}");
    seen.sort();
    assert_eq!(seen.iter().map(|entry| entry.1.clone()).collect::<Vec<_>>(), asked);
    assert_eq!(seen.iter().filter(|entry| !entry.2).map(|entry| entry.0).collect::<Vec<_>>(), [7, 50]);
}

/// The replies of some writes are lost, and others are not written: the same call again does what is left.
#[dual]
pub(crate) async fn a_repeated_call_applies_nothing_twice(world: World) {
    let shaky = world.shaky();
    let governance = world.governance_over(shaky.clone());
    governance.submit_many(&drafts(40), &options()).await.unwrap();
    for update in [3, 11, 29] {
        shaky.plan(update, Mishap::ReplyLost);
        shaky.plan(update + 1, Mishap::Lost);
    }
    let options = options().write_id(WriteId::from_bytes([7; 16]));
    let first = governance.approve_many(&ids(40), user("a"), &options).await.unwrap();
    assert_eq!((first.done(), first.failures().count(), first.write_id), (34, 6, WriteId::from_bytes([7; 16])));
    let unknown = first.failures().filter(|(_, error)| error.outcome() == Outcome::Unknown).count();
    assert_eq!(unknown, 3);
    for _ in 0..2 {
        let again = governance.approve_many(&ids(40), user("a"), &options).await.unwrap();
        assert!(again.is_complete(), "{:?}", again.failures().collect::<Vec<_>>());
        for request in ids(40) {
            let stored = world.stored(&request).await;
            assert_eq!(stored.revision().number, 1, "{request}");
        }
    }
    // Another call is another command: now there is nothing left for them to decide.
    let other = governance.approve_many(&ids(40), user("a"), &ManyOptions::new()).await.unwrap();
    assert_eq!(other.failures().count(), 40);
    assert_ne!(other.write_id, first.write_id);
}

#[dual]
pub(crate) async fn a_call_that_is_stopped_names_what_it_did_not_start(world: World) {
    world.governance.submit_many(&drafts(60), &options()).await.unwrap();
    let stop = |progress: &mutator_governance::ManyProgress<'_>| match progress.ended {
        10.. => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let options = options().concurrency(4).unwrap().write_id(WriteId::generate());
    let stopped = world.governance.approve_many(&ids(60), user("a"), &options.clone().on_progress(stop)).await.unwrap();
    // Those under way were finished.
    assert!((10..=13).contains(&stopped.done()), "{}", outcomes(&stopped));
    assert_eq!(stopped.not_started().count(), 60 - stopped.done());
    for result in &stopped.results {
        let is_done = matches!(result.outcome, ManyOutcome::Done { .. });
        let stored = world.stored(&result.id).await;
        assert_eq!(stored.revision().number, u64::from(is_done));
    }
    let rest = world.governance.approve_many(&ids(60), user("a"), &options).await.unwrap();
    assert!(rest.is_complete());
}

#[dual]
pub(crate) async fn a_store_that_is_down_is_not_asked_for_each(world: World) {
    let shaky = world.shaky();
    let governance = world.governance_over(shaky.clone());
    governance.submit_many(&drafts(60), &options()).await.unwrap();
    for update in 21..=200 {
        shaky.plan(update, Mishap::Lost);
    }
    let report = governance.approve_many(&ids(60), user("a"), &options().concurrency(4).unwrap()).await.unwrap();
    let failures = report.failures().count();
    // Writes that were under way when it went down still succeed, each between others that fail.
    assert!(report.done() == 20 && (4..=16).contains(&failures), "{}", outcomes(&report));
    assert_eq!(report.not_started().count(), 40 - failures);
}

#[dual]
pub(crate) async fn what_one_call_may_not_name_is_an_error(world: World) {
    let shaky = world.shaky();
    let governance = world.governance_over(shaky.clone());
    governance.submit_many(&drafts(3), &options()).await.unwrap();
    let mut twice = ids(3);
    twice.push(id("request-1"));
    let simulated = Command::cancel(ActorContext::user("a").unwrap().in_mode(ActorMode::Simulate));
    let errors = [
        governance.approve_many(&ids(10_001), user("a"), &options()).await.unwrap_err(),
        governance.cancel_many(&twice, user("a"), &options()).await.unwrap_err(),
        governance.submit_many(&drafts(10_001), &options()).await.unwrap_err(),
        governance.submit_many(&[drafts(3), drafts(1)].concat(), &options()).await.unwrap_err(),
        governance.apply_many(&ids(3), &simulated, &options()).await.unwrap_err(),
    ];
    for (error, expected) in errors.iter().zip(["10001", "request-1 twice", "10001", "request-0 twice", "Simulate"]) {
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }
    assert_eq!((shaky.updates(), shaky.reads()), (0, 0));
    for request in ids(3) {
        let stored = world.stored(&request).await;
        assert_eq!(stored.revision().number, 0);
    }
    let nothing = governance.cancel_many(&[], user("a"), &options()).await.unwrap();
    assert!(nothing.results.is_empty() && nothing.is_complete());
}

#[dual]
pub(crate) async fn drafts_are_submitted_once_each_under_its_own_id(world: World) {
    // Without ids, each gets one; a repetition of such a call would submit others, so it needs ids.
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), user("requester"));
    let anonymous = [draft.clone(), draft.clone(), draft];
    let report = world.governance.submit_many(&anonymous, &options()).await.unwrap();
    assert!(report.is_complete());
    for result in &report.results {
        let stored = world.stored(&result.id).await;
        assert_eq!(stored.state.status(), Status::Created);
    }
    let repeatable = options().write_id(WriteId::generate());
    let error = world.governance.submit_many(&anonymous, &repeatable).await.unwrap_err();
    assert!(error.to_string().contains("request id of draft 0 is missing"), "{error}");

    // An id that is taken fails alone.
    world.governance.submit(approved("request-4")).await.unwrap();
    for _ in 0..2 {
        let report = world.governance.submit_many(&drafts(8), &repeatable).await.unwrap();
        assert_eq!(outcomes(&report), "++++-+++");
        let (_, error) = report.failures().next().unwrap();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
        let stored = world.stored(&id("request-3")).await;
        assert_eq!(stored.revision().number, 0);
    }
}

#[dual]
pub(crate) async fn many_are_canceled_and_rejected(world: World) {
    world.governance.submit_many(&drafts(20), &options()).await.unwrap();
    let (rejected, canceled) = (&ids(20)[..10], &ids(20)[10..]);
    let rejection = Rejection::new("policy", "not before the audit");
    let reports = [
        world.governance.reject_many(rejected, user("b"), Some(rejection), &options()).await.unwrap(),
        world.governance.cancel_many(canceled, user("requester"), &options()).await.unwrap(),
    ];
    for (report, expected) in reports.iter().zip([Status::Rejected, Status::Canceled]) {
        for result in &report.results {
            assert!(matches!(result.outcome, ManyOutcome::Done { status, revision: 1 } if status == expected));
            let stored = world.stored(&result.id).await;
            assert_eq!(stored.state.status(), expected);
        }
    }
}
