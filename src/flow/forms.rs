//! What a citizen typed into a form before the session ended, kept until they have signed in again.
//!
//! 1. A form is found by a handle, and opens only with the handle and the binding cookie together: in
//!    another browser a handle opens nothing and takes nothing away.
//! 2. It is taken once.
//! 3. It lives for two times of a login: one to sign in, one to press the button.
//! 4. There is a bound for how many one process keeps, and for how many bytes they have. When it is
//!    reached nothing more is kept; what was kept before stays. Those that still arrive have a bound of
//!    their own ([`Forms::begin_to_read`]).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::binding::{Binding, Tag};
use crate::base::clock::{Time, later};
use crate::base::encoding::sha256;
use crate::base::random;
use crate::base::secret::Secret;
use crate::store::seal::Sealer;
use crate::store::{Digest, Key, Kind, Place, Record, Unavailable};

/// How many forms one process keeps at once.
pub const MOST_FORMS: usize = 10_000;
/// How many bytes they may have together.
pub const MOST_BYTES: usize = 128 << 20;

/// How many bytes may be arriving at once, counted by what is announced.
pub const MOST_ARRIVING: usize = 64 << 20;

/// The handle of a form that is kept. It is worth nothing without the binding cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle(String);

impl Handle {
    /// The length of every handle.
    pub const LENGTH: usize = 22;

    /// Takes what the browser brought back, when it could be one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        random::is_handle(text).then(|| Self(text.to_owned()))
    }

    /// Returns the handle.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what the name of its cookie ends in.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::of(&self.0)
    }

    fn key(&self) -> Key {
        Key { kind: Kind::Form, digest: sha256(self.0.as_bytes()) }
    }

    fn secret(&self, binding: &Binding) -> Secret<Vec<u8>> {
        Secret::new([self.0.as_bytes(), b".", binding.expose().as_bytes()].concat())
    }
}

/// A form as it was sent.
#[derive(Clone)]
pub struct Form {
    /// All but the body.
    pub about: About,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// What is known of a form beside its body. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The canonical host.
    pub host: String,
    /// Path and query as they came.
    pub target: String,
    /// The value of `Content-Type`.
    pub content_type: String,
    /// The value of `Referer`, which some portals compare with their own address.
    pub referer: Option<String>,
}

/// Why a form is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// Too many are kept already.
    #[error("as many forms are kept as there is room for")]
    Full,
    /// The place is away.
    #[error(transparent)]
    Store(#[from] Unavailable),
}

/// All forms that are kept.
pub struct Forms {
    place: Arc<dyn Place>,
    sealer: Sealer,
    lifetime: Duration,
    room: Mutex<Room>,
    /// In units of [`UNIT`] bytes.
    arriving: Semaphore,
}

/// What this process has kept, oldest first.
#[derive(Default)]
struct Room {
    kept: VecDeque<Kept>,
    bytes: usize,
}

struct Kept {
    digest: Digest,
    bytes: usize,
    expires: Time,
}

impl Forms {
    /// Makes forms that are kept in a place.
    #[must_use]
    pub fn new(place: Arc<dyn Place>, sealer: Sealer, login_timeout: Duration) -> Self {
        let lifetime = login_timeout.saturating_mul(2);
        let arriving = Semaphore::new(MOST_ARRIVING / UNIT);
        Self { place, sealer, lifetime, room: Mutex::default(), arriving }
    }

    /// Returns how long a form is kept.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Takes a share of what may be arriving at once, for as long as it is held; none when there is
    /// not enough left.
    pub fn begin_to_read(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let units = u32::try_from(bytes.div_ceil(UNIT).max(1)).ok()?;
        self.arriving.try_acquire_many(units).ok()
    }

    /// Keeps a form for the browser that typed it.
    ///
    /// # Errors
    /// When there is no room, or the place is away.
    pub async fn keep(&self, form: &Form, binding: &Binding, now: Time) -> Result<Handle, NotKept> {
        let handle = Handle(random::handle());
        self.put_back(&handle, form, binding, now).await?;
        Ok(handle)
    }

