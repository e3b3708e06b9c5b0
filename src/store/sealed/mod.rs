//! Records that a handle leads to: one way of keeping them, whatever they say.
//!
//! 1. A [`Handle`] is a text that cannot be guessed, in the hands of a browser. Its record is kept
//!    under its hash and sealed with the handle itself ([`Sealer`]), so a store knows no handle and
//!    reads no record.
//! 2. The handles of each kind are a type of their own: none is ever taken for one of another kind.
//! 3. A record begins once under its handle. It is found, swapped by a caller that knows how it was
//!    (compare and set), and taken once. Of two at the same time, also at two replicas, one is the
//!    first.
//! 4. A handle may open its record only together with something else, such as a cookie
//!    (`Handle::with`). The handle alone finds nothing then, and takes nothing away.
//! 5. What does not open, or says something that is not understood here, is not there.
//! 6. A record that cannot be written is an error ([`Unwritable`]), and nothing is kept: never an
//!    empty record.
//!
//! How long a record is good, and which person it is of, are rules of the module that keeps it.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::seal::Sealer;
use super::{Digest, Key, Kind, Record, RecordStore, Unavailable};
use crate::base::clock::Time;
use crate::base::encoding::sha256;
use crate::base::random;
use crate::base::secret::Secret;

/// What handles are for. The type that keeps the records lends its name to their handles.
pub trait HandleKind: 'static {
    /// Of which kind the records are.
    const KIND: Kind;
}

/// What handles are for that are random and nothing else.
pub trait RandomHandle: HandleKind {
    /// How hard it is to guess one.
    const STRENGTH: Strength;
}

/// How hard it is to guess a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// 128 bits, as 22 letters of base64url: for what needs more than its handle to be of use.
    Bits128,
    /// 256 bits, as 43 letters of base64url: for a secret by itself.
    Bits256,
}

/// A handle of one kind: leads to one record.
pub struct Handle<K> {
    text: Secret<String>,
    /// What it takes to open the record, beside the handle.
    beside: Option<Secret<String>>,
    kind: PhantomData<fn() -> K>,
}

impl<K: HandleKind> Handle<K> {
    /// Takes a text that is known for a handle of this kind by other means: a mark, a derivation.
    pub(crate) fn of(text: String) -> Self {
        Self { text: Secret::new(text), beside: None, kind: PhantomData }
    }

    /// Returns the same handle, with what it takes to open its record. What the record was sealed
    /// with, it opens with.
    #[must_use]
    pub(crate) fn with(&self, beside: &str) -> Self {
        Self { beside: Some(Secret::new(beside.to_owned())), ..self.clone() }
    }

    /// Shows the handle, for the browser that gets it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Returns what the record is kept under.
    pub(crate) fn key(&self) -> Key {
        Key { kind: K::KIND, digest: sha256(self.text.expose().as_bytes()) }
    }

    fn secret(&self) -> Secret<Vec<u8>> {
        let text = self.text.expose().as_bytes();
        Secret::new(match &self.beside {
            Some(beside) => [text, b".", beside.expose().as_bytes()].concat(),
            None => text.to_vec(),
        })
    }
}

impl<K: RandomHandle> Handle<K> {
    /// Makes a handle that no record has.
    #[must_use]
    pub fn generate() -> Self {
        Self::of(match K::STRENGTH {
            Strength::Bits128 => random::handle(),
            Strength::Bits256 => random::long_handle(),
        })
    }

    /// Takes what a browser brought, when it could be one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let could_be = match K::STRENGTH {
            Strength::Bits128 => random::is_handle(text),
            Strength::Bits256 => random::is_long_handle(text),
        };
        could_be.then(|| Self::of(text.to_owned()))
    }
}

// Not derived: nothing is asked of what a handle is for.
impl<K> Clone for Handle<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), beside: self.beside.clone(), kind: PhantomData }
    }
}

impl<K> fmt::Debug for Handle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[handle]")
    }
}

/// What a record says, in a form that can be written and read.
pub trait Content: Sized + Send + Sync {
    /// The kind of handles that lead to it.
    type Handles: HandleKind;

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&self) -> Result<Secret<Vec<u8>>, Unwritable>;

    /// Reads what [`Self::write`] wrote, here or in another version of this program.
    fn read(plain: &[u8]) -> Option<Self>;
}

/// What a record says in JSON.
pub trait JsonContent: Serialize + DeserializeOwned + Send + Sync {
    /// The kind of handles that lead to it.
    type Handles: HandleKind;
}

impl<T: JsonContent> Content for T {
    type Handles = T::Handles;

    fn write(&self) -> Result<Secret<Vec<u8>>, Unwritable> {
        write_json(T::Handles::KIND, self)
    }

    fn read(plain: &[u8]) -> Option<Self> {
        serde_json::from_slice(plain).ok()
    }
}

/// Writes what a record of a kind says.
///
/// # Errors
/// When JSON has no words for it.
pub fn write_json<T: Serialize>(kind: Kind, value: &T) -> Result<Secret<Vec<u8>>, Unwritable> {
    serde_json::to_vec(value).map(Secret::new).map_err(|cause| Unwritable::new(kind, cause))
}

