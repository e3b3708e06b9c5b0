//! The body of a request, by whatever protocol it comes, with what is asked of all of them: a
//! bound, a count, a way back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};

use super::error::BodyError;
use super::http2::Http2Body;
use super::lease::{ReaderLease, Wire};
use crate::wire::framing::Framing;
use crate::wire::pace::Slowest;
use crate::wire::reader::Reader;
use crate::wire::refusal::Refusal;

/// The body of a request, by whatever protocol it comes.
pub struct Incoming {
    source: Source,
    limit: u64,
    left: u64,
    count: Option<Arc<AtomicU64>>,
    trailer_rule: Option<Arc<TrailerRule>>,
}

/// Tells which fields may stand behind a body.
pub struct TrailerRule(Box<dyn Fn(&HeaderName) -> bool + Send + Sync>);

impl TrailerRule {
    /// Takes what tells it.
    #[must_use]
    pub fn new(may_stand: impl Fn(&HeaderName) -> bool + Send + Sync + 'static) -> Self {
        Self(Box::new(may_stand))
    }
}

enum Source {
    Empty,
    Whole(Bytes),
    /// What was read of it, and the rest.
    Begun(Box<(Bytes, Source)>),
    /// The end of a body of unannounced length, with its trailer.
    End(Option<Box<HeaderMap>>),
    Wire(Box<Wire>),
    Http2(Box<Http2Body>),
}

