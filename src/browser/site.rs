//! Which addresses are one site (HTML, "schemefully same site").
//!
//! The list of public suffixes is not carried along: it would be a hundred times longer than what is
//! asked of it here. A registrable domain is the last two labels of a host, or the last three where
//! the second is one below which registries hand names out, as in Poland. What this tells apart and a
//! browser would not is treated as another site: fewer cookies go along, never more.

use std::net::IpAddr;

use url::{Host, Url};

/// Tells whether two addresses are of one site. Ports make no difference.
#[must_use]
pub fn is_same_site(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme() && site(one) == site(other)
}

/// Tells whether a browser trusts the way to a server (Secure Contexts 3.1): TLS, or this machine.
#[must_use]
pub fn is_trustworthy(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
            None => false,
        }
}

fn site(url: &Url) -> Option<&str> {
    let host = url.host_str()?;
    let Some(Host::Domain(_)) = url.host() else { return Some(host) };
    let labels: Vec<_> = host.rmatch_indices('.').map(|(at, _)| at).collect();
    let second = match labels.as_slice() {
        [last, second, ..] => &host[second + 1..*last],
        [last] => &host[..*last],
        [] => return Some(host),
    };
    let wanted = if HANDED_OUT.contains(&second) { 2 } else { 1 };
    Some(labels.get(wanted).map_or(host, |at| &host[at + 1..]))
}

/// Second labels below which registries hand out names.
const HANDED_OUT: [&str; 16] = [
    "ac", "biz", "co", "com", "edu", "gmina", "gov", "info", "mil", "miasta", "net", "ngo", "org",
    "powiat", "sos", "waw",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_below_one_registered_name_are_one_site_and_others_are_not() {
        for (one, other, expected) in [
            ("https://portal.gmina-x.pl", "https://podatki.gmina-x.pl", true),
            ("https://gmina-x.pl", "https://podatki.gmina-x.pl:8443", true),
            ("https://a.example.com.pl", "https://b.example.com.pl", true),
            ("http://localhost:1", "http://localhost:2", true),
            ("http://127.0.0.1:1", "http://127.0.0.1:2", true),
            ("https://gmina-x.pl", "http://gmina-x.pl", false),
            ("https://one.gov.pl", "https://login.gov.pl", false),
            ("https://one.com.pl", "https://two.com.pl", false),
            ("http://localhost", "http://127.0.0.1", false),
            ("http://127.0.0.1", "http://126.0.0.1", false),
        ] {
            let parse = |text: &str| Url::parse(text).unwrap();
            assert_eq!(is_same_site(&parse(one), &parse(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn only_tls_and_this_machine_are_trusted() {
        for (url, expected) in [
            ("https://portal.example", true),
            ("http://localhost:8080", true),
            ("http://a.localhost", true),
            ("http://127.0.0.9", true),
            ("http://[::1]:1", true),
            ("http://portal.example", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(is_trustworthy(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
