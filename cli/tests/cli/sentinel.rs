//! The same on a server that Sentinels watch.

use common::server::SentinelSet;

use crate::scene::Scene;

#[test]
fn the_primary_is_found_by_its_sentinels_and_followed() {
    let mut set = SentinelSet::start(&[]);
    let scene = Scene::at(set.sentinel_urls().join(","));
    let by = format!("--sentinel {}", SentinelSet::NAME);
    scene.run(&format!("submit grant.toml --as rita --id r-1 --create --yes {by}"));
    set.wait_until_replicated();
    let before = set.primary(0).unwrap();
    set.server_mut(before).kill();
    set.wait_for_another_primary(before);
    scene.run(&format!("approve r-1 --as mona --yes {by}"));
    assert!(scene.run(&format!("show r-1 {by}")).contains("Mona"));
    let unknown = scene.call("list --sentinel another");
    assert!(unknown.code == 18 && unknown.err.contains("another"), "{} {}", unknown.code, unknown.err);
    let both = scene.call(&format!("list --cluster {by}"));
    assert!(both.code == 2 && both.err.contains("--sentinel"), "{} {}", both.code, both.err);
}

#[test]
fn the_configuration_names_the_sentinels_and_the_login_of_the_servers() {
    let set = SentinelSet::start(&["--user", "operator", "on", ">server-canary", "~*", "&*", "+@all"]);
    let scene = Scene::at(set.sentinel_urls().join(","));
    let configuration = format!("sentinel = {:?}\nserver_login_file = \"login\"\n", SentinelSet::NAME);
    scene.write(".config/mutatorctl/config.toml", &configuration);
    let login = ".config/mutatorctl/login";
    scene.write(login, "operator:server-canary\n");
    scene.run("submit grant.toml --as rita --id r-1 --create --yes");
    assert!(scene.run("list").contains("r-1"));
    scene.write(login, "operator:wrong-canary\n");
    let wrong = scene.call("list");
    assert!(wrong.code != 0 && !wrong.err.contains("canary"), "{}", wrong.err);
    scene.write(login, "nonsense-canary");
    let nonsense = scene.call("list");
    assert!(nonsense.code == 2 && !nonsense.err.contains("canary"), "{}", nonsense.err);
}
