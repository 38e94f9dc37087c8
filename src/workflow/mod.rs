//! How a request moves on: pure functions from (request, command, time) to the changed request, or to an error.
//!
//! Nothing here reads a clock, a store or a random number. A function that returns an error has changed nothing.

mod command;
mod deciding;
mod demand;
mod filing;
mod history;
mod lifecycle;

pub use command::{Action, Command};
pub use filing::file;
pub use lifecycle::can_go;

use crate::error::Result;
use crate::request::{MutationRequest, Timestamp};
use history::Occasion;

/// The request as the command leaves it.
///
/// Its revision stays the one that was read: the store raises it when it writes. The decisions of the given request are
/// kept as they are and new ones follow them; the time of the last becomes `updated_at`.
///
/// # Errors
/// The rule that forbids the command: see the constructors of [`Command`] for what each checks.
pub fn apply(mut request: MutationRequest, command: &Command, now: Timestamp) -> Result<MutationRequest> {
    let occasion = Occasion { by: &command.by, now };
    let changing = &mut request;
    match &command.action {
        Action::Approve => lifecycle::approve(changing, occasion),
        Action::Reject => lifecycle::reject(changing, occasion),
        Action::Cancel => lifecycle::cancel(changing, occasion),
        Action::Expire => lifecycle::expire(changing, occasion),
        Action::Supersede { superseding } => lifecycle::supersede(changing, superseding, occasion),
        Action::Hold { pending } => lifecycle::hold(changing, *pending, occasion),
        Action::RequestApprovals { expires_at } => lifecycle::request_approvals(changing, *expires_at, occasion),
        Action::Grant { approval, digest } => deciding::grant(changing, approval, *digest, occasion),
        Action::Refuse { approval, rejection } => deciding::refuse(changing, approval, rejection.as_ref(), occasion),
    }?;
    Ok(request)
}
