//! One request and its answer.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use http::request::Parts;
use http::{HeaderMap, Method};
use tokio::io::AsyncWriteExt as _;

use super::connection::{Connection, poll_gone};
use super::reclaim::DRAIN;
use super::response::Asked;
use crate::request::service::{ExpectContinue, Service, ServiceResponse, WantsUpgrade};
use crate::wire::framing::Framing;
use crate::wire::head::RequestHead;
use crate::wire::incoming::Incoming;
use crate::wire::outgoing;
use crate::wire::pace::Pace;
use crate::wire::reader::Joined;
use crate::wire::tunnel::TunnelHandover;
use crate::wire::write_buffer;

/// What happened while the service was asked.
#[expect(clippy::large_enum_variant, reason = "moved once; a box would cost every request")]
enum Meanwhile {
    Answered(ServiceResponse),
    /// An upstream says something before its answer.
    Interim(BytesMut),
    BodyAwaited,
    ClientGone,
}

impl<S: Service> Connection<'_, S> {
    /// Answers one request; says whether another may follow.
    pub(super) async fn exchange(&mut self, head: RequestHead) -> io::Result<bool> {
        let RequestHead { mut parts, framing, keep_alive, holds_back, upgrade } = head;
        let asked =
            Asked { is_head: parts.method == Method::HEAD, version: parts.version, keep_alive };
        let has_body = framing != Framing::NONE;
        // 1. The body takes the reader along.
        let Some(body) = self.lend_reader(&parts.headers, framing, holds_back) else {
            return Ok(false);
        };
        if let Some(protocol) = upgrade {
            parts.extensions.insert(WantsUpgrade::IfPossible(protocol));
        }
        if holds_back {
            parts.extensions.insert(ExpectContinue);
        }

        // 2. The service answers, or the client has left.
        let Some(answer) = self.ask(parts, body).await? else { return Ok(false) };
        if let Some(mut heads) = self.take_interim() {
            self.write(&mut heads).await?;
        }
        if self.is_body_awaited() {
            self.write(&mut &CONTINUE[..]).await?;
        }

        // 3. The answer goes out.
        self.pace = Pace::default();
        let response = &answer.response;
        if let Some(tunnel) =
            response.extensions().get::<TunnelHandover>().and_then(TunnelHandover::take)
        {
            let mut out = write_buffer::take();
            outgoing::head_alone(&mut out, response.status(), response.headers());
            self.write(&mut out).await?;
            let Some(reader) = self.reader.take() else { return Ok(false) };
            let writer = std::mem::take(&mut self.writer);
            let mut stop = self.stop.clone();
            Box::pin(tunnel.copy_bidirectional(Joined { reader, writer }, stop.wait())).await;
            return Ok(false);
        }
        self.look_for_reader();
        let goes_on = self.respond(answer, asked).await?;

        // 4. The reader comes home, at the beginning of the next request or not at all.
        self.reclaim().await;
        let Some(reader) = &self.reader else { return Ok(false) };
        if goes_on {
            return Ok(true);
        }
        // A client that asked for the end and had nothing to send sends nothing more.
        let is_over = !asked.keep_alive && !has_body && reader.is_socket_without_rest();
        if is_over {
            // What waits for the end goes out, whatever the client has sent all the same.
            let _ = self.writer.shutdown().await;
        } else {
            self.linger().await;
        }
        Ok(false)
    }

    /// Has the service answer, and passes on what is said before that; nothing when the client has
    /// left. What the service needed for it ends here, before the answer goes out.
    async fn ask(
        &mut self,
        parts: Box<Parts>,
        body: Incoming,
    ) -> io::Result<Option<ServiceResponse>> {
        let mut call = pin!(self.service.call(parts, body, self.peer));
        loop {
            match poll_fn(|cx| self.poll_meanwhile(call.as_mut(), cx)).await {
                Meanwhile::Answered(answer) => return Ok(Some(answer)),
                Meanwhile::Interim(mut heads) => self.write(&mut heads).await?,
                Meanwhile::BodyAwaited => self.write(&mut &CONTINUE[..]).await?,
                Meanwhile::ClientGone => return Ok(None),
            }
        }
    }

    /// Lends the reader to the body of a request; nothing when it has not come home.
    fn lend_reader(
        &mut self,
        headers: &HeaderMap,
        framing: Framing,
        holds_back: bool,
    ) -> Option<Incoming> {
        if framing == Framing::NONE {
            return Some(Incoming::empty());
        }
        let slowest = self.limits.slowest_request(headers);
        let (body, lease) = Incoming::wire(self.reader.take()?, framing, holds_back, slowest);
        self.lease = Some(lease);
        let is_short = matches!(framing, Framing::Length(length) if length <= DRAIN);
        self.may_drain = is_short && !holds_back;
        Some(body)
    }

    fn poll_meanwhile(
        &mut self,
        call: Pin<&mut impl Future<Output = S::Said>>,
        cx: &mut Context<'_>,
    ) -> Poll<Meanwhile> {
        if let Poll::Ready(answer) = call.poll(cx) {
            return Poll::Ready(Meanwhile::Answered(answer.into()));
        }
        if let Some(heads) = self.take_interim() {
            return Poll::Ready(Meanwhile::Interim(heads));
        }
        if let Some(lease) = &mut self.lease {
            if let Some(awaited) = &mut lease.awaited
                && let Poll::Ready(said) = Pin::new(awaited).poll(cx)
            {
                lease.awaited = None;
                if said.is_ok() {
                    return Poll::Ready(Meanwhile::BodyAwaited);
                }
            }
            match ready!(Pin::new(&mut lease.home).poll(cx)) {
                Ok(returned) => {
                    self.lease = None;
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

    fn take_interim(&self) -> Option<BytesMut> {
        self.peer.interim.as_ref()?.take()
    }

    /// Tells whether the body that the client holds back is wanted by its reader, and the client
    /// does not know it yet.
    fn is_body_awaited(&mut self) -> bool {
        let awaited = self.lease.as_mut().and_then(|lease| lease.awaited.as_mut());
        awaited.is_some_and(|awaited| awaited.try_recv().is_ok())
    }
}

/// The interim response for which the client holds its body back (RFC 9110 15.2.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
