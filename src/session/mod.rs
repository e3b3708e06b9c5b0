//! Sessions of signed-in citizens.
//!
//! 1. The id in the cookie is a secret of 192 bits, and has a mark that only we can make
//!    ([`crate::store::mark`]); what is stored is found by its hash. What has no good mark is
//!    nothing, and the store is not asked about it.
//! 2. A session is made from an assertion that passed every check, and in no other way.
//! 3. It ends when nothing happened for the idle time, at its absolute end, at the node's own end
//!    when it names one, or when it is removed. Background polling is no sign of life.

pub mod cached;
pub mod label;
pub mod linked;
mod local;
pub mod recent;
pub mod sessions;
mod stored;
#[cfg(test)]
pub(crate) mod testing;

use std::time::Duration;

use crate::base::clock::{Time, later};
use crate::base::encoding::{base64url, sha256};
use crate::base::random;
use crate::base::secret::Secret;
use crate::identity::assurance::Assurance;
use crate::identity::claims::Subject;
use crate::identity::person::Person;
use crate::saml::assertion::Assertion;
use crate::saml::logout::NodeSession;
use crate::store::mark::Marker;

/// How long sessions last and how many there may be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a session lasts without a sign of life.
    pub idle: Duration,
    /// How long a session lasts at the most.
    pub absolute: Duration,
    /// How many sessions are kept near.
    pub maximum: u64,
    /// How many sessions a person may have; no bound when zero.
    pub maximum_per_person: usize,
    /// How long sessions that are near go on while the store where they are kept is away.
    pub grace: Duration,
}

impl Settings {
    /// How much time passes between two signs of life that the store is told of.
    pub(crate) fn tell_after(&self) -> Duration {
        (self.idle / 20).clamp(Duration::from_secs(1), Duration::from_secs(30))
    }
}

/// The secret in the cookie.
#[derive(Debug, Clone)]
pub struct SessionId(Secret<String>);

/// What a session is stored under: the hash of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionId {
    /// Makes a fresh id.
    #[must_use]
    pub fn make(marks: &Marker) -> Self {
        Self(Secret::new(marks.make()))
    }

    /// Makes a fresh id without a mark, which is worth nothing in a cookie.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(random::long_handle()))
    }

    /// Takes the value of a cookie, when it is an id that we made.
    #[must_use]
    pub fn recognise(text: &str, marks: &Marker) -> Option<Self> {
        marks.is_ours(text).then(|| Self(Secret::new(text.to_owned())))
    }

    /// Takes an id that was kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        random::is_long_handle(text).then(|| Self(Secret::new(text.to_owned())))
    }

    /// Shows the value for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Returns the bytes that a sealed session opens with.
    #[must_use]
    pub(crate) fn secret(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }

    /// Returns what the session is stored under.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey(sha256(self.0.expose().as_bytes()))
    }
}

impl SessionKey {
    /// Returns its first bytes, as good as a hash of it.
    #[must_use]
    pub fn prefix(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_ne_bytes([a, b, c, d, e, f, g, h])
    }

    /// Takes what operators call a session by.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the key, the hash of the id.
    #[must_use]
    pub fn bytes(self) -> [u8; 32] {
        self.0
    }

    /// Returns the public name of the session, for the `sid` claim and for logs: it says nothing
    /// about the id.
    #[must_use]
    pub fn public_name(self) -> String {
        PublicName::of(self).as_str().to_owned()
    }
}

/// The public name of a session, in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicName([u8; 22]);

impl PublicName {
    fn of(key: SessionKey) -> Self {
        let text = base64url(&sha256(&key.0)[..16]);
        Self(text.as_bytes().try_into().expect("16 bytes are 22 letters in base64"))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("base64 is ASCII")
    }
}

/// A signed-in citizen. There may be a million in memory, so texts have no room to grow, and what
/// every request looks at comes first.
#[derive(Debug, Clone)]
#[repr(C)]
pub struct Session {
    end: Time,
    authenticated: Time,
    person: Person,
    authority: Option<Box<str>>,
    assurance: Assurance,
    public_name: PublicName,
    name_id: Box<str>,
    session_index: Box<str>,
}

