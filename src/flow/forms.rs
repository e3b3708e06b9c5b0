//! What a citizen typed into a form before the session ended, kept until they have signed in again.
//!
//! 1. A form is found by a handle, and opens only with the handle and the binding cookie together:
//!    in another browser a handle opens nothing and takes nothing away.
//! 2. It is taken once.
//! 3. It lives for two times of a login: one to sign in, one to press the button.
//! 4. There is a bound for how many one process keeps, and for how many bytes they have. It is
//!    shared out by network ([`super::room`]): a network with much kept loses it, one with little
//!    does not. Those that still arrive have bounds of their own ([`super::arriving`]).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::arriving::Arriving;
use super::binding::{Binding, Tag};
use super::ledger::Bounds;
pub use super::room::NotKept;
use super::room::SharedRoom;
use crate::base::clock::{Time, later};
use crate::base::network::Network;
use crate::base::secret::Secret;
use crate::store::seal::Sealer;
use crate::store::sealed::{Content, HandleKind, RandomHandle, Strength, Unwritable, write_json};
use crate::store::{Kind, RecordStore, Unavailable, sealed};

/// How many forms one process keeps at once.
pub const MOST_FORMS: usize = 10_000;

/// The handle of a form that is kept. It is worth nothing without the binding cookie.
pub type Handle = sealed::Handle<Forms>;

impl Handle {
    /// The length of every handle.
    pub const LENGTH: usize = 22;

    /// Returns the handle as text, for an address or a form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.expose()
    }

    /// Returns what the name of its cookie ends in.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::of(self.expose())
    }
}

impl HandleKind for Forms {
    const KIND: Kind = Kind::Form;
}

impl RandomHandle for Forms {
    const STRENGTH: Strength = Strength::Bits128;
}

/// A form as it was sent.
#[derive(Clone)]
pub struct Form {
    /// What is known of the form beside its body.
    pub about: About,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// What is known of a form beside its body. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The canonical host that the form was sent to.
    pub host: String,
    /// Path and query as they came.
    pub target: String,
    /// The value of `Content-Type`.
    pub content_type: String,
    /// The value of `Referer`, which some portals compare with their own address.
    pub referer: Option<String>,
}

/// All forms that are kept.
pub struct Forms {
    lifetime: Duration,
    room: SharedRoom<Form>,
    /// Those that are still being read.
    pub arriving: Arriving,
}

impl Forms {
    /// Makes forms that are kept in a store, which has room for so many bytes of them.
    #[must_use]
    pub fn new(
        store: Arc<dyn RecordStore>,
        sealer: Sealer,
        login_timeout: Duration,
        most_bytes: usize,
    ) -> Self {
        let lifetime = login_timeout.saturating_mul(2);
        let bounds = Bounds { entries: MOST_FORMS, bytes: most_bytes };
        let room = SharedRoom::new(store, sealer, bounds);
        Self { lifetime, room, arriving: Arriving::default() }
    }

    /// Returns how long a form is kept.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Keeps a form for the browser that typed it.
    ///
    /// # Errors
    /// When there is no room, or the store is away.
    pub async fn keep(
        &self,
        form: &Form,
        binding: &Binding,
        network: Network,
        now: Time,
    ) -> Result<Handle, NotKept> {
        let handle = Handle::generate();
        self.put_back(&handle, form, binding, network, now).await?;
        Ok(handle)
    }

    /// Keeps a form that was taken under the handle that it had.
    ///
    /// # Errors
    /// When there is no room, or the store is away.
    pub async fn put_back(
        &self,
        handle: &Handle,
        form: &Form,
        binding: &Binding,
        network: Network,
        now: Time,
    ) -> Result<(), NotKept> {
        let (handle, expires) = (handle.with(binding.expose()), later(now, self.lifetime));
        self.room.begin(&handle, form, expires, network, now).await.map(drop)
    }

    /// Returns a form, which stays kept; none when it was taken, has expired, or another browser
    /// asks.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn find(
        &self,
        handle: &Handle,
        binding: &Binding,
        now: Time,
    ) -> Result<Option<Form>, Unavailable> {
        let found = self.room.find(&handle.with(binding.expose()), now).await?;
        Ok(found.map(|found| found.value))
    }

    /// Takes a form, once, for the browser that typed it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn take(
        &self,
        handle: &Handle,
        binding: &Binding,
        now: Time,
    ) -> Result<Option<Form>, Unavailable> {
        self.room.take(&handle.with(binding.expose()), now).await
    }

    /// Returns how many forms this process keeps, and how many bytes they have.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        let usage = self.room.usage();
        (usage.entries, usage.bytes)
    }

    /// Returns how many bytes there may be.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        self.room.bounds().bytes
    }
}

/// The length of what stands before the body, that, and the body.
impl Content for Form {
    type Handles = Forms;

