//! How a server stands: what requests and health checks have taught, and what follows.
//!
//! 1. **Passive.** A row of `max_fails` failures, with no success between and none older than
//!    `fail_timeout`, puts a server out for `fail_timeout`; each time again for twice as long, up
//!    to [`LONGEST_FACTOR`] times. It is forgiven after having served for the longest time.
//! 2. **Half open.** When the time is over, one request tries it. A success brings it back, a
//!    failure puts it out again. A trial that says nothing makes way for another one.
//! 3. **Active.** What the health checks say stands beside it: a server that they call down gets
//!    nothing, whatever its requests say.
//! 4. **Slow start.** A server that is new or came back gets a tenth of its share at first, and
//!    more from moment to moment until `slow_start` is over.
//!
//! Time is in milliseconds since the group began ([`Moment`]). The numbers are read and written
//! without order between them: each is right on its own, and a request that sees the state of a
//! moment ago does no harm.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::time::Duration;

use super::settings::Passive;

/// A point in time: milliseconds since the group began, and never zero.
pub(super) type Moment = u64;

/// No point in time: what it stands for has not happened.
const NEVER: Moment = 0;

/// A moment that is always over.
const LONG_AGO: Moment = 1;

/// An ejection lasts at most so many times `fail_timeout`.
const LONGEST_FACTOR: u64 = 32;

/// A full share. Shares are counted in these.
pub(super) const FULL: u32 = 1024;

/// The share that slow start begins with.
const FIRST_SHARE: u64 = FULL as u64 / 10;

/// The rules of a group, in its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    max_fails: u32,
    fail_timeout: u64,
    slow_start: u64,
}

impl Rules {
    pub(super) fn new(passive: Passive, slow_start: Duration) -> Self {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            max_fails: passive.max_fails,
            fail_timeout: milliseconds(passive.fail_timeout).max(1),
            slow_start: milliseconds(slow_start),
        }
    }

    fn longest_ejection(&self) -> u64 {
        self.fail_timeout.saturating_mul(LONGEST_FACTOR)
    }
}

/// What a server may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Any number of requests.
    Open,
    /// One request, to try it.
    TrialDue,
    /// Nothing, unless there is no other.
    Ejected,
    /// Nothing: health checks say that it is down.
    Down,
}

/// What a failure led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is remembered, and changes nothing about the server.
    Noted,
    /// It puts the server out for this long.
    Ejected(Duration),
}

/// How a request came to a server, which says how much its end means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The server was well.
    Usual,
    /// There is no other server in the group, so to put it out would help no client.
    Sole,
    /// The server was out and is tried.
    Trial,
    /// The server was out, and there was no other.
    LastResort,
}

/// How a server stands.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// The health checks say that it is down.
    down: AtomicBool,
    /// Failures in a row.
    fails: AtomicU32,
    /// When the row began.
    first_fail: AtomicU64,
    /// Until when it is out, or [`NEVER`].
    out_until: AtomicU64,
    /// How often it was put out without being forgiven.
    ejections: AtomicU32,
    /// Since when it is back or new, or [`NEVER`] if it always was there.
    since: AtomicU64,
}

impl Standing {
    /// Makes the standing of a server that was there from the beginning.
    pub(super) fn settled() -> Self {
        Self::default()
    }

    /// Makes the standing of a server that is new at this moment.
    pub(super) fn fresh(now: Moment) -> Self {
        Self { since: AtomicU64::new(now), ..Self::default() }
    }

    /// Says what may be asked. The time is only looked at when it matters.
    #[inline]
    pub(super) fn access(&self, now: impl FnOnce() -> Moment) -> Access {
        if self.down.load(Relaxed) {
            return Access::Down;
        }
        match self.out_until.load(Relaxed) {
            NEVER => Access::Open,
            until if until <= now() => Access::TrialDue,
            _ => Access::Ejected,
        }
    }

    /// Takes the one trial, if it is still to be had. It is kept free for `fail_timeout`.
    pub(super) fn take_trial(&self, now: Moment, rules: &Rules) -> bool {
        let until = self.out_until.load(Relaxed);
        let next = now.saturating_add(rules.fail_timeout);
        until != NEVER
            && until <= now
            && self.out_until.compare_exchange(until, next, Relaxed, Relaxed).is_ok()
    }

