//! One request in another's place: never one that is not there or has been replaced itself, whoever else writes.

use std::sync::Arc;

use mutator_governance::workflow::Command;
use mutator_governance::{Error, MutationRequest, OnConflict, RequestState, Result, Status, SupersedeError};

use super::flavour::Governance;
use super::{Mishap, World, dual, run_concurrently};
use crate::runtime::people::{draft, id, user};

fn problem(error: Error) -> SupersedeError {
    match error {
        Error::Supersede { error, .. } => error,
        other => panic!("not about the superseding request: {other}"),
    }
}

#[dual]
async fn submitted(world: &World, names: &[&str]) {
    for name in names {
        world.governance.submit(draft(name)).await.unwrap();
    }
}

/// Where the request stands, or which one took its place.
fn standing(request: &MutationRequest) -> String {
    match &request.state {
        RequestState::Superseded { by } => by.to_string(),
        other => other.status().to_string(),
    }
}

#[dual]
async fn supersede(governance: Governance, superseded: String, superseding: String) -> Result<MutationRequest> {
    governance.supersede(&id(&superseded), user("operator"), id(&superseding)).await
}

#[dual]
pub(crate) async fn the_one_in_its_place_is_there_and_is_not_superseded_itself(world: World) {
    submitted(&world, &["a", "b", "c"]).await;
    let governance = &world.governance;
    let before = world.stored(&id("a")).await;
    let error = governance.supersede(&id("a"), user("operator"), id("bb")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "request a cannot be superseded: there is no request bb to take its place; check the id, or submit that request first"
    );
    assert_eq!(problem(error), SupersedeError::Missing { superseding: id("bb") });
    let error = governance.supersede(&id("a"), user("operator"), id("a")).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    let untouched = world.stored(&id("a")).await;
    assert_eq!(untouched, before);

    governance.supersede(&id("b"), user("operator"), id("c")).await.unwrap();
    let error = governance.supersede(&id("a"), user("operator"), id("b")).await.unwrap_err();
    assert_eq!(problem(error), SupersedeError::Superseded { superseding: id("b"), by: id("c") });
    let error = governance.apply(&id("c"), &Command::supersede(user("operator"), id("b"))).await.unwrap_err();
    assert_eq!(problem(error), SupersedeError::Superseded { superseding: id("b"), by: id("c") });

    let superseded = governance.supersede(&id("a"), user("operator"), id("c")).await.unwrap();
    assert_eq!(standing(&superseded), "c");
    let stored = world.stored(&id("c")).await;
    let said: Vec<_> = stored.execution.supersedes.iter().map(|said| (said.request.clone(), said.withdrawn)).collect();
    assert_eq!(said, [(id("b"), false), (id("a"), false)]);
    assert_eq!(stored.state.status(), Status::Created, "it can still be superseded itself");
    submitted(&world, &["d"]).await;
    let chained = governance.supersede(&id("c"), user("operator"), id("d")).await.unwrap();
    assert_eq!(standing(&chained), "d");
}

#[dual]
pub(crate) async fn what_cannot_be_superseded_leaves_the_other_as_it_is(world: World) {
    submitted(&world, &["a", "b"]).await;
    world.governance.cancel(&id("a"), user("requester")).await.unwrap();
    let before = world.stored(&id("b")).await;
    let error = world.governance.supersede(&id("a"), user("operator"), id("b")).await.unwrap_err();
    assert!(matches!(error, Error::InvalidTransition { .. }), "{error}");
    let after = world.stored(&id("b")).await;
    assert_eq!(after, before);
}

#[dual]
pub(crate) async fn an_interrupted_superseding_keeps_nobody_from_anything(world: World) {
    submitted(&world, &["a", "b", "c"]).await;
    let shaky = world.shaky();
    shaky.plan(2, Mishap::Lost);
    let interrupted = supersede(world.governance_over(shaky), "a".to_owned(), "b".to_owned()).await;
    assert!(matches!(interrupted, Err(Error::Store(_))), "{interrupted:?}");
    let open = world.stored(&id("a")).await;
    assert_eq!(standing(&open), "Created");

    // b said that it takes the place of a, which it did not; so it can be replaced by that as well as by others.
    let superseded = world.governance.supersede(&id("b"), user("operator"), id("a")).await.unwrap();
    assert_eq!(standing(&superseded), "a");
    let said = &superseded.execution.supersedes[0];
    assert_eq!((&said.request, said.withdrawn), (&id("a"), true));
    let again = world.governance.supersede(&id("a"), user("operator"), id("b")).await.unwrap_err();
    assert_eq!(problem(again), SupersedeError::Superseded { superseding: id("b"), by: id("a") });
    let chained = world.governance.supersede(&id("a"), user("operator"), id("c")).await.unwrap();
    assert_eq!(standing(&chained), "c");
}

/// The names of one round, so that every round has requests of its own.
fn of_round(round: usize, name: usize) -> String {
    format!("r{round}-{name}")
}

/// Everybody puts the request of the next in the place of their own, in a ring.
#[dual]
pub(crate) async fn a_ring_of_supersedings_at_once_never_closes(world: World) {
    for (round, size) in [2, 2, 2, 2, 2, 2, 3, 3, 3, 4].into_iter().enumerate() {
        for name in 0..size {
            world.governance.submit(draft(&of_round(round, name))).await.unwrap();
        }
        let shaky = world.shaky();
        shaky.let_readers_meet(&id(&of_round(round, 0)), 2);
        let governance = world.governance_over(Arc::clone(&shaky)).on_conflict(OnConflict::Rebase(64));
        let superseding =
            move |place| supersede(governance.clone(), of_round(round, place), of_round(round, (place + 1) % size));
        let outcomes = run_concurrently(size, superseding).await;
        let mut open = 0;
        for name in 0..size {
            let stored = world.stored(&id(&of_round(round, name))).await;
            let is_superseded = stored.state.status() == Status::Superseded;
            assert_eq!(is_superseded, outcomes[name].is_ok(), "{outcomes:?}");
            open += usize::from(!is_superseded);
        }
        assert!(open > 0, "the ring of {size} closed: {outcomes:?}");
        assert!(open < size, "nobody got through: {outcomes:?}");
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert!(matches!(problem(error), SupersedeError::Superseded { .. }));
        }
    }
}
