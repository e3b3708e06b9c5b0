//! Waiting for the head of the next request.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::{Connection, HEAD_ROOM};
use crate::request::service::Service;
use crate::wire::deadline::Deadline;
use crate::wire::head::{RequestHead, Search};
use crate::wire::reader::Reader;
use crate::wire::refusal::Refusal;

/// What comes next on a connection.
pub(super) enum Next {
    Request(RequestHead),
    Refused(Refusal),
    /// Nothing came for a while.
    Idle,
    Http2,
    Closed,
}

impl<S: Service> Connection<'_, S> {
    /// Waits for the head of the next request, which comes soon or after [`wait`](Self::wait).
    pub(super) async fn next(&mut self) -> Next {
        let bounds = self.limits.head();
        let mut search = Search::default();
        let Some(reader) = self.reader.as_mut() else { return Next::Closed };
        let deadline = &mut self.deadline;

        // 1. Busy connections get their next request at once, in the buffer that is there.
        if !std::mem::take(&mut self.is_woken) && reader.buffer().is_empty() {
            deadline.renew(SETTLE);
            match poll_fn(|cx| poll_fill(reader, deadline, cx)).await {
                Ok(Some(0)) | Err(_) => return Next::Closed,
                Ok(Some(_)) => {}
                Ok(None) => return Next::Idle,
            }
        }
        // 2. From its first byte on, a head has so much time.
        let is_first = std::mem::replace(&mut self.is_first, false);
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
                deadline.renew(self.limits.header_timeout);
            }
            match poll_fn(|cx| poll_fill(reader, deadline, cx)).await {
                Ok(Some(0)) if reader.buffer().is_empty() => return Next::Closed,
                Ok(Some(0)) => return Next::Refused(Refusal::Malformed("head ends early")),
                Ok(Some(_)) => {}
                Ok(None) if reader.buffer().is_empty() => return Next::Closed,
                Ok(None) => return Next::Refused(Refusal::Slow),
                Err(_) => return Next::Closed,
            }
        }
    }

    /// Returns when a connection has waited long enough that is idle now.
    pub(super) fn waits_until(&self) -> Instant {
        let limits = self.limits;
        let idle = if self.is_first { limits.header_timeout } else { limits.idle_timeout };
        Instant::now() + idle.saturating_sub(SETTLE)
    }

    /// Waits until then without room for a request, and hears of a stop. Says whether something came.
    pub(super) async fn wait(&mut self, until: Instant) -> bool {
        let Some(reader) = self.reader.as_mut() else { return false };
        let deadline = &mut self.deadline;
        deadline.until(until);
        self.is_woken = tokio::select! {
            // A request that is there already is answered.
            biased;
            readable = reader.readable() => readable.is_ok(),
            () = self.stop.wait() => false,
            () = poll_fn(|cx| deadline.poll_over(cx)) => false,
        };
        self.is_woken
    }
}

/// A connection on which nothing comes for so long is idle.
const SETTLE: Duration = Duration::from_secs(1);
/// The first bytes of a client that speaks HTTP/2 without TLS (RFC 9113 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn is_preface(buffer: &[u8]) -> bool {
    let length = buffer.len().min(PREFACE.len());
    length > 0 && buffer[..length] == PREFACE[..length]
}

/// Reads once; nothing when the deadline comes before.
fn poll_fill(
    reader: &mut Reader,
    deadline: &mut Deadline,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Option<usize>>> {
    match reader.poll_fill(cx, HEAD_ROOM) {
        Poll::Ready(read) => Poll::Ready(read.map(Some)),
        Poll::Pending => deadline.poll_over(cx).map(|()| Ok(None)),
    }
}
