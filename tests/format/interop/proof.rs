//! A second implementation, written from `docs/proof.md` alone, verifies exported histories and inclusion proofs as Rust does.

use std::fs;
use std::path::PathBuf;
use std::process::{Command as Program, Output};
use std::sync::Arc;
use std::time::Duration;

use common::people::{at, id, user};
use common::vectors::fixtures;
use mutator_governance::archive::ExportOptions;
use mutator_governance::blocking::{ArchiveDirectory, Governance, MemoryStore, Store as _};
use mutator_governance::for_stores::RequestRecord;
use mutator_governance::proof::{HeadTree, SealKeys, verify_history};
use mutator_governance::workflow::{AfterFailure, Amendment, Command, Failure};
use mutator_governance::{
    ActorContext, ApprovalRule, BlastRadius, BlastScope, ClaimId, CompensationKind, CompensationPlan,
    CompensationTrigger, Intent, KeyId, ManualClock, Metadata, MutationRequest, Participants, Payload, RequestDocument,
    RequestDraft, RequestQuery, RetryPolicy, RiskLevel, StateVersion, Target, Timestamp, Value, WriteId,
};
use serde_json::{Value as Json, json};

const KEY: [u8; 32] = [0x5a; 32];

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("mutator-proof-{}", WriteId::generate()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

fn python(words: &[&str]) -> Output {
    let script = fixtures().join("../../interop/verify_proof.py");
    Program::new("python3").arg(script).args(words).output().unwrap()
}

fn keys() -> SealKeys {
    SealKeys::new(KeyId::new("k1").unwrap(), &KEY).unwrap()
}

/// Somebody with everything that an actor can have.
fn somebody(name: &str) -> ActorContext {
    let mut actor =
        ActorContext::user(name).unwrap().named("Jürgen 文字").with_role("manager").unwrap().with_group("a b").unwrap();
    actor.session_id = Some("s-1".into());
    actor.source_address = Some("10.0.0.1".into());
    actor.user_agent = Some("Mozilla/5.0".into());
    actor.time_zone = Some("Europe/Berlin".into());
    actor.culture = Some("de-DE".into());
    actor.correlation_id = Some("c-1".into());
    actor.causation_id = Some("c-0".into());
    actor.at = Some(at(7));
    actor.metadata = values();
    actor.because("It is right")
}

fn values() -> Metadata {
    let nested = Metadata::new().with("$odd", -0.5).unwrap().with("ä", Value::Null).unwrap();
    [
        ("big", Value::Integer(i64::MIN)),
        ("bytes", Value::Bytes(vec![0, 255])),
        ("float", Value::Float(0.000_015)),
        ("list", Value::List(vec![Value::Bool(true), Value::Bool(false), Value::Integer(3)])),
        ("map", Value::Map(nested)),
        ("nan", Value::Float(f64::NAN)),
        ("text", Value::Text("naïve \u{1}".to_owned())),
        ("time", Value::Time(at(3))),
        ("whole", Value::Float(3.0)),
    ]
    .into_iter()
    .fold(Metadata::new(), |metadata, (key, value)| metadata.with(key, value).unwrap())
}

fn draft(name: &str) -> RequestDraft {
    let target = Target::new("tenant:äcme", "Tenant", "RoleGrant").unwrap();
    let mut intent = Intent::new("grant-role", "Access").unwrap().described_as("löschen").irreversible();
    intent.risk = RiskLevel::Critical;
    intent.metadata = values();
    intent.created_at = Some(at(1));
    let mut radius = BlastRadius::new(BlastScope::Global);
    radius = radius.affecting(u64::MAX >> 12);
    radius.description = Some("all of it".into());
    intent.blast_radius = Some(radius);
    let intent = intent.with_tag("b").and_then(|intent| intent.with_tag("ä")).unwrap();
    let json = Payload::new("application/json", r#"{"b":[1,-2.5,0.00002,"é\n"],"a":{"b":null}}"#.as_bytes()).unwrap();
    RequestDraft::new(target, intent, somebody("requester")).with_id(id(name)).with_payload(json)
}

/// Requests that use every part of what is hashed, by a service with keys.
fn fill(governance: &Governance, clock: &ManualClock) {
    let named = Participants::new().with_actor_ids(["ü-9"]).unwrap().with_roles(["auditor"]).unwrap();
    let pauses = [1, 90].map(Duration::from_secs);
    let policy = RetryPolicy::new(3).unwrap().pauses(pauses[0], pauses[1]).unwrap();
    let amended = draft("amended")
        .requires_approval(ApprovalRule::role("manager").unwrap())
        .with_metadata(values())
        .with_participants(named)
        .retrying(policy)
        .valid_for(Duration::from_micros(5_400_000_001))
        .unwrap();
    governance.submit(amended).unwrap();
    clock.advance(Duration::from_micros(1_500_001));
    governance.request_changes("amended", somebody("mona"), "too much").unwrap();
    let less = Amendment::new().payload(Payload::new("text/plain", &b"less\x00"[..]).unwrap()).without_description();
    governance.amend("amended", somebody("requester"), less).unwrap();
    governance.comment("amended", somebody("bob"), "For how long? – 文字").unwrap();
    let deputy = somebody("dora").acting_for("mona", "on leave").unwrap();
    governance.approve("amended", deputy).unwrap();

    governance.submit(draft("failed").already_approved().for_version(StateVersion::new("v1").unwrap())).unwrap();
    let claim = ClaimId::generate();
    governance.apply("failed", &Command::claim(user("executor"), claim, Duration::from_secs(600))).unwrap();
    let failure = Failure::new("no answer").with_code("E-1").with_metadata(values());
    let failed = Command::fail(user("executor"), claim, failure, AfterFailure::KeepApproved);
    governance.apply("failed", &failed).unwrap();

    let plan = CompensationPlan::new(id("failed"), CompensationKind::Rollback, CompensationTrigger::Operator);
    let plan = plan.related_to(id("amended")).described_as("put it back");
    governance.submit(draft("compensates").compensating(plan)).unwrap();
    governance.cancel("compensates", somebody("requester")).unwrap();
    governance.resubmit("compensates", somebody("requester"), Amendment::new()).unwrap();
}

/// The request under this id, forged; imported, as somebody does who writes the store itself.
fn forge(governance: &Governance, name: &str, forge: impl FnOnce(&mut RequestDocument)) {
    let request = governance.get(id(name)).unwrap().unwrap();
    let revision = request.revision();
    let mut document = request.into_document();
    forge(&mut document);
    let forged = MutationRequest::from_document(document, revision).unwrap();
    let store = MemoryStore::new();
    store.import(&[RequestRecord::new(forged.into(), [])]).unwrap()[0].as_ref().unwrap();
    compare(&Governance::builder().store(Arc::new(store)).seal_keys(keys()).build());
}

/// What Rust finds of a request, as the other program prints it.
fn by_rust(request: &MutationRequest) -> Json {
    let found = verify_history(request, Some(&keys()));
    let mut row = json!({"id": request.id, "chained_from": found.chained_from});
    if let Some(problem) = found.problem {
        let as_json = serde_json::to_value(&problem).unwrap();
        row["problem"] = as_json["problem"].clone();
        if let Some(decision) = as_json.get("decision") {
            row["decision"] = decision.clone();
        }
    }
    row
}

/// Exports everything, and compares what the two find. Returns what they found.
fn compare(governance: &Governance) -> Vec<Json> {
    let folder = Folder::new();
    let mut files = ArchiveDirectory::create(folder.0.join("archive")).unwrap();
    governance.export(&RequestQuery::new(), &mut files, &ExportOptions::new()).unwrap();
    let key = format!("k1={}", KEY.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let output = python(&[folder.0.join("archive").to_str().unwrap(), "--key", &key]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let by_python: Vec<Json> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let requests = governance.requests(&RequestQuery::new(), &mutator_governance::PageRequest::longest()).unwrap();
    let by_rust: Vec<Json> = requests.items.iter().map(by_rust).collect();
    assert_eq!(by_python, by_rust);
    by_rust
}

fn service() -> (Governance, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(at(0)));
    let builder = Governance::builder().store(Arc::new(MemoryStore::new())).clock(clock.clone());
    (builder.seal_keys(keys()).build(), clock)
}

#[test]
#[ignore = "needs python3; tests/interop/run.sh runs it"]
fn python_verifies_the_same_histories() {
    let (governance, clock) = service();
    fill(&governance, &clock);
    let rows = compare(&governance);
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.get("problem").is_none() && row["chained_from"] == 0), "{rows:?}");

    type Forge = fn(&mut RequestDocument);
    let forgeries: [(&str, Forge); 12] = [
        ("amended", |it| it.decisions[4].reason = None),
        ("amended", |it| it.decisions.swap(3, 5)),
        ("amended", |it| drop(it.decisions.remove(2))),
        ("amended", |it| drop(it.decisions.pop())),
        ("amended", |it| it.decisions.push(it.decisions[1].clone())),
        ("amended", |it| it.payload = None),
        ("amended", |it| it.execution.retry = None),
        ("failed", |it| it.intent.metadata = Metadata::new()),
        ("failed", |it| it.chain.as_mut().unwrap().seal.as_mut().unwrap().from = 1),
        ("failed", |it| it.chain.as_mut().unwrap().seal.as_mut().unwrap().decisions = 2),
        ("failed", |it| it.state = mutator_governance::RequestState::Canceled),
        ("compensates", |it| it.chain.as_mut().unwrap().head = mutator_governance::Digest::from_bytes([1; 32])),
    ];
    for (name, attack) in forgeries {
        forge(&governance, name, attack);
    }
}

#[test]
#[ignore = "needs python3; tests/interop/run.sh runs it"]
fn python_verifies_the_same_inclusion_proofs() {
    let (governance, clock) = service();
    let (mut tree, folder) = (HeadTree::new(), Folder::new());
    for number in 0..7 {
        clock.advance(Duration::from_secs(1));
        tree.observe(&governance.submit(draft(&format!("request-{number}"))).unwrap());
    }
    let checkpoint = tree.checkpoint("example.com/interop", Timestamp::MIN);
    let written = |name: &str, value: &Json| {
        let path = folder.0.join(name);
        fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let checkpoint = written("checkpoint.json", &serde_json::to_value(&checkpoint).unwrap());
    for number in 0..7 {
        let proof = serde_json::to_value(tree.prove(&id(&format!("request-{number}"))).unwrap()).unwrap();
        let holds = |proof: &Json| {
            let path = written("proof.json", proof);
            python(&["--proof", &path, "--checkpoint", &checkpoint]).status.code()
        };
        assert_eq!(holds(&proof), Some(0), "{proof}");
        for (field, other) in
            [("decisions", json!(9)), ("place", json!((number + 1) % 7)), ("size", json!(8)), ("id", json!("r"))]
        {
            let mut forged = proof.clone();
            forged[field] = other;
            assert_eq!(holds(&forged), Some(1), "{forged}");
        }
    }
}
