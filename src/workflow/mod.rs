//! How a request moves on: pure functions from (request, command, time) to the changed request or an error.
//!
//! Nothing here reads a clock, a store or a random number. A function that returns an error has changed nothing.
//!
//! ```
//! use mutator_governance::workflow::{Command, apply, explain, submit};
//! use mutator_governance::{
//!     ActorContext, ApprovalRule, Intent, RequestDraft, RequestId, Target, Timestamp, WriteId,
//! };
//!
//! # fn main() -> Result<(), mutator_governance::Error> {
//! let now = Timestamp::now();
//! let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("alice")?)
//!     .requires_approval(ApprovalRule::role("manager")?)
//!     .requires_approval(ApprovalRule::actor("bob")?);
//! let request = submit(draft, RequestId::generate(), WriteId::generate(), now)?;
//! assert_eq!(explain(&request, now).to_string(), "waits for anyone with role manager to decide approval-1; step 1 of 2");
//!
//! let carol = ActorContext::user("carol")?.with_role("manager")?.because("part of her new job");
//! let request = apply(request, &Command::approve(carol), now)?;
//! assert_eq!(explain(&request, now).to_string(), "waits for bob to decide approval-2; step 2 of 2");
//! # Ok(())
//! # }
//! ```

mod amending;
mod break_glass;
mod compensation;
mod correcting;
mod decidable;
mod deciding;
mod delegating;
mod demand;
mod discussion;
mod eligibility;
mod escalating;
mod execution;
mod execution_order;
mod expiry;
mod explain;
mod history;
pub(crate) mod lease;
mod lifecycle;
mod matching;
mod moving;
mod open_demand;
mod participants;
#[cfg(test)]
mod participants_tests;
mod phrase;
mod ready;
mod remaining;
mod report_json;
pub(crate) mod reservation;
mod resolution;
pub(crate) mod resubmitting;
mod retrying;
mod revalidating;
mod seats;
mod sentence;
mod shortening;
mod submission;
pub(crate) mod superseding;
mod timing;
mod withdrawing;
mod write_intent;

pub(crate) use compensation::is_executed_or_failed;
pub use compensation::{compensation_draft, link_compensation, owes_link};
pub(crate) use eligibility::DecisionContext;
pub use execution_order::{ExecutionOrder, ExecutionOutcome};
pub(crate) use execution_order::{compensates, to_compensate};
pub use expiry::{due_command, is_due, next_deadline};
pub use explain::{Explanation, decidable_by, explain};
pub use lifecycle::can_transition;
pub use open_demand::{MovableApproval, OpenApproval, OpenDemand};
pub use participants::participants;
pub use ready::ready_at;
pub(crate) use ready::{awaited_lease, failed_attempts, is_ready, is_ready_at};
pub use resolution::{Resolution, resolve};
pub use resubmitting::resubmission_draft;
pub(crate) use seats::making_way;
pub(crate) use shortening::{shortened, without_room_to_claim};
pub use submission::submit;
pub use timing::valid_until;

pub use crate::command::{Action, AfterFailure, Amendment, Command, Completion, Failure, StaleStrategy};
use crate::error::Result;
use crate::request::{MutationRequest, Timestamp};
use history::Occasion;

