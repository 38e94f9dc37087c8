//! What lists show, as tables and as JSON.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use common::{Flavour, Options};
use mutator_governance::{ConsumerName, HolderId};
use serde_json::Value;

use crate::scene::{Ended, Scene};

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn filters_choose_and_pages_go_on() {
    let scene = Scene::new();
    for number in 0..5 {
        scene.submit(&format!("r-{number}"));
    }
    scene.run("cancel r-3 --as rita --yes");
    let all = scene.run("list");
    assert!(all.starts_with("ID   CREATED (UTC)     STATUS             RISK  BY    CHANGE\n"), "{all}");
    assert_eq!(all.lines().count(), 6, "{all}");
    assert!(scene.run("list --status Canceled --risk High.. --by rita --tag quarter-1").contains("r-3"));
    assert_eq!(scene.run("list --status Canceled --risk ..Low"), "nothing\n");
    assert_eq!(scene.run("list --waiting-for Approval --count"), "4\n");

    let first = scene.call("list --newest --limit 2 --json");
    let ids = |text: &str| rows(text).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&first.out), ["r-4", "r-3"]);
    let cursor = first.err.trim_end().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(ids(&scene.run(&format!("list --newest --limit 2 --json --after {cursor}"))), ["r-2", "r-1"]);
    assert_eq!(ids(&scene.run("list --all --json")), ["r-0", "r-1", "r-2", "r-3", "r-4"]);
    let foreign = scene.call(&format!("list --limit 2 --after {cursor}"));
    assert_eq!(foreign.code, 11, "{}", foreign.err);
}

#[test]
fn everything_that_is_shown_is_json_too() {
    let scene = Scene::new();
    scene.submit("r-1");
    for (words, field) in [
        ("list --json", "intent"),
        ("list --count --json", "count"),
        ("show r-1 --json", "decisions"),
        ("inbox --as mona --json", "approval"),
        ("explain r-1 --json", "sentence"),
        ("decisions --limit 1 --json", "decision"),
        ("stats --json", "by_status"),
        ("stats --by rita --json", "by_status"),
        ("watch --from-beginning --entries 1 --json", "added_at"),
        ("health --json", "layout"),
        ("inspect r-1 --json", "record_bytes"),
        ("verify --json", "records"),
        ("export here --json", "parts"),
        ("import here --json --yes", "unchanged"),
        ("expire-due --as sweeper --yes --json", "expired"),
        ("repair --yes --json", "findings"),
        ("reindex --yes --json", "entries"),
        ("repartition 2 --yes --json", "moved"),
        ("approve r-1 --as mona --yes --json", "revision"),
    ] {
        let printed = scene.run(words);
        let value: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{words}: {error}: {printed}"));
        assert!(!value[field].is_null(), "{words}: there is no {field}: {printed}");
    }
}

#[test]
fn tables_fit_a_hundred_columns_and_ids_are_whole() {
    let scene = Scene::new();
    scene.run("submit grant.toml --as rita --create --yes");
    let id = scene.run("list --json").split(r#""id":""#).nth(1).unwrap()[..36].to_owned();
    for words in ["list", "inbox --as mona", "decisions", "stats", "health", "ready", &format!("show {id}"), "--help"] {
        let printed = scene.run(words);
        for line in printed.lines() {
            // Spaces at the end are how clap leaves a line empty.
            let is_trimmed = line.trim_end() == line || words == "--help";
            assert!(line.chars().count() <= 100 && is_trimmed, "{words}: {line:?}");
        }
        let names_it = ["list", "inbox", "decisions", "show"].iter().any(|command| words.starts_with(command));
        assert!(!names_it || printed.contains(&id), "{words}: {printed}");
    }
}

#[test]
fn a_terminal_obeys_nothing_that_somebody_wrote() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.run("comment r-1 'a\u{1b}[2Jb\u{202e}c' --as mona --yes");
    for words in ["show r-1", "decisions"] {
        let shown = scene.run(words);
        assert!(shown.contains(r"a\u{1b}[2Jb\u{202e}c"), "{words}: {shown}");
    }
}

#[test]
fn a_payload_is_printed_byte_for_byte() {
    let scene = Scene::new();
    let draft = std::fs::read_to_string(scene.home().join("grant.toml")).unwrap();
    scene.write("grant.toml", &format!("{draft}\n[payload]\ncontent_type = \"text/plain\"\nbase64 = \"YQAbYg==\"\n"));
    scene.submit("r-1");
    assert_eq!(scene.run("show r-1 --payload"), "a\0\u{1b}b");
    assert!(scene.run("show r-1").contains("payload      4 B of text/plain, digest"));
}

#[test]
fn statistics_have_bars_and_health_has_the_server_and_the_layout() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.submit("r-2");
    scene.submit("r-3");
    scene.run("cancel r-3 --as rita --yes");
    let stats = scene.run("stats");
    assert!(stats.contains(&format!("  Pending        2  {}\n", "█".repeat(40))), "{stats}");
    assert!(stats.contains(&format!("  Canceled       1  {}\n", "█".repeat(20))), "{stats}");
    assert!(stats.contains("\nrequests        3\ndecidable       2\noldest pending  since 2"), "{stats}");
    scene.run("reindex --index-metadata ticket --index-participants true --yes");
    scene.run("repartition 4 --yes");
    let health = scene.run("health");
    assert!(health.starts_with("server       Redis "), "{health}");
    let layout = format!("namespace    {}: 4 partitions, metadata ticket, participants, exact ids\n", scene.namespace);
    assert!(health.contains(&layout), "{health}");
    assert!(scene.run("list --visible --as mona --count").contains('3'));
    assert_eq!(scene.run("list --visible --as nobody --count"), "0\n");
}

#[test]
fn health_shows_how_far_followers_are() {
    let scene = Scene::new();
    scene.submit("r-1");
    let store = Flavour::Blocking.open(&Options::new(&scene.url, &scene.namespace)).unwrap();
    let (name, holder) = (ConsumerName::new("mailer").unwrap(), HolderId::generate());
    store.lease_consumer(&name, holder, Duration::from_secs(60)).unwrap();
    let health = scene.run("health");
    assert!(
        health.contains("FOLLOWER  BEHIND BY  SAVED (UTC)  FOLLOWED NOW\nmailer    1          never        yes\n"),
        "{health}"
    );
}

#[test]
fn a_watch_goes_on_where_another_ended() {
    let scene = Scene::new();
    scene.submit("r-1");
    let mut watch = scene.command("watch --entries 1");
    let mut watching = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Until it follows: each comment is one entry, and the watch sees one of them.
    for number in 0.. {
        assert!(number < 100, "the watch sees nothing");
        scene.run(&format!("comment r-1 'number {number}' --as mona --yes"));
        if watching.try_wait().unwrap().is_some() {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    let ended = Ended::of(&watching.wait_with_output().unwrap());
    assert!(ended.out.contains("r-1 r") && ended.out.contains("Discussion/Commented by mona\n"), "{}", ended.printed());

    scene.run("cancel r-1 --as rita --yes");
    let position = ended.err.trim_end().rsplit(' ').next().unwrap();
    let rest = scene.run(&format!("watch --from {position} --once"));
    assert!(rest.ends_with("Canceled: Lifecycle/Canceled by rita\n"), "{rest}");
    assert!(!rest.contains("Lifecycle/Submitted"), "{rest}");
}
