//! Histories are verified, and checkpoints are made.

use std::fs;
use std::sync::Arc;

use mutator_governance::blocking::{Governance, RedisStore};
use mutator_governance::proof::{HeadTree, SealKeys};
use mutator_governance::{ActorContext, KeyId};

use crate::scene::Scene;

#[test]
fn a_changed_decision_is_named() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.submit("r-2");
    scene.run("approve r-1 --as mona --reason 'She leads billing' --yes");
    assert_eq!(scene.run("proof check"), "2 histories of 7 decisions checked, 0 findings\n");
    assert_eq!(scene.run("proof check r-1 --whole"), "1 histories of 4 decisions checked, 0 findings\n");

    scene.run("export here");
    scene.rewrite_archive("here", 2, |text| text.replace("She leads billing", "He leads billing"));
    let forged = format!("-n {}-forged", scene.namespace);
    scene.run(&format!("import here {forged} --create --yes"));
    for (words, histories) in [("proof check", 2), ("proof check r-1", 1), ("proof check --id r-1", 1)] {
        let ended = scene.call(&format!("{words} {forged}"));
        assert_eq!(ended.code, 1, "{words}: {}", ended.printed());
        assert!(ended.out.contains("request r-1: decision 3 was changed\n"), "{words}: {}", ended.out);
        assert!(ended.out.contains(&format!("{histories} histories of ")), "{words}: {}", ended.out);
        assert!(ended.err.contains("1 histories are not as they were recorded"), "{words}: {}", ended.err);
    }
    let rows = scene.call(&format!("proof check --json {forged}"));
    let lines: Vec<serde_json::Value> = rows.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["verification"]["problem"]["decision"], 3, "{}", rows.out);
    assert_eq!((&lines[1]["histories"], &lines[1]["findings"]), (&2.into(), &1.into()), "{}", rows.out);

    scene.run(&format!("proof check r-2 {forged}"));
    assert_eq!(scene.call("proof check missing").code, 10);
    assert_eq!(scene.call("proof check r-1 --status Pending").code, 2);
}

#[test]
fn seals_are_verified_with_the_keys_of_the_configuration() {
    let scene = Scene::new();
    for id in ["r-1", "r-2"] {
        scene.submit(id);
    }
    let key = |byte: u8| [byte; 32];
    let store = RedisStore::builder(scene.url.as_str()).namespace(scene.namespace.as_str()).open().unwrap();
    let keys = SealKeys::new(KeyId::new("2026").unwrap(), &key(0x07)).unwrap();
    let sealing = Governance::builder().store(Arc::new(store)).seal_keys(keys).build();
    sealing.comment("r-1", ActorContext::user("mona").unwrap(), "fine").unwrap();

    let call = |keys: &str, words: &str| {
        scene.write("keys", keys);
        scene.write("sealed.toml", "seal_keys = \"keys\"\n");
        scene.call(&format!("{words} --config sealed.toml"))
    };
    let (right, wrong) = (format!("2026 {}\n", "07".repeat(32)), format!("2026 {}\n", "08".repeat(32)));
    let other = format!("2027 {}\n", "07".repeat(32));
    for (keys, words, code, said) in [
        (&right, "proof check", 0, "2 histories of 7 decisions checked, 0 findings\n"),
        (&right, "proof check r-1 --whole", 1, "request r-1: decisions before 3 are not sealed\n"),
        (&right, "proof check r-2 --whole", 1, "request r-2: no decision is sealed\n"),
        (&wrong, "proof check", 1, "request r-1: the seal is not that of key 2026\n"),
        (&other, "proof check r-1", 1, "request r-1: key 2026 made the seal; give it to verify the seal\n"),
        (&"2026 07".to_owned(), "proof check", 2, "keys line 1: "),
    ] {
        let ended = call(keys, words);
        assert_eq!(ended.code, code, "{words}: {}", ended.printed());
        assert!(ended.printed().contains(said), "{words}: {}", ended.printed());
        assert!(!ended.err.contains("seals are not verified"), "{words}: {}", ended.err);
    }
    // What a call with keys writes is sealed; what one without them writes is found.
    let sealed = call(&right, "comment r-1 text --as mona --yes");
    assert_eq!(sealed.code, 0, "{}", sealed.err);
    let found = call(&right, "proof check");
    assert_eq!(found.code, 0, "{}", found.printed());
    scene.run("comment r-1 text --as mona --yes");
    let found = call(&right, "proof check");
    assert!(found.out.contains("request r-1: somebody without a key added decision 5\n"), "{}", found.out);

    let without = scene.call("proof check");
    assert!(without.code == 0 && without.err.contains("seals are not verified"), "{}", without.printed());
}

#[test]
fn a_checkpoint_is_what_the_heads_prove() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.submit("r-2");
    let note = scene.run("proof checkpoint --origin example.com/billing --heads heads.json");
    let heads: HeadTree = serde_json::from_str(&fs::read_to_string(scene.home().join("heads.json")).unwrap()).unwrap();
    let again = heads.checkpoint("example.com/billing", mutator_governance::Timestamp::now());
    assert_eq!((note.lines().nth(1), &note), (Some("2"), &again.note()));

    let to_file = scene.run("proof checkpoint --origin example.com/billing --out note");
    assert_eq!(to_file, "2 requests in note\n");
    assert_eq!(fs::read_to_string(scene.home().join("note")).unwrap(), note);
    let taken = scene.call("proof checkpoint --origin example.com/billing --out note");
    assert!(taken.code == 4 && taken.err.contains("note is there already"), "{}", taken.printed());
    assert_eq!(fs::read_to_string(scene.home().join("note")).unwrap(), note);

    scene.run("comment r-1 text --as mona --yes");
    let json = scene.run("proof checkpoint --origin example.com/billing --json");
    let later: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(later["size"], 2);
    assert_ne!(later["root"], serde_json::to_value(&again).unwrap()["root"]);
    assert_eq!(scene.call("proof checkpoint --origin ' '").code, 2);
}
