//! What has ended is removed, and its tombstone stays.

use serde_json::Value;

use crate::scene::Scene;

#[test]
fn a_removed_request_leaves_its_tombstone() {
    let scene = Scene::new();
    for id in ["r-1", "r-2"] {
        scene.submit(id);
        scene.run(&format!("cancel {id} --as rita --yes"));
    }
    let removed = scene.run("remove r-1 --archived-in 2026-11 --as mona --yes");
    assert!(removed.starts_with("request r-1 (Canceled) was removed at "), "{removed}");
    assert!(removed.ends_with(" by Mona; it is archived in 2026-11\n"), "{removed}");
    // The same call again changes nothing, and says the same.
    assert_eq!(scene.run("remove r-1 --as rita --yes"), removed);

    let shown = scene.call("show r-1");
    assert_eq!(shown.code, 10, "{}", shown.printed());
    for part in ["request   r-1, revision 1\n", "now       removed for ever; it was Canceled\n", " by mona\n"] {
        assert!(shown.out.contains(part), "{part:?} is not in\n{}", shown.out);
    }
    assert!(shown.out.contains("archived  2026-11\n"), "{}", shown.out);
    assert!(shown.err.contains("request r-1 was removed; only its tombstone is left"), "{}", shown.err);
    let tombstone: Value = serde_json::from_str(&scene.call("show r-1 --json").out).unwrap();
    assert_eq!((&tombstone["status"], &tombstone["archive"]), (&"Canceled".into(), &"2026-11".into()));

    scene.run("remove r-2 --as mona --json --yes");
    assert!(scene.call("show r-2").out.contains("archived  nowhere\n"));
    assert_eq!(scene.run("list --count"), "0\n");
    let taken = scene.call("submit grant.toml --as rita --id r-1 --yes");
    assert!(taken.code == 13 && taken.err.contains("request r-1 (Canceled) was removed"), "{}", taken.err);
    scene.run("verify");
}

#[test]
fn what_must_stay_is_not_removed() {
    let scene = Scene::new();
    for id in ["open", "original", "ended"] {
        scene.submit(id);
    }
    let draft = std::fs::read_to_string(scene.home().join("grant.toml")).unwrap();
    scene.write("held.toml", &format!("metadata = {{ legal_hold = true }}\n{draft}"));
    scene.run("submit held.toml --as rita --id on-hold --yes");
    scene.write("again.toml", &format!("resubmits = \"original\"\n{draft}"));
    for id in ["on-hold", "ended", "original"] {
        scene.run(&format!("cancel {id} --as rita --yes"));
    }
    scene.run("submit again.toml --as rita --id again --yes");
    let before = common::Raw::to(&scene.url).dump(&scene.namespace);
    for (words, code, said) in [
        ("remove open --as mona --yes", 13, "only a request that has ended can be removed"),
        ("remove open --as mona --dry-run", 13, "only a request that has ended can be removed"),
        ("remove on-hold --as mona --yes", 12, "legal hold"),
        ("remove on-hold --as mona --dry-run", 12, "legal hold"),
        ("remove original --as mona --yes", 13, "it is linked to request again, which is Pending"),
        ("remove original --as mona --dry-run", 13, "it is linked to request again, which is Pending"),
        ("remove missing --as mona --yes", 10, "request missing does not exist"),
        ("remove ended --yes", 2, "give --as PERSON"),
        ("remove ended --as mona", 3, "nothing was changed: give --yes"),
        ("remove ended --as mona --dry-run", 0, "remove ended as mona (Mona): grant-role on tenant:acme"),
        ("remove ended --as mona --archived-in ' ' --yes", 2, "is blank"),
    ] {
        let ended = scene.call(words);
        assert_eq!(ended.code, code, "{words}: {}", ended.printed());
        assert!(ended.err.contains(said), "{words}: {}", ended.err);
        assert_eq!(ended.out, "", "{words}");
    }
    assert!(common::Raw::to(&scene.url).dump(&scene.namespace) == before, "something was written");
}

/// Purges what was canceled, and archives what else has ended.
const POLICY: &str = r#"
[[rules]]
name = "canceled"
of = { statuses = ["Canceled"] }
after = "PT0S"
action = "Purge"

