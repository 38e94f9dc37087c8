//! A bounded change feed in this process's memory.

use std::collections::VecDeque;

use super::{FeedEntry, FeedGap, FeedPage, FeedPosition, check_limit};
use crate::error::{Error, Result};
use crate::request::Timestamp;

/// The only partition of this feed.
const PARTITION: u16 = 0;

/// The latest entries, up to a maximum, and how many were removed before them. The place of an entry is the number of
/// entries ever added before it.
pub(crate) struct FeedLog {
    /// Tells this feed from those of other stores.
    store: String,
    length: usize,
    entries: VecDeque<FeedEntry>,
    removed: u64,
    latest: Timestamp,
}

impl FeedLog {
    pub(crate) const fn new(store: String, length: usize) -> Self {
        Self { store, length, entries: VecDeque::new(), removed: 0, latest: Timestamp::MIN }
    }

    /// Adds the entry that `entry` makes for the time, which never goes back, and removes entries over the maximum.
    pub(crate) fn add(&mut self, now: Timestamp, entry: impl FnOnce(u16, Timestamp) -> FeedEntry) {
        self.latest = self.latest.max(now);
        self.entries.push_back(entry(PARTITION, self.latest));
        while self.entries.len() > self.length {
            self.entries.pop_front();
            self.removed += 1;
        }
    }

    pub(crate) fn end(&self) -> FeedPosition {
        self.position(self.added())
    }

    pub(crate) fn read(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        let limit = check_limit(limit)?;
        let read = self.count_before(from)?.unwrap_or(self.removed);
        if read < self.removed {
            let gap = FeedGap::Trimmed { partition: PARTITION, missed: self.removed - read };
            return Ok(FeedPage::at_gap(gap, self.position(self.removed)));
        }
        let known = usize::try_from(read - self.removed).unwrap_or(usize::MAX);
        let entries: Vec<FeedEntry> = self.entries.iter().skip(known).take(limit).cloned().collect();
        let next = read + entries.len() as u64;
        Ok(FeedPage::new(entries, self.position(next), next == self.added()))
    }

    /// How many entries were added after a position; `None` for a position of another feed.
    pub(crate) fn lag(&self, from: &FeedPosition) -> Option<u64> {
        let before = self.count_before(from).ok()?;
        Some(self.added() - before.unwrap_or(self.removed))
    }

    fn added(&self) -> u64 {
        self.removed + self.entries.len() as u64
    }

    fn position(&self, count: u64) -> FeedPosition {
        FeedPosition::new(&self.store, count.to_be_bytes())
    }

    fn count_before(&self, position: &FeedPosition) -> Result<Option<u64>> {
        let Some(place) = position.place(&self.store)? else { return Ok(None) };
        let count = place.try_into().ok().map(u64::from_be_bytes).filter(|count| *count <= self.added());
        count.map(Some).ok_or_else(|| Error::invalid_feed_position("it is damaged"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::FeedChange;
    use crate::request::{RequestId, Status};

    fn log(length: usize, added: u64) -> FeedLog {
        let mut log = FeedLog::new("memory".to_owned(), length);
        (0..added).for_each(|revision| add(&mut log, revision, 5));
        log
    }

    fn add(log: &mut FeedLog, revision: u64, micros: u64) {
        let id = RequestId::new("a").unwrap();
        log.add(Timestamp::from_micros(micros).unwrap(), |partition, added_at| FeedEntry {
            id,
            revision,
            status: Status::Pending,
            decisions: Vec::new(),
            first_decision: None,
            by: None,
            change: FeedChange::Written,
            partition,
            added_at,
        });
    }

    /// A gap is reported exactly when an unread entry was removed, once, with the number of entries.
    #[test]
    fn what_was_removed_unread_is_one_gap() {
        for read in 0..=10 {
            for length in 0..=12 {
                let mut feed = log(length, read);
                let position = feed.end();
                (read..10).for_each(|revision| add(&mut feed, revision, 5));
                let missed = 10_u64.saturating_sub(length as u64).saturating_sub(read);
                let mut page = feed.read(&position, 100).unwrap();
                if missed > 0 {
                    assert_eq!(page.gaps, [FeedGap::Trimmed { partition: 0, missed }], "{read} read, length {length}");
                    assert!(page.entries.is_empty() && !page.is_caught_up);
                    page = feed.read(&page.next, 100).unwrap();
                }
                let revisions: Vec<u64> = page.entries.iter().map(|entry| entry.revision).collect();
                assert_eq!(revisions, (read + missed..10).collect::<Vec<_>>(), "{read} read, length {length}");
                assert!(page.gaps.is_empty() && page.is_caught_up);
            }
        }
    }

    #[test]
    fn who_begins_has_missed_nothing() {
        let page = log(3, 10).read(&FeedPosition::beginning(), 2).unwrap();
        assert_eq!(page.entries.iter().map(|entry| entry.revision).collect::<Vec<_>>(), [7, 8]);
        assert!(page.gaps.is_empty() && !page.is_caught_up);
    }

    #[test]
    fn the_time_of_an_entry_is_never_before_that_of_the_one_before() {
        let mut feed = log(9, 0);
        [7, 3, 8].into_iter().for_each(|micros| add(&mut feed, micros, micros));
        let page = feed.read(&FeedPosition::beginning(), 9).unwrap();
        assert_eq!(page.entries.iter().map(|entry| entry.added_at.as_micros()).collect::<Vec<_>>(), [7, 7, 8]);
    }

    #[test]
    fn a_place_that_cannot_be_is_an_error() {
        let feed = log(3, 5);
        for place in [vec![], vec![0; 7], 6_u64.to_be_bytes().to_vec()] {
            let error = feed.read(&FeedPosition::new("memory", place), 1).unwrap_err();
            assert!(matches!(error, Error::InvalidFeedPosition { .. }), "{error:?}");
        }
    }
}
