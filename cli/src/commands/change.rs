//! What people do with a request: one command each, which is previewed, confirmed, and applied once.

use clap::Args;
use mutator_governance::blocking::Governance;
use mutator_governance::workflow::{Command, explain};
use mutator_governance::{
    ActorContext, ActorId, ApprovalId, Error, MutationRequest, Outcome, Rejection, RequestId, WriteId,
};

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

#[derive(Args)]
pub(crate) struct Approve {
    /// The requests
    #[arg(required = true)]
    ids: Vec<RequestId>,

    /// Only this approval
    #[arg(long, value_name = "APPROVAL")]
    approval: Option<ApprovalId>,

    /// Why; the history keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    manner: Manner,
}

#[derive(Args)]
pub(crate) struct Reject {
    /// The requests
    #[arg(required = true)]
    ids: Vec<RequestId>,

    /// Only this approval
    #[arg(long, value_name = "APPROVAL")]
    approval: Option<ApprovalId>,

    /// Why; the history keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// A code for programs, such as too-risky; takes --reason
    #[arg(long, value_name = "CODE", requires = "reason")]
    code: Option<String>,

    /// The category of the code
    #[arg(long, value_name = "CATEGORY", requires = "code")]
    code_category: Option<String>,

    #[command(flatten)]
    manner: Manner,
}

#[derive(Args)]
pub(crate) struct Comment {
    /// The request
    id: RequestId,

    /// What the comment says
    text: String,

    #[command(flatten)]
    manner: Manner,
}

#[derive(Args)]
pub(crate) struct Delegate {
    /// The request
    id: RequestId,

    /// The approval, which is addressed to whoever acts
    approval: ApprovalId,

    /// The person who decides instead
    #[arg(long, value_name = "PERSON")]
    to: ActorId,

    /// Why; the history keeps it
    #[arg(long, value_name = "TEXT")]
    reason: String,

    #[command(flatten)]
    manner: Manner,
}

#[derive(Args)]
pub(crate) struct RequestChanges {
    /// The request
    id: RequestId,

    /// What is to be changed
    #[arg(long, value_name = "TEXT")]
    reason: String,

    #[command(flatten)]
    manner: Manner,
}

#[derive(Args)]
pub(crate) struct Withdraw {
    /// The request
    id: RequestId,

    /// Only the vote on this approval
    #[arg(long, value_name = "APPROVAL")]
    approval: Option<ApprovalId>,

    /// Why; the history keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    manner: Manner,
}

#[derive(Args)]
pub(crate) struct Cancel {
    /// The requests
    #[arg(required = true)]
    ids: Vec<RequestId>,

    /// Why; the history keeps it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    manner: Manner,
}

impl Approve {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let by = acting(session, self.reason)?;
        let command = match self.approval {
            Some(approval) => Command::approve_requirement(by, approval),
            None => Command::approve(by),
        };
        self.manner.change(session, "approve", &self.ids, &command)
    }
}

impl Reject {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let rejection = self.code.zip(self.reason.clone()).map(|(code, message)| {
            let rejection = Rejection::new(code, message);
            match self.code_category {
                Some(category) => rejection.in_category(category),
                None => rejection,
            }
        });
        let by = acting(session, self.reason)?;
        let command = match self.approval {
            Some(approval) => Command::reject_requirement(by, approval, rejection),
            None => Command::reject(by, rejection),
        };
        self.manner.change(session, "reject", &self.ids, &command)
    }
}

impl Comment {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let command = Command::comment(acting(session, None)?, self.text);
        self.manner.change(session, "comment on", &[self.id], &command)
    }
}

impl Delegate {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let by = acting(session, Some(self.reason))?;
        let what = format!("hand {} on to {} of", self.approval, self.to);
        self.manner.change(session, &what, &[self.id], &Command::delegate(by, self.approval, self.to))
    }
}

impl RequestChanges {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let command = Command::request_changes(acting(session, None)?, self.reason);
        self.manner.change(session, "send back", &[self.id], &command)
    }
}

impl Withdraw {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let by = acting(session, self.reason)?;
        let command = match self.approval {
            Some(approval) => Command::withdraw_requirement(by, approval),
            None => Command::withdraw(by),
        };
        self.manner.change(session, "withdraw the votes on", &[self.id], &command)
    }
}

impl Cancel {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let command = Command::cancel(acting(session, self.reason)?);
        self.manner.change(session, "cancel", &self.ids, &command)
    }
}

fn acting(session: &Session, reason: Option<String>) -> Result<ActorContext, Failure> {
    let actor = session.actor()?;
    Ok(match reason {
        Some(reason) => actor.because(reason),
        None => actor,
    })
}

impl Manner {
    /// Shows what the command makes of each request, asks, and applies it. Of several requests, one that fails keeps no
    /// other from being done.
    fn change(self, session: &mut Session, what: &str, ids: &[RequestId], command: &Command) -> Result<(), Failure> {
        if self.write_id.is_some() && ids.len() > 1 {
            return Err(Failure::usage("--write-id repeats the call for one request: give one id"));
        }
        let governance = session.writing()?;
        let asks = self.dry_run || !self.confirmation.yes;
        // A call that is repeated may have been applied, and then cannot be applied to what is there.
        let failed = if asks && self.write_id.is_none() { preview(&governance, what, ids, command)? } else { 0 };
        if self.dry_run {
            return all_done(failed, ids.len());
        }
        self.confirmation.ask(&format!("{what} {}?", named(ids)))?;
        let mut failed = 0;
        for id in ids {
            let write_id = self.write_id.unwrap_or_else(WriteId::generate);
            match governance.apply_as(id, command, write_id) {
                Ok(request) => print(session, &governance, &request)?,
                Err(error) => {
                    hint(&error, id, write_id);
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
fn preview(governance: &Governance, what: &str, ids: &[RequestId], command: &Command) -> Result<usize, Failure> {
    let mut failed = 0;
    for id in ids {
        match governance.preview(id, command) {
            Ok(request) => {
                let then = explain(&request, governance.clock().now());
                let (change, by) = (change(&request), actor(&request.requested_by));
                note(format_args!("{what} {id} as {}: {change}, submitted by {by}", actor(&command.by)));
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
pub(super) fn hint(error: &Error, id: &RequestId, write_id: WriteId) {
    if error.outcome() == Outcome::Unknown {
        note(format_args!("{id}: repeat the same call with --write-id {write_id} to do it once"));
    }
}
