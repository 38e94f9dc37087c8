//! The rules that `acl` prints, on a server.

use common::{PrivateServer, Raw};

use crate::scene::{Scene, split};

#[test]
fn the_printed_rules_let_each_user_do_their_work() {
    let server = PrivateServer::start_on_tcp(&[]);
    let admin = Scene::at(server.url().to_owned());
    let mut raw = Raw::to(server.url());
    for line in admin.run("acl --commands").lines() {
        let words = split(&line.replace('"', "'").replace(">PASSWORD", ">secret"));
        let _: String = raw.ask(&words);
    }
    let as_user = |user: &str| server.url().replace("redis://", &format!("redis://{user}:secret@"));
    let call = |user: &str, words: &str| {
        let output = admin.command(words).env("MUTATORCTL_URL", as_user(user)).output().unwrap();
        crate::scene::Ended::of(&output)
    };
    for (user, words, code) in [
        ("deployer", "submit grant.toml --as rita --id r-1 --create --yes", 0),
        ("application", "approve r-1 --as mona --yes", 0),
        ("application", "verify", 18),
        ("deployer", "verify", 0),
        ("reader", "list", 0),
        ("reader", "show r-1", 0),
        ("reader", "health", 0),
        ("reader", "watch --from-beginning --once", 0),
        ("reader", "approve r-1 --as sam --yes", 18),
        ("reader", "list -n payroll", 18),
    ] {
        let ended = call(user, words);
        assert_eq!(ended.code, code, "{user}, {words}: {}", ended.printed());
    }
    assert_eq!(admin.revision("r-1"), 1);
}
