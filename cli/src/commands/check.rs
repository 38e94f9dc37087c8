//! `verify`, `repair`, `migrate`: walks over a namespace in bounded steps, which can be interrupted and resumed.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use mutator_governance::blocking::{RedisStore, Store as _};
use mutator_governance::{CheckMode, CheckPhase, CheckPosition, CheckStep, Finding, RequestQuery};
use serde::{Deserialize, Serialize};

use crate::configuration::directory;
use crate::confirm::Confirmation;
use crate::failure::Failure;
use crate::progress::{LongWork, command_to_go_on};
use crate::session::{Session, note};

/// Beside live writers. Exit code 1 if something is not as it should be.
#[derive(Args)]
pub(crate) struct Verify {
    /// Goes on where an interrupted call stopped
    #[arg(long)]
    resume: bool,
}

/// Beside live writers. Requests are never changed, and what cannot be read is left as it is: then exit code 1.
#[derive(Args)]
pub(crate) struct Repair {
    /// Goes on where an interrupted call stopped
    #[arg(long)]
    resume: bool,

    #[command(flatten)]
    confirmation: Confirmation,
}

/// Beside live writers; also repairs. Content and revision of a request stay as they are.
#[derive(Args)]
pub(crate) struct Migrate {
    /// Goes on where an interrupted call stopped
    #[arg(long)]
    resume: bool,

    #[command(flatten)]
    confirmation: Confirmation,
}

impl Verify {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let store = session.store_to_read()?;
        walk(session, &store, CheckMode::Report, self.resume)
    }
}

impl Repair {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let store = session.store_to_write()?;
        self.confirmation.ask(&format!("repair the indexes of namespace {}?", session.namespace()))?;
        walk(session, &store, CheckMode::Repair, self.resume)
    }
}

impl Migrate {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let store = session.store_to_write()?;
        let question = format!("rewrite requests of namespace {} in the newest format?", session.namespace());
        self.confirmation.ask(&question)?;
        walk(session, &store, CheckMode::Migrate, self.resume)
    }
}

/// How far a walk is: what its summary counts, and where it goes on.
#[derive(Default, Serialize, Deserialize)]
struct Walked {
    records: u64,
    entries: u64,
    findings: u64,
    /// Findings that a repair leaves as they are.
    left: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<CheckPosition>,
}

fn walk(session: &mut Session, store: &RedisStore, mode: CheckMode, resumes: bool) -> Result<(), Failure> {
    let saved = saved_at(session, mode)?;
    let mut walked = if resumes { load(&saved)? } else { Walked::default() };
    let total = store.count(&RequestQuery::new())?.number();
    let work = LongWork::begin()?;
    loop {
        let step = store.check_step(walked.next.take().unwrap_or_default(), mode)?;
        walked.records += step.records;
        walked.entries += step.entries;
        match step.phase {
            CheckPhase::Records => work.show("records", walked.records, Some(total.max(walked.records))),
            _ => work.show("indexes", walked.entries, None),
        }
        for finding in &step.findings {
            walked.findings += 1;
            walked.left += u64::from(is_left(finding));
            work.pause(|| print(session, finding))?;
        }
        walked.next = step.next;
        if walked.next.is_none() {
            break;
        }
        if work.is_interrupted() {
            work.end();
            save(&saved, &walked)?;
            let how = command_to_go_on("--resume");
            return Err(Failure::Interrupted(format!("interrupted after {} records; to go on: {how}", walked.records)));
        }
    }
    work.end();
    // It may never have been there.
    let _ = fs::remove_file(&saved);
    summary(session, mode, &walked)
}

fn summary(session: &mut Session, mode: CheckMode, walked: &Walked) -> Result<(), Failure> {
    let Walked { records, entries, findings, left, .. } = walked;
    if session.is_json() {
        session.json_line(walked)?;
    } else {
        session.line(format_args!("{records} records and {entries} index entries checked, {findings} findings"))?;
    }
    match mode {
        CheckMode::Report if *findings > 0 => {
            Err(Failure::Incomplete(format!("{findings} findings; mutatorctl repair repairs all but {left}")))
        }
        CheckMode::Report => Ok(()),
        _ if *left > 0 => Err(Failure::Incomplete(format!("{left} findings could not be repaired"))),
        _ => Ok(()),
    }
}

/// Whether no repair changes it.
pub(super) const fn is_left(finding: &Finding) -> bool {
    matches!(
        finding,
        Finding::Unreadable { .. } | Finding::OtherType { .. } | Finding::Busy { .. } | Finding::Misplaced { .. }
    )
}

/// One finding: a line for people, or an object.
pub(super) fn print(session: &mut Session, finding: &Finding) -> Result<(), Failure> {
    if session.is_json() { session.json_line(finding) } else { session.line(finding) }
}

/// What a step looks at, as a bar shows it.
pub(super) fn show(work: &LongWork, what: &'static str, step: &CheckStep) {
    match step.phase {
        CheckPhase::Records => work.show(what, step.done, step.total),
        _ => work.show("indexes", step.done, None),
    }
}

/// The file that keeps how far this walk is.
fn saved_at(session: &Session, mode: CheckMode) -> Result<PathBuf, Failure> {
    let Some(directory) = directory("XDG_STATE_HOME", ".local/state") else {
        return Err(Failure::usage("neither XDG_STATE_HOME nor HOME is set: there is no place to keep how far it is"));
    };
    let name = match mode {
        CheckMode::Report => "verify",
        CheckMode::Repair => "repair",
        CheckMode::Migrate => "migrate",
    };
    Ok(directory.join("mutatorctl").join(format!("{name}-{}.json", session.place()?)))
}

fn load(saved: &PathBuf) -> Result<Walked, Failure> {
    if !saved.exists() {
        note("nothing was interrupted here; it begins at the beginning");
        return Ok(Walked::default());
    }
    let text = fs::read_to_string(saved).map_err(|error| Failure::file(saved, &error))?;
    serde_json::from_str(&text).map_err(|error| Failure::File(format!("{}: {error}", saved.display())))
}

fn save(saved: &PathBuf, walked: &Walked) -> Result<(), Failure> {
    let text = serde_json::to_string(walked).map_err(|error| Failure::File(error.to_string()))?;
    let directory = saved.parent().map(fs::create_dir_all).transpose();
    directory.and_then(|_| fs::write(saved, text)).map_err(|error| Failure::file(saved, &error))
}
