//! Many records at once: those of an owner, and those of a kind page by page.

use bytes::Bytes;
use redis::Value;

use super::calls::{Call, What, call_all};
use super::record::{self, ENTRY_MARGIN, FIELDS};
use super::topology::Map;
use super::{Redis, read};
use crate::base::clock::Time;
use crate::base::encoding::hex_lower;
use crate::store::{Digest, Key, Kind, Page, Record, Unavailable};

/// How many notes of an owner are read at most.
const NOTES: usize = 4096;

/// How many records are read in one go. Few, because each can be as large as a form.
const READS: usize = 32;

/// How many steps through the keys of a server one page may take.
const STEPS: usize = 10;

/// How many keys a step looks at, at least and at most.
const STEP: (usize, usize) = (100, 1000);

/// Where a page left off: at which master, where in its keys, and behind which key of that step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cursor {
    master: String,
    position: u64,
    behind: Option<Digest>,
}

impl Redis {
    pub(super) async fn find_owned(
        &self,
        kind: Kind,
        owner: Digest,
        limit: usize,
        now: Time,
    ) -> Result<Vec<(Digest, Record)>, Unavailable> {
        // 1. Notes, those that end last first: what is over is at their end.
        let range = ["0".to_owned(), (NOTES - 1).to_string(), "WITHSCORES".to_owned()];
        let range = range.map(Bytes::from).to_vec();
        let key = self.names.owner(kind, owner);
        let notes = notes(self.call(What::Command("ZREVRANGE"), key, range).await?);
        // 2. The records that they lead to.
        let (mut found, mut stale) = (Vec::new(), Vec::new());
        for notes in notes.chunks(READS) {
            let digests = notes.iter().map(|(digest, _)| *digest);
            let records = self.read_all(kind, digests).await?;
            for ((digest, expires), record) in notes.iter().zip(records) {
                let of_owner = record.filter(|record| record.owner == Some(owner));
                let is_there = of_owner.is_some();
                let live = of_owner.filter(|record| now < record.expires);
                found.extend(live.filter(|_| found.len() < limit).map(|record| (*digest, record)));
                // A record may be on its way, and its note is there first.
                let age = now.as_millisecond().saturating_sub(*expires);
                if !is_there && age > ENTRY_MARGIN {
                    stale.push(*digest);
                }
            }
            if found.len() >= limit {
                break;
            }
        }
        // 3. Notes that lead nowhere and never will.
        self.disown(kind, owner, stale).await;
        Ok(found)
    }

    pub(super) async fn page(
        &self,
        kind: Kind,
        after: Option<String>,
        limit: usize,
        now: Time,
    ) -> Result<Page, Unavailable> {
        let map = self.topology.map().await?;
        let limit = limit.max(1);
        // What is not a cursor of ours begins anew.
        let mut cursor = Some(after.and_then(|text| Cursor::read(&text)).unwrap_or_default());
        for _ in 0..STEPS {
            let Some(here) = cursor.take() else { break };
            let (digests, next) = self.step(&map, kind, &here, limit).await?;
            cursor = next;
            let records = self.read_all(kind, digests.iter().copied()).await?;
            let records = digests.into_iter().zip(records).filter_map(|(digest, record)| {
                record.filter(|record| now < record.expires).map(|record| (digest, record))
            });
            let records: Vec<_> = records.collect();
            if !records.is_empty() {
                let next = cursor.map(|cursor| cursor.write());
                return Ok(Page { records, next });
            }
        }
        Ok(Page { records: Vec::new(), next: cursor.map(|cursor| cursor.write()) })
    }

