//! `approve`, `reject`, `withdraw`: votes.

use clap::Args;
use mutator_governance::workflow::Command;
use mutator_governance::{ApprovalId, Rejection, RequestId};

use super::change::{Manner, acting};
use crate::failure::Failure;
use crate::session::Session;

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

impl Approve {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let by = acting(session, self.reason)?;
        let command = match self.approval {
            Some(approval) => Command::approve_requirement(by, approval),
            None => Command::approve(by),
        };
        self.manner.change(session, |id| format!("approve {id}"), &self.ids, &command)
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
        self.manner.change(session, |id| format!("reject {id}"), &self.ids, &command)
    }
}

impl Withdraw {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let by = acting(session, self.reason)?;
        let command = match self.approval {
            Some(approval) => Command::withdraw_requirement(by, approval),
            None => Command::withdraw(by),
        };
        self.manner.change(session, |id| format!("withdraw the votes on {id}"), &[self.id], &command)
    }
}
