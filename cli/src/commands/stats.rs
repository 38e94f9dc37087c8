//! `stats`: numbers, and bars of them.

use std::time::Duration;

use clap::Args;
use mutator_governance::{PendingReason, RequestQuery, Statistics, Status, Timestamp};

use crate::failure::Failure;
use crate::filters::Filters;
use crate::session::Session;
use crate::{text, values};

/// Of all requests, or of those that options choose.
#[derive(Args)]
pub(crate) struct Stats {
    /// Counts what falls due within these durations
    #[arg(long, value_name = "DURATION", value_delimiter = ',', value_parser = values::duration, default_value = "1h,1d,7d")]
    due_within: Vec<Duration>,

    #[command(flatten)]
    filters: Filters,
}

impl Stats {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let query = self.filters.query(session)?;
        let governance = session.reading()?;
        let statistics = if query == RequestQuery::new() {
            governance.statistics(&self.due_within)?
        } else {
            governance.statistics_of(&query, &self.due_within)?
        };
        if session.is_json() {
            return session.json(&statistics);
        }
        session.print(in_words(&statistics, governance.clock().now()))
    }
}

/// The statistics for people.
pub(super) fn in_words(statistics: &Statistics, now: Timestamp) -> String {
    let by_status = Status::ALL.map(|status| (status.to_string(), number(statistics.by_status.get(&status))));
    let by_reason =
        PendingReason::ALL.map(|reason| (reason.to_string(), number(statistics.by_pending_reason.get(&reason))));
    let within = |within: Duration| if within.is_zero() { "now".to_owned() } else { text::duration(within) };
    let due = statistics.due_within.iter().map(|(until, due)| (within(*until), *due));
    let mut shown = bars("STATUS", by_status.into_iter(), true);
    shown += &bars("\nWAITING FOR", by_reason.into_iter(), false);
    shown += &bars("\nDUE WITHIN", due, true);
    let since = |time: Option<Timestamp>| match time {
        Some(time) => format!("since {} ({} ago)", text::time(time), text::duration(now.duration_since(time))),
        None => "nothing".to_owned(),
    };
    let at_least = if statistics.is_lower_bound { " (all numbers are lower bounds)" } else { "" };
    shown.push('\n');
    shown += &text::fields(vec![
        ("requests", format!("{}{at_least}", statistics.total())),
        ("decidable", statistics.decidable.to_string()),
        ("oldest pending", since(statistics.oldest_pending)),
        ("ready", statistics.ready.to_string()),
        ("oldest ready", since(statistics.oldest_ready)),
        ("claimed", statistics.claimed.to_string()),
        ("failing", statistics.failing.to_string()),
    ]);
    shown
}

fn number(found: Option<&u64>) -> u64 {
    found.copied().unwrap_or_default()
}

const BAR_WIDTH: u64 = 40;

/// A line and a bar for each number, the greatest the whole width; `all` also shows those of zero.
fn bars(title: &str, numbers: impl Iterator<Item = (String, u64)>, all: bool) -> String {
    let numbers: Vec<(String, u64)> = numbers.filter(|(_, number)| all || *number > 0).collect();
    let greatest = numbers.iter().map(|(_, number)| *number).max().unwrap_or_default();
    if numbers.is_empty() {
        return String::new();
    }
    let width = greatest.to_string().len();
    let mut shown = format!("{title}\n");
    for (name, number) in numbers {
        let line = format!("  {name:<14} {number:>width$}  {}", bar(number, greatest));
        shown += line.trim_end();
        shown.push('\n');
    }
    shown
}

/// In eighths of a character; anything that is there can be seen.
fn bar(number: u64, greatest: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if number == 0 {
        return String::new();
    }
    let eighths = u128::from(number) * u128::from(BAR_WIDTH * 8) / u128::from(greatest.max(1));
    let eighths = usize::try_from(eighths).unwrap_or_default().max(1);
    "█".repeat(eighths / 8) + EIGHTHS.get(eighths % 8).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_number_fills_the_width_and_the_least_can_be_seen() {
        assert_eq!(bar(1_000_000, 1_000_000), "█".repeat(40));
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(0, 1_000_000), "");
        assert_eq!(bar(u64::MAX, u64::MAX).chars().count(), 40);
        assert_eq!(bar(1, 80), "▌");
    }
}
