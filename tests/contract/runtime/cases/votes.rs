//! Votes that move, people who act for others, and people who may not decide: through the service.

use std::sync::Arc;

use mutator_governance::{
    ActorContext, ActorId, ApprovalError, ApprovalRule, ApprovalTarget, DecisionQuery, Error, FeedPosition,
    NothingToDecide, PageRequest, Rejection, RequestDraft, RequestQuery, Status, metadata_keys,
};

use super::flavour::Governance;
use super::{World, dual};
use crate::runtime::people::{approval, approval_error, draft, needing, targets, user};

fn person(name: &str, roles: &[&str]) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(name).unwrap().with_roles(roles.iter().copied()).unwrap())
}

/// Somebody who acts for another.
fn deputy(name: &str, other: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(name).unwrap().acting_for(other, "on leave until March").unwrap())
}

fn pair(id_text: &str, required: u32, members: Vec<ApprovalTarget>) -> RequestDraft {
    draft(id_text).requires_approval(ApprovalRule::quorum("pair", required, members).unwrap())
}

#[dual]
async fn inbox(governance: &Governance, by: &ActorContext) -> Vec<String> {
    let page = governance.inbox(by, &PageRequest::first()).await.unwrap();
    page.items.iter().map(|row| format!("{} {}", row.request.id, row.approval.id)).collect()
}

/// Alice has both roles and is put into the first place; whoever has either role completes the pair.
#[dual]
pub(crate) async fn an_earlier_vote_makes_way_for_a_later_one(world: World) {
    let role = |name: &str| ApprovalTarget::role(name).unwrap();
    for (name, second, other) in [("request-1", "a", "b"), ("request-2", "b", "a")] {
        world.governance.submit(pair(name, 2, vec![role("a"), role("b")])).await.unwrap();
        let once = world.governance.approve(name, person("alice", &["a", "b"])).await.unwrap();
        let open = once.approvals.iter().find(|it| it.state.verdict().is_none()).unwrap().id.clone();
        let bob = person("bob", &[second]);
        let listed = inbox(&world.governance, &bob).await;
        assert_eq!(listed, [format!("{name} {open}")]);
        let nobody = inbox(&world.governance, &person("alice", &["a", "b"])).await;
        assert_eq!(nobody, Vec::<String>::new(), "alice has voted");
        let explanation = world.governance.explain(name).await.unwrap().to_string();
        let both = "by anyone with role a or anyone with role b except alice";
        assert!(explanation.contains(both), "{explanation}");
        let done = world.governance.approve(name, bob).await.unwrap();
        assert_eq!(done.state.status(), Status::Approved);
        let holder = |role: &str| {
            let one = done.approvals.iter().find(|it| it.target.roles().iter().any(|own| own.as_str() == role));
            one.unwrap().state.verdict().unwrap().by.id.clone().unwrap()
        };
        assert_eq!((holder(second).as_str(), holder(other).as_str()), ("bob", "alice"));
        let stored = world.stored(&done.id).await;
        assert_eq!(stored, done);
    }
    // One of the two needed the vote of alice to move, and says so.
    let granted = DecisionQuery::new().with_actor_ids(["bob"]).unwrap();
    let rows = world.governance.decisions(&granted, &PageRequest::first()).await.unwrap();
    let moved = rows.items.iter().filter(|row| row.decision.metadata.get(metadata_keys::MOVED).is_some());
    assert_eq!(moved.count(), 1);
}

