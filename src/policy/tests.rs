//! What policies demand of drafts, and what is wrong with texts.

use std::time::Duration;

use super::*;
use crate::error::PolicyError;
use crate::request::*;
use crate::workflow::{Amendment, Command, apply, explain, resubmission_draft, submit};

#[path = "resubmission_tests.rs"]
mod resubmission;

fn now() -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000).unwrap()
}

fn draft(category: &str, risk: RiskLevel) -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let intent = Intent::new("grant-role", category).unwrap().with_risk(risk);
    RequestDraft::new(target, intent, ActorContext::user("alice").unwrap())
}

fn submitted(draft: RequestDraft) -> MutationRequest {
    submit(draft, RequestId::new("r").unwrap(), WriteId::generate(), now()).unwrap()
}

fn read(text: &str) -> PolicySet {
    PolicySet::from_toml(text, "policies.toml").unwrap()
}

fn problem(text: &str) -> String {
    PolicySet::from_toml(text, "policies.toml").unwrap_err().to_string()
}

const TWO: &str = r#"
[[policies]]
name = "access"
version = 3
description = "Whoever gets access is checked by security"
when = { categories = ["Access"] }
excluding = ["mallory"]
deadline = "PT48H"

[[policies.approvals]]
targets = [{ groups = ["security"] }]

[[policies]]
name = "risky"
when = { risk = "High" }
distinct_approvers = true
reasons = "ForRejecting"
deadline = "PT24H"
requirements = [{ kind = "TwoFactor", description = "Approvers use a second factor" }]

[[policies.approvals]]
targets = [{ groups = ["security"] }]

[[policies.approvals]]
targets = [{ roles = ["director"] }]
mandatory = true
"#;

#[test]
fn several_policies_add_up_and_the_stricter_wins() {
    let draft = read(TWO).draft(draft("Access", RiskLevel::Critical), now()).unwrap();
    assert!(draft.approver_limits.distinct);
    assert_eq!(draft.approver_limits.excluded, [ActorId::new("mallory").unwrap()].into());
    let request = submitted(draft);
    assert_eq!(request.approvals.len(), 2, "the equal approval of both is demanded once");
    let names = |place: usize| request.approvals[place].metadata.get(metadata_keys::DEMANDED_BY).unwrap().clone();
    assert_eq!(names(0), Value::List(vec!["access v3".into(), "risky v1".into()]));
    assert_eq!(names(1), Value::List(vec!["risky v1".into()]));
    assert!(request.approvals.iter().all(|approval| approval.reasons == ReasonRule::ForRejecting));
    assert_eq!(request.approvals.iter().map(|approval| approval.step.number()).collect::<Vec<_>>(), [1, 2]);
    let deadline = now().saturating_add(Duration::from_hours(24));
    assert_eq!(
        request.state,
        RequestState::Pending(Pending { reason: PendingReason::Approval, expires_at: Some(deadline) })
    );
    let kinds: Vec<&str> = request.requirements.iter().map(|requirement| requirement.kind.as_str()).collect();
    assert_eq!(kinds, ["Policy", "TwoFactor", "Policy", "Approval", "Approval"]);
    let record = &request.requirements[0].data;
    assert_eq!(record.get(metadata_keys::POLICY), Some(&Value::from("access")));
    assert_eq!(record.get(metadata_keys::POLICY_VERSION), Some(&Value::from(3)));
    let digest = read(TWO).policies()[0].digest().to_string();
    assert_eq!(record.get(metadata_keys::POLICY_DIGEST), Some(&Value::from(digest)));
}

#[test]
fn of_several_policies_the_fewest_attempts_and_the_longest_pauses_hold() {
    let set = read(
        r#"
[[policies]]
name = "patient"
when = { categories = ["Access"] }
retry = { attempts = 9, first_pause = "PT5M", longest_pause = "PT1H" }

[[policies]]
name = "brief"
when = { risk = "High" }
retry = { attempts = 3 }
"#,
    );
    let policy = |attempts| RetryPolicy::new(attempts).unwrap();
    let patient = policy(9).pauses(Duration::from_secs(300), Duration::from_secs(3_600)).unwrap();
    let retry = |draft: RequestDraft| submitted(set.draft(draft, now()).unwrap()).execution.retry;
    assert_eq!(retry(draft("Access", RiskLevel::Low)), Some(patient));
    assert_eq!(retry(draft("Billing", RiskLevel::High)), Some(policy(3)));
    assert_eq!(retry(draft("Access", RiskLevel::High)), Some(patient.stricter(policy(3))));
    assert_eq!(retry(draft("Billing", RiskLevel::High).retrying(policy(2))), Some(policy(2)), "the draft's own counts");
    assert_eq!(retry(draft("Billing", RiskLevel::Low)), None);
    let wrong = "[[policies]]\nname = \"p\"\nretry = { attempts = 1 }\n";
    assert!(problem(wrong).contains("attempts of 1"), "{}", problem(wrong));
}

