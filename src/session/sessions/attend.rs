//! What goes on beside the requests: hearing of ends, telling of signs of life, tidying.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use super::super::SessionKey;
use super::far::Far;
use super::registry::Sessions;
use crate::base::clock::{SharedClock, Time};
use crate::store::{Event, Key, Kind};

impl Sessions {
    /// Keeps near what is far, and tells the place of signs of life; never ends.
    pub async fn attend(self: Arc<Self>, clock: SharedClock) {
        let Some(far) = &self.far else { return self.keep_tidy(&clock).await };
        // Whoever waits for the place hears of ends meanwhile.
        tokio::join!(self.hear(far, &clock), self.keep_told(far, &clock), self.keep_tidy(&clock));
    }

    async fn keep_tidy(&self, clock: &SharedClock) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.near.sweep(clock.now());
        }
    }

    async fn hear(&self, far: &Far, clock: &SharedClock) {
        let mut events = far.place.watch();
        loop {
            match events.recv().await {
                Ok(Event::Gone(key)) if key.kind == Kind::Session => {
                    far.ends.fetch_add(1, Ordering::AcqRel);
                    if let Some(held) = self.near.remove(&SessionKey(key.digest)) {
                        held.end();
                    }
                }
                Ok(Event::Gone(_)) => {}
                Ok(Event::Missed) | Err(RecvError::Lagged(_)) => far.begin_round(clock.now()),
                // A place never stops telling; if it did, nothing would be heard.
                Err(RecvError::Closed) => {
                    far.begin_round(clock.now());
                    tokio::time::sleep(TICK).await;
                }
            }
        }
    }

    async fn keep_told(&self, far: &Far, clock: &SharedClock) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut checked = tokio::time::Instant::now();
        loop {
            tick.tick().await;
            let is_watching = far.place.is_watching();
            if !is_watching {
                far.begin_round(clock.now());
            }
            self.tell(far, clock.now()).await;
            // Sessions that are near do not ask meanwhile, so somebody has to.
            if far.presence.is_unread() {
                let now = clock.now();
                let _ = far.presence.read(far.place.get(PROBE, now).await, now);
            }
            if !is_watching || far.presence.is_away() || checked.elapsed() >= CHECK {
                let _ = far.presence.wrote(far.place.check().await, clock.now());
                checked = tokio::time::Instant::now();
            }
        }
    }

    /// Tells the place of signs of life that it does not know yet; for the end of the process.
    pub async fn tell_all(&self, now: Time) {
        if let Some(far) = &self.far {
            let touches =
                self.near.collect(|held| held.to_tell(Duration::ZERO).map(|_| self.touch(held)));
            far.touches().extend(touches);
            self.tell(far, now).await;
        }
    }

    pub(super) async fn tell(&self, far: &Far, now: Time) {
        let touches = std::mem::take(&mut *far.touches());
        if touches.is_empty() {
            return;
        }
        // They are not worth keeping when the place is away: each session is told of again.
        let _ = far.presence.wrote(far.place.touch(touches).await, now);
    }
}

/// How often the place is told of signs of life, and looked at while it is not heard.
const TICK: Duration = Duration::from_millis(500);
/// How often the place is asked whether it takes something in although nobody has to know.
const CHECK: Duration = Duration::from_secs(5);
/// What is read to learn whether anything can be: nothing is there.
const PROBE: Key = Key { kind: Kind::Ended, digest: [0; 32] };
