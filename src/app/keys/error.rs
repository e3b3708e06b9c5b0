//! Why keys are not as they should be.

use crate::app::state::StateError;
use crate::identity::keyring::Refusal;
use crate::store::Unavailable;

/// Why keys are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It makes no sense.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store is away.
    #[error("keys of identities: {0}")]
    Store(#[from] Unavailable),
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The record of the keys is sealed by another secret, or was changed.
    #[error(
        "keys of identities that replicas share do not open here: give the secret that they were \
         sealed with, besides the others, in store.secret_files; when it is lost, give the secret \
         of the pseudonyms that brama keys backup saved, in identity.pairwise_secret_file; and when \
         they open at no replica, delete the record {0} from Redis: replicas that run put back what \
         they know"
    )]
    Shut(String),
    /// Another secret of the pseudonyms is shared.
    #[error(
        "identity.pairwise_secret_file is not the secret that replicas share, so a citizen would \
         have another sub here: give the same file to each replica, or leave the key out; to change \
         it for all of them, leave it out and run: brama keys restore"
    )]
    OtherSecret,
    /// The secret of the pseudonyms is not kept here.
    #[error(
        "the secret of the pseudonyms stands in identity.pairwise_secret_file: copy that file, or \
         change it and restart each replica"
    )]
    Given,
    /// Others change them all the time.
    #[error("other replicas change the keys right now: try again")]
    Busy,
    /// The thread that makes keys has gone.
    #[error("key cannot be made")]
    NotMade,
}
