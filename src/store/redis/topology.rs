//! Which server has which keys at the moment.
//!
//! 1. One server has all, for ever. Sentinels know a master that has all. The nodes of a cluster
//!    know which of them has which slots.
//! 2. The servers that know are asked at the start, every now and then, and as soon as something
//!    hints at a change.
//! 3. What was known last goes on being used until something else is known.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use redis::Value;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use super::dial::{Dialer, Way};
use super::error::CommandError;
use super::node::Node;
use super::settings::{Address, ConnectError, Mode, Settings};

/// Which server has which keys.
pub(super) struct Topology {
    settings: Settings,
    /// Opens connections to servers.
    pub(super) dialer: Arc<Dialer>,
    /// Opens connections to sentinels, when there are some.
    sentinel_dialer: Option<Arc<Dialer>>,
    sentinels: Vec<Arc<Node>>,
    nodes: Mutex<HashMap<Address, Arc<Node>>>,
    map: watch::Sender<Arc<Map>>,
    hint: Notify,
    problem: RwLock<Option<CommandError>>,
}

/// The masters and their slots, as they were known last.
#[derive(Default)]
pub(super) struct Map {
    /// Servers that take something in, by their names.
    pub(super) masters: Vec<(String, Arc<Node>)>,
    /// First slot, last slot, and which master has them.
    slots: Vec<(u16, u16, usize)>,
}

impl Map {
    fn of_one(node: Arc<Node>) -> Self {
        let name = node.address().to_string();
        Self { masters: vec![(name, node)], slots: vec![(0, SLOTS - 1, 0)] }
    }

    fn find(&self, slot: u16) -> Option<&Arc<Node>> {
        let &(.., index) =
            self.slots.iter().find(|(first, last, _)| (*first..=*last).contains(&slot))?;
        self.masters.get(index).map(|(_, node)| node)
    }

    fn addresses(&self) -> Vec<&Address> {
        self.masters.iter().map(|(_, node)| node.address()).collect()
    }
}

impl Topology {
    /// Prepares what does not need to ask a server.
    pub(super) fn new(settings: Settings) -> Result<Self, ConnectError> {
        let (servers, sentinels) = ways(&settings)?;
        let dialer = Arc::new(Dialer::new(servers, &settings));
        let sentinel_dialer = sentinels.map(|way| Arc::new(Dialer::new(way, &settings)));
        let mut sentinels = Vec::new();
        if let Some(to) = &sentinel_dialer {
            let settings = Settings { pool: 1, ..settings.clone() };
            let node = |address: &Address| Node::new(address.clone(), to, &settings);
            sentinels = settings.addresses.iter().map(|address| Arc::new(node(address))).collect();
        }
        let topology = Self {
            dialer,
            sentinel_dialer,
            sentinels,
            nodes: Mutex::default(),
            map: watch::Sender::new(Arc::default()),
            hint: Notify::new(),
            problem: RwLock::default(),
            settings,
        };
        if let (Mode::Single, Some(address)) =
            (&topology.settings.mode, topology.settings.addresses.first())
        {
            let map = Map::of_one(topology.node(address));
            topology.map.send_replace(Arc::new(map));
        }
        Ok(topology)
    }

    /// Opens connections with the passwords and the certificates of these settings from now on.
    pub(super) fn renew(&self, settings: &Settings) -> Result<(), ConnectError> {
        let (servers, sentinels) = ways(settings)?;
        self.dialer.renew(servers);
        if let (Some(dialer), Some(way)) = (&self.sentinel_dialer, sentinels) {
            dialer.renew(way);
        }
        self.hint();
        Ok(())
    }

