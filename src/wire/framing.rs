//! How long a body is (RFC 9112 section 6.3), with one way to say it.
//!
//! 1. Both `Content-Length` and `Transfer-Encoding`: refused. The RFC lets a server go on, and
//!    that is how requests are smuggled.
//! 2. `Content-Length` stands once, as digits and nothing else. `5, 5` and two equal ones are
//!    refused although the RFC would take them.
//! 3. `Transfer-Encoding` is `chunked` and nothing else, in HTTP/1.1 only.
//! 4. A request without either has no body. An answer without either ends with the connection.

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, StatusCode, Version};

use super::refusal::Refusal;

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; none is no body.
    Length(u64),
    /// Chunks, and a last one.
    Chunked,
    /// Until the connection ends. Answers only.
    UntilClose,
}

impl Framing {
    /// The framing of a message without a body.
    pub const NONE: Self = Self::Length(0);
}

/// What the fields of a head say of the length of its body.
#[derive(Debug, Default, Clone, Copy)]
pub struct Said {
    length: Option<u64>,
    is_chunked: bool,
}

impl Said {
    /// Notes one field, whichever it is; the name may be spelled in any case.
    ///
    /// # Errors
    /// When it is about the length and not plain.
    pub fn note(&mut self, name: &str, value: &[u8]) -> Result<(), Refusal> {
        if name.len() == 14 && name.eq_ignore_ascii_case("content-length") {
            let length = number(value)?;
            if self.length.replace(length).is_some() {
                return Err(Refusal::Framing("two Content-Length"));
            }
        } else if name.len() == 17 && name.eq_ignore_ascii_case("transfer-encoding") {
            let is_plain = value.eq_ignore_ascii_case(b"chunked");
            if !is_plain || std::mem::replace(&mut self.is_chunked, true) {
                return Err(Refusal::Framing("Transfer-Encoding is not just chunked"));
            }
        }
        Ok(())
    }

    /// Returns the length that was said.
    #[must_use]
    pub fn length(self) -> Option<u64> {
        self.length
    }

    /// Tells how long the body of a request is.
    ///
    /// # Errors
    /// When it is not clear.
    pub fn of_request(self, version: Version) -> Result<Framing, Refusal> {
        self.check(version)?;
        Ok(match (self.length, self.is_chunked) {
            (_, true) => Framing::Chunked,
            (Some(length), false) => Framing::Length(length),
            (None, false) => Framing::NONE,
        })
    }

    /// Tells how long the body of an answer is.
    ///
    /// # Errors
    /// When it is not clear.
    pub fn of_answer(
        self,
        version: Version,
        status: StatusCode,
        asked: &Method,
    ) -> Result<Framing, Refusal> {
        self.check(version)?;
        if !has_body(status, asked == Method::HEAD) {
            return Ok(Framing::NONE);
        }
        Ok(match (self.length, self.is_chunked) {
            (_, true) => Framing::Chunked,
            (Some(length), false) => Framing::Length(length),
            (None, false) => Framing::UntilClose,
        })
    }

    fn check(self, version: Version) -> Result<(), Refusal> {
        if self.is_chunked && self.length.is_some() {
            return Err(Refusal::Framing("both Content-Length and Transfer-Encoding"));
        }
        if self.is_chunked && version != Version::HTTP_11 {
            return Err(Refusal::Framing("Transfer-Encoding in HTTP/1.0"));
        }
        Ok(())
    }
}

/// Tells whether a response has a body, in whichever version of HTTP (RFC 9110 6.4.1): one to HEAD
/// has none, and some statuses never have one, whatever the headers say.
#[must_use]
pub fn has_body(status: StatusCode, is_head: bool) -> bool {
    !is_head && !status.is_informational() && !is_without_body(status)
}

/// Tells whether a response may say a length (RFC 9110 8.6): that of its body, or of the one that
/// GET would have now.
#[must_use]
pub fn may_say_length(status: StatusCode) -> bool {
    has_body(status, false) || status == StatusCode::NOT_MODIFIED
}

/// Returns the length that a response says where none was said, but the body is known to have
/// `exact`. A client of HEAD learns what GET would have, where that is anything.
#[must_use]
pub fn counted(status: StatusCode, exact: Option<u64>, is_head: bool) -> Option<u64> {
    exact.filter(|length| has_body(status, false) && (!is_head || *length > 0))
}

fn is_without_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Returns the one `Content-Length`, when it is one plain number.
#[must_use]
pub fn length(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => number(value.as_bytes()).ok(),
        _ => None,
    }
}

