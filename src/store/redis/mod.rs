//! Records in Redis or Valkey, which several replicas share: one server, Sentinel, or a cluster.
//!
//! 1. A record is a hash at `PREFIX{KIND:DIGEST}`. Each operation on it is one command or one
//!    script with one key, so it is whole or not at all, and runs in a cluster.
//! 2. What a caller's clock says decides about the end of a record. The server's own expiry comes
//!    some minutes later, for tidiness.
//! 3. What belongs to an owner is noted at `PREFIXowner:{KIND:OWNER}`, before the record is kept. A
//!    note may lead nowhere; a record without its note there is not. What a note says is never
//!    believed without the record.
//! 4. Every command has an answer within its timeout; nothing is sent twice that may have been done
//!    (`calls`), and a server that does not answer is left alone for a moment (`breaker`, `node`).
//! 5. [`RecordStore::take`] publishes what is gone on the channel `PREFIXevents`. A module that
//!    keeps copies learns by [`Event::Missed`], and [`Redis::is_watching`], when that channel
//!    cannot be trusted (`channel`).
//! 6. Servers change, and are found again (`topology`).
//!
//! What could break it in deployment:
//!
//! - A `maxmemory-policy` other than `noeviction`: sessions end early, and what was used once can
//!   be used again. There is a warning in the log.
//! - A master that is replaced before its replica has everything: the last writes are lost.
//!   `min-replicas-to-write 1` bounds that; a master that no replica follows then takes nothing in.
//! - No persistence: a restart signs all citizens out, and forgets what was used.
//! - With TLS, nodes that are announced by addresses which their certificates do not name. In a
//!   cluster, `cluster-announce-hostname` with `cluster-preferred-endpoint-type hostname` gives
//!   them names, with Sentinel `resolve-hostnames` and `announce-hostnames`.
//! - Without TLS, the password and everything that is not sealed can be read on the way.
//!
//! An ACL user needs:
//! `~PREFIX* &PREFIXevents +evalsha +eval +script|load +hmget +hget +hset +del +pexpireat +publish +subscribe +ping +zadd +zscore +zrem +zrevrange +zremrangebyscore +time +set +scan +select +info`,
//! with Sentinel also `+role`, and in a cluster also `+cluster|slots +asking`. A user of the
//! sentinels needs `+sentinel|get-master-addr-by-name`.

mod breaker;
mod calls;
mod channel;
mod dial;
mod error;
mod lists;
mod node;
mod record;
mod scripts;
pub mod settings;
pub mod tls;
mod topology;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use redis::Value;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::{Digest, Event, Key, Kind, Page, Record, RecordStore, Touch, Unavailable, Work};
use crate::base::clock::Time;
use calls::{Call, What, call, call_all};
use channel::Channel;
use record::{ENTRY_MARGIN, FIELDS, Names};
use scripts::{OWN, PUT, PUT_NEW, SWAP, TAKE, TOUCH};
use settings::{ConnectError, Settings};
use topology::Topology;

/// Records on servers that replicas share, with the tasks that follow them.
pub struct Redis {
    names: Names,
    topology: Arc<Topology>,
    channel: Arc<Channel>,
    tasks: [JoinHandle<()>; 2],
}

