//! Bodies as they come in, piece by piece, never held whole.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::task::AtomicWaker;
use http::{HeaderMap, HeaderName};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;

use super::chunked::{Decoder, Extensions, Piece};
use super::framing::Framing;
use super::head::Bounds;
use super::patience::Patience;
use super::reader::Reader;
use super::refusal::Refusal;

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Its coding is wrong.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The connection is broken.
    #[error("connection broke in the middle of a body")]
    Broken(#[from] io::Error),
    /// The other side stopped before the end.
    #[error("body ended early")]
    Incomplete,
    /// Nothing came for too long.
    #[error("nothing of the body came within {0:?}")]
    Stalled(Duration),
    /// There is more of it than is allowed.
    #[error("body is longer than {0} bytes")]
    TooLong(u64),
    /// Whoever sends it may not do so any more.
    #[error("body is not wanted any more")]
    BrokenOff,
    /// HTTP/2 has its own reasons.
    #[error("stream of HTTP/2 broke in the middle of a body")]
    Http2(#[from] hyper::Error),
}

/// How much of a body is still to come.
#[derive(Debug)]
pub struct Progress(Left);

#[derive(Debug)]
enum Left {
    Length(u64),
    Chunks(Decoder),
    UntilClose,
    Over,
}

impl Progress {
    /// Stands at the beginning of a body.
    #[must_use]
    pub fn new(framing: Framing, extensions: Extensions) -> Self {
        Self(match framing {
            Framing::Length(0) => Left::Over,
            Framing::Length(length) => Left::Length(length),
            Framing::Chunked => Left::Chunks(Decoder::new(extensions)),
            Framing::UntilClose => Left::UntilClose,
        })
    }

    /// Tells whether all of it has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.0 {
            Left::Over => true,
            Left::Chunks(decoder) => decoder.is_over(),
            Left::Length(_) | Left::UntilClose => false,
        }
    }

    /// Returns the next piece, or nothing at the end.
    pub fn poll_piece(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            let room = match &mut self.0 {
                Left::Over => return Poll::Ready(None),
                Left::Length(left) => {
                    let buffer = reader.buffer();
                    if !buffer.is_empty() {
                        let here = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                        let piece = buffer.split_to(here).freeze();
                        *left -= here as u64;
                        if *left == 0 {
                            self.0 = Left::Over;
                        }
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                    usize::try_from(*left).unwrap_or(usize::MAX).clamp(LEAST_ROOM, ROOM)
                }
                Left::Chunks(decoder) => match decoder.take(reader.buffer(), &TRAILER) {
                    Err(refusal) => return self.fail(refusal.into()),
                    Ok(Some(Piece::Data(data))) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    Ok(Some(Piece::Trailer(trailer))) => {
                        self.0 = Left::Over;
                        return Poll::Ready(Some(Ok(Frame::trailers(trailer))));
                    }
                    Ok(Some(Piece::End)) => {
                        self.0 = Left::Over;
                        return Poll::Ready(None);
                    }
                    Ok(None) => ROOM / 2,
                },
                Left::UntilClose => {
                    let buffer = reader.buffer();
                    if !buffer.is_empty() {
                        let piece = buffer.split().freeze();
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                    ROOM / 2
                }
            };
            match ready!(reader.poll_fill(cx, room)) {
                Ok(0) if matches!(self.0, Left::UntilClose) => {
                    self.0 = Left::Over;
                    return Poll::Ready(None);
                }
                Ok(0) => return self.fail(BodyError::Incomplete),
                Ok(_) => {}
                Err(error) => return self.fail(error.into()),
            }
        }
    }

    /// A body that went wrong once is not asked again.
    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0 = Left::UntilClose;
        Poll::Ready(Some(Err(error)))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Left::Over => SizeHint::with_exact(0),
            Left::Length(left) => SizeHint::with_exact(*left),
            Left::Chunks(_) | Left::UntilClose => SizeHint::default(),
        }
    }
}

/// The most that is read at once.
const ROOM: usize = 64 * 1024;
const LEAST_ROOM: usize = 4 * 1024;
/// Bounds of a trailer.
const TRAILER: Bounds = Bounds { bytes: 8 * 1024, fields: 32, target: 0 };

/// The body of a request, by whatever protocol it comes.
pub struct Incoming {
    source: Source,
    limit: u64,
    left: u64,
    count: Option<Arc<AtomicU64>>,
    breaker: Option<Arc<Switch>>,
}

