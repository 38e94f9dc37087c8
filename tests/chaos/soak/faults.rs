//! A server that keeps its data on disk, a proxy before it, and what befalls both.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::soak::process::Level;
use common::Raw;
use common::proxy::Proxy;
use common::server::{free_port, repair_append_only_file};
use common::{PrivateServer, unique_namespace};

const BETWEEN_KILLS: Duration = Duration::from_secs(6);

pub struct Machine {
    directory: PathBuf,
    port: u16,
    server: PrivateServer,
    raw: Raw,
    pub proxy: Proxy,
    last_kill: Instant,
    pub caused: BTreeMap<&'static str, u64>,
}

impl Machine {
    pub fn new() -> Self {
        let directory = std::env::temp_dir().join(unique_namespace("mg-soak"));
        std::fs::create_dir(&directory).unwrap();
        let port = free_port();
        let server = start(&directory, port);
        let proxy = Proxy::to(server.url());
        let raw = Raw::to(server.url());
        Self { directory, port, server, raw, proxy, last_kill: Instant::now(), caused: BTreeMap::new() }
    }

    pub fn url(&self) -> &str {
        self.server.url()
    }

    pub fn cause_a_fault(&mut self, random: &mut Rng) {
        if self.last_kill.elapsed() > BETWEEN_KILLS {
            return self.kill_and_restart();
        }
        let kind = match random.u8(..6) {
            0 => {
                let _: i64 = self.raw.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
                "connections killed"
            }
            1 => {
                let _: String = self.raw.ask(&["SCRIPT", "FLUSH"]);
                "scripts flushed"
            }
            2 => {
                self.proxy.cut();
                "connections cut"
            }
            3 => {
                self.proxy.cut_reply_after(random.usize(..500));
                "reply cut"
            }
            4 => {
                self.proxy.cut_request_after(random.usize(..5_000));
                "request cut"
            }
            _ => {
                self.stop_for(Duration::from_millis(random.u64(50..1_200)));
                "server stopped"
            }
        };
        *self.caused.entry(kind).or_insert(0) += 1;
    }

    fn kill_and_restart(&mut self) {
        // By KILL.
        self.server.stop();
        repair_append_only_file(&self.directory);
        self.server = start(&self.directory, self.port);
        self.raw = Raw::to(self.server.url());
        self.last_kill = Instant::now();
        *self.caused.entry("server killed").or_insert(0) += 1;
    }

    fn stop_for(&self, duration: Duration) {
        let signal = |name: &str| {
            let pid = self.server.pid().to_string();
            assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
        };
        signal("-STOP");
        sleep(duration);
        signal("-CONT");
    }

    /// How much is held while traffic goes on undisturbed, without what earlier cuts left behind.
    pub fn level(&mut self) -> Level {
        self.proxy.cut();
        sleep(Duration::from_millis(700));
        Level::now(&mut self.raw)
    }

    pub fn check_enough_faults(&self, seconds: u64) {
        assert_eq!(self.caused.len(), 7, "{:?}", self.caused);
        assert!(self.caused.values().sum::<u64>() > seconds, "{:?}", self.caused);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.server.stop();
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

fn start(directory: &std::path::Path, port: u16) -> PrivateServer {
    let directory = directory.to_str().unwrap();
    PrivateServer::start_on_port(port, &["--dir", directory, "--appendonly", "yes", "--appendfsync", "always"])
}
