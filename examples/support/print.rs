//! Prints requests for people.

use mutator_governance::workflow::{ExecutionOutcome, explain};
use mutator_governance::{
    ActorContext, ApprovalDecision, ApprovalState, Decision, DecisionKind, Error, LifecycleDecision, MutationRequest,
    Page, Timestamp, Value,
};

use super::{Place, say};

/// The subject of the example, and where it keeps its requests.
pub fn title(about: &str, flavour: &str, place: &Place) {
    say!("{about} ({flavour})");
    match place {
        Place::Embedded => {
            say!("Store: embedded, in this process's memory. Set REDIS_URL=redis://host:port to use Redis.");
        }
        Place::Redis { namespace, .. } => say!("Store: the Redis at REDIS_URL, namespace {namespace}."),
    }
}

/// A step of the story.
pub fn chapter(title: &str) {
    say!("\n{title}");
}

/// A submitted request.
pub fn submitted(request: &MutationRequest) {
    field("request", request.id.as_str());
    field("change", &change(request));
    field("purpose", request.intent.description.as_deref().unwrap_or("not given"));
    field("submitted by", request.requested_by.label());
    field("needs", &needs(request));
    say!("  The request {}.", standing(request));
}

/// The approvals that a request needs, with a quorum group as one.
fn needs(request: &MutationRequest) -> String {
    let mut needs: Vec<String> = Vec::new();
    for approval in &request.approvals {
        let need = match &approval.quorum {
            Some(quorum) => format!("{} of {} (step {})", quorum.required, quorum.group, approval.step),
            None => format!("{} (step {})", approval.target, approval.step),
        };
        if needs.last() != Some(&need) {
            needs.push(need);
        }
    }
    needs.join(", then ")
}

/// The waiting requests, and what each waits for.
pub fn queue(page: &Page<MutationRequest>) {
    let rows = page.items.iter().map(|request| {
        let risk = request.intent.risk.to_string();
        let by = request.requested_by.label().to_owned();
        vec![time_of_day(request.created_at), change(request), risk, by, awaited(request)]
    });
    table(&["FILED (UTC)", "CHANGE", "RISK", "BY", "WAITS FOR"], rows);
}

/// An attempt to decide, and its result.
pub fn attempt(who: &str, outcome: &Result<MutationRequest, Error>) {
    say!("  {who}");
    match outcome {
        Ok(request) => say!("    approved: the request {}", standing(request)),
        Err(error) => say!("    error: {error}"),
    }
}

/// A command on a request, and the state of the request after it at this time.
pub fn step(who: &str, outcome: &Result<MutationRequest, Error>, now: Timestamp) {
    say!("  {who}");
    match outcome {
        Ok(request) => stands(request, now),
        Err(error) => say!("    error: {error}"),
    }
}

/// The state of a request at this time.
pub fn stands(request: &MutationRequest, now: Timestamp) {
    say!("    {} {}", request.id, explain(request, now));
}

/// The id of a request, and the change.
pub fn subject(request: &MutationRequest) {
    say!("  {}: {}", request.id, change(request));
}

/// The beginning of an attempt, which may print more itself.
pub fn begins(attempt: &str) {
    say!("  {attempt}");
}

/// The result of an attempt to execute a request.
pub fn execution(outcome: &Result<ExecutionOutcome, Error>) {
    execution_at(outcome, Timestamp::now());
}

/// The same, where the time is not that of the host.
pub fn execution_at(outcome: &Result<ExecutionOutcome, Error>, now: Timestamp) {
    let standing = |request| explain(request, now).to_string();
    match outcome {
        Ok(ExecutionOutcome::Executed { request, .. }) => {
            say!("    executed: {} {}", request.id, standing(request));
        }
        Ok(ExecutionOutcome::Failed { request, failure }) => {
            say!("    failed: {}; {} {}", failure.message, request.id, standing(request));
        }
        Ok(stopped) => say!("    not executed: {} {}", stopped.request().id, standing(stopped.request())),
        Err(error) => say!("    error: {error}"),
    }
}

/// An action of the program that no request records.
pub fn note(text: &str) {
    say!("    {text}");
}

/// Why an approval was rejected, in the form for programs.
pub fn rejections(request: &MutationRequest) {
    for approval in &request.approvals {
        if let ApprovalState::Rejected { rejection: Some(rejection), .. } = &approval.state {
            field("approval", approval.id.as_str());
            field("code", &rejection.code);
            field("category", rejection.category.as_deref().unwrap_or("none"));
            field("message", &rejection.message);
        }
    }
}

