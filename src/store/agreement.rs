//! Replicas that share a store share a secret too: one that seals with a secret which the others do
//! not have signs out citizens who are led from one to the other. It is told before that happens.
//!
//! 1. Each replica leaves marks of its secrets in the store, by which no secret is learnt or made,
//!    and renews them while it runs ([`PERIOD`]). So they are there for as long as a replica runs,
//!    and a little longer ([`LIFE`]): after that every secret may be changed at once.
//! 2. A replica that begins looks at the marks of the others first. With no secret in common it
//!    does not begin. One in common is enough, so that secrets can rotate; but if the others seal
//!    with one that is not known here, there is a warning.
//! 3. What the store says is not believed: a mark is good for this one question. A user who can
//!    write to it can keep a replica from beginning, as by taking all records away, and nothing
//!    else.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tracing::{error, info, warn};

use super::seal::Sealer;
use super::{Digest, Key, Kind, Record, RecordStore, Touch, Unavailable};
use crate::base::clock::{SharedClock, Time, later};
use crate::base::encoding::sha256;

/// What a replica has to do with the others.
pub struct Agreement {
    store: Arc<dyn RecordStore>,
    /// Of the secret that seals, then of those that open.
    marks: Vec<Digest>,
    /// Which replica this is and where its secrets are, for operators who read of it elsewhere.
    whose: String,
}

/// What is wrong between replicas.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// Neither opens what the other seals.
    #[error(
        "another replica ({theirs}) has another secret for the session store than this one ({ours}): \
         give the same file to each, by copying it or in store.secret_files; or, to change it \
         everywhere at once, stop all replicas for a minute first"
    )]
    NothingInCommon {
        /// Which one, as it says.
        theirs: String,
        /// This replica, and where its secrets are.
        ours: String,
    },
    /// What the other seals does not open here.
    #[error(
        "another replica ({theirs}) seals with a secret that this one ({ours}) does not have: add it \
         to store.secret_files here"
    )]
    Unknown {
        /// Which one, as it says.
        theirs: String,
        /// This replica, and where its secrets are.
        ours: String,
    },
}

impl Agreement {
    /// Prepares to look. `host` and `files` say which replica this is and where its secrets are.
    #[must_use]
    pub fn new(store: Arc<dyn RecordStore>, sealer: &Sealer, host: &str, files: &str) -> Self {
        let mut marks = sealer.marks();
        marks.truncate(MOST);
        Self { store, marks, whose: shown(format!("{host}, {files}").as_bytes()) }
    }

    /// Leaves our marks, unless those of another replica have nothing in common with them.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn look(&self, now: Time) -> Result<Option<Disagreement>, Unavailable> {
        for _ in 0..ATTEMPTS {
            let ours = self.record(now);
            let Some(found) = self.store.get(key(), now).await? else {
                if self.store.put_new(key(), ours, now).await? {
                    return Ok(None);
                }
                continue;
            };
            let marks = read(&found.sealed);
            let knows = |mark: &Digest| self.marks.contains(mark);
            let names = || (shown(&found.label), self.whose.clone());
            if !marks.iter().any(knows) {
                let (theirs, ours) = names();
                return Ok(Some(Disagreement::NothingInCommon { theirs, ours }));
            }
            if found.sealed == ours.sealed {
                let touch = Touch { key: key(), alive: ours.alive, expires: ours.expires };
                self.store.touch(vec![touch]).await?;
                return Ok(None);
            }
            if self.store.swap(key(), found.sealed.clone(), ours, now).await? {
                let (theirs, ours) = names();
                let is_known = marks.first().is_some_and(knows);
                return Ok((!is_known).then_some(Disagreement::Unknown { theirs, ours }));
            }
        }
        // Others are at it right now: the last one has looked.
        Ok(None)
    }

    /// Compares our marks with those that are there, and leaves none.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn compare(&self, now: Time) -> Result<Option<Disagreement>, Unavailable> {
        let Some(found) = self.store.get(key(), now).await? else { return Ok(None) };
        let marks = read(&found.sealed);
        let knows = |mark: &Digest| self.marks.contains(mark);
        let (theirs, ours) = (shown(&found.label), self.whose.clone());
        Ok(match (marks.iter().any(knows), marks.first().is_some_and(knows)) {
            (false, _) => Some(Disagreement::NothingInCommon { theirs, ours }),
            (true, false) => Some(Disagreement::Unknown { theirs, ours }),
            (true, true) => None,
        })
    }

    /// Looks again and again, and tells what has changed; never ends.
    pub async fn keep(self, clock: SharedClock) {
        let mut told = None;
        loop {
            tokio::time::sleep(PERIOD).await;
            // A store that is away is told of elsewhere.
            let Ok(found) = self.look(clock.now()).await else { continue };
            if found == told {
                continue;
            }
            match &found {
                None => info!("replicas agree on the secrets of the session store"),
                Some(Disagreement::Unknown { .. }) => tell(&found),
                Some(disagreement) => {
                    error!(%disagreement, "sessions do not open at every replica");
                }
            }
            told = found;
        }
    }

    fn record(&self, now: Time) -> Record {
        Record {
            sealed: Bytes::from(self.marks.concat()),
            label: Bytes::copy_from_slice(self.whose.as_bytes()),
            owner: None,
            alive: now.as_millisecond(),
            expires: later(now, LIFE),
        }
    }
}

