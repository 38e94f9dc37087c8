//! One server among several that know each other: killed, stopped, and started again at its address with its files.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use redis::FromRedisValue;

use super::private::program_on_path;
use super::process::{ServerProcess, free_port, repair_append_only_file};
use crate::Raw;

/// No step of asking a node takes longer, so that a stopped one keeps nobody waiting.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// On a machine that others keep busy, too.
const WAIT_LIMIT: Duration = Duration::from_mins(1);

/// Where a server runs: 127.0.0.1, unless a test has made networks of its own.
#[derive(Clone, Debug)]
pub struct Site {
    pub host: String,
    /// What starts it there with these arguments; by default the redis-server on `PATH`.
    pub program: String,
}

impl Default for Site {
    fn default() -> Self {
        Self { host: "127.0.0.1".to_owned(), program: program_on_path().to_owned() }
    }
}

/// A server on a port of its own. It ends when this value is dropped or this process ends.
pub struct Node {
    site: Site,
    port: u16,
    /// Whether it has a configuration file, which it rewrites.
    is_configured: bool,
    arguments: Vec<String>,
    /// The last one runs, or was killed. The first has the files of all.
    processes: Vec<ServerProcess>,
}

/// Ends the stop of a node when the test ends, however it ends.
pub struct StoppedNode(u32);

impl Node {
    /// Starts a server on a free port. `file` is its configuration file, if it needs one.
    pub(super) fn start(file: Option<&str>, arguments: Vec<String>) -> Self {
        Self::start_at(Site::default(), file, arguments)
    }

    /// The same in another place.
    pub(super) fn start_at(site: Site, file: Option<&str>, arguments: Vec<String>) -> Self {
        let port = free_port();
        let arguments: Vec<String> = ["--bind", &site.host].map(str::to_owned).into_iter().chain(arguments).collect();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let process = ServerProcess::start_configured(&site.program, file, Some(port), &words);
        Self { site, port, is_configured: file.is_some(), arguments, processes: vec![process] }
    }

    pub fn host(&self) -> &str {
        &self.site.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port at which it encrypts, if it was started with one.
    pub fn tls_port(&self) -> Option<u16> {
        let place = self.arguments.iter().position(|word| word == "--tls-port")?;
        self.arguments.get(place + 1)?.parse().ok()
    }

    /// Host and port, as the nodes name it to each other.
    pub fn address(&self) -> String {
        format!("{}:{}", self.site.host, self.port)
    }

    pub fn url(&self) -> String {
        format!("redis://{}:{}/", self.site.host, self.port)
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.processes.last().expect("a node was started").pid()
    }

    pub fn try_ask<T: FromRedisValue>(&self, words: &[impl AsRef<[u8]>]) -> redis::RedisResult<T> {
        Raw::try_to_within(&self.url(), ANSWER_LIMIT)?.try_ask(words)
    }

    pub fn ask<T: FromRedisValue>(&self, words: &[impl AsRef<[u8]>]) -> T {
        self.try_ask(words).unwrap_or_else(|error| panic!("the node at {}: {error}", self.address()))
    }

    /// The value of a field of `INFO` or `CLUSTER INFO`, the words that ask for it; `None` also if the node does not answer.
    pub fn field(&self, words: &[&str], name: &str) -> Option<String> {
        let info: String = self.try_ask(words).ok()?;
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned);
        info.lines().find_map(value)
    }

    /// Ends the server at once (KILL). Its files stay.
    pub fn kill(&mut self) {
        signal("-KILL", self.pid());
        wait_until("the killed server no longer answers", || {
            std::net::TcpStream::connect((self.host(), self.port)).is_err()
        });
    }

    /// Starts the server again after [`kill`](Self::kill), at the same address and with its files. Without an append-only file
    /// it has lost its data.
    pub fn start_again(&mut self) {
        let files = self.processes.first().expect("a node was started").directory().to_owned();
        if Path::new(&files).join("appendonlydir").exists() {
            repair_append_only_file(Path::new(&files));
        }
        let file = self.is_configured.then(|| std::fs::read_to_string(Path::new(&files).join("config")).unwrap());
        let mut words: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        words.extend(["--dir", &files]);
        let process = ServerProcess::start_configured(&self.site.program, file.as_deref(), Some(self.port), &words);
        self.processes.push(process);
    }

    /// Stops the server (STOP): its connections stay open, and nothing is answered.
    pub fn stop(&self) -> StoppedNode {
        signal("-STOP", self.pid());
        StoppedNode(self.pid())
    }
}

impl Drop for Node {
    /// The one with the files ends last.
    fn drop(&mut self) {
        while self.processes.pop().is_some() {}
    }
}

impl Drop for StoppedNode {
    fn drop(&mut self) {
        signal("-CONT", self.0);
    }
}

/// Waits until it is so, for a minute at most.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < WAIT_LIMIT, "waited {WAIT_LIMIT:?} for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status().expect("`kill` is on PATH");
    assert!(status.success(), "kill {name} {pid}");
}
