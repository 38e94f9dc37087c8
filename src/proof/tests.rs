//! Attacks on a history: each is found, and named.

use std::sync::Arc;

use super::*;
use crate::request::{
    ActorContext, ApprovalRule, Digest, HashMark, Intent, KeyId, Metadata, MutationRequest, Payload, RequestDocument,
    RequestDraft, RequestId, RequestState, Revision, Salt, Status, Target, Timestamp, UniqueKey, WriteId,
};
use crate::workflow::{self, Amendment, Command};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000).unwrap()
}

fn user(id: &str) -> ActorContext {
    ActorContext::user(id).unwrap().named("Somebody").with_session_id("s-1").because("it is right")
}

fn submitted(id: &str) -> MutationRequest {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), user("rita"))
        .with_payload(Payload::new("text/plain", b"grant".to_vec()).unwrap())
        .requires_approval(ApprovalRule::role("manager").unwrap())
        .requires_approval(ApprovalRule::role("owner").unwrap())
        .salted(Salt([7; 16]));
    workflow::submit(draft, RequestId::new(id).unwrap(), WriteId::from_bytes([1; 16]), at(0)).unwrap()
}

/// As a store returns it.
fn stored(request: MutationRequest) -> MutationRequest {
    let revision = request.revision().next(WriteId::from_bytes([2; 16]));
    request.at_revision(revision)
}

fn apply(request: MutationRequest, command: &Command, seconds: u64) -> MutationRequest {
    stored(workflow::apply(request, command, at(seconds)).unwrap())
}

/// Nine decisions: submitted, pending, requested, three comments, two grants, approved.
fn approved(id: &str) -> MutationRequest {
    let mut request = stored(submitted(id));
    for (seconds, text) in [(10, "why?"), (20, "because"), (30, "well then")] {
        request = apply(request, &Command::comment(user("bob"), text), seconds);
    }
    request = apply(request, &Command::approve(user("mona").with_role("manager").unwrap()), 40);
    apply(request, &Command::approve(user("omar").with_role("owner").unwrap()), 50)
}

fn keys() -> SealKeys {
    SealKeys::new(KeyId::new("k1").unwrap(), &[1; 32]).unwrap()
}

fn found(request: MutationRequest, attack: impl FnOnce(&mut RequestDocument)) -> Option<HistoryProblem> {
    let revision = request.revision();
    let mut document = request.into_document();
    attack(&mut document);
    verify_history(&MutationRequest::from_document(document, revision).unwrap(), Some(&keys())).problem
}

/// What somebody does who can write the store and knows this code: the chain computed again, the seal left as it is.
fn chain_again(document: &mut RequestDocument) {
    let (decisions, before) = (std::mem::take(&mut document.decisions), document.chain.take().unwrap());
    begin(document, before.salt, None);
    for decision in decisions {
        document.decisions.push(decision);
        extend(document);
    }
    document.chain.as_mut().unwrap().seal = before.seal;
}

#[test]
fn every_command_leaves_a_history_that_is_wholly_chained() {
    let request = approved("r");
    let verification = verify_history(&request, None);
    assert!(verification.is_wholly_chained(), "{verification:?}");
    assert_eq!((verification.decisions, request.chain.as_ref().unwrap().marks.len()), (9, 9));
    let executor = ActorContext::service("deployer").unwrap();
    let claim = crate::request::ClaimId::generate();
    let lease = std::time::Duration::from_secs(60);
    let request = apply(request, &Command::claim(executor.clone(), claim, lease), 60);
    let request = apply(request, &Command::complete(executor, claim, workflow::Completion::new()), 70);
    assert!(verify_history(&request, None).is_wholly_chained());
    assert_eq!(request.state.status(), Status::Executed);
}

#[test]
fn the_head_follows_from_the_content_alone() {
    assert_eq!(approved("r").chain, approved("r").chain);
    assert_ne!(approved("r").chain, approved("s").chain);
}

#[test]
fn a_changed_decision_is_named_whatever_was_changed_of_it() {
    type Attack = fn(&mut RequestDocument);
    let attacks: [(u32, Attack); 8] = [
        (4, |it| it.decisions[4].reason = Some("another".to_owned())),
        (3, |it| it.decisions[3].metadata = Metadata::new().with("text", "never mind").unwrap()),
        (6, |it| it.decisions[6].at = at(41)),
        (6, |it| it.decisions[6].kind = crate::request::ApprovalDecision::Rejected.into()),
        (7, |it| it.decisions[7].by = Arc::new(user("mallory").with_role("owner").unwrap())),
        (7, |it| Arc::make_mut(&mut it.decisions[7].by).roles.clear()),
        (8, |it| Arc::make_mut(&mut it.decisions[8].by).session_id = None),
        (0, |it| it.decisions[0].metadata = Metadata::new().with("x", 1_i64).unwrap()),
    ];
    for (decision, attack) in attacks {
        assert_eq!(found(approved("r"), attack), Some(HistoryProblem::Changed { decision }));
    }
}

