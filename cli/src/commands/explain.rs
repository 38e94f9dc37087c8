//! `explain`: why a request stands as it does, and who can move it on.

use clap::Args;
use mutator_governance::RequestId;
use mutator_governance::workflow::OpenDemand;

use crate::failure::Failure;
use crate::session::Session;
use crate::text;

/// With --as also what that person can decide now.
#[derive(Args)]
pub(crate) struct Explain {
    /// The request
    id: RequestId,
}

impl Explain {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let actor = session.acting_id().is_some().then(|| session.actor()).transpose()?;
        let explanation = session.reading()?.explain(&self.id)?;
        if session.is_json() {
            return session.json(&explanation);
        }
        session.print(text::fields(vec![(self.id.as_str(), explanation.to_string())]))?;
        if !explanation.demands.is_empty() {
            let demands = explanation.demands.iter();
            let is_active = |demand: &OpenDemand| Some(demand.step) == explanation.active_step;
            let rows = demands.map(|demand| cells(demand, is_active(demand))).collect();
            session.print("\n")?;
            session.print(text::table(&["STEP", "MISSING", "APPROVALS", "WHO", "NOW"], rows))?;
        }
        if let Some(actor) = actor {
            let open: Vec<String> = explanation.decidable_by(&actor).into_iter().map(ToString::to_string).collect();
            let can = if open.is_empty() { "nothing".to_owned() } else { open.join(", ") };
            session.print("\n")?;
            session.line(format_args!("{} can decide now: {can}", actor.label()))?;
        }
        Ok(())
    }
}

fn cells(demand: &OpenDemand, is_active: bool) -> Vec<String> {
    let listed = |texts: Vec<String>| texts.join(", ");
    let ids = demand.open.iter().map(|open| open.id.to_string()).collect();
    let who = demand.open.iter().map(|open| open.target.to_string()).collect();
    let approvals = match &demand.group {
        Some(group) => format!("{} of {group}", listed(ids)),
        None => listed(ids),
    };
    let now = match (demand.is_impossible(), is_active) {
        (true, _) => "impossible",
        (false, true) => "open",
        (false, false) => "later",
    };
    vec![demand.step.to_string(), demand.missing.to_string(), approvals, listed(who), now.to_owned()]
}
