//! A Redis in a container, through `testcontainers`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use testcontainers::bollard::models::PortBinding;
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::SyncRunner;
use testcontainers::{Container, ContainerRequest, GenericImage, ImageExt};

use super::supervisor::Supervisor;

/// What `scripts/redis-image.sh` builds without a registry.
const LOCAL_IMAGE: (&str, &str) = ("mutator-governance-redis", "local");
/// What is pulled where that script has nothing to build from.
const REGISTRY_IMAGE: (&str, &str) = ("redis", "7");
const PORT: u16 = 6379;

/// `testcontainers` removes a container when its handle is dropped, which a killed process never does.
const REMOVE_WHEN_INPUT_ENDS: &str = r#"
trap '' HUP INT TERM
while read -r _; do :; done
docker rm --force --volumes "$1" >/dev/null
"#;

/// A server of one's own in a container, reachable on 127.0.0.1 only.
pub struct RedisContainer {
    url: String,
    pid: u32,
    handle: Option<Container<GenericImage>>,
    supervisor: Supervisor,
}

impl RedisContainer {
    /// Starts a server on this port of 127.0.0.1, or a free one. `arguments` follow ours.
    pub fn start(port: Option<u16>, arguments: &[&str]) -> Result<Self, String> {
        if !engine_answers() {
            return Err("no Docker engine answers".to_owned());
        }
        let name = super::unique_namespace("mutator-governance-test");
        // Before the container, so that no moment is left in which nobody would remove it.
        let supervisor = Supervisor::start(REMOVE_WHEN_INPUT_ENDS, &[&name]);
        let request = request(image()?, &name, port, arguments);
        let (handle, port) = on_a_thread_of_its_own(|| {
            let handle = request.start()?;
            let port = handle.get_host_port_ipv4(PORT.tcp())?;
            Ok((handle, port))
        })
        .map_err(|error: testcontainers::TestcontainersError| error.to_string())?;
        Ok(Self { url: format!("redis://127.0.0.1:{port}/"), pid: pid_of(&name)?, handle: Some(handle), supervisor })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn end(&mut self) {
        if let Some(handle) = self.handle.take() {
            on_a_thread_of_its_own(|| drop(handle));
        }
        self.supervisor.end();
    }
}

impl Drop for RedisContainer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether the container is asked for even where `redis-server` is on `PATH`.
pub fn is_forced() -> bool {
    std::env::var("MUTATOR_TEST_REDIS").is_ok_and(|value| value == "container")
}

/// Whether containers can be started on this machine.
pub fn engine_answers() -> bool {
    succeeds(Command::new("docker").arg("info"))
}

/// Whether the local image is there, built now if need be.
pub fn build_local_image() -> Result<(), String> {
    // Tests that start together would each build it, and all images but the last would lose their name.
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    BUILT.get_or_init(find_or_build_local_image).clone()
}

fn find_or_build_local_image() -> Result<(), String> {
    let (name, tag) = LOCAL_IMAGE;
    if succeeds(Command::new("docker").args(["image", "inspect", &format!("{name}:{tag}")])) {
        return Ok(());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/redis-image.sh");
    let output = Command::new(&script).output().map_err(|error| format!("{}: {error}", script.display()))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn image() -> Result<(&'static str, &'static str), String> {
    match build_local_image() {
        Ok(()) => Ok(LOCAL_IMAGE),
        Err(error) if succeeds(Command::new("redis-server").arg("--version")) => Err(error),
        Err(_) => Ok(REGISTRY_IMAGE),
    }
}

fn request(
    (image, tag): (&str, &str),
    name: &str,
    port: Option<u16>,
    arguments: &[&str],
) -> ContainerRequest<GenericImage> {
    let ours = ["--bind", "0.0.0.0", "--protected-mode", "no"];
    let unsaved = ["--save", "", "--appendonly", "no"];
    let command = ours.iter().chain(&unsaved).chain(arguments);
    GenericImage::new(image, tag)
        .with_exposed_port(PORT.tcp())
        .with_wait_for(WaitFor::message_on_stdout("Ready to accept connections"))
        .with_cmd(command.map(|argument| (*argument).to_owned()))
        .with_container_name(name)
        .with_host_config_modifier(move |host| {
            // By default every exposed port is published to the network.
            let loopback =
                PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: port.map(|port| port.to_string()) };
            host.publish_all_ports = Some(false);
            host.port_bindings.get_or_insert_default().insert(PORT.tcp().to_string(), Some(vec![loopback]));
        })
}

/// The synchronous runner blocks on a runtime of its own, which panics on a thread that already drives one.
fn on_a_thread_of_its_own<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join()).expect("the thread that talks to the engine ends well")
}

fn pid_of(name: &str) -> Result<u32, String> {
    let output = Command::new("docker")
        .args(["inspect", "--format", "{{.State.Pid}}", name])
        .output()
        .map_err(|error| error.to_string())?;
    String::from_utf8_lossy(&output.stdout).trim().parse().map_err(|_| format!("the engine knows no process of {name}"))
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
