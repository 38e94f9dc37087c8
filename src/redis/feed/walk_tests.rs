//! Walks over the feeds of several partitions.

use super::samples::{Feeds, fields};
use super::{FeedEnds, FeedWalk};
use crate::error::Error;
use crate::feed::{FeedGap, FeedPage, FeedPosition};

fn read(feeds: &Feeds, from: &FeedPosition, limit: usize) -> FeedPage {
    let mut walk = FeedWalk::new(&feeds.keyspace, from, limit).unwrap();
    // As many at once as it may be, differently each time.
    for most in (1..4).cycle() {
        let reads = walk.next_round(most);
        assert!(reads.len() <= most);
        if reads.is_empty() {
            break;
        }
        reads.into_iter().for_each(|read| walk.add(read, &feeds.answer(read)).unwrap());
    }
    walk.finish()
}

fn end(feeds: &Feeds) -> FeedPosition {
    let mut ends = FeedEnds::new(&feeds.keyspace);
    for partition in feeds.keyspace.partitions() {
        let read = FeedEnds::read(partition);
        ends.add(read, &feeds.answer(read)).unwrap();
    }
    ends.finish()
}

/// Reads to the end, like a process that saves its position as text.
fn follow(feeds: &Feeds, from: &FeedPosition, limit: usize) -> (Vec<(String, u64)>, Vec<FeedGap>, FeedPosition) {
    let (mut entries, mut gaps, mut position) = (Vec::new(), Vec::new(), from.clone());
    for _ in 0..1_000 {
        let page = read(feeds, &position, limit);
        assert!(page.entries.len() + page.unreadable.len() <= limit);
        entries.extend(page.entries.into_iter().map(|entry| (entry.id.to_string(), entry.revision)));
        gaps.extend(page.gaps);
        position = page.next.to_string().parse().unwrap();
        if page.is_caught_up {
            return (entries, gaps, position);
        }
    }
    panic!("never caught up");
}

#[test]
fn every_entry_comes_once_whatever_the_limit() {
    for partitions in [1, 4] {
        let mut feeds = Feeds::new(partitions);
        let mut written = Vec::new();
        for number in 0..37 {
            let id = format!("r{}", number % 9);
            feeds.add(&id, number);
            written.push((id, number as u64));
        }
        written.sort();
        for limit in [1, 2, 3, 5, 10, 36, 37, 38, 1_000] {
            let (mut entries, gaps, end) = follow(&feeds, &FeedPosition::beginning(), limit);
            entries.sort();
            assert_eq!(entries, written, "{partitions} partitions, limit {limit}");
            assert_eq!(gaps, []);
            assert_eq!(follow(&feeds, &end, limit).0, [], "read again");
        }
    }
}

#[test]
fn a_full_partition_keeps_no_other_from_being_read() {
    let mut feeds = Feeds::new(4);
    for number in 0..200 {
        feeds.add("busy", number);
    }
    let busy = feeds.add("busy", 200);
    let quiet = (0..).map(|n| format!("q{n}")).find(|id| feeds.add(id, 0) != busy).unwrap();
    for limit in [1, 2, 4, 8] {
        let mut position = FeedPosition::beginning();
        let mut pages = 0;
        loop {
            pages += 1;
            let page = read(&feeds, &position, limit);
            position = page.next;
            if page.entries.iter().any(|entry| entry.id == quiet.as_str()) {
                break;
            }
        }
        assert!(pages <= 4, "limit {limit}: {pages} pages");
    }
}

#[test]
fn behind_the_end_comes_what_is_written_from_then_on() {
    for removed in [0, 3, 5] {
        let mut feeds = Feeds::new(1);
        feeds.write(0..5);
        feeds.streams[0].removed = removed;
        let end = end(&feeds);
        assert_eq!(follow(&feeds, &end, 10).0, []);
        feeds.add("a", 5);
        assert_eq!(follow(&feeds, &end, 10).0, [("a".to_owned(), 5)], "{removed} removed");
    }
    let mut feeds = Feeds::new(2);
    let end = end(&feeds);
    feeds.add("a", 0);
    let (entries, gaps, _) = follow(&feeds, &end, 1);
    assert_eq!((entries.len(), gaps.len()), (1, 0), "a feed that was not there yet");
}

