//! A request query as the question it asks.

use std::collections::BTreeSet;
use std::fmt;

use super::RequestQuery;
use super::request_filters::{RequestFilters, TagFilter};
use crate::request::{Metadata, Value};

impl fmt::Display for RequestQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sentence(f, "requests", &clauses(&self.0), &self.0.direction)
    }
}

/// What is asked of requests, without the word itself and without an order; nothing when nothing is asked.
pub(super) fn clauses(filters: &RequestFilters) -> Vec<String> {
    let mut clauses = Clauses::default();
    clauses.set("with id", " or ", filters.ids.as_ref());
    clauses.set("with state id", " or ", filters.state_ids.as_ref());
    clauses.set("with state type", " or ", filters.state_types.as_ref());
    clauses.set("with mutation type", " or ", filters.mutation_types.as_ref());
    clauses.set("filed by", " or ", filters.actor_ids.as_ref());
    clauses.set("filed by somebody named", " or ", filters.actor_names.as_ref());
    clauses.set("in category", " or ", filters.categories.as_ref());
    match &filters.tags {
        Some(TagFilter::Any(tags)) => clauses.set("tagged", " or ", Some(tags)),
        Some(TagFilter::All(tags)) => clauses.set("tagged", " and ", Some(tags)),
        None => {}
    }
    clauses.pairs("with intent metadata", filters.intent_metadata.as_ref());
    clauses.text("with blast radius", filters.blast_radius.as_ref());
    clauses.text("with risk", filters.risk.as_ref());
    clauses.pairs("with metadata", filters.metadata.as_ref());
    clauses.set("that are", " or ", filters.statuses.as_ref());
    clauses.set("waiting for", " or ", filters.pending_reasons.as_ref());
    clauses.set("with decisions about", " or ", filters.decision_categories.as_ref());
    clauses.text("created", filters.created.as_ref());
    clauses.text("updated", filters.updated.as_ref());
    clauses.side_effects(filters);
    clauses.0
}

#[derive(Default)]
pub(super) struct Clauses(pub(super) Vec<String>);

impl Clauses {
    pub(super) fn set<T: fmt::Display>(&mut self, question: &str, between: &str, set: Option<&BTreeSet<T>>) {
        if let Some(set) = set {
            self.0.push(format!("{question} {}", joined(set, between)));
        }
    }

    pub(super) fn text(&mut self, question: &str, answer: Option<&impl fmt::Display>) {
        if let Some(answer) = answer {
            self.0.push(format!("{question} {answer}"));
        }
    }

    fn pairs(&mut self, question: &str, pairs: Option<&Metadata>) {
        if let Some(pairs) = pairs {
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key} = {}", Shown(value))).collect();
            self.0.push(format!("{question} {}", pairs.join(" and ")));
        }
    }

    /// One clause, because one side effect has to meet all of it.
    fn side_effects(&mut self, filters: &RequestFilters) {
        let mut parts = Self::default();
        parts.set("of type", " or ", filters.side_effect_types.as_ref());
        parts.set("following contract", " or ", filters.contract_ids.as_ref());
        parts.set("of severity", " or ", filters.severities.as_ref());
        match filters.requires_action {
            Some(true) => parts.0.push("requiring action".to_owned()),
            Some(false) => parts.0.push("requiring no action".to_owned()),
            None => {}
        }
        if !parts.0.is_empty() {
            self.0.push(format!("with a side effect {}", parts.0.join(" and ")));
        }
    }
}

/// `subject first, second, order`.
pub(super) fn sentence(
    f: &mut fmt::Formatter<'_>,
    subject: &str,
    clauses: &[String],
    order: &dyn fmt::Display,
) -> fmt::Result {
    let space = if clauses.is_empty() { "" } else { " " };
    write!(f, "{subject}{space}{}, {order}", clauses.join(", "))
}

pub(super) fn joined<T: fmt::Display>(set: &BTreeSet<T>, between: &str) -> String {
    set.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// A value as a reader would write it: text in quotes, so that it is not taken for a number.
struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Integer(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Text(value) => write!(f, "{value:?}"),
            Value::Bytes(value) => write!(f, "{} bytes", value.len()),
            Value::Time(value) => write!(f, "{value}"),
            Value::List(values) => write!(f, "a list of {}", values.len()),
            Value::Map(values) => write!(f, "a map of {}", values.len()),
        }
    }
}
