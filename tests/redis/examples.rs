//! The examples end quietly whoever stops reading them or stops them, and leave nothing behind in Redis.
#![cfg(all(feature = "redis", unix))]

use std::io::{BufRead as _, BufReader, Read as _, Write as _, pipe};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::PrivateServer;

/// Two cores serve other test binaries as well: only a program that hangs takes longer.
const PATIENCE: Duration = Duration::from_mins(2);

/// Those that these features build.
fn examples() -> Vec<&'static str> {
    let mut names = Vec::new();
    if cfg!(feature = "blocking") {
        names.extend(["agent_gate", "approval_workflow", "governance_queries", "governed_execution", "quickstart"]);
        names.extend(["audit_proof", "change_window", "delegation_and_absence"]);
        names.extend(["decision_taxonomy", "policies", "request_lifecycle", "send_back", "versioned_resolution"]);
    }
    if cfg!(feature = "tokio") {
        names.extend(["approval_workflow_tokio", "governance_queries_tokio", "governed_execution_tokio"]);
        names.extend([
            "agent_gate_tokio",
            "change_window_tokio",
            "decision_taxonomy_tokio",
            "delegation_and_absence_tokio",
            "policies_tokio",
            "quickstart_tokio",
            "request_lifecycle_tokio",
            "send_back_tokio",
            "versioned_resolution_tokio",
        ]);
    }
    if cfg!(feature = "smol") {
        names.push("quickstart_smol");
    }
    names
}

#[test]
fn every_example_is_tried() {
    let files = std::fs::read_dir(common::repository().join("examples")).unwrap();
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let mut found: Vec<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    found.sort();
    let mut tried = examples();
    tried.sort_unstable();
    if cfg!(all(feature = "blocking", feature = "tokio", feature = "smol")) {
        assert_eq!(tried, found);
    }
}

/// With a kind that is new, it ends with an error until a story records it.
#[test]
fn the_decision_taxonomy_shows_every_kind() {
    for name in examples().into_iter().filter(|name| name.starts_with("decision_taxonomy")) {
        let run = command(name).env_remove("REDIS_URL").output().unwrap();
        let (printed, problems) = (String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap());
        assert!(run.status.success(), "{name}: {problems}");
        for kind in mutator_governance::DecisionKind::all() {
            assert!(printed.contains(&format!("{kind} ")), "{name} has no {kind} in its timelines");
        }
    }
}

/// On Redis each agent is a process that is killed; embedded it is dropped.
#[test]
fn an_agent_calls_its_tool_once_for_each_approved_call_however_it_is_killed() {
    let server = PrivateServer::start(&[]);
    for name in examples().into_iter().filter(|name| name.starts_with("agent_gate")) {
        for url in [None, Some(server.url())] {
            let mut command = command(name);
            match url {
                Some(url) => command.env("REDIS_URL", url),
                None => command.env_remove("REDIS_URL"),
            };
            let (output, writer) = pipe().unwrap();
            let run = command.stdout(writer).spawn().unwrap();
            drop(command);
            let printed = std::io::read_to_string(output).unwrap();
            let (status, problems) = ended(run);
            assert_eq!((status, problems.as_str(), keys(&server)), (Some(0), "", 0), "{name} {url:?}: {printed}");
            let count = |words: &str| printed.matches(words).count();
            assert_eq!((count("MAIL SERVER: sends"), count("The agent is killed.")), (2, 2), "{name}: {printed}");
            let told = ["goes on with its plan, since it was sent", "nobody wants that", "its deadline", "has expired"];
            assert!(told.iter().all(|words| printed.contains(words)), "{name}: {printed}");
        }
    }
}

#[test]
fn a_reader_who_never_reads_ends_an_example_quietly() {
    let server = PrivateServer::start(&[]);
    for name in examples() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let (status, problems) = ended(start(name, &server, writer.into()));
        assert_eq!((status, problems.as_str(), keys(&server)), (Some(0), "", 0), "{name}");
    }
}

#[test]
fn a_reader_of_three_lines_ends_an_example_quietly() {
    let server = PrivateServer::start(&[]);
    for name in examples() {
        let (reader, writer) = pipe().unwrap();
        let example = start(name, &server, writer.into());
        let lines: Vec<String> = BufReader::new(reader).lines().take(3).map(Result::unwrap).collect();
        assert_eq!(lines.len(), 3, "{name}");
        let (status, problems) = ended(example);
        assert_eq!((status, problems.as_str(), keys(&server)), (Some(0), "", 0), "{name}");
    }
}

#[test]
fn a_signal_ends_an_example_quietly_in_the_middle_of_its_story() {
    let server = PrivateServer::start(&[]);
    for (place, name) in examples().into_iter().enumerate() {
        // Room for the first lines only, so that the story stops when it has stored something.
        let (_reader, mut writer) = pipe().unwrap();
        writer.write_all(&vec![b'\n'; 65_536 - 400]).unwrap();
        let example = start(name, &server, writer.into());
        let begun = Instant::now();
        while keys(&server) == 0 {
            assert!(begun.elapsed() < PATIENCE, "{name} stores nothing");
            std::thread::sleep(Duration::from_millis(2));
        }
        let signal = ["-INT", "-TERM", "-HUP"][place % 3];
        let sent = Command::new("kill").args([signal, &example.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let (status, problems) = ended(example);
        assert_eq!((status, problems.as_str(), keys(&server)), (Some(130), "", 0), "{name} after {signal}");
    }
}

#[test]
fn an_example_whose_server_is_gone_says_so() {
    for name in examples() {
        let example = command(name).env("REDIS_URL", "redis://127.0.0.1:1").stdout(Stdio::null()).spawn().unwrap();
        let (status, problems) = ended(example);
        assert_eq!(status, Some(1), "{name}: {problems}");
        assert!(problems.contains("error: ") && !problems.contains("panicked"), "{name}: {problems}");
    }
}

/// As built beside this test, which `cargo test` does unless it is told to build single tests.
fn command(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let program: PathBuf = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(program.exists(), "{} is not built: run `cargo build --all-features --examples`", program.display());
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

fn start(name: &str, server: &PrivateServer, output: Stdio) -> Child {
    command(name).env("REDIS_URL", server.url()).stdout(output).spawn().unwrap()
}

/// How a program ended, and what it complained about; `None` for one that a signal ended.
fn ended(mut program: Child) -> (Option<i32>, String) {
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = program.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            program.kill().unwrap();
            panic!("a program did not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut problems = String::new();
    program.stderr.take().unwrap().read_to_string(&mut problems).unwrap();
    if let Some(signal) = status.signal() {
        problems.push_str(&format!("ended by signal {signal}"));
    }
    (status.code(), problems)
}

fn keys(server: &PrivateServer) -> u64 {
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    redis::cmd("DBSIZE").query(&mut connection).unwrap()
}