    /// Returns the server at an address.
    pub(super) fn node(&self, address: &Address) -> Arc<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let node = nodes
            .entry(address.clone())
            .or_insert_with(|| Arc::new(Node::new(address.clone(), &self.dialer, &self.settings)));
        Arc::clone(node)
    }

    /// Returns what is known, and waits a little when nothing is.
    pub(super) async fn map(&self) -> Result<Arc<Map>, CommandError> {
        let mut map = self.map.subscribe();
        let known = map.wait_for(|map| !map.masters.is_empty());
        if let Ok(Ok(map)) = tokio::time::timeout(self.settings.command_timeout, known).await {
            return Ok(Arc::clone(&map));
        }
        let problem = self.problem.read().unwrap_or_else(PoisonError::into_inner).clone();
        Err(problem.unwrap_or_else(|| CommandError::Away("no server is known yet".to_owned())))
    }

    /// Tells whenever something else is known.
    pub(super) fn changes(&self) -> watch::Receiver<Arc<Map>> {
        self.map.subscribe()
    }

    /// Returns the server that has a slot.
    pub(super) async fn find(&self, slot: u16) -> Result<Arc<Node>, CommandError> {
        let map = self.map().await?;
        map.find(slot).cloned().ok_or_else(|| {
            self.hint();
            CommandError::Refused {
                text: "no node has this part of the keys".to_owned(),
                elsewhere: true,
            }
        })
    }

    /// Tells whether keys can be elsewhere than was thought.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.settings.mode, Mode::Cluster)
    }

    /// Says that something may have changed.
    pub(super) fn hint(&self) {
        self.hint.notify_one();
    }

    /// Keeps what is known up to date, for ever.
    pub(super) async fn keep(self: Arc<Self>) {
        loop {
            let period = match &self.settings.mode {
                Mode::Single => return,
                Mode::Sentinel { master, .. } => {
                    self.learn(self.ask_sentinels(master).await);
                    SENTINEL_PERIOD
                }
                Mode::Cluster => {
                    self.learn(self.ask_cluster().await);
                    CLUSTER_PERIOD
                }
            };
            // Hints come in crowds.
            tokio::time::sleep(LEAST_PERIOD).await;
            let is_known = !self.map.borrow().masters.is_empty();
            let period = if is_known { period } else { LEAST_PERIOD };
            let _ = tokio::time::timeout(period, self.hint.notified()).await;
        }
    }

    fn learn(&self, outcome: Result<Map, CommandError>) {
        let failed = outcome.as_ref().err().cloned();
        *self.problem.write().unwrap_or_else(PoisonError::into_inner) = failed;
        let Ok(map) = outcome else { return };
        // Servers that are not masters any more, and those that only one redirection named.
        let masters: Vec<Address> = map.addresses().into_iter().cloned().collect();
        self.nodes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|address, _| masters.contains(address));
        self.map.send_if_modified(|known| {
            let is_new = !known.addresses().into_iter().eq(&masters);
            if is_new {
                let masters: Vec<_> = masters.iter().map(ToString::to_string).collect();
                info!(masters = masters.join(" "), "redis servers are known");
            }
            let is_other = is_new || known.slots != map.slots;
            if is_other {
                *known = Arc::new(map);
            }
            is_other
        });
    }

    async fn ask_sentinels(&self, master: &str) -> Result<Map, CommandError> {
        let mut last = None;
        for sentinel in &self.sentinels {
            match self.ask_sentinel(sentinel, master).await {
                Ok(map) => return Ok(map),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| CommandError::Away("there are no sentinels".to_owned())))
    }

    async fn ask_sentinel(&self, sentinel: &Node, master: &str) -> Result<Map, CommandError> {
        let mut command = redis::cmd("SENTINEL");
        command.arg("get-master-addr-by-name").arg(master);
        let answer = sentinel.send(&command).await?;
        let address = match &answer {
            Value::Array(parts) => address(parts.first(), parts.get(1), sentinel.address()),
            _ => None,
        };
        let Some(address) = address else {
            let text = format!("sentinel {} knows no master {master:?}", sentinel.address());
            return Err(CommandError::Refused { text, elsewhere: true });
        };
        let node = self.node(&address);
        if self.map.borrow().addresses() != [&address] {
            // A sentinel may not have heard yet; a server knows what it is itself.
            let role = node.send(&redis::cmd("ROLE")).await;
            if let Ok(Value::Array(parts)) = role
                && text(parts.first()).is_some_and(|role| role != "master")
            {
                let text = format!("{address} is said to be the master, but is not one yet");
                return Err(CommandError::Refused { text, elsewhere: true });
            }
        }
        Ok(Map::of_one(node))
    }

    async fn ask_cluster(&self) -> Result<Map, CommandError> {
        let known = Arc::clone(&self.map.borrow());
        let known = known.masters.iter().map(|(_, node)| node.address());
        let mut last = None;
        for asked in known.chain(&self.settings.addresses) {
            let mut command = redis::cmd("CLUSTER");
            command.arg("SLOTS");
            match self.node(asked).send(&command).await {
                Ok(answer) => match self.read_slots(&answer, asked) {
                    Some(map) => return Ok(map),
                    None => {
                        warn!(server = %asked, "redis has an answer to CLUSTER SLOTS without slots");
                        let text = format!("{asked} knows of no slots; has the cluster been made?");
                        last = Some(CommandError::Refused { text, elsewhere: true });
                    }
                },
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| CommandError::Away("no node is known".to_owned())))
    }

    fn read_slots(&self, answer: &Value, asked: &Address) -> Option<Map> {
        let Value::Array(ranges) = answer else { return None };
        let mut found: Vec<(u16, u16, String, Address)> = Vec::new();
        for range in ranges {
            let Value::Array(parts) = range else { return None };
            let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = parts.as_slice()
            else {
                return None;
            };
            let store = address(master.first(), master.get(1), asked)?;
            let name = text(master.get(2)).unwrap_or_else(|| store.to_string());
            found.push((u16::try_from(*first).ok()?, u16::try_from(*last).ok()?, name, store));
        }
        let mut names: Vec<_> = found.iter().map(|(.., name, at)| (name.clone(), at)).collect();
        names.sort();
        names.dedup_by(|one, other| one.0 == other.0);
        let slots = found.iter().filter_map(|(first, last, name, _)| {
            Some((*first, *last, names.iter().position(|(known, _)| known == name)?))
        });
        let slots = slots.collect();
        let masters: Vec<_> =
            names.into_iter().map(|(name, address)| (name, self.node(address))).collect();
        (!masters.is_empty()).then_some(Map { masters, slots })
    }
}

