//! The chunked coding (RFC 9112 section 7.1), piece by piece.
//!
//! 1. A size is 1 to 16 hexadecimal digits and CR LF. Extensions are ignored, since nobody here
//!    knows any (RFC 9112 7.1.1), and go no further: the body is framed anew. In requests they are
//!    as the grammar has them, because parsers differ in where another one ends, and bounded: at
//!    most `LONGEST_SIZE_LINE` bytes with the size, `MOST_EXTENSIONS` in a body. In answers
//!    they are only free of control characters: a bare CR is the end of a line to some.
//! 2. The data of a chunk is followed by CR LF and nothing else.
//! 3. A trailer is bounded as a head is. What would change how the message is understood is
//!    refused in it (RFC 9110 6.5.1).

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    COOKIE, EXPECT, HOST, HeaderName, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use super::head::{Bounds, is_token_byte, parse_trailer};
use super::refusal::Refusal;

/// Where in the coding we are.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    state: State,
    extensions: Extensions,
    /// How many bytes of extensions there were.
    ignored: usize,
}

/// How chunk extensions are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extensions {
    /// As the grammar has them, and few: for requests.
    Checked,
    /// Whatever they are: for answers of upstreams.
    PassedOver,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailer,
    End,
}

/// What came out of the coding.
#[derive(Debug)]
pub enum Piece {
    /// Data of a chunk.
    Data(Bytes),
    /// The trailer; after it comes the end.
    Trailer(HeaderMap),
    /// The body is over, and so is its trailer.
    End,
}

impl Decoder {
    /// Makes a decoder at the beginning of a body.
    #[must_use]
    pub fn new(extensions: Extensions) -> Self {
        Self { state: State::Size, extensions, ignored: 0 }
    }

    /// Tells whether the last chunk and the trailer have been read.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// Takes the next piece out of the buffer; `None` when more must come first.
    ///
    /// # Errors
    /// When the coding is not exactly right.
    pub fn take(
        &mut self,
        buffer: &mut BytesMut,
        bounds: &Bounds,
    ) -> Result<Option<Piece>, Refusal> {
        loop {
            match self.state {
                State::Size => match self.size(buffer)? {
                    None => return Ok(None),
                    Some(0) => self.state = State::Trailer,
                    Some(size) => self.state = State::Data(size),
                },
                State::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(None);
                    }
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    let left = left - here as u64;
                    self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                    return Ok(Some(Piece::Data(buffer.split_to(here).freeze())));
                }
                State::DataEnd => match buffer.get(..2) {
                    None if buffer.first().is_some_and(|&byte| byte != b'\r') => {
                        return Err(Refusal::Framing("data of a chunk goes on after its end"));
                    }
                    None => return Ok(None),
                    Some(b"\r\n") => {
                        buffer.advance(2);
                        self.state = State::Size;
                    }
                    Some(_) => {
                        return Err(Refusal::Framing("data of a chunk goes on after its end"));
                    }
                },
                State::Trailer => return self.trailer(buffer, bounds),
                State::End => return Ok(Some(Piece::End)),
            }
        }
    }

    fn size(&mut self, buffer: &mut BytesMut) -> Result<Option<u64>, Refusal> {
        let Some(end) = memchr::memchr(b'\n', buffer) else {
            let is_long = buffer.len() > LONGEST_SIZE_LINE;
            return if is_long { Err(BAD_SIZE) } else { Ok(None) };
        };
        let line = buffer[..end].strip_suffix(b"\r").ok_or(BAD_SIZE)?;
        let digits = match self.extensions {
            Extensions::Checked => {
                let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
                let (digits, extensions) = line.split_at(digits);
                self.ignored += extensions.len();
                if !are_extensions(extensions) || self.ignored > MOST_EXTENSIONS {
                    return Err(BAD_SIZE);
                }
                digits
            }
            Extensions::PassedOver => {
                if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
                    return Err(BAD_SIZE);
                }
                let size = line.split(|&byte| byte == b';').next().unwrap_or_default();
                size.trim_ascii_end()
            }
        };
        if digits.is_empty() || digits.len() > MOST_DIGITS || line.len() > LONGEST_SIZE_LINE {
            return Err(BAD_SIZE);
        }
        let mut size = 0_u64;
        for &digit in digits {
            let value = char::from(digit).to_digit(16).ok_or(BAD_SIZE)?;
            size = size << 4 | u64::from(value);
        }
        buffer.advance(end + 1);
        // No body is so long; a sum with it would overflow somewhere behind us.
        if size > MOST_DATA { Err(BAD_SIZE) } else { Ok(Some(size)) }
    }

    fn trailer(
        &mut self,
        buffer: &mut BytesMut,
        bounds: &Bounds,
    ) -> Result<Option<Piece>, Refusal> {
        if buffer.starts_with(b"\r\n") {
            buffer.advance(2);
            self.state = State::End;
            return Ok(Some(Piece::End));
        }
        // What comes behind the trailer is another message.
        let end = memchr::memmem::find(buffer, END);
        let lines = &buffer[..end.unwrap_or(buffer.len())];
        let bare = memchr::memchr_iter(b'\n', lines)
            .any(|at| at.checked_sub(1).is_none_or(|before| lines[before] != b'\r'));
        if bare {
            return Err(Refusal::Framing("trailer"));
        }
        let Some(at) = end else {
            // However it is cut: a part of its end may be here already.
            let is_long = buffer.len() >= bounds.bytes + END.len();
            return if is_long { Err(Refusal::HeadTooLong(bounds.bytes)) } else { Ok(None) };
        };
        if at > bounds.bytes {
            return Err(Refusal::HeadTooLong(bounds.bytes));
        }
        let trailer = parse_trailer(&buffer.split_to(at + END.len()).freeze(), bounds)?;
        if FORBIDDEN.iter().any(|name| trailer.contains_key(name)) {
            return Err(Refusal::Framing("trailer has a field that belongs into the head"));
        }
        self.state = State::End;
        Ok(Some(Piece::Trailer(trailer)))
    }
}

