//! How often one network may try to sign in, so that none of them takes it from all the others.
//!
//! 1. Five things are counted for each network of a client: logins that are begun, the same when
//!    another site's page led to them, returns from the node, logins that are refused, and sessions
//!    that the store was asked for in vain. Each has so many a minute: as many at once, and then
//!    evenly (GCRA).
//! 2. A network is an IPv4 address or a /56 of IPv6, unless the settings say otherwise: that is
//!    what one line is given (RFC 6177, RIPE-690), and the owner of a line has 256 networks of /64
//!    and all addresses in them. Networks that are excepted are not counted.
//! 3. So many networks are remembered and no more. When there are more, the one that was heard of
//!    longest ago is forgotten and begins anew. A flood from ever new networks therefore neither
//!    grows the memory nor shuts any citizen out; a flood from few networks keeps these among the
//!    last heard of, so they are not forgotten.
//! 4. No network is refused because of what others do: there is no common count. Each process
//!    counts for itself.
//!
//! What could break it in deployment: a proxy in front that is not listed as trusted. All citizens
//! then come from its one address and share its limit. `check` warns of it where it can tell.

mod elapsed;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use self::elapsed::Elapsed;
use crate::base::clock::SharedClock;
use crate::base::network::Network;
use crate::flow::pending::Origin;
use crate::request::networks::Networks;

/// How often one network may try, and what a network is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Logins that may begin in a minute; `None` is any number.
    pub starts: Option<NonZeroU32>,
    /// Returns from the node in a minute.
    pub returns: Option<NonZeroU32>,
    /// Refused logins in a minute.
    pub failures: Option<NonZeroU32>,
    /// Sessions that the store does not know, in a minute.
    pub unknown_sessions: Option<NonZeroU32>,
    /// The length of an IPv4 network's prefix.
    pub ipv4_prefix: u8,
    /// The length of an IPv6 network's prefix.
    pub ipv6_prefix: u8,
    /// Networks that are not counted.
    pub except: Networks,
    /// How many networks are remembered.
    pub networks: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            starts: NonZeroU32::new(600),
            returns: NonZeroU32::new(600),
            failures: NonZeroU32::new(120),
            unknown_sessions: NonZeroU32::new(1200),
            ipv4_prefix: 32,
            ipv6_prefix: 56,
            except: Networks::default(),
            networks: 50_000,
        }
    }
}

/// The events that are counted for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// A login begins, whatever site's page led to it.
    Start,
    /// A browser comes back from the node.
    Return,
    /// A login was refused.
    Failure,
    /// A cookie named a session that the store does not know.
    UnknownSession,
}

/// A network tried too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("network tried too often, {counted:?} is possible again in {wait:?}")]
pub struct TooOften {
    /// The event that came too often.
    pub counted: Counted,
    /// When it is possible again.
    pub wait: Duration,
}

/// The counts of all networks. Shared by all workers.
pub struct Limits {
    settings: Settings,
    seen: Seen,
    clock: Elapsed,
    starts: Option<Limiter>,
    foreign_starts: Option<Limiter>,
    returns: Option<Limiter>,
    failures: Option<Limiter>,
    unknown_sessions: Option<Limiter>,
}

type Limiter = RateLimiter<Network, View, Elapsed, NoOpMiddleware<Duration>>;
type Seen = Cache<Network, Arc<Counts>>;

/// What is known of one network.
#[derive(Default)]
struct Counts {
    starts: InMemoryState,
    foreign_starts: InMemoryState,
    returns: InMemoryState,
    failures: InMemoryState,
    unknown_sessions: InMemoryState,
    /// Until when nothing is tried for it, in milliseconds of our elapsed time.
    closed_until: AtomicU64,
    /// Until when the store is not asked for it.
    unasked_until: AtomicU64,
}

impl Limits {
    /// Makes counts that know no network yet.
    #[must_use]
    pub fn new(settings: Settings, clock: SharedClock) -> Self {
        let clock = Elapsed::new(clock);
        let seen: Seen = Cache::builder()
            .max_capacity(settings.networks)
            .eviction_policy(EvictionPolicy::lru())
            // After two minutes of silence every count is back at its beginning.
            .time_to_idle(Duration::from_secs(120))
            .build();
        let limiter = |quota: Option<NonZeroU32>, part| {
            let view = View { seen: seen.clone(), part };
            quota.map(|n| RateLimiter::new(Quota::per_minute(n), view, clock.clone()))
        };
        Self {
            starts: limiter(settings.starts, |counts| &counts.starts),
            foreign_starts: limiter(settings.starts, |counts| &counts.foreign_starts),
            returns: limiter(settings.returns, |counts| &counts.returns),
            failures: limiter(settings.failures, |counts| &counts.failures),
            unknown_sessions: limiter(settings.unknown_sessions, |counts| &counts.unknown_sessions),
            settings,
            seen,
            clock,
        }
    }

