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