/// What a trailer ends with.
const END: &[u8] = b"\r\n\r\n";
/// RFC 9112 7.1.1: `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`.
fn are_extensions(mut text: &[u8]) -> bool {
    while !text.is_empty() {
        let Some(rest) = trim_start(text).strip_prefix(b";") else { return false };
        let Some(rest) = after_token(trim_start(rest)) else { return false };
        let value = trim_start(rest).strip_prefix(b"=").map(trim_start);
        text = match value {
            None => rest,
            Some([b'"', quoted @ ..]) => match after_quoted(quoted) {
                Some(rest) => rest,
                None => return false,
            },
            Some(value) => match after_token(value) {
                Some(rest) => rest,
                None => return false,
            },
        };
    }
    true
}

fn trim_start(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[spaces..]
}

/// Returns what stands behind a token.
fn after_token(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().take_while(|byte| is_token_byte(**byte)).count();
    (length > 0).then(|| &text[length..])
}

/// Returns what stands behind a quoted string, of which the first quote is gone (RFC 9110 5.6.4).
fn after_quoted(mut text: &[u8]) -> Option<&[u8]> {
    let may_be_quoted = |byte: u8| byte == b'\t' || !byte.is_ascii_control();
    loop {
        text = match text {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', byte, rest @ ..] if may_be_quoted(*byte) => rest,
            [b'\\', ..] => return None,
            [byte, rest @ ..] if may_be_quoted(*byte) => rest,
            _ => return None,
        };
    }
}

const MOST_DIGITS: usize = 16;
/// The longest line of a size, with its extensions.
const LONGEST_SIZE_LINE: usize = 256;
/// The most bytes of extensions in the body of a request: each chunk may have one byte of data.
const MOST_EXTENSIONS: usize = 16 << 10;
const MOST_DATA: u64 = 1 << 62;
const BAD_SIZE: Refusal = Refusal::Framing("size of a chunk");

