//! The body of a request on its way to an upstream over HTTP/2, where hyper sends it and another
//! task waits for the answer.
//!
//! 1. What was taken of it is kept, up to [`KEPT`], until the answer begins. So a request with which
//!    the upstream did nothing can be sent again, whole.
//! 2. When it fails, it is the client's doing, and that is remembered: hyper says only that the
//!    stream broke.
//! 3. It can be broken off while hyper reads it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::wire::incoming::{BodyError, Incoming};

/// The body, for the task that waits for the answer. Nothing is shared when there is none.
#[derive(Default)]
pub(super) struct Upload(Option<Arc<Mutex<State>>>);

/// The body, for hyper.
#[derive(Default)]
pub(super) struct Sending(Option<Arc<Mutex<State>>>);

struct State {
    /// Absent when it failed, was taken back or is not wanted any more.
    body: Option<Incoming>,
    /// What was taken, as long as that is all of it.
    kept: Option<Vec<Bytes>>,
    kept_bytes: usize,
    failed: Option<BodyError>,
    /// All of it was taken.
    is_over: bool,
    /// The client is waited for.
    waits: bool,
    /// Something was taken since it was last looked at.
    has_moved: bool,
    waker: Option<Waker>,
}

/// Parts a body into what hyper sends and what is known of it meanwhile.
pub(super) fn share(body: Incoming) -> (Sending, Upload) {
    if body.is_end_stream() {
        return (Sending(None), Upload(None));
    }
    let state = Arc::new(Mutex::new(State {
        body: Some(body),
        kept: Some(Vec::new()),
        kept_bytes: 0,
        failed: None,
        is_over: false,
        waits: false,
        has_moved: false,
        waker: None,
    }));
    (Sending(Some(Arc::clone(&state))), Upload(Some(state)))
}

impl Upload {
    /// Tells whether hyper has not yet sent all of it.
    pub(super) fn is_under_way(&self) -> bool {
        self.0.as_ref().is_some_and(|state| Arc::strong_count(state) > 1)
    }

    /// Tells whether hyper did not get all of it.
    pub(super) fn is_cut_short(&self) -> bool {
        self.0.as_ref().is_some_and(|state| !lock(state).is_over)
    }

    /// Tells whether the time of the upstream begins anew: it has taken something since this was
    /// asked last, or waits for the client itself.
    pub(super) fn is_going_on(&self) -> bool {
        let Some(state) = &self.0 else { return false };
        let mut state = lock(state);
        std::mem::take(&mut state.has_moved) || state.waits
    }

    /// Returns what went wrong with it at the client.
    pub(super) fn failed(&self) -> Option<BodyError> {
        lock(self.0.as_ref()?).failed.take()
    }

    /// Takes all of it back, as if nothing of it had been read. Absent when too much was.
    pub(super) fn take_back(&self) -> Option<Incoming> {
        let Some(state) = &self.0 else { return Some(Incoming::empty()) };
        let mut state = lock(state);
        let kept = state.kept.take()?;
        let body = state.body.take()?;
        state.wake();
        Some(body.put_back(&kept))
    }

    /// The answer begins: the request is not sent again.
    pub(super) fn answered(&self) {
        let Some(state) = &self.0 else { return };
        let mut locked = lock(state);
        locked.kept = None;
        if !self.is_under_way() {
            // Its reader is wanted for the next request.
            locked.body = None;
        }
    }

    /// Breaks it off: the upstream does not take it for whole.
    pub(super) fn break_off(&self) {
        if let Some(state) = &self.0 {
            let mut state = lock(state);
            state.body = None;
            state.wake();
        }
    }
}

