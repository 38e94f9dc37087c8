//! TLS over a socket: rustls does the encrypting, and here is who waits for what.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::task::{Context, Poll, ready};

use rustls::ClientConnection;

use super::redis_socket::Socket;

pub(super) struct Session {
    tls: ClientConnection,
    socket: Socket,
}

/// The socket as rustls takes it: what would have to wait is `WouldBlock`, and the task is woken for it.
struct Waking<'a, 'b> {
    socket: &'a mut Socket,
    context: &'a mut Context<'b>,
}

/// The socket as rustls takes it, of which only what has arrived is read.
struct Arrived<'a>(&'a Socket);

impl Session {
    /// Shakes hands now, so that a certificate that is rejected fails the connecting and not a command.
    pub(super) async fn shake_hands(tls: ClientConnection, socket: Socket) -> io::Result<Self> {
        let mut session = Self { tls, socket };
        poll_fn(|context| session.poll_shake_hands(context)).await?;
        Ok(session)
    }

    fn poll_shake_hands(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_flush(context))?;
            if !self.tls.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_take(context))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
            ready!(self.poll_take(context))?;
            // An answer to what came, for one that the keys are renewed, goes out beside.
            let _sent_when_it_can_be = self.poll_flush(context)?;
        }
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(context))?;
        let taken = self.tls.writer().write(bytes)?;
        let _sent_when_it_can_be = self.poll_flush(context)?;
        Poll::Ready(Ok(taken))
    }

    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Waking { socket: &mut self.socket, context }) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what was sent, as long as the socket has it at once. What is no data, as a ticket for the next session, is dealt
    /// with on the way.
    pub(super) fn read_arrived(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
            self.tls.read_tls(&mut Arrived(&self.socket))?;
            self.decrypt()?;
        }
    }

    /// Takes in what comes next; 0 when nothing will.
    fn poll_take(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self.tls.read_tls(&mut Waking { socket: &mut self.socket, context }) {
            Ok(count) => {
                if let Err(error) = self.decrypt() {
                    // Sends the reason to the server, if that is possible at once.
                    drop(self.poll_flush(context));
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Ok(count))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn decrypt(&mut self) -> io::Result<()> {
        self.tls.process_new_packets().map(drop).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

impl Read for Waking<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        at_once(self.socket.poll_read(self.context, buffer))
    }
}

impl Write for Waking<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        at_once(self.socket.poll_write(self.context, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Arrived<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_arrived(buffer)
    }
}

fn at_once<T>(outcome: Poll<io::Result<T>>) -> io::Result<T> {
    match outcome {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
