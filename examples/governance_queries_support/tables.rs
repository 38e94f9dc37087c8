//! Prints results for people.

use mutator_governance::{
    Count, DecisionRow, Intent, Page, PendingApprovalRow, RecentApprovalRow, RequestSummary, Statistics, Target,
    Timestamp,
};

use crate::support::print::table;
use crate::support::say;

/// The time in the example.
pub fn opening(now: Timestamp) {
    say!("It is 2026-{}; all times are UTC.", moment(now));
}

/// The title of a query, before its result.
pub fn question(text: &str) {
    say!("\n{text}");
}

/// Pending approvals.
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
        vec![
            approved,
            request.id.to_string(),
            change(&request.intent, &request.target),
            request.state.status().to_string(),
        ]
    });
    table(&["APPROVED", "REQUEST", "CHANGE", "NOW"], rows);
}

/// Decisions.
pub fn decisions(page: &Page<DecisionRow>) {
    let rows = page.items.iter().map(|row| {
        let decision = &row.decision;
        let why = decision.reason.clone().unwrap_or_else(|| "-".to_owned());
        let (by, what) = (decision.by.label().to_owned(), decision.kind.as_str().to_owned());
        let change = change(&row.request.intent, &row.request.target);
        vec![moment(decision.at), row.request.id.to_string(), change, what, by, why]
    });
    table(&["DECIDED", "REQUEST", "CHANGE", "OUTCOME", "BY", "BECAUSE"], rows);
}

/// How many requests are in which status.
pub fn statistics(statistics: &Statistics, risky: Count) {
    let statuses = statistics.by_status.iter().map(|(status, count)| (status.to_string(), *count));
    let reasons = statistics.by_pending_reason.iter().map(|(reason, count)| (format!("  for {reason}"), *count));
    let (pending, others): (Vec<_>, Vec<_>) = statuses.partition(|(status, _)| status == "Pending");
    for (name, count) in pending.into_iter().chain(reasons).chain(others) {
        say!("  {name:<22}{count:>3}");
    }
    say!("  {:<22}{:>3}", "in total", statistics.total());
    say!();
    say!("  {:<22}{:>3}", "of high risk or more", risky.number());
    for (time, count) in &statistics.due_within {
        say!("  {:<22}{count:>3}", format!("due within {} hours", time.as_secs() / 3_600));
    }
    if let Some(oldest) = statistics.oldest_pending {
        say!("  oldest pending since {}", moment(oldest));
    }
}

/// Text of several lines, unchanged.
pub fn lines(text: &str) {
    text.lines().for_each(|line| say!("  {line}"));
}

fn about(request: &RequestSummary) -> Vec<String> {
    let (change, by) = (change(&request.intent, &request.target), request.requested_by.label().to_owned());
    vec![moment(request.created_at), request.id.to_string(), change, request.intent.risk.to_string(), by]
}

fn change(intent: &Intent, target: &Target) -> String {
    format!("{} on {}", intent.operation, target.state_id)
}

/// Month, day, hour and minute.
fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(5..16).unwrap_or(&text).replace('T', " ")
}
