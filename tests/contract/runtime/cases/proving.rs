//! Proof of histories over a store: chains, seals, and what a checkpoint finds.

use mutator_governance::for_stores::RequestRecord;
use mutator_governance::proof::{HeadTree, HistoryProblem, HistoryRow, ProofProblem, SealKeys};
use mutator_governance::workflow::{self, Amendment, Command};
use mutator_governance::{
    Error, KeyId, MutationRequest, PageRequest, Payload, RequestDocument, RequestId, RequestQuery, Timestamp, WriteId,
};

use super::flavour::Governance;
use super::{World, dual};
use crate::runtime::people::{at, draft, id, needing, user, user_because};

fn keys() -> SealKeys {
    SealKeys::new(KeyId::new("k1").unwrap(), &[1; 32]).unwrap()
}

fn with_keys(world: &World) -> Governance {
    Governance::builder().store(world.store.clone()).clock(world.clock.clone()).seal_keys(keys()).build()
}

/// A request with six decisions, as a service without a store makes it.
fn history(name: &str) -> MutationRequest {
    let draft = needing(name, &["alice", "bob"]).with_payload(Payload::new("text/plain", b"x".to_vec()).unwrap());
    let mut request = workflow::submit(draft, id(name), WriteId::generate(), at(0)).unwrap();
    for (seconds, text) in [(10, "why?"), (20, "because")] {
        request = changed(request, &Command::comment(user("carol"), text), at(seconds));
    }
    changed(request, &Command::approve(user_because("alice", "it is right")), at(30))
}

fn changed(request: MutationRequest, command: &Command, now: Timestamp) -> MutationRequest {
    let next = request.revision().next(WriteId::generate());
    workflow::apply(request, command, now).unwrap().at_revision(next)
}

fn forged(request: MutationRequest, forge: impl FnOnce(&mut RequestDocument)) -> MutationRequest {
    let revision = request.revision();
    let mut document = request.into_document();
    forge(&mut document);
    MutationRequest::from_document(document, revision).unwrap()
}

/// Stores a request as it is, as somebody does who has the store and asks no rule.
#[dual]
async fn store_as_it_is(world: &World, request: MutationRequest) {
    let results = world.store.import(&[RequestRecord::new(request.into(), [])]).await.unwrap();
    assert!(results.into_iter().all(|result| result.is_ok()));
}

/// Every page of the namespace, two requests at a time.
#[dual]
async fn verified(governance: &Governance) -> Vec<HistoryRow> {
    let (mut rows, mut page) = (Vec::new(), PageRequest::of(2).unwrap());
    loop {
        let found = governance.verify_histories(&RequestQuery::new(), &page).await.unwrap();
        rows.extend(found.items);
        match found.next {
            Some(next) => page = PageRequest::of(2).unwrap().after(next),
            None => return rows,
        }
    }
}

#[dual]
pub(crate) async fn every_write_of_a_service_with_keys_is_chained_and_sealed(world: World) {
    let governance = with_keys(&world);
    for name in ["request-1", "request-2", "request-3"] {
        governance.submit(needing(name, &["alice"])).await.unwrap();
        governance.comment(name, user("bob"), "why?").await.unwrap();
        governance.approve(name, user("alice")).await.unwrap();
    }
    governance.cancel("request-2", user("requester")).await.unwrap();
    let resubmitted = governance.resubmit("request-2", user("requester"), Amendment::new()).await.unwrap();
    governance.supersede("request-3", user("requester"), resubmitted.id.clone()).await.unwrap();
    let rows = verified(&governance).await;
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert!(row.verification.is_wholly_sealed(), "{row:?}");
    }

    // A service without keys goes on: what it adds is chained and not sealed.
    let count = world.stored(&id("request-1")).await.decisions.len();
    world.governance.comment("request-1", user("eve"), "fine").await.unwrap();
    let found = governance.verify_history("request-1").await.unwrap();
    assert_eq!(found.problem, Some(HistoryProblem::Unsealed { decision: u32::try_from(count).unwrap() }));
    let chained = world.governance.verify_history("request-1").await.unwrap();
    assert!(chained.is_wholly_chained());
    // The next write with keys does not vouch for it.
    governance.comment("request-1", user("bob"), "really?").await.unwrap();
    let found = governance.verify_history("request-1").await.unwrap();
    assert_eq!((found.problem, found.sealed_from), (None, Some(u32::try_from(count + 1).unwrap())));
    let missing = governance.verify_history("request-9").await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
}

