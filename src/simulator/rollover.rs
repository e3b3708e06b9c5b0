//! What the node signs with, and what it is going to sign with.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Error;
use super::kit::{Kit, Role};
use crate::base::clock::Time;

/// The keys of the node, which can be changed while it runs: a new certificate is announced, and
/// later signed with, as an operator does it.
pub(super) struct Rollover(Mutex<Keys>);

struct Keys {
    used: Arc<Kit>,
    announced: Option<Arc<Kit>>,
    /// Where those in use are kept.
    directory: Option<PathBuf>,
}

impl Rollover {
    pub(super) fn new(kit: Arc<Kit>, directory: Option<PathBuf>) -> Self {
        Self(Mutex::new(Keys { used: kit, announced: None, directory }))
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        // Nothing that is done under the lock leaves it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is in use.
    pub(super) fn kit(&self) -> Arc<Kit> {
        Arc::clone(&self.keys().used)
    }

    /// Returns what is announced, when something is.
    pub(super) fn announced(&self) -> Option<Arc<Kit>> {
        self.keys().announced.clone()
    }

    /// Makes what the node is going to sign with, in place of what was announced before.
    pub(super) fn announce(&self, now: Time) -> Result<(), Error> {
        let mut keys = self.keys();
        keys.announced = Some(Arc::new(keys.used.with_other_node_key(now)?));
        Ok(())
    }

    /// Signs with what was announced from now on; false when nothing was.
    pub(super) fn change(&self) -> Result<bool, Error> {
        let mut keys = self.keys();
        let Some(next) = keys.announced.clone() else { return Ok(false) };
        if let Some(directory) = &keys.directory {
            next.write_pair(directory, Role::NodeSigning)?;
        }
        keys.used = next;
        keys.announced = None;
        Ok(true)
    }
}
