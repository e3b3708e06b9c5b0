//! Addresses in answers, as clients must see them: a portal writes them as it knows itself.
//!
//! 1. Paths lose and get the prefixes of the route, the other way round ([`Rewrite::back`]), in
//!    `Location`, `Content-Location`, `Refresh` and the `Path` of `Set-Cookie`. References that are
//!    relative to the page stay: a browser reads them by the public address.
//! 2. An address of the portal's own becomes the public one: the host that it was told or the public
//!    one, or that of a server, with the port of a server, of the scheme, or of the public address.
//!    It becomes that of the configuration, never one that a client wrote.
//! 3. Whatever leads elsewhere stays: the portal may lead to other hosts.
//! 4. Of routes without prefixes only redirects and what was created (201) are looked at, and only
//!    when they say an address. Everything else goes on line by line, as it came.
//!
//! What stands in the body of a page is not changed.
//!
//! [`Rewrite::back`]: crate::gate::rewrite::Rewrite::back

use std::borrow::Cow;

use http::header::{CONTENT_LOCATION, HeaderName, LOCATION, REFRESH, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::upstream::{ServerAddress, Settings};
use crate::gate::policy::Route;
use crate::gate::rewrite::Rewrite;
use crate::request::context::RequestContext;
use crate::wire::lines::Lines;

/// Tells whether there is something to map in an answer that would go on line by line otherwise.
pub(super) fn concerns(route: &Route, status: StatusCode, lines: &Lines) -> bool {
    may_concern(route, status)
        && lines.iter().any(|(name, _)| match name.len() {
            7 => name.eq_ignore_ascii_case(b"refresh"),
            8 => name.eq_ignore_ascii_case(b"location"),
            10 => !route.rewrite.is_none() && name.eq_ignore_ascii_case(b"set-cookie"),
            16 => name.eq_ignore_ascii_case(b"content-location"),
            _ => false,
        })
}

fn may_concern(route: &Route, status: StatusCode) -> bool {
    let leads_on = status.is_redirection() || status == StatusCode::CREATED;
    route.rewrite_responses && (leads_on || !route.rewrite.is_none())
}

/// Maps the addresses in an answer of an upstream that was told `host`.
pub(super) fn apply(
    fields: &mut HeaderMap,
    status: StatusCode,
    route: &Route,
    (settings, host): (&Settings, &HeaderValue),
    context: &RequestContext,
) {
    if !may_concern(route, status) {
        return;
    }
    let public = match &route.origin {
        Some(origin) => Cow::Borrowed(&**origin),
        None => {
            let scheme = if context.client.is_tls { "https" } else { "http" };
            Cow::Owned(format!("{scheme}://{}", context.host.name()))
        }
    };
    let told = host.to_str().unwrap_or_default();
    let map = Map { rewrite: &route.rewrite, settings, told, host: context.host.name(), public };
    for name in [&LOCATION, &CONTENT_LOCATION] {
        change(fields, name, |value| map.reference(value));
    }
    change(fields, &REFRESH, |value| map.refresh(value));
    if !route.rewrite.is_none() {
        change(fields, &SET_COOKIE, |value| map.cookie(value));
    }
}

/// Changes those values of a field that change.
fn change(fields: &mut HeaderMap, name: &HeaderName, mapped: impl Fn(&str) -> Option<String>) {
    let mut changed = Vec::new();
    let mut is_changed = false;
    for value in fields.get_all(name) {
        let other = value.to_str().ok().and_then(&mapped);
        let other = other.and_then(|other| HeaderValue::try_from(other).ok());
        is_changed |= other.is_some();
        changed.push(other.unwrap_or_else(|| value.clone()));
    }
    if is_changed {
        fields.remove(name);
        for value in changed {
            fields.append(name, value);
        }
    }
}

struct Map<'m> {
    rewrite: &'m Rewrite,
    settings: &'m Settings,
    /// The host that the upstream was told.
    told: &'m str,
    /// The host of the request.
    host: &'m str,
    /// Scheme, host and port as clients know them.
    public: Cow<'m, str>,
}

