//! `list`: requests, filtered.

use clap::Args;
use mutator_governance::MutationRequest;

use super::pages::{Columns, Paging};
use super::timeline::who;
use crate::failure::Failure;
use crate::filters::{Filters, in_order};
use crate::session::Session;
use crate::text;

/// The first page of all requests, the oldest first, unless options say otherwise.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    paging: Paging,

    /// The newest first
    #[arg(long)]
    newest: bool,

    /// Prints only how many there are
    #[arg(long, conflicts_with_all = ["after", "all", "newest"])]
    count: bool,

    #[command(flatten)]
    filters: Filters,
}

pub(super) const REQUESTS: Columns<MutationRequest> =
    Columns { of: "request", head: &["ID", "CREATED (UTC)", "STATUS", "RISK", "BY", "CHANGE"], cells };

impl List {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let query = in_order(self.filters.query(session)?, self.newest);
        let governance = session.reading()?;
        if self.count {
            let count = governance.count(&query)?;
            return if session.is_json() { session.json(&count) } else { session.line(count) };
        }
        self.paging.print(session, &REQUESTS, |page| governance.requests(&query, page))
    }
}

fn cells(request: &MutationRequest) -> Vec<String> {
    vec![
        request.id.to_string(),
        text::minute(request.created_at),
        status(request),
        request.intent.risk.to_string(),
        who(request.requested_by.id.as_ref(), request.requested_by.label()),
        change(request),
    ]
}

/// The status; of a pending request what it waits for.
pub(super) fn status(request: &MutationRequest) -> String {
    match request.state.pending() {
        Some(pending) => format!("Pending: {}", pending.reason),
        None => request.state.status().to_string(),
    }
}

pub(super) fn change(request: &MutationRequest) -> String {
    format!("{} on {}", request.intent.operation, request.target.state_id)
}
