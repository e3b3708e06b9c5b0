//! How long a body is (RFC 9112 section 6.3), with one way to say it.
//!
//! 1. Both `Content-Length` and `Transfer-Encoding`: refused. The RFC lets a server go on, and
//!    that is how requests are smuggled.
//! 2. `Content-Length` stands once, as digits and nothing else. `5, 5` and two equal ones are
//!    refused although the RFC would take them.
//! 3. `Transfer-Encoding` is `chunked` and nothing else, in HTTP/1.1 only.
//! 4. A request without either has no body. An answer without either ends with the connection.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
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
    /// No body.
    pub const NONE: Self = Self::Length(0);

    /// Tells how long the body of a request is.
    ///
    /// # Errors
    /// When it is not clear.
    pub fn of_request(headers: &HeaderMap, version: Version) -> Result<Self, Refusal> {
        match (length(headers)?, is_chunked(headers)?) {
            (Some(_), true) => Err(Refusal::Framing("both Content-Length and Transfer-Encoding")),
            (None, true) if version != Version::HTTP_11 => {
                Err(Refusal::Framing("Transfer-Encoding in HTTP/1.0"))
            }
            (None, true) => Ok(Self::Chunked),
            (Some(length), false) => Ok(Self::Length(length)),
            (None, false) => Ok(Self::NONE),
        }
    }

    /// Tells how long the body of an answer is.
    ///
    /// # Errors
    /// When it is not clear.
    pub fn of_answer(
        headers: &HeaderMap,
        version: Version,
        status: StatusCode,
        asked: &Method,
    ) -> Result<Self, Refusal> {
        let (length, is_chunked) = (length(headers)?, is_chunked(headers)?);
        if length.is_some() && is_chunked {
            return Err(Refusal::Framing("both Content-Length and Transfer-Encoding"));
        }
        if is_chunked && version != Version::HTTP_11 {
            return Err(Refusal::Framing("Transfer-Encoding in HTTP/1.0"));
        }
        if asked == Method::HEAD || !may_have_body(status) {
            return Ok(Self::NONE);
        }
        Ok(match (length, is_chunked) {
            (_, true) => Self::Chunked,
            (Some(length), false) => Self::Length(length),
            (None, false) => Self::UntilClose,
        })
    }
}

/// RFC 9110 6.4.1: these have no body, whatever their headers say.
#[must_use]
pub fn may_have_body(status: StatusCode) -> bool {
    !status.is_informational()
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Returns the one `Content-Length`.
///
/// # Errors
/// When there are two, or it is not a number.
pub fn length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Refusal::Framing("two Content-Length")),
        (Some(value), None) => {
            let digits = value.as_bytes();
            // 18 digits always fit.
            let fits = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
            let length = fits.then(|| {
                digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'))
            });
            length.map(Some).ok_or(Refusal::Framing("Content-Length is not a plain number"))
        }
    }
}

fn is_chunked(headers: &HeaderMap) -> Result<bool, Refusal> {
    let mut values = headers.get_all(TRANSFER_ENCODING).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(false),
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err(Refusal::Framing("Transfer-Encoding is not just chunked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn request(pairs: &[(&'static str, &'static str)]) -> Result<Framing, Refusal> {
        Framing::of_request(&headers(pairs), Version::HTTP_11)
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(header).collect()
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
    fn an_answer_without_a_body_has_none_whatever_it_says() {
        let long = headers(&[("content-length", "5")]);
        let of = |status, method: &Method| {
            Framing::of_answer(&long, Version::HTTP_11, status, method).unwrap()
        };
        assert_eq!(of(StatusCode::OK, &Method::GET), Framing::Length(5));
        assert_eq!(of(StatusCode::OK, &Method::HEAD), Framing::NONE);
        assert_eq!(of(StatusCode::NO_CONTENT, &Method::GET), Framing::NONE);
        assert_eq!(of(StatusCode::NOT_MODIFIED, &Method::GET), Framing::NONE);
        let nothing = HeaderMap::new();
        let until_close =
            Framing::of_answer(&nothing, Version::HTTP_11, StatusCode::OK, &Method::GET);
        assert_eq!(until_close, Ok(Framing::UntilClose));
    }
}
