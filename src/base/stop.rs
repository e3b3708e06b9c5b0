//! How everything that runs is told to stop.

use tokio::sync::watch;

/// Tells whoever holds it that it is time to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// The hand that stops.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Makes a pair: a hand that stops, and what is stopped by it.
#[must_use]
pub fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Stops. Dropping the hand stops as well.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until told to stop.
    pub async fn wait(&mut self) {
        // An error means that the hand is gone, which stops as well.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }

    /// Tells whether it is time to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }
}
