//! A connection that speaks HTTP/1.1: requests one after the other, each answered in turn.
//!
//! 1. One task reads, asks the service, and writes. A request with a body lends its reader to the
//!    body, which sends it home when it has been read.
//! 2. A client that hangs up while it waits for an answer is noticed, and what was being done for
//!    it is dropped.
//! 3. What is refused is answered, and the connection ends: nobody knows where the next request
//!    would begin.
//! 4. An idle connection holds no buffer, and hears of a stop. A busy one is told in its answer.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as HttpBody, Frame};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tracing::debug;

use super::listener::Limits;
use crate::base::body::{Body, BoxError};
use crate::base::clock::http_date;
use crate::base::stop::Stop;
use crate::http::service::{HoldsBack, Peer, Service, WantsUpgrade};
use crate::wire::framing::{self, Framing, may_have_body};
use crate::wire::head::{Bounds, RequestHead, Search};
use crate::wire::incoming::{Incoming, Lent, Progress, Returned};
use crate::wire::outgoing::{self, Fields};
use crate::wire::patience::Patience;
use crate::wire::reader::{Joined, Reader};
use crate::wire::refusal::Refusal;
use crate::wire::stream::{WriteHalf, poll_write_some};
use crate::wire::tunnel::Passage;

/// How a connection goes on after HTTP/1.1.
pub(super) enum After {
    /// It does not.
    Closed,
    /// The client speaks HTTP/2 without having said so before (RFC 9113 3.3).
    Http2(Box<Joined>),
}

/// Serves a connection until it ends.
pub(super) async fn serve<S: Service>(
    stream: Joined,
    service: &S,
    peer: Peer,
    limits: &Limits,
    stop: Stop,
) -> After {
    let Joined { reader, writer } = stream;
    let connection = Connection {
        reader: Some(reader),
        lent: None,
        may_drain: false,
        unread: None,
        writer,
        out: BytesMut::new(),
        patience: Patience::default(),
        is_first: true,
        service,
        peer,
        limits,
        stop,
    };
    connection.run().await
}

struct Connection<'s, S> {
    reader: Option<Reader>,
    lent: Option<Lent>,
    /// Whether what is left unread of a body is worth reading for the sake of the connection.
    may_drain: bool,
    unread: Option<Progress>,
    writer: WriteHalf,
    out: BytesMut,
    patience: Patience,
    is_first: bool,
    service: &'s S,
    peer: Peer,
    limits: &'s Limits,
    stop: Stop,
}

/// What comes next on a connection.
#[expect(clippy::large_enum_variant, reason = "moved once; a box would cost every request")]
enum Next {
    Request(RequestHead),
    Refused(Refusal),
    Http2,
    Closed,
}

/// What of a request matters to its answer.
#[derive(Clone, Copy)]
struct Asked {
    is_head: bool,
    version: Version,
    keep_alive: bool,
}

/// What happened while the service was asked.
enum Meanwhile {
    Answered(Response<Body>),
    BodyAwaited,
    ClientGone,
}

