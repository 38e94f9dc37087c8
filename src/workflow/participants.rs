//! Whom a request concerns, and who therefore may read it.

use crate::request::{
    ActorId, ApprovalDecision, Decision, DecisionCategory, Participants, RequestDocument, Value, metadata_keys,
};

/// Everybody who may read the request, if the application narrows its reads to a [`Viewer`](crate::Viewer):
///
/// - who submitted it, and the person they acted for;
/// - whom an approval is addressed to, decided or not, delegated or reassigned, and whom it will be addressed to by its
///   escalation: nothing is written when that time comes;
/// - who decided about it in any way that its history records, and the persons they acted for. A comment decides
///   nothing: otherwise whoever an application lets comment could read a request by commenting on it;
/// - who an approval was ever delegated to;
/// - whom its draft [names](crate::RequestDraft::with_participants).
///
/// Whoever an approval was taken from by reassigning or removing it is no participant for that. Whoever is excluded
/// from deciding may still read.
///
/// Depends on the document alone, so an index of participants and a check of the document never differ.
///
/// ```
/// use mutator_governance::workflow::{participants, submit};
/// use mutator_governance::{
///     ActorContext, ApprovalRule, Intent, Participants, RequestDraft, RequestId, Target, Timestamp, WriteId,
/// };
///
/// let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
/// let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("rita")?)
///     .requires_approval(ApprovalRule::role("manager")?)
///     .with_participants(Participants::new().with_groups(["audit"])?);
/// let request = submit(draft, RequestId::generate(), WriteId::generate(), Timestamp::now())?;
/// assert_eq!(participants(&request).to_string(), "rita or role manager or group audit");
/// # Ok::<(), mutator_governance::Error>(())
/// ```
pub fn participants(request: &RequestDocument) -> Participants {
    let mut all = request.participants.clone();
    all.actor_ids.extend(request.requested_by.people().cloned());
    for approval in &request.approvals {
        all.add(&approval.target_in_the_end());
    }
    for decision in request.decisions.iter().filter(|decision| decides(decision)) {
        all.actor_ids.extend(decision.by.people().cloned());
        all.actor_ids.extend(delegated_to(decision));
    }
    all
}

fn decides(decision: &Decision) -> bool {
    decision.kind.category() != DecisionCategory::Discussion
}

fn delegated_to(decision: &Decision) -> Option<ActorId> {
    match decision.metadata.get(metadata_keys::TO) {
        Some(Value::Text(to)) if decision.kind == ApprovalDecision::Delegated.into() => ActorId::new(to.as_str()).ok(),
        _ => None,
    }
}
