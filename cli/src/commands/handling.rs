//! `comment`, `delegate`, `request-changes`, `cancel`: what people do with a request beside voting.

use clap::Args;
use mutator_governance::workflow::Command;
use mutator_governance::{ActorId, ApprovalId, RequestId};

use super::change::{Manner, acting};
use crate::failure::Failure;
use crate::session::Session;

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

impl Comment {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let command = Command::comment(acting(session, None)?, self.text);
        self.manner.change(session, |id| format!("comment on {id}"), &[self.id], &command)
    }
}

impl Delegate {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let by = acting(session, Some(self.reason))?;
        let command = Command::delegate(by, self.approval.clone(), self.to.clone());
        let what = |id: &str| format!("hand {} of {id} on to {}", self.approval, self.to);
        self.manner.change(session, what, &[self.id], &command)
    }
}

impl RequestChanges {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let command = Command::request_changes(acting(session, None)?, self.reason);
        self.manner.change(session, |id| format!("send {id} back"), &[self.id], &command)
    }
}

impl Cancel {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let command = Command::cancel(acting(session, self.reason)?);
        self.manner.change(session, |id| format!("cancel {id}"), &self.ids, &command)
    }
}
