//! `proof`: verifies histories, and makes checkpoints of them.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use mutator_governance::blocking::Governance;
use mutator_governance::proof::{HeadTree, HistoryVerification};
use mutator_governance::{Cursor, PageRequest, RequestId, RequestQuery};
use serde::Serialize;

use crate::failure::Failure;
use crate::filters::Filters;
use crate::progress::{LongWork, command_to_go_on};
use crate::session::{Session, note};
use crate::text;

/// How many histories a step reads; Ctrl-C ends the work between two.
const AT_ONCE: usize = 250;

#[derive(Subcommand)]
pub(crate) enum Proof {
    /// Verifies histories, and names of each the first decision that does not fit
    Check(Box<Check>),
    /// Makes a checkpoint of all histories: a text to sign and to keep elsewhere
    Checkpoint(Checkpoint),
}

/// Of one request, of those that options choose, or of all. Exit code 1 if a history is not the one that was recorded. Seals are
/// verified with the keys of the file that seal_keys of the configuration names.
#[derive(Args)]
pub(crate) struct Check {
    /// The request; if none is named, all that the options choose
    #[arg(value_name = "ID", conflicts_with_all = ["Filters", "after"])]
    request: Option<RequestId>,

    /// Also finds histories that are not chained from their first decision on or, with keys, not sealed
    #[arg(long)]
    whole: bool,

    /// Goes on where an interrupted call stopped, with the cursor that it named
    #[arg(long, value_name = "CURSOR", overrides_with = "after")]
    after: Option<Cursor>,

    #[command(flatten)]
    filters: Filters,
}

/// Reads every request. Keep the text where nobody who can write to the server can change it.
#[derive(Args)]
pub(crate) struct Checkpoint {
    /// Whose it is, such as example.com/billing; no other log may have the same
    #[arg(long, value_name = "NAME", value_parser = origin)]
    origin: String,

    /// Writes the text to this new file instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Also writes the heads of all histories to this new file, as JSON: with them the checkpoint proves single requests
    #[arg(long, value_name = "FILE")]
    heads: Option<PathBuf>,
}

impl Proof {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Check(check) => check.run(session),
            Self::Checkpoint(checkpoint) => checkpoint.run(session),
        }
    }
}

/// What a check has seen so far.
#[derive(Serialize)]
struct Checked {
    histories: u64,
    decisions: u64,
    findings: u64,
    unreadable: u64,
    /// Whether there are keys.
    verifies_seals: bool,
    #[serde(skip)]
    whole: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a RequestId,
    finding: String,
    verification: &'a HistoryVerification,
}

impl Check {
    fn run(self, session: &mut Session) -> Result<(), Failure> {
        let query = self.filters.query(session)?;
        let governance = session.reading()?;
        let verifies_seals = session.configuration.seal_keys.is_some();
        let mut checked =
            Checked { histories: 0, decisions: 0, findings: 0, unreadable: 0, verifies_seals, whole: self.whole };
        match &self.request {
            Some(id) => checked.look_at(session, id, &governance.verify_history(id)?)?,
            None => checked.walk(session, &governance, &query, self.after)?,
        }
        checked.finish(session)
    }
}

impl Checked {
    fn walk(
        &mut self,
        session: &mut Session,
        governance: &Governance,
        query: &RequestQuery,
        after: Option<Cursor>,
    ) -> Result<(), Failure> {
        let total = governance.count(query)?.number();
        let work = LongWork::begin()?;
        let mut next = after.into_iter().fold(PageRequest::of(AT_ONCE)?, PageRequest::after);
        loop {
            let page = governance.verify_histories(query, &next)?;
            work.pause(|| {
                for one in &page.unreadable {
                    self.unreadable += 1;
                    note(format_args!("request {} cannot be read: {}", one.id, one.error));
                }
                page.items.iter().try_for_each(|row| self.look_at(session, &row.id, &row.verification))
            })?;
            work.show("histories", self.histories, Some(total.max(self.histories)));
            let Some(cursor) = page.next.filter(|cursor| next.cursor() != Some(cursor)) else { break };
            if work.is_interrupted() {
                work.end();
                let how = command_to_go_on(&format!("--after={cursor}"));
                return Err(Failure::Interrupted(format!(
                    "interrupted after {} histories, {} findings so far; to go on: {how}",
                    self.histories, self.findings
                )));
            }
            next = next.after(cursor);
        }
        work.end();
        Ok(())
    }

