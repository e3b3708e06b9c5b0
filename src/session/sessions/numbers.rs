//! What the sessions tell of themselves in numbers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Sessions;
use crate::base::clock::Time;
use crate::observe::metrics::ByName;

impl Sessions {
    /// Returns how many sessions this process knows. It tidies up for that, so it is for whoever
    /// watches and not for a request.
    #[must_use]
    pub fn count_near(&self) -> u64 {
        self.near.run_pending_tasks();
        self.near.entry_count()
    }

    /// Returns how many it can know.
    #[must_use]
    pub fn maximum(&self) -> u64 {
        self.settings.maximum
    }

    /// Returns what was ended here, by its cause.
    #[must_use]
    pub fn ended(&self) -> &ByName {
        &self.ended
    }

    /// Returns how long the place has been away; zero when it is not.
    #[must_use]
    pub fn away_for(&self, now: Time) -> Duration {
        let since = self.far.as_ref().map_or(0, |far| far.away_since.load(Ordering::Relaxed));
        match since {
            0 => Duration::ZERO,
            since => {
                let passed = now.as_millisecond().saturating_sub(since);
                Duration::from_millis(u64::try_from(passed).unwrap_or(0))
            }
        }
    }

    /// Tells whether ends elsewhere are heard of at once.
    #[must_use]
    pub fn hears_of_ends(&self) -> bool {
        self.far.as_ref().is_none_or(|far| far.place.is_watching())
    }
}
