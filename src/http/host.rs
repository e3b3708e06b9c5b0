//! The host of a request: one, canonical, or the request is refused.
//!
//! 1. There is exactly one `Host` (RFC 9112 3.2). In HTTP/2 `:authority` stands in for it (RFC 9113
//!    8.3.1). Where both are there, or the target names a host too, they must be the same host and
//!    port.
//! 2. A name has letters, digits, `-` and `_` in labels of 1 to 63, at most 253 in all; lower case;
//!    one dot at its end is taken off. `_` is no letter of DNS names but is found in those of
//!    containers, and means the same to everybody.
//! 3. An international name is written in A-labels (`xn--`), which must decode and be what the
//!    decoded name encodes to. Raw letters outside ASCII are refused; a configuration may have them
//!    ([`from_configuration`]).
//! 4. An IPv4 address has four decimal numbers; a name that browsers would read as another way to
//!    write one (`127.1`, `0x7f.1`) is refused. An IPv6 address stands in brackets and is written
//!    in one way.
//! 5. A port has one spelling, without sign and leading zeros. The default port of the scheme is
//!    the same as none. An empty port is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::HOST;
use http::request::Parts;
use http::{HeaderValue, Version};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

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

/// A canonical host. Two that are the same place are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Name and port, as `Host` has them; shared with the request when it came so.
    authority: HeaderValue,
    /// How much of it is the name.
    name: usize,
    port: Option<u16>,
}

impl Host {
    /// Stands for the host of a request that was not looked at yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self { authority: HeaderValue::from_static(""), name: 0, port: None }
    }

    /// Reads a host with an optional port.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn parse(value: &HeaderValue, is_tls: bool) -> Result<Self, Error> {
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| Error::Malformed)?;
        let (name, port) = split(text).ok_or(Error::Malformed)?;
        let default = if is_tls { 443 } else { 80 };
        if port != Some(default) && is_plain(name) {
            return Ok(Self { authority: value.clone(), name: name.len(), port });
        }
        let name = canonical_name(name).ok_or(Error::Malformed)?;
        let (length, port) = (name.len(), port.filter(|&port| port != default));
        let authority = match port {
            Some(port) => written(format!("{name}:{port}"))?,
            None => written(name)?,
        };
        Ok(Self { authority, name: length, port })
    }

    /// Returns the name in lower case, without port and without a dot at its end.
    #[must_use]
    pub fn name(&self) -> &str {
        self.authority().get(..self.name).unwrap_or_default()
    }

    /// Returns the port, unless it is the default one of the scheme.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns name and port, as they stand in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        std::str::from_utf8(self.authority.as_bytes()).unwrap_or_default()
    }

    /// Returns the value of a `Host` header.
    #[must_use]
    pub fn value(&self) -> &HeaderValue {
        &self.authority
    }
}

/// Returns the host that a request is for.
///
/// # Errors
/// When there is not exactly one, or it is malformed.
pub fn canonical(parts: &Parts, is_tls: bool) -> Result<Host, Error> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(Host::parse(host, is_tls)?),
        (None, _) if parts.version == Version::HTTP_2 => None,
        _ => return Err(Error::NotOne),
    };
    let target = match parts.uri.authority() {
        // Most often both are the same text.
        Some(authority) if host.as_ref().is_some_and(|h| h.authority == authority.as_str()) => None,
        Some(authority) => {
            let value = written(authority.as_str().to_owned())?;
            Some(Host::parse(&value, is_tls)?)
        }
        None => None,
    };
    match (host, target) {
        (Some(host), Some(target)) if host != target => Err(Error::Differs),
        (Some(host), _) | (None, Some(host)) => Ok(host),
        (None, None) => Err(Error::NotOne),
    }
}

/// Returns the canonical name of a host with an optional port.
#[must_use]
pub fn name(host: &str) -> Option<String> {
    canonical_name(split(host)?.0)
}

