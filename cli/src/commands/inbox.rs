//! `inbox`: what a person can decide now.

use clap::Args;
use mutator_governance::PendingApprovalRow;

use super::pages::{Columns, Paging};
use super::timeline::who;
use crate::failure::Failure;
use crate::session::Session;
use crate::text;

/// Of whoever acts: see --as. Their roles and groups count.
#[derive(Args)]
pub(crate) struct Inbox {
    #[command(flatten)]
    paging: Paging,
}

const APPROVALS: Columns<PendingApprovalRow> =
    Columns { of: "request", head: &["REQUEST", "APPROVAL", "SUBMITTED (UTC)", "BY", "RISK", "CHANGE"], cells };

impl Inbox {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let actor = session.actor()?;
        let governance = session.reading()?;
        self.paging.print(session, &APPROVALS, |page| governance.inbox(&actor, page))
    }
}

fn cells(row: &PendingApprovalRow) -> Vec<String> {
    let request = &row.request;
    vec![
        request.id.to_string(),
        row.approval.id.to_string(),
        text::minute(request.created_at),
        who(request.requested_by.id.as_ref(), request.requested_by.label()),
        request.intent.risk.to_string(),
        format!("{} on {}", request.intent.operation, request.target.state_id),
    ]
}
