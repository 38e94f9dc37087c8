//! A server with the users of `docs/acl/billing.acl`, as the file is, and one of the test's own.

use std::path::PathBuf;
use std::time::Duration;

use common::{Options, Raw};
use common::{PrivateServer, unique_namespace};

/// The namespace that the file is for.
pub const NAMESPACE: &str = "billing";

pub const FILE: &str = include_str!("../../../docs/acl/billing.acl");

pub struct Server {
    server: PrivateServer,
    address: String,
    file: PathBuf,
}

impl Server {
    pub fn start() -> Self {
        let file = std::env::temp_dir().join(unique_namespace("mg-acl"));
        std::fs::write(&file, format!("{FILE}user admin on >admin-password ~* &* +@all\n")).unwrap();
        let arguments = ["--aclfile", file.to_str().unwrap(), "--enable-debug-command", "yes"];
        let server = PrivateServer::start_on_tcp(&arguments);
        let address = server.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
        Self { server, address, file }
    }

    /// The address with the login of a user of the file.
    pub fn url(&self, user: &str) -> String {
        format!("redis://{user}:{user}-password@{}/", self.address)
    }

    pub fn options(&self, user: &str) -> Options {
        Options::new(self.url(user), NAMESPACE).timeout(Duration::from_secs(20))
    }

    pub fn raw(&self, user: &str) -> Raw {
        Raw::to(&self.url(user))
    }

    /// Gives a user exactly the rules of another in the file.
    pub fn give_rules(&self, user: &str, of: &str) {
        let line = FILE.lines().find_map(|line| line.strip_prefix(&format!("user {of} "))).unwrap();
        let password = format!(">{user}-password");
        let rules = line.split(' ').filter(|rule| !rule.starts_with('>'));
        let words: Vec<&str> = ["ACL", "SETUSER", user, "reset", &password].into_iter().chain(rules).collect();
        let _: String = self.raw("admin").ask(&words);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.file));
    }
}
