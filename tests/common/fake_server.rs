//! Servers that are none: one that is silent, one that says the wrong thing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Answers every chunk it reads by what a function says; an empty answer is silence.
pub struct FakeServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl FakeServer {
    /// The answer to the question for the time, which every connection begins with.
    pub const TIME: &'static [u8] = b"*2\r\n$10\r\n1767225600\r\n$1\r\n0\r\n";

    pub fn is_asked_for_time(sent: &[u8]) -> bool {
        sent.windows(4).any(|window| window == b"TIME")
    }

    pub fn answering(answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::answering_slowly(answer, usize::MAX, Duration::ZERO)
    }

    /// Sends `piece` bytes of an answer at a time, with a pause behind each.
    pub fn answering_slowly(
        answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
        piece: usize,
        pause: Duration,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, stop, answer) = (Arc::clone(&connections), Arc::clone(&ended), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                counted.fetch_add(1, Ordering::Relaxed);
                let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut buffer = [0; 16 * 1024];
                    while let Ok(length @ 1..) = stream.read(&mut buffer) {
                        for part in answer(&buffer[..length]).chunks(piece) {
                            if stream.write_all(part).is_err() {
                                return;
                            }
                            thread::sleep(pause);
                        }
                    }
                });
            }
        });
        Self { address, connections, ended }
    }

    /// Accepts connections and never says a word.
    pub fn silent() -> Self {
        Self::answering(|_| Vec::new())
    }

    /// Passes the first checks of a store as this version of Redis, then answers `then`.
    pub fn of_version(version: &str) -> Self {
        let info = format!("# Server\r\nredis_version:{version}\r\n");
        let info = format!("${}\r\n{info}\r\n", info.len()).into_bytes();
        Self::answering(move |sent| if Self::is_asked_for_time(sent) { Self::TIME.to_vec() } else { info.clone() })
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        drop(std::net::TcpStream::connect(self.address));
    }
}

/// An address that nothing listens at.
pub fn refused_address() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}