impl Redis {
    /// Prepares to use Redis. It need not be there yet, and may go away and come back.
    ///
    /// # Errors
    /// When it could never be used with these settings.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn connect(settings: Settings) -> Result<Self, ConnectError> {
        settings.check()?;
        let names = Names(settings.prefix.clone());
        let channel = Arc::new(Channel::new(names.channel(), settings.backoff));
        let topology = Arc::new(Topology::new(settings)?);
        let tasks = [
            tokio::spawn(Arc::clone(&topology).keep()),
            tokio::spawn(Arc::clone(&channel).keep(Arc::clone(&topology))),
        ];
        Ok(Self { names, topology, channel, tasks })
    }

    /// Takes passwords and certificates from other settings, which are as before otherwise. What is
    /// open goes on, and the next connection is opened with them.
    ///
    /// # Errors
    /// When a file cannot be read: then everything is as before.
    pub fn renew(&self, settings: &Settings) -> Result<(), ConnectError> {
        self.topology.renew(settings)
    }

    /// Tells whether what happens to records is heard at present. While it is not, copies of
    /// records are worth what their age says.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.channel.is_watching()
    }

    async fn call(
        &self,
        what: What,
        key: String,
        arguments: Vec<Bytes>,
    ) -> Result<Value, Unavailable> {
        call(&self.topology, &Call { key, what, arguments }).await
    }

    /// Runs a script that says yes or no.
    async fn decide(
        &self,
        what: What,
        key: Key,
        arguments: Vec<Bytes>,
    ) -> Result<bool, Unavailable> {
        match self.call(what, self.names.record(key), arguments).await? {
            Value::Int(1) => Ok(true),
            Value::Int(0) => Ok(false),
            _ => Err(Unavailable("script was answered with something else".to_owned())),
        }
    }

    /// Notes which person a record will be of.
    async fn own(&self, key: Key, record: &Record) -> Result<(), Unavailable> {
        let Some(owner) = record.owner else { return Ok(()) };
        let note = self.note(key, owner, record.expires);
        call(&self.topology, &note).await.map(drop)
    }

    fn note(&self, key: Key, owner: Digest, expires: Time) -> Call {
        let number = |number: i64| Bytes::from(number.to_string());
        Call {
            key: self.names.owner(key.kind, owner),
            what: What::Script(&OWN),
            arguments: vec![
                Bytes::copy_from_slice(&key.digest),
                number(expires.as_millisecond()),
                number(ENTRY_MARGIN),
            ],
        }
    }

    /// Forgets that records were of a person, as far as that is possible: what is left is forgotten
    /// later.
    async fn disown(&self, kind: Kind, owner: Digest, digests: Vec<Digest>) {
        if digests.is_empty() {
            return;
        }
        let members = digests.iter().map(|digest| Bytes::copy_from_slice(digest)).collect();
        let _ = self.call(What::Command("ZREM"), self.names.owner(kind, owner), members).await;
    }

    async fn touch_some(&self, touches: Vec<Touch>) -> Result<(), Unavailable> {
        let calls: Vec<_> = touches
            .iter()
            .map(|touch| Call {
                key: self.names.record(touch.key),
                what: What::Script(&TOUCH),
                arguments: vec![
                    record::alive(touch.alive).into(),
                    record::when(touch.expires).into(),
                    record::tidy(touch.expires).into(),
                ],
            })
            .collect();
        let owners = call_all(&self.topology, &calls).await?;
        // Notes have to stay as long as the records.
        let notes = touches.iter().zip(owners).filter_map(|(touch, owner)| {
            let Value::BulkString(owner) = owner else { return None };
            Some(self.note(touch.key, owner.try_into().ok()?, touch.expires))
        });
        let notes: Vec<_> = notes.collect();
        call_all(&self.topology, &notes).await.map(drop)
    }

    /// Asks every master by which policy it throws keys away (`maxmemory-policy`), where it is
    /// another one than `noeviction`.
    ///
    /// # Errors
    /// When one of them cannot be asked, or does not tell.
    pub async fn evicting(&self) -> Result<Vec<(String, String)>, Unavailable> {
        let mut found = Vec::new();
        let mut command = redis::cmd("INFO");
        command.arg("memory");
        for (_, master) in &self.topology.map().await?.masters {
            let Value::BulkString(text) = master.send(&command).await? else {
                return Err(Unavailable("INFO was answered with something else".to_owned()));
            };
            if let Some(policy) = node::evicting(&String::from_utf8_lossy(&text)) {
                found.push((master.address().to_string(), policy.to_owned()));
            }
        }
        Ok(found)
    }

    /// Counts the processes that listen to what happens to records: each gateway does, by one connection
    /// to each master. It says a word on the channel that means nothing, and is told how many heard it,
    /// which takes no right that removals do not need.
    ///
    /// # Errors
    /// When a master cannot be asked.
    pub async fn listeners(&self) -> Result<u64, Unavailable> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(self.names.channel()).arg(NOTHING);
        let map = self.topology.map().await?;
        let Some((_, master)) = map.masters.first() else {
            return Err(Unavailable("there is no master".to_owned()));
        };
        match master.send(&command).await? {
            Value::Int(heard) => Ok(u64::try_from(heard).unwrap_or_default()),
            _ => Err(Unavailable("PUBLISH was answered with something else".to_owned())),
        }
    }

    async fn ask_all(&self) -> Result<(), Unavailable> {
        // 1. Every master is there.
        let map = self.topology.map().await?;
        let ping = redis::cmd("PING");
        for answer in join_all(map.masters.iter().map(|(_, node)| node.send(&ping))).await {
            answer.inspect_err(|_| self.topology.hint())?;
        }
        // 2. Something can be kept.
        let arguments = ["1", "PX", "60000"].map(|text| Bytes::from_static(text.as_bytes()));
        self.call(What::Command("SET"), self.names.probe(), arguments.to_vec()).await.map(drop)
    }
}