    fn write(&self) -> Result<Secret<Vec<u8>>, Unwritable> {
        let about = write_json(Kind::Form, &self.about)?;
        let length = u32::try_from(about.expose().len());
        let length = length.map_err(|error| Unwritable::new(Kind::Form, error))?.to_be_bytes();
        Ok(Secret::new([&length, about.expose().as_slice(), &self.body].concat()))
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let (length, rest) = plain.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (about, body) = rest.split_at_checked(length)?;
        let about = serde_json::from_slice(about).ok()?;
        Some(Self { about, body: Bytes::copy_from_slice(body) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    const TIMEOUT: Duration = Duration::from_secs(600);
    const MOST_BYTES: usize = 128 << 20;

    fn network(number: u32) -> Network {
        Network::of(std::net::Ipv4Addr::from(number).into(), 32, 56)
    }

    fn forms() -> (Forms, Arc<Memory>, Binding, Time) {
        let store = Arc::new(Memory::new(1000));
        let forms = Forms::new(store.clone(), Sealer::default(), TIMEOUT, MOST_BYTES);
        (forms, store, Binding::generate(), "2031-01-01T00:00:00Z".parse().unwrap())
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
        let handle = forms.keep(&kept, &binding, network(1), now).await.unwrap();
        let found = forms.find(&handle, &binding, now).await.unwrap().unwrap();
        assert_eq!((found.about, found.body), (kept.about.clone(), kept.body.clone()));
        let taken = forms.take(&handle, &binding, now).await.unwrap().unwrap();
        assert_eq!((taken.about, taken.body), (kept.about, kept.body));
        assert!(forms.take(&handle, &binding, now).await.unwrap().is_none());
    }

    #[test]
    fn a_form_is_kept_for_two_times_of_a_login_and_within_the_bytes_that_there_are() {
        let (forms, ..) = forms();
        assert_eq!((forms.lifetime(), forms.most_bytes()), (TIMEOUT * 2, MOST_BYTES));
    }

    #[tokio::test]
    async fn another_browser_opens_nothing_and_takes_nothing_away() {
        let (forms, _, binding, now) = forms();
        let handle = forms.keep(&form(b"a=1"), &binding, network(1), now).await.unwrap();
        assert!(forms.take(&handle, &Binding::generate(), now).await.unwrap().is_none());
        assert!(forms.take(&handle, &binding, now).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn an_expired_form_is_gone_and_makes_room_in_the_store_too() {
        let (forms, store, binding, now) = forms();
        let handle = forms.keep(&form(b"a=1"), &binding, network(1), now).await.unwrap();
        let end = later(now, TIMEOUT * 2);
        let just_before = later(now, TIMEOUT * 2 - Duration::from_millis(1));
        assert!(forms.find(&handle, &binding, just_before).await.unwrap().is_some());
        assert!(forms.find(&handle, &binding, end).await.unwrap().is_none());
        forms.keep(&form(b"b=1"), &binding, network(1), end).await.unwrap();
        // Asked with the time of the beginning, the store would still have it.
        assert!(store.get(handle.key(), now).await.unwrap().is_none());
        assert_eq!(forms.kept().0, 1);
    }

    #[tokio::test]
    async fn whoever_fills_the_room_loses_its_own_and_others_keep_theirs() {
        static LARGE: [u8; 1 << 20] = [b'x'; 1 << 20];
        let (forms, store, binding, now) = forms();
        let keep = |body, of| {
            let (forms, binding) = (&forms, &binding);
            async move { forms.keep(&form(body), binding, network(of), now).await }
        };
        let before = keep(b"a=1", 2).await.unwrap();
        let mut flood = Vec::new();
        for _ in 0..150 {
            flood.push(keep(&LARGE, 1).await.unwrap());
        }
        let after = keep(&LARGE, 3).await.unwrap();
        assert!(forms.kept().1 <= MOST_BYTES);
        for handle in [before, after] {
            assert!(forms.take(&handle, &binding, now).await.unwrap().is_some());
        }
        let mut lost = 0;
        for handle in &flood {
            let is_there = store.get(handle.key(), now).await.unwrap().is_some();
            assert_eq!(is_there, forms.find(handle, &binding, now).await.unwrap().is_some());
            lost += usize::from(!is_there);
        }
        assert!((23..=25).contains(&lost), "{lost}: what it brought first");
        // The twin: where no network has more, the form is refused for want of room.
        let forms = Forms::new(store, Sealer::default(), TIMEOUT, 2 << 20);
        forms.keep(&form(&LARGE), &binding, network(1), now).await.unwrap();
        let kept = forms.keep(&form(&LARGE), &binding, network(2), now).await;
        assert_eq!(kept.unwrap_err(), NotKept::Full);
        assert_eq!(forms.kept().0, 1);
    }
}