    /// Gives back a trial of which nothing was learnt.
    pub(super) fn return_trial(&self) {
        let _ = self
            .out_until
            .fetch_update(Relaxed, Relaxed, |until| (until != NEVER).then_some(LONG_AGO));
    }

    /// Returns the share of its weight that it gets, of [`FULL`].
    #[inline]
    pub(super) fn share(&self, now: impl FnOnce() -> Moment, rules: &Rules) -> u32 {
        if rules.slow_start == 0 {
            return FULL;
        }
        match self.since.load(Relaxed) {
            NEVER => FULL,
            since => {
                let passed = now().saturating_sub(since);
                if passed >= rules.slow_start {
                    return FULL;
                }
                let grown = passed.saturating_mul(u64::from(FULL)) / rules.slow_start;
                u32::try_from(grown.max(FIRST_SHARE)).unwrap_or(FULL)
            }
        }
    }

    /// A request went well. Tells whether that brought the server back.
    #[inline]
    pub(super) fn succeed(&self, kind: Kind, now: impl FnOnce() -> Moment) -> bool {
        if self.fails.load(Relaxed) != 0 {
            self.fails.store(0, Relaxed);
        }
        // A request from before the ejection says nothing about the time since.
        let back = kind != Kind::Usual
            && self.out_until.load(Relaxed) != NEVER
            && self.out_until.swap(NEVER, Relaxed) != NEVER;
        if back {
            self.since.store(now(), Relaxed);
        }
        back
    }

    /// Notes that a request failed, and says what follows for the server.
    pub(super) fn fail(&self, kind: Kind, now: Moment, rules: &Rules) -> Verdict {
        if rules.max_fails == 0 || kind == Kind::Sole {
            return Verdict::Noted;
        }
        let out = self.out_until.load(Relaxed) != NEVER;
        match kind {
            Kind::Trial => return self.eject(now, rules),
            // It is out already, for failures of the same time.
            _ if out => return Verdict::Noted,
            _ => {}
        }
        let first = self.first_fail.load(Relaxed);
        let stale = now.saturating_sub(first) > rules.fail_timeout;
        let fails = if stale || self.fails.load(Relaxed) == 0 {
            self.first_fail.store(now, Relaxed);
            self.fails.store(1, Relaxed);
            1
        } else {
            self.fails.fetch_add(1, Relaxed).saturating_add(1)
        };
        if fails < rules.max_fails { Verdict::Noted } else { self.eject(now, rules) }
    }

    fn eject(&self, now: Moment, rules: &Rules) -> Verdict {
        self.fails.store(0, Relaxed);
        let since = self.since.load(Relaxed);
        let returned = self.out_until.load(Relaxed) == NEVER;
        if returned && now.saturating_sub(since) >= rules.longest_ejection() {
            self.ejections.store(0, Relaxed);
        }
        let before = self.ejections.fetch_add(1, Relaxed);
        let factor = 1_u64.checked_shl(before).unwrap_or(LONGEST_FACTOR).min(LONGEST_FACTOR);
        let time = rules.fail_timeout.saturating_mul(factor);
        self.out_until.store(now.saturating_add(time), Relaxed);
        Verdict::Ejected(Duration::from_millis(time))
    }

    /// The health checks say that the server is down.
    pub(super) fn take_down(&self) {
        self.down.store(true, Relaxed);
    }

    /// The health checks say that the server is back. What its requests said is forgotten.
    pub(super) fn bring_up(&self, now: Moment) {
        self.fails.store(0, Relaxed);
        self.out_until.store(NEVER, Relaxed);
        self.since.store(now, Relaxed);
        self.down.store(false, Relaxed);
    }