    /// Keeps a form that was taken under the handle that it had.
    ///
    /// # Errors
    /// When there is no room, or the place is away.
    pub async fn put_back(
        &self,
        handle: &Handle,
        form: &Form,
        binding: &Binding,
        now: Time,
    ) -> Result<(), NotKept> {
        let (key, expires) = (handle.key(), later(now, self.lifetime));
        let plain = write(form);
        let kept = Kept { digest: key.digest, bytes: plain.expose().len(), expires };
        let (has_room, over) = self.with_room(|room| {
            // The place may not look at what nobody asks for any more, so it is told.
            let over = room.expired(now);
            (room.take_in(kept), over)
        });
        for digest in over {
            self.place.take(Key { digest, ..key }, now).await?;
        }
        if !has_room {
            return Err(NotKept::Full);
        }
        let sealed = self.sealer.seal(key, handle.secret(binding).expose(), plain.expose());
        let record = Record { sealed, label: Bytes::new(), owner: None, alive: 0, expires };
        if let Err(away) = self.place.put(key, record).await {
            self.with_room(|room| room.let_go(key.digest));
            return Err(away.into());
        }
        Ok(())
    }

    /// Returns a form, which stays kept; none when it was taken, has expired, or another browser asks.
    ///
    /// # Errors
    /// When the place is away.
    pub async fn find(
        &self,
        handle: &Handle,
        binding: &Binding,
        now: Time,
    ) -> Result<Option<Form>, Unavailable> {
        let record = self.place.get(handle.key(), now).await?;
        Ok(record.and_then(|record| self.open(handle, binding, &record)))
    }

    /// Takes a form, once, for the browser that typed it.
    ///
    /// # Errors
    /// When the place is away.
    pub async fn take(
        &self,
        handle: &Handle,
        binding: &Binding,
        now: Time,
    ) -> Result<Option<Form>, Unavailable> {
        // Whoever cannot open it does not take it away either.
        if self.find(handle, binding, now).await?.is_none() {
            return Ok(None);
        }
        let record = self.place.take(handle.key(), now).await?;
        self.with_room(|room| room.let_go(handle.key().digest));
        Ok(record.and_then(|record| self.open(handle, binding, &record)))
    }