    /// Goes on by other settings; with the same ones nothing is forgotten.
    #[must_use]
    pub fn renewed(self: &Arc<Self>, settings: Settings, clock: &SharedClock) -> Arc<Self> {
        if self.settings == settings {
            return Arc::clone(self);
        }
        Arc::new(Self::new(settings, Arc::clone(clock)))
    }

    /// Counts a login that is to begin. Those that another site's page led to have a count of their
    /// own, as high: a foreign page in an office's browser keeps no citizen there from signing in.
    ///
    /// # Errors
    /// When its network began too many.
    pub fn start(&self, client: IpAddr, origin: Origin) -> Result<(), TooOften> {
        let limiter = match origin {
            Origin::Own => self.starts.as_ref(),
            Origin::Elsewhere => self.foreign_starts.as_ref(),
        };
        self.count(limiter, Counted::Start, client)
    }

    /// Counts a return from the node.
    ///
    /// # Errors
    /// When there were too many from its network.
    pub fn come_back(&self, client: IpAddr) -> Result<(), TooOften> {
        self.count(self.returns.as_ref(), Counted::Return, client)
    }

    /// Counts a login that was refused. When there were too many, the network may try nothing for
    /// a moment, which [`Self::may_try`] says.
    pub fn fail(&self, client: IpAddr) {
        let refused = self.count(self.failures.as_ref(), Counted::Failure, client);
        self.close(refused, client, |counts| &counts.closed_until);
    }

    /// Tells whether a network may try to finish a login.
    ///
    /// # Errors
    /// When too many of its logins were refused.
    pub fn may_try(&self, client: IpAddr) -> Result<(), TooOften> {
        if self.failures.is_none() {
            return Ok(());
        }
        self.is_open(Counted::Failure, client, |counts| &counts.closed_until)
    }

    /// Counts a session that the store was asked for in vain. When there were too many, it is not
    /// asked for the network for a moment, which [`Self::may_ask`] says.
    pub fn asked_in_vain(&self, client: IpAddr) {
        let limiter = self.unknown_sessions.as_ref();
        let refused = self.count(limiter, Counted::UnknownSession, client);
        self.close(refused, client, |counts| &counts.unasked_until);
    }

    /// Tells whether the store may be asked for a session that only it may know.
    ///
    /// # Errors
    /// When too many that the network named are unknown.
    pub fn may_ask(&self, client: IpAddr) -> Result<(), TooOften> {
        if self.unknown_sessions.is_none() {
            return Ok(());
        }
        self.is_open(Counted::UnknownSession, client, |counts| &counts.unasked_until)
    }

    /// Notes until when a network that was refused may not do something.
    fn close(
        &self,
        refused: Result<(), TooOften>,
        client: IpAddr,
        part: fn(&Counts) -> &AtomicU64,
    ) {
        let Err(refused) = refused else { return };
        let until = self.clock.now().saturating_add(refused.wait).as_millis();
        let until = u64::try_from(until).unwrap_or(u64::MAX);
        // Never zero: rounded up to the next millisecond.
        let until = until.saturating_add(1);
        part(&self.counts(self.network(client))).store(until, Ordering::Relaxed);
    }

    fn is_open(
        &self,
        counted: Counted,
        client: IpAddr,
        part: fn(&Counts) -> &AtomicU64,
    ) -> Result<(), TooOften> {
        let Some(counts) = self.seen.get(&self.network(client)) else { return Ok(()) };
        let until = Duration::from_millis(part(&counts).load(Ordering::Relaxed));
        match until.saturating_sub(self.clock.now()) {
            Duration::ZERO => Ok(()),
            wait => Err(TooOften { counted, wait }),
        }
    }

    /// Returns the network of a client, by which all that is scarce is counted and shared out.
    #[must_use]
    pub fn network(&self, client: IpAddr) -> Network {
        Network::of(client, self.settings.ipv4_prefix, self.settings.ipv6_prefix)
    }

    /// Returns how many networks are remembered, and how many can be.
    #[must_use]
    pub fn networks(&self) -> (u64, u64) {
        (self.seen.entry_count(), self.settings.networks)
    }

    fn count(
        &self,
        limiter: Option<&Limiter>,
        counted: Counted,
        client: IpAddr,
    ) -> Result<(), TooOften> {
        let Some(limiter) = limiter else { return Ok(()) };
        if self.settings.except.contains(client) {
            return Ok(());
        }
        limiter.check_key(&self.network(client)).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            TooOften { counted, wait }
        })
    }

    fn counts(&self, network: Network) -> Arc<Counts> {
        self.seen.get_with(network, Arc::default)
    }
}

/// One of the counts, as the limiter of that count keeps it.
struct View {
    seen: Seen,
    part: fn(&Counts) -> &InMemoryState,
}

impl StateStore for View {
    type Key = Network;

    fn measure_and_replace<T, F, E>(&self, network: &Network, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let counts = self.seen.get_with(*network, Arc::default);
        (self.part)(&counts).measure_and_replace(&NotKeyed::NonKey, decide)
    }
}

#[cfg(test)]
mod tests;
