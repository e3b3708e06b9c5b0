//! Requests of `brama doctor`, as they arrived here: whether a proxy in front says of its clients
//! what it should can be seen on this side of it alone.
//!
//! 1. A probe is announced at the operations listener first, which makes up its name. Without one
//!    that is announced, a request costs one look at a number.
//! 2. A request that brings the name of a probe ([`PROBE`]) is noted once: how it came, and not what
//!    became of it. It is treated as every other.
//! 3. What is noted is bounded, and gone after [`LIFE`], or when it was told.
//!
//! Whoever may ask the operations listener learns of requests of their own by it, and of no others:
//! nobody else knows the name.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{COOKIE, FORWARDED, VIA};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};

use crate::base::clock::{SharedClock, Time, later};
use crate::base::foreign::Foreign;
use crate::base::network::Network;
use crate::base::random;
pub use crate::identity::headers::PROBE;
use crate::identity::headers::{ASSERTION, ToldNames};
use crate::request::headers::is_told_identity;

/// How long a probe may take.
pub const LIFE: Duration = Duration::from_secs(60);

/// How many probes there may be at once.
pub const MOST: usize = 16;

/// How many of them one network may have announced: nobody takes all of them from the others.
pub const MOST_OF_ONE: usize = 4;

/// The fields by which proxies tell of their clients.
const TOLD: [HeaderName; 7] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// How many values are noted of each kind.
const MOST_VALUES: usize = 16;

/// How a request arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The other end of the connection.
    pub peer: String,
    /// Whether that is a proxy whose word is taken (`listen.trusted_proxies`).
    pub is_trusted: bool,
    /// The client, as far as we believe.
    pub client: String,
    /// Whether the client speaks TLS, as far as we believe.
    pub is_tls: bool,
    /// The host that the request is for, with its port.
    pub host: String,
    /// Path and query as they came.
    pub target: String,
    /// What proxies in front say of the client, by the names of fields.
    pub told: Vec<(String, String)>,
    /// The names of fields that tell an identity, which were taken away.
    pub identities: Vec<String>,
    /// The names of cookies.
    pub cookies: Vec<String>,
}

/// What came of looking for a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It was never announced, or is over.
    Unknown,
    /// No request has brought it yet.
    Awaited,
    /// A request came with it.
    Arrived(Box<Arrival>),
}

/// The probes that are announced.
pub struct Probes {
    clock: SharedClock,
    /// The public address of the gateway that this is.
    origin: String,
    /// How many there are, for requests that bring none.
    count: AtomicUsize,
    announced: Mutex<Vec<Probe>>,
}

#[derive(Debug)]
struct Probe {
    name: String,
    from: Network,
    ends: Time,
    arrival: Option<Box<Arrival>>,
}

impl Probes {
    /// None is announced yet. The public address tells this gateway from others.
    #[must_use]
    pub fn new(clock: SharedClock, origin: String) -> Self {
        Self { clock, origin, count: AtomicUsize::new(0), announced: Mutex::default() }
    }

    /// Returns the public address of the gateway that they are probes of.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Announces a probe for a client, and returns its name; none when there are too many.
    #[must_use]
    pub fn announce(&self, from: IpAddr) -> Option<String> {
        let (now, mut announced) = (self.clock.now(), self.lock());
        let from = Network::of(from, 32, 64);
        announced.retain(|probe| now < probe.ends);
        let of_one = announced.iter().filter(|probe| probe.from == from).count();
        let name = (announced.len() < MOST && of_one < MOST_OF_ONE).then(random::handle);
        if let Some(name) = &name {
            let probe = Probe { name: name.clone(), from, ends: later(now, LIFE), arrival: None };
            announced.push(probe);
        }
        self.count.store(announced.len(), Ordering::Relaxed);
        name
    }

    /// Tells how a probe arrived, which is forgotten then.
    #[must_use]
    pub fn take(&self, name: &str) -> Found {
        let (now, mut announced) = (self.clock.now(), self.lock());
        announced.retain(|probe| now < probe.ends);
        let found = match announced.iter().position(|probe| probe.name == name) {
            None => Found::Unknown,
            Some(place) if announced[place].arrival.is_none() => Found::Awaited,
            Some(place) => match announced.swap_remove(place).arrival {
                Some(arrival) => Found::Arrived(arrival),
                None => Found::Awaited,
            },
        };
        self.count.store(announced.len(), Ordering::Relaxed);
        found
    }

    /// Forgets a probe that is not awaited any more.
    pub fn forget(&self, name: &str) {
        let mut announced = self.lock();
        announced.retain(|probe| probe.name != name);
        self.count.store(announced.len(), Ordering::Relaxed);
    }

