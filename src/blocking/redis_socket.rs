//! Connects a socket by a deadline, whatever the other side does or does not do.
//!
//! Not within it is the look-up of a host name: that is the system's, which takes the time it takes.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;
use std::time::Duration;

use redis::io::tcp::{TcpSettings, socket2};

use crate::service::deadline::Deadline;

/// A connection to the first address of this host that takes one.
pub(super) fn connect_tcp(host: &str, port: u16, settings: &TcpSettings, deadline: Deadline) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    let stream = connect_one_of(&addresses, deadline)?;
    stream.set_nodelay(settings.nodelay())?;
    if let Some(keepalive) = settings.keepalive() {
        socket2::SockRef::from(&stream).set_tcp_keepalive(keepalive)?;
    }
    Ok(stream)
}

/// Tries one after another. Each has its part of the time that is left, so that one that is silent leaves some to the others.
fn connect_one_of(addresses: &[SocketAddr], deadline: Deadline) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    let left_to_try = (1..=u32::try_from(addresses.len()).unwrap_or(u32::MAX)).rev();
    for (address, untried) in addresses.iter().zip(left_to_try) {
        let part = (time_left(deadline)? / untried).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(address, part) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// A connection to the socket at this path. One whose server accepts nobody keeps its callers waiting, on Linux for as long
/// as they would wait to write, which std can only say of a socket that is connected.
#[cfg(unix)]
pub(super) fn connect_unix(path: &Path, deadline: Deadline) -> io::Result<UnixStream> {
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
    let address = socket2::SockAddr::unix(path)?;
    loop {
        socket.set_write_timeout(Some(time_left(deadline)?))?;
        match socket.connect(&address) {
            Ok(()) => return Ok(socket.into()),
            // A signal that the process handles ends this wait too, and the deadline the next one.
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn time_left(deadline: Deadline) -> io::Result<Duration> {
    deadline.remaining().ok_or_else(|| io::Error::from(io::ErrorKind::TimedOut))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Instant;

    use socket2::{Domain, SockAddr, Socket, Type};

    use super::*;

    /// Listens and accepts nobody, and as many wait for it as may. These are to be kept as long as that is to last.
    fn full(domain: Domain, address: &SockAddr) -> Vec<Socket> {
        let listener = Socket::new(domain, Type::STREAM, None).unwrap();
        listener.bind(address).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut sockets = vec![listener];
        for _ in 0..4 {
            let waiting = Socket::new(domain, Type::STREAM, None).unwrap();
            waiting.set_nonblocking(true).unwrap();
            drop(waiting.connect(&address));
            sockets.push(waiting);
        }
        sockets
    }

    /// The result, and how long it took; on a thread of its own, which may hang.
    fn timed<T: Send + 'static>(connect: impl FnOnce() -> T + Send + 'static) -> (T, Duration) {
        let (done, result) = mpsc::channel();
        let began = Instant::now();
        thread::spawn(move || drop(done.send(connect())));
        (result.recv_timeout(Duration::from_secs(20)).expect("it hangs"), began.elapsed())
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_whose_server_accepts_nobody_is_given_up_by_the_deadline() {
        let path = std::env::temp_dir().join(format!("mg-full-{}", std::process::id()));
        drop(std::fs::remove_file(&path));
        let _full = full(Domain::UNIX, &SockAddr::unix(&path).unwrap());
        let ours = path.clone();
        let (connected, took) = timed(move || connect_unix(&ours, Deadline::after(Duration::from_millis(200))).err());
        std::fs::remove_file(&path).unwrap();
        let error = connected.expect("nobody accepts");
        // Linux lets it wait, other systems reject it at once.
        assert!(!cfg!(target_os = "linux") || error.kind() == io::ErrorKind::TimedOut, "{error}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }

    #[test]
    fn an_address_that_is_silent_leaves_time_for_the_next() {
        let nobody = SockAddr::from(SocketAddr::from(([127, 0, 0, 1], 0)));
        let full = full(Domain::IPV4, &nobody);
        let silent = full[0].local_addr().unwrap().as_socket().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let answering = listener.local_addr().unwrap();
        let deadline = Deadline::after(Duration::from_secs(4));
        let (connected, took) = timed(move || connect_one_of(&[silent, silent, answering], deadline));
        assert_eq!(connected.unwrap().peer_addr().unwrap(), answering);
        assert!(took > Duration::from_secs(2), "the first address took a connection, and this test shows nothing");
    }
}
