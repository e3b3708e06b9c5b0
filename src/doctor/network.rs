//! Names and addresses: what a name leads to, and who takes connections there.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Uri;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::check::Check;
use super::finding::Findings;
use crate::proxy::upstream::{Lookup, SystemLookup};

/// The most addresses of one name that are tried, half of them of either family where there are both.
const MOST: usize = 8;

/// A server to reach: what it is called here, and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    /// What the report calls it.
    pub(super) about: &'p str,
    /// Its name or address, without brackets.
    pub(super) host: &'p str,
    pub(super) port: u16,
}

impl<'p> Place<'p> {
    /// Says where an address of the web leads to.
    pub(super) fn of(url: &'p Uri, about: &'p str) -> Self {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_https = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        Self { about, host, port }
    }
}

/// Resolves a name as the gateway does, and says what it leads to.
pub(super) async fn resolve(
    check: Check,
    place: Place<'_>,
    time: Duration,
    findings: &mut Findings,
) -> Option<Vec<SocketAddr>> {
    let Place { about, host, port } = place;
    if let Ok(address) = host.parse::<IpAddr>() {
        findings.ok(check, about, "it is an address already");
        return Some(vec![SocketAddr::new(address, port)]);
    }
    let found = match timeout(time, SystemLookup.lookup(host, port)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let seen = format!("{host} cannot be resolved: {error}");
            findings.problem(check, about, seen, NAME);
            return None;
        }
        Err(_) => {
            let seen = format!("nobody answers for {host} within {time:?}");
            findings.problem(check, about, seen, NAMESERVER);
            return None;
        }
    };
    let (addresses, left) = some(found);
    if addresses.is_empty() {
        findings.problem(check, about, format!("{host} has no address"), NAME);
        return None;
    }
    let of = |family: fn(&SocketAddr) -> bool, name: &str| {
        let found: Vec<_> =
            addresses.iter().filter(|a| family(a)).map(|a| a.ip().to_string()).collect();
        if found.is_empty() { format!("no {name}") } else { format!("{name} {}", found.join(" ")) }
    };
    let seen = [of(SocketAddr::is_ipv4, "IPv4"), of(SocketAddr::is_ipv6, "IPv6")].join(", ");
    let left = if left == 0 { String::new() } else { format!("; {left} more are not tried") };
    findings.ok(check, about, format!("{host}: {seen}{left}"));
    Some(addresses)
}

/// Returns those that are tried, of both families where there are both, and how many are left.
fn some(mut found: Vec<SocketAddr>) -> (Vec<SocketAddr>, usize) {
    found.sort_unstable();
    found.dedup();
    let all = found.len();
    let (mut old, mut new): (Vec<_>, Vec<_>) = found.into_iter().partition(SocketAddr::is_ipv4);
    old.truncate(MOST - new.len().min(MOST / 2));
    new.truncate(MOST - old.len());
    old.append(&mut new);
    let left = all - old.len();
    (old, left)
}

/// Connects to an address that took connections a moment ago.
///
/// # Errors
/// Why there is no connection.
pub(super) async fn again(address: SocketAddr, time: Duration) -> Result<TcpStream, String> {
    match timeout(time, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {time:?}")),
    }
}

/// Connects to each of the addresses, and returns the first that takes connections.
pub(super) async fn connect(
    check: Check,
    about: &str,
    addresses: &[SocketAddr],
    time: Duration,
    findings: &mut Findings,
) -> Option<SocketAddr> {
    let tries = addresses
        .iter()
        .map(|address| async move { (*address, again(*address, time).await.map(drop)) });
    let tried = futures_util::future::join_all(tries).await;
    let first = tried.iter().find(|(_, result)| result.is_ok()).map(|(address, _)| *address);
    let failed: Vec<_> = tried
        .iter()
        .filter_map(|(address, result)| Some(format!("{address}: {}", result.as_ref().err()?)))
        .collect();
    match (first, failed.is_empty()) {
        (Some(_), true) => {
            let all: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            findings.ok(check, about, format!("{} takes connections", all.join(" ")));
        }
        (Some(address), false) => findings.warning(
            check,
            about,
            format!("{address} takes connections; {}", failed.join("; ")),
            "each connection may lose time there: give this machine a way to that address, or have \
             it taken out of DNS",
        ),
        (None, _) => findings.problem(
            check,
            about,
            failed.join("; "),
            "look whether something listens there, whether the port is right, and whether a \
             firewall is between",
        ),
    }
    first
}

const NAME: &str =
    "look at the name in the configuration, and at what DNS has for it (getent hosts NAME)";
const NAMESERVER: &str = "look at /etc/resolv.conf, and whether this machine reaches its name \
                          servers (port 53, UDP and TCP)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_addresses_some_of_either_family_are_tried() {
        for (old, new, expected) in [
            (1, 1, (1, 1, 0)),
            (8, 0, (8, 0, 0)),
            (8, 1, (7, 1, 1)),
            (20, 20, (4, 4, 32)),
            (2, 20, (2, 6, 14)),
            (0, 9, (0, 8, 1)),
        ] {
            let ipv4 = (0..old).map(|n| SocketAddr::from(([192, 0, 2, n], 443)));
            let ipv6 = (0..new).map(|n| SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, n], 443)));
            let (tried, left) = some(ipv4.chain(ipv6).collect());
            let tried_old = tried.iter().filter(|address| address.is_ipv4()).count();
            assert_eq!((tried_old, tried.len() - tried_old, left), expected, "{old} and {new}");
        }
    }
}
