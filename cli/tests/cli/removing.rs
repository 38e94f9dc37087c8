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
    assert!(taken.code != 0 && taken.err.contains("request r-1 (Canceled) was removed"), "{}", taken.err);
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
