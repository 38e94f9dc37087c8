//! Export and import.

use std::fs;

use crate::scene::Scene;

#[test]
fn an_archive_holds_what_was_chosen_and_is_imported_once() {
    let scene = Scene::new();
    for number in 0..3 {
        scene.submit(&format!("r-{number}"));
    }
    scene.run("approve r-1 --as mona --yes");
    for (directory, options, requests) in [
        ("all", "", "3 requests in 1 file of "),
        ("zipped", "--gzip --stored-bytes", "3 requests in 1 file of "),
        ("some", "--id r-1,r-2", "2 requests in 1 file of "),
    ] {
        let exported = scene.run(&format!("export {directory} {options}"));
        assert!(exported.starts_with(requests), "{directory}: {exported}");
        let other = format!("-n {}-{directory}", scene.namespace);
        let unknown = scene.call(&format!("import {directory} {other} --yes"));
        assert_eq!(unknown.code, 10, "{}", unknown.err);
        let number = &requests[..1];
        let imported = scene.run(&format!("import {directory} {other} --create --yes"));
        assert_eq!(imported, format!("{number} requests added, 0 unchanged, 0 skipped\n"));
        let again = scene.run(&format!("import {directory} {other} --yes"));
        assert_eq!(again, format!("0 requests added, {number} unchanged, 0 skipped\n"));
        assert_eq!(scene.run("show r-1 --json"), scene.run(&format!("show r-1 --json {other}")));
    }
    let taken = scene.call("export all");
    assert!(taken.code == 4 && taken.err.contains("all holds an archive already"), "{}", taken.err);
}

#[test]
fn a_conflict_stops_an_import_or_is_skipped() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.submit("r-2");
    scene.run("export here");
    scene.run("cancel r-1 --as rita --yes");
    let stopped = scene.call("import here --yes");
    assert_eq!(stopped.code, 13, "{}", stopped.err);
    let skipped = scene.call("import here --skip-conflicts --yes");
    assert_eq!(skipped.code, 1, "{}", skipped.err);
    assert_eq!(skipped.out, "0 requests added, 1 unchanged, 1 skipped\n");
    assert!(skipped.err.contains("r-1"), "{}", skipped.err);

    let part = fs::read_dir(scene.home().join("here")).unwrap().map(|file| file.unwrap().path());
    let part = part.into_iter().find(|path| !path.ends_with("manifest.json")).unwrap();
    let text = fs::read_to_string(&part).unwrap();
    fs::write(&part, text.replace("grant-role", "grant-rule")).unwrap();
    let changed = scene.call(&format!("import here -n {}-x --create --yes", scene.namespace));
    assert_eq!(changed.code, 17, "{}", changed.err);
}