/// Breaks a body off while somebody else reads it.
pub struct Breaker(Arc<Switch>);

#[derive(Default)]
struct Switch {
    is_broken: AtomicBool,
    reader: AtomicWaker,
}

impl Breaker {
    /// Tells whether the body is still being read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Breaks it off.
    pub fn break_off(&self) {
        self.0.is_broken.store(true, Ordering::Release);
        self.0.reader.wake();
    }
}

enum Source {
    Empty,
    Whole(Bytes),
    /// What was read of it, and the rest.
    Begun(Box<(Bytes, Source)>),
    /// The end of a body whose length nobody announced, with its trailer.
    End(Option<Box<HeaderMap>>),
    Wire(Box<Wire>),
    Http2(hyper::body::Incoming, Box<(Patience, Duration)>),
}

/// A body of HTTP/1.1. It takes the reader of its connection along and sends it home at the end.
struct Wire {
    reader: Option<Reader>,
    progress: Progress,
    home: Option<oneshot::Sender<Returned>>,
    awaited: Option<oneshot::Sender<()>>,
    patience: Patience,
    stall: Duration,
}

/// A reader that came home, and how far it got.
pub struct Returned {
    /// The reader.
    pub reader: Reader,
    /// What it had still to read.
    pub progress: Progress,
}

/// What the connection keeps while a body has its reader.
pub struct Lent {
    /// Brings the reader home.
    pub home: oneshot::Receiver<Returned>,
    /// Tells that somebody wants the body which the client holds back (`100 Continue`).
    pub awaited: Option<oneshot::Receiver<()>>,
}

