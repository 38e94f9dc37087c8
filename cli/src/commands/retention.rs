//! `retention`: removes what has stayed for as long as a retention policy says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use mutator_governance::blocking::{Governance, ShelfDirectory};
use mutator_governance::retention::{
    DueRequest, KeptBecause, RetentionAction, RetentionOptions, RetentionPolicy, RetentionReport,
};
use mutator_governance::{Error, RequestId};
use serde::{Serialize, Serializer};

use super::submit::parsed;
use crate::confirm::Confirmation;
use crate::failure::Failure;
use crate::progress::{LongWork, command_to_go_on};
use crate::session::{Session, note};
use crate::text;

/// How many requests a step looks at; one that archives makes an archive of its own.
const AT_ONCE: usize = 500;

/// Once, to its end; others may do the same at once. Only requests that have ended are removed, by a user of the server who may
/// delete. A request that is linked to an open one is due, and yet it stays.
#[derive(Args)]
pub(crate) struct Retention {
    /// The retention policy in TOML or JSON: rules, and what is held
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,

    /// The directory for archives, which rules that archive need
    #[arg(long, value_name = "DIRECTORY")]
    shelf: Option<PathBuf>,

    /// Lists what is due, and changes nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    #[command(flatten)]
    confirmation: Confirmation,
}

/// What all steps found and did.
#[derive(Default, Serialize)]
struct Sums {
    due_to_archive: u64,
    due_to_purge: u64,
    /// Each once, although every rule finds it.
    #[serde(serialize_with = "number_of")]
    held: BTreeSet<RequestId>,
    removed: u64,
    overtaken: u64,
    failed: u64,
}

impl Retention {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let policy = read(&self.policy)?;
        if self.dry_run {
            return list(session, &policy);
        }
        let archiving = policy.rules().iter().find(|rule| rule.action() == RetentionAction::Archive);
        if let (Some(rule), None) = (archiving, &self.shelf) {
            let name = rule.name();
            return Err(Failure::Usage(format!("rule {name} archives what is due: name a directory with --shelf")));
        }
        let by = session.actor()?;
        let governance = session.writing()?;
        if !self.confirmation.yes {
            note("looking for what is due");
            let mut found = Sums::default();
            // Without a bar: Ctrl-C has to end the question that follows.
            found.walk(|options| governance.plan_retention(&policy, options), |_| Ok(()))?;
            if found.due() == 0 {
                return found.finish(session, true);
            }
            note(found.planned());
            let due = text::count(found.due(), "request");
            self.confirmation.ask(&format!("remove {due} for ever? nothing brings them back"))?;
        }
        let work = LongWork::begin()?;
        let archives = self.shelf.map(ShelfDirectory::new);
        let mut sums = Sums::default();
        let step = |options: &RetentionOptions| match &archives {
            Some(archives) => governance.retain_to(archives, &policy, by.clone(), options),
            None => governance.retain(&policy, by.clone(), options),
        };
        let done = sums.walk(step, |report| after_step(&work, report));
        work.end();
        if done.is_err() {
            note(format_args!("{} removed before it stopped", text::count(sums.removed, "request")));
        }
        done?;
        sums.finish(session, false)
    }
}

/// Prints what is due.
fn list(session: &mut Session, policy: &RetentionPolicy) -> Result<(), Failure> {
    let governance: Governance = session.reading()?;
    let work = LongWork::begin()?;
    let mut found = Sums::default();
    found.walk(
        |options| governance.plan_retention(policy, options),
        |report| {
            work.pause(|| report.due.iter().try_for_each(|due| print(session, due)))?;
            work.show("retention", report.done, report.total);
            if report.next.is_some() && work.is_interrupted() {
                work.end();
                return Err(Failure::Interrupted("interrupted; the list is not complete".to_owned()));
            }
            Ok(())
        },
    )?;
    work.end();
    found.finish(session, true)
}

fn print(session: &mut Session, due: &DueRequest) -> Result<(), Failure> {
    if session.is_json() {
        return session.json_line(due);
    }
    let DueRequest { id, status, updated_at, rule, action, .. } = due;
    let what = match action {
        RetentionAction::Archive => "archive and remove",
        _ => "remove",
    };
    let changed = text::time(*updated_at);
    session.line(format_args!("{what} {id} by rule {rule}: {status}, last changed {changed}"))
}

/// Shows how far it is, and stops when somebody interrupted it.
fn after_step(work: &LongWork, report: &RetentionReport) -> Result<(), Failure> {
    work.show("retention", report.done, report.total);
    work.pause(|| {
        if let Some(archive) = &report.archive {
            note(format_args!("archived in {archive}"));
        }
        report.failed.iter().for_each(|(id, error)| note(format_args!("{id}: {error}")));
    });
    if report.next.is_some() && work.is_interrupted() {
        work.end();
        return Err(Failure::Interrupted(format!("interrupted; the rest: {}", command_to_go_on(""))));
    }
    Ok(())
}

impl Sums {
    /// All steps of a pass; `then` gets each report.
    fn walk(
        &mut self,
        step: impl Fn(&RetentionOptions) -> Result<RetentionReport, Error>,
        mut then: impl FnMut(&RetentionReport) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut options = RetentionOptions::new().limit(AT_ONCE)?;
        loop {
            let mut report = step(&options)?;
            self.add(&report);
            then(&report)?;
            let Some(next) = report.next.take() else { return Ok(()) };
            options = options.after(next);
        }
    }

    fn add(&mut self, report: &RetentionReport) {
        let to_archive = report.due.iter().filter(|due| due.action == RetentionAction::Archive).count() as u64;
        self.due_to_archive += to_archive;
        self.due_to_purge += report.due.len() as u64 - to_archive;
        let held = report.kept.iter().filter(|kept| is_held(&kept.because));
        self.held.extend(held.map(|kept| kept.id.clone()));
        self.removed += report.removed;
        self.overtaken += report.overtaken;
        self.failed += report.failed.len() as u64;
    }

    const fn due(&self) -> u64 {
        self.due_to_archive + self.due_to_purge
    }

    fn planned(&self) -> String {
        let (due, held) = (text::count(self.due(), "request"), self.held.len());
        format!("{due} due, {} of them to be archived; {held} on hold", self.due_to_archive)
    }

    fn finish(&self, session: &mut Session, is_plan: bool) -> Result<(), Failure> {
        let Self { held, removed, overtaken, failed, .. } = self;
        if session.is_json() {
            session.json_line(self)?;
        } else if is_plan {
            session.line(self.planned())?;
        } else {
            let (removed, held) = (text::count(*removed, "request"), held.len());
            session.line(format_args!("{removed} removed, {held} on hold; others changed or removed {overtaken}"))?;
        }
        match failed {
            0 => Ok(()),
            failed => Err(Failure::Incomplete(format!("{} could not be removed", text::count(*failed, "request")))),
        }
    }
}

const fn is_held(because: &KeptBecause) -> bool {
    matches!(because, KeptBecause::OnHold | KeptBecause::Held { .. })
}

fn number_of<S: Serializer>(held: &BTreeSet<RequestId>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(held.len() as u64)
}

fn read(file: &Path) -> Result<RetentionPolicy, Failure> {
    let invalid = |error: serde_json::Error| Failure::Usage(format!("{}: {error}", file.display()));
    serde_json::from_value(parsed(file)?).map_err(invalid)
}
