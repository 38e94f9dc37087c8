//! On a terminal: the question, the bar, and Ctrl-C.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;

use common::{PrivateServer, Raw};
use rexpect::session::{PtySession, spawn_command};

use crate::scene::Scene;

/// Long enough for a busy machine.
const LIMIT_MS: u64 = 30_000;

fn on_terminal(scene: &Scene, words: &str) -> PtySession {
    let mut command = scene.command(words);
    command.env("TERM", "xterm").stdin(Stdio::inherit());
    spawn_command(command, Some(LIMIT_MS)).unwrap()
}

fn exit_code(session: &mut PtySession) -> i32 {
    // The program ends when everything was read.
    let _ = session.exp_eof();
    // The type of the status has no name outside the crate: `Exited(Pid(7), 3)`.
    let status = format!("{:?}", session.process().wait().unwrap());
    let code =
        status.strip_prefix("Exited(").and_then(|rest| rest.trim_end_matches(')').rsplit(' ').next()?.parse().ok());
    code.unwrap_or_else(|| panic!("{status}"))
}

#[test]
fn a_change_is_shown_and_confirmed() {
    let scene = Scene::new();
    scene.submit("r-1");
    for (answer, code, revision) in [("", 3, 0), ("n", 3, 0), ("yes please", 3, 0), ("y", 0, 1)] {
        let mut session = on_terminal(&scene, "approve r-1 --as mona");
        session.exp_string("approve r-1 as mona (Mona): grant-role on tenant:acme, submitted by rita").unwrap();
        session.exp_string("then it waits for anyone in group security").unwrap();
        session.exp_string("approve r-1? [y/N] ").unwrap();
        session.send_line(answer).unwrap();
        assert_eq!(exit_code(&mut session), code, "{answer}");
        assert_eq!(scene.revision("r-1"), revision, "{answer}");
    }
    let mut session = on_terminal(&scene, "cancel r-1 --as rita");
    session.exp_string("[y/N] ").unwrap();
    session.send_control('c').unwrap();
    let _ = session.exp_eof();
    assert_eq!(scene.revision("r-1"), 1);
}

#[test]
fn a_removal_says_that_nothing_brings_the_request_back() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.run("cancel r-1 --as rita --yes");
    for (answer, code) in [("", 3), ("y", 0)] {
        assert_eq!(scene.revision("r-1"), 1);
        let mut session = on_terminal(&scene, "remove r-1 --as mona");
        session.exp_string("remove r-1 as mona (Mona): grant-role on tenant:acme, submitted by rita").unwrap();
        session.exp_string("remove r-1 for ever? nothing brings it back [y/N] ").unwrap();
        session.send_line(answer).unwrap();
        assert_eq!(exit_code(&mut session), code, "{answer}");
    }
    assert_eq!(scene.call("show r-1").code, 10);
}

/// The server holds the write back for longer than the call waits, so that it may still be done.
#[test]
fn a_call_whose_outcome_is_unknown_is_repeated_by_its_write_id() {
    let server = PrivateServer::start_on_tcp(&[]);
    let scene = Scene::at(server.url().to_owned());
    scene.submit("r-1");
    let mut session = on_terminal(&scene, "approve r-1 --as mona --timeout 1s");
    session.exp_string("approve r-1? [y/N] ").unwrap();
    let _: String = Raw::to(server.url()).ask(&["CLIENT", "PAUSE", "4000", "WRITE"]);
    session.send_line("y").unwrap();
    session.exp_string("repeat the same call with --write-id ").unwrap();
    let write_id = session.exp_string(": it is then done once").unwrap();
    assert_eq!(exit_code(&mut session), 16);
    let _: String = Raw::to(server.url()).ask(&["CLIENT", "UNPAUSE"]);
    for _ in 0..2 {
        let done = scene.run(&format!("approve r-1 --as mona --yes --write-id {write_id}"));
        assert!(done.contains("step 2 of 2"), "{done}");
    }
    assert_eq!(scene.revision("r-1"), 1);
}

/// A namespace with so many requests, from an archive that is written here.
fn with_requests(scene: &Scene, number: usize) {
    // With few index entries.
    let draft = r#"{
        "target": { "state_id": "s", "state_type": "State", "mutation_type": "Change" },
        "intent": { "operation": "change", "category": "Test" }
    }"#;
    scene.write("plain.json", draft);
    scene.run("submit plain.json --as rita --id r-0 --create --yes");
    copy(scene, number);
}

/// Copies r-0 under other ids, so that there are so many.
fn copy(scene: &Scene, number: usize) {
    scene.run("export one");
    scene.rewrite_archive("one", number, |line| {
        (0..number).fold(String::new(), |mut lines, place| {
            let _ = write!(lines, "{}", line.replace("\"r-0\"", &format!("\"r-{place}\"")));
            lines
        })
    });
    let imported = scene.run("import one --yes");
    assert!(imported.starts_with(&format!("{} requests added, 1 unchanged", number - 1)), "{imported}");
}

