//! A clock that does not jump when the clock of the machine does.
//!
//! Sessions, logins and what the node says are judged by the time of day. A machine whose time of day
//! goes two hours forward for three seconds, by a bad source of time or a hand, would sign
//! everybody out; one whose time goes back would let sessions live for longer.
//!
//! 1. The time is carried on by the clock that counts since the start of the machine
//!    (`CLOCK_BOOTTIME`, clock_gettime(2)), which nobody can set. It goes on while the machine
//!    sleeps, so waking up is no jump.
//! 2. Every second it is compared with the time of day, and follows it, as long as both differ by
//!    no more than `MOST`: clocks that are corrected slowly, or a little, are believed.
//! 3. More than that is a jump. It is told, and counted, and the time goes on as it was. When the
//!    time of day comes back, nothing has happened. When it does not within `GRACE`, it is
//!    believed, and that is told.
//!
//! So after one jump nothing lives longer by more than `GRACE` and `MOST` than by the time of day; a
//! time of day that comes back within each grace begins it anew. A machine that was stopped as a
//! whole, as virtual ones are, counted nothing meanwhile: when it goes on, that is a jump.

use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tracing::{info, warn};

use super::clock::{Clock, SystemClock, Time};

/// A clock that does not jump.
#[derive(Debug)]
pub struct SteadyClock {
    /// The time of day less the count, in nanoseconds.
    offset: AtomicI64,
    /// What was counted when the time of day was first doubted; `None` while it is believed.
    doubted: Mutex<Option<i64>>,
    jumps: AtomicU64,
}

impl SteadyClock {
    /// Begins with the time of day, and starts the thread that looks at it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> io::Result<Arc<Self>> {
        let clock = Arc::new(Self::begin(counted(), time_of_day()));
        let watched = Arc::downgrade(&clock);
        thread::Builder::new().name("clock".to_owned()).spawn(move || watch(&watched))?;
        Ok(clock)
    }

    fn begin(counted: i64, time_of_day: i64) -> Self {
        Self {
            offset: AtomicI64::new(time_of_day.saturating_sub(counted)),
            doubted: Mutex::default(),
            jumps: AtomicU64::new(0),
        }
    }

    fn at(&self, counted: i64) -> Time {
        let now = self.offset.load(Ordering::Relaxed).saturating_add(counted);
        Time::from_nanosecond(now.into()).unwrap_or(Time::MAX)
    }

    /// Compares it with the time of day.
    fn look(&self, counted: i64, time_of_day: i64) {
        let other = time_of_day.saturating_sub(counted);
        let by = other.saturating_sub(self.offset.load(Ordering::Relaxed));
        let seconds = by / 1_000_000_000;
        let mut doubted = self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_believed = match *doubted {
            _ if by.unsigned_abs() <= nanoseconds(MOST).unsigned_abs() => {
                if doubted.is_some() {
                    info!("clock of the machine is back where it was: nothing was judged by it");
                }
                true
            }
            None => {
                self.jumps.fetch_add(1, Ordering::Relaxed);
                warn!(
                    seconds,
                    believed_in = ?GRACE,
                    "clock of the machine jumped: sessions are judged by the time as it was going"
                );
                *doubted = Some(counted);
                false
            }
            Some(since) if counted.saturating_sub(since) >= nanoseconds(GRACE) => {
                warn!(seconds, "clock of the machine stays where it jumped to, and is believed");
                true
            }
            Some(_) => false,
        };
        if is_believed {
            *doubted = None;
            self.offset.store(other, Ordering::Relaxed);
        }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Time {
        self.at(counted())
    }

    fn jumps(&self) -> u64 {
        self.jumps.load(Ordering::Relaxed)
    }
}

/// Looks at the time of day for as long as somebody has the clock.
fn watch(clock: &Weak<SteadyClock>) {
    while let Some(clock) = clock.upgrade() {
        clock.look(counted(), time_of_day());
        drop(clock);
        thread::sleep(LOOK);
    }
}

/// How long the machine has been running, in nanoseconds.
fn counted() -> i64 {
    let counted = clock_gettime(ClockId::Boottime);
    counted.tv_sec.saturating_mul(1_000_000_000).saturating_add(counted.tv_nsec)
}

/// The time of day, in nanoseconds since the epoch.
fn time_of_day() -> i64 {
    i64::try_from(SystemClock.now().as_nanosecond()).unwrap_or(i64::MAX)
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// How often the time of day is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// By how much the time of day may differ and still be believed at once.
const MOST: Duration = Duration::from_secs(60);
/// How long a time of day that jumped is not believed.
const GRACE: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock, and what it is told: seconds that were counted, and by how many the time of day is
    /// another one.
    struct Machine(SteadyClock);

    const SECOND: i64 = 1_000_000_000;
    /// The time of day when nothing was counted.
    const BEGIN: i64 = 1_900_000_000 * SECOND;

    impl Machine {
        fn start() -> Self {
            Self(SteadyClock::begin(0, BEGIN))
        }

        /// Looks at a time of day that is `off` by so many seconds, and returns by how many the
        /// clock is.
        fn look(&self, counted: i64, off: i64) -> i64 {
            let counted = counted * SECOND;
            self.0.look(counted, BEGIN + counted + off * SECOND);
            let now = i64::try_from(self.0.at(counted).as_nanosecond()).unwrap();
            (now - BEGIN - counted) / SECOND
        }
    }

    #[test]
    fn a_jump_that_comes_back_changes_nothing_and_is_counted() {
        for off in [7200, -7200, 61, -61] {
            let machine = Machine::start();
            assert_eq!(machine.look(1, 0), 0);
            for counted in 2..5 {
                assert_eq!(machine.look(counted, off), 0, "{off}");
            }
            assert_eq!(machine.look(5, 0), 0);
            assert_eq!(machine.0.jumps(), 1);
            // A second one has a grace of its own.
            assert_eq!(machine.look(303, off), 0);
            assert_eq!(machine.look(602, off), 0);
            assert_eq!(machine.0.jumps(), 2);
        }
    }

    #[test]
    fn a_jump_that_stays_is_believed_after_the_grace_and_not_before() {
        for off in [7200, -7200] {
            let machine = Machine::start();
            assert_eq!(machine.look(10, off), 0);
            assert_eq!(machine.look(309, off), 0);
            assert_eq!(machine.look(310, off), off);
            assert_eq!(machine.look(311, off), off);
            assert_eq!(machine.0.jumps(), 1);
        }
    }

    #[test]
    fn jumps_within_a_jump_do_not_make_the_grace_longer() {
        let machine = Machine::start();
        for (counted, off) in (10..310).zip([7200, -7200, 3600].into_iter().cycle()) {
            assert_eq!(machine.look(counted, off), 0);
        }
        assert_eq!(machine.look(310, 3600), 3600);
    }

    #[test]
    fn a_clock_that_is_corrected_a_little_is_followed_at_once() {
        let machine = Machine::start();
        assert_eq!(machine.look(1, 60), 60);
        assert_eq!(machine.look(2, 0), 0);
        assert_eq!(machine.look(3, -60), -60);
        assert_eq!(machine.0.jumps(), 0);
    }

    #[test]
    fn it_goes_with_the_time_of_day() {
        let clock = SteadyClock::start().unwrap();
        let between = SystemClock.now().duration_since(clock.now());
        assert!(between.abs() < jiff::SignedDuration::from_secs(1), "{between:?}");
    }
}