impl Incoming {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(Source::Empty)
    }

    /// A body of HTTP/1.1.
    #[must_use]
    pub fn wire(
        reader: Reader,
        framing: Framing,
        holds_back: bool,
        stall: Duration,
    ) -> (Self, Lent) {
        let (home, come_home) = oneshot::channel();
        let (awaited, is_awaited) = oneshot::channel();
        let wire = Wire {
            reader: Some(reader),
            progress: Progress::new(framing, Extensions::Refused),
            home: Some(home),
            awaited: Some(awaited).filter(|_| holds_back),
            patience: Patience::default(),
            stall,
        };
        let lent = Lent { home: come_home, awaited: Some(is_awaited).filter(|_| holds_back) };
        (Self::of(Source::Wire(Box::new(wire))), lent)
    }

    /// A body of HTTP/2.
    #[must_use]
    pub fn http2(body: hyper::body::Incoming, stall: Duration) -> Self {
        if body.is_end_stream() {
            return Self::empty();
        }
        Self::of(Source::Http2(body, Box::new((Patience::default(), stall))))
    }

    /// A body that was read before.
    #[must_use]
    pub fn whole(bytes: Bytes) -> Self {
        Self::of(Source::Whole(bytes))
    }

    fn of(source: Source) -> Self {
        Self { source, limit: u64::MAX, left: u64::MAX, count: None, breaker: None }
    }

    /// Makes it such that it can be broken off by somebody who does not have it.
    #[must_use]
    pub fn breakable(self) -> (Self, Breaker) {
        let switch = Arc::new(Switch::default());
        let breaker = Breaker(Arc::clone(&switch));
        (Self { breaker: Some(switch), ..self }, breaker)
    }

    /// Reads for as long as it could be a short body that begins like this: until more than `length` bytes
    /// are here, or something else, or all. Nothing is lost or changed by it: what was read comes first, and
    /// then the rest.
    ///
    /// # Errors
    /// When the body breaks off meanwhile.
    pub async fn begin(mut self, like: &[u8], length: usize) -> Result<Self, BodyError> {
        let was_announced = self.length().is_some();
        let mut begun = BytesMut::new();
        let rest = loop {
            let is_like = begun.iter().zip(like).all(|(here, expected)| here == expected);
            if begun.len() > length || !is_like {
                break std::mem::replace(&mut self.source, Source::Empty);
            }
            let Some(frame) = self.frame().await.transpose()? else { break Source::End(None) };
            match frame.into_data() {
                Ok(data) => begun.extend_from_slice(&data),
                Err(frame) => break Source::End(frame.into_trailers().ok().map(Box::new)),
            }
        };
        let source = match rest {
            Source::End(None) if was_announced => Source::Whole(begun.freeze()),
            rest => Source::Begun(Box::new((begun.freeze(), rest))),
        };
        Ok(Self { source, ..self })
    }

    /// Returns the bytes of a body that is here to its end, as [`Self::begin`] may have found.
    #[must_use]
    pub fn as_whole(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Empty => Some(&[]),
            Source::Whole(bytes) => Some(bytes),
            Source::Begun(begun) if matches!(begun.1, Source::End(_)) => Some(&begun.0),
            _ => None,
        }
    }

    /// Lets no more than so many bytes through.
    #[must_use]
    pub fn limited(self, limit: u64) -> Self {
        Self { limit, left: limit, ..self }
    }

    /// Counts the bytes that pass.
    #[must_use]
    pub fn counted(self, count: Arc<AtomicU64>) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Returns how many bytes it has, when that was said beforehand.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.size_hint().exact()
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let Some(switch) = &this.breaker {
            switch.reader.register(cx.waker());
            if switch.is_broken.load(Ordering::Acquire) {
                return Poll::Ready(Some(Err(BodyError::BrokenOff)));
            }
        }
        let frame = match &mut this.source {
            Source::Empty => return Poll::Ready(None),
            Source::Whole(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Source::Whole(bytes) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            Source::Begun(begun) => {
                let bytes = std::mem::take(&mut begun.0);
                this.source = std::mem::replace(&mut begun.1, Source::Empty);
                if bytes.is_empty() {
                    return Pin::new(this).poll_frame(cx);
                }
                Some(Ok(Frame::data(bytes)))
            }
            Source::End(trailer) => trailer.take().map(|trailer| Ok(Frame::trailers(*trailer))),
            Source::Wire(wire) => ready!(wire.poll_frame(cx)),
            Source::Http2(body, patience) => {
                let (patience, stall) = &mut **patience;
                match Pin::new(&mut *body).poll_frame(cx) {
                    Poll::Pending => {
                        ready!(patience.poll_stalled(*stall, cx));
                        Some(Err(BodyError::Stalled(*stall)))
                    }
                    // A stream that was reset, even without an error, has not come to its end.
                    Poll::Ready(None) if !body.is_end_stream() => Some(Err(BodyError::Incomplete)),
                    Poll::Ready(frame) => {
                        patience.endless();
                        frame.map(|frame| frame.map_err(BodyError::from))
                    }
                }
            }
        };
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            if let Some(count) = &this.count {
                count.fetch_add(data.len() as u64, Ordering::Relaxed);
            }
            match this.left.checked_sub(data.len() as u64) {
                Some(left) => this.left = left,
                None => return Poll::Ready(Some(Err(BodyError::TooLong(this.limit)))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_over()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Empty => SizeHint::with_exact(0),
            Source::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            // As it was before anything was read: of no length that was announced.
            Source::Begun(..) | Source::End(_) => SizeHint::default(),
            Source::Wire(wire) => wire.progress.size_hint(),
            Source::Http2(body, _) => body.size_hint(),
        }
    }
}

impl Source {
    fn is_over(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Begun(..) => false,
            Self::End(trailer) => trailer.is_none(),
            Self::Wire(wire) => wire.progress.is_over(),
            Self::Http2(body, _) => body.is_end_stream(),
        }
    }
}

impl Wire {
    fn poll_frame(
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
                ready!(self.patience.poll_stalled(self.stall, cx));
                Poll::Ready(Some(Err(BodyError::Stalled(self.stall))))
            }
            Poll::Ready(frame) => {
                self.patience.endless();
                if self.progress.is_over() {
                    self.go_home();
                }
                Poll::Ready(frame)
            }
        }
    }

    fn go_home(&mut self) {
        if let (Some(reader), Some(home)) = (self.reader.take(), self.home.take()) {
            let progress = std::mem::replace(&mut self.progress, Progress(Left::Over));
            let _ = home.send(Returned { reader, progress });
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.go_home();
    }
}

/// Leaves in a trailer only what may be there.
pub fn retain_trailer(trailer: &mut HeaderMap, may_stay: impl Fn(&HeaderName) -> bool) {
    let refused: Vec<_> = trailer.keys().filter(|name| !may_stay(name)).cloned().collect();
    for name in refused {
        trailer.remove(name);
    }
}