/// A record that cannot be written: a mistake in this program, whatever the request. Nothing is
/// kept.
#[derive(Debug, thiserror::Error)]
#[error("record of kind \"{}\" cannot be written, which is a mistake in this program: {cause}", kind.name())]
pub struct Unwritable {
    kind: Kind,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

impl Unwritable {
    /// Says of which kind the record is, and why it cannot be written.
    #[must_use]
    pub fn new(kind: Kind, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, cause: cause.into() }
    }
}

/// A caller makes no difference between a store that is away and a record that cannot be written;
/// operators read why.
impl From<Unwritable> for Unavailable {
    fn from(unwritable: Unwritable) -> Self {
        Self(unwritable.to_string())
    }
}

/// A record as it was found.
#[derive(Debug)]
pub struct Found<T> {
    /// What the record says.
    pub value: T,
    /// Needed to swap it, when it still is as it was found.
    pub version: Version,
    /// When it is not there any more.
    pub expires: Time,
}

/// How a record was when it was found or begun. It is swapped only if it still is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(Bytes);

impl Version {
    /// Returns how a record is when it is kept like this.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self(record.sealed.clone())
    }
}

/// The records of one kind that handles lead to, in a store.
pub struct Handles<T> {
    store: Arc<dyn RecordStore>,
    sealer: Sealer,
    content: PhantomData<fn() -> T>,
}

impl<T: Content> Handles<T> {
    /// Knows records that are kept in a store.
    #[must_use]
    pub fn new(store: Arc<dyn RecordStore>, sealer: Sealer) -> Self {
        Self { store, sealer, content: PhantomData }
    }

    /// Begins a record under a handle; none when one is there that has not expired.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn begin(
        &self,
        handle: &Handle<T::Handles>,
        value: &T,
        expires: Time,
        now: Time,
    ) -> Result<Option<Version>, Unavailable> {
        self.put_new(handle, self.record(handle, value, expires)?, now).await
    }

    /// Finds the record that a handle leads to.
    ///
    /// # Errors
    /// When nothing is known of it because the store is away.
    pub async fn find(
        &self,
        handle: &Handle<T::Handles>,
        now: Time,
    ) -> Result<Option<Found<T>>, Unavailable> {
        let record = self.store.get(handle.key(), now).await?;
        Ok(record.and_then(|record| {
            let value = self.open(handle, &record)?;
            Some(Found { value, version: Version(record.sealed), expires: record.expires })
        }))
    }

    /// Has a record say something else, when it still is as it was; says whether it does.
    ///
    /// # Errors
    /// When it cannot be kept: then the record is as it was.
    pub async fn swap(
        &self,
        handle: &Handle<T::Handles>,
        version: Version,
        value: &T,
        expires: Time,
        now: Time,
    ) -> Result<bool, Unavailable> {
        let record = self.record(handle, value, expires)?;
        self.store.swap(handle.key(), version.0, record, now).await
    }

    /// Takes a record away and returns it, to one caller only. A caller that cannot open it does
    /// not take it away either.
    ///
    /// # Errors
    /// When the store is away: then the record may still be there.
    pub async fn take(
        &self,
        handle: &Handle<T::Handles>,
        now: Time,
    ) -> Result<Option<T>, Unavailable> {
        if self.find(handle, now).await?.is_none() {
            return Ok(None);
        }
        let record = self.store.take(handle.key(), now).await?;
        Ok(record.and_then(|record| self.open(handle, &record)))
    }

    /// Takes away whatever is kept under a digest, unread.
    ///
    /// # Errors
    /// When the store is away: then it may still be there.
    pub async fn discard(&self, digest: Digest, now: Time) -> Result<(), Unavailable> {
        let kind = T::Handles::KIND;
        self.store.take(Key { kind, digest }, now).await.map(drop)
    }

    /// Makes a record of what it is to say.
    pub(crate) fn record(
        &self,
        handle: &Handle<T::Handles>,
        value: &T,
        expires: Time,
    ) -> Result<Record, Unwritable> {
        let plain = value.write()?;
        Ok(Record {
            sealed: self.sealer.seal(handle.key(), handle.secret().expose(), plain.expose()),
            label: Bytes::new(),
            owner: None,
            alive: 0,
            expires,
        })
    }

    /// Puts a record that [`Self::record`] made under its handle, unless one is there.
    pub(crate) async fn put_new(
        &self,
        handle: &Handle<T::Handles>,
        record: Record,
        now: Time,
    ) -> Result<Option<Version>, Unavailable> {
        let version = Version(record.sealed.clone());
        let is_put = self.store.put_new(handle.key(), record, now).await?;
        Ok(is_put.then_some(version))
    }

    fn open(&self, handle: &Handle<T::Handles>, record: &Record) -> Option<T> {
        let secret = handle.secret();
        let plain = self.sealer.open(handle.key(), secret.expose(), &record.sealed).ok()?;
        T::read(plain.expose())
    }
}

#[cfg(test)]
pub(crate) mod contract;
#[cfg(test)]
mod tests;
