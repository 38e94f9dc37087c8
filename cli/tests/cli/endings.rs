//! How calls end: the exit code, and an error that says what to do.

use common::Raw;

use crate::scene::Scene;

#[test]
fn every_kind_of_failure_has_its_exit_code() {
    let scene = Scene::new();
    scene.submit("r-1");
    for (words, code, said) in [
        ("show missing", 10, "request missing does not exist"),
        ("inspect missing", 10, "request missing does not exist"),
        ("approve r-1 --as ' ' --yes", 11, "[value.invalid]"),
        ("list --limit 0", 11, "1 to 1000"),
        ("approve r-1 --as rita --role manager --yes", 12, "rita submitted it"),
        ("submit grant.toml --as rita --id r-1 --yes", 13, "[request.already_exists]"),
        ("list --url redis://127.0.0.1:1", 15, "[store.unreachable]"),
        ("list --url nonsense://host", 18, "[store.configuration]"),
        ("list --status Waiting", 2, "allowed are Created, Pending"),
        ("list --risk Huge..", 2, "Low, Medium, High, Critical"),
        ("approve", 2, "<IDS>"),
        ("approve r-1 --yes", 2, "nobody is said to act: give --as PERSON"),
        ("submit missing.toml --as rita --yes", 4, "missing.toml: No such file"),
        ("import missing --yes", 4, "missing: missing holds no archive"),
        ("list --config missing.toml", 4, "missing.toml: No such file"),
        ("acl -n 'a*'", 2, "no namespace"),
    ] {
        let ended = scene.call(words);
        assert_eq!(ended.code, code, "{words}: {}", ended.printed());
        assert!(ended.err.contains(said), "{words}: {}", ended.err);
        assert_eq!(ended.out, "", "{words}");
    }
    let mut silent = scene.command("list");
    silent.env_remove("MUTATORCTL_URL");
    let ended = crate::scene::Ended::of(&silent.output().unwrap());
    assert!(ended.code == 2 && ended.err.contains("set MUTATORCTL_URL, give --url or --url-file"), "{}", ended.err);
}

#[test]
fn the_configuration_names_server_namespace_and_files_beside_it() {
    let scene = Scene::new();
    scene.submit("r-1");
    let call = |configuration: &str, words: &str| {
        scene.write("other.toml", configuration);
        let mut command = scene.command(&format!("{words} --config other.toml"));
        command.env("MUTATORCTL_URL", "").env_remove("MUTATORCTL_NAMESPACE");
        crate::scene::Ended::of(&command.output().unwrap())
    };
    scene.write("url.txt", &format!("{}\n", scene.url));
    let named = format!("url_file = \"url.txt\"\nnamespace = \"{}\"\nas = \"mona\"\n", scene.namespace);
    let inbox = call(&format!("{named}[people.mona]\nroles = [\"manager\"]\n"), "inbox");
    assert!(inbox.code == 0 && inbox.out.contains("approval-1"), "{}", inbox.printed());
    assert_eq!(call(&named, "inbox").out, "nothing\n");
    for (more, code, said) in [
        ("timeout = \"soon\"", 2, "timeout: \"soon\" is no duration"),
        ("[tls]\nroot_certificates = \"missing.pem\"", 4, "missing.pem: No such file"),
        ("[tls]\nclient_key = \"key.pem\"", 2, "client_certificate and client_key belong together"),
    ] {
        let ended = call(&format!("{named}{more}\n"), "list");
        assert!(ended.code == code && ended.err.contains(said), "{more}: {}", ended.err);
    }
}

#[test]
fn a_draft_with_a_mistake_is_an_error_that_names_its_place() {
    let scene = Scene::new();
    scene.submit("r-1");
    let draft = std::fs::read_to_string(scene.home().join("grant.toml")).unwrap();
    for (from, to, said) in [
        ("risk =", "rsik =", "rsik"),
        ("\"High\"", "\"Huge\"", "Huge"),
        ("operation = \"grant-role\"\n", "", "operation"),
        ("[target]", "[target", "line 5"),
    ] {
        scene.write("wrong.toml", &draft.replace(from, to));
        let ended = scene.call("submit wrong.toml --as rita --yes");
        assert_eq!(ended.code, 2, "{to}: {}", ended.err);
        assert!(ended.err.contains("wrong.toml: ") && ended.err.contains(said), "{to}: {}", ended.err);
    }
    scene.write("named.toml", &format!("requested_by = {{ kind = \"User\", id = \"rita\" }}\n{draft}"));
    let other = scene.call("submit named.toml --as erin --yes");
    assert!(other.code == 2 && other.err.contains("requested by rita, and erin acts"), "{}", other.err);
    scene.run("submit named.toml --yes");
    let nobody = scene.call("submit grant.toml --yes");
    assert!(nobody.code == 2 && nobody.err.contains("give --as PERSON"), "{}", nobody.err);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let scene = Scene::new();
    scene.submit("r-1");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = scene.command("man").stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_request_that_cannot_be_read_hides_no_other() {
    let scene = Scene::new();
    scene.submit("r-1");
    scene.submit("r-2");
    let key = format!("{{{}:0}}:r:r-1", scene.namespace);
    let mut raw = Raw::to(&scene.url);
    let length: usize = raw.ask(&["STRLEN", &key]);
    let _: usize = raw.ask(&["SETRANGE", &key, &(length - 8).to_string(), "damaged!"]);
    let ended = scene.call("list");
    assert_eq!(ended.code, 1, "{}", ended.printed());
    assert!(ended.out.contains("r-2") && ended.err.contains("request r-1 cannot be read: "), "{}", ended.printed());
    assert_eq!(scene.call("show r-1").code, 17);
    assert!(scene.run("inspect r-1").contains("readable   no: "));
    let verified = scene.call("verify");
    assert!(verified.code == 1 && verified.out.contains("cannot be read"), "{}", verified.printed());
    let exported = scene.call("export here");
    assert!(exported.code == 1 && exported.err.contains("are not in it"), "{}", exported.printed());
}