/// A word on the channel that names no record.
const NOTHING: &str = "-";

impl RecordStore for Redis {
    fn put(&self, key: Key, record: Record) -> Work<'_, ()> {
        Box::pin(async move {
            self.own(key, &record).await?;
            let arguments = record::arguments(&record);
            self.decide(What::Script(&PUT), key, arguments).await.map(drop)
        })
    }

    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool> {
        Box::pin(async move {
            self.own(key, &record).await?;
            let mut arguments = record::arguments(&record);
            arguments.push(record::when(now).into());
            self.decide(What::Script(&PUT_NEW), key, arguments).await
        })
    }

    fn swap(&self, key: Key, sealed: Bytes, record: Record, now: Time) -> Work<'_, bool> {
        Box::pin(async move {
            self.own(key, &record).await?;
            let mut arguments = record::arguments(&record);
            arguments.extend([record::when(now).into(), sealed]);
            self.decide(What::Script(&SWAP), key, arguments).await
        })
    }

    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        Box::pin(async move {
            let fields = FIELDS.map(Bytes::from_static).to_vec();
            let answer = self.call(What::Command("HMGET"), self.names.record(key), fields).await?;
            Ok(read(answer)?.filter(|record| now < record.expires))
        })
    }

    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        Box::pin(async move {
            let arguments = vec![
                record::when(now).into(),
                self.names.channel().into(),
                record::gone(key).into(),
            ];
            let what = What::Script(&TAKE);
            let taken = read(self.call(what, self.names.record(key), arguments).await?)?;
            if let Some(owner) = taken.as_ref().and_then(|record| record.owner) {
                self.disown(key.kind, owner, vec![key.digest]).await;
            }
            Ok(taken)
        })
    }

    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()> {
        Box::pin(self.touch_some(touches))
    }

    fn owned(
        &self,
        kind: Kind,
        owner: Digest,
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<(Digest, Record)>> {
        Box::pin(self.find_owned(kind, owner, limit, now))
    }

    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page> {
        Box::pin(self.page(kind, after, limit, now))
    }

    fn is_watching(&self) -> bool {
        Self::is_watching(self)
    }

    fn watch(&self) -> broadcast::Receiver<Event> {
        self.channel.subscribe()
    }

    fn check(&self) -> Work<'_, ()> {
        Box::pin(self.ask_all())
    }

    fn close(&self) {
        // No other process waits for what this one has of it.
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn read(value: Value) -> Result<Option<Record>, Unavailable> {
    record::read(value).map_err(|_| Unavailable("a record was written by somebody else".to_owned()))
}
