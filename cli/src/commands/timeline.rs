//! What a decision was about, in words.

use mutator_governance::{
    ActorContext, ActorId, ApprovalDecision, Decision, DecisionKind, LifecycleDecision, Value, metadata_keys,
};

/// Who acted, and for whom on which grounds. The id comes first: a name is free text, which anybody may choose.
pub(super) fn actor(by: &ActorContext) -> String {
    let name = by.id.as_ref().and(by.name.as_deref()).map(|name| format!(" ({name})")).unwrap_or_default();
    match &by.acting_for {
        Some(acting) => format!("{}{name} for {} ({})", who(by.id.as_ref(), by.label()), acting.id, acting.grounds),
        None => format!("{}{name}", who(by.id.as_ref(), by.label())),
    }
}

/// The id, or else what somebody without one is called.
pub(super) fn who(id: Option<&ActorId>, label: &str) -> String {
    id.map_or_else(|| label.to_owned(), ToString::to_string)
}

/// What it was about, and why it was made.
pub(super) fn about(decision: &Decision) -> String {
    let key = |name| metadata(decision, name);
    let what = match decision.kind {
        DecisionKind::Approval(ApprovalDecision::Requested) => {
            key(metadata_keys::MISSING).map(|number| if number == "1" { "1 vote".into() } else { number + " votes" })
        }
        DecisionKind::Approval(
            ApprovalDecision::Delegated | ApprovalDecision::Reassigned | ApprovalDecision::Escalated,
        ) => handed_on(decision),
        // The reason names the group.
        DecisionKind::Approval(ApprovalDecision::QuorumSatisfied) => None,
        DecisionKind::Approval(ApprovalDecision::Overridden) => key(metadata_keys::OVERRIDDEN),
        DecisionKind::Approval(ApprovalDecision::Renewed) => {
            key(metadata_keys::ROUND).map(|round| format!("round {round}"))
        }
        DecisionKind::Approval(_) => key(metadata_keys::APPROVAL),
        DecisionKind::Lifecycle(LifecycleDecision::Pending) => key(metadata_keys::PENDING_REASON),
        DecisionKind::Lifecycle(LifecycleDecision::Submitted) => {
            key(metadata_keys::RESUBMITS).map(|id| format!("resubmits {id}"))
        }
        DecisionKind::Lifecycle(LifecycleDecision::Amended) => key(metadata_keys::AMENDED),
        DecisionKind::Lifecycle(LifecycleDecision::Superseded) => key(metadata_keys::SUPERSEDED_BY),
        DecisionKind::Lifecycle(LifecycleDecision::Compensated) => key(metadata_keys::COMPENSATED_BY),
        DecisionKind::Lifecycle(LifecycleDecision::Executed) => key(metadata_keys::RESULTING_VERSION),
        DecisionKind::VersionResolution(_) => versions(decision),
        DecisionKind::Discussion(_) => decision.comment().map(str::to_owned),
        _ => None,
    };
    what.into_iter().chain(decision.reason.clone()).collect::<Vec<_>>().join(": ")
}

/// Whose approval it was before, and whose it is now or is too.
fn handed_on(decision: &Decision) -> Option<String> {
    let [approval, from, to] =
        [metadata_keys::APPROVAL, metadata_keys::FROM, metadata_keys::TO].map(|key| metadata(decision, key));
    Some(format!("{}, from {} to {}", approval?, from?, to?))
}

fn versions(decision: &Decision) -> Option<String> {
    let current = metadata(decision, metadata_keys::CURRENT_VERSION)?;
    match metadata(decision, metadata_keys::EXPECTED_VERSION) {
        Some(expected) if expected != current => Some(format!("written for {expected}, now {current}")),
        _ => Some(current),
    }
}

fn metadata(decision: &Decision, key: &str) -> Option<String> {
    match decision.metadata.get(key)? {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::List(values) => {
            let texts =
                values.iter().filter_map(|value| if let Value::Text(text) = value { Some(&**text) } else { None });
            Some(texts.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}
