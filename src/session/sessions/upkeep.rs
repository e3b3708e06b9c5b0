//! What goes on beside the requests: hearing of ends, telling of signs of life, tidying.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use super::super::SessionKey;
use super::registry::Sessions;
use super::remote::RemoteSessions;
use crate::base::clock::{SharedClock, Time};
use crate::store::{Event, Key, Kind};

impl Sessions {
    /// Keeps what is in memory true to the store, and writes signs of life there; never ends.
    pub async fn serve(self: Arc<Self>, clock: SharedClock) {
        let Some(remote) = &self.remote else { return self.keep_tidy(&clock).await };
        // Side by side: while one waits for the store, another hears of ends.
        tokio::join!(
            self.watch_revocations(remote, &clock),
            self.flush_activity(remote, &clock),
            self.keep_tidy(&clock)
        );
    }

    async fn keep_tidy(&self, clock: &SharedClock) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.local.sweep(clock.now());
        }
    }

    async fn watch_revocations(&self, remote: &RemoteSessions, clock: &SharedClock) {
        let mut events = remote.store.watch();
        loop {
            match events.recv().await {
                Ok(Event::Gone(key)) if key.kind == Kind::Session => {
                    remote.ends.fetch_add(1, Ordering::AcqRel);
                    if let Some(held) = self.local.remove(&SessionKey(key.digest)) {
                        held.end();
                    }
                }
                Ok(Event::Gone(_)) => {}
                Ok(Event::Missed) | Err(RecvError::Lagged(_)) => remote.begin_round(clock.now()),
                // A store never stops telling; if it did, nothing would be heard.
                Err(RecvError::Closed) => {
                    remote.begin_round(clock.now());
                    tokio::time::sleep(TICK).await;
                }
            }
        }
    }

    async fn flush_activity(&self, remote: &RemoteSessions, clock: &SharedClock) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut checked = tokio::time::Instant::now();
        loop {
            tick.tick().await;
            let is_watching = remote.store.is_watching();
            if !is_watching {
                remote.begin_round(clock.now());
            }
            self.write_activity(remote, clock.now()).await;
            // Sessions that are near do not ask meanwhile, so this task has to.
            if remote.presence.is_unread() || remote.presence.is_away() {
                let now = clock.now();
                let _ = remote.presence.read(remote.store.get(PROBE, now).await, now);
            }
            if !is_watching || remote.presence.is_away() || checked.elapsed() >= CHECK {
                let _ = remote.presence.wrote(remote.store.check().await, clock.now());
                checked = tokio::time::Instant::now();
            }
            self.settle_owed(remote, clock.now()).await;
        }
    }

    /// Tells the store of signs of life that it does not know yet; for the end of the process.
    pub async fn write_all_activity(&self, now: Time) {
        if let Some(remote) = &self.remote {
            let touches = self
                .local
                .collect(|held| held.unwritten_activity(Duration::ZERO).map(|_| self.touch(held)));
            remote.touches().extend(touches);
            self.write_activity(remote, now).await;
        }
    }

    pub(super) async fn write_activity(&self, remote: &RemoteSessions, now: Time) {
        let touches = std::mem::take(&mut *remote.touches());
        if touches.is_empty() {
            return;
        }
        // They are not worth keeping when the store is away: each session is told of again.
        let _ = remote.presence.wrote(remote.store.touch(touches).await, now);
    }
}

/// How often the store is told of signs of life, and looked at while it is not heard.
const TICK: Duration = Duration::from_millis(500);
/// How often the store is asked whether it takes something in when nothing is to be written.
const CHECK: Duration = Duration::from_secs(5);
/// What is read to learn whether anything can be: nothing is there.
const PROBE: Key = Key { kind: Kind::Ended, digest: [0; 32] };
