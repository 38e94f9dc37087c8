//! `watch`: the change feed, live.

use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use mutator_governance::blocking::Governance;
use mutator_governance::{FeedChange, FeedEntry, FeedPosition};

use super::timeline::who;
use crate::failure::Failure;
use crate::progress::LongWork;
use crate::session::{Session, note};
use crate::text;

/// Ends by Ctrl-C, and then names the position to go on from.
#[derive(Args)]
pub(crate) struct Watch {
    /// From the oldest entry that is still there, instead of from now on
    #[arg(long, conflicts_with = "from")]
    from_beginning: bool,

    /// From this position on, which an earlier watch named
    #[arg(long, value_name = "POSITION")]
    from: Option<FeedPosition>,

    /// Ends after this many entries
    #[arg(long, value_name = "NUMBER")]
    entries: Option<usize>,

    /// Ends when it has caught up
    #[arg(long)]
    once: bool,
}

const AT_ONCE: usize = 100;
const PAUSE: Duration = Duration::from_millis(250);

impl Watch {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let governance = session.reading()?;
        let mut position = match self.from {
            Some(position) => position,
            None if self.from_beginning => FeedPosition::beginning(),
            None => governance.end_of_feed()?,
        };
        let followed = follow(session, &governance, &mut position, self.entries, self.once);
        note(format_args!("to go on: mutatorctl watch --from {position}"));
        followed
    }
}

/// Until somebody interrupts it. The position is then the one after the last entry that was printed.
fn follow(
    session: &mut Session,
    governance: &Governance,
    position: &mut FeedPosition,
    entries: Option<usize>,
    once: bool,
) -> Result<(), Failure> {
    let work = LongWork::begin()?;
    let mut left = entries.unwrap_or(usize::MAX);
    while left > 0 && !work.is_interrupted() {
        let page = governance.read_feed(position, left.min(AT_ONCE))?;
        page.gaps.iter().for_each(|gap| note(format_args!("missed: {gap}")));
        page.unreadable.iter().for_each(note);
        for entry in &page.entries {
            if session.is_json() {
                session.json_line(entry)?;
            } else {
                session.line(line(entry))?;
            }
        }
        left = left.saturating_sub(page.entries.len());
        *position = page.next;
        if page.is_caught_up && once {
            break;
        }
        if page.is_caught_up {
            sleep(PAUSE);
        }
    }
    Ok(())
}

fn line(entry: &FeedEntry) -> String {
    let by = match &entry.by {
        Some(by) => match &by.acting_for {
            Some(absent) => format!(" by {} for {absent}", who(by.id.as_ref(), by.label())),
            None => format!(" by {}", who(by.id.as_ref(), by.label())),
        },
        None => String::new(),
    };
    let decisions: Vec<String> = entry.decisions.iter().map(ToString::to_string).collect();
    let what = match (entry.change, decisions.is_empty()) {
        (FeedChange::Written, false) => decisions.join(", "),
        (FeedChange::Written, true) => "written".to_owned(),
        (change, _) => change.as_str().to_owned(),
    };
    format!("{}  {} r{} {}: {what}{by}", text::time(entry.added_at), entry.id, entry.revision, entry.status)
}