    /// Returns the failures in a row.
    pub(super) fn fails(&self) -> u32 {
        self.fails.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Moment = 1000;

    fn rules() -> Rules {
        let passive = Passive { max_fails: 3, fail_timeout: Duration::from_secs(10) };
        Rules::new(passive, Duration::from_secs(20))
    }

    #[test]
    fn a_server_that_is_well_is_not_tried() {
        let standing = Standing::settled();
        assert!(!standing.take_trial(SECOND, &rules()));
        assert_eq!(access(&standing, SECOND), Access::Open);
    }

    #[test]
    fn a_row_is_one_as_long_as_its_time_is_not_over() {
        for (last, verdict) in [
            (11 * SECOND, Verdict::Ejected(Duration::from_secs(10))),
            (11 * SECOND + 1, Verdict::Noted),
        ] {
            let standing = Standing::settled();
            assert_eq!(standing.fail(Kind::Usual, SECOND, &rules()), Verdict::Noted);
            assert_eq!(standing.fail(Kind::Usual, last, &rules()), Verdict::Noted);
            assert_eq!(standing.fail(Kind::Usual, last, &rules()), verdict);
        }
    }

    #[test]
    fn what_requests_said_is_forgotten_when_health_checks_bring_a_server_back() {
        let standing = Standing::settled();
        for _ in 0..3 {
            standing.fail(Kind::Usual, SECOND, &rules());
        }
        standing.take_down();
        standing.bring_up(2 * SECOND);
        assert_eq!(access(&standing, 2 * SECOND), Access::Open);
    }

    #[test]
    fn a_usual_success_does_not_begin_the_slow_start_anew() {
        let standing = Standing::fresh(SECOND);
        assert!(!standing.succeed(Kind::Usual, || 11 * SECOND));
        assert_eq!(standing.share(|| 11 * SECOND, &rules()), FULL / 2);
        for over in [21, 41] {
            assert_eq!(standing.share(|| over * SECOND, &rules()), FULL);
        }
    }

    fn access(standing: &Standing, now: Moment) -> Access {
        standing.access(|| now)
    }

    fn fail(standing: &Standing, now: Moment) -> Verdict {
        standing.fail(Kind::Usual, now, &rules())
    }

    fn ejected() -> Standing {
        let standing = Standing::settled();
        for _ in 0..3 {
            fail(&standing, SECOND);
        }
        assert_eq!(access(&standing, SECOND), Access::Ejected);
        standing
    }

    fn seconds(seconds: u64) -> Verdict {
        Verdict::Ejected(Duration::from_secs(seconds))
    }

    #[test]
    fn three_failures_in_a_row_put_a_server_out() {
        let standing = Standing::settled();
        assert_eq!(fail(&standing, SECOND), Verdict::Noted);
        assert_eq!(fail(&standing, 2 * SECOND), Verdict::Noted);
        assert_eq!(access(&standing, 2 * SECOND), Access::Open);
        assert_eq!(fail(&standing, 3 * SECOND), seconds(10));
        assert_eq!(access(&standing, 12 * SECOND), Access::Ejected);
        assert_eq!(access(&standing, 13 * SECOND), Access::TrialDue);
    }

    #[test]
    fn three_failures_with_a_success_between_do_not() {
        let standing = Standing::settled();
        fail(&standing, SECOND);
        fail(&standing, SECOND);
        standing.succeed(Kind::Usual, || SECOND);
        assert_eq!(fail(&standing, SECOND), Verdict::Noted);
        assert_eq!(access(&standing, SECOND), Access::Open);
    }

    #[test]
    fn three_failures_far_apart_do_not() {
        let standing = Standing::settled();
        for now in [SECOND, 8 * SECOND, 12 * SECOND, 19 * SECOND] {
            assert_eq!(fail(&standing, now), Verdict::Noted, "{now}");
        }
        assert_eq!(fail(&standing, 20 * SECOND), seconds(10));
    }

    #[test]
    fn no_number_of_failures_puts_the_only_server_out() {
        let standing = Standing::settled();
        for _ in 0..100 {
            assert_eq!(standing.fail(Kind::Sole, SECOND, &rules()), Verdict::Noted);
        }
        assert_eq!(access(&standing, SECOND), Access::Open);
        let standing = ejected();
        assert!(standing.succeed(Kind::Sole, || SECOND), "out since there were others");
        assert_eq!(access(&standing, SECOND), Access::Open);
    }

    #[test]
    fn no_number_of_failures_does_when_it_is_switched_off() {
        let passive = Passive { max_fails: 0, ..Passive::default() };
        let standing = Standing::settled();
        for _ in 0..100 {
            let rules = Rules::new(passive, Duration::ZERO);
            assert_eq!(standing.fail(Kind::Usual, SECOND, &rules), Verdict::Noted);
        }
        assert_eq!(access(&standing, SECOND), Access::Open);
    }

    #[test]
    fn one_request_tries_a_server_that_was_out() {
        let standing = ejected();
        assert!(!standing.take_trial(10 * SECOND, &rules()), "too early");
        assert!(standing.take_trial(11 * SECOND, &rules()));
        assert!(!standing.take_trial(11 * SECOND, &rules()), "only one");
        assert_eq!(access(&standing, 12 * SECOND), Access::Ejected);
        assert!(standing.succeed(Kind::Trial, || 12 * SECOND));
        assert_eq!(access(&standing, 12 * SECOND), Access::Open);
    }

    #[test]
    fn a_trial_that_fails_doubles_the_time_up_to_a_bound() {
        let standing = ejected();
        let mut now = SECOND;
        let mut last = 10;
        for time in [20, 40, 80, 160, 320, 320, 320] {
            now += last * SECOND;
            last = time;
            assert!(standing.take_trial(now, &rules()));
            assert_eq!(standing.fail(Kind::Trial, now, &rules()), seconds(time));
        }
        standing.ejections.store(u32::MAX - 1, Relaxed);
        assert_eq!(standing.fail(Kind::Trial, now, &rules()), seconds(320));
    }

    #[test]
    fn a_trial_that_says_nothing_makes_way_for_another() {
        let standing = ejected();
        assert!(standing.take_trial(11 * SECOND, &rules()));
        standing.return_trial();
        assert!(standing.take_trial(11 * SECOND, &rules()));
        standing.succeed(Kind::Trial, || 11 * SECOND);
        standing.return_trial();
        assert_eq!(access(&standing, 11 * SECOND), Access::Open, "nothing to give back");
    }

    #[test]
    fn a_late_request_neither_brings_a_server_back_nor_keeps_it_out() {
        let standing = ejected();
        assert!(!standing.succeed(Kind::Usual, || 2 * SECOND));
        assert_eq!(access(&standing, 2 * SECOND), Access::Ejected);
        for _ in 0..9 {
            assert_eq!(fail(&standing, 10 * SECOND), Verdict::Noted);
        }
        assert_eq!(access(&standing, 11 * SECOND), Access::TrialDue);
    }

    #[test]
    fn a_server_is_forgiven_when_it_has_served_for_long() {
        for (served, time) in [(319, 20), (320, 10)] {
            let standing = ejected();
            assert!(standing.take_trial(11 * SECOND, &rules()));
            standing.succeed(Kind::Trial, || 11 * SECOND);
            let now = (11 + served) * SECOND;
            fail(&standing, now);
            fail(&standing, now);
            assert_eq!(fail(&standing, now), seconds(time), "after {served} s");
        }
    }

    #[test]
    fn a_share_grows_from_a_tenth_to_the_whole() {
        let standing = Standing::fresh(SECOND);
        for (now, share) in [(1, 102), (2, 102), (6, 256), (11, 512), (16, 768), (21, FULL)] {
            assert_eq!(standing.share(|| now * SECOND, &rules()), share, "at {now} s");
        }
        assert_eq!(Standing::settled().share(|| SECOND, &rules()), FULL);
        let sudden = Rules::new(Passive::default(), Duration::ZERO);
        assert_eq!(standing.share(|| SECOND, &sudden), FULL);
    }

    #[test]
    fn what_health_checks_call_down_is_down_whatever_requests_say() {
        let standing = ejected();
        standing.take_down();
        standing.succeed(Kind::LastResort, || 2 * SECOND);
        assert_eq!(access(&standing, 2 * SECOND), Access::Down);
        standing.bring_up(3 * SECOND);
        assert_eq!(access(&standing, 3 * SECOND), Access::Open);
        assert!(standing.share(|| 3 * SECOND, &rules()) < FULL);
    }
}
