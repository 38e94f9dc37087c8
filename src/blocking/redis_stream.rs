//! A stream to the server on which nothing waits longer than a deadline.
//!
//! redis-rs sets a time limit for each read, however many reads a reply takes: a server or a network that sends a byte now
//! and then keeps its caller for ever. Here each read and write has only what is left of the call's time.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use redis::ConnectionAddr;
use redis::io::tcp::socket2::{self, SockRef};

#[cfg(unix)]
use super::redis_socket::connect_unix;
use super::redis_socket::{connect_tcp, time_left};
use crate::redis::Settings;
use crate::service::deadline::Deadline;

pub(super) enum Stream {
    Plain(TimedSocket),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TimedSocket>>),
}

/// A socket of which each call gets only what is left until the deadline.
pub(super) struct TimedSocket {
    socket: Socket,
    deadline: Deadline,
    reading: Limit,
    writing: Limit,
}

/// The time limit that is set on a socket, for reading or for writing. Setting it is a system call, so a limit stays for
/// later calls for as long as it is within their time: whoever is woken by it too early waits again.
#[derive(Default)]
struct Limit(Option<Duration>);

/// Whether a socket on which a call ran into its limit can be used again. Windows does not say so.
const WAITS_AGAIN: bool = cfg!(unix);

enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    pub(super) fn connect(settings: &Settings, deadline: Deadline) -> io::Result<Self> {
        let plain = |socket| Ok(Self::Plain(TimedSocket::new(socket, deadline)));
        let tcp =
            |host: &str, port| connect_tcp(host, port, settings.connection.tcp_settings(), deadline).map(Socket::Tcp);
        match settings.connection.addr() {
            ConnectionAddr::Tcp(host, port) => plain(tcp(host, *port)?),
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => plain(Socket::Unix(connect_unix(path, deadline)?)),
            #[cfg(feature = "tls")]
            ConnectionAddr::TcpTls { host, port, .. } => {
                let session = settings.tls.session(host)?;
                let mut stream = rustls::StreamOwned::new(session, TimedSocket::new(tcp(host, *port)?, deadline));
                // Shaken hands now, so that a certificate that is rejected fails the connecting and not a command.
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

    /// Whether the server has sent something, or has closed the connection: asked without waiting.
    pub(super) fn has_arrived(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(socket) => socket.has_arrived(),
            // Beside data there may be what concerns the encryption alone, as tickets for a next session.
            #[cfg(feature = "tls")]
            Self::Tls(stream) => {
                while stream.sock.has_arrived()? {
                    let count = stream.conn.read_tls(&mut stream.sock)?;
                    let state = stream
                        .conn
                        .process_new_packets()
                        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                    if count == 0 || state.peer_has_closed() || state.plaintext_bytes_to_read() > 0 {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Whether, after writing failed, all of it may have been sent nevertheless.
    pub(super) fn may_have_sent_all(&self) -> bool {
        // What is encrypted is kept for a while, and nobody says how much of it has gone.
        !matches!(self, Self::Plain(_))
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

impl TimedSocket {
    fn new(socket: Socket, deadline: Deadline) -> Self {
        Self { socket, deadline, reading: Limit::default(), writing: Limit::default() }
    }

    /// Whether reading would not wait: there are bytes, or the end of the stream.
    fn has_arrived(&self) -> io::Result<bool> {
        let peeked = match &self.socket {
            Socket::Tcp(stream) => peek(&SockRef::from(stream)),
            #[cfg(unix)]
            Socket::Unix(stream) => peek(&SockRef::from(stream)),
        };
        match peeked {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// How many bytes could be read now, one at most; `WouldBlock` if reading would wait.
fn peek(socket: &socket2::Socket) -> io::Result<usize> {
    let mut byte = [MaybeUninit::uninit()];
    #[cfg(unix)]
    return socket.recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT);
    #[cfg(not(unix))]
    {
        socket.set_nonblocking(true)?;
        let peeked = socket.peek(&mut byte);
        socket.set_nonblocking(false)?;
        peeked
    }
}

impl Limit {
    /// Repeats `attempt` until it does something or fails, or until the deadline.
    fn keep(
        &mut self,
        deadline: Deadline,
        set: impl Fn(Option<Duration>) -> io::Result<()>,
        mut attempt: impl FnMut() -> io::Result<usize>,
    ) -> io::Result<usize> {
        let left = time_left(deadline)?;
        if !WAITS_AGAIN {
            set(Some(left))?;
            return attempt();
        }
        if self.0.is_none_or(|limit| limit > left) {
            // Half of it, so that it is within the time of the next call as well. None at all would mean no limit.
            self.0 = Some((left / 2).max(Duration::from_micros(1)));
            set(self.0)?;
        }
        loop {
            match attempt() {
                // A signal that the process handles ends a wait as well.
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                    self.0 = Some(time_left(deadline)?);
                    set(self.0)?;
                }
                outcome => return outcome,
            }
        }
    }
}

impl Read for TimedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { socket, deadline, reading, .. } = self;
        match socket {
            Socket::Tcp(stream) => {
                reading.keep(*deadline, |limit| stream.set_read_timeout(limit), || (&*stream).read(buffer))
            }
            #[cfg(unix)]
            Socket::Unix(stream) => {
                reading.keep(*deadline, |limit| stream.set_read_timeout(limit), || (&*stream).read(buffer))
            }
        }
    }
}

impl Write for TimedSocket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let Self { socket, deadline, writing, .. } = self;
        match socket {
            Socket::Tcp(stream) => {
                writing.keep(*deadline, |limit| stream.set_write_timeout(limit), || (&*stream).write(buffer))
            }
            #[cfg(unix)]
            Socket::Unix(stream) => {
                writing.keep(*deadline, |limit| stream.set_write_timeout(limit), || (&*stream).write(buffer))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;
    use std::time::Instant;

    use super::*;

    /// As a process that was stopped and goes on finds its waits ended, even one that handles no signal.
    #[cfg(unix)]
    #[test]
    fn a_wait_that_a_signal_ended_goes_on() {
        let deadline = Deadline::after(Duration::from_secs(20));
        let mut outcomes = [Err(io::ErrorKind::Interrupted.into()), Ok(3)].into_iter();
        let read = Limit::default().keep(deadline, |_| Ok(()), || outcomes.next().unwrap());
        assert_eq!(read.unwrap(), 3);

        let is_late = Limit::default().keep(
            Deadline::after(Duration::from_millis(20)),
            |_| Ok(()),
            || Err(io::ErrorKind::Interrupted.into()),
        );
        assert!(is_late.is_err(), "signals without end keep it waiting");
    }

    #[test]
    fn a_limit_of_an_earlier_call_neither_shortens_nor_lengthens_a_later_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = Socket::Tcp(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        let (mut server, _) = listener.accept().unwrap();
        let mut socket = TimedSocket::new(socket, Deadline::after(Duration::from_millis(40)));
        assert!(socket.read(&mut [0]).is_err());

        socket.deadline = Deadline::after(Duration::from_secs(20));
        let answering = thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            server.write_all(b"x").unwrap();
            server
        });
        assert_eq!(socket.read(&mut [0]).unwrap(), 1, "it was given up by the limit of the call before");

        let _server = answering.join().unwrap();
        let began = Instant::now();
        socket.deadline = Deadline::after(Duration::from_millis(100));
        assert!(socket.read(&mut [0]).is_err());
        let took = began.elapsed();
        assert!((100..5_000).contains(&took.as_millis()), "{took:?}");
    }
}
