//! An audit: the decisions of a quarter are exported and verified, and a decision that was changed is named; in a synchronous
//! program.
//!
//! `cargo run --all-features --example audit_proof` keeps the requests in memory; with `REDIS_URL=redis://host:port` they are kept
//! in Redis until the program ends.

mod support;

use std::process::ExitCode;

use mutator_governance::archive::ExportOptions;
use mutator_governance::blocking::{ArchiveWriter, Governance};
use mutator_governance::proof::{Checkpoint, HeadTree, HistoryVerification, InclusionProof, SealKeys, verify_history};
use mutator_governance::{
    ActorContext, ApprovalRule, Intent, KeyId, MutationRequest, PageRequest, RequestDraft, RequestId, RequestQuery,
    Target, WriteId,
};
use support::stores::open_blocking;
use support::{Place, Result, finish, print, say};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = Place::from_environment();
    print::title("Audit: export, proof, a forgery", "blocking", &place);
    // A key that the store does not see; an application gets it from where it keeps its secrets.
    let key = [*WriteId::generate().as_bytes(), *WriteId::generate().as_bytes()].concat();
    let keys = SealKeys::new(KeyId::new("2026-Q1")?, &key)?;
    let governance = Governance::builder().store(open_blocking(&place)?).seal_keys(keys.clone()).build();
    let walked = walk_through(&governance, &keys);
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

fn walk_through(governance: &Governance, keys: &SealKeys) -> Result<()> {
    print::chapter("A quarter: three people ask for access, a manager decides.");
    let mona = ActorContext::user("mona")?.named("Mona").with_role("manager")?;
    for (name, reason) in [("erin", "She leads billing from May"), ("ivan", "On call"), ("olga", "Stands in for Ivan")]
    {
        let request = governance.submit(access_for(name)?)?;
        governance.comment(&request.id, ActorContext::user("sam")?, "For how long?")?;
        let outcome = governance.approve(&request.id, mona.clone().because(reason));
        print::attempt(&format!("Mona approves access for {name}"), &outcome);
    }

    print::chapter(
        "At its end, a checkpoint: the root over all histories, to be signed and kept where the store's operators cannot write.",
    );
    let mut heads = HeadTree::new();
    let mut page = PageRequest::longest();
    while let Some(next) = governance.collect_heads(&mut heads, &page)?.next {
        page = PageRequest::longest().after(next);
    }
    let checkpoint = heads.checkpoint("example.com/access", governance.clock().now());
    print::note(&checkpoint.note().replace('\n', " "));

    print::chapter("Next quarter, the auditor gets an export and the checkpoint, and verifies every history.");
    let mut exported = Vec::new();
    governance.export(&RequestQuery::new(), &mut ArchiveWriter::new(&mut exported), &ExportOptions::new())?;
    let mut requests: Vec<MutationRequest> =
        serde_json::Deserializer::from_slice(&exported).into_iter().collect::<Result<_, _>>()?;
    audit(&requests, keys, &heads, &checkpoint);

    print::chapter("Somebody changes Mona's reason for Ivan in the export, and hopes that nobody looks.");
    let ivan = requests.get_mut(1).ok_or("three requests were exported")?;
    *ivan = with_another_reason(ivan)?;
    audit(&requests, keys, &heads, &checkpoint);
    Ok(())
}

fn access_for(name: &str) -> Result<RequestDraft> {
    let target = Target::new(format!("account:{name}"), "Account", "RoleGrant")?;
    let intent = Intent::new("grant-role", "Access")?.described_as(format!("{name} needs the role of a billing clerk"));
    let draft = RequestDraft::new(target, intent, ActorContext::user(name)?);
    Ok(draft.requires_approval(ApprovalRule::role("manager")?))
}

/// What is wrong with each request, by its own history and by the checkpoint.
fn audit(requests: &[MutationRequest], keys: &SealKeys, heads: &HeadTree, checkpoint: &Checkpoint) {
    let rows = requests.iter().map(|request| {
        let history = verify_history(request, Some(keys));
        let proof = heads.prove(&request.id);
        vec![request.target.state_id.to_string(), in_words(&history), in_checkpoint(proof, request, checkpoint)]
    });
    print::table(&["TARGET", "HISTORY", "CHECKPOINT"], rows);
}

fn in_words(history: &HistoryVerification) -> String {
    match &history.problem {
        Some(problem) => problem.to_string(),
        None if history.is_wholly_sealed() => format!("{} decisions, chained and sealed", history.decisions),
        None => "not wholly sealed".to_owned(),
    }
}

fn in_checkpoint(proof: Option<InclusionProof>, request: &MutationRequest, checkpoint: &Checkpoint) -> String {
    let Some(proof) = proof else { return "it was not there".to_owned() };
    let verified = proof.verify_request(request, checkpoint);
    verified.map_or_else(|problem| problem.to_string(), |()| "as it was".to_owned())
}

/// The same request, with another reason for its approval.
fn with_another_reason(request: &MutationRequest) -> Result<MutationRequest> {
    let text = serde_json::to_string(request)?.replace("On call", "As agreed with the board");
    let forged: MutationRequest = serde_json::from_str(&text)?;
    let id: &RequestId = &forged.id;
    say!("  {id} now says: as agreed with the board.");
    Ok(forged)
}