/// RFC 9110 6.5.1: framing, routing, authentication, control, and how the content is read.
pub const FORBIDDEN: [HeaderName; 14] = [
    AUTHORIZATION,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    COOKIE,
    EXPECT,
    HOST,
    SET_COOKIE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The data, the names of the trailer, what is left.
    type Decoded = (Vec<u8>, Vec<String>, Vec<u8>);

    /// Decodes a text that comes in pieces of `step` bytes.
    fn decode(text: &str, step: usize) -> Result<Decoded, Refusal> {
        let mut decoder = Decoder::new(Extensions::Checked);
        let (mut buffer, mut data, mut trailer) = (BytesMut::new(), Vec::new(), Vec::new());
        for part in text.as_bytes().chunks(step) {
            buffer.extend_from_slice(part);
            while !decoder.is_over() {
                match decoder.take(&mut buffer, &Bounds::default())? {
                    None => break,
                    Some(Piece::Data(piece)) => data.extend_from_slice(&piece),
                    Some(Piece::Trailer(fields)) => {
                        trailer.extend(fields.keys().map(|name| name.as_str().to_owned()));
                    }
                    Some(Piece::End) => {}
                }
            }
        }
        if decoder.is_over() { Ok((data, trailer, buffer.to_vec())) } else { Err(BAD_SIZE) }
    }

    #[test]
    fn reads_chunks_however_they_are_cut() {
        let text = "5\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nnext";
        for step in 1..text.len() {
            let (data, trailer, left) = decode(text, step).unwrap();
            assert_eq!(data, b"hello0123456789", "{step}");
            assert_eq!(trailer, ["x-sum"]);
            assert!(b"next".starts_with(&left) || step > 4, "{step}");
        }
        assert_eq!(decode("0\r\n\r\n", 1).unwrap().0, b"");
        // What comes behind it is another message, from its first byte on.
        for end in ["0\r\n\r\n", "0\r\nA: b\r\n\r\n"] {
            assert_eq!(decode(&format!("{end}next"), 100).unwrap().2, b"next", "{end:?}");
        }
    }

    #[test]
    fn refuses_whatever_is_not_exactly_right() {
        for text in [
            "\r\nhello\r\n0\r\n\r\n",
            "\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello!\r\n0\r\n\r\n",
            "5\r\nhell\r\n0\r\n\r\n",
            "5;\r\nhello\r\n0\r\n\r\n",
            "5;a=\r\nhello\r\n0\r\n\r\n",
            "5;a b\r\nhello\r\n0\r\n\r\n",
            "5;a=\"b\r\nhello\r\n0\r\n\r\n",
            "5;a=\"b\\\r\nhello\r\n0\r\n\r\n",
            "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n",
            "5;a=b;\r\nhello\r\n0\r\n\r\n",
            "5;a \r\nhello\r\n0\r\n\r\n",
            "5;a=\"\u{1}\"\r\nhello\r\n0\r\n\r\n",
            "5;a=\"\\\u{1}\"\r\nhello\r\n0\r\n\r\n",
            ";a\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "g\r\nhello\r\n0\r\n\r\n",
            "00000000000000005\r\nhello\r\n0\r\n\r\n",
            "FFFFFFFFFFFFFFFF\r\n",
            "5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n",
            "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "5\r\nhello\r\n0\r\nHost: x\r\n\r\n",
            "5\r\nhello\r\n0\r\nA : b\r\n\r\n",
            "5\r\nhello\r\n0\r\nA: b\n\r\n\r\n",
            "5\r\nhello\r\n0\r\nA: b\nC: d\r\n\r\n",
            "5\r\nhello\r\n0\r\n\n",
        ] {
            for step in [1, 7, text.len()] {
                assert!(decode(text, step).is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn the_data_of_a_chunk_that_goes_on_is_refused_by_its_first_byte() {
        let mut decoder = Decoder::new(Extensions::Checked);
        let mut take = |more: &str| {
            let mut buffer = BytesMut::from(more);
            decoder.take(&mut buffer, &Bounds::default()).map(|piece| piece.is_some())
        };
        assert_eq!(take("2\r\nok"), Ok(true));
        assert_eq!(take("\r"), Ok(false));
        assert_eq!(take("!"), Err(Refusal::Framing("data of a chunk goes on after its end")));
    }

    #[test]
    fn extensions_of_a_request_are_ignored_and_bounded() {
        for extension in [
            ";a",
            ";a=b",
            " ; a = b\t;c",
            ";a=\"b;c\\\"d\u{e9}\\\\\";e",
            ";a=\"\"",
            ";a=\"b\tc\"",
            &format!(";{}", "a".repeat(250)),
        ] {
            let text = format!("5{extension}\r\nhello\r\n0{extension}\r\n\r\n");
            for step in [1, text.len()] {
                assert_eq!(decode(&text, step).unwrap().0, b"hello", "{extension}");
            }
        }
        assert!(decode(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(260)), 1).is_err());
        // So many bytes of them that each chunk brings more than it holds.
        let chunks = |count: usize| format!("{}0\r\n\r\n", "1;abc\r\nx\r\n".repeat(count));
        let most = MOST_EXTENSIONS / 4;
        assert_eq!(decode(&chunks(most), 4096).unwrap().0.len(), most);
        assert!(decode(&chunks(most + 1), 4096).is_err());
    }

    #[test]
    fn extensions_of_an_answer_are_passed_over() {
        let take = |size: &str| {
            let mut buffer = BytesMut::from(&*format!("{size}\r\nok\r\n0\r\n\r\n"));
            Decoder::new(Extensions::PassedOver).take(&mut buffer, &Bounds::default())
        };
        for size in ["2", "2 ", "2 ;a=b", "2\t;a=\"b\t\u{e9}\""] {
            let piece = take(size);
            assert!(matches!(piece, Ok(Some(Piece::Data(data))) if &data[..] == b"ok"), "{size:?}");
        }
        for size in ["2\r", "2\r;a", "2;a\rb", "2\u{c}", "2;a\0", "2;a\u{7f}", ";a", ""] {
            assert_eq!(take(size).unwrap_err(), BAD_SIZE, "{size:?}");
        }
    }

    #[test]
    fn a_trailer_is_bounded_however_it_comes() {
        let bounds = Bounds { bytes: 100, fields: 3, target: 0 };
        let take = |trailer: &str, step: usize| {
            let text = format!("0\r\n{trailer}");
            let (mut decoder, mut buffer) = (Decoder::new(Extensions::Checked), BytesMut::new());
            for part in text.as_bytes().chunks(step) {
                buffer.extend_from_slice(part);
                if let Some(Piece::Trailer(fields)) = decoder.take(&mut buffer, &bounds)? {
                    return Ok(Some(fields.len()));
                }
            }
            Ok(None)
        };
        let field = |bytes: usize| format!("A: {}", "x".repeat(bytes - 3));
        let too_long = || Err(Refusal::HeadTooLong(100));
        for step in [1, 7, 1000] {
            assert_eq!(take(&format!("{}\r\n\r\n", field(100)), step), Ok(Some(1)), "{step}");
            assert_eq!(take(&format!("{}\r\n\r\n", field(101)), step), too_long(), "{step}");
            // One that does not end is refused as soon as it can be no other.
            assert_eq!(take(&format!("{}\r\n\r", field(100)), step), Ok(None), "{step}");
            assert_eq!(take(&field(103), step), Ok(None), "{step}");
            assert_eq!(take(&field(104), step), too_long(), "{step}");
            assert_eq!(take(&format!("{}\r\n", "A: b\r\n".repeat(3)), step), Ok(Some(3)));
            let four = take(&format!("{}\r\n", "A: b\r\n".repeat(4)), step);
            assert_eq!(four, Err(Refusal::Framing("trailer")), "{step}");
        }
    }

    #[test]
    fn a_size_is_bounded_however_it_comes() {
        let take = |extensions, size: &str| {
            let mut buffer = BytesMut::from(size);
            Decoder::new(extensions).take(&mut buffer, &Bounds::default()).map(|_| ())
        };
        use Extensions::{Checked, PassedOver};
        let line = |bytes: usize| format!("2;{}", "a".repeat(bytes - 2));
        for (extensions, size, is_good) in [
            (Checked, "0000000000000005\r\nx".to_owned(), true),
            (Checked, "00000000000000005\r\nx".to_owned(), false),
            (Checked, "4000000000000000\r\nx".to_owned(), true),
            (Checked, "4000000000000001\r\nx".to_owned(), false),
            // Without an end.
            (Checked, format!("{}\r", "0".repeat(16)), true),
            (Checked, format!("{}\r\nx", line(256)), true),
            (Checked, format!("{}\r\nx", line(257)), false),
            (Checked, line(256), true),
            (Checked, line(257), false),
            (PassedOver, format!("{}\r\nx", line(256)), true),
            (PassedOver, format!("{}\r\nx", line(257)), false),
            (PassedOver, line(256), true),
            (PassedOver, line(257), false),
        ] {
            assert_eq!(take(extensions, &size).is_ok(), is_good, "{extensions:?} {size:?}");
        }
    }
}
