//! How everything that runs is told to stop: first to take leave, then to stop.
//!
//! Between the two, balancers and clients have time to notice: readiness says no, connections end
//! with the answer they are about to give, and new ones are still served; by a successor, when one
//! has the sockets.

use tokio::sync::watch;

/// Tells its holder that it is time to stop.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<State>);

/// Tells everything that holds a [`Shutdown`].
#[derive(Debug)]
pub struct ShutdownHandle(watch::Sender<State>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    (ShutdownHandle(sender), Shutdown(receiver))
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
        self.0.send_if_modified(|state| {
            let is_news = *state < to;
            *state = (*state).max(to);
            is_news
        });
    }

    /// Stops. Dropping the hand stops as well.
    pub fn stop(&self) {
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
        *self.0.borrow() == State::Succeeded
    }

    /// Tells whether it is time to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() == State::Stopped
    }

    /// Tells whether the stop is near.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.0.borrow() >= State::Draining
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
