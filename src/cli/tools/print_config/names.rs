//! Names under which a client would speak in place of a proxy or of the gateway.
//!
//! 1. A name means all its spellings: CGI, WSGI and PHP make one variable of `Remote-User`,
//!    `REMOTE_USER` and `remote.user`.
//! 2. One name of ours is a client's own: a page's script says `X-Brama-Background` with a request
//!    that is no sign of life.

use http::HeaderName;
use http::header::AUTHORIZATION;

use crate::app::Settings;
use crate::identity::forms::headers::Preset;
use crate::identity::headers::{ASSERTION, ENCRYPTED_ASSERTION};

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
pub(super) const SINGLE: [&str; 7] = [
    "forwarded",
    "x-scheme",
    "x-request-id",
    "x-client-cert",
    "x-client-trace-id",
    "x-sendfile-type",
    "x-accel-mapping",
];

/// Returns the names that an answer sets and that no family covers, without that by which clients
/// sign in at the gateway too.
pub(super) fn told_otherwise(told: &[HeaderName]) -> impl Iterator<Item = &HeaderName> {
    let is_covered = |name: &str| {
        let mut families = FAMILIES.iter().copied().chain([OURS]);
        families.any(|family| name.starts_with(family)) || SINGLE.contains(&name)
    };
    told.iter().filter(move |name| !is_covered(name.as_str()) && **name != AUTHORIZATION)
}

/// Returns expressions for all names that are taken away but ours: each matches a whole name, in
/// lower case and in all its spellings.
pub(super) fn patterns(told: &[HeaderName]) -> impl Iterator<Item = String> {
    let spellings =
        |name: &str| name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "[^a-z0-9]");
    let families = FAMILIES.into_iter().map(move |family| format!("{}.*", spellings(family)));
    let told = told_otherwise(told).map(HeaderName::as_str);
    families.chain(SINGLE.into_iter().chain(told).map(spellings))
}

/// An expression for all names of ours but `x-brama-background`, for proxies whose expressions
/// cannot look ahead.
pub(super) const OURS_BUT_BACKGROUND: &str = "x[^a-z0-9]brama[^a-z0-9]([^b]|b[^a]|ba[^c]).*";

/// How our own names begin.
const OURS: &str = "x-brama-";

/// Names under which clients could tell an identity to a portal that believes them, beside ours.
const FOREIGN: [&str; 13] = [
    "remote-user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "x-remote-user",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-groups",
];

/// Names under which a client could name another request than it makes. A proxy that sets one of
/// them for the question, or for the portal, does so after it was taken away.
pub(super) const OTHER_REQUEST: [&str; 12] = [
    "Forwarded",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Scheme",
    "X-Forwarded-Prefix",
    "X-Original-URI",
    "X-Original-URL",
    "X-Original-Host",
    "X-Original-Method",
    "X-Rewrite-URL",
    "X-Scheme",
    "X-Request-Id",
];

/// More of them, where the proxy writes none of its own.
pub(super) const OTHER_WAY: [&str; 3] = ["X-Forwarded-Port", "X-Forwarded-Server", "X-Real-IP"];

/// Names under which a client could say which file of the proxy an answer of Rack stands for.
const OTHER_FILE: [&str; 2] = ["x-sendfile-type", "x-accel-mapping"];

/// Returns names under which a client could tell an identity, or have the portal lead elsewhere; none
/// of those that are told.
pub(super) fn cleared(settings: &Settings, told: &[HeaderName]) -> Vec<String> {
    let ours = Preset::Brama.fields().iter().map(|(name, _)| HeaderName::from_static(name));
    let ours = [ASSERTION, ENCRYPTED_ASSERTION].into_iter().chain(ours);
    let foreign = FOREIGN.into_iter().chain(OTHER_FILE).map(HeaderName::from_static);
    let forms = settings.routes.iter().flat_map(|route| &route.release.forms);
    let mut names: Vec<String> = Vec::new();
    for name in ours.chain(forms.flat_map(|form| form.taken())).chain(foreign) {
        let shown = shown(&name);
        if !told.contains(&name) && !names.contains(&shown) {
            names.push(shown);
        }
    }
    names
}

/// A name as people write it.
pub(super) fn shown(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}