    /// Counts a history, and prints what does not fit.
    fn look_at(&mut self, session: &mut Session, id: &RequestId, found: &HistoryVerification) -> Result<(), Failure> {
        self.histories += 1;
        self.decisions += u64::from(found.decisions);
        let Some(finding) = self.finding(found) else { return Ok(()) };
        self.findings += 1;
        if session.is_json() {
            return session.json_line(&Row { id, finding, verification: found });
        }
        session.line(format_args!("request {id}: {finding}"))
    }

    /// What does not fit, in words.
    fn finding(&self, found: &HistoryVerification) -> Option<String> {
        if let Some(problem) = &found.problem {
            return Some(problem.to_string());
        }
        let (what, from) = if !self.whole {
            return None;
        } else if !found.is_wholly_chained() {
            ("chained", found.chained_from)
        } else if self.verifies_seals && !found.is_wholly_sealed() {
            ("sealed", found.sealed_from)
        } else {
            return None;
        };
        Some(match from {
            Some(first) => format!("decisions before {first} are not {what}"),
            None => format!("no decision is {what}"),
        })
    }

    fn finish(&self, session: &mut Session) -> Result<(), Failure> {
        let Self { histories, decisions, findings, unreadable, .. } = self;
        if session.is_json() {
            session.json_line(self)?;
        } else {
            session
                .line(format_args!("{histories} histories of {decisions} decisions checked, {findings} findings"))?;
            if !self.verifies_seals {
                note("seals are not verified: the configuration names no seal_keys");
            }
        }
        match (findings, unreadable) {
            (0, 0) => Ok(()),
            (_, 0) => Err(Failure::Incomplete(format!("{findings} histories are not as they were recorded"))),
            _ => Err(Failure::Incomplete(format!("{findings} findings, and {unreadable} requests cannot be read"))),
        }
    }
}

impl Checkpoint {
    fn run(self, session: &mut Session) -> Result<(), Failure> {
        let files = [self.out.as_deref(), self.heads.as_deref()];
        // Before the long work; nobody may lose an older checkpoint.
        if let Some(file) = files.into_iter().flatten().find(|file| file.exists()) {
            return Err(Failure::File(format!("{} is there already; name a new file", file.display())));
        }
        let governance = session.reading()?;
        let (heads, unreadable) = collect(&governance)?;
        let checkpoint = heads.checkpoint(self.origin, governance.clock().now());
        if let Some(file) = &self.heads {
            let text = serde_json::to_string(&heads).map_err(|error| Failure::File(error.to_string()))?;
            write_new(file, &text)?;
        }
        if let Some(file) = &self.out {
            write_new(file, &checkpoint.note())?;
        }
        if session.is_json() {
            session.json(&checkpoint)?;
        } else if let Some(file) = &self.out {
            session.line(format_args!("{} in {}", text::count(checkpoint.size, "request"), file.display()))?;
        } else {
            session.print(checkpoint.note())?;
        }
        match unreadable {
            0 => Ok(()),
            number => Err(Failure::Incomplete(format!("{number} requests could not be read, and are not in it"))),
        }
    }
}

/// The heads of all histories, and how many requests cannot be read.
fn collect(governance: &Governance) -> Result<(HeadTree, u64), Failure> {
    let total = governance.count(&RequestQuery::new())?.number();
    let work = LongWork::begin()?;
    let (mut heads, mut unreadable, mut next) = (HeadTree::new(), 0, PageRequest::of(AT_ONCE)?);
    loop {
        let page = governance.collect_heads(&mut heads, &next)?;
        work.pause(|| {
            for one in &page.unreadable {
                unreadable += 1;
                note(format_args!("request {} cannot be read: {}", one.id, one.error));
            }
        });
        let done = heads.len() as u64;
        work.show("heads", done, Some(total.max(done)));
        let Some(cursor) = page.next.filter(|cursor| next.cursor() != Some(cursor)) else { break };
        work.exit_if_interrupted(&format!("interrupted; there is no checkpoint. Again: {}", command_to_go_on("")));
        next = next.after(cursor);
    }
    work.end();
    Ok((heads, unreadable))
}

fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    let written =
        File::create_new(file).and_then(|mut new| new.write_all(text.as_bytes()).and_then(|()| new.sync_all()));
    written.map_err(|error| Failure::file(file, &error))
}

/// The first line of a checkpoint, which a signature is about.
fn origin(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("an origin is text on one line, such as example.com/billing".to_owned());
    }
    Ok(text.to_owned())
}
