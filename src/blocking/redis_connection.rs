//! A connection on which nothing waits longer than its deadline.
//!
//! redis-rs sets a time limit for each read, however many reads a reply takes: a server or a network that sends a byte now
//! and then keeps its caller for ever. Here each read and write has only what is left of the call's time.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use redis::{
    Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, Parser, RedisConnectionInfo, RedisError, RedisResult, Value,
};

use crate::deadline::Deadline;

pub(super) struct Connection {
    stream: TimedStream,
    parser: Parser,
}

/// A socket of which each call gets only what is left until the deadline.
struct TimedStream {
    socket: Socket,
    deadline: Deadline,
}

enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Connection {
    /// Connects, logs in and chooses the database.
    pub(super) fn open(info: &ConnectionInfo, deadline: Deadline) -> RedisResult<Self> {
        let stream = TimedStream { socket: Socket::connect(info.addr(), deadline)?, deadline };
        let mut connection = Self { stream, parser: Parser::new() };
        connection.set_up(info.redis_settings(), deadline)?;
        Ok(connection)
    }

    /// Sends one command and reads its reply. After an I/O or a parse error the connection must not be used again.
    pub(super) fn run(&mut self, command: &Cmd, deadline: Deadline) -> RedisResult<Value> {
        self.ask(command, deadline)?.extract_error()
    }

    /// The same, where a refusal of the server is an answer too.
    pub(super) fn ask(&mut self, command: &Cmd, deadline: Deadline) -> RedisResult<Value> {
        self.stream.deadline = deadline;
        self.stream.write_all(&command.get_packed_command())?;
        self.parser.parse_value(&mut self.stream)
    }

    fn set_up(&mut self, settings: &RedisConnectionInfo, deadline: Deadline) -> RedisResult<()> {
        if let Some(password) = settings.password() {
            let mut login = redis::cmd("AUTH");
            if let Some(username) = settings.username() {
                login.arg(username);
            }
            self.run(login.arg(password), deadline).map_err(refused_login)?;
        }
        if settings.db() != 0 {
            self.run(redis::cmd("SELECT").arg(settings.db()), deadline)?;
        }
        Ok(())
    }
}

/// Whatever the server says of a login, it is one that was refused.
fn refused_login(error: RedisError) -> RedisError {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => {
            (ErrorKind::AuthenticationFailed, "the login was refused", error.to_string()).into()
        }
        _ => error,
    }
}

impl Socket {
    fn connect(address: &ConnectionAddr, deadline: Deadline) -> io::Result<Self> {
        match address {
            ConnectionAddr::Tcp(host, port) => connect_tcp(host, *port, deadline).map(Self::Tcp),
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => UnixStream::connect(path).map(Self::Unix),
            other => {
                let problem = format!("this build cannot connect to {other}");
                Err(io::Error::new(io::ErrorKind::Unsupported, problem))
            }
        }
    }

    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(timeout)),
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_read_timeout(Some(timeout)),
        }
    }

    fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_write_timeout(Some(timeout)),
            #[cfg(unix)]
            Self::Unix(stream) => stream.set_write_timeout(Some(timeout)),
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

impl Read for TimedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(time_left(self.deadline)?)?;
        match &mut self.socket {
            Socket::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for TimedStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(time_left(self.deadline)?)?;
        match &mut self.socket {
            Socket::Tcp(stream) => stream.write(buffer),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