    /// Returns how many forms this process keeps, and how many bytes they have.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        self.with_room(|room| (room.kept.len(), room.bytes))
    }

    fn open(&self, handle: &Handle, binding: &Binding, record: &Record) -> Option<Form> {
        let secret = handle.secret(binding);
        let plain = self.sealer.open(handle.key(), secret.expose(), &record.sealed).ok()?;
        read(plain.expose())
    }

    fn with_room<T>(&self, act: impl FnOnce(&mut Room) -> T) -> T {
        act(&mut self.room.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Room {
    /// Lets go of some that have expired, and returns them.
    fn expired(&mut self, now: Time) -> Vec<Digest> {
        let over = self.kept.iter().take(AT_ONCE).take_while(|kept| kept.expires <= now).count();
        let over: Vec<_> = self.kept.drain(..over).collect();
        self.bytes -= over.iter().map(|kept| kept.bytes).sum::<usize>();
        over.into_iter().map(|kept| kept.digest).collect()
    }

    fn take_in(&mut self, kept: Kept) -> bool {
        if self.kept.len() >= MOST_FORMS || self.bytes + kept.bytes > MOST_BYTES {
            return false;
        }
        self.bytes += kept.bytes;
        self.kept.push_back(kept);
        true
    }

    fn let_go(&mut self, digest: Digest) {
        let at = self.kept.iter().position(|kept| kept.digest == digest);
        if let Some(kept) = at.and_then(|at| self.kept.remove(at)) {
            self.bytes -= kept.bytes;
        }
    }
}

/// The length of what stands before the body, that, and the body.
fn write(form: &Form) -> Secret<Vec<u8>> {
    let about = serde_json::to_vec(&form.about).unwrap_or_default();
    let length = u32::try_from(about.len()).unwrap_or(0).to_be_bytes();
    Secret::new([&length, about.as_slice(), &form.body].concat())
}

fn read(plain: &[u8]) -> Option<Form> {
    let (length, rest) = plain.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (about, body) = rest.split_at_checked(length)?;
    let about = serde_json::from_slice(about).ok()?;
    Some(Form { about, body: Bytes::copy_from_slice(body) })
}

/// How many expired forms are let go of when another one is kept.
const AT_ONCE: usize = 16;
/// In what arriving bytes are counted.
const UNIT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    const TIMEOUT: Duration = Duration::from_secs(600);

    fn forms() -> (Forms, Arc<Memory>, Binding, Time) {
        let place = Arc::new(Memory::new(100));
        let forms = Forms::new(place.clone(), Sealer::default(), TIMEOUT);
        (forms, place, Binding::generate(), "2031-01-01T00:00:00Z".parse().unwrap())
    }

    fn form(body: &'static [u8]) -> Form {
        let about = About {
            host: "localhost".to_owned(),
            target: "/tax?year=2031".to_owned(),
            content_type: "multipart/form-data; boundary=x".to_owned(),
            referer: None,
        };
        Form { about, body: Bytes::from_static(body) }
    }

    #[tokio::test]
    async fn what_was_typed_comes_back_byte_for_byte_and_once() {
        let (forms, _, binding, now) = forms();
        let kept = form(b"\0a=1\r\n\xff");
        let handle = forms.keep(&kept, &binding, now).await.unwrap();
        let found = forms.find(&handle, &binding, now).await.unwrap().unwrap();
        assert_eq!((found.about, found.body), (kept.about.clone(), kept.body.clone()));
        let taken = forms.take(&handle, &binding, now).await.unwrap().unwrap();
        assert_eq!((taken.about, taken.body), (kept.about, kept.body));
        assert!(forms.take(&handle, &binding, now).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn another_browser_opens_nothing_and_takes_nothing_away() {
        let (forms, _, binding, now) = forms();
        let handle = forms.keep(&form(b"a=1"), &binding, now).await.unwrap();
        assert!(forms.take(&handle, &Binding::generate(), now).await.unwrap().is_none());
        assert!(forms.take(&handle, &binding, now).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn an_expired_form_is_gone_and_makes_room_in_the_place_too() {
        let (forms, place, binding, now) = forms();
        let handle = forms.keep(&form(b"a=1"), &binding, now).await.unwrap();
        let end = later(now, TIMEOUT * 2);
        let just_before = later(now, TIMEOUT * 2 - Duration::from_millis(1));
        assert!(forms.find(&handle, &binding, just_before).await.unwrap().is_some());
        assert!(forms.find(&handle, &binding, end).await.unwrap().is_none());
        forms.keep(&form(b"b=1"), &binding, end).await.unwrap();
        // Asked with the time of the beginning, the place would still have it.
        assert!(place.get(handle.key(), now).await.unwrap().is_none());
        assert_eq!(forms.with_room(|room| room.kept.len()), 1);
    }

    #[test]
    fn there_is_a_bound_for_what_arrives_at_once() {
        let (forms, ..) = forms();
        let half = forms.begin_to_read(MOST_ARRIVING / 2).unwrap();
        let rest = forms.begin_to_read(MOST_ARRIVING / 2).unwrap();
        assert!(forms.begin_to_read(0).is_none(), "even an empty one takes something");
        drop(half);
        assert!(forms.begin_to_read(MOST_ARRIVING / 2 + 1).is_none());
        assert!(forms.begin_to_read(MOST_ARRIVING / 2).is_some());
        drop(rest);
    }

    #[tokio::test]
    async fn there_is_a_bound_of_bytes_and_it_pushes_nothing_out() {
        let (forms, _, binding, now) = forms();
        static LARGE: [u8; 32 << 20] = [b'x'; 32 << 20];
        let first = forms.keep(&form(&LARGE), &binding, now).await.unwrap();
        for _ in 0..2 {
            forms.keep(&form(&LARGE), &binding, now).await.unwrap();
        }
        assert_eq!(forms.keep(&form(&LARGE), &binding, now).await, Err(NotKept::Full));
        assert!(forms.take(&first, &binding, now).await.unwrap().is_some());
        assert!(forms.keep(&form(&LARGE), &binding, now).await.is_ok(), "its room is free again");
    }
}