impl State {
    fn keep(&mut self, frame: &Frame<Bytes>) {
        let Some(kept) = &mut self.kept else { return };
        match frame.data_ref() {
            Some(data) if self.kept_bytes + data.len() <= KEPT => {
                self.kept_bytes += data.len();
                kept.push(data.clone());
            }
            // Too long, or a trailer.
            _ => self.kept = None,
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Body for Sending {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let Some(state) = &self.0 else { return Poll::Ready(None) };
        let mut state = lock(state);
        let state = &mut *state;
        let Some(body) = &mut state.body else { return Poll::Ready(Some(Err(cancelled()))) };
        let frame = Pin::new(&mut *body).poll_frame(cx);
        state.waits = frame.is_pending();
        match frame {
            Poll::Pending => {
                match &mut state.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    None => state.waker = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
            Poll::Ready(None) => {
                state.is_over = true;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                state.is_over = body.is_end_stream();
                state.has_moved = true;
                state.keep(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                (state.body, state.kept, state.failed) = (None, None, Some(error));
                Poll::Ready(Some(Err(cancelled())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let Some(state) = &self.0 else { return true };
        lock(state).body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let Some(state) = &self.0 else { return SizeHint::with_exact(0) };
        lock(state).body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            let mut state = lock(state);
            state.waits = false;
            if state.kept.is_none() {
                // It cannot be taken back, and its reader is wanted for the next request.
                state.body = None;
            }
        }
    }
}

/// RFC 9113 7: the stream is not needed any more.
fn cancelled() -> h2::Error {
    h2::Reason::CANCEL.into()
}

/// The most bytes of a body that are kept for the case that it must be sent again.
const KEPT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt as _;
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::wire::framing::Framing;
    use crate::wire::incoming::ReaderLease;
    use crate::wire::pace::Slowest;
    use crate::wire::reader::Reader;
    use crate::wire::stream::ReadHalf;

    /// A body that comes in chunks, what has its reader again, and its client.
    fn of_a_client() -> (Incoming, ReaderLease, DuplexStream) {
        let (client, source) = duplex(4 * KEPT);
        let reader = Reader::new(ReadHalf::Other(Box::new(source)));
        let slowest = Slowest { stall: Duration::from_secs(60), rate: 0 };
        let (body, lease) = Incoming::wire(reader, Framing::Chunked, false, slowest);
        (body, lease, client)
    }

    async fn sends(client: &mut DuplexStream, length: usize) {
        let chunk = format!("{length:x}\r\n{}\r\n", "x".repeat(length));
        client.write_all(chunk.as_bytes()).await.unwrap();
    }

    /// Takes so many bytes, in whatever pieces.
    async fn takes(sending: &mut Sending, mut length: usize) {
        while length > 0 {
            let frame = sending.frame().await.unwrap().unwrap();
            length -= frame.into_data().unwrap().len();
        }
    }

    fn is_home(lease: &mut ReaderLease) -> bool {
        lease.home.try_recv().is_ok()
    }

    #[tokio::test]
    async fn a_body_is_taken_back_whole_as_long_as_all_of_it_is_kept() {
        for (length, is_kept) in [(KEPT, true), (KEPT + 1, false)] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let (mut sending, upload) =
                share(Incoming::whole(bytes.clone().into()).limited(99_999));
            assert_eq!(sending.frame().await.unwrap().unwrap().data_ref().unwrap().len(), length);
            assert!(upload.is_going_on() && !upload.is_going_on());
            let body = upload.take_back();
            assert_eq!(body.is_some(), is_kept, "{length}");
            let Some(body) = body else { continue };
            assert_eq!(body.collect().await.unwrap().to_bytes(), bytes);
            // The reader that had it does not take it for whole.
            assert!(!sending.is_end_stream() && sending.frame().await.unwrap().is_err());
        }
        let (sending, upload) = share(Incoming::empty());
        assert!(sending.is_end_stream() && upload.take_back().unwrap().is_end_stream());
    }

    #[tokio::test]
    async fn what_goes_wrong_at_the_client_is_remembered() {
        let (mut sending, upload) = share(Incoming::whole(Bytes::from_static(b"abc")).limited(2));
        let reason = sending.frame().await.unwrap().unwrap_err().reason();
        assert_eq!(reason, Some(h2::Reason::CANCEL));
        assert!(matches!(upload.failed(), Some(BodyError::TooLong(2))));
        assert!(upload.take_back().is_none());
    }

    #[tokio::test]
    async fn what_is_kept_of_several_pieces_is_all_of_them_or_nothing() {
        for (lengths, is_kept) in [([9, 8, KEPT - 17], true), ([9, 8, KEPT - 16], false)] {
            let (body, _lease, mut client) = of_a_client();
            let (mut sending, upload) = share(body);
            for length in lengths {
                sends(&mut client, length).await;
                takes(&mut sending, length).await;
            }
            client.write_all(b"0\r\n\r\n").await.unwrap();
            let back = upload.take_back();
            assert_eq!(back.is_some(), is_kept, "{lengths:?}");
            let Some(back) = back else { continue };
            assert_eq!(back.collect().await.unwrap().to_bytes().len(), KEPT);
        }
        // What stands behind a body cannot be put back.
        let (body, _lease, mut client) = of_a_client();
        let (mut sending, upload) = share(body);
        client.write_all(b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n").await.unwrap();
        takes(&mut sending, 1).await;
        assert!(sending.frame().await.unwrap().unwrap().is_trailers());
        assert!(upload.take_back().is_none());
    }

    #[tokio::test]
    async fn it_is_known_how_far_it_is() {
        let (body, _lease, mut client) = of_a_client();
        let (mut sending, upload) = share(body);
        assert!(upload.is_under_way() && upload.is_cut_short() && !upload.is_going_on());
        sends(&mut client, 1).await;
        takes(&mut sending, 1).await;
        assert!(upload.is_going_on() && !upload.is_going_on() && upload.is_cut_short());
        let waits = tokio::time::timeout(Duration::ZERO, sending.frame()).await;
        assert!(waits.is_err() && upload.is_going_on() && upload.is_going_on(), "for the client");
        client.write_all(b"0\r\n\r\n").await.unwrap();
        assert!(!sending.is_end_stream() && sending.frame().await.is_none());
        assert!(sending.is_end_stream() && !upload.is_cut_short() && !upload.is_going_on());
        assert!(upload.is_under_way());
        drop(sending);
        assert!(!upload.is_under_way());

        // One that says how long it is ends with its last byte.
        let (mut sending, upload) = share(Incoming::whole(Bytes::from_static(b"abc")));
        takes(&mut sending, 3).await;
        assert!(!upload.is_cut_short());
        // Nobody waits for the client when nobody reads.
        let (body, _lease, _client) = of_a_client();
        let (mut sending, upload) = share(body);
        assert!(tokio::time::timeout(Duration::ZERO, sending.frame()).await.is_err());
        drop(sending);
        assert!(!upload.is_going_on() && upload.is_cut_short());

        let (_sending, none) = share(Incoming::empty());
        assert!(!none.is_under_way() && !none.is_cut_short() && !none.is_going_on());
    }

    #[tokio::test]
    async fn the_reader_goes_home_as_soon_as_nothing_can_be_wanted_of_the_body() {
        // 1. The answer begins, and nobody reads the body any more.
        let (body, mut lease, _client) = of_a_client();
        let (sending, upload) = share(body);
        drop(sending);
        assert!(!is_home(&mut lease), "it could be sent again");
        upload.answered();
        assert!(is_home(&mut lease) && upload.take_back().is_none());
        // 2. The answer begins first.
        let (body, mut lease, _client) = of_a_client();
        let (sending, upload) = share(body);
        upload.answered();
        assert!(!is_home(&mut lease), "it is read still");
        drop(sending);
        assert!(is_home(&mut lease) && upload.take_back().is_none());
        // 3. It is broken off.
        let (body, mut lease, _client) = of_a_client();
        let (_sending, upload) = share(body);
        upload.break_off();
        assert!(is_home(&mut lease) && upload.take_back().is_none());
    }

    #[tokio::test]
    async fn who_reads_it_hears_at_once_that_there_is_no_more() {
        for takes_back in [true, false] {
            let (body, _lease, _client) = of_a_client();
            let (mut sending, upload) = share(body);
            let reads = tokio::spawn(async move { sending.frame().await.unwrap().is_err() });
            while !upload.is_going_on() {
                tokio::task::yield_now().await;
            }
            if takes_back {
                assert!(upload.take_back().is_some());
            } else {
                upload.break_off();
            }
            let heard = tokio::time::timeout(Duration::from_secs(5), reads).await;
            assert!(heard.expect("it is woken").unwrap());
        }
    }
}
