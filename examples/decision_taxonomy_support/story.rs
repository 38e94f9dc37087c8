//! What a story is made of: events, each with its time.

use std::time::Duration;

use mutator_governance::workflow::{Command, Completion, ExecutionOrder, Failure};
use mutator_governance::{RequestDraft, RequestId, Timestamp};

use crate::support::Result;

/// Some requests, and all that happens to them.
pub struct Story {
    pub title: &'static str,
    pub requests: Vec<RequestId>,
    pub events: Vec<Event>,
}

/// An event and its time.
pub struct Event {
    pub at: Timestamp,
    pub what: What,
}

/// An event.
pub enum What {
    Submitted(Box<RequestDraft>),
    Did(RequestId, Box<Command>),
    Executed(RequestId, Box<ExecutionOrder>, Result<Completion, Failure>),
    Swept,
}

/// Writes the stories: each on a day of its own from 09:00, its events five minutes apart.
pub struct Diary {
    now: Timestamp,
    pub stories: Vec<Story>,
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Diary {
    /// An empty diary.
    pub fn new() -> Self {
        Self { now: Timestamp::MIN, stories: Vec::new() }
    }

    /// Begins a story about these requests.
    pub fn begin(&mut self, title: &'static str, requests: &[&str]) -> Result<()> {
        let days = u32::try_from(self.stories.len())?;
        let first: Timestamp = "2026-05-04T08:55:00Z".parse()?;
        self.now = first.saturating_add(DAY * days);
        let requests = requests.iter().map(|id| RequestId::new(*id)).collect::<Result<_, _>>()?;
        self.stories.push(Story { title, requests, events: Vec::new() });
        Ok(())
    }

    /// Lets hours pass.
    pub fn hours_pass(&mut self, hours: u32) {
        self.now = self.in_hours(hours);
    }

    /// The time in so many hours.
    pub fn in_hours(&self, hours: u32) -> Timestamp {
        self.now.saturating_add(60 * MINUTE * hours)
    }

    /// Somebody submits this.
    pub fn submitted(&mut self, draft: RequestDraft) {
        self.add(What::Submitted(Box::new(draft)));
    }

    /// Somebody gives this command.
    pub fn did(&mut self, id: &str, command: Command) -> Result<()> {
        self.add(What::Did(RequestId::new(id)?, Box::new(command)));
        Ok(())
    }

    /// A service tries to execute a request, with this result.
    pub fn executed(&mut self, id: &str, order: ExecutionOrder, result: Result<Completion, Failure>) -> Result<()> {
        self.add(What::Executed(RequestId::new(id)?, Box::new(order), result));
        Ok(())
    }

    /// The sweeper does what is due.
    pub fn swept(&mut self) {
        self.add(What::Swept);
    }

    fn add(&mut self, what: What) {
        self.now = self.now.saturating_add(5 * MINUTE);
        if let Some(story) = self.stories.last_mut() {
            story.events.push(Event { at: self.now, what });
        }
    }
}
