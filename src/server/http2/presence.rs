//! Whether a connection of HTTP/2 does anything, and whether its client takes what it asked for.
//!
//! HTTP/2 has a window for each stream. A client that opens none, or closes it, is never waited for
//! at all: its answer simply lies there, with all that it holds. So a task has to look.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::frames::Malformed;
use crate::base::body::{Body, BoxError};
use crate::request::lasting::{Cut, LOOK, Lasting};
use crate::wire::incoming::BodyError;
use crate::wire::pace::{GRACE, Pace, Slowest};

/// What goes on on a connection.
pub(super) struct Presence {
    began: Instant,
    open: AtomicUsize,
    requests: AtomicU64,
    /// Those that the client began.
    begun: AtomicU64,
    /// Milliseconds from the beginning to the end of the last request.
    last: AtomicU64,
    /// What the connection ended for.
    refused: OnceLock<Malformed>,
}

/// A request under way.
pub(super) struct Open(Arc<Presence>);

impl Presence {
    pub(super) fn new() -> Arc<Self> {
        let (open, requests, begun, last, refused) = Default::default();
        Arc::new(Self { began: Instant::now(), open, requests, begun, last, refused })
    }

    /// Notes that a request came.
    pub(super) fn enter(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// Notes that the client began so many requests, which may come or not.
    pub(super) fn begun(&self, requests: u64) {
        self.begun.fetch_add(requests, Ordering::Relaxed);
    }

    /// Notes what is refused with all that stands behind it.
    pub(super) fn refuse(&self, what: Malformed) {
        // The first one ended the connection.
        let _ = self.refused.set(what);
    }

    /// Returns what was refused, after the end of the connection.
    pub(super) fn refused(&self) -> Option<Malformed> {
        self.refused.get().copied()
    }

    /// Returns how many requests were begun and never came, after the end of the connection.
    pub(super) fn unseen(&self) -> u64 {
        let (begun, came) = (&self.begun, &self.requests);
        begun.load(Ordering::Relaxed).saturating_sub(came.load(Ordering::Relaxed))
    }

    /// Tells whether any request came.
    pub(super) fn is_used(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Waits until nothing was under way for so long; for the first request, `first`.
    pub(super) async fn idle(&self, first: Duration, between: Duration) {
        loop {
            let allowed = if self.is_used() { between } else { first };
            if self.open.load(Ordering::Relaxed) > 0 {
                sleep(allowed).await;
                continue;
            }
            let since = Duration::from_millis(self.last.load(Ordering::Relaxed));
            let idle = self.began.elapsed().saturating_sub(since);
            if idle >= allowed {
                return;
            }
            sleep(allowed - idle).await;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let millis = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last.fetch_max(millis, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer that is given up when the client takes nothing of it for too long.
pub(super) struct Watched {
    inner: Arc<Mutex<Inner>>,
    watchdog: JoinHandle<()>,
    slowest: Slowest,
    _open: Open,
}

struct Inner {
    /// Absent when it was given up.
    body: Option<Body>,
    cut: Option<Cut>,
    /// How the client takes it. It is waited for whenever the maker of the body is not.
    pace: Pace,
    /// How much of it was handed out last.
    last: usize,
    waker: Option<Waker>,
}

impl Watched {
    pub(super) fn new(
        body: Body,
        slowest: Slowest,
        lasting: Option<Arc<Lasting>>,
        open: Open,
    ) -> Self {
        let mut pace = Pace::default();
        pace.wait(&slowest);
        let inner = Inner { body: Some(body), cut: None, pace, last: 0, waker: None };
        let inner = Arc::new(Mutex::new(inner));
        let watchdog = tokio::spawn(watch(Arc::clone(&inner), slowest, lasting));
        Self { inner, watchdog, slowest, _open: open }
    }
}

async fn watch(inner: Arc<Mutex<Inner>>, slowest: Slowest, lasting: Option<Arc<Lasting>>) {
    let longest = slowest.stall.min(GRACE);
    let step = if lasting.is_some() { LOOK.min(longest) } else { longest };
    loop {
        sleep(step).await;
        // While the body waits for its upstream, it looks by itself.
        let cut = match &lasting {
            Some(lasting) if lock(&inner).pace.is_waiting() => {
                poll_fn(|cx| Poll::Ready(lasting.look(cx))).await
            }
            _ => Poll::Pending,
        };
        let mut inner = lock(&inner);
        if let Poll::Ready(cut) = cut {
            inner.cut = Some(cut);
        }
        if inner.cut.is_some() || inner.pace.is_over(&slowest) {
            inner.body = None;
            if let Some(waker) = inner.waker.take() {
                waker.wake();
            }
            return;
        }
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watchdog.abort();
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut inner = lock(&self.inner);
        let Some(body) = &mut inner.body else {
            if let Some(cut) = inner.cut {
                return Poll::Ready(Some(Err(cut.into())));
            }
            let slow = inner.pace.verdict(&self.slowest);
            return Poll::Ready(Some(Err(BodyError::from(slow).into())));
        };
        let frame = Pin::new(body).poll_frame(cx);
        let last = std::mem::take(&mut inner.last);
        inner.pace.moved(last);
        if let Poll::Ready(frame) = &frame {
            let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            inner.last = data.map_or(0, Bytes::len);
            inner.pace.wait(&self.slowest);
        }
        inner.waker = Some(cx.waker().clone());
        frame
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.inner).body.as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.inner).body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, StreamBody};
    use std::convert::Infallible;

    fn endless(frames: bool) -> Body {
        let frame = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")));
        if frames {
            Body::stream(StreamBody::new(futures_util::stream::repeat_with(frame)))
        } else {
            Body::stream(StreamBody::new(futures_util::stream::pending::<
                Result<Frame<Bytes>, Infallible>,
            >()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_given_up_and_one_that_is_awaited_is_not() {
        let stall = Duration::from_secs(5);
        let presence = Presence::new();
        let slowest = Slowest { stall, rate: 0 };
        let mut taken = Watched::new(endless(true), slowest, None, presence.enter());
        assert!(taken.frame().await.unwrap().is_ok());
        sleep(Duration::from_secs(11)).await;
        assert!(taken.frame().await.unwrap().is_err());

        let mut awaited = Watched::new(endless(false), slowest, None, presence.enter());
        let waited = tokio::time::timeout(Duration::from_secs(60), awaited.frame()).await;
        assert!(waited.is_err(), "it still waits");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_byte_by_byte_only_to_hold_it_is_given_up() {
        let slowest = Slowest { stall: Duration::from_secs(60), rate: 100 };
        let mut dripped = Watched::new(endless(true), slowest, None, Presence::new().enter());
        let mut taken = 0;
        while let Some(Ok(_)) = dripped.frame().await {
            taken += 1;
            assert!(taken < 10, "it goes on for ever");
            sleep(Duration::from_secs(3)).await;
        }
        assert!(taken >= 3, "the grace was not given: {taken}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_nothing_is_open() {
        let presence = Presence::new();
        let begin = Instant::now();
        let (first, between) = (Duration::from_secs(10), Duration::from_secs(75));
        presence.idle(first, between).await;
        assert_eq!(begin.elapsed().as_secs(), 10);
        let open = presence.enter();
        let waits = tokio::time::timeout(Duration::from_secs(500), presence.idle(first, between));
        assert!(waits.await.is_err());
        drop(open);
        let begin = Instant::now();
        presence.idle(first, between).await;
        assert_eq!(begin.elapsed().as_secs(), 75);
        // It has been idle for a while when it is asked.
        drop(presence.enter());
        let begin = Instant::now();
        sleep(Duration::from_secs(30)).await;
        presence.idle(first, between).await;
        assert_eq!(begin.elapsed().as_secs(), 75);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_ever_asked_for_is_given_up() {
        let slowest = Slowest { stall: Duration::from_secs(5), rate: 0 };
        let presence = Presence::new();
        let mut left = Watched::new(endless(true), slowest, None, presence.enter());
        assert!(!left.is_end_stream());
        sleep(Duration::from_secs(11)).await;
        assert!(left.frame().await.unwrap().is_err());
        let none = Watched::new(crate::base::body::empty(), slowest, None, presence.enter());
        assert!(none.is_end_stream());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_as_fast_as_it_may_is_never_given_up() {
        let slowest = Slowest { stall: Duration::from_secs(60), rate: 100 };
        let piece = || Ok::<_, Infallible>(Frame::data(Bytes::from(vec![0; 1000])));
        let body = Body::stream(StreamBody::new(futures_util::stream::repeat_with(piece)));
        let mut taken = Watched::new(body, slowest, None, Presence::new().enter());
        for _ in 0..40 {
            assert!(taken.frame().await.unwrap().is_ok());
            sleep(Duration::from_secs(3)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_answer_holds_goes_with_it() {
        let held = Arc::new(());
        let kept = Arc::clone(&held);
        let piece = move || {
            let _kept = &kept;
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")))
        };
        let body = Body::stream(StreamBody::new(futures_util::stream::repeat_with(piece)));
        let slowest = Slowest { stall: Duration::from_secs(60), rate: 0 };
        let watched = Watched::new(body, slowest, None, Presence::new().enter());
        tokio::task::yield_now().await;
        drop(watched);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn what_was_begun_and_never_came_is_counted_and_the_first_refusal_is_kept() {
        let presence = Presence::new();
        assert_eq!((presence.unseen(), presence.refused()), (0, None));
        presence.begun(2);
        presence.begun(1);
        assert!(!presence.is_used());
        let _open = presence.enter();
        assert!(presence.is_used());
        assert_eq!(presence.unseen(), 2);
        presence.refuse(Malformed::Fragment);
        presence.refuse(Malformed::TooLong);
        assert_eq!(presence.refused(), Some(Malformed::Fragment));
    }
}
