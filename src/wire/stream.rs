//! A connection and its two halves, whatever it runs over.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use rustix::net::{SendFlags, send};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};
use tokio_rustls::TlsStream;
use tokio_util::io::poll_write_buf;

use super::shared::Shared;

/// A connection that was accepted or dialled.
#[derive(Debug)]
pub enum Stream {
    /// A socket of TCP, without TLS.
    Tcp(TcpStream),
    /// A socket in the file system.
    Unix(UnixStream),
    /// TLS over TCP, after the handshake.
    Tls(Box<TlsStream<TcpStream>>),
}

/// The half that is read.
pub enum ReadHalf {
    /// Its own half of TCP.
    Tcp(tcp::OwnedReadHalf),
    /// Its own half of a Unix socket.
    Unix(unix::OwnedReadHalf),
    /// TLS, which both halves share.
    Tls(Shared),
    /// Anything else: a stream of HTTP/2, a test.
    Other(Box<dyn AsyncRead + Send + Unpin>),
}

/// The half that is written. Dropping it says nothing to the other side; closing does.
#[derive(Default)]
pub struct WriteHalf {
    writer: Option<Writer>,
    /// Whether what is written waits for the end.
    is_last: bool,
}

enum Writer {
    Tcp(tcp::OwnedWriteHalf),
    Unix(unix::OwnedWriteHalf),
    Tls(Shared),
    Other(Box<dyn AsyncWrite + Send + Unpin>),
}

impl Stream {
    /// Parts the connection, so that reading and writing can go on side by side.
    #[must_use]
    pub fn split(self) -> (ReadHalf, WriteHalf) {
        let (reader, writer) = match self {
            Self::Tcp(stream) => {
                let (reader, writer) = stream.into_split();
                (ReadHalf::Tcp(reader), Writer::Tcp(writer))
            }
            Self::Unix(stream) => {
                let (reader, writer) = stream.into_split();
                (ReadHalf::Unix(reader), Writer::Unix(writer))
            }
            Self::Tls(stream) => {
                let shared = Shared::new(*stream);
                (ReadHalf::Tls(shared.clone()), Writer::Tls(shared))
            }
        };
        (reader, WriteHalf { writer: Some(writer), is_last: false })
    }

    /// Parts anything that can be read and written, such as TLS over a connection.
    pub fn split_any<S>(stream: S) -> (ReadHalf, WriteHalf)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        let (reader, writer) = (ReadHalf::Other(Box::new(reader)), Writer::Other(Box::new(writer)));
        (reader, WriteHalf { writer: Some(writer), is_last: false })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl ReadHalf {
    /// Waits until there is something to read, without room for it. Only sockets can tell; for
    /// others this is over at once.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn readable(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(reader) => reader.readable().await,
            Self::Unix(reader) => reader.readable().await,
            Self::Tls(_) | Self::Other(_) => Ok(()),
        }
    }

    /// Tells whether it can say by itself that there is something to read.
    pub(super) fn is_socket(&self) -> bool {
        !matches!(self, Self::Tls(_) | Self::Other(_))
    }

    pub(super) fn is_tcp(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    /// Puts both halves together again, when they are those of one socket of TCP.
    pub(super) fn into_socket(self, mut writer: WriteHalf) -> Option<TcpStream> {
        match (self, writer.writer.take()) {
            (Self::Tcp(reader), Some(Writer::Tcp(writer))) => reader.reunite(writer).ok(),
            _ => None,
        }
    }

    /// Tells whether nothing was heard from the socket, as far as the runtime knows by now: this
    /// costs no system call. Something that was heard is lost.
    pub(super) fn is_unheard(&self) -> bool {
        let mut byte = [0];
        let heard = match self {
            Self::Tcp(reader) => reader.try_read(&mut byte),
            Self::Unix(reader) => reader.try_read(&mut byte),
            Self::Tls(_) | Self::Other(_) => return true,
        };
        matches!(heard, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Tells whether nothing waits in the socket: neither bytes nor an end. The kernel is asked,
    /// because the runtime learns of what comes only between two turns of a worker, and a busy one
    /// has long turns. Where there is no socket, nothing waits in it.
    pub(super) fn is_drained(&self) -> bool {
        match self {
            Self::Tcp(reader) => has_nothing(&SockRef::from(reader.as_ref())),
            Self::Unix(reader) => has_nothing(&SockRef::from(reader.as_ref())),
            Self::Tls(shared) => shared.with_socket(|socket| has_nothing(&SockRef::from(socket))),
            Self::Other(_) => true,
        }
    }
}

fn has_nothing(socket: &SockRef<'_>) -> bool {
    let peeked = socket.peek(&mut [MaybeUninit::uninit()]);
    matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for ReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(reader) => Pin::new(reader).poll_read(cx, buffer),
            Self::Unix(reader) => Pin::new(reader).poll_read(cx, buffer),
            Self::Tls(reader) => Pin::new(reader).poll_read(cx, buffer),
            Self::Other(reader) => Pin::new(reader).poll_read(cx, buffer),
        }
    }
}

