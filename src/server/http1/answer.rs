//! Writing an answer: its head, then its body as it comes, in the framing that the client knows.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{StatusCode, Version};
use hyper::body::{Body as _, Frame};
use tokio::io::AsyncWrite as _;

use super::{Connection, poll_gone};
use crate::base::body::{Body, BoxError};
use crate::base::clock::http_date;
use crate::request::lasting::{LOOK, Lasting};
use crate::request::service::{Answer, Service};
use crate::wire::framing::{self, Framing, may_have_body};
use crate::wire::outgoing::{self, Fields};
use crate::wire::patience::{Patience, Woken};
use crate::wire::scratch;
use crate::wire::stream::poll_write_some;

/// What of a request matters to its answer.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) is_head: bool,
    pub(super) version: Version,
    pub(super) keep_alive: bool,
}

impl<S: Service> Connection<'_, S> {
    /// Writes an answer; says whether the connection may be used again.
    pub(super) async fn answer(&mut self, answer: Answer, asked: Asked) -> io::Result<bool> {
        let Answer { response, passed, lasting } = answer;
        let lasting = lasting.as_ref();
        let (parts, mut body) = response.into_parts();
        let may_have_body = may_have_body(parts.status);
        let has_body = may_have_body && !asked.is_head;
        let is_exact = body.size_hint().exact();

        // 1. The head, in one look at each field.
        let mut out = scratch::take();
        outgoing::status_line(&mut out, parts.status);
        let (mut said, mut is_dated) = (passed.length(), passed.is_dated());
        let mut goes_on = asked.keep_alive;
        for (name, value) in &parts.headers {
            match *name {
                TRANSFER_ENCODING => continue,
                CONNECTION if value == "close" => {
                    goes_on = false;
                    continue;
                }
                CONTENT_LENGTH => {
                    said = framing::number(value.as_bytes()).ok();
                    continue;
                }
                DATE => is_dated = true,
                _ => {}
            }
            out.add(name, value);
        }
        passed.write(&mut out);
        if let Some(length) = said
            && (may_have_body || parts.status == StatusCode::NOT_MODIFIED)
        {
            outgoing::content_length(&mut out, length);
        }
        if !is_dated {
            outgoing::field(&mut out, "date", http_date().as_bytes());
        }
        let framing = match (has_body, said, is_exact) {
            (false, ..) => Framing::NONE,
            (true, Some(length), _) => Framing::Length(length),
            (true, None, Some(length)) => {
                outgoing::content_length(&mut out, length);
                Framing::Length(length)
            }
            (true, None, None) if asked.version == Version::HTTP_11 => {
                out.extend_from_slice(b"transfer-encoding: chunked\r\n");
                Framing::Chunked
            }
            (true, None, None) => Framing::UntilClose,
        };
        if asked.is_head
            && may_have_body
            && said.is_none()
            && let Some(length) = is_exact.filter(|length| *length > 0)
        {
            // A client of HEAD learns what GET would have.
            outgoing::content_length(&mut out, length);
        }
        goes_on = goes_on
            && framing != Framing::UntilClose
            && self.knows_next_start(parts.status)
            && !self.stop.is_leaving();
        if !goes_on {
            out.extend_from_slice(b"connection: close\r\n");
        }
        out.extend_from_slice(b"\r\n");

        // 2. The body, of which the beginning is often there already and goes in one piece with
        //    the head.
        let mut left = match framing {
            Framing::Length(length) => length,
            Framing::Chunked | Framing::UntilClose => u64::MAX,
        };
        let (mut trailer, mut ahead) = (None, None);
        while left > 0 && has_body {
            let piece = match ahead.take() {
                Some(piece) => piece,
                None => poll_fn(|cx| self.poll_frame(&mut body, &out, cx)).await,
            };
            let frame = match piece {
                Piece::Frame(frame) => frame,
                Piece::WriteFirst => {
                    self.write_out(&mut out, lasting).await?;
                    continue;
                }
                Piece::End => break,
                Piece::Failed(error) => {
                    self.write_out(&mut out, lasting).await?;
                    return Err(io::Error::other(error));
                }
                Piece::ClientGone => return Ok(false),
            };
            let data = match frame.into_data() {
                Ok(data) if data.is_empty() => continue,
                Ok(data) => data,
                Err(frame) => {
                    trailer = frame.into_trailers().ok();
                    continue;
                }
            };
            left = left.checked_sub(data.len() as u64).ok_or_else(too_long)?;
            let end: &[u8] = if framing == Framing::Chunked {
                outgoing::chunk_size(&mut out, data.len());
                b"\r\n"
            } else {
                b""
            };
            if data.len() > SMALL {
                let mut more = Bytes::new();
                if framing != Framing::Chunked && left > 0 {
                    // What is there already goes with it: the beginning of a body comes with its head,
                    // and then the rest in one piece.
                    (more, ahead) = poll_fn(|cx| Poll::Ready(look_ahead(&mut body, cx))).await;
                    left = left.checked_sub(more.len() as u64).ok_or_else(too_long)?;
                }
                let mut all = (&out[..]).chain(data).chain(more).chain(end);
                self.write_while(&mut all, lasting).await?;
                out.clear();
            } else {
                // Cheaper to copy than to hand over in two pieces; what is there already follows.
                out.extend_from_slice(&data);
                out.extend_from_slice(end);
                if out.len() < SMALL {
                    continue;
                }
                self.write_out(&mut out, lasting).await?;
            }
        }
        match framing {
            Framing::Chunked => outgoing::last_chunk(&mut out, trailer.as_ref()),
            Framing::Length(_) if left > 0 && has_body => {
                self.write_out(&mut out, lasting).await?;
                return Err(io::Error::other("answer is shorter than it said"));
            }
            _ => {}
        }
        if !out.is_empty() {
            self.write_out(&mut out, lasting).await?;
        }
        scratch::give_back(out);
        Ok(goes_on)
    }

    /// Tells whether the next request can be found on the connection: the body was read, is being
    /// read by whoever answers, or is short enough to be read to its end.
    fn knows_next_start(&self, status: StatusCode) -> bool {
        let is_read = self.reader.is_some() && self.unread.is_none();
        let is_being_read = self.lent.is_some() && !status.is_client_error();
        is_read || is_being_read || self.may_drain
    }

    /// Looks for the next piece of an answer while the client stays.
    fn poll_frame(&mut self, body: &mut Body, out: &BytesMut, cx: &mut Context<'_>) -> Poll<Piece> {
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(None) => Poll::Ready(Piece::End),
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Piece::Frame(frame)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Piece::Failed(error)),
            Poll::Pending if !out.is_empty() => Poll::Ready(Piece::WriteFirst),
            Poll::Pending => match &mut self.reader {
                Some(reader) if self.unread.is_none() => {
                    poll_gone(reader, cx).map(|()| Piece::ClientGone)
                }
                _ => Poll::Pending,
            },
        }
    }

    /// Writes what is in the room and empties it: its beginning stays where it is.
    async fn write_out(
        &mut self,
        out: &mut BytesMut,
        lasting: Option<&Arc<Lasting>>,
    ) -> io::Result<()> {
        self.write_while(&mut &out[..], lasting).await?;
        out.clear();
        Ok(())
    }

    /// Writes all of it, as fast as the client reads but not slower than it may.
    pub(super) async fn write(&mut self, bytes: &mut impl Buf) -> io::Result<()> {
        self.write_while(bytes, None).await
    }

    /// Writes all of it, as long as the answer may go on.
    async fn write_while(
        &mut self,
        bytes: &mut impl Buf,
        lasting: Option<&Arc<Lasting>>,
    ) -> io::Result<()> {
        let Self { writer, patience, limits, .. } = self;
        let mut waits = false;
        poll_fn(|cx| {
            while bytes.has_remaining() {
                match poll_write_some(writer, cx, bytes) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(_)) => waits = false,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        if !std::mem::replace(&mut waits, true) {
                            patience.renew_looking(limits.stall_timeout, LOOK);
                        }
                        ready!(poll_patience(patience, lasting, cx))?;
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                }
            }
            Pin::new(&mut *writer).poll_flush(cx)
        })
        .await
    }
}

/// Is ready when the patience has ended, or with an error when the answer may not go on.
fn poll_patience(
    patience: &mut Patience,
    lasting: Option<&Arc<Lasting>>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let Some(lasting) = lasting else { return patience.poll_over(cx).map(Ok) };
    if let Some(cut) = lasting.cut() {
        return Poll::Ready(Err(io::Error::other(cut)));
    }
    loop {
        match ready!(patience.poll_look(LOOK, cx)) {
            Woken::Over => return Poll::Ready(Ok(())),
            Woken::ToLook => {
                if let Poll::Ready(cut) = lasting.look(cx) {
                    return Poll::Ready(Err(io::Error::other(cut)));
                }
            }
        }
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

enum Piece {
    Frame(Frame<Bytes>),
    WriteFirst,
    End,
    Failed(BoxError),
    ClientGone,
}

fn too_long() -> io::Error {
    io::Error::other("answer is longer than it said")
}

/// What is copied behind the head, or behind other small pieces, instead of being written beside it.
const SMALL: usize = 4 * 1024;

#[cfg(test)]
mod tests;
