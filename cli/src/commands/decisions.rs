//! `decisions`: who decided what, the latest first.

use clap::Args;
use mutator_governance::{DecisionCategory, DecisionKind, DecisionQuery, DecisionRow, Timestamp};

use super::pages::{Columns, Paging};
use super::timeline::{about, actor};
use crate::failure::Failure;
use crate::filters::Filters;
use crate::session::Session;
use crate::text;
use crate::values::{Range, times};

#[derive(Args)]
pub(crate) struct Decisions {
    #[command(flatten)]
    paging: Paging,

    /// Made by one of these people, or for one
    #[arg(long, value_name = "PERSON", value_delimiter = ',')]
    decided_by: Vec<String>,

    /// Made by somebody with exactly this name; can be repeated
    #[arg(long = "decided-by-name", value_name = "NAME")]
    decided_by_names: Vec<String>,

    /// About one of these: Lifecycle, Approval, VersionResolution, Execution, Discussion
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    about: Vec<DecisionCategory>,

    /// Of one of these kinds, such as Approval/Granted or Execution/Failed
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<DecisionKind>,

    /// Made in this time, such as 1h.. for the last hour
    #[arg(long, value_name = "FROM..TO", value_parser = times)]
    decided: Option<Range<Timestamp>>,

    #[command(flatten)]
    filters: Filters,
}

const DECISIONS: Columns<DecisionRow> =
    Columns { of: "request", head: &["TIME (UTC)", "REQUEST", "DECISION", "BY", "ABOUT"], cells };

impl Decisions {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let mut query = DecisionQuery::new().of_requests(self.filters.query(session)?);
        if !self.decided_by.is_empty() {
            query = query.with_actor_ids(self.decided_by)?;
        }
        if !self.decided_by_names.is_empty() {
            query = query.with_actor_names(self.decided_by_names)?;
        }
        if !self.about.is_empty() {
            query = query.with_categories(self.about)?;
        }
        if !self.kinds.is_empty() {
            query = query.with_kinds(self.kinds)?;
        }
        if let Some(Range { from, to }) = self.decided {
            query = query.decided_between(from, to)?;
        }
        let governance = session.reading()?;
        self.paging.print(session, &DECISIONS, |page| governance.decisions(&query, page))
    }
}

fn cells(row: &DecisionRow) -> Vec<String> {
    let decision = &row.decision;
    vec![
        text::time(decision.at),
        row.request.id.to_string(),
        decision.kind.to_string(),
        actor(&decision.by),
        about(decision),
    ]
}
