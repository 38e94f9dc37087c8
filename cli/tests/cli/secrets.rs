//! The URL's login appears nowhere.

use common::PrivateServer;

use crate::scene::{Ended, Scene};

const SECRET: &str = "canary-7f3a";

fn silent(what: &str, ended: &Ended) {
    assert!(!ended.printed().contains(SECRET), "{what}: {}", ended.printed());
}

fn with_password() -> (PrivateServer, String, String) {
    let server = PrivateServer::start_on_tcp(&["--requirepass", SECRET]);
    let right = server.url().replace("redis://", &format!("redis://:{SECRET}@"));
    let wrong = right.replace(&format!(":{SECRET}@"), &format!(":wrong-{SECRET}@"));
    (server, right, wrong)
}

#[test]
fn no_call_shows_the_login() {
    let (server, right, wrong) = with_password();
    let scene = Scene::at(right.clone());
    scene.submit("r-1");
    for words in [
        "list",
        "health",
        "show r-1",
        "verify",
        "export here",
        "inspect r-1",
        "approve r-1 --as mona --yes",
        "list --help",
    ] {
        let ended = scene.call(words);
        assert_eq!(ended.code, 0, "{words}: {}", ended.err);
        silent(words, &ended);
    }
    scene.write("url", &format!("{right}\n"));
    let read = scene.command("list --url-file url").env_remove("MUTATORCTL_URL").output().unwrap();
    assert_eq!(Ended::of(&read).code, 0, "{}", Ended::of(&read).err);

    let elsewhere = right.replace(server.url().trim_start_matches("redis://"), "127.0.0.1:1/");
    for url in [&wrong, &elsewhere, &format!("nonsense://user:{SECRET}@h"), &format!("redis://user:{SECRET}/@h:x")] {
        let output = scene.command("list").env("MUTATORCTL_URL", url).output().unwrap();
        let ended = Ended::of(&output);
        assert!(ended.code >= 15, "{}: {}", ended.code, ended.err);
        silent("list", &ended);
        silent("list --url", &scene.call(&format!("list --url {url}")));
        // Where it does not belong.
        silent("first", &scene.call(&format!("{url} list")));
        silent("last", &scene.call(&format!("list {url}")));
        silent("misspelt", &scene.call(&format!("list --urll={url}")));
        silent("value", &scene.call(&format!("list --status {url}")));
        let no_file = scene.command(&format!("list --url-file {url}")).env_remove("MUTATORCTL_URL").output().unwrap();
        assert_eq!(Ended::of(&no_file).code, 4);
        silent("file", &Ended::of(&no_file));
    }
}

#[test]
fn a_mistake_in_the_configuration_does_not_show_its_line() {
    let scene = Scene::new();
    for text in [
        format!("url = \"redis://:{SECRET}@h\n"),
        format!("url = redis://:{SECRET}@h\n"),
        format!("urll = \"redis://:{SECRET}@h\"\n"),
        format!("password = \"{SECRET}\"\n"),
        format!("namespace = \"x\"\nurl = [\"redis://:{SECRET}@h\"]\n"),
    ] {
        scene.write("wrong.toml", &text);
        let ended = scene.call("list --config wrong.toml");
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains("wrong.toml line "), "{}", ended.err);
        silent(&text, &ended);
    }
}
