//! Where a head ends: it is looked for as the bytes come, and then the head is parsed.

use std::sync::LazyLock;

use bytes::{Buf, BytesMut};
use memchr::memmem;

use super::bounds::Bounds;
use super::request::{self, RequestHead};
use super::response::{self, ResponseHead};
use crate::wire::refusal::Refusal;

/// Looks for the end of a head piece by piece, so that no byte is looked at twice.
#[derive(Debug, Default, Clone, Copy)]
pub struct Search {
    looked_at: usize,
    line_start: usize,
}

impl Search {
    /// Looks for the end of a request's head and takes it out of the buffer.
    ///
    /// # Errors
    /// As soon as it is clear that it will be refused.
    pub fn take_request(
        &mut self,
        buffer: &mut BytesMut,
        bounds: &Bounds,
    ) -> Result<Option<RequestHead>, Refusal> {
        let end = match self.find_end(buffer)? {
            Some(end) if end <= bounds.bytes => end,
            Some(_) => return Err(Refusal::HeadTooLong(bounds.bytes)),
            None => return request::still_within(buffer, bounds).map(|()| None),
        };
        *self = Self::default();
        let mut head = buffer.split_to(end).freeze();
        if head.starts_with(b"\r\n") {
            head.advance(2);
        }
        request::parse(&head, bounds).map(Some)
    }

    /// Looks for the end of an answer's head and takes it out of the buffer.
    ///
    /// # Errors
    /// When it is malformed or too long.
    pub fn take_answer(
        &mut self,
        buffer: &mut BytesMut,
        bounds: &Bounds,
    ) -> Result<Option<ResponseHead>, Refusal> {
        match self.find_end(buffer)? {
            Some(end) if end <= bounds.bytes => {
                *self = Self::default();
                response::parse(&buffer.split_to(end).freeze(), bounds).map(Some)
            }
            None if buffer.len() <= bounds.bytes => Ok(None),
            _ => Err(Refusal::HeadTooLong(bounds.bytes)),
        }
    }

    fn find_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        // Most heads come in one piece, without anything odd in it: two looks tell.
        if self.looked_at == 0
            && !bytes.starts_with(b"\r\n")
            && let Some(end) = END.find(bytes).map(|at| at + EMPTY.len())
            && has_whole_lines(&bytes[..end])
        {
            return Ok(Some(end));
        }
        for at in memchr::memchr_iter(b'\n', &bytes[self.looked_at..]) {
            let at = self.looked_at + at;
            if at == self.line_start || bytes[at - 1] != b'\r' {
                // An empty line before the head is not of it.
                let before =
                    if bytes.starts_with(b"\r\n") { &bytes[2..at.max(2)] } else { &bytes[..at] };
                let lines = memchr::memchr_iter(b'\n', before).count();
                let number = u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1);
                return Err(Refusal::MalformedLine("it ends without CR", number));
            }
            let is_empty = at - self.line_start == 1;
            let is_first = self.line_start == 0;
            self.line_start = at + 1;
            if is_empty && !is_first {
                return Ok(Some(at + 1));
            }
        }
        self.looked_at = bytes.len();
        Ok(None)
    }
}

/// Tells whether each line feed comes after a carriage return.
fn has_whole_lines(head: &[u8]) -> bool {
    let pairs = head.iter().zip(&head[1..]);
    // Without a branch, so that many are compared at once.
    pairs.fold(true, |whole, (&before, &byte)| whole & (byte != b'\n' || before == b'\r'))
        && head[0] != b'\n'
}

/// The end of the last line, and an empty one.
const EMPTY: &[u8] = b"\r\n\r\n";
static END: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(EMPTY));

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 60, fields: 10, target: 20 };

    /// A head of so many bytes that ends with `end`.
    fn head(first: &str, length: usize) -> String {
        let around = first.len() + "\r\nA: \r\n\r\n".len();
        format!("{first}\r\nA: {}\r\n\r\n", "x".repeat(length - around))
    }

    #[test]
    fn a_head_is_as_long_as_it_may_be_and_no_longer() {
        for (length, fits) in [(BOUNDS.bytes, true), (BOUNDS.bytes + 1, false)] {
            let too_long = |refused| refused == Some(Refusal::HeadTooLong(BOUNDS.bytes));
            let whole = head("GET / HTTP/1.1", length);
            let taken = Search::default().take_request(&mut BytesMut::from(&*whole), &BOUNDS);
            assert_eq!(taken.as_ref().is_ok_and(Option::is_some), fits);
            assert_eq!(too_long(taken.err()), !fits);
            let whole = head("HTTP/1.1 200 OK", length);
            let taken = Search::default().take_answer(&mut BytesMut::from(&*whole), &BOUNDS);
            assert_eq!(taken.as_ref().is_ok_and(Option::is_some), fits);
            assert_eq!(too_long(taken.err()), !fits);
            // The same of one that is not whole yet.
            for first in ["GET / HTTP/1.1", "HTTP/1.1 200 OK"] {
                let part = format!("{first}\r\nA: {}", "x".repeat(length - first.len() - 5));
                assert_eq!(part.len(), length);
                let mut buffer = BytesMut::from(&*part);
                let (taken, error) = if first.starts_with("GET") {
                    let taken = Search::default().take_request(&mut buffer, &BOUNDS);
                    (taken.as_ref().is_ok_and(Option::is_none), taken.err())
                } else {
                    let taken = Search::default().take_answer(&mut buffer, &BOUNDS);
                    (taken.as_ref().is_ok_and(Option::is_none), taken.err())
                };
                assert_eq!((taken, too_long(error)), (fits, !fits), "{first} {length}");
            }
        }
    }

    #[test]
    fn what_follows_a_head_that_came_in_pieces_is_looked_at_from_its_beginning() {
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
        let (mut requests, mut answers) = (Search::default(), Search::default());
        for _ in 0..3 {
            for part in [8, 20, request.len()] {
                let mut buffer = BytesMut::from(&request[..part]);
                let taken = requests.take_request(&mut buffer, &Bounds::default()).unwrap();
                assert_eq!(taken.is_some(), part == request.len());
            }
            for part in [8, 23, answer.len()] {
                let mut buffer = BytesMut::from(&answer[..part]);
                let taken = answers.take_answer(&mut buffer, &Bounds::default()).unwrap();
                assert_eq!(taken.is_some(), part == answer.len());
            }
        }
    }

    #[test]
    fn an_empty_line_before_a_request_is_none_of_its_lines() {
        for before in ["", "\r\n"] {
            let text = format!("{before}GET / HTTP/1.1\r\nA: b\r\nbad line\r\n\r\n");
            let mut buffer = BytesMut::from(&*text);
            let refused = Search::default().take_request(&mut buffer, &Bounds::default());
            assert!(matches!(refused, Err(Refusal::MalformedLine(_, 3))), "{refused:?}");
        }
    }
}
