//! The program under test, the calls to it, and the server behind it.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;

use super::process::{ServerProcess, free_port};

/// A redis-server that keeps its data when it ends.
pub struct RedisServer {
    port: u16,
    directory: PathBuf,
    process: ServerProcess,
}

impl RedisServer {
    pub fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("redis-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let port = free_port();
        let process = process_on(port, &directory);
        Self { port, directory, process }
    }

    pub fn end(&mut self) {
        self.process.end();
    }

    pub fn start_again(&mut self) {
        self.process = process_on(self.port, &self.directory);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end();
        let _gone = std::fs::remove_dir_all(&self.directory);
    }
}

fn process_on(port: u16, directory: &std::path::Path) -> ServerProcess {
    let kept = ["--dir", directory.to_str().unwrap(), "--appendonly", "yes", "--appendfsync", "always"];
    ServerProcess::start("redis-server", Some(port), &kept)
}

/// Who makes a call.
#[derive(Default)]
pub struct Call {
    headers: Vec<(&'static str, String)>,
}

impl Call {
    pub fn nobody() -> Self {
        Self::default()
    }

    pub fn by(user: &str) -> Self {
        Self::nobody().with("x-user", user)
    }

    pub fn roles(self, roles: &str) -> Self {
        self.with("x-roles", roles)
    }

    pub fn groups(self, groups: &str) -> Self {
        self.with("x-groups", groups)
    }

    pub fn key(self, key: &str) -> Self {
        self.with("idempotency-key", key)
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// The running program. It ends with this value.
pub struct Service {
    child: Child,
    address: String,
    lines: Arc<Mutex<Vec<String>>>,
    agent: Agent,
}

impl Service {
    pub fn start(redis: &RedisServer, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_axum-service"))
            .envs([("REDIS_URL", redis.process.url()), ("LISTEN", "127.0.0.1:0")])
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (output, logged) = (BufReader::new(child.stdout.take().unwrap()), Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                logged.lock().unwrap().push(line);
            }
        });
        let agent = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(40)));
        let mut service = Self { child, address: String::new(), lines, agent: agent.build().into() };
        wait_until("the service listens", || {
            let address = service
                .lines
                .lock()
                .unwrap()
                .first()
                .and_then(|line| line.strip_prefix("listening on ").map(str::to_owned));
            service.address = address.unwrap_or_default();
            !service.address.is_empty()
        });
        service
    }

    pub fn has_logged(&self, line: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|logged| logged == line)
    }

    pub fn get(&self, path: &str, call: &Call) -> (u16, Value) {
        let mut request = self.agent.get(format!("{}{path}", self.address));
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        read(request.call())
    }

    pub fn post(&self, path: &str, call: &Call, body: &Value) -> (u16, Value) {
        self.post_text(path, call, &body.to_string())
    }

    pub fn post_text(&self, path: &str, call: &Call, body: &str) -> (u16, Value) {
        let mut request = self.agent.post(format!("{}{path}", self.address)).content_type("application/json");
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        read(request.send(body))
    }

    /// The body of a response that goes on and on.
    pub fn stream(&self, path: &str, last_event_id: Option<&str>) -> impl Read + use<> {
        let mut request = self.agent.get(format!("{}{path}", self.address)).header("x-user", "rita");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        request.call().unwrap().into_body().into_reader()
    }

    pub fn stop(&mut self) -> ExitStatus {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let mut ended = None;
        wait_until("the service ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.child.kill();
        self.child.wait().unwrap();
    }
}

fn read(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut response = response.unwrap();
    (response.status().as_u16(), response.body_mut().read_json().unwrap())
}

pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