#[test]
fn explain_names_the_policy() {
    let request = submitted(read(TWO).draft(draft("Access", RiskLevel::High), now()).unwrap());
    let why = explain(&request, now()).to_string();
    assert!(why.contains("(demanded by policy access v3 and policy risky v1)"), "{why}");
}

#[test]
fn only_what_applies_is_demanded() {
    let set = read(TWO);
    let names =
        |draft: &RequestDraft| set.applying_to(draft).iter().map(|it| it.name().to_string()).collect::<Vec<_>>();
    assert_eq!(names(&draft("Access", RiskLevel::Low)), ["access"]);
    assert_eq!(names(&draft("Billing", RiskLevel::High)), ["risky"]);
    assert!(names(&draft("Billing", RiskLevel::Medium)).is_empty());
    let untouched = draft("Billing", RiskLevel::Low);
    let same = set.draft(untouched.clone(), now()).unwrap();
    assert_eq!(serde_json::to_value(same).unwrap(), serde_json::to_value(untouched).unwrap());
}

#[test]
fn applied_twice_policies_change_nothing_also_later() {
    for risk in [RiskLevel::Low, RiskLevel::High] {
        let once = read(TWO).draft(draft("Access", risk), now()).unwrap();
        let later = now().saturating_add(Duration::from_hours(1));
        let twice = read(TWO).draft(once.clone(), later).unwrap();
        assert_eq!(serde_json::to_value(twice).unwrap(), serde_json::to_value(once).unwrap());
    }
}

#[test]
fn a_draft_that_claims_to_have_met_a_policy_still_has_to() {
    let honest = read(TWO).draft(draft("Access", RiskLevel::High), now()).unwrap();
    let forged = RequestDraft { requirements: honest.requirements, ..draft("Access", RiskLevel::High) };
    assert_eq!(submitted(read(TWO).draft(forged, now()).unwrap()).approvals.len(), 2);
}

#[test]
fn what_a_draft_demands_itself_stays() {
    let own =
        draft("Access", RiskLevel::Low).requires_approval(ApprovalRule::actor("bob").unwrap()).waiting_for(Pending {
            reason: PendingReason::Quota,
            expires_at: Some(now().saturating_add(Duration::from_hours(1))),
        });
    let request = submitted(read(TWO).draft(own, now()).unwrap());
    assert_eq!(request.approvals.len(), 2);
    let RequestState::Pending(pending) = request.state else { panic!("{:?}", request.state) };
    assert_eq!(pending.reason, PendingReason::Quota);
    assert_eq!(pending.expires_at, Some(now().saturating_add(Duration::from_hours(1))), "the earlier deadline");
}

#[test]
fn an_approved_draft_cannot_avoid_a_policy() {
    let error = read(TWO).draft(draft("Access", RiskLevel::Low).already_approved(), now()).unwrap_err();
    assert!(error.to_string().starts_with("the draft cannot meet what policy access demands: "), "{error}");
}

#[test]
fn policies_that_exclude_each_others_approvers_name_each_other() {
    let set = read(
        r#"
        [[policies]]
        name = "bob-approves"
        approvals = [{ targets = [{ actor_ids = ["bob"] }] }]

        [[policies]]
        name = "not-bob"
        excluding = ["bob"]
        "#,
    );
    let error = set.draft(draft("Access", RiskLevel::Low), now()).unwrap_err();
    let PolicyError::Unsatisfiable { policies, .. } = &error else { panic!("{error}") };
    assert_eq!(policies.iter().map(PolicyName::as_str).collect::<Vec<_>>(), ["bob-approves", "not-bob"]);
}

/// A set of a policy for each text, named `p1`, `p2`, …
fn policies(texts: &[&str]) -> PolicySet {
    let numbered = (1..).zip(texts).map(|(number, text)| format!("[[policies]]\nname = \"p{number}\"\n{text}\n"));
    read(&numbered.collect::<String>())
}