/// Warns of what does not keep a replica from beginning.
pub fn tell(found: &Option<Disagreement>) {
    if let Some(disagreement) = found {
        warn!(%disagreement, "some sessions do not open here");
    }
}

/// Where the marks are: among what no operator lists and nothing makes room for.
fn key() -> Key {
    Key { kind: Kind::Used, digest: sha256(b"brama marks of the secrets of replicas 1") }
}

fn read(marks: &[u8]) -> Vec<Digest> {
    let (marks, _) = marks.as_chunks();
    marks.iter().take(MOST).copied().collect()
}

/// Returns what may be written into a log and onto a screen, whatever the other replica wrote.
fn shown(text: &[u8]) -> String {
    let visible = |&byte: &u8| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '?' };
    text.iter().take(LONGEST).map(visible).collect()
}

/// How often marks are renewed.
pub const PERIOD: Duration = Duration::from_secs(15);
/// How long marks are good.
pub const LIFE: Duration = Duration::from_secs(60);
/// How many secrets are looked at.
const MOST: usize = 16;
/// How long the name of a replica may be.
const LONGEST: usize = 200;
/// How often it is tried again when others write at the same time.
const ATTEMPTS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::store::memory::Memory;

    fn replica(store: &Arc<Memory>, host: &str, secrets: &[&str]) -> Agreement {
        let secrets = secrets.iter().map(|text| Secret::new(text.as_bytes().to_vec())).collect();
        Agreement::new(store.clone(), &Sealer::new(secrets), host, "/state/store-secret")
    }

    fn begin() -> Time {
        "2031-01-01T00:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_replica_with_another_secret_is_told_which_one_has_which() {
        let (store, now) = (Arc::new(Memory::new(10)), begin());
        let one = replica(&store, "one", &["a"]);
        assert_eq!(one.look(now).await, Ok(None));
        assert_eq!(one.look(now).await, Ok(None));
        assert_eq!(replica(&store, "twin", &["a"]).look(now).await, Ok(None));
        let found = replica(&store, "other", &["b"]).look(now).await.unwrap().unwrap();
        let said = found.to_string();
        assert!(said.contains("(twin, /state") || said.contains("(one, /state"), "{said}");
        assert!(said.contains("this one (other, /state/store-secret)"), "{said}");
        assert!(matches!(found, Disagreement::NothingInCommon { .. }));
        // It left nothing, so the others go on.
        assert_eq!(one.look(now).await, Ok(None));
    }

    #[tokio::test]
    async fn secrets_rotate_while_replicas_run() {
        let (store, now) = (Arc::new(Memory::new(10)), begin());
        for secrets in [&["old"][..], &["old", "new"], &["old"], &["old", "new"], &["new", "old"]] {
            assert_eq!(replica(&store, "r", secrets).look(now).await, Ok(None), "{secrets:?}");
        }
        // Too early: what the others seal does not open here.
        let found = replica(&store, "late", &["old"]).look(now).await.unwrap();
        assert!(matches!(found, Some(Disagreement::Unknown { .. })), "{found:?}");
        for secrets in [&["new", "old"][..], &["new"]] {
            assert_eq!(replica(&store, "r", secrets).look(now).await, Ok(None), "{secrets:?}");
        }
        let found = replica(&store, "late", &["old"]).look(now).await.unwrap();
        assert!(matches!(found, Some(Disagreement::NothingInCommon { .. })), "{found:?}");
    }

    #[tokio::test]
    async fn when_nobody_has_run_for_a_minute_every_secret_may_be_new() {
        let (store, now) = (Arc::new(Memory::new(10)), begin());
        let one = replica(&store, "one", &["a"]);
        one.look(now).await.unwrap();
        // Renewed, so it counts from there.
        let renewed = later(now, LIFE / 2);
        one.look(renewed).await.unwrap();
        let other = replica(&store, "other", &["b"]);
        let just_before = later(renewed, LIFE - Duration::from_millis(1));
        assert!(other.look(just_before).await.unwrap().is_some());
        assert_eq!(other.look(later(renewed, LIFE)).await, Ok(None));
    }

    #[tokio::test]
    async fn what_somebody_writes_there_is_refused_and_shown_without_harm() {
        let (store, now) = (Arc::new(Memory::new(10)), begin());
        for sealed in [&b""[..], b"short", &[0; 32], &[7; 4096]] {
            let record = Record {
                sealed: Bytes::copy_from_slice(sealed),
                label: Bytes::from(b"\x1b[2J\nerror: \xc5\x82".repeat(100)),
                owner: None,
                alive: 0,
                expires: later(now, LIFE),
            };
            store.put(key(), record).await.unwrap();
            let found = replica(&store, "one", &["a"]).look(now).await.unwrap().unwrap();
            let said = found.to_string();
            assert!(said.len() < 1000 && said.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            assert!(said.contains("this one (one, /state/store-secret)"), "{said}");
        }
    }
}
