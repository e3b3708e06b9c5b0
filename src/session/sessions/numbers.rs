//! What the sessions tell of themselves in numbers.

use std::time::Duration;

use super::registry::Sessions;
use crate::base::clock::Time;
use std::sync::Arc;

use crate::observe::events::Events;

impl Sessions {
    /// Returns how many sessions this process knows; a few of them may be over and not swept out
    /// yet.
    #[must_use]
    pub fn count_near(&self) -> usize {
        self.local.len()
    }

    /// Returns how many it can know.
    #[must_use]
    pub fn maximum(&self) -> u64 {
        self.settings.maximum
    }

    /// Returns who is told what happens to sessions.
    #[must_use]
    pub fn events(&self) -> &Arc<Events> {
        &self.events
    }

    /// Returns how long the store has been away; zero when it is not.
    #[must_use]
    pub fn away_for(&self, now: Time) -> Duration {
        self.remote.as_ref().map_or(Duration::ZERO, |remote| remote.presence.away_for(now))
    }

    /// Tells whether ends elsewhere are heard of at once.
    #[must_use]
    pub fn hears_of_ends(&self) -> bool {
        self.remote.as_ref().is_none_or(|remote| remote.store.is_watching())
    }
}