/// A gap is reported exactly if an entry was removed unread, once, with the number of such entries.
#[test]
fn what_was_removed_unread_is_reported_once_and_exactly() {
    for already_read in 0..=10 {
        for removed in 0..=10 {
            let mut feeds = Feeds::new(1);
            feeds.write(0..already_read);
            let position = follow(&feeds, &FeedPosition::beginning(), 3).2;
            feeds.write(already_read..10);
            feeds.streams[0].removed = removed;
            let (entries, gaps, next) = follow(&feeds, &position, 3);
            let missed = removed.saturating_sub(already_read);
            let expected: Vec<FeedGap> =
                (missed > 0).then_some(FeedGap::Trimmed { partition: 0, missed: missed as u64 }).into_iter().collect();
            assert_eq!(gaps, expected, "{already_read} read, {removed} removed");
            let revisions: Vec<u64> = entries.iter().map(|(_, revision)| *revision).collect();
            assert_eq!(revisions, (already_read.max(removed) as u64..10).collect::<Vec<_>>());
            assert_eq!(follow(&feeds, &next, 3).1, []);
        }
    }
}

/// Removed between the page that reports a gap and the next one.
#[test]
fn a_second_gap_is_reported_as_well() {
    let mut feeds = Feeds::new(1);
    feeds.write(0..3);
    let position = follow(&feeds, &FeedPosition::beginning(), 10).2;
    feeds.write(3..9);
    feeds.streams[0].removed = 5;
    let first = read(&feeds, &position, 10);
    assert_eq!(first.gaps, [FeedGap::Trimmed { partition: 0, missed: 2 }]);
    assert_eq!((first.entries.len(), first.is_caught_up), (0, false));
    feeds.streams[0].removed = 6;
    assert_eq!(read(&feeds, &first.next, 10).gaps, [FeedGap::Trimmed { partition: 0, missed: 1 }]);
}

/// A replica takes over without the last entries, and writes on: more, as much or less than was lost, at other times
/// or, because its clock is behind, at the same times.
#[test]
fn a_history_that_was_lost_is_reported_once_and_what_took_its_place_is_read() {
    for same_times in [true, false] {
        for written_since in 0..8 {
            let mut feeds = Feeds::new(1);
            feeds.write(0..6);
            let position = follow(&feeds, &FeedPosition::beginning(), 10).2;
            feeds.streams[0].added.truncate(4);
            for number in 0..written_since {
                let at = feeds.streams[0].added.last().unwrap().0;
                let at = if same_times { at + 1 } else { at + 100 };
                feeds.streams[0].added.push((at, fields("a", &(100 + number).to_string())));
            }
            let (entries, gaps, next) = follow(&feeds, &position, 2);
            let what = format!("{written_since} since, same times: {same_times}");
            assert_eq!(gaps, [FeedGap::Rewound { partition: 0 }], "{what}");
            let revisions: Vec<u64> = entries.iter().map(|(_, revision)| *revision).collect();
            assert_eq!(revisions, (0..4).chain(100..100 + written_since).collect::<Vec<_>>(), "{what}");
            assert_eq!(follow(&feeds, &next, 2).1, [], "{what}");
        }
    }
}

#[test]
fn a_feed_that_was_removed_is_reported_whether_or_not_there_is_another() {
    for written_since in 0..8 {
        let mut feeds = Feeds::new(1);
        feeds.write(0..4);
        let position = follow(&feeds, &FeedPosition::beginning(), 10).2;
        feeds.streams[0].added.clear();
        for number in 0..written_since {
            feeds.streams[0].added.push((5_000 + number, fields("a", "7")));
        }
        let (entries, gaps, next) = follow(&feeds, &position, 3);
        assert_eq!(gaps, [FeedGap::Rewound { partition: 0 }], "{written_since}");
        assert_eq!(entries.len() as u64, written_since);
        assert_eq!(follow(&feeds, &next, 3), (vec![], vec![], next.clone()));
    }
}

