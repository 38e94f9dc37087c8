//! How a command on requests is made: previewed, confirmed, and applied once.

use clap::Args;
use mutator_governance::blocking::Governance;
use mutator_governance::workflow::{Command, explain};
use mutator_governance::{ActorContext, Error, MutationRequest, Outcome, RequestId, WriteId};

use super::list::change;
use super::timeline::actor;
use crate::confirm::Confirmation;
use crate::failure::Failure;
use crate::session::{Session, note};

/// How a change is made.
#[derive(Args)]
pub(super) struct Manner {
    /// Shows what would become of it, and changes nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    #[command(flatten)]
    confirmation: Confirmation,

    /// Repeats a call whose outcome is unknown: it is done once, however often it is repeated. The error names the id
    #[arg(long, value_name = "ID")]
    write_id: Option<WriteId>,
}

/// Whoever acts, for this reason.
pub(super) fn acting(session: &Session, reason: Option<String>) -> Result<ActorContext, Failure> {
    let actor = session.actor()?;
    Ok(match reason {
        Some(reason) => actor.because(reason),
        None => actor,
    })
}

impl Manner {
    /// Shows what the command makes of each request, asks, and applies it. Of several requests, one that fails keeps no
    /// other from being done.
    pub(super) fn change(
        self,
        session: &mut Session,
        what: impl Fn(&str) -> String,
        ids: &[RequestId],
        command: &Command,
    ) -> Result<(), Failure> {
        if self.write_id.is_some() && ids.len() > 1 {
            return Err(Failure::usage("--write-id repeats the call for one request: give one id"));
        }
        let governance = session.writing()?;
        let asks = self.dry_run || !self.confirmation.yes;
        // A call that is repeated may have been applied, and then cannot be applied to what is there.
        let failed = if asks && self.write_id.is_none() { preview(&governance, &what, ids, command)? } else { 0 };
        if self.dry_run {
            return all_done(failed, ids.len());
        }
        self.confirmation.ask(&format!("{}?", what(&named(ids))))?;
        let mut failed = 0;
        for id in ids {
            let write_id = self.write_id.unwrap_or_else(WriteId::generate);
            match governance.apply_as(id, command, write_id) {
                Ok(request) => print(session, &governance, &request)?,
                Err(error) => {
                    hint(&error, &format!("--write-id {write_id}"));
                    if ids.len() == 1 {
                        return Err(error.into());
                    }
                    note(format_args!("{id}: {error} [{}]", error.code()));
                    failed += 1;
                }
            }
        }
        all_done(failed, ids.len())
    }
}

/// Shows what would become of each; how many would fail. The error of a single one is the call's.
fn preview(
    governance: &Governance,
    what: &impl Fn(&str) -> String,
    ids: &[RequestId],
    command: &Command,
) -> Result<usize, Failure> {
    let mut failed = 0;
    for id in ids {
        match governance.preview(id, command) {
            Ok(request) => {
                let then = explain(&request, governance.clock().now());
                let (change, by) = (change(&request), actor(&request.requested_by));
                let what = what(id.as_str());
                note(format_args!("{what} as {}: {change}, submitted by {by}", actor(&command.by)));
                note(format_args!("  then it {then}"));
            }
            Err(error) if ids.len() == 1 => return Err(error.into()),
            Err(error) => {
                note(format_args!("{id}: {error} [{}]", error.code()));
                failed += 1;
            }
        }
    }
    Ok(failed)
}

fn all_done(failed: usize, of: usize) -> Result<(), Failure> {
    if failed == 0 { Ok(()) } else { Err(Failure::Incomplete(format!("{failed} of {of} failed"))) }
}

fn named(ids: &[RequestId]) -> String {
    match ids {
        [one] => one.to_string(),
        many => format!("{} requests", many.len()),
    }
}

/// The request after the change, for people or as JSON.
pub(super) fn print(session: &mut Session, governance: &Governance, request: &MutationRequest) -> Result<(), Failure> {
    if session.is_json() {
        return session.json_line(request);
    }
    session.line(format_args!("{} {}", request.id, explain(request, governance.clock().now())))
}

/// How to go on when nobody knows whether it took effect.
pub(super) fn hint(error: &Error, with: &str) {
    if error.outcome() == Outcome::Unknown {
        note(format_args!("repeat the same call with {with}: it is then done once"));
    }
}
