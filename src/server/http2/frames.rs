//! The frames of a connection of HTTP/2 as they come, before h2 has them.
//!
//! 1. How many requests a client began is counted. What breaks the rules of HTTP/2, and a head that
//!    is larger by far than it may be, is refused by h2, which tells us nothing of it. The
//!    difference to what reached us shows it.
//! 2. What h2 passes over is refused, as in HTTP/1.1: a `#` in a path, which h2 cuts off with all
//!    that stands behind it, and pseudo-fields in a trailer (RFC 9113 8.1), which it leaves out.
//!    Both are malformed (RFC 9113 8.1.1), and the connection ends: nobody sends them by mistake,
//!    and a stream error may be treated as one of the connection (RFC 9113 5.4.2).

use super::hpack::Table;

/// Where a connection stands between its frames (RFC 9113 4.1).
#[derive(Debug)]
pub struct Frames {
    /// Whether it is in the preface or in a frame's payload.
    is_inside: bool,
    /// What still comes of that.
    left: usize,
    head: [u8; HEAD],
    /// How much of the head is there.
    filled: usize,
    /// The last stream that a client began: their numbers only grow (RFC 9113 5.1.1).
    last: u32,
    heads: Heads,
}

/// The heads of requests and trailers.
#[derive(Debug)]
struct Heads {
    table: Table,
    /// What is there of a frame that comes in pieces.
    payload: Vec<u8>,
    /// What is there of a head that comes in several frames.
    block: Vec<u8>,
    longest: usize,
    is_trailer: bool,
}

/// A head that HTTP/1.1 would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A `#` in a path.
    #[error("a path has a fragment")]
    Fragment,
    /// A pseudo-field behind the body.
    #[error("a trailer has a pseudo-field")]
    PseudoField,
    /// What is no head by RFC 7541.
    #[error("a head cannot be read")]
    Unreadable,
    /// More of a head than is kept of one.
    #[error("a head is too long")]
    TooLong,
}

impl Frames {
    /// `longest` is what a head may have, packed as it comes.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        let (table, is_trailer) = (Table::default(), false);
        let heads = Heads { table, payload: Vec::new(), block: Vec::new(), longest, is_trailer };
        Self { is_inside: true, left: PREFACE, head: [0; HEAD], filled: 0, last: 0, heads }
    }

    /// Passes over bytes, and adds how many streams they begin; the one that is refused is among
    /// them.
    ///
    /// # Errors
    /// When a head is malformed. Nothing may be passed over then.
    pub fn pass(&mut self, mut bytes: &[u8], begun: &mut u64) -> Result<(), Malformed> {
        loop {
            if self.is_inside {
                let (payload, rest) = bytes.split_at(self.left.min(bytes.len()));
                self.left -= payload.len();
                bytes = rest;
                if matches!(self.head[KIND], HEADERS | CONTINUATION) {
                    self.heads.take(self.head, payload, self.left == 0)?;
                }
                if self.left > 0 {
                    return Ok(());
                }
                self.is_inside = false;
            }
            let taken = (HEAD - self.filled).min(bytes.len());
            self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled < HEAD {
                return Ok(());
            }
            (self.filled, self.is_inside) = (0, true);
            let [a, b, c, kind, _, stream @ ..] = self.head;
            self.left = u32::from_be_bytes([0, a, b, c]) as usize;
            let stream = u32::from_be_bytes(stream) & STREAM;
            if kind == HEADERS {
                self.heads.is_trailer = stream <= self.last;
                *begun += u64::from(!self.heads.is_trailer);
                self.last = self.last.max(stream);
            }
        }
    }
}

impl Heads {
    /// Takes what came of a frame.
    fn take(&mut self, head: [u8; HEAD], payload: &[u8], is_end: bool) -> Result<(), Malformed> {
        // Nearly every frame comes in one piece.
        if is_end && self.payload.is_empty() {
            return self.frame(head, payload);
        }
        if self.payload.len() + payload.len() > self.longest {
            return Err(Malformed::TooLong);
        }
        self.payload.extend_from_slice(payload);
        if !is_end {
            return Ok(());
        }
        let payload = std::mem::take(&mut self.payload);
        self.frame(head, &payload)
    }

