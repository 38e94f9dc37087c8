//! A `redis-server` process of one's own, on a unix socket or a free port, and the port itself.

use std::fs::DirBuilder;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::supervisor::Supervisor;

/// On a machine that others keep busy, too.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Starts the server, prints its process id, and ends it (KILL, so that a stopped or busy one ends too) together
/// with its directory when the input ends. A file that may not grow is an error to it, as on a full disk, not its end.
const SERVE_UNTIL_INPUT_ENDS: &str = r#"
trap '' HUP INT TERM XFSZ
directory=$1 program=$2
shift 2
"$program" "$@" </dev/null >"$directory/output" 2>&1 &
server=$!
echo "$server"
while read -r _; do :; done
kill -KILL "$server"
wait "$server"
rm -rf "$directory"
"#;

/// An empty redis-server that nobody else uses. It ends when this value is dropped or this process ends.
pub struct ServerProcess {
    url: String,
    pid: u32,
    directory: PathBuf,
    supervisor: Supervisor,
}

impl ServerProcess {
    /// Starts `program` on this port of 127.0.0.1, or on a unix socket alone. `arguments` follow ours, so they win.
    pub fn start(program: &str, port: Option<u16>, arguments: &[&str]) -> Self {
        Self::start_configured(program, None, port, arguments)
    }

    /// The same with a configuration file of this text, which the server can rewrite. Sentinels need one.
    pub fn start_configured(program: &str, file: Option<&str>, port: Option<u16>, arguments: &[&str]) -> Self {
        let directory = new_directory();
        let socket = directory.join("s");
        let listen_on = port.unwrap_or(0).to_string();
        let directory_text = text(&directory);
        let mut command_line = vec![directory_text, program];
        let path = directory.join("config");
        if let Some(file) = file {
            std::fs::write(&path, file).expect("a new directory can be written to");
            command_line.push(text(&path));
        }
        command_line.extend(["--port", &listen_on, "--bind", "127.0.0.1"]);
        // On TCP too: a foreign server on the same port cannot answer here.
        command_line.extend(["--unixsocket", text(&socket), "--unixsocketperm", "700"]);
        command_line.extend(["--dir", directory_text]);
        command_line.extend(["--save", "", "--appendonly", "no"]);
        command_line.extend(arguments);

        let mut supervisor = Supervisor::start(SERVE_UNTIL_INPUT_ENDS, &command_line);
        let pid = supervisor.line().parse().expect("the supervisor prints a process id");
        wait_until_it_answers(&socket, &directory.join("output"));
        Self {
            url: match port {
                Some(port) => format!("redis://127.0.0.1:{port}/"),
                None => format!("redis+unix://{}", text(&socket)),
            },
            pid,
            directory,
            supervisor,
        }
    }

    /// The address, as the `redis` crate reads it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where its files are. It is removed with this value, not with the process.
    pub fn directory(&self) -> &str {
        text(&self.directory)
    }

    /// Ends the server at once, without a save.
    pub fn end(&mut self) {
        self.supervisor.end();
    }
}

/// Cuts the transaction off that an append-only file ends in the middle of, as `docs/reliability.md` asks of whoever starts a
/// server again that was killed: Redis itself may leave the half of it, and carry it out when it is started once more.
pub fn repair_append_only_file(directory: &Path) {
    for file in std::fs::read_dir(directory.join("appendonlydir")).expect("the server appends to files here") {
        let file = file.expect("the directory can be read").path();
        // The one before it is no list of commands, and of the server's own version.
        if !text(&file).ends_with(".incr.aof") {
            continue;
        }
        let mut check = Command::new("redis-check-aof");
        check.arg("--fix").arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut check = check.spawn().expect("redis-check-aof is on PATH");
        // It asks only where there is something to cut off, and may have ended before it is answered.
        drop(check.stdin.take().expect("the input was piped").write_all(b"y\n"));
        let output = check.wait_with_output().expect("redis-check-aof ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// A new directory for this owner only, with a path short enough for a unix socket (104 bytes on macOS).
fn new_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let preferred = std::env::temp_dir();
    let parent = if preferred.as_os_str().len() <= 70 { preferred } else { PathBuf::from("/tmp") };
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = parent.join(format!("mg-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => return directory,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => panic!("no directory in {}: {error}", parent.display()),
        }
    }
}

/// A port of 127.0.0.1 that nobody listens on, below those that systems give to outgoing connections: one that a test listens
/// on again and again stays free in between.
pub fn free_port() -> u16 {
    const FIRST: u16 = 15_000;
    const COUNT: u16 = 15_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes that run at once begin at different places.
    let begin = std::process::id().wrapping_mul(797);
    for _ in 0..COUNT {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + u16::try_from(begin.wrapping_add(step) % u32::from(COUNT)).expect("less than COUNT");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("127.0.0.1 has no free port")
}

fn wait_until_it_answers(socket: &Path, output: &Path) {
    let started = Instant::now();
    while !answers(socket) {
        assert!(
            started.elapsed() < START_LIMIT,
            "redis-server did not answer within {START_LIMIT:?}; it printed:\n{}",
            std::fs::read_to_string(output).unwrap_or_default()
        );
        sleep(Duration::from_millis(5));
    }
}

/// Whether a server replies on this socket, be it that it wants a password first.
fn answers(socket: &Path) -> bool {
    let ping = || -> std::io::Result<[u8; 5]> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut reply = [0; 5];
        stream.read_exact(&mut reply)?;
        Ok(reply)
    };
    matches!(ping(), Ok(reply) if reply == *b"+PONG" || reply == *b"-NOAU")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the temporary directory is UTF-8")
}
