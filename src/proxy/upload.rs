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
    use super::*;
    use http_body_util::BodyExt as _;

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
}
