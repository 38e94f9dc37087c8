//! The floor: the fewest commands that move the same bytes, in one script that checks nothing.
//!
//! What has to be moved is not guessed: [`Monitor`](crate::monitor::Monitor) hears what our own scripts move.

use std::collections::BTreeMap;

use crate::monitor::Command;

/// One write: the record, index members added and removed by key, and the feed entry.
const WRITE: &str = "
redis.call('SET', KEYS[1], ARGV[1])
local added = tonumber(ARGV[2])
local at = 4
for place = 3, #KEYS do
    local count = tonumber(ARGV[at])
    redis.call(place - 2 <= added and 'ZADD' or 'ZREM', KEYS[place], unpack(ARGV, at + 1, at + count))
    at = at + count + 1
end
redis.call('XADD', KEYS[2], unpack(ARGV, at, at + tonumber(ARGV[3]) - 1))
return 1";

/// One page: a stretch of an index, and the records of its rows.
const READ: &str = "
local members = redis.call('ZRANGE', KEYS[1], unpack(ARGV))
return { members, redis.call('MGET', unpack(KEYS, 2)) }";

/// Scripts of the floor, by their hash.
pub(crate) struct Floor {
    write: String,
    read: String,
}

impl Floor {
    pub(crate) fn load(connection: &mut redis::Connection) -> Self {
        let mut load = |script| redis::cmd("SCRIPT").arg("LOAD").arg(script).query(connection).unwrap();
        Self { write: load(WRITE), read: load(READ) }
    }

    /// A write that moves what these commands of ours moved, in another namespace.
    pub(crate) fn write(&self, heard: &[Command], namespace: (&str, &str)) -> redis::Cmd {
        let renamed = |key: &[u8]| rename(key, namespace);
        let (mut record, mut feed) = (None, None);
        let (mut added, mut removed) = (BTreeMap::<_, Vec<Vec<u8>>>::new(), BTreeMap::<_, Vec<Vec<u8>>>::new());
        for command in heard {
            match (&command[0][..], &command[1..]) {
                (b"SET", [key, value]) => record = Some((renamed(key), value)),
                (b"ZADD", [key, scored @ ..]) => added.entry(renamed(key)).or_default().extend_from_slice(scored),
                (b"ZREM", [key, members @ ..]) => removed.entry(renamed(key)).or_default().extend_from_slice(members),
                (b"XADD", [key, entry @ ..]) => feed = Some((renamed(key), entry)),
                (b"GET" | b"GETRANGE" | b"TYPE" | b"ZCARD", _) => {}
                other => panic!("the floor does not know what to make of {}", String::from_utf8_lossy(other.0)),
            }
        }
        let ((record, value), (feed, entry)) = (record.unwrap(), feed.unwrap());
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.write).arg(2 + added.len() + removed.len()).arg(record).arg(feed);
        command.arg(added.keys().collect::<Vec<_>>()).arg(removed.keys().collect::<Vec<_>>());
        command.arg(value).arg(added.len()).arg(entry.len());
        for members in added.values().chain(removed.values()) {
            command.arg(members.len()).arg(members);
        }
        command.arg(entry);
        command
    }

    /// The bytes to send for the page that this scan of ours read.
    pub(crate) fn read(&self, heard: &[Command], rows: usize) -> Vec<u8> {
        let of = |name: &[u8]| heard.iter().find(|command| command[0] == name);
        let range = of(b"ZRANGE").unwrap();
        let records = of(b"MGET").unwrap();
        // Its last argument is how many members are read.
        let (_, bounds) = range[2..].split_last().unwrap();
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.read).arg(records.len()).arg(&range[1]).arg(&records[1..]);
        command.arg(bounds).arg(rows + 1).get_packed_command()
    }
}

fn rename(key: &[u8], (from, to): (&str, &str)) -> Vec<u8> {
    let from = format!("{{{from}:");
    let rest = key.strip_prefix(from.as_bytes()).unwrap_or_else(|| panic!("{}", key.escape_ascii()));
    [format!("{{{to}:").as_bytes(), rest].concat()
}
