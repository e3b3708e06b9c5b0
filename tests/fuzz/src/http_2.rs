//! Frames and heads of HTTP/2, as they are looked at before hyper has them.
//!
//! A second reader of RFC 7541 (`loona-hpack`) finds the same fields, table and all; however the
//! bytes are cut, the same comes of them; and any bytes at all are read or refused.

use loona_hpack::Decoder;
use loona_hpack::decoder::{DecoderError, StringDecodingError};

use crate::product::{Frames, Malformed};
use crate::within;

/// What comes of frames: how many streams they begin, and what is refused.
type Passed = (u64, Result<(), Malformed>);

/// A frame as it is sent.
struct Frame<'d> {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &'d [u8],
}

/// Looks at one input: how it is cut, then frames. Each has a byte that says what it is, its
/// length, and its payload.
pub fn run(data: &[u8]) {
    let Some((&size, rest)) = data.split_first() else { return };
    let size = usize::from(size).max(1);
    // 1. Any bytes at all cost no more than they are.
    let _ = within(16 * 1024 + 128 * rest.len(), || pass(rest, size, LONGEST));
    // 2. A second reader finds the same in frames.
    let frames = read(rest);
    let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
    let whole = pass(&bytes, bytes.len().max(1), LONGEST);
    if let Some(expected) = expected(&frames) {
        assert_eq!(whole, expected);
    }
    // 3. The same comes of them in pieces, but for what is too long then.
    assert_eq!(pass(&bytes, size, LONGEST), whole);
    let short = pass(&bytes, size, SHORT);
    assert!(short.1 == Err(Malformed::TooLong) || short == whole, "{short:?}");
}

fn pass(bytes: &[u8], size: usize, longest: usize) -> Passed {
    let (mut frames, mut begun) = (Frames::new(longest), 0);
    let preface = frames.pass(PREFACE, &mut begun);
    let passed = preface
        .and_then(|()| bytes.chunks(size).try_for_each(|piece| frames.pass(piece, &mut begun)));
    (begun, passed)
}

/// Reads frames out of an input.
fn read(mut data: &[u8]) -> Vec<Frame<'_>> {
    let (mut frames, mut stream) = (Vec::new(), 0);
    while let [control, length, rest @ ..] = data {
        let (payload, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        let is_set = |bit: u8| control >> bit & 1 != 0;
        let kind = [HEADERS, CONTINUATION, 0, 4][usize::from(control & 3)];
        if kind == HEADERS && !is_set(2) {
            stream += 2;
        }
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(!is_set(3), END_HEADERS)
            | flag(is_set(4), PADDED)
            | flag(is_set(5), PRIORITY)
            | flag(is_set(6), END_STREAM);
        frames.push(Frame { kind, flags, stream, payload });
    }
    frames
}

impl Frame<'_> {
    fn bytes(&self) -> Vec<u8> {
        let length = (self.payload.len() as u32).to_be_bytes();
        let stream = self.stream.to_be_bytes();
        [&length[1..], &[self.kind, self.flags], &stream, self.payload].concat()
    }

    /// Returns what it has of a head.
    fn part(&self) -> Option<&[u8]> {
        let (mut begin, mut padding) = (0, 0);
        if self.kind == HEADERS && self.flags & PADDED != 0 {
            (begin, padding) = (1, usize::from(*self.payload.first()?));
        }
        if self.kind == HEADERS && self.flags & PRIORITY != 0 {
            // A stream that depends on itself: h2 does not read its head.
            let dependency = self.payload.get(begin..begin + 4)?.try_into().ok()?;
            if u32::from_be_bytes(dependency) & 0x7fff_ffff == self.stream {
                return None;
            }
            begin += 5;
        }
        self.payload.get(begin..self.payload.len().checked_sub(padding)?)
    }
}

/// Says what is to come of frames. `None` where a text is not in Huffman's code: h2 refuses it, and
/// we look at those texts alone whose letters or length matter.
fn expected(frames: &[Frame<'_>]) -> Option<Passed> {
    let (mut decoder, mut begun, mut last) = (Decoder::new(), 0, 0);
    decoder.set_max_allowed_table_size(4096);
    let (mut block, mut is_trailer) = (Vec::new(), false);
    for frame in frames.iter().filter(|it| matches!(it.kind, HEADERS | CONTINUATION)) {
        if frame.kind == HEADERS {
            is_trailer = frame.stream <= last;
            begun += u64::from(!is_trailer);
            last = last.max(frame.stream);
            block.clear();
        }
        let Some(part) = frame.part() else { return Some((begun, Err(Malformed::Unreadable))) };
        block.extend_from_slice(part);
        if frame.flags & END_HEADERS == 0 {
            continue;
        }
        let judged = judge(&mut decoder, &std::mem::take(&mut block), is_trailer)?;
        if judged.is_err() {
            return Some((begun, judged));
        }
    }
    Some((begun, Ok(())))
}

fn judge(
    decoder: &mut Decoder<'_>,
    block: &[u8],
    is_trailer: bool,
) -> Option<Result<(), Malformed>> {
    let (mut has_fragment, mut has_pseudo) = (false, false);
    let read = decoder.decode_with_cb(block, |name, value| {
        has_fragment |= *name == *b":path" && value.contains(&b'#');
        has_pseudo |= name.first() == Some(&b':');
    });
    Some(match read {
        // A new size at the end is wrong, and h2 says so; the table is the same.
        Ok(()) | Err(DecoderError::SizeUpdateAtEnd) if has_fragment => Err(Malformed::Fragment),
        Ok(()) | Err(DecoderError::SizeUpdateAtEnd) if is_trailer && has_pseudo => {
            Err(Malformed::PseudoField)
        }
        Ok(()) | Err(DecoderError::SizeUpdateAtEnd) => Ok(()),
        Err(DecoderError::StringDecodingError(StringDecodingError::HuffmanDecoderError(_))) => {
            return None;
        }
        Err(_) => Err(Malformed::Unreadable),
    })
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// More than an input has.
const LONGEST: usize = 64 * 1024;
/// Less than many have.
const SHORT: usize = 100;
