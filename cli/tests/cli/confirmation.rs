//! Nothing changes that nobody confirmed.

use crate::scene::Scene;

const CHANGES: [&str; 11] = [
    "submit grant.toml --as rita --id r-2",
    "approve r-1 --as mona",
    "reject r-1 --as mona --reason no",
    "comment r-1 text --as mona",
    "delegate r-1 approval-1 --to paul --reason leave --as mona",
    "request-changes r-1 --reason more --as mona",
    "cancel r-1 --as rita",
    "repair",
    "migrate",
    "reindex",
    "repartition 2",
];

#[test]
fn without_a_terminal_and_without_yes_nothing_changes() {
    let scene = Scene::new();
    scene.submit("r-1");
    let mut raw = common::Raw::to(&scene.url);
    let before = raw.dump(&scene.namespace);
    for change in CHANGES {
        let ended = scene.call(change);
        assert_eq!(ended.code, 3, "{change}: {}", ended.err);
        assert!(ended.err.contains("nothing was changed: give --yes"), "{change}: {}", ended.err);
        assert_eq!(ended.out, "", "{change}");
    }
    assert!(raw.dump(&scene.namespace) == before, "something was written");
}

#[test]
fn a_dry_run_shows_what_would_become_of_it_and_changes_nothing() {
    let scene = Scene::new();
    scene.submit("r-1");
    let mut raw = common::Raw::to(&scene.url);
    let before = raw.dump(&scene.namespace);
    for change in CHANGES.iter().filter(|change| change.contains("--as")) {
        let ended = scene.call(&format!("{change} --dry-run"));
        assert_eq!(ended.code, 0, "{change}: {}", ended.err);
        assert!(ended.printed().contains("grant-role on tenant:acme"), "{change}: {}", ended.printed());
    }
    let impossible = scene.call("approve r-1 --as rita --role manager --dry-run");
    assert_eq!(impossible.code, 12, "{}", impossible.err);
    assert!(raw.dump(&scene.namespace) == before, "something was written");
}

#[test]
fn a_wrong_name_creates_no_namespace() {
    let scene = Scene::new();
    for words in ["list", "health", "approve r-1 --as mona --yes", "submit grant.toml --as rita --yes", "repair --yes"]
    {
        let ended = scene.call(words);
        assert_eq!(ended.code, 10, "{words}: {}", ended.err);
        assert!(ended.err.contains(&format!("namespace {} does not exist", scene.namespace)), "{}", ended.err);
    }
    assert!(common::Raw::to(&scene.url).keys(&scene.namespace).is_empty());
}