impl<S: Service> Connection<'_, S> {
    async fn run(mut self) -> After {
        loop {
            match self.next().await {
                Next::Request(head) => match self.exchange(head).await {
                    Ok(true) => {}
                    Ok(false) => return After::Closed,
                    Err(error) => {
                        debug!(%error, "connection ended early");
                        return After::Closed;
                    }
                },
                Next::Refused(refusal) => {
                    debug!(%refusal, "request refused");
                    self.refuse(refusal).await;
                    return After::Closed;
                }
                Next::Http2 => {
                    return match self.reader {
                        Some(reader) => {
                            After::Http2(Box::new(Joined { reader, writer: self.writer }))
                        }
                        None => After::Closed,
                    };
                }
                Next::Closed => {
                    let _ = self.writer.shutdown().await;
                    return After::Closed;
                }
            }
        }
    }

    /// Waits for the head of the next request.
    async fn next(&mut self) -> Next {
        let bounds = Bounds {
            bytes: self.limits.header_bytes,
            fields: self.limits.header_fields,
            target: self.limits.target_bytes,
        };
        let mut search = Search::default();
        let Some(reader) = self.reader.as_mut() else { return Next::Closed };
        let patience = &mut self.patience;

        // 1. Busy connections get their next request at once, in the buffer that is there.
        let is_first = std::mem::replace(&mut self.is_first, false);
        if reader.buffer().is_empty() {
            patience.renew(SETTLE);
            match poll_fn(|cx| poll_fill(reader, patience, cx)).await {
                Ok(Some(0)) | Err(_) => return Next::Closed,
                Ok(Some(_)) => {}
                // 2. Others wait without one, and hear of a stop.
                Ok(None) => {
                    self.out = BytesMut::new();
                    let idle = if is_first {
                        self.limits.header_timeout
                    } else {
                        self.limits.idle_timeout
                    };
                    tokio::select! {
                        readable = reader.readable() => if readable.is_err() {
                            return Next::Closed;
                        },
                        () = self.stop.wait() => return Next::Closed,
                        () = tokio::time::sleep(idle.saturating_sub(SETTLE)) => {
                            return Next::Closed;
                        }
                    }
                }
            }
        }
        // 3. From its first byte on, a head has so much time.
        let mut is_timed = false;
        loop {
            if is_first && is_preface(reader.buffer()) {
                if reader.buffer().len() >= PREFACE.len() {
                    return if self.limits.http2 {
                        Next::Http2
                    } else {
                        Next::Refused(Refusal::Version)
                    };
                }
            } else {
                match search.take_request(reader.buffer(), &bounds) {
                    Ok(Some(head)) => return Next::Request(head),
                    Ok(None) => {}
                    Err(refusal) => return Next::Refused(refusal),
                }
            }
            if !std::mem::replace(&mut is_timed, true) {
                patience.renew(self.limits.header_timeout);
            }
            match poll_fn(|cx| poll_fill(reader, patience, cx)).await {
                Ok(Some(0)) if reader.buffer().is_empty() => return Next::Closed,
                Ok(Some(0)) => return Next::Refused(Refusal::Malformed("head ends early")),
                Ok(Some(_)) => {}
                Ok(None) if reader.buffer().is_empty() => return Next::Closed,
                Ok(None) => return Next::Refused(Refusal::Slow),
                Err(_) => return Next::Closed,
            }
        }
    }

    /// Answers one request; says whether another may follow.
    async fn exchange(&mut self, head: RequestHead) -> io::Result<bool> {
        let RequestHead { mut parts, framing, keep_alive, holds_back, upgrade } = head;
        let asked =
            Asked { is_head: parts.method == Method::HEAD, version: parts.version, keep_alive };
        // 1. The body takes the reader along.
        let body = match (framing, self.reader.take()) {
            (Framing::NONE, reader) => {
                self.reader = reader;
                Incoming::empty()
            }
            (_, None) => return Ok(false),
            (framing, Some(reader)) => {
                let stall = self.limits.stall_timeout;
                let (body, lent) = Incoming::wire(reader, framing, holds_back, stall);
                self.lent = Some(lent);
                self.may_drain =
                    matches!(framing, Framing::Length(length) if length <= DRAIN) && !holds_back;
                body
            }
        };
        if let Some(protocol) = upgrade {
            parts.extensions.insert(WantsUpgrade(protocol));
        }
        if holds_back {
            parts.extensions.insert(HoldsBack);
        }

        // 2. The service answers, or the client has left.
        let service = self.service;
        let mut call = pin!(service.call(Request::from_parts(parts, body), self.peer.clone()));
        let response = loop {
            match poll_fn(|cx| self.poll_meanwhile(call.as_mut(), cx)).await {
                Meanwhile::Answered(response) => break response,
                Meanwhile::BodyAwaited => {
                    self.write(&mut &b"HTTP/1.1 100 Continue\r\n\r\n"[..]).await?;
                }
                Meanwhile::ClientGone => return Ok(false),
            }
        };

        // 3. The answer goes out.
        if let Some(tunnel) = response.extensions().get::<Passage>().and_then(Passage::take) {
            self.out.clear();
            outgoing::status_line(&mut self.out, response.status());
            for (name, value) in response.headers() {
                self.out.add(name, value);
            }
            self.out.extend_from_slice(b"\r\n");
            let mut out = std::mem::take(&mut self.out);
            self.write(&mut out).await?;
            let Some(reader) = self.reader.take() else { return Ok(false) };
            let writer = std::mem::take(&mut self.writer);
            let mut stop = self.stop.clone();
            tunnel.carry(Joined { reader, writer }, stop.wait()).await;
            return Ok(false);
        }
        self.look_for_reader();
        let goes_on = self.answer(response, asked).await?;

        // 4. The reader comes home, at the beginning of the next request or not at all.
        self.come_home().await;
        match (&self.reader, goes_on) {
            (Some(_), true) => Ok(true),
            (Some(_), false) => {
                self.linger().await;
                Ok(false)
            }
            (None, _) => Ok(false),
        }
    }

    fn poll_meanwhile(
        &mut self,
        call: Pin<&mut impl Future<Output = Response<Body>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Meanwhile> {
        if let Poll::Ready(response) = call.poll(cx) {
            return Poll::Ready(Meanwhile::Answered(response));
        }
        if let Some(lent) = &mut self.lent {
            if let Some(awaited) = &mut lent.awaited
                && let Poll::Ready(said) = Pin::new(awaited).poll(cx)
            {
                lent.awaited = None;
                if said.is_ok() {
                    return Poll::Ready(Meanwhile::BodyAwaited);
                }
            }
            match ready!(Pin::new(&mut lent.home).poll(cx)) {
                Ok(returned) => {
                    self.lent = None;
                    self.take_back(returned);
                }
                Err(_) => return Poll::Pending,
            }
        }
        match &mut self.reader {
            Some(reader) if self.unread.is_none() => {
                poll_gone(reader, cx).map(|()| Meanwhile::ClientGone)
            }
            _ => Poll::Pending,
        }
    }

    /// Writes an answer; says whether the connection may be used again.
    async fn answer(&mut self, response: Response<Body>, asked: Asked) -> io::Result<bool> {
        let (parts, mut body) = response.into_parts();
        let may_have_body = may_have_body(parts.status);
        let has_body = may_have_body && !asked.is_head;
        let is_exact = body.size_hint().exact();

        // 1. The head, in one look at each field.
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        outgoing::status_line(&mut out, parts.status);
        let (mut said, mut is_dated, mut goes_on) = (None, false, asked.keep_alive);
        for (name, value) in &parts.headers {
            match *name {
                TRANSFER_ENCODING => continue,
                CONNECTION if value == "close" => {
                    goes_on = false;
                    continue;
                }
                CONTENT_LENGTH if may_have_body || parts.status == StatusCode::NOT_MODIFIED => {
                    said = framing::number(value).ok();
                }
                CONTENT_LENGTH => continue,
                DATE => is_dated = true,
                _ => {}
            }
            out.add(name, value);
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
        let mut trailer = None;
        while left > 0 && has_body {
            let frame = match poll_fn(|cx| self.poll_frame(&mut body, &out, cx)).await {
                Piece::Frame(frame) => frame,
                Piece::WriteFirst => {
                    self.write(&mut out).await?;
                    continue;
                }
                Piece::End => break,
                Piece::Failed(error) => {
                    self.write(&mut out).await?;
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
            if framing == Framing::Chunked {
                outgoing::chunk_size(&mut out, data.len());
                self.write(&mut (&mut out).chain(data).chain(&b"\r\n"[..])).await?;
            } else if data.len() <= SMALL && !out.is_empty() {
                // Cheaper to copy than to hand over in two pieces.
                out.extend_from_slice(&data);
                self.write(&mut out).await?;
            } else {
                self.write(&mut (&mut out).chain(data)).await?;
            }
            out.clear();
        }
        match framing {
            Framing::Chunked => outgoing::last_chunk(&mut out, trailer.as_ref()),
            Framing::Length(_) if left > 0 && has_body => {
                return Err(io::Error::other("answer is shorter than it said"));
            }
            _ => {}
        }
        if !out.is_empty() {
            self.write(&mut out).await?;
        }
        out.clear();
        self.out = out;
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

    /// Writes all of it, as fast as the client reads but not slower than it may.
    async fn write(&mut self, bytes: &mut impl Buf) -> io::Result<()> {
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
                            patience.renew(limits.stall_timeout);
                        }
                        ready!(patience.poll_over(cx));
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                }
            }
            Pin::new(&mut *writer).poll_flush(cx)
        })
        .await
    }

    async fn refuse(&mut self, refusal: Refusal) {
        let wants_page = self
            .reader
            .as_mut()
            .is_some_and(|reader| memchr::memmem::find(reader.buffer(), b"text/html").is_some());
        let response = self.service.refuse(refusal, self.peer.clone(), wants_page);
        let asked = Asked { is_head: false, version: Version::HTTP_11, keep_alive: false };
        if self.answer(response, asked).await.is_ok() {
            self.linger().await;
        }
    }

    /// Takes the reader back if it is home already.
    fn look_for_reader(&mut self) {
        if let Some(lent) = &mut self.lent
            && let Ok(returned) = lent.home.try_recv()
        {
            self.lent = None;
            self.take_back(returned);
        }
    }

    fn take_back(&mut self, returned: Returned) {
        let Returned { reader, progress } = returned;
        self.reader = Some(reader);
        self.unread = Some(progress).filter(|progress| !progress.is_over());
    }

    /// Waits for the reader that a body took along, and reads what nobody wanted of the body.
    /// Without a reader afterwards, there is no next request.
    async fn come_home(&mut self) {
        if let Some(lent) = self.lent.take()
            && let Ok(Ok(returned)) = tokio::time::timeout(COME_HOME, lent.home).await
        {
            self.take_back(returned);
        }
        let Some(mut unread) = self.unread.take() else { return };
        if let Some(reader) = &mut self.reader
            && self.may_drain
        {
            let drain = async {
                while let Some(Ok(_)) = poll_fn(|cx| unread.poll_piece(reader, cx)).await {}
            };
            let _ = tokio::time::timeout(LINGER, drain).await;
        }
        if !unread.is_over() {
            self.linger().await;
        }
    }

    /// Closes so that the client can still read the answer: what it goes on sending is read and
    /// thrown away for a while, because a reset would overtake the answer.
    async fn linger(&mut self) {
        let Some(mut reader) = self.reader.take() else { return };
        if self.writer.shutdown().await.is_err() {
            return;
        }
        let discard = async {
            let mut left = LINGER_BYTES;
            while left > 0 {
                reader.buffer().clear();
                match poll_fn(|cx| reader.poll_fill(cx, 16 * 1024)).await {
                    Ok(length) if length > 0 => left = left.saturating_sub(length),
                    _ => return,
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, discard).await;
    }
}

enum Piece {
    Frame(Frame<Bytes>),
    WriteFirst,
    End,
    Failed(BoxError),
    ClientGone,
}

/// A connection on which nothing comes for so long is idle.
const SETTLE: Duration = Duration::from_secs(1);
/// How long a body that nobody holds any more may take to send its reader home.
const COME_HOME: Duration = Duration::from_secs(5);
/// What is read of a body that nobody wanted, so that the connection can go on.
const DRAIN: u64 = 64 * 1024;
/// How long, and how much, is still read of a client that was refused.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;
/// Room for a head, and for what comes with it.
const HEAD_ROOM: usize = 8 * 1024;
/// What is copied behind the head instead of being written beside it.
const SMALL: usize = 4 * 1024;
/// What a client may send ahead while it waits for an answer.
const AHEAD: usize = 16 * 1024;
/// RFC 9113 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn is_preface(buffer: &[u8]) -> bool {
    let length = buffer.len().min(PREFACE.len());
    length > 0 && buffer[..length] == PREFACE[..length]
}

fn too_long() -> io::Error {
    io::Error::other("answer is longer than it said")
}

/// Reads once; nothing when patience ends before.
fn poll_fill(
    reader: &mut Reader,
    patience: &mut Patience,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Option<usize>>> {
    match reader.poll_fill(cx, HEAD_ROOM) {
        Poll::Ready(read) => Poll::Ready(read.map(Some)),
        Poll::Pending => patience.poll_over(cx).map(|()| Ok(None)),
    }
}

/// Is ready when the client has hung up. What it sends ahead is kept, up to a bound.
fn poll_gone(reader: &mut Reader, cx: &mut Context<'_>) -> Poll<()> {
    while reader.buffer().len() < AHEAD {
        match ready!(reader.poll_fill(cx, HEAD_ROOM)) {
            Ok(0) | Err(_) => return Poll::Ready(()),
            Ok(_) => {}
        }
    }
    Poll::Pending
}
