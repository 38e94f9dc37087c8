//! A server of the bench's own, and connections to it that are as good as ours.

use std::time::Duration;

use mutator_governance::blocking::RedisStore;
use redis::io::tcp::TcpSettings;
use redis::{Client, Connection, ConnectionLike as _, IntoConnectionInfo as _, Value};

use common::PrivateServer;

/// On TCP at 127.0.0.1, so that round trips cost what they cost. Ends with the bench.
pub(crate) struct Server(PrivateServer);

/// Longer than anything takes, even with the machine busy, and short enough to end a bench that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

impl Server {
    pub(crate) fn start() -> Self {
        Self(PrivateServer::start_on_tcp(&[]))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.url().trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// A client without delays, as our own store has it.
    pub(crate) fn client(&self) -> Client {
        let connection = self.0.url().into_connection_info().unwrap();
        Client::open(connection.set_tcp_settings(TcpSettings::default().set_nodelay(true))).unwrap()
    }

    pub(crate) fn connection(&self) -> Connection {
        self.client().get_connection().unwrap()
    }

    /// A store of ours.
    pub(crate) fn store(&self, namespace: &str, pool_size: u32) -> RedisStore {
        let builder = RedisStore::builder(self.url()).namespace(namespace).pool_size(pool_size);
        builder.timeout(PATIENCE).open().unwrap()
    }

    pub(crate) fn used_memory(&self) -> f64 {
        let info: String = redis::cmd("INFO").arg("memory").query(&mut self.connection()).unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        line.trim().parse().unwrap()
    }
}

/// Sends bytes that are a whole command and reads the reply, which must not be an error.
pub(crate) fn send(connection: &mut Connection, packed: &[u8]) -> Value {
    connection.req_packed_command(packed).and_then(Value::extract_error).unwrap()
}
