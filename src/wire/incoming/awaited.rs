//! A client whose body is waited for, and how slow it may be with it.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::Frame;

use super::error::BodyError;
use crate::wire::deadline::Deadline;
use crate::wire::pace::{Pace, Slowest, TooSlow};

/// A client whose body is waited for.
pub(super) struct Awaited {
    slowest: Slowest,
    pace: Pace,
    deadline: Deadline,
}

impl Awaited {
    pub(super) fn new(slowest: Slowest) -> Self {
        Self { slowest, pace: Pace::default(), deadline: Deadline::default() }
    }

    /// Waits on; is ready when the client is too slow.
    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<TooSlow> {
        if let Some(time) = self.pace.wait(&self.slowest) {
            self.deadline.renew(time);
        }
        ready!(self.deadline.poll_over(cx));
        Poll::Ready(self.pace.verdict(&self.slowest))
    }

    /// Notes that a frame came, and ends the wait for it.
    pub(super) fn moved(&mut self, frame: Option<&Result<Frame<Bytes>, BodyError>>) {
        let data = frame.and_then(|frame| frame.as_ref().ok()?.data_ref());
        self.pace.moved(data.map_or(0, Bytes::len));
        self.deadline.clear();
    }
}
