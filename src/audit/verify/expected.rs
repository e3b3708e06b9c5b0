//! What is known of a chain from elsewhere.

use std::path::PathBuf;

use super::super::chain::Checkpoint;
use super::super::keys::PublicKey;

/// What is known from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The keys that may have signed; without any, those are believed that the records name.
    pub keys: Vec<PublicKey>,
    /// How far chains had come, noted at any time. What is before may be gone by now.
    pub checkpoints: Vec<Checkpoint>,
    /// How far the gateway itself noted that its chain has come.
    pub head: Head,
    /// Whether chains must be there from their first record on.
    pub is_from_the_start: bool,
}

/// What the state folder of a gateway says of the end of its chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Head {
    /// It was not looked at.
    #[default]
    Unasked,
    /// There is no such file where the gateway keeps it.
    Missing(PathBuf),
    /// The chain has come there, or a little further.
    At(Checkpoint),
}

impl Expected {
    /// Returns all that is known of how far chains had come.
    pub(super) fn ends(&self) -> impl Iterator<Item = &Checkpoint> {
        self.checkpoints.iter().chain(self.head())
    }

    pub(super) fn head(&self) -> Option<&Checkpoint> {
        match &self.head {
            Head::At(checkpoint) => Some(checkpoint),
            Head::Unasked | Head::Missing(_) => None,
        }
    }
}
