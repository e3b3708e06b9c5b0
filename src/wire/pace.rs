//! How slow a peer may be with a body: silent for a bounded time, and no slower on the whole than
//! a rate.
//!
//! 1. Only the time counts in which the peer is waited for, not that of the other side of us, which
//!    makes or takes the bytes.
//! 2. A grace comes first, so a short body may be as slow as it likes within it, and a slow start
//!    costs no peer the connection.
//! 3. A peer that sends one byte now and then, only to hold what a request holds, is found by it: a
//!    bound of silence alone never ends.

use std::time::Duration;

use tokio::time::Instant;

/// How slow a peer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slowest {
    /// How long it may be silent.
    pub stall: Duration,
    /// Bytes a second that it moves on the whole, after [`GRACE`]; zero is any rate.
    pub rate: u32,
}

/// How long a peer was waited for, and what it moved.
#[derive(Debug, Default)]
pub struct Pace {
    /// Since when it is waited for.
    since: Option<Instant>,
    /// How long it was before that.
    waited: Duration,
    bytes: u64,
}

/// How a peer was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooSlow {
    /// It was silent for so long.
    Silent(Duration),
    /// It moved less than so many bytes a second.
    Rate(u32),
}

impl Pace {
    /// Notes that the peer is waited for. Returns how long it may take from now on, unless it is
    /// waited for already.
    pub fn wait(&mut self, slowest: &Slowest) -> Option<Duration> {
        if self.since.is_some() {
            return None;
        }
        self.since = Some(Instant::now());
        Some(self.allowed(slowest))
    }

    /// Notes that the peer moved so many bytes, and is not waited for.
    pub fn moved(&mut self, bytes: usize) {
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Tells whether the peer is waited for.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.since.is_some()
    }

    /// Tells whether the peer is waited for and has taken longer than it may.
    #[must_use]
    pub fn is_over(&self, slowest: &Slowest) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= self.allowed(slowest))
    }

    /// Returns how the peer is too slow, when it has taken longer than it may.
    #[must_use]
    pub fn verdict(&self, slowest: &Slowest) -> TooSlow {
        if self.allowed(slowest) < slowest.stall {
            TooSlow::Rate(slowest.rate)
        } else {
            TooSlow::Silent(slowest.stall)
        }
    }

    /// How long the peer may take for the next bytes.
    fn allowed(&self, slowest: &Slowest) -> Duration {
        let Some(seconds) = self.bytes.checked_div(u64::from(slowest.rate)) else {
            return slowest.stall;
        };
        let whole = GRACE.saturating_add(Duration::from_secs(seconds));
        whole.saturating_sub(self.waited).min(slowest.stall)
    }
}

/// How long a peer may be waited for before its rate counts.
pub const GRACE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const SLOWEST: Slowest = Slowest { stall: Duration::from_secs(60), rate: 100 };

    /// Waits for `bytes` that take `time`; says whether they came too late.
    async fn is_late(pace: &mut Pace, slowest: &Slowest, time: u64, bytes: usize) -> bool {
        pace.wait(slowest);
        advance(Duration::from_secs(time)).await;
        let is_over = pace.is_over(slowest);
        pace.moved(bytes);
        is_over
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_ends_after_the_grace_and_a_steady_flow_never() {
        let mut drip = Pace::default();
        assert!(!is_late(&mut drip, &SLOWEST, 6, 1).await);
        assert!(is_late(&mut drip, &SLOWEST, 6, 1).await, "12 s for 2 bytes");
        assert_eq!(drip.verdict(&SLOWEST), TooSlow::Rate(100));

        let mut flow = Pace::default();
        for _ in 0..100 {
            assert!(!is_late(&mut flow, &SLOWEST, 6, 600).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_waits_for_the_peer_does_not_count() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            assert!(!is_late(&mut pace, &SLOWEST, 0, 1).await);
            advance(Duration::from_secs(100)).await;
        }
        assert!(!pace.is_over(&SLOWEST) && !pace.is_waiting());
        assert_eq!(pace.wait(&SLOWEST), Some(GRACE));
        assert_eq!(pace.wait(&SLOWEST), None, "it is waited for already");
        assert!(pace.is_waiting());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_has_its_own_bound_and_without_a_rate_it_is_the_only_one() {
        let mut pace = Pace::default();
        pace.moved(1 << 20);
        assert!(is_late(&mut pace, &SLOWEST, 60, 1).await);
        assert_eq!(pace.verdict(&SLOWEST), TooSlow::Silent(SLOWEST.stall));

        let (any, mut pace) = (Slowest { rate: 0, ..SLOWEST }, Pace::default());
        for _ in 0..10 {
            assert!(!is_late(&mut pace, &any, 59, 1).await);
        }
        assert!(is_late(&mut pace, &any, 60, 1).await);
    }
}