#[test]
fn moved_missing_and_foreign_decisions_are_told_apart() {
    let swapped = found(approved("r"), |it| it.decisions.swap(3, 5));
    assert_eq!(swapped, Some(HistoryProblem::Reordered { decision: 3, recorded_at: 5 }));
    let gone = found(approved("r"), |it| drop(it.decisions.remove(4)));
    assert_eq!(gone, Some(HistoryProblem::Missing { decision: 4 }));
    let cut = found(approved("r"), |it| it.decisions.truncate(5));
    assert_eq!(cut, Some(HistoryProblem::Missing { decision: 5 }));
    let twice = approved("r").decisions[8].clone();
    let repeated = found(approved("r"), |it| it.decisions.insert(6, twice));
    assert_eq!(repeated, Some(HistoryProblem::Reordered { decision: 6, recorded_at: 8 }));
    let elsewhere = apply(stored(submitted("s")), &Command::comment(user("eve"), "fine"), 35);
    let foreign = elsewhere.decisions[3].clone();
    let inserted = found(approved("r"), |it| it.decisions.insert(6, foreign.clone()));
    assert_eq!(inserted, Some(HistoryProblem::Foreign { decision: 6 }));
    let added = found(approved("r"), |it| it.decisions.push(foreign));
    assert_eq!(added, Some(HistoryProblem::Foreign { decision: 9 }));
}

#[test]
fn another_submission_content_status_or_history_is_found() {
    let submission = Some(HistoryProblem::Submission);
    assert_eq!(
        found(approved("r"), |it| it.target = Target::new("tenant:other", "Tenant", "RoleGrant").unwrap()),
        submission
    );
    assert_eq!(found(approved("r"), |it| it.created_at = at(1)), submission);
    assert_eq!(found(approved("r"), |it| it.intent.operation = "drop".parse().unwrap()), submission);
    assert_eq!(found(approved("r"), |it| it.payload = None), submission);
    assert_eq!(found(approved("r"), |it| it.intent.description = Some("no".into())), submission);
    assert_eq!(found(approved("r"), |it| Arc::make_mut(&mut it.requested_by).name = None), submission);
    assert_eq!(found(approved("r"), |it| it.approver_limits.distinct = true), submission);
    assert_eq!(found(approved("r"), |it| it.unique_key = Some(UniqueKey::new("other").unwrap())), submission);
    assert_eq!(found(approved("r"), |it| it.id = RequestId::new("s").unwrap()), submission);
    let state = found(approved("r"), |it| it.state = RequestState::Canceled);
    assert_eq!(state, Some(HistoryProblem::Status { recorded: Status::Approved }));
}

#[test]
fn marks_that_were_changed_with_their_decisions_do_not_lead_to_the_head() {
    let problem = found(approved("r"), |it| {
        it.decisions[4].reason = Some("another".to_owned());
        let (head, seal) = (it.chain.as_ref().unwrap().head, it.chain.as_ref().unwrap().seal.clone());
        chain_again(it);
        let chain = it.chain.as_mut().unwrap();
        (chain.head, chain.seal) = (head, seal);
    });
    assert_eq!(problem, Some(HistoryProblem::Head));
    let other_head = found(approved("r"), |it| it.chain.as_mut().unwrap().head = Digest::from_bytes([3; 32]));
    assert_eq!(other_head, Some(HistoryProblem::Head));
    let other_mark = found(approved("r"), |it| it.chain.as_mut().unwrap().marks[2] = HashMark([3; 8]));
    assert_eq!(other_mark, Some(HistoryProblem::Changed { decision: 2 }));
}

/// What an amendment replaced is gone, and the history is proven all the same.
#[test]
fn an_amended_request_is_proven_with_its_new_content() {
    let mut request = stored(submitted("r"));
    request = apply(request, &Command::request_changes(user("mona").with_role("manager").unwrap(), "too much"), 10);
    let less = Amendment::new().payload(Payload::new("text/plain", b"less".to_vec()).unwrap()).description("less");
    let request = apply(request, &Command::amend(user("rita"), less), 20);
    assert!(verify_history(&request, None).is_wholly_chained());
    let content = Some(HistoryProblem::Content);
    assert_eq!(found(request.clone(), |it| it.payload = None), content);
    assert_eq!(found(request.clone(), |it| it.intent.description = None), content);
    assert_eq!(found(request, |it| it.created_at = at(1)), Some(HistoryProblem::Submission));
}

