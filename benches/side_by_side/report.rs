//! The table, as Markdown and as JSON.

use serde_json::{Value, json};

use crate::measure::{Columns, Series};

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Less,
    More,
}

/// What a row has to reach.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// At least so many times better than the seed's layout.
    TimesBetterThanSeed(f64),
    /// At most this share of the seed's layout, where less is better.
    ShareOfSeed(f64),
    /// At most so many times the floor.
    TimesOfFloor(f64),
    /// At least this share of the floor, where more is better.
    ShareOfFloor(f64),
    /// At most so many times what another row measured.
    TimesOfRow(f64, f64),
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) columns: Columns,
    pub(crate) goals: Vec<Goal>,
}

impl Row {
    pub(crate) fn time(name: impl Into<String>, columns: Columns, goals: Vec<Goal>) -> Self {
        Self { name: name.into(), unit: "µs", better: Better::Less, columns, goals }
    }

    fn times_better_than_seed(&self) -> Option<f64> {
        let (ours, seed) = (&self.columns.ours, self.columns.seed.as_ref()?);
        Some(if self.better == Better::Less { seed.times_of(ours) } else { ours.times_of(seed) })
    }

    fn times_of_floor(&self) -> Option<f64> {
        Some(self.columns.ours.times_of(self.columns.floor.as_ref()?))
    }

    /// `None` when a figure is missing that the row was to be measured by.
    fn is_met(&self) -> Option<bool> {
        let mut met = true;
        for goal in &self.goals {
            met &= match *goal {
                Goal::TimesBetterThanSeed(least) => self.times_better_than_seed()? >= least,
                Goal::ShareOfSeed(most) => self.columns.ours.times_of(self.columns.seed.as_ref()?) <= most,
                Goal::TimesOfFloor(most) => self.times_of_floor()? <= most,
                Goal::ShareOfFloor(least) => self.times_of_floor()? >= least,
                Goal::TimesOfRow(most, other) => self.columns.ours.median() <= most * other,
            };
        }
        (!self.goals.is_empty()).then_some(met)
    }

    fn wanted(&self) -> String {
        let words = self.goals.iter().map(|goal| match goal {
            Goal::TimesBetterThanSeed(least) => format!("≥ {least} × better than seed"),
            Goal::ShareOfSeed(most) => format!("≤ {most} × seed"),
            Goal::TimesOfFloor(most) => format!("≤ {most} × floor"),
            Goal::ShareOfFloor(least) => format!("≥ {least} of floor"),
            Goal::TimesOfRow(most, other) => format!("≤ {most} × {} (at 10 k)", figure(*other)),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// The rows as a Markdown table.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut table = String::from(
        "| row | unit | ours | least | seed's layout | floor | × better than seed | × of floor | wanted | met |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let met = row.is_met().map_or("", |met| if met { "yes" } else { "**no**" });
        let cells = [
            row.name.clone(),
            row.unit.to_owned(),
            with_spread(Some(&row.columns.ours)),
            figure(row.columns.ours.least()),
            with_spread(row.columns.seed.as_ref()),
            with_spread(row.columns.floor.as_ref()),
            row.times_better_than_seed().map(figure).unwrap_or_default(),
            row.times_of_floor().map(figure).unwrap_or_default(),
            row.wanted(),
            met.to_owned(),
        ];
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    table
}

/// The rows as JSON; null where a column has none.
pub(crate) fn json(rows: &[Row]) -> Value {
    let median = |series: Option<&Series>| series.map(Series::median);
    let row = |row: &Row| {
        json!({
            "name": row.name,
            "unit": row.unit,
            "ours": row.columns.ours.median(),
            "seed": median(row.columns.seed.as_ref()),
            "floor": median(row.columns.floor.as_ref()),
            "times_better_than_seed": row.times_better_than_seed(),
            "times_of_floor": row.times_of_floor(),
            "target_met": row.is_met(),
        })
    };
    json!({ "rows": rows.iter().map(row).collect::<Vec<_>>() })
}

fn with_spread(series: Option<&Series>) -> String {
    series.map_or_else(String::new, |series| format!("{} ± {:.0} %", figure(series.median()), series.spread() * 100.0))
}

fn figure(number: f64) -> String {
    match number {
        0.0..10.0 => format!("{number:.2}"),
        10.0..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}
