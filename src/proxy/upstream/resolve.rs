//! What is behind the names of servers: looked up at the start, again after a while, and when
//! a request could not connect.
//!
//! 1. Each address of a name is a server of its own; they share the weight of the name.
//! 2. An address that is no longer there gets no new requests; those under way go on.
//! 3. A lookup that fails, or finds nothing, changes nothing.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::group::Group;
use super::server::Endpoint;
use super::settings::ServerAddress;
use crate::base::random;

/// Finds the addresses behind a name.
pub trait Lookup: Send + Sync {
    /// Returns the addresses behind a name, in any order.
    fn lookup(
        &self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// Asks the system, as every program on the machine does: its hosts file, its name servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

/// How long one lookup may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// A name that could not be resolved is tried again after this, unless its turn is sooner.
const RETRY: Duration = Duration::from_secs(5);

/// However many requests fail to connect, names are not looked up more often.
const LEAST_GAP: Duration = Duration::from_secs(2);

/// The most servers behind one name; further addresses are left out.
const MOST_ADDRESSES: usize = 64;

/// Looks up all names of a group once. Before the first time, servers behind names are not there.
pub async fn resolve(group: &Group, lookup: &impl Lookup) {
    round(group, lookup, &mut HashSet::new()).await;
}

/// Looks up the names of a group again and again, as long as the group is held.
pub(super) async fn keep_resolving(group: Weak<Group>, lookup: impl Lookup) {
    let Some((core, refresh)) = group.upgrade().and_then(|group| {
        let settings = group.settings();
        let named = settings.servers.iter().any(|server| is_name(&server.address));
        named.then(|| (Arc::clone(&group.core), settings.dns_refresh))
    }) else {
        return;
    };
    // Names that were not resolved at the start are due at once.
    let mut failing = HashSet::new();
    let mut pause = match group.upgrade() {
        Some(group) if group.set().entries.is_empty() => Duration::ZERO,
        _ => refresh,
    };
    loop {
        tokio::select! {
            () = sleep(jittered(pause)) => {}
            () = core.resolve_now.notified() => {}
        }
        let Some(group) = group.upgrade() else { return };
        round(&group, &lookup, &mut failing).await;
        drop(group);
        pause = if failing.is_empty() { refresh } else { refresh.min(RETRY) };
        sleep(LEAST_GAP.min(pause)).await;
    }
}

/// Looks up all names once. `failing` are the servers whose names could not be resolved the last
/// time: that they still cannot is not worth another line in the log.
async fn round(group: &Group, lookup: &impl Lookup, failing: &mut HashSet<usize>) {
    let mut found = Vec::new();
    for (index, server) in group.settings().servers.iter().enumerate() {
        let ServerAddress::Name { host, port } = &server.address else {
            found.push(None);
            continue;
        };
        let addresses = match timeout(LOOKUP_TIMEOUT, lookup.lookup(host, *port)).await {
            Ok(Ok(addresses)) if addresses.is_empty() => Err("it has no address".to_owned()),
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {LOOKUP_TIMEOUT:?}")),
        };
        let upstream = &group.settings().name;
        match addresses {
            Ok(addresses) => {
                if failing.remove(&index) {
                    info!(upstream, host, "name can be resolved again");
                }
                found.push(Some(in_order(addresses)));
            }
            Err(error) => {
                if failing.insert(index) {
                    warn!(upstream, host, error, "name of a server cannot be resolved");
                }
                found.push(None);
            }
        }
    }
    group.put(found, Instant::now().into_std());
}

/// The order of an answer means nothing and changes from time to time.
fn in_order(mut addresses: Vec<SocketAddr>) -> Vec<Endpoint> {
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(MOST_ADDRESSES);
    addresses.into_iter().map(Endpoint::Tcp).collect()
}

fn is_name(address: &ServerAddress) -> bool {
    matches!(address, ServerAddress::Name { .. })
}

/// Makes a pause up to a tenth shorter or longer, so that replicas do not act in step.
pub(super) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fraction())
}

