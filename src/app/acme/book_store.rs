//! Where the book is: in a record that replicas share, or in the state folder.

use super::book::Book;
use crate::app::lock::turn;
use crate::app::state::{State, StateError};
use crate::base::clock::Time;
use crate::store::Unavailable;
use crate::store::shared::{SharedRecord, Version};

/// The name of the record. Never changed: it is sealed for this name.
pub(in crate::app) const RECORD: &str = "brama certificates of an authority 1";

/// Where the book is.
pub(super) enum BookStore {
    /// Replicas share it.
    Shared(Box<SharedRecord>),
    /// A predecessor and its successor share it for a while.
    Folder(State),
}

/// The book as it was found. It is changed only if it still is.
#[derive(Clone, PartialEq)]
pub(super) enum Seen {
    /// There was none.
    Nothing,
    /// It was so.
    Record(Version),
    /// It was so.
    File(Vec<u8>),
}

/// What was found.
pub(super) struct Found {
    pub(super) book: Book,
    pub(super) seen: Seen,
    /// Whether it is to be sealed anew: not all replicas could read it, or one could that has a
    /// secret which was taken away.
    pub(super) is_sealed_otherwise: bool,
}

/// Why the book cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum BookError {
    /// The store is away.
    #[error(transparent)]
    Store(#[from] Unavailable),
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// Others change it again and again.
    #[error("others change it all the time")]
    Busy,
    /// It is sealed with secrets of others, or damaged.
    #[error(
        "what is kept of the authority cannot be read: {0}: it is damaged, or sealed with a secret \
         that is in store.secret_files no more; delete it, and it is made of what replicas know"
    )]
    Shut(String),
    /// It cannot be written as JSON.
    #[error("what is kept of the authority cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl BookStore {
    /// Reads it; nothing when it is as it was `seen`.
    pub(super) async fn read(
        &self,
        seen: Option<&Seen>,
        now: Time,
    ) -> Result<Option<Found>, BookError> {
        let (bytes, found, is_sealed_otherwise) = match self {
            Self::Shared(record) => {
                let known = seen.and_then(|seen| match seen {
                    Seen::Record(version) => Some(version),
                    Seen::Nothing | Seen::File(_) => None,
                });
                match record.read(known, now).await? {
                    None => (None, Seen::Nothing, false),
                    Some(found) if Some(&found.version) == known => return Ok(None),
                    Some(found) => {
                        let shut = || BookError::Shut(record.shown());
                        let plain = found.plain.ok_or_else(shut)?;
                        // One that was taken out here goes when a replica starts: later it may be
                        // that of one which has more secrets.
                        let has_others = seen.is_none() && found.has_others;
                        let otherwise = !found.is_for_all || has_others;
                        (Some(plain.expose().clone()), Seen::Record(found.version), otherwise)
                    }
                }
            }
            Self::Folder(state) => match state.authority_book()? {
                None => (None, Seen::Nothing, false),
                Some(bytes) => (Some(bytes.clone()), Seen::File(bytes), false),
            },
        };
        if seen == Some(&found) {
            return Ok(None);
        }
        let shut = || BookError::Shut(self.shown());
        let book = match bytes {
            None => Book::default(),
            Some(bytes) => Book::read(&bytes).ok_or_else(shut)?,
        };
        Ok(Some(Found { book, seen: found, is_sealed_otherwise }))
    }

    /// Writes it in the place of what was seen; says whether that was still so.
    pub(super) async fn write(
        &self,
        was: &Seen,
        book: &Book,
        now: Time,
    ) -> Result<Option<Seen>, BookError> {
        let bytes = book.to_bytes()?;
        match self {
            Self::Shared(record) => {
                let was = match was {
                    Seen::Record(version) => Some(version.clone()),
                    Seen::Nothing | Seen::File(_) => None,
                };
                Ok(record.write(was, &bytes, now).await?.map(Seen::Record))
            }
            Self::Folder(state) => {
                let _turn = turn(state).await?;
                let is_as_seen = match (state.authority_book()?, was) {
                    (None, Seen::Nothing) => true,
                    (Some(found), Seen::File(seen)) => found == *seen,
                    _ => false,
                };
                if !is_as_seen {
                    return Ok(None);
                }
                state.keep_authority_book(&bytes)?;
                Ok(Some(Seen::File(bytes)))
            }
        }
    }

    /// Tells whether others may read it, some seconds later.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    fn shown(&self) -> String {
        match self {
            Self::Shared(record) => record.shown(),
            Self::Folder(state) => state.authority_book_name(),
        }
    }
}
