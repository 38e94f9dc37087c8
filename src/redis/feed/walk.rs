//! A page of the change feed, read from all partitions at once.

use std::collections::{BTreeSet, VecDeque};

use redis::Value;

use super::mark::{Mark, StreamId};
use super::marks::Marks;
use super::reply::{Origin, Part};
use crate::error::Result;
use crate::feed::{FeedPage, FeedPosition, check_limit};
use crate::query::MissingPartition;
use crate::redis::keyspace::Keyspace;
use crate::redis::pages::scan::MAX_PAGE_BYTES;

/// The next read of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FeedRead {
    pub(crate) partition: u16,
    start: Start,
    limit: usize,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Oldest,
    Entry(StreamId),
    End,
}

impl FeedRead {
    /// Asks how many entries were ever added, and for the origin.
    pub(crate) const fn of_extent(partition: u16) -> Self {
        Self { partition, start: Start::Oldest, limit: 0, bytes: MAX_PAGE_BYTES }
    }

    /// The start, as feed.lua takes it.
    pub(crate) fn from(&self) -> String {
        match self.start {
            Start::Oldest => "-".to_owned(),
            Start::Entry(id) => id.to_string(),
            Start::End => "end".to_owned(),
        }
    }

    /// Whether it reads from the oldest entry on, so that it has to know where the requests came from.
    pub(crate) fn is_from_oldest(&self) -> bool {
        self.start == Start::Oldest
    }

    /// The number of entries: one more than the page has space for, which is the entry read last, or shows that there
    /// are more.
    pub(crate) const fn count(&self) -> usize {
        self.limit + 1
    }

    /// How many bytes of entries are enough.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A page in the making: the entries of the partitions so far, and how far each has been read.
pub(crate) struct FeedWalk<'a> {
    keyspace: &'a Keyspace,
    marks: Vec<Mark>,
    /// The partitions that may have more for this page, the one whose turn it is first.
    left: VecDeque<u16>,
    /// Partitions that a repartition added, whose feed waits for those that their requests came from.
    held: Vec<(u16, Origin)>,
    /// The partitions whose feed has been read to its end for this page.
    ended: BTreeSet<u16>,
    is_begun: bool,
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
        let left = (turn..keyspace.partition_count()).chain(0..turn).collect();
        let (held, ended) = (Vec::new(), BTreeSet::new());
        Ok(Self { keyspace, marks: partitions, left, held, ended, is_begun: false, room, page })
    }

    /// What to read next, in as many partitions at once as may be: of each its share of the space that is left. Nothing if the
    /// page is full or has all there is.
    pub(crate) fn next_round(&self, most: usize) -> Vec<FeedRead> {
        if self.room == 0 {
            return Vec::new();
        }
        let at_once = self.left.len().min(most.max(1));
        let (limit, bytes) = (self.room.div_ceil(self.left.len().max(1)), MAX_PAGE_BYTES / at_once.max(1));
        let read = |&partition: &u16| {
            let start = self.marks.get(usize::from(partition))?.from().map_or(Start::Oldest, Start::Entry);
            Some(FeedRead { partition, start, limit, bytes })
        };
        self.left.iter().take(at_once).filter_map(read).collect()
    }

    /// Takes the reply to a read of the last [`next_round`](Self::next_round), in its order, unless the page is full.
    pub(crate) fn add(&mut self, read: FeedRead, reply: &Value) -> Result<()> {
        let part = Part::of(self.keyspace, read.partition, reply)?;
        if self.room == 0 {
            return Ok(());
        }
        self.is_begun = true;
        self.left.retain(|partition| *partition != read.partition);
        if !self.has_passed(&part.origin) {
            self.held.push((read.partition, part.origin));
            return Ok(());
        }
        if let Some(mark) = self.marks.get_mut(usize::from(read.partition)) {
            let step = mark.read_on(read.partition, part, read.limit.min(self.room));
            *mark = step.next;
            if step.more && step.gap.is_none() && !step.entries.is_empty() {
                self.left.push_back(read.partition);
            } else {
                self.page.is_caught_up &= !step.more;
            }
            if !step.more {
                self.ended.insert(read.partition);
            }
            self.page.gaps.extend(step.gap);
            self.room = self.room.saturating_sub(step.entries.len());
            for entry in step.entries {
                match entry {
                    Ok(entry) => self.page.entries.push(entry),
                    Err(unreadable) => self.page.unreadable.push(unreadable),
                }
            }
        }
        self.release();
        Ok(())
    }

    /// Leaves a partition out of the page because it does not answer: the next one goes on with it where this one began.
    pub(crate) fn leave_out(&mut self, missing: MissingPartition) {
        self.left.retain(|partition| *partition != missing.partition);
        self.page.missing.push(missing);
    }

    /// Whether the entries before this origin have been read, or can be no more: those of one request come in the order of
    /// its revisions, also where a repartition moved it.
    fn has_passed(&self, origin: &Origin) -> bool {
        let has_passed = |(partition, added): &(u16, u64)| {
            let mark = self.marks.get(usize::from(*partition));
            mark.is_some_and(|mark| mark.is_behind(*added)) || self.ended.contains(partition)
        };
        origin.0.iter().all(has_passed)
    }

    /// Reads the partitions that need not wait any more.
    fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        let (free, held) = held.into_iter().partition::<Vec<_>, _>(|(_, origin)| self.has_passed(origin));
        self.held = held;
        self.left.extend(free.into_iter().map(|(partition, _)| partition));
    }

    pub(crate) const fn is_begun(&self) -> bool {
        self.is_begun
    }

    pub(crate) fn finish(mut self) -> FeedPage {
        // Those that are held wait for one that is missing, if there is any.
        self.page.is_caught_up &= self.left.is_empty() && (self.held.is_empty() || !self.page.missing.is_empty());
        let turn = self.left.front().copied().unwrap_or(0);
        self.page.next = Marks { turn, partitions: self.marks }.position(self.keyspace);
        self.page
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
        FeedRead { partition, start: Start::End, limit: 0, bytes: MAX_PAGE_BYTES }
    }

    pub(crate) fn add(&mut self, read: FeedRead, reply: &Value) -> Result<()> {
        self.marks.push(Mark::end(&Part::of(self.keyspace, read.partition, reply)?));
        Ok(())
    }

    pub(crate) fn finish(self) -> FeedPosition {
        Marks { turn: 0, partitions: self.marks }.position(self.keyspace)
    }
}
