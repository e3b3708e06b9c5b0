//! Heads of requests and answers: taken whole, or refused.
//!
//! Requests:
//! 1. Every line ends with CR LF. A bare LF or a bare CR is refused as soon as it is seen.
//! 2. One empty line before the request line is passed over (RFC 9112 2.2), a second one is not. So
//!    it is before an answer, where it does no harm.
//! 3. A method is 1 to 32 capital letters, `-` or `_`, and begins with a letter. The standard
//!    allows more; some servers would turn `get` into `GET`, which policy has not seen.
//! 4. A target is visible ASCII; what it means is for others to say.
//! 5. No line is folded, no white space stands before a colon, no value holds a control
//!    character except a tab.
//!
//! Answers are read as strictly, but for white space before a colon, which goes (RFC 9112 5.1): a
//! line feed that a portal copies from its input into a header would split its answer in two.
//!
//! Where a line is what is wrong, its number is said; what stands in it may be secret.

mod bounds;
mod fields;
pub mod names;
mod request;
mod response;
mod search;

pub use self::bounds::{Bounds, MOST_FIELDS};
pub(super) use self::fields::parse_trailer;
pub use self::request::{RequestHead, check_http2, is_method, is_token_byte};
pub use self::response::ResponseHead;
pub use self::search::Search;