    /// Looks at some keys of one master: those of the kind, and where to go on.
    async fn step(
        &self,
        map: &Map,
        kind: Kind,
        here: &Cursor,
        limit: usize,
    ) -> Result<(Vec<Digest>, Option<Cursor>), Unavailable> {
        let mut masters = map.masters.iter();
        let start = match here.master.as_str() {
            "" => masters.next(),
            master => masters.find(|(name, _)| name == master),
        };
        // A position in the keys of one server means nothing to another.
        let (name, node) = start.ok_or_else(|| {
            Unavailable("servers have changed since the page before; begin anew".to_owned())
        })?;
        let position = here.position;
        let mut command = redis::cmd("SCAN");
        command.arg(position).arg("MATCH").arg(self.names.pattern(kind));
        command.arg("COUNT").arg(limit.clamp(STEP.0, STEP.1));
        let answer = node.send(&command).await.inspect_err(|_| self.topology.hint())?;
        let (next, keys) = scanned(answer)
            .ok_or_else(|| Unavailable(format!("{} has an odd answer to SCAN", node.address())))?;
        // In an order of our own, so that a step can be left in its middle.
        let mut digests: Vec<_> =
            keys.iter().filter_map(|key| self.names.digest(kind, key)).collect();
        digests.sort_unstable();
        digests.dedup();
        if let Some(behind) = here.behind {
            digests.retain(|digest| *digest > behind);
        }
        let cursor = if digests.len() > limit {
            digests.truncate(limit);
            Some(Cursor { master: name.clone(), position, behind: digests.last().copied() })
        } else if next != 0 {
            Some(Cursor { master: name.clone(), position: next, behind: None })
        } else {
            masters.next().map(|(name, _)| Cursor { master: name.clone(), ..Cursor::default() })
        };
        Ok((digests, cursor))
    }

    async fn read_all(
        &self,
        kind: Kind,
        digests: impl Iterator<Item = Digest>,
    ) -> Result<Vec<Option<Record>>, Unavailable> {
        let calls: Vec<_> = digests
            .map(|digest| Call {
                key: self.names.record(Key { kind, digest }),
                what: What::Command("HMGET"),
                arguments: FIELDS.map(Bytes::from_static).to_vec(),
            })
            .collect();
        let mut records = Vec::with_capacity(calls.len());
        for calls in calls.chunks(READS) {
            for value in call_all(&self.topology, calls).await? {
                records.push(read(value)?);
            }
        }
        Ok(records)
    }
}

impl Cursor {
    fn write(&self) -> String {
        let behind = self.behind.map(|digest| hex_lower(&digest)).unwrap_or_default();
        format!("{}/{}/{behind}", self.position, self.master)
    }

    fn read(text: &str) -> Option<Self> {
        let (position, rest) = text.split_once('/')?;
        let (master, behind) = rest.rsplit_once('/')?;
        let behind = match behind {
            "" => None,
            behind => Some(record::digest(behind)?),
        };
        Some(Self { master: master.to_owned(), position: position.parse().ok()?, behind })
    }
}

/// Reads digests and when they expire.
fn notes(value: Value) -> Vec<(Digest, i64)> {
    let Value::Array(values) = value else { return Vec::new() };
    let pairs = values.chunks_exact(2).filter_map(|pair| match pair {
        [Value::BulkString(digest), Value::BulkString(score)] => {
            let score: f64 = std::str::from_utf8(score).ok()?.parse().ok()?;
            Some((digest.as_slice().try_into().ok()?, score as i64))
        }
        _ => None,
    });
    pairs.collect()
}

/// Reads where to go on, and keys.
fn scanned(value: Value) -> Option<(u64, Vec<Vec<u8>>)> {
    let Value::Array(parts) = value else { return None };
    let [Value::BulkString(next), Value::Array(keys)] = <[Value; 2]>::try_from(parts).ok()? else {
        return None;
    };
    let next = std::str::from_utf8(&next).ok()?.parse().ok()?;
    let keys = keys.into_iter().filter_map(|key| match key {
        Value::BulkString(key) => Some(key),
        _ => None,
    });
    Some((next, keys.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cursors_that_it_writes_and_no_others() {
        let cursors = [
            Cursor::default(),
            Cursor { master: "[::1]:6379".to_owned(), position: u64::MAX, behind: Some([7; 32]) },
        ];
        for cursor in cursors {
            assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        }
        for wrong in ["", "nonsense", "x//", "1/a/b", "-1//"] {
            assert_eq!(Cursor::read(wrong), None, "{wrong}");
        }
    }
}