/// Returns the canonical name of a host as people write it, which may have any letters: `żółw.pl`
/// is `xn--w-uga1v8h.pl`.
#[must_use]
pub fn from_configuration(host: &str) -> Option<String> {
    if host.is_ascii() {
        return canonical_name(host);
    }
    let ascii = idna::domain_to_ascii_strict(host).ok()?;
    canonical_name(&ascii)
}

fn written(text: String) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text).map_err(|_| Error::Malformed)
}

/// Parts name and port. The colons of an IPv6 address stand inside brackets.
fn split(host: &str) -> Option<(&str, Option<u16>)> {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => {
            let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
            Some((name, Some(is_port.then(|| port.parse().ok())??)))
        }
        _ => Some((host, None)),
    }
}

/// Tells whether a name is canonical as it stands, for the many that are, in one look.
fn is_plain(name: &str) -> bool {
    let (mut label, mut begins_with_digit, mut before) = (0, false, b'.');
    for byte in name.bytes() {
        match byte {
            // No label is empty, or begins or ends with "-".
            b'.' | b'-' if label == 0 => return false,
            b'.' if before == b'-' => return false,
            b'.' => label = 0,
            b'a'..=b'z' | b'_' | b'0'..=b'9' | b'-' => {
                if label == 0 {
                    begins_with_digit = byte.is_ascii_digit();
                }
                label += 1;
                // It may be the "--" of an international name.
                if label > 63 || (byte == b'-' && before == b'-') {
                    return false;
                }
            }
            _ => return false,
        }
        before = byte;
    }
    label > 0 && before != b'-' && !begins_with_digit && name.len() <= 253
}

fn canonical_name(name: &str) -> Option<String> {
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if !name.bytes().all(is_letter) || !are_labels(name) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    // WHATWG URL 3.5: a name whose last label is a number is an IPv4 address to browsers.
    let last = name.rsplit('.').next().unwrap_or("");
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_number && name.parse::<Ipv4Addr>().is_err() {
        return None;
    }
    if name.split('.').any(|label| label.starts_with("xn--")) {
        let ascii = Uts46::new().to_ascii(
            name.as_bytes(),
            AsciiDenyList::EMPTY,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        );
        if ascii.ok()? != name {
            return None;
        }
    }
    Some(name)
}

