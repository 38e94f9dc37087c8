//! Comments through the service: stored, listed, and in nobody's way.

use std::time::Duration;

use mutator_governance::workflow::Command;
use mutator_governance::{DecisionQuery, DiscussionDecision, Error, FeedPosition, OnConflict, PageRequest, Status};

use super::flavour::Governance;
use super::{Mishap, World, dual};
use crate::runtime::people::{conflict, count, draft, id, needing, user};

#[dual]
pub(crate) async fn comments_are_stored_and_listed_latest_first(world: World) {
    let request = world.governance.submit(needing("request-1", &["alice"])).await.unwrap();
    world.governance.submit(draft("request-2")).await.unwrap();
    for (name, by, text) in [
        ("request-1", "alice", "For how long?"),
        ("request-2", "bob", "Is this still wanted?"),
        ("request-1", "requester", "Until the audit is over."),
    ] {
        world.clock.advance(Duration::from_secs(1));
        world.governance.comment(name, user(by), text).await.unwrap();
    }
    let discussed = world.stored(&request.id).await;
    assert_eq!((discussed.state.status(), discussed.digest()), (Status::Pending, request.digest()));
    assert_eq!((discussed.revision().number, count(&discussed, DiscussionDecision::Commented)), (2, 2));

    let rows = world.governance.decisions(&DecisionQuery::discussions(), &PageRequest::first()).await.unwrap();
    let said: Vec<_> =
        rows.items.iter().map(|row| (row.request.id.as_str(), row.decision.comment().unwrap())).collect();
    let expected = [
        ("request-1", "Until the audit is over."),
        ("request-2", "Is this still wanted?"),
        ("request-1", "For how long?"),
    ];
    assert_eq!(said, expected);

    let canceled = world.governance.cancel("request-2", user("requester")).await.unwrap();
    let after = world.governance.comment("request-2", user("bob"), "Thank you.").await.unwrap();
    assert_eq!((after.state.status(), after.decisions.len()), (Status::Canceled, canceled.decisions.len() + 1));
    let feed = world.governance.read_feed(&FeedPosition::beginning(), 100).await.unwrap();
    let mut of_one = feed.entries.iter().filter(|entry| entry.id == request.id);
    let last = of_one.next_back().unwrap();
    assert_eq!(last.decisions, [DiscussionDecision::Commented.into()]);
    assert_eq!(last.by.as_ref().unwrap().label(), "requester");
}

/// Both read the same revision.
#[dual]
pub(crate) async fn a_comment_is_in_nobodys_way(world: World) {
    let comment = || Command::comment(user("bob"), "For how long?");
    for (name, first, second) in [
        ("comment-first", comment(), Command::approve(user("alice"))),
        ("comment-second", Command::approve(user("alice")), comment()),
        ("cancel-first", Command::cancel(user("requester")), comment()),
    ] {
        let request = world.governance.submit(needing(name, &["alice"])).await.unwrap();
        let shaky = world.shaky();
        shaky.plan(1, Mishap::Overtaken(first));
        world.governance_over(shaky.clone()).apply(&request.id, &second).await.unwrap();
        let stored = world.stored(&request.id).await;
        assert_eq!((shaky.conflicts(), stored.revision().number), (1, 2), "{name}");
        assert_eq!(count(&stored, DiscussionDecision::Commented), 1, "{name}");
    }

    let request = world.governance.submit(needing("strict", &["alice"])).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Overtaken(comment()));
    let strict = Governance::builder().store(shaky).clock(world.clock.clone()).on_conflict(OnConflict::Fail).build();
    let error = strict.approve(&request.id, user("alice")).await.unwrap_err();
    assert_eq!(conflict(error).commutes, Some(true));
}

#[dual]
pub(crate) async fn a_comment_that_says_nothing_or_too_much_is_not_written(world: World) {
    let request = world.governance.submit(draft("request-1")).await.unwrap();
    for text in [String::new(), " \n".to_owned(), "x".repeat(5 * 1024)] {
        let error = world.governance.comment(&request.id, user("bob"), text).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid(invalid) if invalid.field == "comment"), "{error}");
    }
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request);
    let unknown = world.governance.comment("request-9", user("bob"), "Where is it?").await.unwrap_err();
    assert!(matches!(unknown, Error::NotFound { id: missing } if missing == id("request-9")));
}
