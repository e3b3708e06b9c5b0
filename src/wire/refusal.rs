//! Why bytes are not taken for HTTP. Each reason has a stable code.

use crate::base::reason::Reason;
/// A request or an answer that is refused before it is asked what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The syntax is not that of RFC 9112, or of only one of its readings.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// The same, in a line of the head: the first is 1.
    #[error("malformed: {0}, in line {1}")]
    MalformedLine(&'static str, u32),
    /// It is not clear, or not believable, where the body ends.
    #[error("length of the body is not clear: {0}")]
    Framing(&'static str),
    /// It is another version of HTTP.
    #[error("version of HTTP is neither 1.1 nor 1.0")]
    Version,
    /// The target is too long.
    #[error("target of the request is longer than {0} bytes")]
    TargetTooLong(usize),
    /// The head is too long.
    #[error("head is longer than {0} bytes")]
    HeadTooLong(usize),
    /// The head has too many fields.
    #[error("head has more than {0} fields")]
    TooManyFields(usize),
    /// The client waits for something that we do not know (RFC 9110 10.1.1).
    #[error("Expect is not 100-continue")]
    Expectation,
    /// The head did not arrive in time.
    #[error("head did not arrive in time")]
    Slow,
}

impl Refusal {
    /// Returns the stable reason code, as it is for requests.
    #[must_use]
    pub fn code(self) -> Reason {
        match self {
            Self::Malformed(_) | Self::MalformedLine(..) => Reason::RequestMalformed,
            Self::Framing(_) => Reason::RequestFraming,
            Self::Version => Reason::RequestVersion,
            Self::TargetTooLong(_) => Reason::RequestTargetTooLong,
            Self::HeadTooLong(_) | Self::TooManyFields(_) => Reason::RequestHeaderTooLarge,
            Self::Expectation => Reason::RequestExpectation,
            Self::Slow => Reason::RequestTimeout,
        }
    }
}