#[dual]
pub(crate) async fn what_was_forged_in_the_store_is_named(world: World) {
    type Forge = fn(&mut RequestDocument);
    let attacks: [(&str, HistoryProblem, Forge); 6] = [
        ("changed", HistoryProblem::Changed { decision: 5 }, |it| it.decisions[5].reason = None),
        ("missing", HistoryProblem::Missing { decision: 3 }, |it| drop(it.decisions.remove(3))),
        ("moved", HistoryProblem::Reordered { decision: 3, recorded_at: 4 }, |it| it.decisions.swap(3, 4)),
        ("foreign", HistoryProblem::Foreign { decision: 6 }, |it| it.decisions.push(it.decisions[3].clone())),
        ("payload", HistoryProblem::Submission, |it| it.payload = None),
        ("renamed", HistoryProblem::Submission, |it| it.id = RequestId::new("another").unwrap()),
    ];
    store_as_it_is(&world, history("honest")).await;
    for (name, _, forge) in &attacks {
        store_as_it_is(&world, forged(history(name), *forge)).await;
    }
    let mut found = verified(&world.governance).await;
    found.retain(|row| !row.verification.is_intact());
    let mut found: Vec<_> = found.into_iter().map(|row| (row.id, row.verification.problem.unwrap())).collect();
    let mut expected: Vec<_> = attacks
        .into_iter()
        .map(|(name, problem, _)| (id(if name == "renamed" { "another" } else { name }), problem))
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    expected.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert_eq!(found, expected);
}

#[dual]
pub(crate) async fn a_checkpoint_finds_what_is_gone_or_set_back(world: World) {
    // As it was: four requests. As it is now: one went on, one is as it was, one was set back, and one is gone.
    let mut tree = HeadTree::new();
    let older = |name| workflow::submit(draft(name), id(name), WriteId::generate(), at(0)).unwrap();
    let wrote = |name: &str| changed(history(name), &Command::comment(user("dora"), "well"), at(40));
    for name in ["gone", "set-back", "unchanged"] {
        tree.observe(&wrote(name));
    }
    tree.observe(&older("went-on"));
    let checkpoint = tree.checkpoint("example.com/contract", at(100));
    store_as_it_is(&world, history("set-back")).await;
    store_as_it_is(&world, wrote("unchanged")).await;
    store_as_it_is(&world, changed(older("went-on"), &Command::cancel(user("requester")), at(50))).await;
    store_as_it_is(&world, older("came-later")).await;

    let (mut findings, mut after, mut calls) = (Vec::new(), None, 0);
    loop {
        let report = world.governance.compare_heads(&tree, after.as_ref(), 1).await.unwrap();
        findings.extend(report.findings.into_iter().map(|finding| (finding.id, finding.problem)));
        (after, calls) = (report.next, calls + report.compared);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(calls, 4);
    assert_eq!(findings, [(id("gone"), ProofProblem::Missing), (id("set-back"), ProofProblem::Shorter)]);
    for row in verified(&world.governance).await {
        assert!(row.verification.is_wholly_chained(), "without the checkpoint all is well: {row:?}");
    }
    let proof = tree.prove(&id("went-on")).unwrap();
    proof.verify_request(&world.stored(&id("went-on")).await, &checkpoint).unwrap();
    let none = world.governance.compare_heads(&tree, None, 0).await.unwrap_err();
    assert!(matches!(none, Error::Invalid(_)), "{none}");
}

#[dual]
pub(crate) async fn a_checkpoint_is_collected_page_by_page(world: World) {
    for number in 0..7 {
        store_as_it_is(&world, history(&format!("request-{number}"))).await;
    }
    let (mut tree, mut page) = (HeadTree::new(), PageRequest::of(3).unwrap());
    loop {
        let found = world.governance.collect_heads(&mut tree, &page).await.unwrap();
        match found.next {
            Some(next) => page = PageRequest::of(3).unwrap().after(next),
            None => break,
        }
    }
    assert_eq!(tree.len(), 7);
    let request = world.stored(&id("request-4")).await;
    assert_eq!(tree.get(&request.id).unwrap().head, request.chain.as_ref().unwrap().head);
    let checkpoint = tree.checkpoint("example.com/contract", at(100));
    tree.prove(&request.id).unwrap().verify_request(&request, &checkpoint).unwrap();
    let report = world.governance.compare_heads(&tree, None, 1_000).await.unwrap();
    assert_eq!((report.compared, report.findings.len(), report.next), (7, 0, None));
    // Kept elsewhere, it is read back.
    let kept = serde_json::to_string(&tree).unwrap();
    assert_eq!(serde_json::from_str::<HeadTree>(&kept).unwrap().root(), checkpoint.root);
}