    /// Begins to note a request, when it brings a probe that is announced: its head, as it came.
    #[must_use]
    pub fn begin(&self, parts: &Parts, told: &ToldNames) -> Option<(String, Arrival)> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let name = parts.headers.get(PROBE)?.to_str().ok()?;
        let is_awaited = |probe: &Probe| probe.name == name && probe.arrival.is_none();
        self.lock().iter().any(is_awaited).then(|| (name.to_owned(), arrival(parts, told)))
    }

    /// Notes how it arrived.
    pub fn arrived(&self, name: &str, arrival: Arrival) {
        if let Some(probe) = self.lock().iter_mut().find(|probe| probe.name == name) {
            probe.arrival = Some(Box::new(arrival));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Probe>> {
        // Nothing that is done under the lock leaves it half done.
        self.announced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the head says by itself. Who sent it, and what is believed, is for the caller to add.
fn arrival(parts: &Parts, told: &ToldNames) -> Arrival {
    let headers = &parts.headers;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let names = headers.keys().filter(|name| **name != PROBE && **name != ASSERTION);
    let identities = names.filter(|name| is_told_identity(name, told));
    let own = headers.contains_key(ASSERTION).then(|| ASSERTION.as_str().to_owned());
    let identities = identities.map(|name| name.as_str().to_owned()).chain(own);
    Arrival {
        peer: String::new(),
        is_trusted: false,
        client: String::new(),
        is_tls: false,
        host: String::new(),
        target: shown(target.as_bytes()),
        told: values(headers),
        identities: identities.take(MOST_VALUES).collect(),
        cookies: cookies(headers),
    }
}

fn values(headers: &HeaderMap) -> Vec<(String, String)> {
    let told = |name: &HeaderName| {
        let values = headers.get_all(name).iter();
        values.map(|value| (name.as_str().to_owned(), shown(value.as_bytes()))).collect::<Vec<_>>()
    };
    TOLD.iter().flat_map(told).take(MOST_VALUES).collect()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines =
        headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|b| *b == b';'));
    let names = lines.filter_map(|pair| pair.split(|byte| *byte == b'=').next());
    names.map(shown).take(MOST_VALUES).collect()
}

fn shown(bytes: &[u8]) -> String {
    Foreign::new(&String::from_utf8_lossy(bytes)).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Request;

    use super::*;
    use crate::base::clock::ManualClock;

    fn probes() -> (Probes, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
        (Probes::new(Arc::clone(&clock) as _, String::new()), clock)
    }

    fn parts(name: &str) -> Parts {
        let request = Request::get("/a?b=c").header("X-Brama-Probe", name);
        let request =
            request.header("X-Forwarded-For", "192.0.2.1\u{9b}").header("Remote-User", "x");
        let request = request.header("Cookie", "one=1; two=2").header("X-Brama-Assertion", "e30");
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_request_is_noted_once_under_a_name_that_was_announced_and_told_once() {
        let ((probes, _), told) = (probes(), ToldNames::default());
        assert!(probes.begin(&parts("x"), &told).is_none(), "nothing is announced");
        let name = probes.announce(from(1)).unwrap();
        assert!(probes.begin(&parts("x"), &told).is_none(), "another name");
        assert_eq!(probes.take(&name), Found::Awaited);
        let (known, arrival) = probes.begin(&parts(&name), &told).unwrap();
        assert_eq!(known, name);
        assert_eq!(arrival.target, "/a?b=c");
        assert_eq!(arrival.identities, ["remote-user", "x-brama-assertion"]);
        assert_eq!(arrival.cookies, ["one", "two"]);
        assert_eq!(arrival.told[0].0, "x-forwarded-for");
        assert!(!arrival.told[0].1.contains('\u{9b}'), "what a terminal obeys is escaped");
        probes.arrived(&name, arrival.clone());
        assert!(probes.begin(&parts(&name), &told).is_none(), "it is noted once");
        assert_eq!(probes.take(&name), Found::Arrived(Box::new(arrival)));
        assert_eq!(probes.take(&name), Found::Unknown);
        assert_eq!(probes.count.load(Ordering::Relaxed), 0);
    }

    fn from(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_network_leaves_probes_to_the_others() {
        let (probes, _) = probes();
        let one: Vec<_> = (0..MOST).filter_map(|_| probes.announce(from(1))).collect();
        assert_eq!(one.len(), MOST_OF_ONE);
        assert!(probes.announce(from(2)).is_some());
        probes.forget(&one[0]);
        assert!(probes.announce(from(1)).is_some());
        let of_line = |last| format!("2001:db8::{last}").parse().unwrap();
        let line: Vec<_> = (0..MOST).filter_map(|last| probes.announce(of_line(last))).collect();
        assert_eq!(line.len(), MOST_OF_ONE);
    }

    #[test]
    fn there_are_few_and_none_for_long() {
        let (probes, clock) = probes();
        let mut each = (0..MOST).map(|number| from((number / MOST_OF_ONE) as u8));
        let names: Vec<_> = each.by_ref().filter_map(|from| probes.announce(from)).collect();
        assert_eq!(names.len(), MOST);
        assert!(probes.announce(from(100)).is_none());
        probes.forget(&names[0]);
        assert!(probes.announce(from(100)).is_some());
        assert!(probes.announce(from(100)).is_none());
        clock.advance(LIFE);
        assert_eq!(probes.take(&names[1]), Found::Unknown);
        assert!(probes.announce(from(1)).is_some());
    }
}
