//! Delegating: somebody who may decide an approval hands it on to one named person.

use super::amending::{check_amending, not_allowed, open_approval, replace};
use super::eligibility::DecisionContext;
use super::history::Occasion;
use super::phrase::{list, submitter};
use crate::error::{AmendmentError, ApprovalError, Error, Result};
use crate::request::{
    ActorContext, ActorId, ActorKind, Approval, ApprovalDecision, ApprovalId, ApprovalSummary, ApprovalTarget,
    DeciderRule, Delegation, Metadata, MutationRequest, RequestDocument, metadata_keys,
};

/// Names one person instead of those through whom the actor may decide the approval: its target, its escalation, or both
/// if both address the actor.
pub(super) fn delegate(
    request: &mut MutationRequest,
    id: &ApprovalId,
    to: &ActorId,
    occasion: Occasion<'_>,
) -> Result<()> {
    let by = check_amending(request, occasion)?;
    let approval = open_approval(request, id, occasion.now)?;
    let (delegated, from) = delegated(request, approval, to, by, occasion).map_err(|error| error.about(request))?;
    let about = Metadata::new().with(metadata_keys::FROM, from.to_string())?;
    let about = about.with(metadata_keys::TO, to.as_str())?;
    replace(request, id, delegated, ApprovalDecision::Delegated, about, occasion)
}

/// Why an approval cannot be delegated: its own rules do not let one of the two decide it, or those of delegations do
/// not allow it.
enum NotDelegated {
    Deciding(ApprovalError),
    Amending(AmendmentError),
}

impl NotDelegated {
    fn about(self, document: &RequestDocument) -> Error {
        match self {
            Self::Deciding(error) => Error::Approval { id: document.id.clone(), error },
            Self::Amending(error) => not_allowed(document, error),
        }
    }
}

/// The approval after `by` has handed it on, and whom it was addressed to where it was handed on.
fn delegated(
    document: &RequestDocument,
    approval: &Approval,
    to: &ActorId,
    by: &ActorId,
    occasion: Occasion<'_>,
) -> Result<(Approval, ApprovalTarget), NotDelegated> {
    let (ids, id) = (document.id_comparison, || approval.id.clone());
    let summaries = ApprovalSummary::of_all(&document.approvals, &document.approver_limits);
    let context = DecisionContext::about(document, &summaries);
    context.check_actor(approval, occasion.by, occasion.now).map_err(NotDelegated::Deciding)?;
    let by = occasion.by.rights_of().unwrap_or(by);
    // Whom it does not address itself may decide it by moving another's vote, and has nothing to hand on.
    let Some((delegated, from)) = handed_on(approval, to, by, document, occasion) else {
        let (target, actor) = (Box::new(approval.target_at(occasion.now).into_owned()), by.to_string());
        return Err(NotDelegated::Deciding(ApprovalError::NotAddressed { approval: id(), target, actor }));
    };
    if occasion.by.people().any(|person| ids.is_same(to, person)) {
        return Err(NotDelegated::Amending(AmendmentError::ToOneself { approval: id(), actor: by.to_string() }));
    }
    let had_it = |delegation: &&Delegation| delegation.by.iter().any(|earlier| ids.is_same(earlier, to));
    if let Some(circle) = approval.delegations().find(had_it) {
        let (to, chain) = (to.to_string(), in_words(&circle.by));
        return Err(NotDelegated::Amending(AmendmentError::Circle { approval: id(), to, chain }));
    }
    if let Some(long) = delegated.delegations().find(|delegation| delegation.by.len() > Delegation::MAX_CHAIN) {
        let chain = in_words(long.by.split_last().map_or(&[], |(_, earlier)| earlier));
        return Err(NotDelegated::Amending(AmendmentError::ChainTooLong { approval: id(), chain }));
    }
    if context.is_requester_id(to) && approval.decider == DeciderRule::NotTheRequester {
        let (to, requester) = (to.to_string(), submitter(context.requester));
        return Err(NotDelegated::Amending(AmendmentError::ToRequester { approval: id(), to, requester }));
    }
    if context.is_excluded(to) {
        return Err(NotDelegated::Amending(AmendmentError::ToExcluded { approval: id(), to: to.to_string() }));
    }
    let mut delegate = ActorContext::new(ActorKind::Unknown);
    delegate.id = Some(to.clone());
    let may_decide = context.check_actor(&delegated, &delegate, occasion.now);
    may_decide.map_err(|error| match error {
        ApprovalError::AlreadyVoted { approval, group, actor: to } => {
            NotDelegated::Amending(AmendmentError::ToVoter { approval, group, to })
        }
        error => NotDelegated::Deciding(error),
    })?;
    Ok((delegated, from))
}

/// The approval with `to` in each address that names the actor, and whom those addresses named; `None` if there is none.
fn handed_on(
    approval: &Approval,
    to: &ActorId,
    by: &ActorId,
    document: &RequestDocument,
    occasion: Occasion<'_>,
) -> Option<(Approval, ApprovalTarget)> {
    let ids = document.id_comparison;
    let mut delegated = approval.clone();
    let of_target = approval
        .target
        .matches(occasion.by, ids)
        .then(|| Delegation::hand_on(&mut delegated.target, &mut delegated.delegation, by, to));
    let escalation = delegated.escalation.as_mut().filter(|_| approval.escalates_to(occasion.by, ids, occasion.now));
    let of_escalation = escalation.map(|it| Delegation::hand_on(&mut it.to, &mut it.delegation, by, to));
    let from = match (of_target, of_escalation) {
        (Some(one), Some(other)) => one.or(other),
        (one, other) => one.or(other)?,
    };
    Some((delegated, from))
}

fn in_words(chain: &[ActorId]) -> String {
    list(chain, ", ", " and ")
}
