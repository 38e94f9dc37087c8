//! A stream to the server, encrypted or not.

use std::io;
use std::task::{Context, Poll};

use redis::ConnectionAddr;

use super::redis_socket::Socket;
#[cfg(feature = "tls-rustls")]
use super::redis_tls::Session;
use super::timer::Runtime;
use crate::redis::Settings;

pub(super) enum Stream {
    Plain(Socket),
    #[cfg(feature = "tls-rustls")]
    Tls(Box<Session>),
}

impl Stream {
    pub(super) async fn connect(settings: &Settings, runtime: Runtime) -> io::Result<Self> {
        let tcp = settings.connection.tcp_settings();
        match settings.connection.addr() {
            ConnectionAddr::Tcp(host, port) => Ok(Self::Plain(Socket::connect_tcp(runtime, host, *port, tcp).await?)),
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Ok(Self::Plain(Socket::connect_unix(runtime, path).await?)),
            #[cfg(feature = "tls-rustls")]
            ConnectionAddr::TcpTls { host, port, .. } => {
                let session = settings.tls.session(host)?;
                let socket = Socket::connect_tcp(runtime, host, *port, tcp).await?;
                Ok(Self::Tls(Box::new(Session::shake_hands(session, socket).await?)))
            }
            other => {
                let problem = format!("this build cannot connect to {other}");
                Err(io::Error::new(io::ErrorKind::Unsupported, problem))
            }
        }
    }

    /// Reads into the buffer; 0 at the end of the stream.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_read(context, buffer),
            #[cfg(feature = "tls-rustls")]
            Self::Tls(session) => session.poll_read(context, buffer),
        }
    }

    /// Takes some of the bytes. They are on their way when [`poll_flush`](Self::poll_flush) is ready.
    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_write(context, bytes),
            #[cfg(feature = "tls-rustls")]
            Self::Tls(session) => session.poll_write(context, bytes),
        }
    }

    #[cfg_attr(
        not(feature = "tls-rustls"),
        allow(unused_variables, reason = "only what is encrypted is kept for a while")
    )]
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // Nothing is kept back.
            Self::Plain(_) => Poll::Ready(Ok(())),
            #[cfg(feature = "tls-rustls")]
            Self::Tls(session) => session.poll_flush(context),
        }
    }

    /// Reads what has arrived, also what a runtime that was at rest has not noticed; `WouldBlock` if there is nothing.
    pub(super) fn read_arrived(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read_arrived(buffer),
            #[cfg(feature = "tls-rustls")]
            Self::Tls(session) => session.read_arrived(buffer),
        }
    }
}
