//! How everything that runs is told to stop: first to take leave, then to stop.
//!
//! Between the two, balancers and clients have time to notice: readiness says no, connections end
//! with the answer they are about to give, and new ones are still served; by a successor, when one
//! has the sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;

/// Tells its holder that it is time to stop.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<State>, Arc<Seen>);

/// Tells everything that holds a [`Shutdown`].
#[derive(Debug)]
pub struct ShutdownHandle(watch::Sender<State>, Arc<Seen>);

/// What was told last. Every worker looks at it with each answer, so nothing else is written beside it: a look at
/// the channel would be two writes to a line that all have.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Seen(AtomicU8);

impl Seen {
    /// Is noted before it is told.
    fn note(&self, state: State) {
        self.0.fetch_max(state as u8, Ordering::Release);
    }

    fn is(&self, state: State) -> bool {
        self.0.load(Ordering::Acquire) == state as u8
    }

    fn is_at_least(&self, state: State) -> bool {
        self.0.load(Ordering::Acquire) >= state as u8
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum State {
    Running,
    Draining,
    /// Draining, and a successor accepts connections.
    Succeeded,
    Stopped,
}

/// Makes a pair: a hand that stops, and what is stopped by it.
#[must_use]
pub fn shutdown() -> (ShutdownHandle, Shutdown) {
    let (sender, receiver) = watch::channel(State::Running);
    let seen = Arc::<Seen>::default();
    (ShutdownHandle(sender, Arc::clone(&seen)), Shutdown(receiver, seen))
}

impl ShutdownHandle {
    /// Says that the stop is near.
    pub fn drain(&self) {
        self.advance(State::Draining);
    }

    /// Says that the stop is near and a successor accepts connections.
    pub fn succeed(&self) {
        self.advance(State::Succeeded);
    }

    fn advance(&self, to: State) {
        self.1.note(to);
        self.0.send_if_modified(|state| {
            let is_news = *state < to;
            *state = (*state).max(to);
            is_news
        });
    }

    /// Stops. Dropping the hand stops as well.
    pub fn stop(&self) {
        self.1.note(State::Stopped);
        self.0.send_replace(State::Stopped);
    }
}

impl Shutdown {
    /// Waits until told to stop.
    pub async fn wait(&mut self) {
        // An error means that the hand is gone, which stops as well.
        let _ = self.0.wait_for(|state| *state == State::Stopped).await;
    }

    /// Waits until the stop is near.
    pub async fn wait_draining(&mut self) {
        let _ = self.0.wait_for(|state| *state >= State::Draining).await;
    }

    /// Waits until no more connections are to be accepted.
    pub async fn wait_closing(&mut self) {
        let _ = self.0.wait_for(|state| *state >= State::Succeeded).await;
    }

    /// Tells whether a successor accepts connections, from the same queues.
    #[must_use]
    pub fn has_successor(&self) -> bool {
        self.1.is(State::Succeeded)
    }

    /// Tells whether it is time to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.1.is(State::Stopped)
    }

    /// Tells whether the stop is near.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.1.is_at_least(State::Draining)
    }

    /// Passes what it is told on to another hand, until it was told to stop.
    pub async fn pass_on(mut self, to: ShutdownHandle) {
        self.wait_draining().await;
        to.drain();
        self.wait_closing().await;
        to.succeed();
        self.wait().await;
        to.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn leaving_comes_before_stopping_and_never_after() {
        let (stopper, mut stop) = shutdown();
        assert!(!stop.is_draining());
        stopper.drain();
        stop.wait_draining().await;
        assert!(stop.is_draining() && !stop.is_stopped());
        stopper.stop();
        stopper.drain();
        stop.wait().await;
        assert!(stop.is_draining() && stop.is_stopped());
    }

    #[tokio::test]
    async fn a_hand_that_is_gone_stops_whoever_waits() {
        let (stopper, mut stop) = shutdown();
        drop(stopper);
        stop.wait_draining().await;
        stop.wait().await;
    }
}