impl Session {
    /// Begins a session from a checked assertion.
    #[must_use]
    pub fn begin(assertion: &Assertion, key: SessionKey, settings: &Settings, now: Time) -> Self {
        let end = later(now, settings.absolute);
        Self {
            person: assertion.person().clone(),
            assurance: assertion.assurance(),
            authority: assertion.authority().map(Into::into),
            authenticated: assertion.authn_instant(),
            end: assertion.session_end().map_or(end, |node| node.min(end)),
            public_name: PublicName::of(key),
            name_id: assertion.name_id().into(),
            session_index: assertion.session_index().into(),
        }
    }

    /// Returns the person who is signed in.
    #[must_use]
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// Returns how sure the identification was.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// Returns which authority identified the citizen, such as `pz.gov.pl`, when the node said so.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Returns when the citizen identified.
    #[must_use]
    pub fn authenticated(&self) -> Time {
        self.authenticated
    }

    /// Returns when the session ends at the latest.
    #[must_use]
    pub fn end(&self) -> Time {
        self.end
    }

    /// Returns the public name, to be kept.
    #[must_use]
    pub fn name(&self) -> PublicName {
        self.public_name
    }

    /// Returns the public name, which logs and the `sid` claim have.
    #[must_use]
    pub fn public_name(&self) -> &str {
        self.public_name.as_str()
    }

    /// Returns what a backend may learn.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            person: &self.person,
            session: self.public_name(),
            assurance: self.assurance,
            authority: self.authority(),
            authenticated: self.authenticated,
            session_end: self.end,
        }
    }

    /// Returns what the node knows the session by.
    #[must_use]
    pub fn node_session(&self) -> NodeSession<'_> {
        NodeSession { name_id: &self.name_id, session_index: &self.session_index }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;
    use crate::store::seal::Sealer;

    #[test]
    fn an_id_is_read_back_and_nothing_else_is_taken() {
        let id = SessionId::generate();
        assert_eq!(SessionId::parse(id.expose()).unwrap().key(), id.key());
        for wrong in ["", "x", &"ż".repeat(22), &"a".repeat(44), &format!("{};", "a".repeat(42))] {
            assert!(SessionId::parse(wrong).is_none(), "{wrong}");
        }
        assert!(!format!("{id:?}").contains(id.expose()));
    }

    #[test]
    fn a_cookie_is_an_id_when_the_mark_in_it_is_ours() {
        let sealer = |secret: &[u8]| Sealer::new(vec![Secret::new(secret.to_vec())]);
        let marks = Marker::new(sealer(b"ours"), Kind::Session);
        let id = SessionId::make(&marks);
        assert_eq!(SessionId::recognise(id.expose(), &marks).unwrap().key(), id.key());
        let foreign = SessionId::make(&Marker::new(sealer(b"of others"), Kind::Session));
        for wrong in [foreign.expose(), SessionId::generate().expose(), "", "x"] {
            assert!(SessionId::recognise(wrong, &marks).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_prefix_of_a_key_is_its_first_eight_bytes() {
        let key = |first: u8| {
            let mut bytes = [7; 32];
            bytes[..8].fill(first);
            SessionKey::from_bytes(bytes)
        };
        assert_eq!(key(1).prefix(), u64::from_ne_bytes([1; 8]));
        assert_ne!(key(1).prefix(), key(2).prefix());
    }

    #[test]
    fn signs_of_life_are_told_for_each_twentieth_of_the_idle_time_within_bounds() {
        for (idle, told) in [(1, 1), (40, 2), (300, 15), (600, 30), (6_000, 30)] {
            let idle = Duration::from_secs(idle);
            let settings = Settings { idle, ..testing::settings() };
            assert_eq!(settings.tell_after(), Duration::from_secs(told), "{idle:?}");
        }
    }
}