#[test]
fn a_history_that_began_without_a_chain_says_from_where_it_is_proven() {
    let revision = Revision::first(WriteId::from_bytes([1; 16]));
    let mut document = submitted("r").into_document();
    document.chain = None;
    let older = MutationRequest::from_document(document, revision).unwrap();
    let verification = verify_history(&older, None);
    assert_eq!((verification.is_intact(), verification.chained_from), (true, None));
    let request = apply(older, &Command::comment(user("bob"), "why?"), 10);
    let verification = verify_history(&request, None);
    assert_eq!((verification.is_intact(), verification.chained_from), (true, Some(3)));
    assert!(!verification.is_wholly_chained());
    assert_eq!(found(request, |it| it.decisions[3].reason = None), Some(HistoryProblem::Changed { decision: 3 }));
}

/// A sealed history of two writes, and each write sealed by a service.
fn sealed(id: &str, keys: &SealKeys) -> MutationRequest {
    let request = stored(seal_new(submitted(id), keys));
    let commented = workflow::apply(request, &Command::comment(user("bob"), "why?"), at(10)).unwrap();
    stored(seal(commented, keys))
}

#[test]
fn who_has_no_key_can_compute_the_chain_again_but_not_the_seal() {
    let request = sealed("r", &keys());
    assert!(verify_history(&request, Some(&keys())).is_wholly_sealed());
    let seal_broken = Some(HistoryProblem::Seal { key: KeyId::new("k1").unwrap() });
    let rewritten = |it: &mut RequestDocument| {
        it.decisions[3].reason = Some("another".to_owned());
        chain_again(it);
    };
    assert_eq!(found(request.clone(), rewritten), seal_broken);
    assert_eq!(
        found(sealed("s", &keys()), |it| {
            it.id = RequestId::new("r").unwrap();
            chain_again(it);
        }),
        seal_broken
    );
    let other_range = found(request.clone(), |it| it.chain.as_mut().unwrap().seal.as_mut().unwrap().from = 1);
    assert_eq!(other_range, seal_broken);
    // Cut off at the end, which a chain alone cannot show.
    let cut = |it: &mut RequestDocument| {
        it.decisions.truncate(3);
        chain_again(it);
    };
    assert_eq!(found(request.clone(), cut), Some(HistoryProblem::Unsealed { decision: 4 }));
    let added = |it: &mut RequestDocument| {
        it.decisions.push(it.decisions[3].clone());
        chain_again(it);
    };
    assert_eq!(found(request, added), Some(HistoryProblem::Unsealed { decision: 4 }));
}

/// The next write seals no decision that somebody without a key has changed or added.
#[test]
fn a_later_write_does_not_vouch_for_what_was_forged_before() {
    let forged = |attack: fn(&mut RequestDocument)| {
        let request = sealed("r", &keys());
        let revision = request.revision();
        let mut document = request.into_document();
        attack(&mut document);
        let request = MutationRequest::from_document(document, revision).unwrap();
        let commented = workflow::apply(request, &Command::comment(user("bob"), "again"), at(20)).unwrap();
        verify_history(&stored(seal(commented, &keys())), Some(&keys()))
    };
    let honest = forged(|_| ());
    assert!(honest.is_wholly_sealed());
    let rewritten = forged(|it| {
        it.decisions[3].reason = Some("another".to_owned());
        chain_again(it);
    });
    assert_eq!((rewritten.sealed_from, rewritten.problem), (Some(4), None));
    let added = forged(|it| {
        it.decisions.push(it.decisions[3].clone());
        chain_again(it);
    });
    assert_eq!((added.sealed_from, added.problem), (Some(5), None));
    let without_seal = forged(|it| it.chain.as_mut().unwrap().seal = None);
    assert_eq!(without_seal.sealed_from, Some(4));
    let unmarked = forged(|it| it.decisions[3].reason = None);
    assert_eq!(unmarked.problem, Some(HistoryProblem::Changed { decision: 3 }));
}

#[test]
fn keys_are_rotated_and_old_seals_still_verified() {
    let request = sealed("r", &keys());
    let new = || SealKeys::new(KeyId::new("k2").unwrap(), &[2; 32]).unwrap();
    let both = new().and_older(KeyId::new("k1").unwrap(), &[1; 32]).unwrap();
    assert!(verify_history(&request, Some(&both)).is_wholly_sealed());
    let missing = verify_history(&request, Some(&new())).problem;
    assert_eq!(missing, Some(HistoryProblem::KeyMissing { key: KeyId::new("k1").unwrap() }));
    let commented = workflow::apply(request, &Command::comment(user("bob"), "again"), at(20)).unwrap();
    let sealed_anew = stored(seal(commented, &both));
    assert!(verify_history(&sealed_anew, Some(&new())).is_wholly_sealed());
    let other = SealKeys::new(KeyId::new("k2").unwrap(), &[3; 32]).unwrap();
    let problem = verify_history(&sealed_anew, Some(&other)).problem;
    assert_eq!(problem, Some(HistoryProblem::Seal { key: KeyId::new("k2").unwrap() }));
}

