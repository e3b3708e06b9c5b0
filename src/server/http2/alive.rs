//! Whether a silent client is still there: it is asked (RFC 9113 6.7), and has to answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use h2::{Ping, PingPong};
use std::future::Future as _;
use tokio::time::{Instant, Sleep, sleep};

use super::presence::Presence;

/// Asks a client of which nothing was heard for [`PING`].
pub(super) struct Alive {
    pings: PingPong,
    timer: Pin<Box<Sleep>>,
    is_asked: bool,
}

impl Alive {
    pub(super) fn new(pings: PingPong) -> Self {
        Self { pings, timer: Box::pin(sleep(PING)), is_asked: false }
    }

    /// Is ready when a client did not answer. `took` says when it took something last that had to
    /// wait for it: an answer cannot overtake that, and who takes something is there.
    pub(super) fn poll_silent(
        &mut self,
        presence: &Presence,
        took: impl Fn() -> Option<Instant>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            if self.is_asked && self.pings.poll_pong(cx).is_ready() {
                self.is_asked = false;
                self.timer.as_mut().reset(Instant::now() + PING);
            }
            ready!(self.timer.as_mut().poll(cx));
            let heard = Some(presence.heard()).filter(|_| !self.is_asked);
            let (seen, now) = (heard.max(took()), Instant::now());
            if let Some(due) = seen.map(|seen| seen + PING)
                && due > now
            {
                self.timer.as_mut().reset(due);
                continue;
            }
            if self.is_asked {
                return Poll::Ready(());
            }
            // A connection that is ending takes none.
            self.is_asked = self.pings.send_ping(Ping::opaque()).is_ok();
            self.timer.as_mut().reset(now + PING);
        }
    }
}

/// How often a silent client is asked whether it is still there, and how long it may think.
const PING: Duration = Duration::from_secs(20);
