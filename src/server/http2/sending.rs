//! The body of an answer over HTTP/2 as it comes, as fast as the client takes it but not slower
//! than it may.
//!
//! HTTP/2 has a window for each stream. A client that opens none, or closes it, loses the answer on
//! it: it would lie there with all that it holds.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::{Reason, SendStream};
use hyper::body::{Body as _, Frame};
use tracing::debug;

use crate::base::body::{Body, BoxError};
use crate::request::lasting::{LOOK, Lasting};
use crate::server::patience::poll_patience;
use crate::wire::deadline::Deadline;
use crate::wire::incoming::BodyError;
use crate::wire::pace::{Pace, Slowest};

/// The body of an answer on its way to the client.
pub(super) struct Sending {
    stream: SendStream<Bytes>,
    body: Body,
    slowest: Slowest,
    pace: Pace,
    deadline: Deadline,
    /// The right by which the answer goes on.
    lasting: Option<Arc<Lasting>>,
}

/// Why a body is not sent to its end.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// There is nobody to send it to: the stream or the connection has ended.
    #[error("the client ended the stream")]
    Gone,
    #[error(transparent)]
    Body(#[from] BoxError),
}

impl From<h2::Error> for Failed {
    fn from(_: h2::Error) -> Self {
        Self::Gone
    }
}

impl Sending {
    pub(super) fn new(
        stream: SendStream<Bytes>,
        body: Body,
        slowest: Slowest,
        lasting: Option<Arc<Lasting>>,
    ) -> Self {
        let (pace, deadline) = (Pace::default(), Deadline::default());
        Self { stream, body, slowest, pace, deadline, lasting }
    }

    /// Sends all of it, or resets the stream.
    pub(super) async fn run(mut self) {
        match self.send().await {
            Ok(()) => {}
            Err(Failed::Gone) => debug!("a client ended the stream of its answer"),
            Err(Failed::Body(error)) => {
                debug!(%error, "an answer broke off");
                // What was handed over is sent first: a reset takes back what was not.
                tokio::task::yield_now().await;
                self.stream.send_reset(reason(&*error));
            }
        }
    }

    async fn send(&mut self) -> Result<(), Failed> {
        loop {
            let Some(frame) = poll_fn(|cx| self.poll_frame(cx)).await? else {
                return Ok(self.stream.send_data(Bytes::new(), true)?);
            };
            match frame.into_data() {
                Ok(data) => {
                    let is_end = self.body.is_end_stream();
                    self.send_data(data, is_end).await?;
                    if is_end {
                        return Ok(());
                    }
                }
                Err(frame) => {
                    if let Ok(trailer) = frame.into_trailers() {
                        return Ok(self.stream.send_trailers(trailer)?);
                    }
                }
            }
        }
    }

    /// Sends no more at once than the client takes: what lies with h2 has no end.
    async fn send_data(&mut self, mut data: Bytes, is_end: bool) -> Result<(), Failed> {
        let mut room = 0;
        loop {
            if !data.is_empty() {
                self.stream.reserve_capacity(data.len());
                room = poll_fn(|cx| self.poll_room(cx)).await?;
            }
            let piece = data.split_to(room.min(data.len()));
            self.pace.moved(piece.len());
            self.deadline.clear();
            self.stream.send_data(piece, is_end && data.is_empty())?;
            if data.is_empty() {
                return Ok(());
            }
        }
    }

    /// Looks for the next frame while the client stays. One that is there is sent, or cannot be.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Failed>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(frame.transpose().map_err(Failed::Body)),
            Poll::Pending => self.stream.poll_reset(cx).map(|_| Err(Failed::Gone)),
        }
    }

    /// Waits until the client takes something, for as long as it may take.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Failed>> {
        loop {
            let room = self.stream.capacity();
            if room > 0 {
                return Poll::Ready(Ok(room));
            }
            // That has an end when the stream has.
            match self.stream.poll_capacity(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return Poll::Ready(Err(Failed::Gone)),
                Poll::Pending => return self.poll_patience(cx).map(Err),
            }
        }
    }

    /// Is ready when the client has had its time.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<Failed> {
        let Self { slowest, pace, deadline, lasting, .. } = self;
        if let Some(time) = pace.wait(slowest) {
            deadline.renew_looking(time, LOOK);
        }
        poll_patience(deadline, lasting.as_ref(), cx).map(|over| {
            let slow = || BodyError::from(pace.verdict(slowest)).into();
            Failed::Body(over.map_or_else(BoxError::from, |()| slow()))
        })
    }
}

