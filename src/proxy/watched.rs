//! How the body of an answer looks whether it may still go on, at no cost while it comes quickly.
//!
//! 1. A body that waits for its upstream looks with the timer of that wait.
//! 2. One that never waits looks at the clock after each [`PIECES`] pieces. When it is the client
//!    that is waited for, the task that writes to it looks.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use crate::request::lasting::{Cut, LOOK, Lasting};
use crate::wire::deadline::{Deadline, Woken};

/// The right of a body to go on.
pub(super) struct Watched {
    lasting: Arc<Lasting>,
    pieces: u32,
    looked: Option<Instant>,
}

impl Watched {
    pub(super) fn new(lasting: Arc<Lasting>) -> Self {
        Self { lasting, pieces: 0, looked: None }
    }

    /// Tells whether it was seen that it must end.
    pub(super) fn cut(&self) -> Option<Cut> {
        self.lasting.cut()
    }

    /// A piece has passed; ready when it was one too many.
    pub(super) fn passed(&mut self, cx: &Context<'_>) -> Poll<Cut> {
        self.pieces += 1;
        if self.pieces < PIECES {
            return Poll::Pending;
        }
        self.pieces = 0;
        let now = Instant::now();
        if now.duration_since(*self.looked.get_or_insert(now)) < LOOK {
            return Poll::Pending;
        }
        self.looked = Some(now);
        self.lasting.look(cx)
    }

    /// Is ready when nothing came for so long, or with the reason why it must end.
    pub(super) fn wait(
        &self,
        deadline: &mut Deadline,
        idle: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Cut>> {
        loop {
            match ready!(deadline.poll_stalled_or_look(idle, LOOK, cx)) {
                Woken::Over => return Poll::Ready(None),
                Woken::ToLook => {
                    if let Poll::Ready(cut) = self.lasting.look(cx) {
                        return Poll::Ready(Some(cut));
                    }
                }
            }
        }
    }
}

/// How many pieces pass between two looks at the clock.
const PIECES: u32 = 16;

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::proxy::testing::Right;

    #[tokio::test(start_paused = true)]
    async fn one_that_never_waits_looks_after_so_many_pieces_and_so_much_time() {
        let right = Right::begin().await;
        let mut watched = Watched::new(right.lasting());
        let cx = Context::from_waker(Waker::noop());
        let mut ended_after = |pieces: u32| (1..=pieces).find(|_| watched.passed(&cx).is_ready());
        // The first look at the clock begins the time.
        assert_eq!(ended_after(PIECES), None);
        tokio::time::advance(LOOK).await;
        assert_eq!(ended_after(PIECES), None, "it may go on");
        right.end().await;
        tokio::time::advance(LOOK - Duration::from_millis(1)).await;
        assert_eq!(ended_after(2 * PIECES), None, "it is too early to look");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(ended_after(2 * PIECES), Some(PIECES));
        assert_eq!(watched.cut(), Some(Cut::SessionEnded));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_waits_looks_meanwhile_and_ends_when_nothing_comes() {
        let right = Right::begin().await;
        let watched = Watched::new(right.lasting());
        let (idle, begin) = (LOOK * 5 / 2, Instant::now());
        let wait = async || {
            let mut deadline = Deadline::default();
            std::future::poll_fn(|cx| watched.wait(&mut deadline, idle, cx)).await
        };
        assert_eq!((wait().await, begin.elapsed()), (None, idle));
        right.end().await;
        assert_eq!((wait().await, begin.elapsed()), (Some(Cut::SessionEnded), idle + LOOK));
        assert_eq!(watched.cut(), Some(Cut::SessionEnded));
    }
}
