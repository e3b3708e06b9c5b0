//! Every certificate that is in use: ours, and those that are believed. What each is for, when it
//! ends, and which key of the configuration names it.
//!
//! 1. What the configuration names is noted when that is resolved, and anew at each reload. Pairs of
//!    listeners, those that are ordered among them, change by themselves and are asked each time.
//! 2. Of a file with more than [`FEW`] authorities none is listed: that is a bundle of the world, of
//!    which some have ended always.
//! 3. A key that stands alone has no date. The decryption key of a PEM file has that of its
//!    certificate, where the same file has it.
//! 4. No key is in the list, and no more of a certificate than everybody may see of it.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::base::clock::{Time, later};
use crate::base::encoding::{hex_lower, sha256};
use crate::server::certificates::{Certificates, Status};
use crate::xml::keys::Certificate;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// TLS for citizens, at `listen.https`.
    Citizens,
    /// TLS for a proxy that asks, at a `[[companion]]`.
    Companion,
    /// The authority of clients at a `[[companion]]`.
    CompanionCa,
    /// TLS for operators, at `operations.listen`.
    Operations,
    /// The authority of the certificates that operators show.
    OperationsCa,
    /// Signs our messages to the node.
    Signing,
    /// What the node encrypts assertions for.
    Decryption,
    /// What we show to the node in TLS.
    Client,
    /// What the node signs with, as pinned.
    Node,
    /// The authority of the node's servers.
    NodeCa,
    /// What an upstream is shown in TLS.
    UpstreamClient,
    /// The authority of an upstream.
    UpstreamCa,
    /// What Redis is shown in TLS.
    RedisClient,
    /// The authority of Redis.
    RedisCa,
    /// The authority of the server at which certificates are ordered.
    AcmeCa,
    /// The authority of the collector of traces.
    CollectorCa,
}

impl Use {
    /// Returns its name in metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Citizens => "citizens",
            Self::Companion => "companion",
            Self::CompanionCa => "companion_ca",
            Self::Operations => "operations",
            Self::OperationsCa => "operations_ca",
            Self::Signing => "signing",
            Self::Decryption => "decryption",
            Self::Client => "client",
            Self::Node => "node",
            Self::NodeCa => "node_ca",
            Self::UpstreamClient => "upstream_client",
            Self::UpstreamCa => "upstream_ca",
            Self::RedisClient => "redis_client",
            Self::RedisCa => "redis_ca",
            Self::AcmeCa => "acme_ca",
            Self::CollectorCa => "collector_ca",
        }
    }
}

/// A certificate that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// What it is for.
    pub used_for: Use,
    /// Its subject, or the names of its hosts when it has none.
    pub subject: String,
    /// The DNS names of a listener's certificate, in lower case; none for others.
    pub names: Vec<String>,
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub sha256: String,
    /// When it begins to be valid.
    pub not_before: Time,
    /// When it ends.
    pub not_after: Time,
    /// The key of the configuration that names it, such as `node.certificates[0]`.
    pub source: String,
    /// The file that it was read from.
    pub file: PathBuf,
    /// Whether that file holds something newer that cannot be used.
    pub is_outdated: bool,
}

impl Dated {
    /// Notes a certificate that a key names.
    #[must_use]
    pub fn new(used_for: Use, source: &str, file: PathBuf, certificate: &Certificate) -> Self {
        Self {
            used_for,
            subject: printable(certificate.subject()),
            names: Vec::new(),
            sha256: hex_lower(&sha256(certificate.der())),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            source: source.to_owned(),
            file,
            is_outdated: false,
        }
    }

    fn of_listener(used_for: Use, status: Status) -> Self {
        let subject =
            if status.subject.is_empty() { status.names.join(", ") } else { status.subject };
        Self {
            used_for,
            subject: printable(&subject),
            names: status.names,
            sha256: status.sha256,
            not_before: status.not_before,
            not_after: status.not_after,
            source: status.source,
            file: status.certificate,
            is_outdated: status.is_outdated,
        }
    }

    /// Tells whether it is good for something at a time.
    #[must_use]
    pub fn is_valid(&self, now: Time) -> bool {
        self.not_before <= now && now < self.not_after
    }

