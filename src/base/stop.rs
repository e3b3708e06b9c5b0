//! How everything that runs is told to stop: first to take leave, then to stop.
//!
//! Between the two, whoever sends requests has time to notice: readiness says no, connections end
//! with the answer they are about to give, and new ones are still served.

use tokio::sync::watch;

/// Tells whoever holds it that it is time to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<State>);

/// The hand that stops.
#[derive(Debug)]
pub struct Stopper(watch::Sender<State>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Running,
    Leaving,
    Stopped,
}

/// Makes a pair: a hand that stops, and what is stopped by it.
#[must_use]
pub fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(State::Running);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Says that the stop is near.
    pub fn leave(&self) {
        self.0.send_if_modified(|state| {
            let is_news = *state == State::Running;
            *state = (*state).max(State::Leaving);
            is_news
        });
    }

    /// Stops. Dropping the hand stops as well.
    pub fn stop(&self) {
        self.0.send_replace(State::Stopped);
    }
}

impl Stop {
    /// Waits until told to stop.
    pub async fn wait(&mut self) {
        // An error means that the hand is gone, which stops as well.
        let _ = self.0.wait_for(|state| *state == State::Stopped).await;
    }

    /// Waits until the stop is near.
    pub async fn wait_leaving(&mut self) {
        let _ = self.0.wait_for(|state| *state >= State::Leaving).await;
    }

    /// Tells whether it is time to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() == State::Stopped
    }

    /// Tells whether the stop is near.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        *self.0.borrow() >= State::Leaving
    }

    /// Passes what it is told on to another hand, until it was told to stop.
    pub async fn pass_on(mut self, to: Stopper) {
        self.wait_leaving().await;
        to.leave();
        self.wait().await;
        to.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn leaving_comes_before_stopping_and_never_after() {
        let (stopper, mut stop) = stop();
        assert!(!stop.is_leaving());
        stopper.leave();
        stop.wait_leaving().await;
        assert!(stop.is_leaving() && !stop.is_stopped());
        stopper.stop();
        stopper.leave();
        stop.wait().await;
        assert!(stop.is_leaving() && stop.is_stopped());
    }

    #[tokio::test]
    async fn a_hand_that_is_gone_stops_whoever_waits() {
        let (stopper, mut stop) = stop();
        drop(stopper);
        stop.wait_leaving().await;
        stop.wait().await;
    }
}
