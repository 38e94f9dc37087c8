//! A socket of whichever runtime runs the caller.

use std::io::{self, Read};
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::select_ok;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::SockRef;

use super::timer::Runtime;

pub(super) enum Socket {
    #[cfg(feature = "tokio")]
    TokioTcp(tokio::net::TcpStream),
    #[cfg(all(feature = "tokio", unix))]
    TokioUnix(tokio::net::UnixStream),
    #[cfg(feature = "smol")]
    SmolTcp(smol::Async<std::net::TcpStream>),
    #[cfg(all(feature = "smol", unix))]
    SmolUnix(smol::Async<std::os::unix::net::UnixStream>),
}

/// Does this with the socket, whichever it is.
macro_rules! with_socket {
    ($self:expr, $socket:ident => $work:expr) => {
        match $self {
            #[cfg(feature = "tokio")]
            Socket::TokioTcp($socket) => $work,
            #[cfg(all(feature = "tokio", unix))]
            Socket::TokioUnix($socket) => $work,
            #[cfg(feature = "smol")]
            Socket::SmolTcp($socket) => $work,
            #[cfg(all(feature = "smol", unix))]
            Socket::SmolUnix($socket) => $work,
        }
    };
}

impl Socket {
    /// A connection to whichever address of this host takes one first.
    pub(super) async fn connect_tcp(
        runtime: Runtime,
        host: &str,
        port: u16,
        settings: &TcpSettings,
    ) -> io::Result<Self> {
        let addresses = resolve(runtime, host, port).await?;
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the host name has no address"));
        }
        let attempts = addresses.into_iter().map(|address| Box::pin(Self::connect_address(runtime, address)));
        let (socket, _others) = select_ok(attempts).await?;
        with_socket!(&socket, socket => {
            let options = SockRef::from(socket);
            options.set_tcp_nodelay(settings.nodelay())?;
            if let Some(keepalive) = settings.keepalive() {
                options.set_tcp_keepalive(keepalive)?;
            }
        });
        Ok(socket)
    }

    async fn connect_address(runtime: Runtime, address: SocketAddr) -> io::Result<Self> {
        match runtime {
            #[cfg(feature = "tokio")]
            Runtime::Tokio(_) => tokio::net::TcpStream::connect(address).await.map(Self::TokioTcp),
            #[cfg(feature = "smol")]
            Runtime::Smol => smol::Async::<std::net::TcpStream>::connect(address).await.map(Self::SmolTcp),
        }
    }

    #[cfg(unix)]
    pub(super) async fn connect_unix(runtime: Runtime, path: &Path) -> io::Result<Self> {
        match runtime {
            #[cfg(feature = "tokio")]
            Runtime::Tokio(_) => tokio::net::UnixStream::connect(path).await.map(Self::TokioUnix),
            #[cfg(feature = "smol")]
            Runtime::Smol => smol::Async::<std::os::unix::net::UnixStream>::connect(path).await.map(Self::SmolUnix),
        }
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            #[cfg(feature = "tokio")]
            Self::TokioTcp(socket) => read_on_tokio(socket, context, buffer),
            #[cfg(all(feature = "tokio", unix))]
            Self::TokioUnix(socket) => read_on_tokio(socket, context, buffer),
            #[cfg(feature = "smol")]
            Self::SmolTcp(socket) => smol::io::AsyncRead::poll_read(Pin::new(socket), context, buffer),
            #[cfg(all(feature = "smol", unix))]
            Self::SmolUnix(socket) => smol::io::AsyncRead::poll_read(Pin::new(socket), context, buffer),
        }
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            #[cfg(feature = "tokio")]
            Self::TokioTcp(socket) => tokio::io::AsyncWrite::poll_write(Pin::new(socket), context, bytes),
            #[cfg(all(feature = "tokio", unix))]
            Self::TokioUnix(socket) => tokio::io::AsyncWrite::poll_write(Pin::new(socket), context, bytes),
            #[cfg(feature = "smol")]
            Self::SmolTcp(socket) => smol::io::AsyncWrite::poll_write(Pin::new(socket), context, bytes),
            #[cfg(all(feature = "smol", unix))]
            Self::SmolUnix(socket) => smol::io::AsyncWrite::poll_write(Pin::new(socket), context, bytes),
        }
    }

    /// Reads what has arrived, also what a runtime that was at rest has not noticed; `WouldBlock` if there is nothing.
    pub(super) fn read_arrived(&self, buffer: &mut [u8]) -> io::Result<usize> {
        with_socket!(self, socket => (&*SockRef::from(socket)).read(buffer))
    }
}

#[cfg(feature = "tokio")]
fn read_on_tokio(
    socket: &mut (impl tokio::io::AsyncRead + Unpin),
    context: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = tokio::io::ReadBuf::new(buffer);
    Pin::new(socket).poll_read(context, &mut buffer).map_ok(|()| buffer.filled().len())
}

async fn resolve(runtime: Runtime, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match runtime {
        #[cfg(feature = "tokio")]
        Runtime::Tokio(_) => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
        #[cfg(feature = "smol")]
        Runtime::Smol => smol::net::resolve((host, port)).await,
    }
}