/// Returns a number from zero to one by chance.
pub(super) fn fraction() -> f64 {
    f64::from(u32::from_le_bytes(random::bytes())) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, VecDeque};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::lease::ServerError;
    use super::super::settings::{ServerSettings, Settings};
    use super::super::status::State;
    use super::super::testing::{failed, states, until};
    use super::*;

    /// Answers what it is told to, and the last answer for ever.
    #[derive(Default)]
    struct Script {
        answers: Mutex<HashMap<String, VecDeque<Option<Vec<&'static str>>>>>,
        asked: AtomicUsize,
    }

    impl Script {
        fn says(&self, host: &str, answer: Option<&[&'static str]>) {
            let answers = &mut *self.answers.lock().unwrap();
            answers.entry(host.to_owned()).or_default().push_back(answer.map(<[_]>::to_vec));
        }
    }

    impl Lookup for &Script {
        async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let mut answers = self.answers.lock().unwrap();
            let answers = answers.entry(host.to_owned()).or_default();
            let answer =
                if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            let answer = answer.flatten().ok_or(io::Error::other("no such name"))?;
            Ok(answer.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect())
        }
    }

    fn named(hosts: &[&str]) -> Arc<Group> {
        let servers = hosts.iter().map(|host| {
            ServerSettings::from(ServerAddress::Name { host: (*host).to_owned(), port: 80 })
        });
        let mut settings = Settings::new("portal", servers.collect());
        settings.slow_start = Duration::from_secs(10);
        Group::new(settings, Instant::now().into_std())
    }

    fn addresses(group: &Group) -> Vec<(String, State)> {
        states(group, Instant::now().into_std())
    }

    fn told(expected: &[(&str, State)]) -> Vec<(String, State)> {
        expected.iter().map(|(ip, state)| (format!("{ip}:80"), *state)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn every_address_of_a_name_is_a_server_once() {
        let script = Script::default();
        script.says("portal", Some(&["10.0.0.2", "10.0.0.1", "10.0.0.2"]));
        let group = named(&["portal"]);
        assert!(group.choose(None, Instant::now().into_std()).is_err());
        resolve(&group, &&script).await;
        let expected = told(&[("10.0.0.1", State::Up), ("10.0.0.2", State::Up)]);
        assert_eq!(addresses(&group), expected);
        assert!(group.choose(None, Instant::now().into_std()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_servers_than_bounded() {
        let many: Vec<_> = (0..200).map(|port| SocketAddr::from(([10, 0, 0, 1], port))).collect();
        assert_eq!(in_order(many).len(), MOST_ADDRESSES);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_is_drained_and_who_joins_starts_slowly() {
        let script = Script::default();
        script.says("portal", Some(&["10.0.0.1"]));
        script.says("portal", Some(&["10.0.0.2"]));
        let group = named(&["portal"]);
        resolve(&group, &&script).await;
        let changes = group.changes();
        let lease = group.choose(None, Instant::now().into_std()).unwrap();

        resolve(&group, &&script).await;
        assert!(changes.has_changed().unwrap());
        assert!(!group.holds(lease.id()));
        let expected = [("10.0.0.2", State::Starting), ("10.0.0.1", State::Draining)];
        assert_eq!(addresses(&group), told(&expected));
        for _ in 0..9 {
            let next = group.choose(None, Instant::now().into_std()).unwrap();
            assert_eq!(next.endpoint().to_string(), "10.0.0.2:80");
        }
        drop(lease);
        assert_eq!(addresses(&group), told(&expected[..1]));
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_while_drained_is_the_same_server() {
        let script = Script::default();
        script.says("portal", Some(&["10.0.0.1"]));
        script.says("portal", Some(&["10.0.0.2"]));
        script.says("portal", Some(&["10.0.0.1", "10.0.0.2"]));
        let group = named(&["portal"]);
        resolve(&group, &&script).await;
        let lease = group.choose(None, Instant::now().into_std()).unwrap();
        resolve(&group, &&script).await;
        resolve(&group, &&script).await;
        assert!(group.holds(lease.id()));
        let expected = [("10.0.0.1", State::Up), ("10.0.0.2", State::Starting)];
        assert_eq!(addresses(&group), told(&expected));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lookup_that_fails_or_finds_nothing_changes_nothing() {
        for nothing in [None, Some(&[][..])] {
            let script = Script::default();
            script.says("portal", Some(&["10.0.0.1"]));
            script.says("portal", nothing);
            script.says("other", Some(&["10.0.0.3"]));
            let group = named(&["portal", "other"]);
            resolve(&group, &&script).await;
            let changes = group.changes();
            resolve(&group, &&script).await;
            let expected = told(&[("10.0.0.1", State::Up), ("10.0.0.3", State::Up)]);
            assert_eq!(addresses(&group), expected);
            assert!(!changes.has_changed().unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_of_a_name_share_its_weight() {
        let script = Script::default();
        script.says("two", Some(&["10.0.0.1", "10.0.0.2"]));
        script.says("one", Some(&["10.0.0.3"]));
        let group = named(&["two", "one"]);
        resolve(&group, &&script).await;
        let mut asked = HashMap::<_, u32>::new();
        for _ in 0..400 {
            let lease = group.choose(None, Instant::now().into_std()).unwrap();
            *asked.entry(lease.endpoint().to_string()).or_default() += 1;
        }
        assert!(asked["10.0.0.3:80"].abs_diff(200) <= 2, "{asked:?}");
        assert!(asked["10.0.0.1:80"].abs_diff(100) <= 2, "{asked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn names_are_looked_up_again_after_a_while_and_when_nobody_can_connect() {
        let script = Script::default();
        script.says("portal", Some(&["10.0.0.1"]));
        script.says("portal", Some(&["10.0.0.2"]));
        script.says("portal", Some(&["10.0.0.3"]));
        let group = named(&["portal"]);
        resolve(&group, &&script).await;
        let began = Instant::now();
        let is =
            |ip: &'static str| move |group: &Group| addresses(group)[0].0 == format!("{ip}:80");
        tokio::select! {
            () = keep_resolving(Arc::downgrade(&group), &script) => panic!("somebody holds it"),
            () = async {
                until(&group, is("10.0.0.2")).await;
                assert!((27..=33).contains(&began.elapsed().as_secs()));
                // That a server breaks off says nothing of its name.
                let mut lease = group.choose(None, Instant::now().into_std()).unwrap();
                lease.failed(ServerError::Broken, Instant::now().into_std());
                drop(lease);
                let early = timeout(Duration::from_secs(20), until(&group, is("10.0.0.3"))).await;
                assert!(early.is_err());
                let before = Instant::now();
                failed(&group, Instant::now().into_std());
                until(&group, is("10.0.0.3")).await;
                assert!(before.elapsed() <= LEAST_GAP);
            } => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_looks_up_names_for_a_group_that_is_gone() {
        let script = Script::default();
        script.says("portal", Some(&["10.0.0.1"]));
        let ends = async |group| {
            let ended = timeout(Duration::from_secs(60), keep_resolving(group, &script)).await;
            (ended.is_ok(), script.asked.swap(0, Ordering::SeqCst))
        };
        let group = named(&["portal"]);
        let kept = Arc::downgrade(&group);
        drop(group);
        assert_eq!(ends(kept).await, (true, 0), "it was gone before");
        let address = ServerAddress::Socket(SocketAddr::from(([10, 0, 0, 1], 80)));
        let settings = Settings::new("portal", vec![address.into()]);
        let group = Group::new(settings, Instant::now().into_std());
        assert_eq!(ends(Arc::downgrade(&group)).await, (true, 0), "it has no names");

        // As long as somebody holds it, its turn comes again and again; and no more afterwards.
        let group = named(&["portal"]);
        assert!(!ends(Arc::downgrade(&group)).await.0);
        resolve(&group, &&script).await;
        script.asked.store(0, Ordering::SeqCst);
        let mut ended = std::pin::pin!(ends(Arc::downgrade(&group)));
        assert!(futures_util::poll!(ended.as_mut()).is_pending());
        drop(group);
        assert_eq!(ended.await, (true, 0), "it went while its turn was waited for");
    }
}
