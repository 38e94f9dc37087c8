//! What a server says about the commands it has run, and a server that answers late.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A connection of the test's own, beside the store's.
pub fn connection(url: &str) -> redis::Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}

/// Forgets which commands were run so far.
pub fn forget_calls(url: &str) {
    redis::cmd("CONFIG").arg("RESETSTAT").query::<()>(&mut connection(url)).unwrap();
}

/// How often a command was run since then, by clients or by scripts.
pub fn calls(url: &str, command: &str) -> u64 {
    let info: String = redis::cmd("INFO").arg("commandstats").query(&mut connection(url)).unwrap();
    let prefix = format!("cmdstat_{command}:calls=");
    let line = info.lines().find_map(|line| line.strip_prefix(&prefix));
    line.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
}

/// Passes on what a client sends after a while, and each reply at once. Serves for as long as the process runs.
pub fn late(server: &str, delay: Duration) -> String {
    let server = server.trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let upstream = TcpStream::connect(&server).unwrap();
            let (requests, to_server) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            thread::spawn(move || pass(requests, to_server, delay));
            thread::spawn(move || pass(upstream, client, Duration::ZERO));
        }
    });
    format!("redis://{address}/")
}

fn pass(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut bytes = vec![0; 1 << 20];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        thread::sleep(delay);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _closed = to.shutdown(Shutdown::Both);
}
