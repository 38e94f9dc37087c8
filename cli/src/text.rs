//! Text for people: tables, times, and nothing that a terminal would obey.

use std::fmt::Display;
use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use mutator_governance::Timestamp;

/// What fits where nobody knows how wide the terminal is.
const DEFAULT_WIDTH: u16 = 100;
/// The widest column before the last one.
const MAX_WIDTH: u16 = 42;
/// The least width of the last column.
const MIN_LAST_WIDTH: u16 = 14;
/// A space on both sides of each column.
const PADDING: u16 = 2;

/// The text on one line, without characters that move a cursor, ring a bell, or turn the writing direction.
pub(crate) fn printable(text: impl Display) -> String {
    let text = text.to_string();
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => shown.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                let _ = write!(shown, "{}", character.escape_unicode());
            }
            _ if character.is_control() => {
                let _ = write!(shown, "{}", character.escape_default());
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// The same without the login that a URL in it may hold.
pub(crate) fn without_login(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        // A password may itself hold what ends an address, if nobody encoded it: up to the last @ of the word.
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (word, others) = after.split_at(end);
        match word.rsplit_once('@') {
            Some((_, address)) => {
                shown.push_str("…@");
                shown.push_str(address);
            }
            None => shown.push_str(word),
        }
        rest = others;
    }
    shown.push_str(rest);
    shown
}

/// A time to the second, UTC: `2026-11-28 16:19:04`.
pub(crate) fn time(time: Timestamp) -> String {
    let text = time.to_string();
    let seconds = text.get(..19).unwrap_or(&text);
    seconds.replace('T', " ")
}

/// A time to the minute, UTC, where there is little room: `2026-11-28 16:19`.
pub(crate) fn minute(at: Timestamp) -> String {
    time(at).chars().take(16).collect()
}

/// A duration in its two greatest units: `3d 4h`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let from = parts.iter().position(|(number, _)| *number > 0).unwrap_or(3);
    let shown = parts.iter().skip(from).take(2).filter(|(number, _)| *number > 0);
    let shown: Vec<String> = shown.map(|(number, unit)| format!("{number}{unit}")).collect();
    if shown.is_empty() { "0s".to_owned() } else { shown.join(" ") }
}

/// A number of bytes as people read it.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes / 1_048_576),
        _ => format!("{} GiB", bytes / 1_073_741_824),
    }
}

/// `1 request`, `2 requests`.
pub(crate) fn count(number: u64, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}

/// The columns of the terminal.
pub(crate) fn width() -> u16 {
    let found = terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| columns);
    found.unwrap_or(DEFAULT_WIDTH).max(40)
}

/// Aligned columns with a heading, and without lines; `nothing` without rows.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return "nothing\n".to_owned();
    }
    let mut table = bare();
    table.set_header(head.iter().copied());
    for row in rows {
        table.add_row(row.into_iter().map(printable));
    }
    lines(table)
}

/// Names and values below each other; those without a value are left out.
pub(crate) fn fields(rows: Vec<(&str, String)>) -> String {
    let mut table = bare();
    for (name, value) in rows {
        if !value.is_empty() {
            table.add_row([name.to_owned(), printable(value)]);
        }
    }
    lines(table)
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width());
    table
}

/// Ids, times and names are not broken, so that they can be copied; the last column takes what is left, on several lines.
fn lines(mut table: Table) -> String {
    let widths = table.column_max_content_widths();
    let last = widths.len().saturating_sub(1);
    for (column, width) in table.column_iter_mut().zip(widths) {
        let constraint = match column.index {
            index if index == last => ColumnConstraint::LowerBoundary(Width::Fixed(MIN_LAST_WIDTH)),
            _ => ColumnConstraint::Absolute(Width::Fixed(width.min(MAX_WIDTH) + PADDING)),
        };
        column.set_constraint(constraint);
    }
    let mut text = String::new();
    for line in table.lines() {
        // The preset pads each column on both sides.
        text.push_str(line.strip_prefix(' ').unwrap_or(&line).trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_is_printed() {
        let hostile = "a\u{1b}[2Jb\u{7}c\nd\u{202e}e\u{9b}f";
        assert_eq!(printable(hostile), "a\\u{1b}[2Jb\\u{7}c d\\u{202e}e\\u{9b}f");
        assert_eq!(printable("Zoë 日本 👍"), "Zoë 日本 👍");
    }

    #[test]
    fn a_login_in_a_url_is_left_out_wherever_it_stands() {
        for url in ["redis://user:secret@host:1", "redis://:secret@host:1", "rediss://u:se/cr@et@host:1"] {
            let shown = without_login(&format!("no {url} here, nor {url}"));
            assert!(!shown.contains("secret") && !shown.contains("cr@et") && shown.contains("…@host:1"), "{shown}");
            assert_eq!(shown.matches("…@").count(), 2, "{shown}");
        }
        assert_eq!(without_login("redis://host:1 and mona@x"), "redis://host:1 and mona@x");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1min"), (3_661, "1h 1min"), (90_000, "1d 1h")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn ids_are_not_broken_and_the_last_column_is() {
        let id = "01a22300-7d89-717f-a1e6-d15ba99c0fde";
        let shown =
            table(&["ID", "A", "B", "ABOUT"], vec![vec![id.into(), "x".repeat(60), "y".into(), "word ".repeat(30)]]);
        assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
        assert!(shown.contains(id) && shown.lines().count() > 3, "{shown}");
    }

    #[test]
    fn tables_are_aligned_without_trailing_spaces() {
        let shown =
            table(&["ID", "BY"], vec![vec!["r-1".into(), "mona".into()], vec!["r-22".into(), "\u{1b}x".into()]]);
        assert_eq!(shown, "ID    BY\nr-1   mona\nr-22  \\u{1b}x\n");
    }
}
