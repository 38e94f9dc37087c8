//! A connection that bypasses the store: to look at what it left behind, and to break it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use redis::{FromRedisValue, Value};

use super::oracle::FeedEntry;

pub struct Raw {
    connection: redis::Connection,
}

impl Raw {
    pub fn to(url: &str) -> Self {
        let connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        Self { connection }
    }

    /// As [`Self::to`], for a server that may still be coming up.
    pub fn try_to(url: &str) -> Option<Self> {
        let connection = redis::Client::open(url).unwrap().get_connection().ok()?;
        Some(Self { connection })
    }

    /// The same, for a server that may be down or stopped: no step waits longer than this.
    pub fn try_to_within(url: &str, limit: Duration) -> redis::RedisResult<Self> {
        let connection = redis::Client::open(url)?.get_connection_with_timeout(limit)?;
        connection.set_read_timeout(Some(limit))?;
        connection.set_write_timeout(Some(limit))?;
        Ok(Self { connection })
    }

    pub fn ask<T: FromRedisValue>(&mut self, words: &[impl AsRef<[u8]>]) -> T {
        self.try_ask(words).unwrap()
    }

    pub fn try_ask<T: FromRedisValue>(&mut self, words: &[impl AsRef<[u8]>]) -> redis::RedisResult<T> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word.as_ref());
        }
        command.query(&mut self.connection)
    }

    /// Everything that the server holds, in one number. Needs `enable-debug-command`.
    pub fn digest(&mut self) -> String {
        self.ask(&["DEBUG", "DIGEST"])
    }

    /// Every key of a namespace, by `SCAN`.
    pub fn keys(&mut self, namespace: &str) -> Vec<Vec<u8>> {
        let mut keys = std::collections::BTreeSet::new();
        let mut cursor = "0".to_owned();
        loop {
            let pattern = format!("{{{namespace}*");
            let (next, found): (String, Vec<Vec<u8>>) = self.ask(&["SCAN", &cursor, "MATCH", &pattern, "COUNT", "500"]);
            // `{n*` also finds `{n2}:…`.
            let ours = |key: &Vec<u8>| matches!(key.get(1 + namespace.len()), Some(b'}' | b':'));
            keys.extend(found.into_iter().filter(ours));
            if next == "0" {
                return keys.into_iter().collect();
            }
            cursor = next;
        }
    }

    /// Every key of a namespace with its serialised value: two equal ones mean that nothing was written between them.
    pub fn dump(&mut self, namespace: &str) -> BTreeMap<String, Vec<u8>> {
        let keys = self.keys(namespace);
        keys.into_iter()
            .map(|key| {
                let value: Vec<u8> = self.ask(&[b"DUMP".as_slice(), &key]);
                (String::from_utf8_lossy(&key).into_owned(), value)
            })
            .collect()
    }

    pub fn type_of(&mut self, key: &[u8]) -> String {
        self.ask(&[b"TYPE".as_slice(), key])
    }

    pub fn feed(&mut self, key: &[u8]) -> Vec<FeedEntry> {
        let entries: Vec<(String, Vec<(String, String)>)> = self.ask(&[b"XRANGE".as_slice(), key, b"-", b"+"]);
        entries.into_iter().map(|(_, fields)| FeedEntry::of(&fields)).collect()
    }

    /// How often each command was called by clients, in scripts included.
    pub fn command_counts(&mut self) -> BTreeMap<String, u64> {
        let info: String = self.ask(&["INFO", "commandstats"]);
        let count = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        };
        info.lines().filter_map(count).collect()
    }

    pub fn raw(&mut self, command: &redis::Cmd) -> redis::RedisResult<Value> {
        command.query(&mut self.connection)
    }
}

/// Sees every command that reaches a server, as `MONITOR` tells it.
pub struct Monitor {
    lines: BufReader<Box<dyn std::io::Read + Send>>,
    raw: Raw,
    marks: u32,
}

impl Monitor {
    pub fn of(url: &str) -> Self {
        let limit = Some(Duration::from_secs(20));
        let stream: Box<dyn std::io::Read + Send> = if let Some(path) = url.strip_prefix("redis+unix://") {
            let mut stream = UnixStream::connect(path).unwrap();
            stream.set_read_timeout(limit).unwrap();
            stream.write_all(b"MONITOR\r\n").unwrap();
            Box::new(stream)
        } else {
            let mut stream = TcpStream::connect(url.strip_prefix("redis://").unwrap().trim_end_matches('/')).unwrap();
            stream.set_read_timeout(limit).unwrap();
            stream.write_all(b"MONITOR\r\n").unwrap();
            Box::new(stream)
        };
        let mut monitor = Self { lines: BufReader::new(stream), raw: Raw::to(url), marks: 0 };
        monitor.commands();
        monitor
    }

    /// The names of the commands that clients sent since the last call; those that scripts run are not among them, nor
    /// questions for the time, which come along with a call every few seconds.
    pub fn commands(&mut self) -> Vec<String> {
        self.marks += 1;
        let mark = format!("mark-{}", self.marks);
        let _: String = self.raw.ask(&["ECHO", &mark]);
        let mut names = Vec::new();
        loop {
            let mut line = Vec::new();
            self.lines.read_until(b'\n', &mut line).unwrap();
            let line = String::from_utf8_lossy(&line).into_owned();
            assert!(!line.is_empty(), "the monitor was closed");
            if line.contains(&mark) {
                return names;
            }
            // 1700000000.000000 [0 unix:/s] "GET" "key"
            let Some((origin, words)) = line.split_once("] ") else { continue };
            if origin.ends_with(" lua") {
                continue;
            }
            let name = words.split('"').nth(1).unwrap_or_default().to_ascii_uppercase();
            if name != "TIME" {
                names.push(name);
            }
        }
    }
}
