//! Shared by the two flavours of `policies`: the people, the drafts, and how policies are printed.

#![allow(unreachable_pub, reason = "each flavour uses this module for itself")]

use mutator_governance::policy::PolicySet;
use mutator_governance::{
    ActorContext, Error, Intent, Metadata, MutationRequest, RequestDraft, RequestId, Requirement, RequirementKind,
    RiskLevel, Target, Value, metadata_keys,
};

use crate::support::print::table;
use crate::support::{Result, say};

/// The file with the policies. A program reads it by `PolicySet::from_file`.
pub const FILE: &str = include_str!("policies.toml");

/// Policies that a colleague sends: each can be met, but not both on one request.
pub const AT_ODDS: &str = r#"
[[policies]]
name = "keys"
description = "The head of security agrees"
approvals = [{ targets = [{ actor_ids = ["sam"] }] }]

[[policies]]
name = "vacation"
description = "Sam decides nothing in May"
excluding = ["sam"]
"#;

/// The person with this id.
pub fn person(id: &str) -> Result<ActorContext> {
    let person = ActorContext::user(id)?;
    Ok(match id {
        "rita" => person.named("Rita").with_role("manager")?,
        "mona" => person.named("Mona").with_role("manager")?.with_role("director")?,
        "sam" => person.named("Sam").with_group("security")?,
        _ => person.named("Dora").with_role("director")?,
    })
}

/// A change that Rita asks for. It demands nothing itself.
pub fn change(id: &str, operation: &str, category: &str, risk: RiskLevel) -> Result<RequestDraft> {
    let target = Target::new("tenant:acme", "Tenant", "Change")?;
    let intent = Intent::new(operation, category)?.with_risk(risk);
    Ok(RequestDraft::new(target, intent, person("rita")?).with_id(RequestId::new(id)?))
}

/// What the policy engine of another program demands.
pub fn requirements() -> Result<[Requirement; 2]> {
    let any_of_two = Metadata::new()
        .with("Approvers", vec![Value::from("mona"), Value::from("sam")])?
        .with("RequiredApprovals", 2)?
        .with("ApprovalGroupId", "release-board")?;
    let board = Requirement::new("Approval", "The release board agrees")?.with_data(any_of_two);
    Ok([board, Requirement::new("TwoFactor", "Approvers use a second factor")?])
}

/// The policies of a set.
pub fn show_policies(policies: &PolicySet) {
    let rows = policies.policies().iter().map(|policy| {
        let digest: String = policy.digest().to_string().chars().take(12).collect();
        vec![format!("{} v{}", policy.name(), policy.version()), digest, policy.description().to_owned()]
    });
    table(&["POLICY", "DIGEST", "WHAT IT SAYS"], rows);
}

/// What a request needs, and which policy demanded it.
pub fn show_demands(request: &MutationRequest) {
    let rows = request.approvals.iter().map(|approval| {
        let by = approval.metadata.get(metadata_keys::DEMANDED_BY).map(texts).unwrap_or_default();
        vec![approval.step.to_string(), approval.id.to_string(), approval.target.to_string(), by]
    });
    table(&["STEP", "APPROVAL", "BY", "DEMANDED BY POLICY"], rows);
    let deadline = request.state.pending().and_then(|pending| pending.expires_at);
    if let Some(deadline) = deadline {
        say!("  Deadline: {deadline}");
    }
}

/// What the request records of its policies.
pub fn show_records(request: &MutationRequest) {
    let records = request.requirements.iter().filter(|requirement| requirement.kind == RequirementKind::POLICY);
    let rows = records.map(|record| {
        let text = |key| match record.data.get(key) {
            Some(Value::Text(text)) => text.chars().take(12).collect(),
            Some(Value::Integer(number)) => number.to_string(),
            _ => String::new(),
        };
        let keys = [metadata_keys::POLICY, metadata_keys::POLICY_VERSION, metadata_keys::POLICY_DIGEST];
        keys.map(text).into_iter().chain([record.description.clone()]).collect()
    });
    table(&["POLICY", "VERSION", "DIGEST", "WHAT IT SAYS"], rows);
}

/// An error that a person gets to see.
pub fn show_error(error: &Error) {
    say!("  error {}: {error}", error.code());
}

fn texts(value: &Value) -> String {
    let Value::List(values) = value else { return String::new() };
    let texts = values.iter().filter_map(|value| if let Value::Text(text) = value { Some(&**text) } else { None });
    texts.collect::<Vec<_>>().join(", ")
}
