//! `reindex` and `repartition`: they rebuild a namespace; nobody else can open it meanwhile.

use clap::Args;
use mutator_governance::{CheckReport, CheckStep, IdComparison, NamespaceLayout};

use super::check::{is_left, print, show};
use crate::confirm::Confirmation;
use crate::failure::Failure;
use crate::progress::{LongWork, command_to_go_on};
use crate::session::Session;
use crate::text;

/// Without options for the choice that the namespace records. Nobody can open it until it is complete; an interrupted call
/// goes on when it is called again.
#[derive(Args)]
pub(crate) struct Reindex {
    /// Indexes exactly these metadata keys from now on
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    index_metadata: Option<Vec<String>>,

    /// Whether to index the correlation ids of requesters
    #[arg(long, value_name = "true|false")]
    index_correlation_ids: Option<bool>,

    /// Whether to index participants, for --visible
    #[arg(long, value_name = "true|false")]
    index_participants: Option<bool>,

    /// Whether to compare ids of people without regard to case
    #[arg(long, value_name = "true|false")]
    fold_case: Option<bool>,

    #[command(flatten)]
    confirmation: Confirmation,
}

/// Nobody can write to the namespace or open it until it is complete; an interrupted call goes on when it is called again. The
/// user needs the permission for DEL.
#[derive(Args)]
pub(crate) struct Repartition {
    /// The new number, a multiple of the present one
    #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    partitions: u16,

    #[command(flatten)]
    confirmation: Confirmation,
}

impl Reindex {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let builder = session.builder()?;
        let mut layout = session.layout_of(&builder)?;
        if let Some(keys) = self.index_metadata {
            layout.indexed_metadata = keys.into_iter().filter(|key| !key.is_empty()).collect();
        }
        layout.indexes_correlation_ids = self.index_correlation_ids.unwrap_or(layout.indexes_correlation_ids);
        layout.indexes_participants = self.index_participants.unwrap_or(layout.indexes_participants);
        layout.id_comparison = self.fold_case.map_or(layout.id_comparison, IdComparison::folding);
        let namespace = session.namespace();
        let question = format!("rebuild the indexes of namespace {namespace} ({})?", in_words(&layout));
        self.confirmation.ask(&question)?;
        let work = LongWork::begin()?;
        let report =
            with_progress(session, &work, "reindex", |progress| Ok(builder.laid_out_as(&layout).reindex(progress)?.1))?;
        let (records, entries) = (report.records, report.entries);
        finish(session, &report, &format!("{records} records and {entries} index entries indexed"))
    }
}

impl Repartition {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let builder = session.builder()?;
        let layout = session.layout_of(&builder)?;
        let (namespace, from, to) = (session.namespace(), layout.partitions, self.partitions);
        self.confirmation.ask(&format!("repartition namespace {namespace} from {from} to {to}?"))?;
        let work = LongWork::begin()?;
        let report = with_progress(session, &work, "repartition", |progress| {
            Ok(builder.laid_out_as(&layout).partitions(to).repartition(progress)?.1)
        })?;
        let moved = text::count(report.moved, "request");
        finish(session, &report, &format!("{to} partitions; {moved} moved"))
    }
}

/// How a namespace is laid out.
pub(super) fn in_words(layout: &NamespaceLayout) -> String {
    let mut indexes: Vec<String> = layout.indexed_metadata.iter().map(|key| format!("metadata {key}")).collect();
    let chosen = [(layout.indexes_correlation_ids, "correlation ids"), (layout.indexes_participants, "participants")];
    indexes.extend(chosen.into_iter().filter(|(is_chosen, _)| *is_chosen).map(|(_, name)| name.to_owned()));
    let indexes = if indexes.is_empty() { "no chosen indexes".to_owned() } else { indexes.join(", ") };
    let ids = if layout.id_comparison.folds_case() { "ids without regard to case" } else { "exact ids" };
    format!("{}, {indexes}, {ids}", text::count(layout.partitions.into(), "partition"))
}

/// Calls it with a function that draws each step, prints what is left as it was, and ends the program when it was interrupted.
fn with_progress(
    session: &mut Session,
    work: &LongWork,
    what: &'static str,
    run: impl FnOnce(&mut (dyn FnMut(&CheckStep) + Send)) -> Result<CheckReport, Failure>,
) -> Result<CheckReport, Failure> {
    let mut printed = Ok(());
    let report = run(&mut |step| {
        show(work, what, step);
        // All others are what the work is for.
        for finding in step.findings.iter().filter(|finding| is_left(finding)) {
            let print = work.pause(|| print(session, finding));
            if printed.is_ok() {
                printed = print;
            }
        }
        if step.next.is_some() {
            work.exit_if_interrupted(&format!("interrupted; it is not complete. To go on: {}", command_to_go_on("")));
        }
    });
    work.end();
    printed.and(report)
}

fn finish(session: &mut Session, report: &CheckReport, done: &str) -> Result<(), Failure> {
    let left = report.findings.iter().filter(|finding| is_left(finding)).count();
    if session.is_json() {
        session.json(&serde_json::json!({
            "records": report.records, "entries": report.entries, "moved": report.moved, "left": left,
        }))?;
    } else {
        session.line(done)?;
    }
    match left {
        0 => Ok(()),
        left => Err(Failure::Incomplete(format!("{left} findings could not be repaired"))),
    }
}
