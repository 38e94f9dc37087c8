//! Requests as a person reads them.

use mutator_governance::workflow::explain;
use mutator_governance::{
    ApprovalDecision, Decision, DecisionKind, Error, LifecycleDecision, MutationRequest, Page, Timestamp, Value,
};

use super::Place;

/// What the example is about, and where it keeps its requests.
pub fn opening(flavour: &str, place: &Place) {
    println!("Role grant under governance ({flavour})");
    match place {
        Place::Embedded => {
            println!("Store: embedded, in this process's memory. Set REDIS_URL=redis://host:port to use Redis.");
        }
        Place::Redis { namespace, .. } => println!("Store: the Redis at REDIS_URL, namespace {namespace}."),
    }
}

/// A step of the story.
pub fn chapter(title: &str) {
    println!("\n{title}");
}

/// A request as it was filed.
pub fn filed(request: &MutationRequest) {
    let approvals = request.approvals.iter().map(|approval| format!("{} (step {})", approval.target, approval.step));
    field("request", request.id.as_str());
    field("change", &change(request));
    field("purpose", request.intent.description.as_deref().unwrap_or("not said"));
    field("filed by", request.requested_by.label());
    field("needs", &approvals.collect::<Vec<_>>().join(", then "));
    println!("  The request {}.", standing(request));
}

/// The requests that wait, and what for.
pub fn queue(page: &Page<MutationRequest>) {
    if page.items.is_empty() {
        println!("  nothing is waiting");
        return;
    }
    let rows = page.items.iter().map(|request| {
        let risk = request.intent.risk.to_string();
        let by = request.requested_by.label().to_owned();
        vec![time_of_day(request.created_at), change(request), risk, by, awaited(request)]
    });
    table(&["FILED (UTC)", "CHANGE", "RISK", "BY", "WAITS FOR"], rows);
}

/// Somebody's attempt to decide, and what came of it.
pub fn attempt(who: &str, outcome: &Result<MutationRequest, Error>) {
    println!("  {who}");
    match outcome {
        Ok(request) => println!("    granted: the request {}", standing(request)),
        Err(error) => println!("    refused: {error}"),
    }
}

/// All that was decided, in order.
pub fn timeline(request: &MutationRequest) {
    let rows = request.decisions.iter().map(|decision| {
        let by = decision.by.label().to_owned();
        vec![time_of_day(decision.at), decision.kind.to_string(), by, about(decision)]
    });
    table(&["TIME (UTC)", "DECISION", "BY", "ABOUT"], rows);
    println!("  The request {}. Its revision is {}.", standing(request), request.revision().number);
}

fn change(request: &MutationRequest) -> String {
    format!("{} on {}", request.intent.operation, request.target.state_id)
}

fn standing(request: &MutationRequest) -> String {
    explain(request, Timestamp::now()).to_string()
}

fn awaited(request: &MutationRequest) -> String {
    let standing = standing(request);
    standing.strip_prefix("waits for ").unwrap_or(&standing).to_owned()
}

fn about(decision: &Decision) -> String {
    let what = match decision.kind {
        DecisionKind::Approval(ApprovalDecision::Requested) => metadata(decision, "missing").map(|n| n + " approvals"),
        DecisionKind::Approval(_) => metadata(decision, "approval"),
        DecisionKind::Lifecycle(LifecycleDecision::Pending) => metadata(decision, "pending_reason"),
        _ => None,
    };
    what.into_iter().chain(decision.reason.clone()).collect::<Vec<_>>().join(": ")
}

fn metadata(decision: &Decision, key: &str) -> Option<String> {
    match decision.metadata.get(key)? {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

fn field(name: &str, value: &str) {
    println!("  {name:<9} {value}");
}

/// Columns as wide as their widest cell.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let head = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    for row in &rows {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column).unwrap_or(0)));
        println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Hours, minutes, seconds and milliseconds, UTC.
fn time_of_day(time: Timestamp) -> String {
    let millis = time.as_micros() / 1_000;
    let (seconds, minutes, hours) = (millis / 1_000, millis / 60_000, millis / 3_600_000);
    format!("{:02}:{:02}:{:02}.{:03}", hours % 24, minutes % 60, seconds % 60, millis % 1_000)
}
