//! The keys of signed identities change by the clock.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tracing::{error, info};

use super::state::State;
use crate::base::clock::SharedClock;
use crate::identity::keyring::KeyRing;

/// Looks at the clock every minute; keys change every few weeks.
pub(super) async fn rotate(ring: Arc<RwLock<KeyRing>>, state: State, clock: SharedClock) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let changed = {
            let mut ring = ring.write().unwrap_or_else(PoisonError::into_inner);
            ring.advance(clock.now()).then(|| ring.clone())
        };
        if let Some(ring) = changed {
            match state.keep_key_ring(&ring) {
                Ok(()) => info!("signing keys of identities changed"),
                Err(error) => error!(%error, "signing keys of identities cannot be kept"),
            }
        }
    }
}
