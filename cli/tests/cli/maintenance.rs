//! Checks, repairs and rebuilds.

use common::Raw;

use crate::scene::Scene;

#[test]
fn verify_finds_what_repair_repairs() {
    let scene = Scene::new();
    scene.submit("r-1");
    let whole = scene.run("verify");
    assert!(whole.starts_with("1 records and ") && whole.ends_with("index entries checked, 0 findings\n"), "{whole}");

    let mut raw = Raw::to(&scene.url);
    let tags = format!("{{{}:0}}:i:tg:quarter-1", scene.namespace);
    let removed: usize = raw.ask(&["DEL", &tags]);
    assert_eq!(removed, 1, "the index has another name");
    let broken = scene.call("verify");
    assert_eq!(broken.code, 1, "{}", broken.printed());
    assert!(broken.out.contains("request r-1 is missing from index tg:quarter-1\n"), "{}", broken.out);
    assert!(broken.err.contains("1 findings; mutatorctl repair repairs all but 0"), "{}", broken.err);
    assert_eq!(scene.run("list --tag quarter-1"), "nothing\n");

    scene.run("repair --yes");
    scene.run("verify");
    assert!(scene.run("list --tag quarter-1").contains("r-1"));
}

#[test]
fn migrate_leaves_the_revision_as_it_is() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.run("comment r-1 text --as mona --yes");
    assert!(scene.run("migrate --yes").starts_with("1 records"));
    assert_eq!(scene.revision("r-1"), 1);
}

#[test]
fn a_namespace_is_rebuilt_for_another_choice_and_number_of_partitions() {
    let scene = Scene::new();
    for number in 0..20 {
        scene.submit(&format!("r-{number}"));
    }
    assert!(scene.run("repartition 4 --yes").starts_with("4 partitions; "));
    let odd = scene.call("repartition 6 --yes");
    assert_eq!(odd.code, 18, "{}", odd.err);
    scene.run("reindex --index-metadata ticket,change --index-correlation-ids true --fold-case true --yes");
    let layout = |keys: serde_json::Value| {
        let health: serde_json::Value = serde_json::from_str(&scene.run("health --json")).unwrap();
        let layout = &health["layout"];
        assert_eq!(layout["indexed_metadata"], keys);
        assert_eq!((&layout["partitions"], &layout["id_comparison"]), (&4.into(), &"FoldCase".into()));
        assert_eq!(
            (&layout["indexes_correlation_ids"], &layout["indexes_participants"]),
            (&true.into(), &false.into())
        );
    };
    layout(["change", "ticket"].into());
    // For the recorded choice, and then for another.
    scene.run("reindex --yes");
    layout(["change", "ticket"].into());
    scene.run("reindex --index-metadata '' --yes");
    layout(serde_json::Value::Null);
    assert_eq!(scene.run("list --by RITA --count"), "20\n");
    scene.run("verify");
}
