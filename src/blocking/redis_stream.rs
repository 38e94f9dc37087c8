//! A stream to the server on which nothing waits longer than a deadline.
//!
//! redis-rs sets a time limit for each read, however many reads a reply takes: a server or a network that sends a byte now
//! and then keeps its caller for ever. Here each read and write has only what is left of the call's time.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use redis::ConnectionAddr;

use crate::deadline::Deadline;
use crate::redis::Settings;

pub(super) enum Stream {
    Plain(TimedSocket),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TimedSocket>>),
}

/// A socket of which each call gets only what is left until the deadline.
pub(super) struct TimedSocket {
    socket: Socket,
    deadline: Deadline,
}

enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    pub(super) fn connect(settings: &Settings, deadline: Deadline) -> io::Result<Self> {
        let plain = |socket| Ok(Self::Plain(TimedSocket { socket, deadline }));
        match settings.connection.addr() {
            ConnectionAddr::Tcp(host, port) => plain(Socket::Tcp(connect_tcp(host, *port, deadline)?)),
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => plain(Socket::Unix(UnixStream::connect(path)?)),
            #[cfg(feature = "tls")]
            ConnectionAddr::TcpTls { host, port, .. } => {
                let session = settings.tls.session(host)?;
                let socket = Socket::Tcp(connect_tcp(host, *port, deadline)?);
                let mut stream = rustls::StreamOwned::new(session, TimedSocket { socket, deadline });
                // Shaken hands now, so that a certificate that is refused fails the connecting and not a command.
                while stream.conn.is_handshaking() {
                    stream.conn.complete_io(&mut stream.sock)?;
                }
                Ok(Self::Tls(Box::new(stream)))
            }
            other => {
                let problem = format!("this build cannot connect to {other}");
                Err(io::Error::new(io::ErrorKind::Unsupported, problem))
            }
        }
    }

    /// From now on, nothing waits longer than this.
    pub(super) fn set_deadline(&mut self, deadline: Deadline) {
        match self {
            Self::Plain(socket) => socket.deadline = deadline,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.sock.deadline = deadline,
        }
    }
}

fn connect_tcp(host: &str, port: u16, deadline: Deadline) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, time_left(deadline)?) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn time_left(deadline: Deadline) -> io::Result<Duration> {
    deadline.remaining().ok_or_else(|| io::Error::from(io::ErrorKind::TimedOut))
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl Read for TimedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let timeout = Some(time_left(self.deadline)?);
        match &mut self.socket {
            Socket::Tcp(stream) => stream.set_read_timeout(timeout).and_then(|()| stream.read(buffer)),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.set_read_timeout(timeout).and_then(|()| stream.read(buffer)),
        }
    }
}

impl Write for TimedSocket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let timeout = Some(time_left(self.deadline)?);
        match &mut self.socket {
            Socket::Tcp(stream) => stream.set_write_timeout(timeout).and_then(|()| stream.write(buffer)),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.set_write_timeout(timeout).and_then(|()| stream.write(buffer)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
