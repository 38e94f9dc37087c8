//! What was found, as a person reads it.

use mutator_governance::{
    Count, DecisionRow, MutationRequest, Page, PendingApprovalRow, RecentApprovalRow, RequestSummary, Statistics,
    Timestamp,
};

/// What the example is about, and what time it is in it.
pub fn opening(now: Timestamp) {
    println!("A week's requests of a small company. It is 2026-{}; all times are UTC.", moment(now));
}

/// A question, before its answer.
pub fn question(text: &str) {
    println!("\n{text}");
}

/// Approvals that wait to be decided.
pub fn approvals(page: &Page<PendingApprovalRow>) {
    let rows = page.items.iter().map(|row| {
        let approval = &row.approval;
        let due = approval.expires_at.map_or_else(|| "-".to_owned(), moment);
        let mut cells = about(&row.request);
        cells.extend([approval.id.to_string(), approval.target.to_string(), due]);
        cells
    });
    table(&["FILED", "REQUEST", "CHANGE", "RISK", "BY", "APPROVAL", "WHO DECIDES", "UNTIL"], rows);
}

/// Approved requests, by their latest approval.
pub fn recent_approvals(page: &Page<RecentApprovalRow>) {
    let rows = page.items.iter().map(|row| {
        let (request, approved) = (&row.request, moment(row.activity_at));
        vec![approved, request.id.to_string(), change(request), request.state.status().to_string()]
    });
    table(&["APPROVED", "REQUEST", "CHANGE", "NOW"], rows);
}

/// Decisions that were made.
pub fn decisions(page: &Page<DecisionRow>) {
    let rows = page.items.iter().map(|row| {
        let decision = &row.decision;
        let why = decision.reason.clone().unwrap_or_else(|| "-".to_owned());
        let (by, what) = (decision.by.label().to_owned(), decision.kind.as_str().to_owned());
        let operation = format!("{} on {}", row.request.intent.operation, row.request.target.state_id);
        vec![moment(decision.at), row.request.id.to_string(), operation, what, by, why]
    });
    table(&["DECIDED", "REQUEST", "CHANGE", "OUTCOME", "BY", "BECAUSE"], rows);
}

/// Where all requests stand.
pub fn statistics(statistics: &Statistics, risky: Count) {
    let statuses = statistics.by_status.iter().map(|(status, count)| (status.to_string(), *count));
    let reasons = statistics.by_pending_reason.iter().map(|(reason, count)| (format!("  for {reason}"), *count));
    let (pending, others): (Vec<_>, Vec<_>) = statuses.partition(|(status, _)| status == "Pending");
    for (name, count) in pending.into_iter().chain(reasons).chain(others) {
        println!("  {name:<22}{count:>3}");
    }
    println!("  {:<22}{:>3}", "in all", statistics.total());
    println!();
    println!("  {:<22}{:>3}", "of high risk or more", risky.number());
    for (time, count) in &statistics.due_within {
        println!("  {:<22}{count:>3}", format!("due within {} hours", time.as_secs() / 3_600));
    }
    if let Some(oldest) = statistics.oldest_pending {
        println!("  oldest pending since {}", moment(oldest));
    }
}

/// Text of several lines, as it is.
pub fn lines(text: &str) {
    text.lines().for_each(|line| println!("  {line}"));
}

fn about(request: &RequestSummary) -> Vec<String> {
    let operation = format!("{} on {}", request.intent.operation, request.target.state_id);
    let by = request.requested_by.label().to_owned();
    vec![moment(request.created_at), request.id.to_string(), operation, request.intent.risk.to_string(), by]
}

fn change(request: &MutationRequest) -> String {
    format!("{} on {}", request.intent.operation, request.target.state_id)
}

/// Columns as wide as their widest cell.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let head = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    if rows.len() == 1 {
        println!("  nothing");
        return;
    }
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    for row in &rows {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column).unwrap_or(0)));
        println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Month, day, hour and minute.
fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(5..16).unwrap_or(&text).replace('T', " ")
}
