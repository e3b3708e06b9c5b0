//! What is removed from requests and answers that pass through, on every path.
//!
//! Requests:
//! 1. A header whose name folds to one of ours ([`crate::identity::headers`]): removed when it is
//!    spelled as ours, refused when it is an alias, refused when `Connection` names it.
//! 2. Headers that speak of one connection only (RFC 9110 7.6.1), and those that `Connection`
//!    names; this happens before anything of ours is set, so a client cannot name ours away.
//! 3. Everything that claims what an earlier proxy saw, because no proxy is believed by default, and
//!    names under which other gateways tell an identity ([`crate::identity::foreign_headers`]).
//! 4. Our cookies.
//!
//! Answers: see [`response`]. What authenticates a connection instead of a request passes in neither
//! direction: see [`connection_auth`].

pub mod connection_auth;
pub mod forwarded;
pub mod hop_by_hop;
pub mod method_override;
pub mod raw;
pub mod response;
pub mod scan;

pub use self::response::clean_response;
pub use self::scan::{
    HeaderScan, clean_request, is_told_identity, may_be_in_request_trailer, may_be_in_trailer,
    strip_for_upstream,
};