impl Map<'_> {
    /// Maps a reference (RFC 3986 4.1); `None` when it stays.
    fn reference(&self, reference: &str) -> Option<String> {
        let (origin, target) = match split(reference)? {
            (None, target) => (None, target),
            (Some((scheme, authority)), target) => {
                (Some(self.public_origin_of(scheme, authority)?), target)
            }
        };
        let end = target.find(['?', '#']).unwrap_or(target.len());
        let (path, rest) = target.split_at(end);
        let path = if path.is_empty() { "/" } else { path };
        let back = self.rewrite.back(path);
        match (origin, back) {
            (None, None) => None,
            (origin, back) => {
                let path = back.as_deref().unwrap_or(path);
                Some(format!("{}{path}{rest}", origin.unwrap_or_default()))
            }
        }
    }

    /// Returns the public origin in place of one of the portal's own. The scheme, where there is one,
    /// is http or https: [`split`] lets no other through.
    fn public_origin_of(&self, scheme: Option<&str>, authority: &str) -> Option<&str> {
        let (host, port) = parts(authority)?;
        let usual: &[u16] = match scheme {
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => &[443],
            Some(_) => &[80],
            // The scheme is that of the page.
            None => &[80, 443],
        };
        let is = |other: &str| host.eq_ignore_ascii_case(other);
        let servers = || self.settings.servers.iter().map(|server| &server.address);
        let is_server = servers().any(|server| {
            let own = server.authority();
            let Some((own, own_port)) = parts(&own) else { return false };
            let is_usual = own_port.is_some_and(|own| port.is_none() && usual.contains(&own));
            is(own) && (port == own_port || is_usual)
        });
        if is_server {
            return Some(&self.public);
        }
        if !is(self.host) && !parts(self.told).is_some_and(|(told, _)| is(told)) {
            return None;
        }
        // The usual port is another place, where the public one is not the usual one.
        let public_port = port_of(&self.public);
        let may_be_usual = public_port.is_none() || !is(self.host);
        let is_own = port.map_or(may_be_usual, |port| {
            public_port == Some(port)
                || may_be_usual && usual.contains(&port)
                || servers().any(|server| match server {
                    ServerAddress::Name { port: own, .. } => *own == port,
                    ServerAddress::Socket(address) => address.port() == port,
                    ServerAddress::Unix(_) => false,
                })
        });
        is_own.then_some(&*self.public)
    }

    /// Maps `5; url=/x`, as browsers read it (HTML 4.2.5.3).
    fn refresh(&self, value: &str) -> Option<String> {
        let at = value.find([';', ','])? + 1;
        let mut begin = at + white(&value[at..]);
        let key = &value[begin..];
        if key.get(..3).is_some_and(|key| key.eq_ignore_ascii_case("url")) {
            let equals = begin + 3 + white(&key[3..]);
            if value[equals..].starts_with('=') {
                begin = equals + 1 + white(&value[equals + 1..]);
            }
        }
        let quote = value[begin..].chars().next().filter(|first| matches!(first, '"' | '\''));
        begin += usize::from(quote.is_some());
        let end = quote.and_then(|quote| value[begin..].find(quote));
        let end = end.map_or(value.trim_ascii_end().len(), |end| begin + end);
        let reference = value.get(begin..end)?;
        Some(format!("{}{}{}", &value[..begin], self.reference(reference)?, &value[end..]))
    }

    /// Maps the `Path` of a cookie (RFC 6265bis 5.6).
    fn cookie(&self, value: &str) -> Option<String> {
        // A browser takes such a cookie for the whole host or not at all.
        if value.trim_ascii_start().get(..7).is_some_and(|n| n.eq_ignore_ascii_case("__Host-")) {
            return None;
        }
        let mut is_changed = false;
        let mapped: Vec<Cow<'_, str>> = value
            .split(';')
            .enumerate()
            .map(|(index, part)| {
                let path = part
                    .split_once('=')
                    .filter(|(key, _)| index > 0 && key.trim_ascii().eq_ignore_ascii_case("path"));
                let back =
                    path.and_then(|(_, path)| self.rewrite.cookie_path_back(path.trim_ascii()));
                match (path, back) {
                    (Some((key, _)), Some(back)) => {
                        is_changed = true;
                        Cow::Owned(format!("{key}={back}"))
                    }
                    _ => Cow::Borrowed(part),
                }
            })
            .collect();
        is_changed.then(|| mapped.join(";"))
    }
}

/// An authority before a target, with its scheme where it says one.
type Absolute<'r> = (Option<&'r str>, &'r str);

/// Parts a reference into what stands before its path, and the rest. `None` when it is relative to
/// the page, or of another kind than those of HTTP.
fn split(reference: &str) -> Option<(Option<Absolute<'_>>, &str)> {
    let authority = |text: &'_ str| text.find(['/', '?', '#', '\\']).unwrap_or(text.len());
    if let Some(rest) = reference.strip_prefix("//") {
        let (authority, target) = rest.split_at(authority(rest));
        return Some((Some((None, authority)), target));
    }
    if reference.starts_with('/') {
        return Some((None, reference));
    }
    let (scheme, rest) = reference.split_once("://")?;
    let is_scheme = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let (authority, target) = rest.split_at(authority(rest));
    is_scheme.then_some((Some((Some(scheme), authority)), target))
}

/// Parts an authority into host and port. One with a user before its host has an `@` in one of them,
/// and is nobody's whom we know.
fn parts(authority: &str) -> Option<(&str, Option<u16>)> {
    if authority.is_empty() {
        return None;
    }
    let end = authority.rfind(']').map_or(0, |end| end + 1);
    match authority[end..].find(':') {
        None => Some((authority, None)),
        Some(at) => {
            let (host, port) = authority.split_at(end + at);
            Some((host, Some(port[1..].parse().ok()?)))
        }
    }
}

fn port_of(origin: &str) -> Option<u16> {
    parts(origin.split_once("://")?.1)?.1
}

fn white(text: &str) -> usize {
    text.len() - text.trim_ascii_start().len()
}

#[cfg(test)]
mod tests;