/// Reads how connections to servers are opened, and to sentinels where there are some.
fn ways(settings: &Settings) -> Result<(Way, Option<Way>), ConnectError> {
    let sentinels = match &settings.mode {
        Mode::Sentinel { credentials, .. } => {
            Some(Way::to_sentinels(settings, credentials.as_ref())?)
        }
        Mode::Single | Mode::Cluster => None,
    };
    Ok((Way::to_servers(settings)?, sentinels))
}

/// How many parts the keys of a cluster have.
const SLOTS: u16 = 16_384;

/// How often sentinels are asked although nothing hints at a change.
const SENTINEL_PERIOD: Duration = Duration::from_secs(1);

/// How often a cluster is asked although nothing hints at a change.
const CLUSTER_PERIOD: Duration = Duration::from_secs(5);

/// How often the servers are asked at most.
const LEAST_PERIOD: Duration = Duration::from_millis(100);

/// Returns the slot of a key, by what stands in its first braces.
pub(super) fn slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let part = tag.map(|(tag, _)| tag).filter(|tag| !tag.is_empty()).unwrap_or(key);
    crc16(part.as_bytes()) % SLOTS
}

/// CRC-16/XMODEM, by which the Redis Cluster specification spreads keys.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ (u16::from(byte) << 8), |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
        })
    })
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

/// Reads an address. A node that does not know its own name leaves it out.
fn address(host: Option<&Value>, port: Option<&Value>, asked: &Address) -> Option<Address> {
    let port = match port? {
        Value::Int(port) => u16::try_from(*port).ok()?,
        other => text(Some(other))?.parse().ok()?,
    };
    let host = text(host).filter(|host| !host.is_empty() && host != "?");
    Some(Address { host: host.unwrap_or_else(|| asked.host.clone()), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_keys_as_the_specification_says() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot("brama:{session:00}"), slot("other:{session:00}"));
        assert_eq!(slot("a{}b"), crc16(b"a{}b") % SLOTS);
    }
}
