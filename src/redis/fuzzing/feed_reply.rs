//! Random replies of the script that reads a feed.

use redis::Value;

use super::input::Input;
use super::values::or_any;
use crate::error::Error;
use crate::feed::{FeedPage, FeedPosition};
use crate::redis::feed::{FeedEnds, FeedWalk};
use crate::redis::options::Settings;

/// Values that feed.lua may reply with.
pub(super) fn feed_reply(input: &mut Input<'_>, words: &[&[u8]]) -> Value {
    const IDS: [&str; 6] = ["1-0", "1-1", "2-0", "18446744073709551615-18446744073709551615", "1", "-"];
    const NAMES: [&str; 7] = ["id", "revision", "status", "decisions", "first", "by", "later"];
    const VALUES: [&str; 10] = [
        "a",
        "7",
        "18446744073709551616",
        "Pending",
        "Thawed",
        "Lifecycle/Pending,Approval/Requested",
        "User\nbob\nBob",
        "Alien\n",
        ",",
        "",
    ];
    let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
    let entry = |input: &mut Input<'_>| {
        let mut fields: Vec<Value> =
            ["id", "a", "revision", "7", "status", "Pending", "decisions", "", "first", "3", "by", ""].map(bulk).into();
        for _ in 0..input.below(3) {
            let place = input.below(fields.len());
            let other = if place.is_multiple_of(2) { input.one(&NAMES) } else { input.one(&VALUES) };
            fields[place] = or_any(input, words, bulk(other));
        }
        let id = bulk(input.one(&IDS));
        let id = or_any(input, words, id);
        let fields = or_any(input, words, Value::Array(fields));
        or_any(input, words, Value::Array(vec![id, fields]))
    };
    let entries = (0..input.below(5)).map(|_| entry(input)).collect();
    let cut = Value::Int((input.byte() & 1).into());
    let counts = [Value::Int(input.byte().into()), Value::Int(input.byte().into())];
    let origin = bulk(input.one(&["", "", "0 7", "9 7", "0"]));
    let [added, kept] = counts;
    let parts = [added, kept, Value::Array(entries), cut, origin];
    Value::Array(parts.map(|part| or_any(input, words, part)).into())
}

/// Reads from the beginning, then from the position after that, as if the stream had changed to the other reply; and
/// the end.
pub(super) fn read_by_feeds(settings: &Settings, replies: [&Value; 2], is_reported: impl Fn(&Error)) {
    for (first, second) in [(replies[0], replies[1]), (replies[1], replies[0]), (replies[1], replies[1])] {
        let position = end(settings, first).inspect_err(&is_reported).unwrap_or_else(|_| FeedPosition::beginning());
        let read = page(settings, &FeedPosition::beginning(), first).inspect_err(&is_reported).map(|page| page.next);
        for position in read.into_iter().chain([position]) {
            page(settings, &position, second).err().iter().for_each(&is_reported);
        }
    }
}

fn page(settings: &Settings, from: &FeedPosition, reply: &Value) -> Result<FeedPage, Error> {
    const LIMIT: usize = 2;
    let mut walk = FeedWalk::new(&settings.keyspace, from, LIMIT)?;
    let read = walk.next_round(1).into_iter().next().expect("a partition to read");
    walk.add(read, reply)?;
    let page = walk.finish();
    let entries = page.entries.len() + page.unreadable.len();
    assert!(entries <= LIMIT, "more than was asked for");
    assert!(page.gaps.is_empty() || entries == 0 && !page.is_caught_up, "a gap and entries at once");
    assert!(page.unreadable.iter().all(|entry| !entry.to_string().is_empty()));
    assert_eq!(page.next.to_string().parse::<FeedPosition>().expect("our own text"), page.next);
    Ok(page)
}

fn end(settings: &Settings, reply: &Value) -> Result<FeedPosition, Error> {
    let mut ends = FeedEnds::new(&settings.keyspace);
    ends.add(FeedEnds::read(0), reply)?;
    Ok(ends.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random input reaches every result that a page can have.
    #[test]
    fn replies_by_chance_have_entries_of_each_kind_and_gaps() {
        let settings = super::super::settings();
        let mut random = fastrand::Rng::with_seed(13);
        let (mut entries, mut unreadable, mut gaps, mut senseless) = (0, 0, 0, 0);
        for _ in 0..2_000 {
            let mut bytes = [0; 64];
            random.fill(&mut bytes);
            let mut input = Input::new(&bytes);
            let replies = [feed_reply(&mut input, &[]), feed_reply(&mut input, &[])];
            read_by_feeds(&settings, [&replies[0], &replies[1]], |error| assert!(!error.to_string().is_empty()));
            match page(&settings, &FeedPosition::beginning(), &replies[0]) {
                Ok(page) => {
                    entries += page.entries.len();
                    unreadable += page.unreadable.len();
                    gaps += page_behind(&settings, &page.next, &replies[1]);
                }
                Err(_) => senseless += 1,
            }
        }
        let reached = [entries, unreadable, gaps, senseless];
        assert!(reached.iter().all(|count| *count > 50), "{reached:?}");
    }

    fn page_behind(settings: &Settings, from: &FeedPosition, reply: &Value) -> usize {
        page(settings, from, reply).map_or(0, |page| page.gaps.len())
    }
}
