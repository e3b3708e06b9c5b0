//! The sessions that one worker found last, by their cookie: neither hashed nor asked for again.
//!
//! 1. Only cookies of sessions that live are here, compared in whole and in constant time, each for
//!    the host at which it was found: a cookie of one host says nothing at another.
//! 2. A session that is ended, or whose time is over, is not found here from that moment on: the
//!    flag and the times are those of [`CachedSession`], which all share.
//! 3. After a moment the sessions are asked again: they know what was heard from elsewhere.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use super::cached::{ActiveSession, Activity, CachedSession};
use crate::base::clock::{Time, later};
use crate::base::recent::Recent;

/// The table of one worker.
pub struct RecentSessions {
    table: Recent<Cookie, Known>,
    idle: Duration,
}

/// The value of a cookie; wiped when another takes its place.
struct Cookie(Zeroizing<[u8; LENGTH]>);

struct Known {
    host: Box<str>,
    held: Arc<CachedSession>,
    /// When the sessions are asked again.
    until: Time,
}

impl RecentSessions {
    /// Makes an empty table for sessions with that idle time.
    #[must_use]
    pub fn new(idle: Duration) -> Self {
        Self { table: Recent::new(PLACES), idle }
    }

    /// Finds the session of a cookie at a host, if it was found there a moment ago and still lives.
    #[must_use]
    pub fn find(
        &self,
        host: &str,
        cookie: &str,
        activity: Activity,
        now: Time,
    ) -> Option<ActiveSession> {
        let bytes = cookie.as_bytes();
        self.table.find(
            slot(bytes)?,
            |known| verify_slices_are_equal(&*known.0, bytes).is_ok(),
            |known| {
                let is_good = now < known.until && *known.host == *host;
                is_good.then(|| known.held.look(activity, now, self.idle))?
            },
        )
    }

    /// Remembers what was found at a host.
    pub fn remember(&self, host: &str, cookie: &str, live: &ActiveSession, now: Time) {
        if let (Some(slot), Ok(bytes)) = (slot(cookie.as_bytes()), cookie.as_bytes().try_into()) {
            let held = Arc::clone(live.held());
            let known = Known { host: host.into(), held, until: later(now, FRESH) };
            self.table.put(slot, Cookie(Zeroizing::new(bytes)), known);
        }
    }
}

/// Ids are random, so any part of one will do.
fn slot(cookie: &[u8]) -> Option<u64> {
    cookie.first_chunk().map(|first| u64::from_le_bytes(*first).wrapping_mul(MIX) >> 32)
}

/// The letters of an id use less than all bits of a byte.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
/// The length of an id as text.
const LENGTH: usize = 43;
/// How many sessions a worker remembers.
const PLACES: usize = 1024;
/// How long neither the process nor the store is asked again.
const FRESH: Duration = Duration::from_millis(400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, ManualClock};
    use crate::session::SessionId;
    use crate::session::testing::{session, settings};

    const HOST: &str = "portal.example";

    fn begun(clock: &ManualClock) -> (RecentSessions, SessionId, Arc<CachedSession>) {
        let recent = RecentSessions::new(settings().idle);
        let (id, now) = (SessionId::generate(), clock.now());
        let held = CachedSession::new(id.key(), session(id.key(), now), now);
        let live = held.look(Activity::Alive, now, settings().idle).unwrap();
        recent.remember(HOST, id.expose(), &live, now);
        (recent, id, held)
    }

    #[test]
    fn a_session_is_found_by_its_whole_cookie_only() {
        let clock = ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap());
        let (recent, id, _) = begun(&clock);
        let find = |cookie: &str| recent.find(HOST, cookie, Activity::Alive, clock.now());
        assert_eq!(find(id.expose()).unwrap().key(), id.key());
        assert!(
            recent.find("other.example", id.expose(), Activity::Alive, clock.now()).is_none(),
            "it is a cookie of one host"
        );
        let mut other = id.expose().to_owned();
        other.pop();
        assert!(find(&other).is_none());
        other.push('-');
        assert_eq!(find(&other).is_some(), other == id.expose());
        assert!(find("").is_none());
        assert!(find(SessionId::generate().expose()).is_none());
    }

    #[test]
    fn a_session_that_was_ended_is_not_found_any_more() {
        let clock = ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap());
        let (recent, id, held) = begun(&clock);
        held.end();
        assert!(recent.find(HOST, id.expose(), Activity::Alive, clock.now()).is_none());
    }

    #[test]
    fn the_sessions_are_asked_again_after_a_moment() {
        let clock = ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap());
        let (recent, id, _) = begun(&clock);
        clock.advance(FRESH - Duration::from_millis(1));
        assert!(recent.find(HOST, id.expose(), Activity::Background, clock.now()).is_some());
        clock.advance(Duration::from_millis(1));
        assert!(recent.find(HOST, id.expose(), Activity::Background, clock.now()).is_none());
    }
}