/// Which approvals each person can decide now.
pub fn decidable<'a>(rows: impl IntoIterator<Item = (&'a str, Vec<String>)>) {
    let rows = rows.into_iter().map(|(who, approvals)| {
        let can = if approvals.is_empty() { "nothing now".to_owned() } else { approvals.join(", ") };
        vec![who.to_owned(), can]
    });
    table(&["PERSON", "CAN DECIDE"], rows);
}

/// All decisions, in order.
pub fn timeline(request: &MutationRequest) {
    let rows = request.decisions.iter().map(|decision| {
        vec![time_of_day(decision.at), decision.kind.to_string(), actor(&decision.by), about(decision)]
    });
    table(&["TIME (UTC)", "DECISION", "BY", "ABOUT"], rows);
    say!("  The request {}. Its revision is {}.", standing(request), request.revision().number);
}

/// Who acted, and for whom on which grounds.
fn actor(by: &ActorContext) -> String {
    match &by.acting_for {
        Some(acting) => format!("{} for {} ({})", by.label(), acting.id, acting.grounds),
        None => by.label().to_owned(),
    }
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

/// What a decision was about, and why it was made.
pub fn about(decision: &Decision) -> String {
    let what = match decision.kind {
        DecisionKind::Approval(ApprovalDecision::Requested) => {
            metadata(decision, "missing").map(|n| if n == "1" { n + " approval" } else { n + " approvals" })
        }
        DecisionKind::Approval(
            ApprovalDecision::Delegated | ApprovalDecision::Reassigned | ApprovalDecision::Escalated,
        ) => handed_on(decision),
        // The reason names the group.
        DecisionKind::Approval(ApprovalDecision::QuorumSatisfied) => None,
        DecisionKind::Approval(ApprovalDecision::Overridden) => metadata(decision, "overridden"),
        DecisionKind::Approval(ApprovalDecision::Renewed) => metadata(decision, "round").map(|n| format!("round {n}")),
        DecisionKind::Approval(_) => metadata(decision, "approval"),
        DecisionKind::Lifecycle(LifecycleDecision::Pending) => metadata(decision, "pending_reason"),
        DecisionKind::Lifecycle(LifecycleDecision::Submitted) => {
            metadata(decision, "resubmits").map(|id| format!("resubmits {id}"))
        }
        DecisionKind::Lifecycle(LifecycleDecision::Amended) => metadata(decision, "amended"),
        DecisionKind::Lifecycle(LifecycleDecision::Superseded) => metadata(decision, "superseded_by"),
        DecisionKind::Lifecycle(LifecycleDecision::Compensated) => metadata(decision, "compensated_by"),
        DecisionKind::Lifecycle(LifecycleDecision::Executed) => metadata(decision, "resulting_version"),
        DecisionKind::VersionResolution(_) => versions(decision),
        DecisionKind::Discussion(_) => decision.comment().map(str::to_owned),
        _ => None,
    };
    what.into_iter().chain(decision.reason.clone()).collect::<Vec<_>>().join(": ")
}

/// Whose approval it was before, and whose it is now or is too.
fn handed_on(decision: &Decision) -> Option<String> {
    let [approval, from, to] = ["approval", "from", "to"].map(|key| metadata(decision, key));
    Some(format!("{}, from {} to {}", approval?, from?, to?))
}

fn versions(decision: &Decision) -> Option<String> {
    let current = metadata(decision, "current_version")?;
    match metadata(decision, "expected_version") {
        Some(expected) if expected != current => Some(format!("written for {expected}, now {current}")),
        _ => Some(current),
    }
}

fn metadata(decision: &Decision, key: &str) -> Option<String> {
    match decision.metadata.get(key)? {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::List(values) => {
            let texts =
                values.iter().filter_map(|value| if let Value::Text(text) = value { Some(&**text) } else { None });
            Some(texts.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

fn field(name: &str, value: &str) {
    say!("  {name:<9} {value}");
}

/// Columns as wide as their widest cell.
pub fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let head = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    if rows.len() == 1 {
        say!("  nothing");
        return;
    }
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    for row in &rows {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column).unwrap_or(0)));
        say!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Hours, minutes, seconds and milliseconds, UTC.
fn time_of_day(time: Timestamp) -> String {
    let millis = time.as_micros() / 1_000;
    let (seconds, minutes, hours) = (millis / 1_000, millis / 60_000, millis / 3_600_000);
    format!("{:02}:{:02}:{:02}.{:03}", hours % 24, minutes % 60, seconds % 60, millis % 1_000)
}
