//! A body of HTTP/1.1 on the lease of its connection's reader.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::oneshot;

use super::awaited::Awaited;
use super::error::BodyError;
use super::progress::Progress;
use crate::wire::chunked::Extensions;
use crate::wire::framing::Framing;
use crate::wire::pace::Slowest;
use crate::wire::reader::Reader;

/// A body of HTTP/1.1. It takes the reader of its connection along and sends it home at the end.
pub(super) struct Wire {
    reader: Option<Reader>,
    pub(super) progress: Progress,
    home: Option<oneshot::Sender<Returned>>,
    awaited: Option<oneshot::Sender<()>>,
    client: Awaited,
}

/// A reader that came home, and how far it got.
pub struct Returned {
    /// The reader, which goes on with what follows the body.
    pub reader: Reader,
    /// What it had still to read.
    pub progress: Progress,
}

/// What the connection keeps while a body has its reader.
pub struct ReaderLease {
    /// Brings the reader home.
    pub home: oneshot::Receiver<Returned>,
    /// Tells that the body which the client holds back is wanted (`100 Continue`).
    pub awaited: Option<oneshot::Receiver<()>>,
}

impl Wire {
    pub(super) fn new(
        reader: Reader,
        framing: Framing,
        holds_back: bool,
        slowest: Slowest,
    ) -> (Self, ReaderLease) {
        let (home, given_back) = oneshot::channel();
        let (awaited, is_awaited) = oneshot::channel();
        let wire = Self {
            reader: Some(reader),
            progress: Progress::new(framing, Extensions::Checked),
            home: Some(home),
            awaited: Some(awaited).filter(|_| holds_back),
            client: Awaited::new(slowest),
        };
        let lease =
            ReaderLease { home: given_back, awaited: Some(is_awaited).filter(|_| holds_back) };
        (wire, lease)
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(reader) = &mut self.reader else { return Poll::Ready(None) };
        if let Some(awaited) = self.awaited.take()
            && reader.buffer().is_empty()
        {
            let _ = awaited.send(());
        }
        match self.progress.poll_piece(reader, cx) {
            Poll::Pending => {
                let slow = ready!(self.client.poll_wait(cx));
                Poll::Ready(Some(Err(slow.into())))
            }
            Poll::Ready(frame) => {
                self.client.moved(frame.as_ref());
                if self.progress.is_over() {
                    self.go_home();
                }
                Poll::Ready(frame)
            }
        }
    }

    fn go_home(&mut self) {
        if let (Some(reader), Some(home)) = (self.reader.take(), self.home.take()) {
            let progress = std::mem::replace(&mut self.progress, Progress::over());
            let _ = home.send(Returned { reader, progress });
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.go_home();
    }
}
