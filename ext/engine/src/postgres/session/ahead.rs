//! COPYs that are sent one behind the other, without waiting for the server's word in between.
//!
//! tokio-postgres hands rows on only when the server has said that it is ready for them, which is a round trip per table. What
//! PostgreSQL asks for is less: a COPY's rows may follow it at once, and where it is refused the server passes over them
//! (PostgreSQL's documentation, "Message Flow", and `PostgresMain` in its postgres.c). So the stream under a session has a
//! [`Tap`]: while nothing else is under way, bytes written here go out by it, and what the server answers comes back here.
//! The session's own task still does all that is read and written, so its end is the end of this, too.

use super::answers::{Answers, Progress};
use super::connect::Session;
use crate::error::{Error, Result};
use crate::failure::Attempt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{ready, Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::Socket;

/// What is done here, for an error that says so. Which of the tables it was is not known.
const COPYING: &Attempt = &Attempt::LoadingSmallTables;

/// A COPY and all that it brings.
pub(crate) struct WholeCopy {
    /// `COPY … FROM STDIN …`.
    pub(crate) sql: String,
    pub(crate) data: Vec<u8>,
}

impl WholeCopy {
    /// As messages of the protocol: Query, CopyData, CopyDone (PostgreSQL's documentation, "Message Formats").
    fn write(&self, out: &mut Vec<u8>) {
        let mut message = |kind: u8, parts: [&[u8]; 2]| {
            let length = 4 + parts[0].len() + parts[1].len();
            out.push(kind);
            out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
            parts.iter().for_each(|part| out.extend_from_slice(part));
        };
        message(b'Q', [self.sql.as_bytes(), b"\0"]);
        message(b'd', [&self.data, b""]);
        message(b'c', [b"", b""]);
    }
}

impl Session {
    /// Whether [`Session::copy_ahead`] can be used: not over a Unix socket, nor where TLS was offered to a server that has none.
    pub(crate) fn sends_ahead(&self) -> bool {
        lock(self.line()).is_tapped
    }

    /// Sends COPYs one behind the other, each a transaction of its own. Returns how many rows each has stored; None where
    /// the server refused it, which says nothing of those behind it. Nothing else may be under way on the session.
    ///
    /// # Errors
    /// [`Kind::TargetConnection`](crate::error::Kind::TargetConnection) when the connection breaks; some may be stored then.
    pub(crate) async fn copy_ahead(&self, copies: &[WholeCopy]) -> Result<Vec<Option<u64>>> {
        // Answers to what was said before have all come when this one has.
        self.ping_while(COPYING).await?;
        let mut bytes = Vec::with_capacity(
            copies
                .iter()
                .map(|copy| copy.data.len() + copy.sql.len() + 32)
                .sum(),
        );
        copies.iter().for_each(|copy| copy.write(&mut bytes));
        let mut detour = Detour::open(self.line(), bytes);
        let mut answers = Answers::to(copies.len());
        let complete = self.during(async {
            while let Some(some) = detour.incoming.recv().await {
                match answers.read(&some) {
                    Progress::More => {}
                    Progress::All => return true,
                    Progress::Nonsense => return false,
                }
            }
            false
        });
        if complete.await {
            detour.close();
            return Ok(answers.into_rows());
        }
        drop(detour);
        // The connection is closed, and says so.
        self.ping_while(COPYING).await?;
        Err(Error::internal(
            "The answers to rows that were sent could not be read.",
        ))
    }
}

/// What a session's stream and its owner share.
pub(super) type Line = Arc<Mutex<LineState>>;

/// See [`Line`].
#[derive(Debug, Default)]
pub(super) struct LineState {
    /// The stream has a [`Tap`].
    is_tapped: bool,
    /// A detour ended before its answers had come: what comes now has no owner.
    is_broken: bool,
    open: Option<Open>,
    /// Wakes the session's task.
    waker: Option<Waker>,
}

/// A detour under way.
#[derive(Debug)]
struct Open {
    outgoing: Vec<u8>,
    sent: usize,
    incoming: mpsc::UnboundedSender<Vec<u8>>,
}

fn lock(line: &Line) -> std::sync::MutexGuard<'_, LineState> {
    super::lock(line)
}

