//! The one type of HTTP body that our answers have, and bounded reading of what is sent to us.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// Whatever can go wrong while a body is read.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer: made whole by us, or streamed from an upstream.
pub enum Body {
    /// All of it is here, and goes out in one piece; nothing when it is empty or has gone.
    Whole(Bytes),
    /// All of it is here, and the trailer behind it until that has gone.
    Trailed(Bytes, Option<Box<HeaderMap>>),
    /// It comes piece by piece.
    Stream(UnsyncBoxBody<Bytes, BoxError>),
}

impl Body {
    /// Makes a body of the pieces of another one, such as an upstream's.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::Stream(body.map_err(Into::into).boxed_unsync())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Trailed(bytes, trailer) if bytes.is_empty() => {
                Poll::Ready(trailer.take().map(|trailer| Ok(Frame::trailers(*trailer))))
            }
            Self::Whole(bytes) | Self::Trailed(bytes, _) => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))))
            }
            Self::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Trailed(bytes, trailer) => bytes.is_empty() && trailer.is_none(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            // No length is said of what has a trailer: in HTTP/1.1 it comes in chunks.
            Self::Trailed(..) => SizeHint::default(),
            Self::Stream(body) => body.size_hint(),
        }
    }
}

/// Makes a body of bytes that are already there.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Body::Whole(bytes.into())
}

/// Makes a body of bytes that are already there, and of what stands behind them.
pub fn trailed(bytes: impl Into<Bytes>, trailer: HeaderMap) -> Body {
    Body::Trailed(bytes.into(), Some(Box::new(trailer)))
}

/// Makes an empty body.
#[must_use]
pub fn empty() -> Body {
    Body::Whole(Bytes::new())
}

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is longer than we take.
    #[error("body is longer than {0} bytes")]
    TooLong(usize),
    /// It takes too long.
    #[error("body did not arrive within {0:?}")]
    Slow(Duration),
    /// The other side stopped in the middle.
    #[error("body ended early")]
    Broken(#[source] BoxError),
}

/// Reads a body whole, up to a limit and within a time: what is small has no reason to take long.
///
/// # Errors
/// When it is longer, takes longer or breaks off.
pub async fn read_within<B>(body: B, limit: usize, time: Duration) -> Result<Bytes, ReadError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    match tokio::time::timeout(time, read(body, limit)).await {
        Ok(read) => read,
        Err(_) => Err(ReadError::Slow(time)),
    }
}

/// Reads a body whole, up to a limit.
///
/// # Errors
/// When it is longer or breaks off.
pub async fn read<B>(body: B, limit: usize) -> Result<Bytes, ReadError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let (mut whole, mut more) = (Bytes::new(), BytesMut::new());
    while !body.is_end_stream()
        && let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await
    {
        let frame = frame.map_err(|error| ReadError::Broken(error.into()))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - (whole.len() + more.len()) {
            return Err(ReadError::TooLong(limit));
        }
        // What comes in one piece is not copied.
        if whole.is_empty() && more.is_empty() {
            whole = data;
        } else {
            more.extend_from_slice(&std::mem::take(&mut whole));
            more.extend_from_slice(&data);
        }
    }
    Ok(if more.is_empty() { whole } else { more.freeze() })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use http::HeaderValue;
    use http_body_util::StreamBody;

    use super::*;

    fn pieces(pieces: &[&'static str]) -> impl HttpBody<Data = Bytes, Error = Infallible> {
        let data = |piece: &&'static str| Ok(Frame::data(Bytes::from_static(piece.as_bytes())));
        let end = Ok(Frame::trailers(HeaderMap::new()));
        let frames: VecDeque<_> = pieces.iter().map(data).chain([end]).collect();
        StreamBody::new(futures_util::stream::iter(frames))
    }

    #[tokio::test]
    async fn a_body_is_read_whole_up_to_its_limit_in_however_many_pieces() {
        for (said, expected) in [
            (&[][..], Some("")),
            (&["abcd"], Some("abcd")),
            (&["ab", "", "cd"], Some("abcd")),
            (&["", "a", "b", "c", "d"], Some("abcd")),
            (&["abcde"], None),
            (&["abcd", "e"], None),
            (&["ab", "cd", "", "e"], None),
        ] {
            match (read(pieces(said), 4).await, expected) {
                (Ok(read), Some(expected)) => assert_eq!(read, expected, "{said:?}"),
                (Err(ReadError::TooLong(4)), None) => {}
                (other, _) => panic!("{said:?}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_no_body() {
        let frames = [Ok(Frame::data(Bytes::from_static(b"ab"))), Err(BoxError::from("gone"))];
        let broken = StreamBody::new(futures_util::stream::iter(frames));
        assert!(matches!(read(broken, 4).await, Err(ReadError::Broken(_))));
    }

    #[tokio::test]
    async fn a_trailer_stands_behind_what_is_there() {
        let trailer = HeaderMap::from_iter([(http::header::TE, HeaderValue::from_static("x"))]);
        for (bytes, mut left) in [("ab", 2), ("", 1)] {
            let mut body = trailed(bytes, trailer.clone());
            assert_eq!(body.size_hint().exact(), None);
            while let Some(frame) = body.frame().await {
                match frame.unwrap().into_data() {
                    Ok(data) => assert_eq!((data, left), (Bytes::from_static(b"ab"), 2)),
                    Err(frame) => {
                        assert_eq!((frame.into_trailers().unwrap(), left), (trailer.clone(), 1));
                    }
                }
                left -= 1;
                assert_eq!(body.is_end_stream(), left == 0);
            }
            assert_eq!(left, 0);
        }
    }
}
