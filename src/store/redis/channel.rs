//! Hears what happens to records, from every server that takes something in.
//!
//! 1. Each master is listened to by a connection of its own: what it publishes arrives even when
//!    the nodes of a cluster cannot hear each other. The same event may arrive several times.
//! 2. A connection that is not shown to be alive within [`ALIVE`] and [`ANSWER`] is lost.
//! 3. Listeners hear [`Event::Missed`] when a connection is lost, and once more when it is back.
//! 4. [`Channel::is_watching`] is true while every master is listened to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use redis::Value;
use redis::aio::{PubSub, PubSubSink};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::record;
use super::settings::Address;
use super::topology::Topology;
use crate::store::{EVENTS, Event};

/// How often a connection shows that it is alive.
const ALIVE: Duration = Duration::from_millis(250);

/// How long it may take to do so.
const ANSWER: Duration = Duration::from_millis(500);

/// Which servers are listened to, and those that are told what they say.
pub(super) struct Channel {
    name: String,
    backoff: (Duration, Duration),
    events: broadcast::Sender<Event>,
    /// The masters that are to be listened to, and whether each is.
    heard: Mutex<HashMap<Address, bool>>,
    is_watching: AtomicBool,
}

impl Channel {
    /// Makes a channel on which nothing is heard yet.
    pub(super) fn new(name: String, backoff: (Duration, Duration)) -> Self {
        Self {
            name,
            backoff,
            events: broadcast::Sender::new(EVENTS),
            heard: Mutex::default(),
            is_watching: AtomicBool::new(false),
        }
    }

    /// Returns what is heard from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Tells whether everything is heard.
    pub(super) fn is_watching(&self) -> bool {
        self.is_watching.load(Ordering::Acquire)
    }

    /// Listens to all masters, for ever.
    pub(super) async fn keep(self: Arc<Self>, topology: Arc<Topology>) {
        let mut changes = topology.changes();
        let mut listeners: HashMap<Address, Listener> = HashMap::new();
        loop {
            let masters: Vec<Address> = {
                let map = changes.borrow_and_update();
                map.masters.iter().map(|(_, node)| node.address().clone()).collect()
            };
            listeners.retain(|address, _| masters.contains(address));
            self.expect(&masters);
            for address in masters {
                listeners.entry(address.clone()).or_insert_with(|| {
                    let listening = Arc::clone(&self).listen(Arc::clone(&topology), address);
                    Listener(tokio::spawn(listening))
                });
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    async fn listen(self: Arc<Self>, topology: Arc<Topology>, address: Address) {
        let (least, most) = self.backoff;
        let mut wait = least;
        loop {
            let why = match topology.dialer.listen(&address, &self.name).await {
                Ok(connection) => {
                    let (why, was_heard) = self.hear(&address, connection).await;
                    if was_heard {
                        wait = least;
                    }
                    why
                }
                Err(failure) => crate::store::Unavailable::from(failure).0,
            };
            self.note(&address, false, &why);
            topology.hint();
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(most);
        }
    }

    /// Passes on what is heard until the connection is lost. Says why it is, and whether it was
    /// one.
    async fn hear(&self, address: &Address, connection: PubSub) -> (String, bool) {
        let (mut sink, mut messages) = connection.split();
        let mut pulse = tokio::time::interval(ALIVE);
        let mut is_heard = false;
        loop {
            tokio::select! {
                message = messages.next() => {
                    let Some(message) = message else {
                        return ("connection was closed".to_owned(), is_heard);
                    };
                    if let Some(event) = record::event(message.get_payload_bytes()) {
                        // There may be no listener.
                        let _ = self.events.send(event);
                    }
                }
                _ = pulse.tick() => {
                    if let Err(why) = prove(&mut sink).await {
                        return (why, is_heard);
                    }
                    is_heard = true;
                    self.note(address, true, "");
                }
            }
        }
    }

    /// Notes which masters are to be listened to.
    fn expect(&self, masters: &[Address]) {
        self.change(|heard| {
            let all = heard.len();
            let lost = heard.iter().any(|(address, live)| *live && !masters.contains(address));
            heard.retain(|address, _| masters.contains(address));
            for address in masters {
                heard.entry(address.clone()).or_insert(false);
            }
            lost || heard.len() != all
        });
    }

    /// Notes whether a server is heard.
    fn note(&self, address: &Address, is_live: bool, why: &str) {
        self.change(|heard| {
            let Some(live) = heard.get_mut(address) else { return false };
            let is_news = *live != is_live;
            *live = is_live;
            if is_news && is_live {
                info!(server = %address, "redis is listened to");
            } else if is_news {
                warn!(server = %address, why, "redis is not heard any more");
            }
            is_news
        });
    }

    /// Changes which servers are heard; when that matters, listeners are told, after the state says
    /// so.
    fn change(&self, change: impl FnOnce(&mut HashMap<Address, bool>) -> bool) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = change(&mut heard);
        let is_watching = !heard.is_empty() && heard.values().all(|live| *live);
        self.is_watching.store(is_watching, Ordering::Release);
        if is_news {
            let _ = self.events.send(Event::Missed);
        }
    }
}

/// Has a server prove that it is there, and that the connection is one that listens.
async fn prove(sink: &mut PubSubSink) -> Result<(), String> {
    let answer = match tokio::time::timeout(ANSWER, sink.ping::<Value>()).await {
        Ok(answer) => answer.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("no sign of life within {} ms", ANSWER.as_millis())),
    };
    let pong = Value::BulkString(b"pong".to_vec());
    match answer {
        Value::Array(parts) if parts.first() == Some(&pong) => Ok(()),
        _ => Err("the connection does not listen".to_owned()),
    }
}

/// A task that ends with this.
struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}