[[rules]]
name = "the-rest"
after = "PT0S"
action = "Archive"

[[holds]]
name = "case-7"
of = { ids = ["held"] }
"#;

#[test]
fn a_retention_lists_and_then_removes_what_is_due() {
    let scene = Scene::new();
    scene.write("retention.toml", POLICY);
    for id in ["canceled", "held", "rejected", "open"] {
        scene.submit(id);
    }
    for id in ["canceled", "held"] {
        scene.run(&format!("cancel {id} --as rita --yes"));
    }
    scene.run("reject rejected --as mona --reason 'Too risky' --code too-risky --yes");
    let mut raw = common::Raw::to(&scene.url);
    let before = raw.dump(&scene.namespace);

    let listed = scene.run("retention --policy retention.toml --dry-run");
    for part in
        ["remove canceled by rule canceled: Canceled, last changed ", "archive and remove rejected by rule the-rest"]
    {
        assert!(listed.contains(part), "{part:?} is not in\n{listed}");
    }
    let planned = "2 requests due, 1 of them to be archived; 1 on hold\n";
    assert!(listed.ends_with(planned) && listed.lines().count() == 3, "{listed}");
    let rows = scene.run("retention --policy retention.toml --dry-run --json");
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["rule"], &rows[2]["held"]), (&"canceled".into(), &1.into()));
    for (words, code, said) in [
        (
            "retention --policy retention.toml --as mona --yes",
            2,
            "rule the-rest archives what is due: name a directory",
        ),
        ("retention --policy retention.toml --shelf archives --as mona", 3, "nothing was changed: give --yes"),
        ("retention --policy retention.toml --shelf archives --yes", 2, "give --as PERSON"),
        ("retention --policy grant.toml --dry-run", 2, "grant.toml: "),
        ("retention --policy missing.toml --dry-run", 4, "missing.toml: No such file"),
    ] {
        let ended = scene.call(words);
        assert_eq!(ended.code, code, "{words}: {}", ended.printed());
        assert!(ended.err.contains(said) && ended.out.is_empty(), "{words}: {}", ended.printed());
    }
    assert!(raw.dump(&scene.namespace) == before, "something was written");

    let ended = scene.call("retention --policy retention.toml --shelf archives --as mona --yes");
    assert_eq!(ended.code, 0, "{}", ended.printed());
    assert_eq!(ended.out, "2 requests removed, 1 on hold; others changed or removed 0\n");
    assert_eq!(scene.run("list --count"), "2\n");
    assert!(scene.call("show canceled").out.contains("archived  nowhere\n"));
    let tombstone: Value = serde_json::from_str(&scene.call("show rejected --json").out).unwrap();
    let archive = tombstone["archive"].as_str().unwrap();
    assert!(ended.err.contains(&format!("archived in {archive}\n")), "{}", ended.err);
    // The archive holds the request as it was.
    let elsewhere = format!("-n {}-back", scene.namespace);
    scene.run(&format!("import archives/{archive} {elsewhere} --create --yes"));
    assert!(scene.run(&format!("show rejected {elsewhere}")).contains("Too risky"));
    assert!(scene.run("retention --policy retention.toml --dry-run").starts_with("0 requests due"));
}

#[test]
fn what_a_retention_cannot_remove_makes_the_call_fail() {
    let scene = Scene::new();
    scene.submit("original");
    scene.run("cancel original --as rita --yes");
    let draft = std::fs::read_to_string(scene.home().join("grant.toml")).unwrap();
    scene.write("again.toml", &format!("resubmits = \"original\"\n{draft}"));
    scene.run("submit again.toml --as rita --id again --yes");
    let purge = POLICY.replace("\"Archive\"", "\"Purge\"");
    scene.write("retention.toml", &purge);
    let ended = scene.call("retention --policy retention.toml --as mona --yes");
    assert_eq!(ended.code, 1, "{}", ended.printed());
    assert!(ended.err.contains("original: ") && ended.err.contains("linked to request again"), "{}", ended.err);
    assert!(ended.err.contains("1 request could not be removed"), "{}", ended.err);
    scene.run("show original");
}