fn are_labels(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn one_host_has_one_name() {
        let long = format!("{}.{}.{}.example", "a".repeat(63), "b".repeat(63), "c".repeat(63));
        for (host, expected) in [
            ("portal.example", "portal.example"),
            ("PORTAL.example", "portal.example"),
            ("portal.example.", "portal.example"),
            ("portal.example:8443", "portal.example"),
            ("portal.example.:1", "portal.example"),
            ("portal.example:65535", "portal.example"),
            ("a-b.example", "a-b.example"),
            ("portal_api", "portal_api"),
            ("localhost", "localhost"),
            ("1.example", "1.example"),
            ("1a.2b", "1a.2b"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("[::1]:8080", "[::1]"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("[2001:DB8::A]", "[2001:db8::a]"),
            ("xn--w-uga1v8h.example", "xn--w-uga1v8h.example"),
            ("XN--W-UGA1V8H.example", "xn--w-uga1v8h.example"),
            (&long, &long),
        ] {
            assert_eq!(name(host).as_deref(), Some(expected), "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let (label, all) = ("a".repeat(64), "a.".repeat(127) + "a");
        for host in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a..",
            "a b",
            "a\tb",
            "a@b",
            "a/b",
            "a\\b",
            "a%2eb",
            "a?b",
            "a#b",
            "a,b",
            "a;b",
            "a:b",
            "a:99999",
            "a:+80",
            "a:080",
            "a:0",
            "a:",
            "a:80:80",
            ":80",
            "[::1",
            "::1",
            "[x]",
            "[::1]x",
            "[::1].",
            "[::1]:",
            "[fe80::1%25eth0]",
            "[127.0.0.1]",
            "127.1",
            "127.0.0.01",
            "127.0.0.256",
            "127.0.0.1.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "a.0x1",
            "-a.example",
            "a-.example",
            "żółw.example",
            "xn--.example",
            "xn--a.example",
            "xn--\u{17c}.example",
            "xn--portal-.example",
            "a.xn--0.example",
            &label,
            &all,
        ] {
            assert_eq!(name(host), None, "{host}");
        }
    }

    #[test]
    fn a_configuration_may_have_any_letters() {
        for (host, expected) in [
            ("żółw.example", Some("xn--w-uga1v8h.example")),
            ("ŻÓŁW.example", Some("xn--w-uga1v8h.example")),
            ("Portal.Example.", Some("portal.example")),
            ("portal_api", Some("portal_api")),
            ("[::1]", Some("[::1]")),
            ("żółw.example:80", None),
            ("portal.example:80", None),
            ("żół w.example", None),
        ] {
            assert_eq!(from_configuration(host).as_deref(), expected, "{host}");
        }
    }

    fn of(version: Version, target: &str, hosts: &[&str], is_tls: bool) -> Result<String, Error> {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        canonical(&parts, is_tls).map(|host| format!("{} {}", host.name(), host.authority()))
    }

    #[test]
    fn a_request_names_one_host() {
        use Error::{Differs, Malformed, NotOne};
        let (old, one, two) = (Version::HTTP_10, Version::HTTP_11, Version::HTTP_2);
        for (version, target, hosts, expected) in [
            (one, "/", vec!["a.example"], Ok("a.example a.example")),
            (one, "/", vec!["A.example:8443"], Ok("a.example a.example:8443")),
            (one, "/", vec!["a.example:8443"], Ok("a.example a.example:8443")),
            (one, "/", vec!["a.example:443"], Ok("a.example a.example")),
            (one, "/", vec!["a.example:80"], Ok("a.example a.example:80")),
            (one, "/", vec!["a.example.:443"], Ok("a.example a.example")),
            (one, "/", vec![], Err(NotOne)),
            (old, "/", vec![], Err(NotOne)),
            (one, "/", vec!["a.example", "a.example"], Err(NotOne)),
            (one, "/", vec![""], Err(Malformed)),
            (one, "https://a.example/", vec!["a.example"], Ok("a.example a.example")),
            (one, "https://A.example:443/", vec!["a.example"], Ok("a.example a.example")),
            (one, "https://a.example/", vec!["a.example:443"], Ok("a.example a.example")),
            (one, "https://a.example:80/", vec!["a.example"], Err(Differs)),
            (one, "https://b.example/", vec!["a.example"], Err(Differs)),
            (one, "https://a.example:1/", vec!["a.example:2"], Err(Differs)),
            (one, "https://a@a.example/", vec!["a.example"], Err(Malformed)),
            (one, "https://a.example/", vec![], Err(NotOne)),
            (two, "https://a.example/", vec![], Ok("a.example a.example")),
            (two, "https://A.example:443/", vec![], Ok("a.example a.example")),
            (two, "https://a.example/", vec!["A.example:443"], Ok("a.example a.example")),
            (two, "https://a.example/", vec!["b.example"], Err(Differs)),
            (two, "https://a.example/", vec!["a.example", "a.example"], Err(NotOne)),
            (two, "https://a@a.example/", vec![], Err(Malformed)),
            (two, "/", vec!["a.example"], Ok("a.example a.example")),
            (two, "/", vec![], Err(NotOne)),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(of(version, target, &hosts, true), expected, "{target} {hosts:?}");
        }
        assert_eq!(of(one, "/", &["a.example:80"], false), Ok("a.example a.example".to_owned()));
        assert_eq!(
            of(one, "/", &["a.example:443"], false),
            Ok("a.example a.example:443".to_owned())
        );
    }
}
