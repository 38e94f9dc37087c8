//! Completions, manual pages and the documentation.

use std::fs;
use std::process::Command;

use crate::scene::{PROGRAM, Scene};

/// The names of all commands, as the help lists them.
fn commands(scene: &Scene) -> Vec<String> {
    let help = scene.run("--help");
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<String> = list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    assert!(names.len() >= 30, "{names:?}");
    names
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let scene = Scene::new();
    let names = commands(&scene);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = scene.run(&format!("completions {shell}"));
        for name in &names {
            assert!(script.contains(name.as_str()), "{shell} lacks {name}");
        }
        if shell == "bash" {
            scene.write("completions", &script);
            assert!(Command::new("bash").arg("-n").arg(scene.home().join("completions")).status().unwrap().success());
        }
    }
    scene.run("man pages");
    for name in &names {
        let page = fs::read_to_string(scene.home().join(format!("pages/mutatorctl-{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
    let page = scene.run("man");
    assert!(page.contains(".TH mutatorctl 1") && page.contains("Exit codes"), "{page}");
    assert!(scene.run("--version").starts_with("mutatorctl "), "{PROGRAM}");
}

#[test]
fn the_documentation_has_an_example_of_every_command_and_every_exit_code() {
    let scene = Scene::new();
    let page = fs::read_to_string(common::repository().join("docs/cli.md")).unwrap();
    for name in commands(&scene) {
        assert!(page.contains(&format!("`mutatorctl {name}")), "docs/cli.md has no example of {name}");
    }
    // Each example can be read: only what is there to be called is missing.
    for example in page.split('`').filter(|code| code.starts_with("mutatorctl ")) {
        let ended = scene.call(&format!("{} --help", example.trim_start_matches("mutatorctl ")));
        assert_eq!(ended.code, 0, "{example}: {}", ended.err);
    }
    let help = scene.run("--help");
    let codes = help.split("Exit codes:\n").nth(1).unwrap();
    let numbers = codes.split_whitespace().filter(|word| word.parse::<u8>().is_ok());
    for number in numbers {
        assert!(page.contains(&format!("| {number} |")), "docs/cli.md has no exit code {number}");
    }
}
