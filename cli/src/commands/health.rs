//! `health`: the checks of opening a store, and what it holds.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use mutator_governance::blocking::Governance;
use mutator_governance::{Consumer, Timestamp};

use super::layout::in_words;
use super::stats;
use crate::failure::Failure;
use crate::session::Session;
use crate::text;

/// The server's warnings, the worst first; the layout; statistics; and how far each follower of the change feed is.
#[derive(Args)]
pub(crate) struct Health {}

const DUE_WITHIN: [Duration; 2] = [Duration::ZERO, Duration::from_secs(3_600)];

impl Health {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let Self {} = self;
        let layout = session.layout_of(&session.builder()?.read_only())?;
        let store = session.store_to_read()?;
        let preflight = store.preflight().clone();
        let governance = Governance::builder().store(Arc::new(store)).build();
        let statistics = governance.statistics(&DUE_WITHIN)?;
        let consumers = governance.consumers()?;
        let now = governance.clock().now();
        if session.is_json() {
            return session.json(&serde_json::json!({
                "server": preflight,
                "namespace": session.namespace(),
                "layout": layout,
                "now": now,
                "statistics": statistics,
                "consumers": consumers,
            }));
        }
        let mut head = vec![("server", format!("{} {}", preflight.product, preflight.version))];
        head.extend(preflight.warnings.iter().map(|warning| ("warning", warning.clone())));
        head.push(("namespace", format!("{}: {}", session.namespace(), in_words(&layout))));
        head.push(("server time", text::time(now)));
        session.print(text::fields(head))?;
        session.print("\n")?;
        session.print(stats::in_words(&statistics, now))?;
        if !consumers.is_empty() {
            let rows = consumers.iter().map(|consumer| cells(consumer, now)).collect();
            session.print("\n")?;
            session.print(text::table(&["FOLLOWER", "BEHIND BY", "SAVED (UTC)", "FOLLOWED NOW"], rows))?;
        }
        Ok(())
    }
}

fn cells(consumer: &Consumer, now: Timestamp) -> Vec<String> {
    let lag = consumer.lag.map_or_else(|| "unknown: its position is gone".to_owned(), |lag| lag.to_string());
    let is_held = consumer.held_until.is_some_and(|until| until > now);
    let saved = consumer.saved_at.map_or_else(|| "never".to_owned(), text::time);
    vec![consumer.name.to_string(), lag, saved, if is_held { "yes" } else { "no" }.to_owned()]
}