/// Asks for room for so many bytes. Tells whether the client has it now.
pub(super) fn has_room(stream: &mut SendStream<Bytes>, length: usize) -> bool {
    stream.reserve_capacity(length);
    stream.capacity() >= length
}

/// Returns what a client is told of a body that broke off: what an upstream over HTTP/2 said, if it
/// is that. It said that nothing is wrong of its stream, not of ours, which lacks something.
fn reason(error: &(dyn Error + 'static)) -> Reason {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(reason) = error.downcast_ref::<h2::Error>().and_then(h2::Error::reason)
            && reason != Reason::NO_ERROR
        {
            return reason;
        }
        cause = error.source();
    }
    Reason::INTERNAL_ERROR
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use h2::RecvStream;
    use http::{Request, Response};
    use http_body_util::StreamBody;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Sends a body to a client whose window has so many bytes; returns the client's side.
    async fn sent(body: Body, slowest: Slowest, window: u32) -> RecvStream {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(ours).await.unwrap();
            let (_request, mut respond) = connection.accept().await.unwrap().unwrap();
            let stream = respond.send_response(Response::new(()), false).unwrap();
            tokio::spawn(Sending::new(stream, body, slowest, None).run());
            while connection.accept().await.is_some() {}
        });
        let mut settings = h2::client::Builder::new();
        settings.initial_window_size(window);
        let (mut client, connection) = settings.handshake::<_, Bytes>(theirs).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("https://portal.test/").body(()).unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        answer.await.unwrap().into_body()
    }

    fn endless(held: Arc<()>) -> Body {
        let piece = move || {
            let _held = &held;
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0; 1000])))
        };
        Body::stream(StreamBody::new(futures_util::stream::repeat_with(piece)))
    }

    fn silent() -> Body {
        let frames = futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>();
        Body::stream(StreamBody::new(frames))
    }

    /// Takes so many bytes every three seconds; says how often it could, up to forty times.
    async fn taken(slowest: Slowest, bytes: usize) -> usize {
        let mut answer = sent(endless(Arc::default()), slowest, 1000).await;
        for times in 0..40 {
            let came = timeout(Duration::from_millis(1), answer.data()).await;
            if matches!(came, Ok(None | Some(Err(_)))) {
                return times;
            }
            answer.flow_control().release_capacity(bytes).unwrap();
            sleep(Duration::from_secs(3)).await;
        }
        40
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_given_up_and_one_that_is_awaited_is_not() {
        let slowest = Slowest { stall: Duration::from_secs(5), rate: 0 };
        for window in [0, 3000] {
            let held = Arc::new(());
            let mut left = sent(endless(Arc::clone(&held)), slowest, window).await;
            let mut came = 0;
            let end = loop {
                match timeout(Duration::from_secs(20), left.data()).await.unwrap() {
                    Some(Ok(data)) => came += data.len(),
                    end => break end,
                }
            };
            assert_eq!(end.unwrap().unwrap_err().reason(), Some(Reason::INTERNAL_ERROR));
            assert_eq!((came, Arc::strong_count(&held)), (window as usize, 1));
        }
        let mut awaited = sent(silent(), slowest, 3000).await;
        let waited = timeout(Duration::from_secs(60), awaited.data()).await;
        assert!(waited.is_err(), "it still waits");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_given_up_that_is_taken_only_to_hold_it_and_no_other() {
        let slowest = Slowest { stall: Duration::from_secs(60), rate: 100 };
        let times = taken(slowest, 10).await;
        assert!((3..40).contains(&times), "the grace was not given, or there is no end: {times}");
        assert_eq!(taken(slowest, 1000).await, 40);
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_answer_holds_goes_with_its_stream() {
        let slowest = Slowest { stall: Duration::from_secs(60), rate: 0 };
        let held = Arc::new(());
        let answer = sent(endless(Arc::clone(&held)), slowest, 3000).await;
        assert_eq!(Arc::strong_count(&held), 2);
        drop(answer);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn a_client_is_told_what_an_upstream_said() {
        let refused = h2::Error::from(Reason::REFUSED_STREAM);
        assert_eq!(reason(&std::io::Error::other(refused)), Reason::INTERNAL_ERROR);
        let refused = h2::Error::from(Reason::REFUSED_STREAM);
        assert_eq!(reason(&BodyError::from(refused)), Reason::REFUSED_STREAM);
        assert_eq!(reason(&BodyError::Incomplete), Reason::INTERNAL_ERROR);
        // A client would take it for the end (RFC 9113 8.1).
        let needless = h2::Error::from(Reason::NO_ERROR);
        assert_eq!(reason(&BodyError::from(needless)), Reason::INTERNAL_ERROR);
    }
}
