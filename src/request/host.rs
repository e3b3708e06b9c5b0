//! The host of a request: one, canonical, or the request is refused.
//!
//! 1. There is exactly one `Host` (RFC 9112 3.2). In HTTP/2 `:authority` stands in for it (RFC 9113
//!    8.3.1). Where both are there, or the target names a host too, they must be the same host and
//!    port.
//! 2. A name has letters, digits, `-` and `_` in labels of 1 to 63, at most 253 in all; lower case;
//!    one dot at its end is taken off. `_` is no letter of DNS names but is found in those of
//!    containers, and means the same to every server.
//! 3. An international name is written in A-labels (`xn--`), which must decode and be what the
//!    decoded name encodes to. Raw letters outside ASCII are refused; a configuration may have them
//!    ([`from_configuration`]).
//! 4. An IPv4 address has four decimal numbers; a name that browsers would read as another way to
//!    write one (`127.1`, `0x7f.1`) is refused. An IPv6 address stands in brackets and is written
//!    in one way.
//! 5. A port has one spelling, without sign and leading zeros. The default port of the scheme is
//!    the same as none, and so is an empty one (`name:`, RFC 3986 3.2.3 and 6.2.3).
//!
//! Nearly all requests of a portal name the same few hosts in the same spelling, so each thread
//! remembers what it read last. A host is the same whether it was read or remembered.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderValue, Version};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::base::recent::Recent;

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

/// A canonical host. Two that are the same place are equal; copies share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(Option<Arc<Canonical>>);

#[derive(Debug, PartialEq, Eq)]
struct Canonical {
    /// Name and port, as `Host` has them.
    authority: String,
    /// How much of it is the name.
    name: usize,
    port: Option<u16>,
    /// The value of a `Host` header.
    value: HeaderValue,
}

thread_local! {
    /// What was read last, by its text and whether it was for TLS.
    static RECENT: Recent<(Box<[u8]>, bool), Host> = Recent::new(REMEMBERED);
}

/// Of a request that was not looked at yet.
static UNKNOWN: Canonical = Canonical {
    authority: String::new(),
    name: 0,
    port: None,
    value: HeaderValue::from_static(""),
};

impl Host {
    /// Stands for the host of a request that was not looked at yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self(None)
    }

    /// Reads a host with an optional port.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn parse(text: &[u8], is_tls: bool) -> Result<Self, Error> {
        RECENT.with(|recent| {
            let slot = slot(text, is_tls);
            let is_wanted = |key: &(Box<[u8]>, bool)| *key.0 == *text && key.1 == is_tls;
            if let Some(host) = recent.find(slot, is_wanted, |host| Some(host.clone())) {
                return Ok(host);
            }
            let host = Self(Some(Arc::new(Canonical::parse(text, is_tls)?)));
            recent.put(slot, (text.into(), is_tls), host.clone());
            Ok(host)
        })
    }

    /// Returns the name in lower case, without port and without a dot at its end.
    #[must_use]
    pub fn name(&self) -> &str {
        let known = self.known();
        &known.authority[..known.name]
    }

    /// Returns the port, unless it is the default one of the scheme.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.known().port
    }

    /// Returns name and port, as they stand in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.known().authority
    }

    /// Returns the value of a `Host` header.
    #[must_use]
    pub fn value(&self) -> &HeaderValue {
        &self.known().value
    }

    fn known(&self) -> &Canonical {
        self.0.as_deref().unwrap_or(&UNKNOWN)
    }
}

impl Canonical {
    fn parse(text: &[u8], is_tls: bool) -> Result<Self, Error> {
        let text = std::str::from_utf8(text).map_err(|_| Error::Malformed)?;
        let (name, port) = split(text).ok_or(Error::Malformed)?;
        let name = canonical_name(name).ok_or(Error::Malformed)?;
        let default = if is_tls { 443 } else { 80 };
        let port = port.filter(|&port| port != default);
        let (length, authority) = match port {
            Some(port) => (name.len(), format!("{name}:{port}")),
            None => (name.len(), name),
        };
        let value = HeaderValue::from_str(&authority).map_err(|_| Error::Malformed)?;
        Ok(Self { authority, name: length, port, value })
    }
}

