//! Policies that people keep in files of their own, in TOML as well.

use mutator_governance::policy::PolicySet;
use mutator_governance::{ApprovalRule, ApprovalTarget, OnConflict, Step, Timestamp};

use super::golden::{ByPeople, returns};

const PAGE: &str = include_str!("../../../docs/policies.md");

/// The first file of the page about policies: every field that a policy can have.
fn of_the_page() -> PolicySet {
    let file = PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    PolicySet::from_toml(file, "docs/policies.md").unwrap()
}

#[test]
fn the_policies_of_the_page_have_one_json_form() {
    returns("policy_set", &of_the_page(), ByPeople);
    returns("policy", &of_the_page().policies()[1], ByPeople);
    returns("policy_set_empty", &PolicySet::default(), ByPeople);
}

#[test]
fn the_page_names_every_field_of_a_policy() {
    let schema = serde_json::to_value(schemars::schema_for!(PolicySet)).unwrap();
    let mut fields: Vec<&String> = Vec::new();
    for definition in ["Policy", "PolicyCondition"] {
        fields.extend(schema["$defs"][definition]["properties"].as_object().unwrap().keys());
    }
    assert!(fields.len() > 18, "{fields:?}");
    for field in fields {
        assert!(PAGE.contains(&format!("`{field}`")) || PAGE.contains(&format!("{field} = ")), "{field}");
    }
}

const POLICY: &str = r#"
[on_conflict]
type = "Rebase"
times = 3

[[rules]]
targets = [{ roles = ["manager"] }]

[[rules]]
description = "Two of three teams agree"
targets = [{ groups = ["red"] }, { groups = ["blue"] }, { groups = ["green"], actor_ids = ["u-7"] }]
quorum = { group = "security", required = 2, rejection = "WhenImpossible" }
step = 2
expires_at = "2026-12-31T12:00:00+01:00"
metadata = { policy = "P-7", limit = 250, ratio = 0.5 }
"#;

#[derive(serde::Deserialize)]
struct Policy {
    on_conflict: OnConflict,
    rules: Vec<ApprovalRule>,
}

#[test]
fn a_policy_is_read_from_toml() {
    let policy: Policy = toml::from_str(POLICY).unwrap();
    assert_eq!(policy.on_conflict, OnConflict::Rebase(3));
    let group = |name| ApprovalTarget::group(name).unwrap();
    let metadata = mutator_governance::Metadata::new();
    let metadata = metadata.with("policy", "P-7").unwrap().with("limit", 250).unwrap().with("ratio", 0.5).unwrap();
    let members = [group("red"), group("blue"), group("green").or(ApprovalTarget::actor("u-7").unwrap())];
    let quorum = ApprovalRule::quorum("security", 2, members)
        .unwrap()
        .described_as("Two of three teams agree")
        .rejected_when_impossible()
        .at_step(Step::new(2).unwrap())
        .expiring_at("2026-12-31T11:00:00Z".parse::<Timestamp>().unwrap())
        .with_metadata(metadata);
    assert_eq!(policy.rules, [ApprovalRule::role("manager").unwrap(), quorum]);
}

#[test]
fn a_policy_that_could_not_be_built_is_not_read_either() {
    for (right, wrong, problem) in [
        ("required = 2", "required = 4", "it must ask for 1 to 3"),
        ("required = 2", "required = 0", "nonzero"),
        (r#"{ roles = ["manager"] }"#, "{}", "nobody could decide it"),
        (r#"[{ roles = ["manager"] }]"#, "[]", "nobody could approve"),
        (r#"roles = ["manager"]"#, r#"roles = [" "]"#, "role is blank"),
        (r#"roles = ["manager"]"#, r#"role = ["manager"]"#, "unknown field `targets.0.role`"),
        ("description = ", "descripton = ", "unknown field `descripton`"),
        ("rejection = ", "rejections = ", "unknown field `quorum.rejections`"),
        ("times = 3", "times = -3", "-3"),
        ("step = 2", "step = 0", "nonzero"),
    ] {
        assert!(POLICY.contains(right));
        let error = toml::from_str::<Policy>(&POLICY.replacen(right, wrong, 1)).map(drop).unwrap_err().to_string();
        assert!(error.contains(problem), "{wrong}: {error}");
    }
}