/// Reads the value of a `Content-Length`.
///
/// # Errors
/// When it is not one plain number.
pub fn number(digits: &[u8]) -> Result<u64, Refusal> {
    // 18 digits always fit.
    let fits = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if !fits {
        return Err(Refusal::Framing("Content-Length is not a plain number"));
    }
    Ok(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &'static str)]) -> Result<Framing, Refusal> {
        said(pairs)?.of_request(Version::HTTP_11)
    }

    fn said(pairs: &[(&'static str, &'static str)]) -> Result<Said, Refusal> {
        let mut said = Said::default();
        for (name, value) in pairs {
            said.note(name, value.as_bytes())?;
        }
        Ok(said)
    }

    #[test]
    fn a_length_is_said_in_one_way() {
        assert_eq!(request(&[]), Ok(Framing::NONE));
        assert_eq!(request(&[("content-length", "0")]), Ok(Framing::NONE));
        assert_eq!(request(&[("content-length", "0042")]), Ok(Framing::Length(42)));
        assert_eq!(request(&[("transfer-encoding", "Chunked")]), Ok(Framing::Chunked));
        for wrong in ["", "+5", "-5", "5 5", "5,5", "5, 5", "0x5", "5.0", "1000000000000000000"] {
            assert!(request(&[("content-length", wrong)]).is_err(), "{wrong}");
        }
        for wrong in ["", "identity", "gzip, chunked", "chunked, chunked", "chunked;a=b", "x"] {
            assert!(request(&[("transfer-encoding", wrong)]).is_err(), "{wrong}");
        }
        for pairs in [
            [("content-length", "5"), ("content-length", "5")],
            [("content-length", "5"), ("transfer-encoding", "chunked")],
            [("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        ] {
            assert!(request(&pairs).is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn what_has_a_body_and_what_says_a_length_goes_by_status_and_method() {
        for (status, with_get, with_head, says) in [
            (200, true, false, true),
            (404, true, false, true),
            (304, false, false, true),
            (204, false, false, false),
            (103, false, false, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(has_body(status, false), with_get, "{status}");
            assert_eq!(has_body(status, true), with_head, "{status}");
            assert_eq!(may_say_length(status), says, "{status}");
            assert_eq!(counted(status, Some(5), true), with_get.then_some(5), "{status}");
            assert_eq!(counted(status, Some(0), false), with_get.then_some(0), "{status}");
        }
        assert_eq!(counted(StatusCode::OK, Some(0), true), None);
    }

    #[test]
    fn an_answer_without_a_body_has_none_whatever_it_says() {
        let long = said(&[("content-length", "5")]).unwrap();
        let of =
            |status, method: &Method| long.of_answer(Version::HTTP_11, status, method).unwrap();
        assert_eq!(of(StatusCode::OK, &Method::GET), Framing::Length(5));
        assert_eq!(of(StatusCode::OK, &Method::HEAD), Framing::NONE);
        assert_eq!(of(StatusCode::NO_CONTENT, &Method::GET), Framing::NONE);
        assert_eq!(of(StatusCode::NOT_MODIFIED, &Method::GET), Framing::NONE);
        let until_close = Said::default().of_answer(Version::HTTP_11, StatusCode::OK, &Method::GET);
        assert_eq!(until_close, Ok(Framing::UntilClose));
        let chunked = said(&[("transfer-encoding", "chunked")]).unwrap();
        let of = |said: Said, version| said.of_answer(version, StatusCode::OK, &Method::GET);
        assert_eq!(of(chunked, Version::HTTP_11), Ok(Framing::Chunked));
        assert!(of(chunked, Version::HTTP_10).is_err());
        let both = said(&[("content-length", "5"), ("transfer-encoding", "chunked")]).unwrap();
        assert!(of(both, Version::HTTP_11).is_err());
    }

    #[test]
    fn fields_with_names_as_long_say_nothing_of_the_length() {
        let others = [("accept-charset", "x"), ("x-transfer-coding", "x")];
        assert_eq!(others.map(|(name, _)| name.len()), [14, 17]);
        assert_eq!(request(&others), Ok(Framing::NONE));
    }

    #[test]
    fn a_length_is_one_plain_number() {
        let length = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_LENGTH, http::HeaderValue::from_static(value));
            }
            length(&headers)
        };
        assert_eq!(length(&["7"]), Some(7));
        for other in [&[][..], &["7", "7"], &["+7"], &["7, 7"], &[""]] {
            assert_eq!(length(other), None, "{other:?}");
        }
    }
}
