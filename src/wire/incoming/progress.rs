//! How far a body of HTTP/1.1 was read.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::error::BodyError;
use crate::wire::chunked::{Decoder, Extensions, Piece};
use crate::wire::framing::Framing;
use crate::wire::head::Bounds;
use crate::wire::reader::Reader;

/// How much of a body is still to come.
#[derive(Debug)]
pub struct Progress {
    left: Left,
    /// The most that is read at once.
    room: usize,
}

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
        let (left, room) = match framing {
            Framing::Length(0) => (Left::Over, 0),
            Framing::Length(length) if length <= SMALL => (Left::Length(length), ROOM_OF_SMALL),
            Framing::Length(length) => (Left::Length(length), ROOM),
            Framing::Chunked => (Left::Chunks(Decoder::new(extensions)), ROOM_OF_PIECES),
            Framing::UntilClose => (Left::UntilClose, ROOM_OF_PIECES),
        };
        Self { left, room }
    }

    /// Stands at the end of one.
    pub(super) fn over() -> Self {
        Self { left: Left::Over, room: 0 }
    }

    /// Tells whether all of it has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.left {
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
            let room = match &mut self.left {
                Left::Over => return Poll::Ready(None),
                Left::Length(left) => {
                    let buffer = reader.buffer();
                    if !buffer.is_empty() {
                        let here = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                        let piece = buffer.split_to(here).freeze();
                        *left -= here as u64;
                        if *left == 0 {
                            self.left = Left::Over;
                        }
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                    usize::try_from(*left).unwrap_or(usize::MAX).clamp(LEAST_ROOM, self.room)
                }
                Left::Chunks(decoder) => match decoder.take(reader.buffer(), &TRAILER) {
                    Err(refusal) => return self.fail(refusal.into()),
                    Ok(Some(Piece::Data(data))) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    Ok(Some(Piece::Trailer(trailer))) => {
                        self.left = Left::Over;
                        return Poll::Ready(Some(Ok(Frame::trailers(trailer))));
                    }
                    Ok(Some(Piece::End)) => {
                        self.left = Left::Over;
                        return Poll::Ready(None);
                    }
                    Ok(None) => self.room,
                },
                Left::UntilClose => {
                    let buffer = reader.buffer();
                    if !buffer.is_empty() {
                        let piece = buffer.split().freeze();
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                    self.room
                }
            };
            match ready!(reader.poll_fill(cx, room)) {
                Ok(0) if matches!(self.left, Left::UntilClose) => {
                    self.left = Left::Over;
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
        self.left = Left::UntilClose;
        Poll::Ready(Some(Err(error)))
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match &self.left {
            Left::Over => SizeHint::with_exact(0),
            Left::Length(left) => SizeHint::with_exact(*left),
            Left::Chunks(_) | Left::UntilClose => SizeHint::default(),
        }
    }
}

/// The most that is read at once of a body. A download that is read slowly holds so much; with what
/// else it needs that is less than 64 KiB.
const ROOM: usize = 36 * 1024;
/// The same of one of at most [`SMALL`] bytes: what does not come with its head comes in one piece.
const ROOM_OF_SMALL: usize = 52 * 1024;
const SMALL: u64 = 64 * 1024;
/// The same of one that does not say its length.
const ROOM_OF_PIECES: usize = 26 * 1024;
const LEAST_ROOM: usize = 4 * 1024;
/// Bounds of a trailer.
const TRAILER: Bounds = Bounds { bytes: 8 * 1024, fields: 32, target: 0 };

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::wire::stream::Stream;

    #[tokio::test]
    async fn a_body_that_breaks_off_is_told_from_one_that_has_ended() {
        for (framing, sent, is_whole) in [
            (Framing::Length(5), "hello", true),
            (Framing::Length(5), "hel", false),
            (Framing::Length(5), "", false),
            (Framing::Chunked, "5\r\nhello\r\n0\r\n\r\n", true),
            (Framing::Chunked, "5\r\nhello\r\n", false),
            (Framing::Chunked, "5\r\nhello\r\n0\r\n", false),
            (Framing::Chunked, "5\r\nhello!\r\n", false),
            (Framing::UntilClose, "hello", true),
        ] {
            let (ours, mut theirs) = tokio::io::duplex(64);
            theirs.write_all(sent.as_bytes()).await.unwrap();
            drop(theirs);
            let mut reader = Reader::new(Stream::split_any(ours).0);
            let mut progress = Progress::new(framing, Extensions::Checked);
            let mut data = Vec::new();
            let error = loop {
                match poll_fn(|cx| progress.poll_piece(&mut reader, cx)).await {
                    None => break None,
                    Some(Err(error)) => break Some(error),
                    Some(Ok(frame)) => data.extend(frame.into_data().unwrap()),
                }
            };
            assert_eq!((error.is_none(), progress.is_over()), (is_whole, is_whole), "{sent:?}");
            if is_whole {
                assert_eq!(data, b"hello");
            } else {
                // Nothing more is promised of it.
                assert_eq!(progress.size_hint().exact(), None, "{sent:?}");
            }
        }
    }
}