/// The owner's end of a detour.
struct Detour<'l> {
    line: &'l Line,
    incoming: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl<'l> Detour<'l> {
    fn open(line: &'l Line, outgoing: Vec<u8>) -> Self {
        // Answers are small, and as many as what was sent: the queue has a bound.
        let (sender, incoming) = mpsc::unbounded_channel();
        let mut state = lock(line);
        state.open = Some(Open {
            outgoing,
            sent: 0,
            incoming: sender,
        });
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        drop(state);
        Self { line, incoming }
    }

    /// All answers have come.
    fn close(self) {
        lock(self.line).open = None;
    }
}

impl Drop for Detour<'_> {
    fn drop(&mut self) {
        let mut state = lock(self.line);
        if state.open.take().is_some() {
            state.is_broken = true;
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }
}

/// A stream that a detour may use.
pub(super) struct Tap<T> {
    stream: T,
    line: Line,
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "answers were given up")
}

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let incoming = {
            let mut state = lock(&this.line);
            if state.is_broken {
                return Poll::Ready(Err(broken()));
            }
            state.waker = Some(cx.waker().clone());
            state.open.as_ref().map(|open| open.incoming.clone())
        };
        let Some(incoming) = incoming else {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        };
        let mut space = [0; 4096];
        loop {
            let mut some = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut some))?;
            // The end is the connection's, which closes the detour.
            if some.filled().is_empty() || incoming.send(some.filled().to_vec()).is_err() {
                lock(&this.line).open = None;
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(open) = &mut lock(&this.line).open {
            while let Some(rest) = open.outgoing.get(open.sent..).filter(|rest| !rest.is_empty()) {
                open.sent += ready!(Pin::new(&mut this.stream).poll_write(cx, rest))?;
            }
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<T> Drop for Tap<T> {
    fn drop(&mut self) {
        lock(&self.line).open = None;
    }
}

impl<T: TlsStream + Unpin> TlsStream for Tap<T> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// Makes streams with a tap, by `inner`.
pub(super) struct Tapped<M> {
    inner: M,
    line: Line,
}

impl<M> Tapped<M> {
    pub(super) fn new(inner: M, line: &Line) -> Self {
        let line = Arc::clone(line);
        Self { inner, line }
    }
}

impl<M: MakeTlsConnect<Socket>> MakeTlsConnect<Socket> for Tapped<M>
where
    M::TlsConnect: Send + 'static,
    <M::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    type Stream = Tap<M::Stream>;
    type TlsConnect = Tapped<M::TlsConnect>;
    type Error = M::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Self::TlsConnect, Self::Error> {
        Ok(Tapped::new(self.inner.make_tls_connect(domain)?, &self.line))
    }
}

impl<C: TlsConnect<Socket> + Send + 'static> TlsConnect<Socket> for Tapped<C>
where
    C::Future: Send,
{
    type Stream = Tap<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move {
            let stream = self.inner.connect(stream).await?;
            lock(&self.line).is_tapped = true;
            Ok(Tap {
                stream,
                line: self.line,
            })
        })
    }
}

/// No TLS at all, in the place of a connector for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

impl MakeTlsConnect<Socket> for Plain {
    type Stream = PlainStream;
    type TlsConnect = Plain;
    type Error = io::Error;

    fn make_tls_connect(&mut self, _: &str) -> io::Result<Plain> {
        Ok(Plain)
    }
}

impl TlsConnect<Socket> for Plain {
    type Stream = PlainStream;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<PlainStream>>;

    fn connect(self, stream: Socket) -> Self::Future {
        std::future::ready(Ok(PlainStream(stream)))
    }
}

/// A stream as it is.
pub(super) struct PlainStream(Socket);

impl AsyncRead for PlainStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl AsyncWrite for PlainStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

impl TlsStream for PlainStream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
