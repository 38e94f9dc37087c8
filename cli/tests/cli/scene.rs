//! A namespace of its own on a server, a home directory of its own, and calls of the program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{redis_url, unique_namespace};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_mutatorctl");

const CONFIGURATION: &str = r#"
[people.mona]
name = "Mona"
roles = ["manager"]

[people.sam]
groups = ["security"]
"#;

/// What a role grant needs: a manager, and then security.
const GRANT: &str = r#"
approval_rules = [{ targets = [{ roles = ["manager"] }] }, { targets = [{ groups = ["security"] }] }]
expected_version = "v7"

[target]
state_id = "tenant:acme"
state_type = "Tenant"
mutation_type = "RoleGrant"

[intent]
operation = "grant-role"
category = "Access"
description = "Erin takes over billing"
risk = "High"
tags = ["quarter-1"]
"#;

pub(crate) struct Scene {
    pub(crate) url: String,
    pub(crate) namespace: String,
    home: PathBuf,
}

/// What a call printed, and its exit code.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::at(redis_url())
    }

    pub(crate) fn at(url: String) -> Self {
        let namespace = unique_namespace("cli");
        let home = std::env::temp_dir().join(format!("mutatorctl-{namespace}"));
        let directory = home.join(".config/mutatorctl");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("config.toml"), CONFIGURATION).unwrap();
        fs::write(home.join("grant.toml"), GRANT).unwrap();
        Self { url, namespace, home }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.home.join(file), text).unwrap();
    }

    /// The program with these words, which finds nothing of this machine.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(split(words)).current_dir(&self.home).env_clear();
        command.env("HOME", &self.home).env("MUTATORCTL_URL", &self.url);
        command.env("MUTATORCTL_NAMESPACE", &self.namespace).stdin(Stdio::null());
        command
    }

    /// Calls it with these words, of which those in single quotes are one.
    pub(crate) fn call(&self, words: &str) -> Ended {
        Ended::of(&self.command(words).output().unwrap())
    }

    /// The same, which has to succeed. What it printed.
    pub(crate) fn run(&self, words: &str) -> String {
        let ended = self.call(words);
        assert_eq!(ended.code, 0, "{words}: {}{}", ended.out, ended.err);
        ended.out
    }

    /// A request that waits for a manager and then security.
    pub(crate) fn submit(&self, id: &str) {
        self.run(&format!("submit grant.toml --as rita --id {id} --create --yes"));
    }

    /// Changes the text of an archive of one file, which then has so many requests; its manifest fits it.
    pub(crate) fn rewrite_archive(&self, directory: &str, requests: usize, change: impl FnOnce(&str) -> String) {
        let directory = self.home.join(directory);
        let part = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path());
        let part = part.into_iter().find(|path| !path.ends_with("manifest.json")).unwrap();
        let lines = change(&fs::read_to_string(&part).unwrap());
        fs::write(&part, &lines).unwrap();
        let manifest = directory.join("manifest.json");
        let mut written: serde_json::Value = serde_json::from_str(&fs::read_to_string(&manifest).unwrap()).unwrap();
        written["requests"] = requests.into();
        written["parts"][0]["requests"] = requests.into();
        written["parts"][0]["bytes"] = lines.len().into();
        written["parts"][0]["sha256"] = common::sha256(lines.as_bytes()).into();
        fs::write(&manifest, written.to_string()).unwrap();
    }

    /// The revision of a request.
    pub(crate) fn revision(&self, id: &str) -> u64 {
        let request: serde_json::Value = serde_json::from_str(&self.run(&format!("show {id} --json"))).unwrap();
        request["revision"]["number"].as_u64().unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// All that it printed.
    pub(crate) fn printed(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// Words by spaces, and between single quotes whatever stands there.
pub(crate) fn split(words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (place, part) in words.split('\'').enumerate() {
        if place % 2 == 1 {
            found.push(part.to_owned());
        } else {
            found.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    found
}