fn at_odds(set: &PolicySet, draft: RequestDraft) -> (Vec<String>, String) {
    match set.draft(draft, now()).unwrap_err() {
        PolicyError::Unsatisfiable { policies, problem } => {
            (policies.iter().map(ToString::to_string).collect(), problem)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn only_the_policies_at_odds_are_named() {
    let bob = r#"approvals = [{ targets = [{ actor_ids = ["bob"] }] }]"#;
    let set = policies(&[r#"deadline = "PT1H""#, bob, "distinct_approvers = true", r#"excluding = ["bob"]"#]);
    assert_eq!(at_odds(&set, draft("Access", RiskLevel::Low)).0, ["p2", "p4"]);
    let mut own = draft("Access", RiskLevel::Low);
    own.requested_by = std::sync::Arc::new(ActorContext::user("bob").unwrap());
    assert_eq!(at_odds(&set, own).0, ["p2"], "its only approver is the requester");
}

const BOARD: &str = r#"approvals = [{ targets = [{ actor_ids = ["a"] }, { actor_ids = ["b"] }], quorum = { group = "board", required = 2 } }]"#;

/// The members of all rules with one group decide together: two friends would otherwise decide for the board.
#[test]
fn a_quorum_group_is_not_diluted_by_others() {
    let friends = || ["x", "y"].map(|id| ApprovalTarget::actor(id).unwrap());
    let own = ApprovalRule::quorum("board", 2, friends()).unwrap().at_step(Step::FIRST);
    let diluted = draft("Access", RiskLevel::Low).requires_approval(own);
    let (named, problem) = at_odds(&policies(&[BOARD]), diluted);
    assert_eq!(named, ["p1"]);
    assert!(problem.contains("quorum group board has members of several origins"), "{problem}");
    let other = BOARD.replace("\"b\"", "\"c\"");
    assert_eq!(at_odds(&policies(&[BOARD, &other]), draft("Access", RiskLevel::Low)).0, ["p1", "p2"]);
    let same = policies(&[BOARD, BOARD]).draft(draft("Access", RiskLevel::Low), now()).unwrap();
    assert_eq!(submitted(same).approvals.len(), 2, "the same group is demanded once");
}

#[test]
fn a_policy_may_demand_two_equal_approvals() {
    let two = r#"
        approvals = [
            { targets = [{ roles = ["manager"] }], step = 1 },
            { targets = [{ roles = ["manager"] }], step = 1 },
        ]
        distinct_approvers = true
    "#;
    let set = policies(&[two, two]);
    let once = set.draft(draft("Access", RiskLevel::Low), now()).unwrap();
    assert_eq!(once.approval_rules.len(), 2);
    assert_eq!(set.draft(once, now()).unwrap().approval_rules.len(), 2, "again, twice changes nothing");
}

#[test]
fn a_set_is_part_of_a_larger_configuration() {
    let set = read(TWO);
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<PolicySet>(&json).unwrap(), set);
    assert_eq!(PolicySet::from_json(&json, "set").unwrap(), set);
    let twice = r#"{"policies":[{"name":"a","excluding":["m"]},{"name":"a","excluding":["m"]}]}"#;
    let error = serde_json::from_str::<PolicySet>(twice).unwrap_err().to_string();
    assert!(error.starts_with("policies: policy a has the name of the policy in number 1"), "{error}");
}

#[test]
fn the_approvals_of_policies_are_decided_like_any_other() {
    let request = submitted(read(TWO).draft(draft("Access", RiskLevel::High), now()).unwrap());
    let sam = ActorContext::user("sam").unwrap().with_group("security").unwrap().with_role("director").unwrap();
    let once = apply(request, &Command::approve(sam.clone()), now()).unwrap();
    assert!(apply(once.clone(), &Command::approve(sam), now()).is_err(), "distinct approvers");
    let dora = ActorContext::user("dora").unwrap().with_role("director").unwrap();
    let approved = apply(once, &Command::approve(dora), now()).unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
}

#[test]
fn what_is_left_out_counts_as_the_greatest_reach() {
    let set = read(
        "[[policies]]\nname = \"wide\"\nwhen = { blast_scope = \"System\", estimated_count = 10 }\nexcluding = [\"m\"]",
    );
    let with = |radius: Option<BlastRadius>| {
        let mut draft = draft("Access", RiskLevel::Low);
        draft.intent.blast_radius = radius;
        set.applying_to(&draft).len()
    };
    let radius = |scope, count| Some(BlastRadius { estimated_count: count, ..BlastRadius::new(scope) });
    assert_eq!(with(None), 1);
    assert_eq!(with(radius(BlastScope::System, None)), 1);
    assert_eq!(with(radius(BlastScope::Global, Some(10))), 1);
    assert_eq!(with(radius(BlastScope::Global, Some(9))), 0);
    assert_eq!(with(radius(BlastScope::Module, Some(1_000))), 0);
}

#[test]
fn every_error_of_a_text_names_file_line_and_what_is_wrong() {
    for (text, line, said) in [
        ("[[policies]]\nname = \"a\"\n", 1, "policy a demands nothing"),
        ("\n\n[[policies]]\nname = \" \"\nexcluding = [\"m\"]", 4, "policy name is blank"),
        ("[[policies]]\nname = \"a\"\nexcluding = [\"m\"]\ndedline = \"PT1H\"", 4, "unknown field `dedline`"),
        (
            "[[policies]]\nname = \"a\"\nexcluding = [\"m\"]\n[[policies.approvals]]\ntargts = []",
            5,
            "unknown field `approvals.0.targts`",
        ),
        ("polices = []", 1, "unknown field `polices`"),
        ("[[policies]]\nname = \"a\"\ndeadline = \"PT0S\"", 1, "has a deadline of zero"),
        ("[[policies]]\nname = \"a\"\ndeadline = \"a day\"", 3, "is not ISO 8601"),
        ("[[policies]]\nname = \"a\"\nversion = 0\nexcluding = [\"m\"]", 1, "the first version is 1"),
        ("[[policies]]\nname = \"a\"\nexcluding = \"m\"", 3, "invalid type"),
        ("[[policies]]\nname = \"a\"\nexcluding = [\"m\"]\nwhen = { risk = \"Hihg\" }", 4, "Hihg"),
        (
            "[[policies]]\nname = \"a\"\nexcluding = [\"m\"]\nwhen = { state_ids = [\"*:a\"] }",
            4,
            "not its last character",
        ),
        (
            "[[policies]]\nname = \"a\"\nexcluding = [\"m\"]\n\n[[policies]]\nname = \"a\"\nexcluding = [\"m\"]",
            5,
            "the policy in line 1",
        ),
        (
            "[[policies]]\nname = \"x\"\nexcluding = [\"m\"]\n\n[[policies]]\nname = \"a\"\nexcluding = [\"bob\"]\napprovals = [{ targets = [{ actor_ids = [\"bob\"] }] }]",
            5,
            "policy a can never be met",
        ),
        (
            "[[policies]]\nname = \"a\"\n[[policies.approvals]]\ntargets = [{ roles = [\"r\"] }]\nquorum = { group = \"g\", required = 2 }",
            3,
            "asks for 2 grants of 1",
        ),
        ("[[policies]]\nname = \"a\"\nrequirements = [{ kind = \"Approval\" }]", 1, "write it as one of its approvals"),
        (
            "[[policies]]\nname = \"a\"\ndeadline = \"PT1H\"\n[[policies.approvals]]\ntargets = [{ roles = [\"r\"] }]\nescalation = { after = \"PT2H\", to = { roles = [\"s\"] } }",
            1,
            "a escalates an approval after PT2H, when the deadline of PT1H has passed",
        ),
        ("[[policies]\n", 1, ""),
    ] {
        let error = problem(text);
        assert!(error.starts_with("policies.toml, line ") && error.contains(said), "{text}\n{error}");
        assert!(error.starts_with(&format!("policies.toml, line {line}: ")), "{text}\n{error}");
    }
}

#[test]
fn json_says_the_same_with_its_lines() {
    let text = toml_to_json(TWO);
    assert_eq!(PolicySet::from_json(&text, "policies.json").unwrap(), read(TWO));
    for (text, line, said) in [
        ("{\n\"policies\": [\n{\"name\": \"a\"}\n]}", 3, "policy a demands nothing"),
        (
            "{\"policies\": [\n{\"name\": \"a\", \"excluding\": [\"m\"],\n\"dedline\": 1}\n]}",
            3,
            "unknown field `dedline`",
        ),
        (
            "{\"policies\": [\n{\"name\": \"a\", \"excluding\": [\"m\"]},\n{\"name\": \"a\", \"excluding\": [\"m\"]}\n]}",
            3,
            "the policy in line 2",
        ),
        ("{\"polices\": []}", 1, "unknown field `polices`"),
        ("{\"policies\": [\n", 2, "EOF"),
    ] {
        let error = PolicySet::from_json(text, "p.json").unwrap_err().to_string();
        assert!(error.starts_with(&format!("p.json, line {line}: ")) && error.contains(said), "{text}\n{error}");
        assert!(!error.contains("column"), "{error}");
    }
}

fn toml_to_json(text: &str) -> String {
    serde_json::to_string_pretty(&toml::from_str::<serde_json::Value>(text).unwrap()).unwrap()
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = PolicySet::from_file("no/such/policies.toml").unwrap_err();
    assert!(matches!(&error, PolicyError::Unreadable { file, .. } if file == "no/such/policies.toml"), "{error}");
    assert_eq!(PolicySet::from_toml("", "empty").unwrap(), PolicySet::default());
}

#[test]
fn no_text_makes_the_reader_panic() {
    use proptest::prelude::*;
    proptest!(|(text in r#"(\[\[policies(\.approvals)?\]\]|name = "[ab*]?"|when = \{|\}|"|=|\n|version = [0-9]|deadline = "PT[0-9]*[HS]"|targets = \[\{ roles = \["a"\] \}\]|.){0,30}"#)| {
        drop(PolicySet::from_toml(&text, "t"));
        drop(PolicySet::from_json(&text, "j"));
    });
}