impl Incoming {
    /// Makes a body that is not there.
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
        slowest: Slowest,
    ) -> (Self, ReaderLease) {
        let (wire, lease) = Wire::new(reader, framing, holds_back, slowest);
        (Self::of(Source::Wire(Box::new(wire))), lease)
    }

    /// A body of HTTP/2. `length` is what its head says of it.
    #[must_use]
    pub fn http2(stream: h2::RecvStream, length: Option<u64>, slowest: Slowest) -> Self {
        if stream.is_end_stream() {
            return Self::empty();
        }
        Self::of(Source::Http2(Box::new(Http2Body::new(stream, length, slowest))))
    }

    /// A body that was read before.
    #[must_use]
    pub fn whole(bytes: Bytes) -> Self {
        Self::of(Source::Whole(bytes))
    }

    fn of(source: Source) -> Self {
        Self { source, limit: u64::MAX, left: u64::MAX, count: None, trailer_rule: None }
    }

    /// Reads for as long as it could be a short body that begins like this: until more than
    /// `length` bytes are here, or something else, or all. Nothing is lost or changed by it: what
    /// was read comes first, and then the rest.
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

    /// Puts back what was taken of it: it comes again, before the rest, and counts once.
    #[must_use]
    pub fn put_back(mut self, taken: &[Bytes]) -> Self {
        let again = match taken {
            [] => return self,
            [one] => one.clone(),
            several => several.concat().into(),
        };
        let length = again.len() as u64;
        self.left += length;
        if let Some(count) = &self.count {
            count.fetch_sub(length, Ordering::Relaxed);
        }
        self.source = match std::mem::replace(&mut self.source, Source::Empty) {
            rest if rest.is_over() => Source::Whole(again),
            rest => Source::Begun(Box::new((again, rest))),
        };
        self
    }

    /// Lets no more than so many bytes through.
    #[must_use]
    pub fn limited(self, limit: u64) -> Self {
        Self { limit, left: limit, ..self }
    }

    /// Lets no trailer through in which another field stands, by whatever protocol it came and goes.
    #[must_use]
    pub fn with_trailer_rule(self, rule: &Arc<TrailerRule>) -> Self {
        if self.source.is_over() {
            return self;
        }
        Self { trailer_rule: Some(Arc::clone(rule)), ..self }
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
            Source::Http2(body) => ready!(body.poll_frame(cx)),
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
        if let (Some(Ok(frame)), Some(rule)) = (&frame, &this.trailer_rule)
            && let Some(trailer) = frame.trailers_ref()
            && !trailer.keys().all(|name| (rule.0)(name))
        {
            let refusal = Refusal::Framing("trailer has a field that belongs into the head");
            return Poll::Ready(Some(Err(refusal.into())));
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
            Source::Http2(body) => body.size_hint(),
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
            Self::Http2(body) => body.is_over(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// A body of unannounced length that comes in these pieces.
    fn pieces(pieces: &[&'static str], trailer: Option<HeaderMap>) -> Incoming {
        let end = Source::End(trailer.map(Box::new));
        Incoming::of(pieces.iter().rev().fold(end, |rest, piece| {
            Source::Begun(Box::new((Bytes::from_static(piece.as_bytes()), rest)))
        }))
    }

    /// The next piece of data.
    async fn next(body: &mut Incoming) -> Option<Result<Bytes, BodyError>> {
        Some(body.frame().await?.map(|frame| frame.into_data().unwrap()))
    }

    async fn all(mut body: Incoming) -> Vec<Bytes> {
        let mut found = Vec::new();
        while let Some(piece) = next(&mut body).await {
            found.push(piece.unwrap());
        }
        found
    }

    #[tokio::test]
    async fn a_short_body_that_begins_as_expected_is_read_to_its_end() {
        let begun = pieces(&["ab", "cd"], None).begin(b"abcd", 4).await.unwrap();
        assert_eq!(begun.as_whole(), Some(&b"abcd"[..]));
        // To an upstream it is what it was: of no length that was announced.
        assert_eq!(begun.length(), None);
        assert_eq!(all(begun).await, ["abcd"]);
        let announced = Incoming::whole(Bytes::from_static(b"abcd"));
        let begun = announced.begin(b"abcd", 4).await.unwrap();
        assert_eq!((begun.as_whole(), begun.length()), (Some(&b"abcd"[..]), Some(4)));
        assert_eq!(all(begun).await, ["abcd"]);
        let none = Incoming::empty();
        assert_eq!((none.as_whole(), none.length()), (Some(&b""[..]), Some(0)));
    }

    #[tokio::test]
    async fn what_is_longer_or_begins_otherwise_is_not_waited_for() {
        for (sent, like, length) in [
            (["ax", "cd"], &b"abcd"[..], 10),
            (["abc", "de"], b"abcde", 2),
            (["xb", "cd"], b"abcd", 10),
        ] {
            let begun = pieces(&sent, None).begin(like, length).await.unwrap();
            assert_eq!(begun.as_whole(), None, "{sent:?}");
            assert_eq!(all(begun).await, sent);
        }
    }

    #[tokio::test]
    async fn a_trailer_comes_behind_what_was_read_ahead() {
        let trailer = HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("1"))]);
        let body = pieces(&["ab"], Some(trailer.clone()));
        let mut begun = body.begin(b"ab", 10).await.unwrap();
        assert_eq!(begun.as_whole(), Some(&b"ab"[..]));
        assert_eq!(next(&mut begun).await.unwrap().unwrap(), "ab");
        assert!(!begun.is_end_stream());
        let last = begun.frame().await.unwrap().unwrap();
        assert_eq!(last.into_trailers().unwrap(), trailer);
        assert!(begun.is_end_stream() && begun.frame().await.is_none());
        // Where nothing else came, nothing else comes.
        let mut begun = pieces(&[], Some(trailer)).begin(b"ab", 10).await.unwrap();
        assert!(begun.frame().await.unwrap().unwrap().is_trailers());
    }

    #[tokio::test]
    async fn what_was_put_back_comes_again_and_counts_once() {
        let count = Arc::new(AtomicU64::new(0));
        let whole = Incoming::whole(Bytes::from_static(b"abcdef"));
        let mut body = whole.limited(6).counted(Arc::clone(&count));
        let taken = next(&mut body).await.unwrap().unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 6);
        let mut body = body.put_back(&[taken]);
        assert_eq!((count.load(Ordering::Relaxed), body.length()), (0, Some(6)));
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "abcdef");
        assert_eq!(count.load(Ordering::Relaxed), 6);
        assert!(next(&mut body).await.is_none());

        let mut body = pieces(&["ab", "cd", "ef"], None).limited(6);
        let taken = [next(&mut body).await.unwrap(), next(&mut body).await.unwrap()];
        let body = body.put_back(&taken.map(Result::unwrap));
        assert_eq!(body.length(), None);
        assert_eq!(all(body).await, ["abcd", "ef"]);
        // Nothing that is put back changes nothing.
        let body = Incoming::whole(Bytes::from_static(b"ab")).put_back(&[]);
        assert_eq!(body.length(), Some(2));
    }

    #[tokio::test]
    async fn a_body_ends_at_its_bound() {
        let mut body = pieces(&["abc", "d", "e"], None).limited(4);
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "abc");
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "d");
        assert!(matches!(next(&mut body).await, Some(Err(BodyError::TooLong(4)))));
    }

    #[tokio::test]
    async fn a_trailer_with_a_field_that_may_not_stand_there_breaks_the_body() {
        let rule = Arc::new(TrailerRule::new(|name| name != "cookie"));
        for (names, passes) in
            [(&["x-sum"][..], true), (&["cookie"], false), (&["x-sum", "cookie"], false)]
        {
            let field = |name: &&'static str| {
                (HeaderName::from_static(name), HeaderValue::from_static("1"))
            };
            let trailer: HeaderMap = names.iter().map(field).collect();
            let mut body = pieces(&[], Some(trailer)).with_trailer_rule(&rule);
            assert_eq!(body.frame().await.unwrap().is_ok(), passes, "{names:?}");
        }
    }
}