    /// Returns how many whole days it has left; 0 on its last day and after its end.
    #[must_use]
    pub fn days_left(&self, now: Time) -> u64 {
        let seconds = self.not_after.as_second().saturating_sub(now.as_second());
        u64::try_from(seconds).unwrap_or(0) / DAY
    }

    /// Tells whether another one is listed for the same, is valid and ends later: this one may end.
    #[must_use]
    pub fn is_followed(&self, all: &[Self], now: Time) -> bool {
        let name = |source: &str| source.split('[').next().unwrap_or(source).to_owned();
        let is_beside = |other: &&Self| {
            other.used_for == self.used_for
                && match self.used_for {
                    // The keys of a list follow each other; other lists are of another upstream.
                    Use::Node | Use::Decryption => name(&other.source) == name(&self.source),
                    Use::NodeCa
                    | Use::UpstreamCa
                    | Use::RedisCa
                    | Use::CompanionCa
                    | Use::OperationsCa
                    | Use::AcmeCa
                    | Use::CollectorCa => other.source == self.source,
                    // Of listeners each pair is for names of its own, and of ours each is the only
                    // one.
                    Use::Citizens
                    | Use::Companion
                    | Use::Operations
                    | Use::Signing
                    | Use::Client
                    | Use::UpstreamClient
                    | Use::RedisClient => false,
                }
        };
        let ends_later = |other: &Self| {
            other.not_after > later(self.not_after, MUCH_LATER) && other.is_valid(now)
        };
        all.iter().filter(is_beside).any(ends_later)
    }
}

/// Returns those that no other one has followed: what ends without harm is not among them.
pub fn mattering(all: &[Dated], now: Time) -> impl Iterator<Item = &Dated> {
    all.iter().filter(move |one| !one.is_followed(all, now))
}

/// The certificates of a listener, and what it is for.
pub type Served = (Use, Arc<Certificates>);

/// What is in use at the moment.
pub struct Inventory {
    named: ArcSwap<Vec<Dated>>,
    listeners: Vec<Served>,
}

impl Inventory {
    /// Begins with what the configuration names, and the pairs of listeners.
    #[must_use]
    pub fn new(named: Vec<Dated>, listeners: Vec<Served>) -> Self {
        Self { named: ArcSwap::from_pointee(named), listeners }
    }

    /// Returns what the configuration names.
    #[must_use]
    pub fn named(&self) -> Arc<Vec<Dated>> {
        self.named.load_full()
    }

    /// Takes in what another configuration names.
    pub fn replace(&self, named: Vec<Dated>) {
        self.named.store(Arc::new(named));
    }

    /// Returns all of them: those of listeners, and then in the order of the configuration. At most
    /// [`MOST`].
    #[must_use]
    pub fn all(&self) -> Vec<Dated> {
        let pairs = self.listeners.iter().flat_map(|(used_for, certificates)| {
            let status = certificates.status().into_iter();
            status.map(|status| Dated::of_listener(*used_for, status))
        });
        pairs.chain(self.named.load().iter().cloned()).take(MOST).collect()
    }

    /// Returns those that no other one has followed, in the same order.
    #[must_use]
    pub fn mattering(&self, now: Time) -> Vec<Dated> {
        mattering(&self.all(), now).cloned().collect()
    }

    /// Tells whether there is a listener with TLS for citizens.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.listeners.iter().any(|(used_for, _)| *used_for == Use::Citizens)
    }
}

/// Returns a name as one line of bounded length.
fn printable(name: &str) -> String {
    let clean = |c: char| if c.is_control() { '?' } else { c };
    name.chars().take(LONGEST_NAME).map(clean).collect()
}

