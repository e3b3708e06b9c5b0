//! Leaves a server alone for a moment when it does not answer, so that no request waits for it in
//! vain.
//!
//! 1. After [`PATIENCE`] timeouts without an answer in between, every request is turned away at
//!    once for [`PAUSE`].
//! 2. Then one goes ahead. When that one is answered, all may go; otherwise the pause begins anew.
//! 3. A request that went ahead and gave up lets another go ahead.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many timeouts are enough.
pub(super) const PATIENCE: u32 = 3;

/// How long a server is left alone.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    timeouts: u32,
    /// Since when no request may go, until the pause is over.
    open: Option<Instant>,
    is_probing: bool,
}

/// The right to ask, which ends with an outcome.
#[derive(Debug)]
pub(super) struct Pass<'b> {
    breaker: &'b Breaker,
    is_probe: bool,
}

/// What comes of a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nothing yet: there were too few in a row.
    Noted,
    /// The server is left alone from now on.
    LeftAlone,
    /// The server goes on being left alone.
    LeftAloneAgain,
}

impl Breaker {
    /// Lets a request go, or not.
    pub(super) fn enter(&self) -> Option<Pass<'_>> {
        let mut state = self.lock();
        let Some(since) = state.open else { return Some(Pass { breaker: self, is_probe: false }) };
        if state.is_probing || since.elapsed() < PAUSE {
            return None;
        }
        state.is_probing = true;
        Some(Pass { breaker: self, is_probe: true })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The server answered, whatever it said. Tells whether it had been left alone.
    pub(super) fn answered(self) -> bool {
        let mut state = self.breaker.lock();
        state.timeouts = 0;
        state.open.take().is_some()
    }

    /// The server did not answer in time. Tells whether it is left alone from now on.
    pub(super) fn timed_out(self) -> Silence {
        let mut state = self.breaker.lock();
        state.timeouts = state.timeouts.saturating_add(1);
        let silence = match state.open {
            None if state.timeouts >= PATIENCE => Silence::LeftAlone,
            Some(_) if self.is_probe => Silence::LeftAloneAgain,
            _ => return Silence::Noted,
        };
        state.open = Some(Instant::now());
        silence
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.lock().is_probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open() -> Breaker {
        let breaker = Breaker::default();
        for number in 1..=PATIENCE {
            let expected = if number == PATIENCE { Silence::LeftAlone } else { Silence::Noted };
            assert_eq!(breaker.enter().unwrap().timed_out(), expected);
        }
        assert!(breaker.enter().is_none());
        tokio::time::advance(PAUSE).await;
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn lets_one_go_ahead_after_a_pause_and_all_when_it_is_answered() {
        let breaker = open().await;
        let probe = breaker.enter().unwrap();
        assert!(breaker.enter().is_none(), "one only");
        assert!(probe.answered());
        let (_one, _two) = (breaker.enter().unwrap(), breaker.enter().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_again_when_the_one_is_not_answered() {
        let breaker = open().await;
        assert_eq!(breaker.enter().unwrap().timed_out(), Silence::LeftAloneAgain);
        assert!(breaker.enter().is_none());
        tokio::time::advance(PAUSE).await;
        // One that gives up makes room for the next.
        drop(breaker.enter().unwrap());
        assert!(breaker.enter().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn answers_in_between_are_enough() {
        let breaker = Breaker::default();
        for _ in 0..10 * PATIENCE {
            assert_eq!(breaker.enter().unwrap().timed_out(), Silence::Noted);
            assert!(!breaker.enter().unwrap().answered());
        }
    }
}
