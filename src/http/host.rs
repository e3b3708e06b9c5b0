//! The host of a request: one, canonical, or the request is refused.

use http::header::HOST;
use http::request::Parts;

/// The request does not say clearly which host it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is not exactly one `Host` (RFC 9112 3.2).
    #[error("request has not exactly one Host")]
    NotOne,
    /// The host is not of a form that we take.
    #[error("Host is malformed")]
    Malformed,
    /// The target of the request names another host than `Host`.
    #[error("request names two different hosts")]
    Differs,
}

/// Returns the host in lower case, without port and without a dot at its end.
///
/// # Errors
/// When there is not exactly one, or it is malformed.
pub fn canonical(parts: &Parts) -> Result<String, Error> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Error::NotOne);
    };
    let host = host.to_str().map_err(|_| Error::Malformed)?;
    if let Some(authority) = parts.uri.authority()
        && !authority.as_str().eq_ignore_ascii_case(host)
    {
        return Err(Error::Differs);
    }
    name(host).ok_or(Error::Malformed)
}

/// Returns the port that a host of the form that [`name`] takes ends with.
#[must_use]
pub fn port(host: &str) -> Option<&str> {
    let (_, port) = host.rsplit_once(':')?;
    (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(port)
}

/// Returns the canonical name of a host with an optional port.
#[must_use]
pub fn name(host: &str) -> Option<String> {
    let (name, port) = match host.rsplit_once(':') {
        // The colons of an IPv6 address stand inside brackets.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = |port: &str| {
        // Without a sign and without leading zeros: one port has one spelling.
        port.bytes().all(|byte| byte.is_ascii_digit())
            && !port.starts_with('0')
            && port.parse::<u16>().is_ok()
    };
    if port.is_some_and(|port| !is_port(port)) {
        return None;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_ipv6 = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .is_some_and(|name| name.parse::<std::net::Ipv6Addr>().is_ok());
    let fits = !name.is_empty() && name.len() <= 253 && (name.bytes().all(is_name) || is_ipv6);
    fits.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_name() {
        for host in ["portal.example", "PORTAL.example", "portal.example.", "portal.example:443"] {
            assert_eq!(name(host).as_deref(), Some("portal.example"), "{host}");
        }
        assert_eq!(name("[::1]:8080").as_deref(), Some("[::1]"));
        for host in [
            "", ".", "a b", "a@b", "a/b", "a:b", "a:99999", "a:+80", "a:080", "a:", "[::1", "[x]",
            "a,b", ":80",
        ] {
            assert_eq!(name(host), None, "{host}");
        }
    }
}
