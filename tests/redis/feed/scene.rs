//! A namespace whose writes are known, and a reader that saves its position as text.

use std::time::Duration;

use mutator_governance::{
    FeedChange, FeedEntry, FeedGap, FeedPage, FeedPosition, MutationRequest, UnreadableEntry, WriteId,
};

use common::requests::{asking_for_approvals, draft, moved_on, pending, second};
use common::unique_namespace;
use common::{self, Flavour, Options, Oracle, Raw, Store};

pub struct Scene {
    pub options: Options,
    pub store: Store,
    pub oracle: Oracle,
    pub raw: Raw,
    /// What the feed has to tell, in the order of writing.
    pub written: Vec<common::FeedEntry>,
}

/// All that a reader was told until it had caught up.
#[derive(Default)]
pub struct Followed {
    pub entries: Vec<FeedEntry>,
    pub unreadable: Vec<UnreadableEntry>,
    pub gaps: Vec<FeedGap>,
    pub pages: usize,
}

impl Scene {
    pub fn new(flavour: Flavour, url: &str, partitions: u16) -> Self {
        Self::with(flavour, Options::new(url, unique_namespace("feed")).partitions(partitions))
    }

    pub fn with(flavour: Flavour, options: Options) -> Self {
        let options = options.timeout(Duration::from_secs(20));
        let store = flavour.open(&options).unwrap();
        let oracle = Oracle::new(&options.namespace, options.partitions);
        let raw = Raw::to(&options.url);
        Self { store, oracle, raw, options, written: Vec::new() }
    }

    pub fn create(&mut self, id: &str) -> MutationRequest {
        self.submit(pending(id, "s", second(1)))
    }

    fn submit(&mut self, request: MutationRequest) -> MutationRequest {
        let stored = self.store.create(request).unwrap();
        self.written.push(common::FeedEntry::for_write(None, &stored));
        stored
    }

    pub fn move_on(&mut self, request: MutationRequest) -> MutationRequest {
        let stored = self.store.update(moved_on(request.clone(), second(2)), WriteId::generate()).unwrap();
        self.written.push(common::FeedEntry::for_write(Some(&request), &stored));
        stored
    }

    /// Files so many requests, moves each of them on so many times, and submits one that asks for approvals.
    pub fn write(&mut self, prefix: &str, requests: usize, moves: usize) {
        let mut stored: Vec<_> = (0..requests).map(|number| self.create(&format!("{prefix}-{number}"))).collect();
        for _ in 0..moves {
            stored = stored.into_iter().map(|request| self.move_on(request)).collect();
        }
        self.submit(asking_for_approvals(draft(&format!("{prefix}-asking"), "s"), second(3)));
    }

    /// Writes to one request so often that many entries of its feed have to go, if it keeps few.
    pub fn write_often(&mut self, id: &str, times: usize) {
        let mut request = self.store.create(pending(id, "s", second(1))).unwrap();
        for _ in 1..times {
            request = self.store.update(moved_on(request, second(2)), WriteId::generate()).unwrap();
        }
    }

    pub fn feed_key(&self, partition: u16) -> String {
        String::from_utf8(self.oracle.feed_key(partition)).unwrap()
    }

    /// Reads on until nothing is left, and has the position saved and read back between any two pages.
    pub fn follow(&self, position: &mut FeedPosition, limit: usize) -> Followed {
        let mut followed = Followed::default();
        for _ in 0..2_000 {
            let page = self.page(position, limit);
            followed.pages += 1;
            followed.entries.extend(page.entries);
            followed.unreadable.extend(page.unreadable);
            followed.gaps.extend(page.gaps);
            if page.is_caught_up {
                return followed;
            }
        }
        panic!("never caught up");
    }

    pub fn page(&self, position: &mut FeedPosition, limit: usize) -> FeedPage {
        let page = self.store.read_feed(position, limit).unwrap();
        assert!(page.entries.len() + page.unreadable.len() <= limit, "a page over its limit");
        *position = page.next.to_string().parse().unwrap();
        page
    }

    /// Exactly these entries, those of each partition in this order.
    pub fn check(&self, entries: &[FeedEntry], expected: &[common::FeedEntry]) {
        for partition in 0..self.options.partitions {
            let followed: Vec<_> = entries.iter().filter(|entry| entry.partition == partition).map(plain).collect();
            let here = |entry: &&common::FeedEntry| self.oracle.partition_of(&entry.id) == partition;
            let expected: Vec<_> = expected.iter().filter(here).cloned().collect();
            assert_eq!(followed, expected, "partition {partition}");
        }
        assert_eq!(entries.len(), expected.len());
    }
}

/// As the server holds it.
pub fn plain(entry: &FeedEntry) -> common::FeedEntry {
    let decisions: Vec<String> = entry.decisions.iter().map(ToString::to_string).collect();
    common::FeedEntry {
        id: entry.id.to_string(),
        revision: entry.revision,
        status: entry.status.to_string(),
        decisions: decisions.join(","),
        first: entry.first_decision.map_or_else(String::new, |first| first.to_string()),
        by: entry.by.as_ref().map_or_else(String::new, |by| {
            let id = by.id.as_ref().map_or("", |id| id.as_str());
            format!("{:?}\n{id}\n{}", by.kind, by.name.as_deref().unwrap_or(""))
        }),
        change: if entry.change == FeedChange::Written { String::new() } else { entry.change.as_str().to_owned() },
    }
}

/// The revision numbers, in order.
pub fn revisions(followed: &Followed) -> Vec<u64> {
    followed.entries.iter().map(|entry| entry.revision).collect()
}
