//! Prints every kind of decision, with what was recorded of it.

use mutator_governance::{DecisionCategory, DecisionKind, DecisionRow};

use crate::support::print::{chapter, table};
use crate::support::{Result, print, say};

/// Prints the decisions of each kind, by category, and fails if there are none of some kind.
///
/// # Errors
/// If a kind has no decision: its story is missing.
pub fn show(found: &[(DecisionKind, Vec<DecisionRow>)]) -> Result<()> {
    for category in DecisionCategory::ALL {
        chapter(&format!("Decisions of the category {category}"));
        let of_category = found.iter().filter(|(kind, _)| kind.category() == category);
        let rows = of_category.filter_map(|(kind, rows)| rows.last().map(|first| row(*kind, rows.len(), first)));
        table(&["KIND", "TIMES", "FOR EXAMPLE", "BY", "ABOUT"], rows);
    }
    let missing: Vec<_> = found.iter().filter(|(_, rows)| rows.is_empty()).map(|(kind, _)| kind.to_string()).collect();
    if !missing.is_empty() {
        return Err(format!("no story records {}; add one to the stories of this example", missing.join(", ")).into());
    }
    say!("\nEach of the {} kinds of decisions was recorded, and found by a query for its kind.", found.len());
    Ok(())
}

fn row(kind: DecisionKind, times: usize, example: &DecisionRow) -> Vec<String> {
    let decision = &example.decision;
    let by = decision.by.label().to_owned();
    vec![kind.as_str().to_owned(), times.to_string(), example.request.id.to_string(), by, print::about(decision)]
}