#[test]
fn short_keys_and_two_of_one_id_are_errors() {
    let id = || KeyId::new("k1").unwrap();
    assert_eq!(
        SealKeys::new(id(), &[1; 31]).unwrap_err().to_string(),
        "key k1 has 31 bytes; give at least 32 random ones"
    );
    let twice = keys().and_older(id(), &[2; 32]).unwrap_err().to_string();
    assert_eq!(twice, "key k1 is given twice; each key has an id of its own");
}

/// Personal fields are in the hash by a commitment alone: without the salt nobody can try names.
#[test]
fn personal_fields_enter_as_salted_commitments() {
    let with_salt = |salt| {
        let mut document = approved("r").into_document();
        document.chain.as_mut().unwrap().salt = salt;
        chain_again(&mut document);
        document.chain.unwrap().head
    };
    let heads = [with_salt(None), with_salt(Some(Salt([7; 16]))), with_salt(Some(Salt([8; 16])))];
    assert!(heads[0] != heads[1] && heads[1] != heads[2] && heads[0] != heads[2]);
}

/// The tree of three requests, and the service's view of each later.
fn tree() -> (HeadTree, Checkpoint) {
    let mut tree = HeadTree::new();
    for id in ["a", "b", "c"] {
        tree.observe(&stored(submitted(id)));
    }
    let checkpoint = tree.checkpoint("example.com/billing", at(100));
    (tree, checkpoint)
}

#[test]
fn a_request_is_proven_to_have_been_in_a_checkpoint_also_after_it_went_on() {
    let (tree, checkpoint) = tree();
    for id in ["a", "b", "c"] {
        let proof = tree.prove(&RequestId::new(id).unwrap()).unwrap();
        proof.verify_request(&submitted(id), &checkpoint).unwrap();
        proof.verify_request(&approved(id), &checkpoint).unwrap();
        let read: InclusionProof = serde_json::from_str(&serde_json::to_string(&proof).unwrap()).unwrap();
        assert_eq!(read, proof);
    }
    assert_eq!(tree.prove(&RequestId::new("d").unwrap()), None);
}

#[test]
fn a_proof_holds_for_its_request_its_state_and_its_checkpoint_alone() {
    let (mut tree, checkpoint) = tree();
    let proof = tree.prove(&RequestId::new("b").unwrap()).unwrap();
    assert_eq!(proof.verify_request(&submitted("a"), &checkpoint), Err(ProofProblem::OtherRequest));
    let longer = InclusionProof { decisions: proof.decisions + 1, ..proof.clone() };
    assert_eq!(longer.verify(&checkpoint), Err(ProofProblem::OtherRoot));
    let elsewhere = InclusionProof { place: 0, ..proof.clone() };
    assert_eq!(elsewhere.verify(&checkpoint), Err(ProofProblem::OtherRoot));
    let other_size = Checkpoint { size: 4, ..checkpoint.clone() };
    assert_eq!(proof.verify(&other_size), Err(ProofProblem::OtherRoot));

    tree.observe(&approved("b"));
    let later = tree.checkpoint("example.com/billing", at(200));
    assert_ne!(later.root, checkpoint.root);
    assert_eq!(proof.verify(&later), Err(ProofProblem::OtherRoot));
    let proof = tree.prove(&RequestId::new("b").unwrap()).unwrap();
    // The older state of the whole request, which is right in itself.
    assert_eq!(proof.verify_request(&submitted("b"), &later), Err(ProofProblem::Shorter));
    let mut document = approved("b").into_document();
    document.decisions[3].reason = None;
    chain_again(&mut document);
    let rewritten = MutationRequest::from_document(document, Revision::first(WriteId::from_bytes([1; 16]))).unwrap();
    assert_eq!(verify_history(&rewritten, None).problem, None, "the chain alone does not show it");
    assert_eq!(proof.verify_request(&rewritten, &later), Err(ProofProblem::Differs));
}

/// A tree that an older release began holds the same heads for requests without a chain.
#[test]
fn a_request_without_a_chain_is_in_a_checkpoint_too() {
    let revision = Revision::first(WriteId::from_bytes([1; 16]));
    let mut document = submitted("r").into_document();
    document.chain = None;
    let older = MutationRequest::from_document(document, revision).unwrap();
    let mut tree = HeadTree::new();
    tree.observe(&older);
    let proof = tree.prove(&older.id).unwrap();
    let checkpoint = tree.checkpoint("example.com/billing", at(100));
    let later = apply(older, &Command::comment(user("bob"), "why?"), 10);
    assert_eq!(proof.verify_request(&later, &checkpoint), Ok(()));
}
