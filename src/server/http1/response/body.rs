//! The body of an answer as it comes, piece by piece. What is there already goes out with the head.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use hyper::body::{Body as _, Frame};

use crate::base::body::{Body, BoxError};
use crate::request::lasting::Lasting;
use crate::request::service::Service;
use crate::server::http1::connection::{Connection, poll_gone};
use crate::wire::framing::Framing;
use crate::wire::{outgoing, write_buffer};

/// The body of an answer on its way to the client.
pub(super) struct Sending {
    body: Body,
    framing: Framing,
    /// What may still come; without an end where no length was said.
    left: u64,
    /// What is to be written: the head, and small pieces behind it.
    pub(super) out: BytesMut,
    /// A piece that was looked at before its turn.
    ahead: Option<Piece>,
    trailer: Option<HeaderMap>,
    /// The right by which the answer goes on.
    lasting: Option<Arc<Lasting>>,
    /// Whether the connection is closed for writing right after it.
    pub(super) is_last: bool,
}

/// What comes next of a body.
enum Piece {
    Frame(Frame<Bytes>),
    WriteFirst,
    End,
    Failed(BoxError),
    ClientGone,
}

/// What is to be done with the next piece of a body.
enum Found {
    Data(Bytes),
    End,
    ClientGone,
}

impl Sending {
    /// Begins with the head in `out`.
    pub(super) fn new(
        framing: Framing,
        body: Body,
        out: BytesMut,
        lasting: Option<Arc<Lasting>>,
    ) -> Self {
        let left = match framing {
            Framing::Length(length) => length,
            Framing::Chunked | Framing::UntilClose => u64::MAX,
        };
        Self { body, framing, left, out, ahead: None, trailer: None, lasting, is_last: false }
    }

    /// Counts what has come of the body.
    fn count(&mut self, length: usize) -> io::Result<()> {
        let too_long = || io::Error::other("answer is longer than it said");
        self.left = self.left.checked_sub(length as u64).ok_or_else(too_long)?;
        Ok(())
    }
}

impl<S: Service> Connection<'_, S> {
    /// Sends a body, or as much of it as its framing lets it have. Says whether the client is there
    /// at the end.
    pub(super) async fn send(&mut self, sending: &mut Sending) -> io::Result<bool> {
        while sending.left > 0 {
            match self.next_data(sending).await? {
                Found::Data(data) => self.send_data(sending, data).await?,
                Found::End => break,
                Found::ClientGone => return Ok(false),
            }
        }
        match sending.framing {
            Framing::Chunked => outgoing::last_chunk(&mut sending.out, sending.trailer.as_ref()),
            Framing::Length(_) if sending.left > 0 => {
                self.write_out(sending).await?;
                return Err(io::Error::other("answer is shorter than it said"));
            }
            Framing::Length(_) | Framing::UntilClose => {}
        }
        if !sending.out.is_empty() {
            if sending.is_last {
                self.writer.write_last();
            }
            self.write_out(sending).await?;
        }
        Ok(true)
    }

    /// Waits for data, and writes first what waits to be written.
    async fn next_data(&mut self, sending: &mut Sending) -> io::Result<Found> {
        loop {
            let piece = match sending.ahead.take() {
                Some(piece) => piece,
                None => poll_fn(|cx| self.poll_piece(sending, cx)).await,
            };
            match piece {
                Piece::Frame(frame) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Ok(Found::Data(data)),
                    Err(frame) => sending.trailer = frame.into_trailers().ok(),
                },
                Piece::WriteFirst => self.write_out(sending).await?,
                Piece::End => return Ok(Found::End),
                Piece::Failed(error) => {
                    self.write_out(sending).await?;
                    return Err(io::Error::other(error));
                }
                Piece::ClientGone => return Ok(Found::ClientGone),
            }
        }
    }

    /// Looks for the next piece of a body while the client stays.
    fn poll_piece(&mut self, sending: &mut Sending, cx: &mut Context<'_>) -> Poll<Piece> {
        match Pin::new(&mut sending.body).poll_frame(cx) {
            Poll::Ready(None) => Poll::Ready(Piece::End),
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Piece::Frame(frame)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Piece::Failed(error)),
            Poll::Pending if !sending.out.is_empty() => Poll::Ready(Piece::WriteFirst),
            Poll::Pending => match &mut self.reader {
                Some(reader) if self.unread.is_none() => {
                    poll_gone(reader, cx).map(|()| Piece::ClientGone)
                }
                _ => Poll::Pending,
            },
        }
    }

    /// Sends data in its framing: beside what waits when it is large, behind it when it is small.
    async fn send_data(&mut self, sending: &mut Sending, data: Bytes) -> io::Result<()> {
        sending.count(data.len())?;
        let is_chunked = sending.framing == Framing::Chunked;
        let end: &[u8] = if is_chunked { b"\r\n" } else { b"" };
        if is_chunked {
            outgoing::chunk_size(&mut sending.out, data.len());
        }
        if data.len() <= SMALL {
            // Cheaper to copy than to hand over in two pieces; what is there already follows.
            sending.out.extend_from_slice(&data);
            sending.out.extend_from_slice(end);
            if sending.out.len() < SMALL {
                return Ok(());
            }
            return self.write_out(sending).await;
        }
        let mut more = Bytes::new();
        if !is_chunked && sending.left > 0 && !sending.out.is_empty() {
            // What is there already goes with it: the beginning of a body comes with its head, and
            // then the rest in one piece. Later a second one would only be held while it waits.
            let body = &mut sending.body;
            (more, sending.ahead) = poll_fn(|cx| Poll::Ready(look_ahead(body, cx))).await;
            sending.count(more.len())?;
        }
        if sending.out.is_empty() {
            // A client may take its time over a piece: the room is not needed meanwhile.
            write_buffer::give_back(std::mem::take(&mut sending.out));
        }
        let mut all = (&sending.out[..]).chain(data).chain(more).chain(end);
        self.write_while(&mut all, sending.lasting.as_ref()).await?;
        sending.out.clear();
        Ok(())
    }

    /// Writes what is in the room and empties it: its beginning stays where it is.
    async fn write_out(&mut self, sending: &mut Sending) -> io::Result<()> {
        self.write_while(&mut &sending.out[..], sending.lasting.as_ref()).await?;
        sending.out.clear();
        Ok(())
    }
}

/// Takes the next data of a body if it is there already, or else whatever other piece is.
fn look_ahead(body: &mut Body, cx: &mut Context<'_>) -> (Bytes, Option<Piece>) {
    match Pin::new(body).poll_frame(cx) {
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => (data, None),
            Err(frame) => (Bytes::new(), Some(Piece::Frame(frame))),
        },
        Poll::Ready(Some(Err(error))) => (Bytes::new(), Some(Piece::Failed(error))),
        Poll::Ready(None) => (Bytes::new(), Some(Piece::End)),
        Poll::Pending => (Bytes::new(), None),
    }
}

/// What is copied behind the head, or behind other small pieces, instead of being written beside
/// it.
pub(super) const SMALL: usize = 4 * 1024;