/// Hosts differ where they begin or end; the slots of those that do not are the same, which costs
/// a look. The same text with and without TLS has two.
fn slot(text: &[u8], is_tls: bool) -> u64 {
    let begin = text.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
    let end = text.last_chunk().map_or(0, |last| u64::from_le_bytes(*last));
    let other = text.len() as u64 ^ u64::from(is_tls) << 16;
    (begin ^ end.rotate_left(32) ^ other).wrapping_mul(MIX) >> 32
}

/// Spreads what is alike (the golden ratio as a fraction of 2^64).
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
/// How many hosts a thread remembers.
const REMEMBERED: usize = 64;

/// Returns the host that a request is for.
///
/// # Errors
/// When there is not exactly one, or it is malformed.
pub fn canonical(parts: &Parts, is_tls: bool) -> Result<Host, Error> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(Host::parse(host.as_bytes(), is_tls)?),
        (None, _) if parts.version == Version::HTTP_2 => None,
        _ => return Err(Error::NotOne),
    };
    let target = match parts.uri.authority() {
        Some(authority) => Some(Host::parse(authority.as_str().as_bytes(), is_tls)?),
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

/// Parts name and port. The colons of an IPv6 address stand inside brackets.
fn split(host: &str) -> Option<(&str, Option<u16>)> {
    match host.rsplit_once(':') {
        Some((name, "")) => Some((name, None)),
        Some((name, port)) if !port.ends_with(']') => {
            let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
            Some((name, Some(is_port.then(|| port.parse().ok())??)))
        }
        _ => Some((host, None)),
    }
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
        let longest = "a.".repeat(126) + "a";
        for (host, expected) in [
            ("portal.example", "portal.example"),
            ("PORTAL.example", "portal.example"),
            ("portal.example.", "portal.example"),
            ("portal.example:8443", "portal.example"),
            ("portal.example.:1", "portal.example"),
            ("portal.example:", "portal.example"),
            ("[::1]:", "[::1]"),
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
            (&longest, &longest),
        ] {
            assert_eq!(name(host).as_deref(), Some(expected), "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let (label, all) = ("a".repeat(64), "a.".repeat(126) + "aa");
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
            ":",
            "a::",
            "a:80:",
            "a:80:80",
            ":80",
            "[::1",
            "::1",
            "[x]",
            "[::1]x",
            "[::1].",
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

    #[test]
    fn a_host_is_the_same_whether_it_was_read_or_remembered() {
        for (text, is_tls, expected) in [
            ("a.example:443", true, "a.example"),
            ("a.example:443", false, "a.example:443"),
            ("A.example:443", true, "a.example"),
            ("a.example:444", true, "a.example:444"),
            ("a.example", true, "a.example"),
        ] {
            for _ in 0..2 {
                let host = Host::parse(text.as_bytes(), is_tls).unwrap();
                assert_eq!(host.authority(), expected, "{text} {is_tls}");
                assert_eq!(host.value(), expected);
                assert_eq!(host.name(), "a.example");
            }
        }
        for _ in 0..2 {
            assert_eq!(Host::parse(b"a..example", true), Err(Error::Malformed));
        }
    }

    #[test]
    fn more_hosts_than_are_remembered_are_still_told_apart() {
        for round in 0..2 {
            for number in 0..4 * REMEMBERED {
                let text = format!("same-beginning-{number}.example");
                let host = Host::parse(text.as_bytes(), true).unwrap();
                assert_eq!(host.name(), text, "round {round}");
            }
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
            (one, "/", vec!["a.example:"], Ok("a.example a.example")),
            (one, "https://a.example/", vec!["a.example:"], Ok("a.example a.example")),
            (one, "https://a.example:1/", vec!["a.example:"], Err(Differs)),
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
