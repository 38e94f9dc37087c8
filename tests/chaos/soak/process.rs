//! How much this process and the server hold.

use common::Raw;

#[derive(Clone, Copy, Debug)]
pub struct Level {
    pub megabytes: f64,
    pub open_files: usize,
    pub server_connections: usize,
}

impl Level {
    pub fn now(raw: &mut Raw) -> Self {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: f64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        let clients: String = raw.ask(&["CLIENT", "LIST", "TYPE", "normal"]);
        Self {
            megabytes: pages * 4096.0 / 1e6,
            open_files: std::fs::read_dir("/proc/self/fd").unwrap().count(),
            server_connections: clients.lines().count(),
        }
    }

    /// With so many servers, to each of which there are connections.
    pub fn check_is_no_higher_than(&self, early: &Self, servers: usize) {
        let most = (early.megabytes * 1.15).max(early.megabytes + 8.0);
        assert!(self.megabytes <= most, "memory has grown: {early:?}, then {self:?}");
        assert!(self.open_files <= early.open_files + 16 * servers, "open files: {early:?}, then {self:?}");
        // A pool, one connection of each asynchronous store, the test's own.
        let most = crate::soak::POOL_SIZE as usize + 4;
        assert!(self.server_connections <= most, "connections: {early:?}, then {self:?}");
    }
}
