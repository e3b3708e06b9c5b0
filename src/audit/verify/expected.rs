//! What is known of a chain from elsewhere.

use super::super::chain::Checkpoint;
use super::super::keys::PublicKey;

/// What is known from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The keys that may have signed; without any, those are believed that the records name.
    pub keys: Vec<PublicKey>,
    /// How far chains had come.
    pub checkpoints: Vec<Checkpoint>,
    /// Whether chains must be there from their first record on.
    pub is_from_the_start: bool,
}
