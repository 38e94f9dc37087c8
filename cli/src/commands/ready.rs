//! `ready`: what executors can take now.

use clap::Args;
use mutator_governance::workflow::ready_at;
use mutator_governance::{MutationRequest, ReadyQuery};

use super::list::change;
use super::pages::{Columns, Paging};
use super::timeline::who;
use crate::failure::Failure;
use crate::filters::Filters;
use crate::session::Session;
use crate::text;

#[derive(Args)]
pub(crate) struct Ready {
    #[command(flatten)]
    paging: Paging,

    /// Prints only how many there are
    #[arg(long, conflicts_with_all = ["after", "all"])]
    count: bool,

    #[command(flatten)]
    filters: Filters,
}

const READY: Columns<MutationRequest> =
    Columns { of: "request", head: &["ID", "READY SINCE (UTC)", "MUTATION TYPE", "RISK", "BY", "CHANGE"], cells };

impl Ready {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let query = ReadyQuery::of_requests(self.filters.query(session)?);
        let governance = session.reading()?;
        if self.count {
            let count = governance.count_ready(&query)?;
            return if session.is_json() { session.json(&count) } else { session.line(count) };
        }
        self.paging.print(session, &READY, |page| governance.ready(&query, page))
    }
}

fn cells(request: &MutationRequest) -> Vec<String> {
    vec![
        request.id.to_string(),
        ready_at(request).map(text::minute).unwrap_or_default(),
        request.target.mutation_type.to_string(),
        request.intent.risk.to_string(),
        who(request.requested_by.id.as_ref(), request.requested_by.label()),
        change(request),
    ]
}
