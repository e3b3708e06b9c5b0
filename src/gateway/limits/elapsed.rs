//! Time that has passed, by a clock that can be set.
//!
//! Limits need time that only grows. The clock of a machine can be set back, and a limit that went
//! by it would then refuse for as long as it was set back. So what is counted are the steps
//! forward.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;

use crate::base::clock::{SharedClock, Time};

/// How much time has passed since it was made.
#[derive(Clone)]
pub(super) struct Elapsed {
    clock: SharedClock,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    last: Time,
    passed: Duration,
}

impl Elapsed {
    pub(super) fn new(clock: SharedClock) -> Self {
        let seen = Seen { last: clock.now(), passed: Duration::ZERO };
        Self { clock, seen: Arc::new(Mutex::new(seen)) }
    }
}

impl Clock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Negative when the clock was set back: no time has passed then.
        let step = Duration::try_from(now.duration_since(seen.last)).unwrap_or_default();
        seen.last = now;
        seen.passed = seen.passed.saturating_add(step).min(LONGEST);
        seen.passed
    }
}

/// What the limiter can count in nanoseconds, with room to add to it.
const LONGEST: Duration = Duration::from_secs(200 * 365 * 24 * 3600);