    fn frame(&mut self, head: [u8; HEAD], payload: &[u8]) -> Result<(), Malformed> {
        let [_, _, _, kind, flags, stream @ ..] = head;
        let mut part = payload;
        if kind == HEADERS {
            self.block.clear();
            let stream = u32::from_be_bytes(stream) & STREAM;
            part = unpadded(payload, flags, stream).ok_or(Malformed::Unreadable)?;
        }
        let is_end = flags & END_HEADERS != 0;
        if is_end && self.block.is_empty() {
            return self.look(part);
        }
        if self.block.len() + part.len() > self.longest {
            return Err(Malformed::TooLong);
        }
        self.block.extend_from_slice(part);
        if !is_end {
            return Ok(());
        }
        let block = std::mem::take(&mut self.block);
        self.look(&block)
    }

    fn look(&mut self, block: &[u8]) -> Result<(), Malformed> {
        let found = self.table.look(block).ok_or(Malformed::Unreadable)?;
        if found.fragment {
            return Err(Malformed::Fragment);
        }
        if self.is_trailer && found.pseudo { Err(Malformed::PseudoField) } else { Ok(()) }
    }
}

/// Returns what a frame of a stream has of a head (RFC 9113 6.2). None when the stream depends on
/// itself: h2 ends the stream for that (RFC 7540 5.3.1) and does not read the head, so its table
/// would be another one than ours from then on.
fn unpadded(mut payload: &[u8], flags: u8, stream: u32) -> Option<&[u8]> {
    let mut padding = 0;
    if flags & PADDED != 0 {
        let (first, rest) = payload.split_first()?;
        (padding, payload) = (usize::from(*first), rest);
    }
    if flags & PRIORITY != 0 {
        let (priority, rest) = payload.split_at_checked(PRIORITY_FIELDS)?;
        let dependency = u32::from_be_bytes(priority[..4].try_into().ok()?) & STREAM;
        if dependency == stream {
            return None;
        }
        payload = rest;
    }
    payload.get(..payload.len().checked_sub(padding)?)
}

