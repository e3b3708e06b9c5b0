//! A connection that speaks HTTP/1.1: requests one after the other, each answered in turn.
//!
//! 1. One task reads, asks the service, and writes. A request with a body lends its reader to the
//!    body, which sends it home when it has been read.
//! 2. A client that hangs up while it waits for an answer is noticed, and what was being done for
//!    it is dropped.
//! 3. What is refused is answered, and the connection ends: nobody knows where the next request
//!    would begin.
//! 4. An idle connection holds no buffer, and hears of a stop. A busy one is told in its answer.

mod answer;
mod homecoming;
mod next;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use http::{Method, Version};
use tokio::io::AsyncWriteExt;
use tracing::debug;

use self::answer::Asked;
use self::next::Next;
use super::listener::Limits;
use crate::base::stop::Stop;
use crate::http::service::{Answer, HoldsBack, Peer, Service, WantsUpgrade};
use crate::wire::framing::Framing;
use crate::wire::head::RequestHead;
use crate::wire::incoming::{Incoming, Lent, Progress};
use crate::wire::outgoing::{self, Fields};
use crate::wire::patience::Patience;
use crate::wire::reader::{Joined, Reader};
use crate::wire::refusal::Refusal;
use crate::wire::scratch;
use crate::wire::stream::WriteHalf;
use crate::wire::tunnel::Passage;

/// How a connection goes on after HTTP/1.1.
pub enum After {
    /// It does not.
    Closed,
    /// The client speaks HTTP/2 without having said so before (RFC 9113 3.3).
    Http2(Box<Joined>),
}

/// Serves a connection until it ends.
pub async fn serve<S: Service>(
    stream: Joined,
    service: &S,
    peer: &Peer,
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
    patience: Patience,
    is_first: bool,
    service: &'s S,
    peer: &'s Peer,
    limits: &'s Limits,
    stop: Stop,
}

/// What happened while the service was asked.
#[expect(clippy::large_enum_variant, reason = "moved once; a box would cost every request")]
enum Meanwhile {
    Answered(Answer),
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

    /// Answers one request; says whether another may follow.
    async fn exchange(&mut self, head: RequestHead) -> io::Result<bool> {
        let RequestHead { mut parts, framing, keep_alive, holds_back, upgrade } = head;
        let asked =
            Asked { is_head: parts.method == Method::HEAD, version: parts.version, keep_alive };
        let has_body = framing != Framing::NONE;
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
                self.may_drain = matches!(framing, Framing::Length(length) if length <= homecoming::DRAIN)
                    && !holds_back;
                body
            }
        };
        if let Some(protocol) = upgrade {
            parts.extensions.insert(WantsUpgrade::IfPossible(protocol));
        }
        if holds_back {
            parts.extensions.insert(HoldsBack);
        }

        // 2. The service answers, or the client has left.
        let mut call = pin!(self.service.call(parts, body, self.peer));
        let answer = loop {
            match poll_fn(|cx| self.poll_meanwhile(call.as_mut(), cx)).await {
                Meanwhile::Answered(answer) => break answer,
                Meanwhile::BodyAwaited => self.write(&mut &CONTINUE[..]).await?,
                Meanwhile::ClientGone => return Ok(false),
            }
        };
        if self.is_body_awaited() {
            self.write(&mut &CONTINUE[..]).await?;
        }

        // 3. The answer goes out.
        let response = &answer.response;
        if let Some(tunnel) = response.extensions().get::<Passage>().and_then(Passage::take) {
            let mut out = scratch::take();
            outgoing::status_line(&mut out, response.status());
            for (name, value) in response.headers() {
                out.add(name, value);
            }
            out.extend_from_slice(b"\r\n");
            self.write(&mut out).await?;
            let Some(reader) = self.reader.take() else { return Ok(false) };
            let writer = std::mem::take(&mut self.writer);
            let mut stop = self.stop.clone();
            tunnel.carry(Joined { reader, writer }, stop.wait()).await;
            return Ok(false);
        }
        self.look_for_reader();
        let goes_on = self.answer(answer, asked).await?;

        // 4. The reader comes home, at the beginning of the next request or not at all.
        self.come_home().await;
        match (&self.reader, goes_on) {
            (Some(_), true) => Ok(true),
            // A client that asked for the end and had nothing to send sends nothing more.
            (Some(reader), false)
                if !asked.keep_alive && !has_body && reader.is_socket_without_rest() =>
            {
                Ok(false)
            }
            (Some(_), false) => {
                self.linger().await;
                Ok(false)
            }
            (None, _) => Ok(false),
        }
    }

    fn poll_meanwhile(
        &mut self,
        call: Pin<&mut impl Future<Output = S::Said>>,
        cx: &mut Context<'_>,
    ) -> Poll<Meanwhile> {
        if let Poll::Ready(answer) = call.poll(cx) {
            return Poll::Ready(Meanwhile::Answered(answer.into()));
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

    /// Tells whether somebody wants the body that the client holds back, and the client does not
    /// know it yet.
    fn is_body_awaited(&mut self) -> bool {
        let awaited = self.lent.as_mut().and_then(|lent| lent.awaited.as_mut());
        awaited.is_some_and(|awaited| awaited.try_recv().is_ok())
    }

    async fn refuse(&mut self, refusal: Refusal) {
        let wants_page = self
            .reader
            .as_mut()
            .is_some_and(|reader| memchr::memmem::find(reader.buffer(), b"text/html").is_some());
        let response = self.service.refuse(refusal, self.peer, wants_page);
        let asked = Asked { is_head: false, version: Version::HTTP_11, keep_alive: false };
        if self.answer(response.into(), asked).await.is_ok() {
            self.linger().await;
        }
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

/// Room for a head, and for what comes with it.
const HEAD_ROOM: usize = 8 * 1024;
/// What a client may send ahead while it waits for an answer.
const AHEAD: usize = 16 * 1024;
/// RFC 9110 15.2.1.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