#[dual]
pub(crate) async fn who_acts_for_another_has_their_rights_and_counts_as_both(world: World) {
    world.governance.submit(needing("request-1", &["bob"])).await.unwrap();
    let dora = deputy("dora", "bob");
    let own = inbox(&world.governance, &user("dora")).await;
    let for_bob = inbox(&world.governance, &dora).await;
    assert_eq!((own, for_bob), (Vec::new(), vec!["request-1 approval-1".to_owned()]));
    for (by, name) in [(deputy("requester", "bob"), "requester for bob"), (deputy("bob", "carol"), "bob for carol")] {
        let error = world.governance.approve_requirement("request-1", &approval("approval-1"), by).await.unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        let error = approval_error(error);
        assert!(matches!(error, ApprovalError::OwnRequest { .. } | ApprovalError::NotAddressed { .. }), "{error}");
    }
    let done = world.governance.approve("request-1", dora.clone()).await.unwrap();
    assert_eq!(done.approvals[0].state.verdict().unwrap().by, dora);
    for name in ["dora", "bob"] {
        let decided = DecisionQuery::new().with_actor_ids([name]).unwrap();
        let rows = world.governance.decisions(&decided, &PageRequest::first()).await.unwrap();
        let grounds = |by: &ActorContext| by.acting_for.as_ref().unwrap().grounds.to_string();
        assert!(rows.items.iter().any(|row| grounds(&row.decision.by) == "on leave until March"), "{name}");
    }
    let feed = world.governance.read_feed(&FeedPosition::beginning(), 100).await.unwrap();
    let by = feed.entries.last().unwrap().by.clone().unwrap();
    assert_eq!((by.label(), by.acting_for.as_ref().unwrap().as_str()), ("dora", "bob"));
    let other = world.governance.withdraw("request-1", deputy("carol", "bob")).await.unwrap_err();
    assert!(matches!(approval_error(other), ApprovalError::NothingToWithdraw { .. }), "another deputy");
    let open = world.governance.withdraw("request-1", user("bob")).await.unwrap();
    assert_eq!(open.state.status(), Status::Pending);

    // Bob and dora for bob are not two people.
    world.governance.submit(pair("request-2", 2, targets(&["bob", "carol", "dora"]))).await.unwrap();
    world.governance.approve("request-2", dora).await.unwrap();
    for by in [user("bob"), user("dora"), deputy("carol", "bob"), deputy("dora", "carol")] {
        let error = world.governance.approve("request-2", by).await.unwrap_err();
        assert!(matches!(
            approval_error(error),
            ApprovalError::NothingToDecide { why: NothingToDecide::Voted { .. }, .. }
        ));
    }
    let done = world.governance.approve("request-2", user("carol")).await.unwrap();
    assert_eq!(done.state.status(), Status::Approved);

    let target = mutator_governance::Target::new("s", "T", "M").unwrap();
    let intent = mutator_governance::Intent::new("o", "c").unwrap();
    let asked = RequestDraft::new(target, intent, deputy("eve", "alice"))
        .requires_approval(ApprovalRule::actor("bob").unwrap());
    let request = world.governance.submit(asked).await.unwrap();
    for by in [deputy("eve", "bob"), deputy("alice", "bob")] {
        let error = world.governance.approve(request.id.clone(), by).await.unwrap_err();
        assert!(matches!(
            approval_error(error),
            ApprovalError::NothingToDecide { why: NothingToDecide::OwnRequest { .. }, .. }
        ));
    }
    for name in ["eve", "alice"] {
        let query = RequestQuery::new().with_actor_ids([name]).unwrap();
        let page = world.governance.requests(&query, &PageRequest::first()).await.unwrap();
        assert_eq!(page.items.len(), 1, "{name} asked");
    }
}

#[dual]
pub(crate) async fn a_vote_that_uses_up_who_is_needed_elsewhere_is_rejected(world: World) {
    let request = world.governance.submit(pair("request-1", 2, targets(&["ann", "bob"]))).await.unwrap();
    let error = world.governance.approve("request-1", deputy("ann", "bob")).await.unwrap_err();
    let text = "quorum group pair needs ann for bob for another of its approvals, which too few others could grant; bob can decide";
    assert!(error.to_string().contains(text), "{error}");
    assert!(matches!(approval_error(error), ApprovalError::NeededElsewhere { .. }));
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request, "nothing is written");
    let done = world.governance.approve("request-1", deputy("dora", "bob")).await.unwrap();
    assert_eq!(done.state.status(), Status::Pending);

    let once = needing("request-2", &["ann"]).requires_approval(ApprovalRule::of(targets(&["bob"]).remove(0)));
    let either = targets(&["ann", "bob", "carol"]).into_iter().reduce(ApprovalTarget::or).unwrap();
    let draft =
        once.requires_approval(ApprovalRule::of(either).at_step(mutator_governance::Step::FIRST)).distinct_approvers();
    world.governance.submit(draft).await.unwrap();
    let error =
        world.governance.approve_requirement("request-2", &approval("approval-3"), user("bob")).await.unwrap_err();
    assert!(error.to_string().contains("the request needs bob for another"), "{error}");
    assert!(error.to_string().contains("carol can decide this one"), "{error}");
}

