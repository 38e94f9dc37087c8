//! Who only simulates or validates changes nothing that is stored.

use std::sync::Arc;

use mutator_governance::workflow::{self, Command, ExecutionOrder, Resolution, StaleStrategy};
use mutator_governance::{ActorContext, ActorMode, Error, RequestDraft, RequestId, Status, WriteId};

use super::executing::run_for_anybody;
use super::sweeping::due_at;
use super::{World, dual};
use crate::runtime::people::{Calls, approval, approved, at, id, needing, user_because, version};

/// A person who may do everything, in this mode.
fn admin(mode: ActorMode) -> Arc<ActorContext> {
    let mut admin = ActorContext::clone(&user_because("admin", "to see"));
    admin.mode = mode;
    Arc::new(admin)
}

fn is_rejected<T: std::fmt::Debug>(result: Result<T, Error>, expected: ActorMode) {
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::NotCommitMode { mode, .. } if *mode == expected), "{error:?}");
    assert!(error.to_string().contains("use preview or preview_submit"), "{error}");
}

#[dual]
pub(crate) async fn who_only_simulates_or_validates_changes_nothing(world: World) {
    let waiting = world.governance.submit(needing("waiting", &["admin", "bob"])).await.unwrap();
    let ready = world.governance.submit(approved("ready")).await.unwrap();
    due_at(&world, "due", 1).await;
    world.clock.set(at(1));
    let calls = Calls::default();
    for mode in [ActorMode::Simulate, ActorMode::Validate] {
        let new = RequestDraft::new(waiting.target.clone(), waiting.intent.clone(), admin(mode)).with_id(id("new"));
        let submitted = world.governance.submit(new.clone()).await;
        is_rejected(submitted, mode);
        let submitted = world.governance.submit_as(new.clone(), WriteId::generate()).await;
        is_rejected(submitted, mode);
        assert!(workflow::submit(new, RequestId::generate(), WriteId::generate(), at(1)).is_ok());

        for (request, command) in [
            (&waiting, Command::approve_requirement(admin(mode), approval("approval-1"))),
            (&waiting, Command::reject_requirement(admin(mode), approval("approval-1"), None)),
            (&waiting, Command::override_approvals(admin(mode))),
            (&ready, Command::cancel(admin(mode))),
            (&ready, Command::resolve(admin(mode), version("v2"), StaleStrategy::RejectStale)),
        ] {
            let done = world.governance.apply(&request.id, &command).await;
            is_rejected(done, mode);
            assert!(workflow::apply(request.clone(), &command, at(1)).is_ok(), "what would happen: {command:?}");
        }
        let resolved =
            world.governance.resolve(&ready.id, &version("v1"), StaleStrategy::RejectStale, admin(mode)).await;
        assert_eq!(resolved.unwrap().0, Resolution::ExecuteApprovedVersion, "stores nothing anyway");
        let order = ExecutionOrder::new(admin(mode), version("v1"));
        let executed = world.governance.execute(&ready.id, &order, run!(|_request| run_for_anybody(&calls))).await;
        is_rejected(executed, mode);
        let swept = world.governance.expire_due(admin(mode), 10).await;
        is_rejected(swept, mode);
    }
    assert_eq!(calls.count(), 0);
    let lookup = world.governance.get_many(&[id("waiting"), id("ready"), id("new")]).await.unwrap();
    assert_eq!(lookup.requests, [Some(waiting), Some(ready), None]);
    let due = world.stored(&id("due")).await;
    assert_eq!(due.state.status(), Status::Pending);
}
