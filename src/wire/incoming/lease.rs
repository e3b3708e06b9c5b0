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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::wire::stream::Stream;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_steadily_takes_its_time() {
        let slowest = Slowest { stall: Duration::from_secs(5), rate: 100 };
        let (ours, mut theirs) = tokio::io::duplex(2000);
        let reader = Reader::new(Stream::split_any(ours).0);
        let (mut wire, mut lease) = Wire::new(reader, Framing::Length(10_000), false, slowest);
        tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                theirs.write_all(&[0; 1000]).await.unwrap();
            }
            // It stays, as clients do that wait for an answer.
            std::future::pending::<()>().await;
            drop(theirs);
        });
        let mut length = 0;
        while length < 10_000 {
            let frame = poll_fn(|cx| wire.poll_frame(cx)).await.unwrap().unwrap();
            length += frame.into_data().unwrap().len();
        }
        // The connection has its reader back at once, whoever still holds the body.
        assert!(lease.home.try_recv().unwrap().progress.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_of_which_nothing_comes_is_given_up() {
        let stall = Duration::from_secs(5);
        let (ours, mut theirs) = tokio::io::duplex(64);
        let reader = Reader::new(Stream::split_any(ours).0);
        let slowest = Slowest { stall, rate: 0 };
        let (mut wire, _lease) = Wire::new(reader, Framing::Length(5), false, slowest);
        // Also when something came before.
        for sent in [&b""[..], b"he"] {
            theirs.write_all(sent).await.unwrap();
            if !sent.is_empty() {
                assert!(poll_fn(|cx| wire.poll_frame(cx)).await.unwrap().is_ok());
            }
            let begin = tokio::time::Instant::now();
            let frame = poll_fn(|cx| wire.poll_frame(cx)).await.unwrap();
            assert!(matches!(frame, Err(BodyError::Stalled(time)) if time == stall));
            assert_eq!(begin.elapsed(), stall);
        }
    }

    #[tokio::test]
    async fn a_client_is_asked_for_what_it_holds_back_and_not_for_what_is_here() {
        let slowest = Slowest { stall: Duration::from_secs(60), rate: 0 };
        for (here, is_asked) in [(&b""[..], true), (b"he", false)] {
            let (ours, _theirs) = tokio::io::duplex(64);
            let mut reader = Reader::new(Stream::split_any(ours).0);
            reader.buffer().extend_from_slice(here);
            let (mut wire, lease) = Wire::new(reader, Framing::Length(5), true, slowest);
            let mut awaited = lease.awaited.unwrap();
            assert!(awaited.try_recv().is_err(), "it is asked when somebody reads");
            let piece = poll_fn(|cx| Poll::Ready(wire.poll_frame(cx))).await;
            assert_eq!((awaited.try_recv().is_ok(), piece.is_pending()), (is_asked, is_asked));
        }
    }
}
