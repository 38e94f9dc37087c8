//! What a history is made of: what clients asked of one request, what they were told, and when.

/// A write, by a number that no other write of the history has.
pub type Write = u32;

/// A revision as the store names it: a number, and the write that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    pub number: u64,
    pub write: Write,
}

/// One call of one client. Moments come from one counter that all clients share: a call whose `end` is less than the
/// `start` of another had ended when that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub client: usize,
    pub start: u64,
    pub end: u64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A call that told what is stored; nothing, or a revision with the writes its content comes from, in order. An error
    /// that tells what is stored is one too.
    Read(Option<Seen>),
    /// A creation, whose `base` is none, or an update of a revision.
    Write { write: Write, base: Option<Revision>, answer: Answer },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub revision: Revision,
    pub content: Vec<Write>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Told to have been applied.
    Acknowledged,
    /// Told not to have been applied, for good.
    Rejected,
    /// Nobody could tell. It may take effect at any time after it was sent, or never.
    Unknown,
}

impl Event {
    pub fn read(client: usize, start: u64, end: u64, seen: Option<Seen>) -> Self {
        Self { client, start, end, what: What::Read(seen) }
    }

    pub fn write(client: usize, start: u64, end: u64, write: Write, base: Option<Revision>, answer: Answer) -> Self {
        Self { client, start, end, what: What::Write { write, base, answer } }
    }
}