/// Presses Ctrl-C when the bar is there, and returns what was printed and which attempt it was: on a busy machine the work may
/// be done before.
fn interrupted(scene: &Scene, words: impl Fn(u32) -> String) -> (String, u32) {
    for attempt in 1..=5 {
        let mut session = on_terminal(scene, &words(attempt));
        session.exp_string("/3,000").unwrap();
        session.exp_string("% ").unwrap();
        session.send_control('c').unwrap();
        let printed = session.exp_eof().unwrap();
        match exit_code(&mut session) {
            130 => return (printed, attempt),
            0 => {}
            code => panic!("exit code {code}: {printed}"),
        }
    }
    panic!("it was done each time before it could be interrupted");
}

#[test]
fn long_work_shows_a_bar_and_goes_on_after_ctrl_c() {
    const NUMBER: u64 = 3_000;
    let scene = Scene::new();
    with_requests(&scene, 3_000);

    let (printed, _) = interrupted(&scene, |_| "verify".to_owned());
    assert!(printed.contains("to go on: mutatorctl verify --resume"), "{printed}");
    let state = scene.home().join(".local/state/mutatorctl");
    let saved = fs::read_dir(&state).unwrap().next().unwrap().unwrap().path();
    let mut walked: serde_json::Value = serde_json::from_str(&fs::read_to_string(&saved).unwrap()).unwrap();
    let before = walked["records"].as_u64().unwrap();
    assert!(before > 0 && before <= NUMBER, "{walked}");
    // As if it had seen more: only a call that goes on there counts it.
    walked["records"] = (before + 70_000).into();
    fs::write(&saved, walked.to_string()).unwrap();
    let rest = scene.run("verify --resume");
    assert!(rest.starts_with("73000 records and ") && rest.ends_with(" 0 findings\n"), "{rest}");
    assert!(!saved.exists(), "the saved position outlives its use");

    // All others are copies of r-0 under ids of their own, which their histories do not fit.
    let mut session = on_terminal(&scene, "proof check");
    session.exp_string("/3,000").unwrap();
    session.send_control('c').unwrap();
    let printed = session.exp_eof().unwrap();
    assert_eq!(exit_code(&mut session), 130, "{printed}");
    let (_, end) = printed.split_once("interrupted after ").unwrap();
    let (before, end) = end.split_once(" histories, ").unwrap();
    let (findings, how) = end.split_once(" findings so far; to go on: mutatorctl ").unwrap();
    let [before, findings]: [u64; 2] = [before, findings].map(|number| number.parse().unwrap());
    assert_eq!(findings, before - 1);
    let rest = scene.call(how.trim());
    let left = NUMBER - before;
    assert_eq!(rest.code, 1, "{}", rest.err);
    assert!(
        rest.out.contains(&format!("\n{left} histories of ")) && rest.out.ends_with(&format!(" {left} findings\n"))
    );
    let (printed, attempt) = interrupted(&scene, |attempt| format!("export whole-{attempt} --file-size 1"));
    let directory = format!("whole-{attempt}");
    let how = format!("to go on: mutatorctl export {directory} --file-size 1 --resume");
    assert!(printed.contains(&how), "{printed}");
    let unfinished = scene.call(&format!("import {directory} --yes"));
    assert_eq!(unfinished.code, 13, "{}", unfinished.err);
    let rest = scene.run(&format!("export {directory} --file-size 1 --resume"));
    assert!(rest.starts_with("3000 requests in "), "{rest}");

    // Interrupted or not, it ends the same: what is done is not done again.
    let (printed, attempt) = interrupted(&scene, |attempt| format!("repartition {} --yes", 2_u32.pow(attempt)));
    let same = format!("repartition {} --yes", 2_u32.pow(attempt));
    assert!(printed.contains(&format!("it is not complete. To go on: mutatorctl {same}")), "{printed}");
    let closed = scene.call("list");
    assert!(
        closed.code == 15 && closed.err.contains("[layout.repartitioning]; here: mutatorctl repartition"),
        "{}",
        closed.err
    );
    scene.run(&same);
    assert_eq!(scene.run("list --count"), "3000\n");
}

#[test]
fn a_retention_goes_on_after_ctrl_c() {
    let scene = Scene::new();
    scene.submit("r-0");
    scene.run("cancel r-0 --as rita --yes");
    copy(&scene, 3_000);
    scene.write("retention.json", r#"{ "rules": [{ "name": "all", "after": "PT0S", "action": "Purge" }] }"#);
    let mut session = on_terminal(&scene, "retention --policy retention.json --as mona");
    session.exp_string("3000 requests due, 0 of them to be archived; 0 on hold").unwrap();
    session.exp_string("remove 3000 requests for ever? nothing brings them back [y/N] ").unwrap();
    session.send_line("y").unwrap();
    session.exp_string("/3,000").unwrap();
    session.send_control('c').unwrap();
    let printed = session.exp_eof().unwrap();
    assert_eq!(exit_code(&mut session), 130, "{printed}");
    let (removed, _) = printed.split_once(" requests removed before it stopped").unwrap();
    // Before the number the terminal was cleared.
    let digits = removed.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap();
    let left = 3_000 - digits.parse::<u64>().unwrap();
    let (_, rest) = printed.split_once("interrupted; the rest: mutatorctl ").unwrap();
    assert_eq!(scene.run("list --count"), format!("{left}\n"));
    let rest = scene.run(&format!("{} --yes", rest.trim()));
    assert_eq!(rest, format!("{left} requests removed, 0 on hold; others changed or removed 0\n"));
}