/// The length of the client's preface (RFC 9113 3.4).
const PREFACE: usize = 24;
/// The length of the head of a frame.
const HEAD: usize = 9;
/// The bits of a stream's number; the one before them means nothing.
const STREAM: u32 = 0x7fff_ffff;
/// Where the kind of a frame stands in its head.
const KIND: usize = 3;
/// The type of a frame that opens a stream (RFC 9113 6.2).
const HEADERS: u8 = 1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// A stream and its weight.
const PRIORITY_FIELDS: usize = 5;
/// The type of a frame with more of a head (RFC 9113 6.10).
const CONTINUATION: u8 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 1000;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    /// Passes frames over in pieces of every size, and says what comes of it each time.
    fn passed(frames: &[Vec<u8>]) -> Result<u64, Malformed> {
        let (begun, passed) = counted(frames);
        passed.map(|()| begun)
    }

    fn counted(frames: &[Vec<u8>]) -> (u64, Result<(), Malformed>) {
        let mut bytes = vec![b'*'; PREFACE];
        bytes.extend(frames.concat());
        let pass = |size: usize| {
            let mut frames = Frames::new(LONGEST);
            let mut begun = 0;
            let passed = bytes.chunks(size).try_for_each(|piece| frames.pass(piece, &mut begun));
            (begun, passed)
        };
        let expected = pass(bytes.len());
        for size in 1..40 {
            assert_eq!(pass(size), expected, "{size}");
        }
        expected
    }

    #[test]
    fn streams_are_counted_when_they_begin_however_the_bytes_are_cut() {
        let head = |stream, payload: &[u8]| frame(HEADERS, END_HEADERS, stream, payload);
        let begun = passed(&[
            frame(4, 0, 0, b""),
            head(1, b"\x82\x84\x86"),
            frame(0, 0, 1, &[b'x'; 300]),
            // A trailer.
            head(1, b"\x10\x01a\x01b"),
            head(3 | 1 << 31, b""),
            frame(CONTINUATION, 0, 3, b""),
            head(9, b"\x82"),
        ]);
        assert_eq!(begun, Ok(3));
    }

    #[test]
    fn a_stream_that_is_refused_and_those_before_it_are_counted() {
        let head = |stream, payload: &[u8]| frame(HEADERS, END_HEADERS, stream, payload);
        let plain = head(1, b"\x82\x84\x86");
        let refused = [plain.clone(), head(3, b"\x82\x04\x02/#"), head(5, b"\x82")];
        assert_eq!(counted(&refused), (2, Err(Malformed::Fragment)));
        assert_eq!(counted(&[plain, head(1, b"\x84")]), (1, Err(Malformed::PseudoField)));
    }

    #[test]
    fn a_path_has_no_fragment() {
        let path = |flags, payload: &[u8]| passed(&[frame(HEADERS, flags, 1, payload)]);
        assert_eq!(path(END_HEADERS, b"\x82\x04\x02/#"), Err(Malformed::Fragment));
        assert_eq!(path(END_HEADERS, b"\x82\x04\x02/x"), Ok(1));
        // In a query it is one too; in a field it is a letter.
        assert_eq!(path(END_HEADERS, b"\x04\x04/?a#"), Err(Malformed::Fragment));
        assert_eq!(path(END_HEADERS, b"\x84\x10\x01a\x01#"), Ok(1));
        // Behind padding and a priority.
        let padded = b"\x02\0\0\0\0\x10\x82\x04\x02/#xx";
        assert_eq!(path(END_HEADERS | PADDED | PRIORITY, padded), Err(Malformed::Fragment));
        let padded = b"\x02\0\0\0\0\x10\x82\x04\x02/xxx";
        assert_eq!(path(END_HEADERS | PADDED | PRIORITY, padded), Ok(1));
        assert_eq!(path(END_HEADERS | PADDED, b"\x02x"), Err(Malformed::Unreadable));
        // Another stream, and the stream itself, with the bit that says that it is exclusive.
        assert_eq!(path(END_HEADERS | PRIORITY, b"\x80\0\0\x03\x10\x82"), Ok(1));
        for own in [b"\0\0\0\x01\x10\x82", b"\x80\0\0\x01\x10\x82"] {
            assert_eq!(path(END_HEADERS | PRIORITY, own), Err(Malformed::Unreadable));
        }
        // In two frames.
        let parts = |end: &[u8]| {
            passed(&[frame(HEADERS, 0, 1, b"\x82\x04"), frame(CONTINUATION, END_HEADERS, 1, end)])
        };
        assert_eq!(parts(b"\x02/#"), Err(Malformed::Fragment));
        assert_eq!(parts(b"\x02/x"), Ok(1));
    }

    #[test]
    fn a_trailer_has_no_pseudo_field() {
        let trailer = |payload: &[u8]| {
            passed(&[
                frame(HEADERS, END_HEADERS, 1, b"\x82\x84\x86"),
                frame(0, 0, 1, b"body"),
                frame(HEADERS, END_HEADERS, 1, payload),
            ])
        };
        assert_eq!(trailer(b"\x10\x01a\x01b"), Ok(1));
        for payload in [&b"\x84"[..], b"\x88", b"\x10\x01a\x01b\x82", b"\x10\x04:own\x01b"] {
            assert_eq!(trailer(payload), Err(Malformed::PseudoField), "{payload:?}");
        }
    }

    #[test]
    fn a_head_is_bounded_and_readable() {
        let long = frame(HEADERS, 0, 1, &[0; LONGEST]);
        let more = frame(CONTINUATION, END_HEADERS, 1, b"\x82");
        assert_eq!(passed(&[long, more]), Err(Malformed::TooLong));
        let unreadable = passed(&[frame(HEADERS, END_HEADERS, 1, b"\xbe")]);
        assert_eq!(unreadable, Err(Malformed::Unreadable));
        // To the very byte, in one frame and in two.
        let method = [0x82; LONGEST];
        assert_eq!(passed(&[frame(HEADERS, END_HEADERS, 1, &method)]), Ok(1));
        let long = frame(HEADERS, 0, 1, &method[1..]);
        let last = frame(CONTINUATION, END_HEADERS, 1, b"\x82");
        assert_eq!(passed(&[long, last]), Ok(1));
    }

    #[test]
    fn no_more_of_a_frame_is_kept_than_of_a_head() {
        let longer = frame(HEADERS, END_HEADERS, 1, &[0x82; LONGEST + 1]);
        let bytes = [vec![b'*'; PREFACE], longer].concat();
        let (mut frames, mut begun) = (Frames::new(LONGEST), 0);
        let refused = bytes.chunks(100).try_for_each(|piece| frames.pass(piece, &mut begun));
        assert_eq!(refused, Err(Malformed::TooLong));
        // A body is as long as it likes, and none of it is a head.
        let body = frame(0, 0, 1, &[b'x'; 2 * LONGEST]);
        assert_eq!(passed(&[frame(HEADERS, END_HEADERS, 1, b"\x82"), body]), Ok(1));
    }

    #[test]
    fn a_head_that_was_not_ended_is_no_part_of_the_next() {
        let begun = frame(HEADERS, 0, 1, b"\x82\x04");
        assert_eq!(passed(&[begun, frame(HEADERS, END_HEADERS, 3, b"\x82")]), Ok(2));
    }
}
