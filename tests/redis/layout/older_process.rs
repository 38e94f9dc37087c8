//! A process of the release before, played by today's: whatever it says or hears of a layout goes through a proxy that moves
//! the versions by one. So a rebuild of today's release is to it what one of a newer release is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// Moves versions on connections to a server: the layout that clients take for version 3 is version 2 to the server.
pub(crate) struct OlderProcess {
    url: String,
}

type Moves = Vec<(Vec<u8>, Vec<u8>)>;

fn copy(mut from: TcpStream, mut to: TcpStream, moves: Moves) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let part = &mut buffer[..length];
        let mut at = 0;
        while at < part.len() {
            match moves.iter().find(|(seen, _)| part[at..].starts_with(seen)) {
                Some((_, given)) => {
                    part[at..at + given.len()].copy_from_slice(given);
                    at += given.len();
                }
                None => at += 1,
            }
        }
        if to.write_all(part).is_err() {
            break;
        }
    }
    // The one that copies the other way ends too.
    let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

impl OlderProcess {
    /// In front of the server at this URL, for a namespace of so many partitions.
    pub(crate) fn before(server: &str, partitions: u16) -> Self {
        let upstream = server.trim_start_matches("redis://").trim_end_matches('/').to_owned();
        let layout = |version: u32| format!("{version} {partitions} Exact -").into_bytes();
        let (sent, heard) = (vec![(layout(3), layout(2))], vec![(layout(2), layout(3)), (layout(3), layout(4))]);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&upstream).unwrap());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (sent, heard) = (sent.clone(), heard.clone());
                thread::spawn(move || copy(from, to, sent));
                thread::spawn(move || copy(server, client, heard));
            }
        });
        Self { url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}