impl WriteHalf {
    /// Says that the connection is closed for writing as soon as what follows is written: it goes out
    /// with the end, in one segment where it can. Over TLS it goes out at once.
    pub fn write_last(&mut self) {
        self.is_last = true;
    }

    fn writer(&mut self) -> io::Result<&mut Writer> {
        self.writer.as_mut().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for WriteHalf {
    fn drop(&mut self) {
        // Left to themselves, these say "no more" with a system call of its own.
        match self.writer.take() {
            Some(Writer::Tcp(writer)) => writer.forget(),
            Some(Writer::Unix(writer)) => writer.forget(),
            Some(Writer::Tls(_) | Writer::Other(_)) | None => {}
        }
    }
}

impl AsyncWrite for WriteHalf {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let is_last = self.is_last;
        match self.writer()? {
            Writer::Tcp(writer) if is_last => poll_send_last(writer.as_ref(), cx, bytes),
            Writer::Tcp(writer) => Pin::new(writer).poll_write(cx, bytes),
            Writer::Unix(writer) => Pin::new(writer).poll_write(cx, bytes),
            Writer::Tls(writer) => Pin::new(writer).poll_write(cx, bytes),
            Writer::Other(writer) => Pin::new(writer).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.writer()? {
            Writer::Tcp(writer) => Pin::new(writer).poll_write_vectored(cx, slices),
            Writer::Unix(writer) => Pin::new(writer).poll_write_vectored(cx, slices),
            Writer::Tls(writer) => Pin::new(writer).poll_write_vectored(cx, slices),
            Writer::Other(writer) => Pin::new(writer).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.writer {
            Some(Writer::Tcp(_) | Writer::Unix(_)) => true,
            Some(Writer::Tls(writer)) => writer.is_write_vectored(),
            Some(Writer::Other(writer)) => writer.is_write_vectored(),
            None => false,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.writer()? {
            // Sockets hold nothing back.
            Writer::Tcp(_) | Writer::Unix(_) => Poll::Ready(Ok(())),
            Writer::Tls(writer) => Pin::new(writer).poll_flush(cx),
            Writer::Other(writer) => Pin::new(writer).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.writer()? {
            Writer::Tcp(writer) => Pin::new(writer).poll_shutdown(cx),
            Writer::Unix(writer) => Pin::new(writer).poll_shutdown(cx),
            Writer::Tls(writer) => Pin::new(writer).poll_shutdown(cx),
            Writer::Other(writer) => Pin::new(writer).poll_shutdown(cx),
        }
    }
}

/// Hands bytes to the kernel, which sends what fills no segment with what follows: more, or the end.
fn poll_send_last(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
    loop {
        ready!(stream.poll_write_ready(cx))?;
        match stream.try_io(Interest::WRITABLE, || Ok(send(stream, bytes, flags)?)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            sent => return Poll::Ready(sent),
        }
    }
}

/// Writes once, in one piece where there is one.
pub fn poll_write_some(
    writer: &mut WriteHalf,
    cx: &mut Context<'_>,
    bytes: &mut impl Buf,
) -> Poll<io::Result<usize>> {
    let piece = bytes.chunk();
    if piece.len() < bytes.remaining() {
        return poll_write_buf(Pin::new(writer), cx, bytes);
    }
    // A plain write costs the kernel less than a list of one.
    let written = ready!(Pin::new(writer).poll_write(cx, piece))?;
    bytes.advance(written);
    Poll::Ready(Ok(written))
}
