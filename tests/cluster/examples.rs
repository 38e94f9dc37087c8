//! The examples tell the same story on a cluster as on one server, and leave nothing behind on any node.
#![cfg(unix)]

use std::path::PathBuf;
use std::process::Command;

use common::server::Cluster;

/// Those that these features build.
fn examples() -> Vec<String> {
    let files = std::fs::read_dir(common::repository().join("examples")).unwrap();
    let files = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let names = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let is_built = |name: &String| match name.rsplit('_').next() {
        Some("tokio") => cfg!(feature = "tokio"),
        Some("smol") => cfg!(feature = "smol"),
        _ => cfg!(feature = "blocking"),
    };
    names.filter(is_built).collect()
}

fn run(name: &str, urls: Option<&str>) -> (String, String) {
    let test = std::env::current_exe().unwrap();
    let program: PathBuf = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(program.exists(), "{} is not built: run `cargo build --all-features --examples`", program.display());
    let mut command = Command::new(program);
    command.env_remove("REDIS_URL").env_remove("REDIS_CLUSTER_URLS");
    command.envs(urls.map(|urls| ("REDIS_CLUSTER_URLS", urls)));
    let output = command.output().unwrap();
    let [printed, problems] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{name}: {printed}\n{problems}");
    (printed, problems)
}

#[test]
fn every_example_runs_on_a_cluster_and_leaves_nothing_behind() {
    // The first URL is of a node that is gone.
    let mut cluster = Cluster::start(&[]);
    cluster.node_mut(3).kill();
    let urls = [3, 0, 1].map(|node| cluster.nodes()[node].url()).join(",");
    for name in examples() {
        let (printed, problems) = run(&name, Some(&urls));
        assert!(printed.contains("keys of namespace") && problems.is_empty(), "{name}: {printed}\n{problems}");
        for node in 0..3 {
            assert_eq!(cluster.nodes()[node].ask::<u64>(&["DBSIZE"]), 0, "{name} left keys on a node");
        }
    }
}