/// Applies the command and returns the changed request.
///
/// The revision stays the one that was read: the store raises it when it writes. The existing decisions are kept and
/// new ones follow; the time of the last becomes `updated_at`. That time is `now` or, if the clock was set back before
/// the last change, one microsecond after that change.
///
/// # Errors
/// [`Error::DeadlinePassed`](crate::Error::DeadlinePassed) for a command that would move on a pending request from its
/// own deadline on, and [`ExecutionError::NoLongerValid`](crate::ExecutionError::NoLongerValid) likewise for an approved
/// request from the end of its validity on; otherwise the rule that forbids the command: the constructors of [`Command`] say what each checks.
/// For every command, a blank reason of the actor or of a rejection is [`Error::Invalid`](crate::Error::Invalid),
/// and so is an actor who acts for themselves.
pub fn apply(mut request: MutationRequest, command: &Command, now: Timestamp) -> Result<MutationRequest> {
    history::check_acting_for(&command.by, request.id_comparison)?;
    let occasion = match &command.action {
        Action::OverrideApprovals
        | Action::Delegate { .. }
        | Action::Reassign { .. }
        | Action::AddApproval { .. }
        | Action::RemoveApproval { .. } => Occasion::with_any_reason(&request, &command.by, now),
        _ => Occasion::on(&request, &command.by, now)?,
    };
    expiry::check_in_time(&request, &command.action, occasion.now)?;
    let changing = &mut request;
    match &command.action {
        Action::ApproveRequest => lifecycle::approve(changing, occasion),
        Action::RejectRequest => lifecycle::reject(changing, occasion),
        Action::Cancel => lifecycle::cancel(changing, occasion),
        Action::Expire => lifecycle::expire(changing, occasion),
        Action::Supersede { superseding } => lifecycle::supersede(changing, superseding, occasion),
        Action::Hold { pending } => lifecycle::hold(changing, *pending, occasion),
        Action::RequestApprovals { expires_at } => lifecycle::request_approvals(changing, *expires_at, occasion),
        Action::Approve { digest } => deciding::approve(changing, *digest, occasion),
        Action::Reject { rejection } => deciding::reject(changing, rejection.as_ref(), occasion),
        Action::ApproveRequirement { approval, digest } => {
            deciding::approve_requirement(changing, approval, *digest, occasion)
        }
        Action::RejectRequirement { approval, rejection } => {
            deciding::reject_requirement(changing, approval, rejection.as_ref(), occasion)
        }
        Action::Withdraw { approval } => withdrawing::withdraw(changing, approval.as_ref(), occasion),
        Action::Delegate { approval, to } => delegating::delegate(changing, approval, to, occasion),
        Action::Reassign { approval, target } => amending::reassign(changing, approval, target, occasion),
        Action::AddApproval { rule } => amending::add(changing, rule, occasion),
        Action::RemoveApproval { approval } => amending::remove(changing, approval, occasion),
        Action::RequestChanges { reason } => correcting::request_changes(changing, reason, occasion),
        Action::Amend { amendment } => correcting::amend(changing, amendment, occasion),
        Action::ExpireApprovals => expiry::expire_approvals(changing, occasion),
        Action::OverrideApprovals => break_glass::override_approvals(changing, occasion),
        Action::Schedule { not_before } => timing::schedule(changing, *not_before, occasion),
        Action::Revalidate => revalidating::revalidate(changing, occasion),
        Action::Resolve { current, strategy } => resolution::settle(changing, current, *strategy, occasion).map(|_| ()),
        Action::Claim { claim, lease } => {
            let recorded_at_its_end = retrying::is_recorded_at_its_end(changing, AfterFailure::KeepApproved);
            execution::claim(changing, *claim, *lease, recorded_at_its_end, occasion)
        }
        Action::Release { claim } => execution::release(changing, *claim, occasion),
        Action::Complete { claim, completion } => execution::complete(changing, *claim, completion, occasion),
        Action::Fail { claim, failure, then } => execution::fail(changing, *claim, failure, *then, occasion),
        Action::Comment { text } => discussion::comment(changing, text, occasion),
        Action::LinkCompensation { plan, compensating } => compensation::link(changing, plan, compensating, occasion),
    }?;
    Ok(request.meant_to(command.write_intent()))
}

/// Whether a command that was decided on an earlier revision is still allowed on the stored one.
///
/// This decides whether two concurrent changes commute: the second is checked again on the result of the first.
pub fn commutes(stored: &MutationRequest, command: &Command, now: Timestamp) -> bool {
    apply(stored.clone(), command, now).is_ok()
}
