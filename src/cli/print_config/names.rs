//! Names under which a client would speak in place of a proxy or of the gateway.
//!
//! 1. A name means all its spellings: CGI, WSGI and PHP make one variable of `Remote-User`,
//!    `REMOTE_USER` and `remote.user`.
//! 2. One name of ours is a client's own: a page's script says `X-Brama-Background` with a request
//!    that is no sign of life.

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::sketch::Sketch;

/// Beginnings of names that are taken away, whatever follows.
pub(super) const FAMILIES: [&str; 9] = [
    "x-forwarded-",
    "x-original-",
    "x-rewrite-",
    "x-real-",
    "x-remote-",
    "x-auth-request-",
    "x-authenticated-",
    "x-envoy-",
    "remote-",
];

/// Single names that are taken away.
pub(super) const SINGLE: [&str; 5] =
    ["forwarded", "x-scheme", "x-request-id", "x-client-cert", "x-client-trace-id"];

/// Returns the names that an answer sets and that no family covers, without that by which clients
/// sign in at the gateway too.
pub(super) fn told_otherwise(sketch: &Sketch) -> impl Iterator<Item = &HeaderName> {
    let is_covered = |name: &str| {
        let mut families = FAMILIES.iter().copied().chain([OURS]);
        families.any(|family| name.starts_with(family)) || SINGLE.contains(&name)
    };
    let told = sketch.told.iter();
    told.filter(move |name| !is_covered(name.as_str()) && **name != AUTHORIZATION)
}

/// Returns expressions for all names that are taken away but ours: each matches a whole name, in
/// lower case and in all its spellings.
pub(super) fn patterns(sketch: &Sketch) -> impl Iterator<Item = String> {
    let spellings =
        |name: &str| name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "[^a-z0-9]");
    let families = FAMILIES.into_iter().map(move |family| format!("{}.*", spellings(family)));
    let told = told_otherwise(sketch).map(HeaderName::as_str);
    families.chain(SINGLE.into_iter().chain(told).map(spellings))
}

/// An expression for all names of ours but `x-brama-background`, for proxies whose expressions
/// cannot look ahead.
pub(super) const OURS_BUT_BACKGROUND: &str = "x[^a-z0-9]brama[^a-z0-9]([^b]|b[^a]|ba[^c]).*";

/// How our own names begin.
const OURS: &str = "x-brama-";
