//! A Redis of one's own: a `redis-server` process, or a container where there is no such program.

use std::process::Command;

use super::container::{self, RedisContainer};
use super::process::{ServerProcess, free_port};

const ON_PATH: &str = "redis-server";
const OLDEST_MAJOR_VERSION: u32 = 7;
/// An empty Redis that nobody else uses. It ends when this value is dropped or this process ends.
pub enum PrivateServer {
    /// A process.
    Process(ServerProcess),
    /// A container.
    Container(Box<RedisContainer>),
}

impl PrivateServer {
    /// A server on a unix socket. `arguments` follow ours, so they win: `&["--appendonly", "yes"]`.
    pub fn start(arguments: &[&str]) -> Self {
        match program() {
            Program::Usable => Self::Process(ServerProcess::start(ON_PATH, None, arguments)),
            Program::Unusable(why) => Self::start_container(None, arguments, &why),
        }
    }

    /// A server on a free port of 127.0.0.1.
    pub fn start_on_tcp(arguments: &[&str]) -> Self {
        Self::start_on_port(free_port(), arguments)
    }

    /// A server on a free port of 127.0.0.1, of the newer release whose redis-server is at `MUTATOR_TEST_NEWER_REDIS`: what
    /// the one on `PATH` does not do yet can be tested there. Where nothing is said there is none, and the caller says so.
    pub fn start_newer_on_tcp(arguments: &[&str]) -> Option<Self> {
        let program = std::env::var("MUTATOR_TEST_NEWER_REDIS").ok().filter(|program| !program.is_empty())?;
        Some(Self::Process(ServerProcess::start(&program, Some(free_port()), arguments)))
    }

    /// A server on this port of 127.0.0.1, for a test that ends one and wants another at the same address.
    pub fn start_on_port(port: u16, arguments: &[&str]) -> Self {
        match program() {
            Program::Usable => Self::Process(ServerProcess::start(ON_PATH, Some(port), arguments)),
            Program::Unusable(why) => Self::start_container(Some(port), arguments, &why),
        }
    }

    /// The address, as the `redis` crate reads it.
    pub fn url(&self) -> &str {
        match self {
            Self::Process(process) => process.url(),
            Self::Container(container) => container.url(),
        }
    }

    /// The process id of the server, for tests that stop or kill it.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Process(process) => process.pid(),
            Self::Container(container) => container.pid(),
        }
    }

    /// Ends the server at once, without a save; from here on its address rejects connections.
    pub fn stop(&mut self) {
        match self {
            Self::Process(process) => process.end(),
            Self::Container(container) => container.end(),
        }
    }

    fn start_container(port: Option<u16>, arguments: &[&str], why: &str) -> Self {
        let container = RedisContainer::start(port, arguments).unwrap_or_else(|error| {
            panic!(
                "these tests need a Redis: {why}, and no container could be started ({error}). Run \
                 scripts/ensure-redis.sh, or install redis-server {OLDEST_MAJOR_VERSION}.0 or newer, or start \
                 Docker, or set MUTATOR_TEST_REDIS_URL"
            )
        });
        Self::Container(Box::new(container))
    }
}

/// Whether the server that tests start can encrypt. Some are built without.
pub fn encrypts() -> bool {
    // Without a certificate no server starts, and each says why.
    let output = Command::new(ON_PATH).args(["--port", "0", "--tls-port", &free_port().to_string()]).output();
    let encrypts = output.map_or(true, |output| {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        !said.contains("TLS support") && !said.contains("Bad directive")
    });
    if !encrypts {
        println!("skipped: this server is built without TLS");
    }
    encrypts
}

/// The `redis-server` for tests that need processes of it: several that know each other, on ports that they announce.
#[cfg(feature = "redis")]
pub(super) fn program_on_path() -> &'static str {
    match program() {
        Program::Usable => ON_PATH,
        Program::Unusable(why) => panic!(
            "these tests need processes of redis-server {OLDEST_MAJOR_VERSION}.0 or newer, and no container does: {why}. Run \
             scripts/ensure-redis.sh"
        ),
    }
}

enum Program {
    Usable,
    Unusable(String),
}

fn program() -> Program {
    if container::is_forced() {
        return Program::Unusable("MUTATOR_TEST_REDIS asks for a container".to_owned());
    }
    let Ok(output) = Command::new(ON_PATH).arg("--version").output() else {
        return Program::Unusable("there is no redis-server on PATH".to_owned());
    };
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let major = printed.split_once("v=").and_then(|(_, version)| version.split('.').next()?.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST_MAJOR_VERSION => Program::Usable,
        _ => Program::Unusable(format!("redis-server on PATH is too old ({printed:?})")),
    }
}