/// The most authorities of a file that are listed; more are a whole system's.
pub const FEW: usize = 8;
/// The most certificates that are listed.
pub const MOST: usize = 1000;
/// The most characters of a subject that are told.
const LONGEST_NAME: usize = 200;
/// By how much another one must end later to take its place.
const MUCH_LATER: std::time::Duration = std::time::Duration::from_secs(DAY);
/// Seconds of a day.
pub const DAY: u64 = 24 * 3600;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A certificate that nobody has, valid between these times.
    pub(crate) fn dated(used_for: Use, source: &str, (begins, ends): (&str, &str)) -> Dated {
        Dated {
            used_for,
            subject: "CN=test".to_owned(),
            names: Vec::new(),
            sha256: format!("{begins}{ends}"),
            not_before: begins.parse().unwrap(),
            not_after: ends.parse().unwrap(),
            source: source.to_owned(),
            file: PathBuf::from("test.pem"),
            is_outdated: false,
        }
    }

    const OLD: (&str, &str) = ("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z");
    const NEW: (&str, &str) = ("2030-12-01T00:00:00Z", "2033-01-01T00:00:00Z");

    #[test]
    fn one_that_is_replaced_already_may_end_and_others_may_not() {
        let now = "2030-12-20T00:00:00Z".parse().unwrap();
        for (used_for, source, other_use, other_source, expected) in [
            (Use::Node, "node.certificates[0]", Use::Node, "node.certificates[1]", true),
            (Use::Node, "node.certificates[0]", Use::Client, "node.certificates[1]", false),
            (Use::Citizens, "listen", Use::Citizens, "listen", false),
            (Use::Signing, "service.a", Use::Signing, "service.a", false),
            (Use::UpstreamCa, "upstream[0].a", Use::UpstreamCa, "upstream[1].a", false),
            (Use::UpstreamCa, "upstream[0].a", Use::UpstreamCa, "upstream[0].a", true),
            (Use::NodeCa, "node.a", Use::NodeCa, "node.a", true),
            (Use::NodeCa, "node.a", Use::RedisCa, "node.a", false),
            (Use::RedisCa, "store.a", Use::RedisCa, "store.a", true),
            (Use::CompanionCa, "companion[0].a", Use::CompanionCa, "companion[0].a", true),
            (Use::CompanionCa, "companion[0].a", Use::CompanionCa, "companion[1].a", false),
            (Use::OperationsCa, "operations.a", Use::OperationsCa, "operations.a", true),
            (Use::OperationsCa, "operations.a", Use::CompanionCa, "operations.a", false),
            (Use::AcmeCa, "acme.a", Use::AcmeCa, "acme.a", true),
            (Use::CollectorCa, "traces.a", Use::CollectorCa, "traces.a", true),
            (Use::Operations, "operations", Use::Operations, "operations", false),
            (Use::UpstreamClient, "upstream[0].c", Use::UpstreamClient, "upstream[0].c", false),
        ] {
            let (one, other) = (dated(used_for, source, OLD), dated(other_use, other_source, NEW));
            let all = [one.clone(), other.clone()];
            assert_eq!(one.is_followed(&all, now), expected, "{source} {other_source}");
            assert!(!other.is_followed(&all, now));
            let mattering = mattering(&all, now).count();
            assert_eq!(mattering, if expected { 1 } else { 2 }, "{source} {other_source}");
            // One that is not valid yet takes no place.
            let before = "2030-11-20T00:00:00Z".parse().unwrap();
            assert!(!one.is_followed(&all, before));
        }
    }

    #[test]
    fn days_are_whole_and_a_name_is_one_line() {
        let one = dated(Use::Node, "node.certificates[0]", OLD);
        for (now, days, is_valid) in [
            ("2029-12-31T23:59:59Z", 365, false),
            ("2030-12-01T00:00:00Z", 31, true),
            ("2030-12-31T00:00:00Z", 1, true),
            ("2030-12-31T00:00:01Z", 0, true),
            ("2031-01-01T00:00:00Z", 0, false),
            ("2041-01-01T00:00:00Z", 0, false),
        ] {
            let now = now.parse().unwrap();
            assert_eq!((one.days_left(now), one.is_valid(now)), (days, is_valid), "{now}");
        }
        assert_eq!(printable("CN=a\nb\u{1b}[2J"), "CN=a?b?[2J");
        assert_eq!(printable(&"ż".repeat(1000)).chars().count(), LONGEST_NAME);
    }
}
