//! A page of the change feed, read from one partition after another.

use redis::Value;

use super::mark::{Mark, StreamId};
use super::marks::Marks;
use super::reply::Part;
use crate::error::Result;
use crate::feed::{FeedPage, FeedPosition, check_limit};
use crate::redis::keyspace::Keyspace;

/// The next read of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FeedRead {
    pub(crate) partition: u16,
    start: Start,
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Oldest,
    Entry(StreamId),
    End,
}

impl FeedRead {
    /// The start, as feed.lua takes it.
    pub(crate) fn from(&self) -> String {
        match self.start {
            Start::Oldest => "-".to_owned(),
            Start::Entry(id) => id.to_string(),
            Start::End => "end".to_owned(),
        }
    }

    /// The number of entries: one more than the page has space for, which is the entry read last, or shows that there
    /// are more.
    pub(crate) const fn count(&self) -> usize {
        self.limit + 1
    }
}

/// A page in the making: the entries of the partitions so far, and how far each has been read.
pub(crate) struct FeedWalk<'a> {
    keyspace: &'a Keyspace,
    marks: Vec<Mark>,
    first: u16,
    visited: u16,
    room: usize,
    page: FeedPage,
}

impl<'a> FeedWalk<'a> {
    /// # Errors
    /// [`Error::InvalidFeedPosition`](crate::Error::InvalidFeedPosition) if the position came from another namespace,
    /// and [`Error::Invalid`](crate::Error::Invalid) for a limit that is not allowed.
    pub(crate) fn new(keyspace: &'a Keyspace, from: &FeedPosition, limit: usize) -> Result<Self> {
        let room = check_limit(limit)?;
        let Marks { turn, partitions } = Marks::of(from, keyspace)?;
        let page = FeedPage::new(Vec::new(), from.clone(), true);
        Ok(Self { keyspace, marks: partitions, first: turn, visited: 0, room, page })
    }

    /// The next read: each partition once, for its share of the space that is left.
    pub(crate) fn next(&self) -> Option<FeedRead> {
        let partitions = self.keyspace.partition_count();
        let left = usize::from(partitions.saturating_sub(self.visited));
        if left == 0 || self.room == 0 {
            return None;
        }
        let partition = self.turn();
        let start = self.marks.get(usize::from(partition))?.from().map_or(Start::Oldest, Start::Entry);
        Some(FeedRead { partition, start, limit: self.room.div_ceil(left) })
    }

    /// Takes the reply to that read.
    pub(crate) fn add(&mut self, read: FeedRead, reply: &Value) -> Result<()> {
        let part = Part::of(self.keyspace, read.partition, reply)?;
        if let Some(mark) = self.marks.get_mut(usize::from(read.partition)) {
            let step = mark.read_on(read.partition, part, read.limit);
            *mark = step.next;
            self.page.is_caught_up &= !step.more;
            self.page.gaps.extend(step.gap);
            self.room = self.room.saturating_sub(step.entries.len());
            for entry in step.entries {
                match entry {
                    Ok(entry) => self.page.entries.push(entry),
                    Err(unreadable) => self.page.unreadable.push(unreadable),
                }
            }
        }
        self.visited = self.visited.saturating_add(1);
        Ok(())
    }

    pub(crate) const fn is_begun(&self) -> bool {
        self.visited > 0
    }

    pub(crate) fn finish(mut self) -> FeedPage {
        self.page.is_caught_up &= self.visited == self.keyspace.partition_count();
        self.page.next = Marks { turn: self.turn(), partitions: self.marks }.position(self.keyspace);
        self.page
    }

    /// The partition whose turn it is.
    fn turn(&self) -> u16 {
        let turn = u32::from(self.first) + u32::from(self.visited);
        u16::try_from(turn % u32::from(self.keyspace.partition_count())).unwrap_or(0)
    }
}

/// The end of every partition's feed.
pub(crate) struct FeedEnds<'a> {
    keyspace: &'a Keyspace,
    marks: Vec<Mark>,
}

impl<'a> FeedEnds<'a> {
    pub(crate) const fn new(keyspace: &'a Keyspace) -> Self {
        Self { keyspace, marks: Vec::new() }
    }

    /// The next partition to ask.
    pub(crate) const fn read(partition: u16) -> FeedRead {
        FeedRead { partition, start: Start::End, limit: 0 }
    }

    pub(crate) fn add(&mut self, read: FeedRead, reply: &Value) -> Result<()> {
        self.marks.push(Mark::end(&Part::of(self.keyspace, read.partition, reply)?));
        Ok(())
    }

    pub(crate) fn finish(self) -> FeedPosition {
        Marks { turn: 0, partitions: self.marks }.position(self.keyspace)
    }
}