#[dual]
pub(crate) async fn the_excluded_do_not_decide_and_nobody_decides_twice_if_the_draft_says_so(world: World) {
    let bob = ActorId::new("bob").unwrap();
    let managers = || ApprovalRule::role("manager").unwrap();
    let draft = draft("request-1").requires_approval(managers()).requires_approval(managers());
    world.governance.submit(draft.excluding([bob.clone()]).distinct_approvers()).await.unwrap();
    let (ann, bobs) = (person("ann", &["manager"]), person("bob", &["manager"]));
    for by in [bobs, deputy("bob", "ann"), deputy("ann", "bob")] {
        let listed = inbox(&world.governance, &by).await;
        assert_eq!(listed, Vec::<String>::new());
        let error = world.governance.approve("request-1", by).await.unwrap_err();
        let ApprovalError::NothingToDecide { why, .. } = approval_error(error) else { panic!("of another kind") };
        assert!(matches!(why, NothingToDecide::Excluded { .. } | NothingToDecide::NotAddressed { .. }), "{why:?}");
    }
    let once = world.governance.approve("request-1", ann.clone()).await.unwrap();
    let error = world.governance.approve("request-1", ann.clone()).await.unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::NothingToDecide { why: NothingToDecide::Voted { .. }, .. }));
    let error =
        world.governance.approve_requirement("request-1", &approval("approval-2"), ann.clone()).await.unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::NotDistinct { .. }));
    let listed = inbox(&world.governance, &ann).await;
    assert_eq!(listed, Vec::<String>::new());
    let stored = world.stored(&once.id).await;
    assert_eq!(stored, once, "nothing is written");
    let done = world.governance.approve("request-1", person("carol", &["manager"])).await.unwrap();
    assert_eq!(done.state.status(), Status::Approved);

    let nobody = needing("request-2", &["bob"]).excluding([bob]);
    let too_few = needing("request-3", &["bob", "bob"]).distinct_approvers();
    for draft in [nobody, too_few] {
        let error = world.governance.submit(draft).await.unwrap_err();
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
    }
    for name in ["request-2", "request-3"] {
        let missing = world.governance.get(name).await.unwrap();
        assert!(missing.is_none(), "nothing is written");
    }
}

#[dual]
pub(crate) async fn a_demanded_reason_is_given_or_nothing_is_decided(world: World) {
    let strict = ApprovalRule::actor("bob").unwrap().demanding_reason();
    let lenient = ApprovalRule::actor("carol").unwrap().demanding_reason_for_rejecting();
    let request =
        world.governance.submit(draft("request-1").requires_approval(strict).requires_approval(lenient)).await.unwrap();
    let error = world.governance.approve("request-1", user("bob")).await.unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::ReasonDemanded { rejecting: false, .. }));
    let error = world.governance.reject("request-1", user("bob"), None).await.unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::ReasonDemanded { rejecting: true, .. }));
    let blank = Arc::new(ActorContext::user("bob").unwrap().because("  "));
    let error = world.governance.approve("request-1", blank).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    let myself = ActorContext::user("bob").unwrap().acting_for("carol", "x").unwrap().with_id("carol").unwrap();
    let error = world.governance.approve("request-1", myself.because("y")).await.unwrap_err();
    assert!(error.to_string().contains("names carol, who is the actor"), "{error}");
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request, "nothing is written");
    let why = Arc::new(ActorContext::user("bob").unwrap().because("it is needed"));
    world.governance.approve("request-1", why).await.unwrap();
    let error = world.governance.reject("request-1", user("carol"), None).await.unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::ReasonDemanded { rejecting: true, .. }));
    let rejection = Rejection::new("E1", "not before the audit");
    let rejected = world.governance.reject("request-1", user("carol"), Some(rejection)).await.unwrap();
    assert_eq!(rejected.state.status(), Status::Rejected);
}