#[test]
fn what_is_not_an_entry_of_ours_is_reported_and_keeps_no_other_from_being_read() {
    // Neither its own, nor the only one of a namespace that once had one.
    let own = usize::from(Feeds::new(3).keyspace.partition_of(&"a".try_into().unwrap()));
    let other = if own == 2 { 1 } else { 2 };
    let changed = |name: &str, value: &str| {
        let mut fields = fields("a", "1");
        fields.iter_mut().filter(|(found, _)| found == name).for_each(|(_, old)| value.clone_into(old));
        fields
    };
    let foreign = [
        vec![],
        vec![("hello".to_owned(), "world".to_owned())],
        changed("id", ""),
        changed("id", "a b"),
        changed("revision", "-1"),
        changed("revision", "18446744073709551616"),
        changed("status", "pending"),
        changed("decisions", "Lifecycle/Pending,Lifecycle/Unheard"),
        fields("a", "1").split_off(1),
        fields("a", "1")[..3].to_vec(),
    ];
    let mut feeds = Feeds::new(3);
    let partition = feeds.add("a", 0);
    foreign.iter().for_each(|fields| feeds.streams[partition].push(fields.clone()));
    feeds.add("a", 1);
    feeds.streams[other].push(fields("a", "2"));
    let page = read(&feeds, &FeedPosition::beginning(), 100);
    assert_eq!(page.entries.iter().map(|entry| entry.revision).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(page.unreadable.len(), foreign.len() + 1, "{:#?}", page.unreadable);
    let named: Vec<bool> = page.unreadable.iter().map(|entry| entry.id.is_some()).collect();
    assert_eq!(named.iter().filter(|named| !**named).count(), 5, "{:#?}", page.unreadable);
    assert!(page.is_caught_up && page.gaps.is_empty());
}

#[test]
fn a_field_of_a_later_release_is_left_out() {
    let mut feeds = Feeds::new(1);
    let mut fields = fields("a", "3");
    fields.insert(0, ("later".to_owned(), "x".to_owned()));
    feeds.streams[0].push(fields);
    assert_eq!(follow(&feeds, &FeedPosition::beginning(), 5).0, [("a".to_owned(), 3)]);
}

#[test]
fn a_position_of_another_namespace_and_a_limit_that_cannot_be_are_rejected() {
    let (one, four) = (Feeds::new(1), Feeds::new(4));
    let position = read(&four, &FeedPosition::beginning(), 5).next;
    let rejected = FeedWalk::new(&one.keyspace, &position, 5).err().unwrap();
    assert!(matches!(rejected, Error::InvalidFeedPosition { .. }), "{rejected:?}");
    for limit in [0, 1_001] {
        let rejected = FeedWalk::new(&four.keyspace, &position, limit).err().unwrap();
        assert!(matches!(rejected, Error::Invalid(_)), "{rejected:?}");
    }
}

/// Two repartitions, with writes before, between and after, by readers who begin anywhere: nothing is lost or doubled, and
/// the entries of each request come in the order of its revisions.
#[test]
fn a_repartition_keeps_every_entry_and_the_order_of_each_request() {
    for limit in [1, 2, 3, 7, 1_000] {
        let mut feeds = Feeds::new(2);
        let (mut written, mut positions) = (Vec::new(), vec![(0, FeedPosition::beginning())]);
        for (stage, times) in [(0, 2), (1, 3), (2, 1)] {
            for number in 0..12 {
                let revision = written.len();
                feeds.add(&format!("r{number}"), revision);
                written.push((format!("r{number}"), revision as u64));
                if number == 5 {
                    positions.push((written.len(), end(&feeds)));
                    let half = read(&feeds, &FeedPosition::beginning(), 4);
                    let (_, _, rest) = follow(&feeds, &half.next, 3);
                    positions.push((written.len(), rest));
                }
            }
            if stage < 2 {
                feeds = feeds.repartitioned(times);
            }
        }
        for (seen, position) in positions {
            let (entries, gaps, _) = follow(&feeds, &position, limit);
            assert!(gaps.is_empty(), "{gaps:?}");
            for id in (0..12).map(|number| format!("r{number}")) {
                let of = |all: &[(String, u64)]| -> Vec<u64> {
                    all.iter().filter(|(found, _)| *found == id).map(|(_, revision)| *revision).collect()
                };
                assert_eq!(of(&entries), of(&written[seen..]), "{id} from {seen}, pages of {limit}");
            }
        }
    }
}

/// Where the earlier feed lost its end in a failover, what comes after it must not wait for that.
#[test]
fn a_feed_that_lost_its_end_holds_back_nothing() {
    let mut feeds = Feeds::new(1);
    feeds.write(0..6);
    let mut feeds = feeds.repartitioned(4);
    let added = feeds.add("a", 6);
    assert!(added > 0);
    feeds.streams[0].added.truncate(4);
    let (entries, gaps, _) = follow(&feeds, &FeedPosition::beginning(), 2);
    assert_eq!(entries.iter().map(|(_, revision)| *revision).collect::<Vec<_>>(), [0, 1, 2, 3, 6]);
    assert!(gaps.is_empty());
}

/// Who had begun before the repartition learns what was removed from a new partition before they came to it.
#[test]
fn what_was_trimmed_of_a_new_partition_is_a_gap_for_who_had_begun() {
    let mut feeds = Feeds::new(1);
    feeds.write(0..2);
    let begun = end(&feeds);
    let mut feeds = feeds.repartitioned(4);
    feeds.write(2..6);
    let added = usize::from(feeds.keyspace.partition_of(&"a".try_into().unwrap()));
    feeds.streams[added].removed = 3;
    let (entries, gaps, _) = follow(&feeds, &begun, 10);
    assert_eq!(gaps, [FeedGap::Trimmed { partition: added as u16, missed: 3 }]);
    assert_eq!(entries, [("a".to_owned(), 5)]);
}
