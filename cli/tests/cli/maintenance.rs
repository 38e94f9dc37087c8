//! Checks, repairs and rebuilds.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use common::{PrivateServer, Raw};

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
fn an_index_out_of_order_is_corrupt_until_it_is_repaired() {
    let scene = Scene::new();
    for id in ["r-1", "r-2", "r-3"] {
        scene.submit(id);
    }
    let mut raw = Raw::to(&scene.url);
    let tags = format!("{{{}:0}}:i:tg:quarter-1", scene.namespace);
    let members: Vec<Vec<u8>> = raw.ask(&["ZRANGE", &tags, "0", "-1"]);
    let _: usize = raw.ask(&[b"ZADD", tags.as_bytes(), b"7", &members[0]]);
    let corrupt = scene.call("list --tag quarter-1");
    assert_eq!(corrupt.code, 17, "{}", corrupt.printed());
    assert!(
        corrupt.err.contains("[store.corrupt]; here: mutatorctl verify, then mutatorctl repair"),
        "{}",
        corrupt.err
    );
    assert_eq!(scene.call("verify").code, 1);
    scene.run("repair --yes");
    assert_eq!(scene.run("list --tag quarter-1 --count"), "3\n");
}

#[test]
fn migrate_leaves_the_revision_as_it_is() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.run("comment r-1 text --as mona --yes");
    assert!(scene.run("migrate --yes").starts_with("1 records"));
    assert_eq!(scene.revision("r-1"), 1);
}

/// A namespace of the layout before, from the fixture of the library's tests, which is a stream of commands.
#[test]
fn the_namespace_of_an_older_release_is_rebuilt() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut stream = TcpStream::connect(server.url().trim_start_matches("redis://").trim_end_matches('/')).unwrap();
    let commands = fs::read(common::repository().join("tests/fixtures/layout/version_1.resp")).unwrap();
    stream.write_all(&[&commands[..], b"QUIT\r\n"].concat()).unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    assert!(!replies.contains("-ERR"), "{replies}");

    let scene = Scene::at(server.url().to_owned());
    let older = scene.call("list -n older");
    assert_eq!(older.code, 18, "{}", older.err);
    assert!(older.err.contains("[layout.older]; here: mutatorctl reindex"), "{}", older.err);
    scene.run("reindex -n older --yes");
    assert_eq!(scene.run("list -n older --count"), "40\n");
    scene.run("verify -n older");
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
