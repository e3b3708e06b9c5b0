//! The handle of a login: what goes to the node with our request and comes back with its answer.
//!
//! 1. It tells nothing of the login. It is random, has the second in which the login ends in it,
//!    and a mark that only we can make ([`Sealer::mark`]). So whatever comes back is known for
//!    ours, or for expired, without a record of it: a million logins that were begun cost nothing.
//! 2. The handle alone is worth nothing. The browser that began the login knows it, and so does
//!    every page on its way; what it leads to asks for more ([`super::pending`],
//!    [`super::ticket`]).
//! 3. SAML bindings 3.4.3 leaves 80 bytes for it.

use super::binding::Tag;
use super::login_error::LoginRefusal;
use crate::base::clock::Time;
use crate::base::encoding::{base64url, from_base64url, sha256};
use crate::base::random;
use crate::store::seal::Sealer;
use crate::store::{Digest, Key, Kind};

/// The handle of a login that we began and that has not expired. Only [`RelayState::recognise`]
/// makes one of what comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayState(String);

impl RelayState {
    /// Makes the handle of a new login that ends then.
    #[must_use]
    pub fn issue(sealer: &Sealer, end: Time) -> Self {
        let seconds = end.as_second().clamp(0, LAST_SECOND).to_be_bytes();
        let mut bytes = [0; BODY + MARK];
        bytes[..RANDOM].copy_from_slice(&random::bytes::<RANDOM>());
        bytes[RANDOM..BODY].copy_from_slice(&seconds[8 - SECONDS..]);
        let mark = sealer.mark(PURPOSE, &bytes[..BODY]);
        bytes[BODY..].copy_from_slice(&mark[..MARK]);
        Self(base64url(&bytes))
    }

    /// Recognises what came back.
    ///
    /// # Errors
    /// When we did not make it, or the login took too long.
    pub fn recognise(text: &str, sealer: &Sealer, now: Time) -> Result<Self, NotRecognised> {
        let bytes = Some(text)
            .filter(|text| text.len() == LENGTH)
            .and_then(from_base64url)
            .ok_or(NotRecognised::Unknown)?;
        let (body, mark) = bytes.split_at_checked(BODY).ok_or(NotRecognised::Unknown)?;
        if !sealer.is_marked(PURPOSE, body, mark) {
            return Err(NotRecognised::Unknown);
        }
        let this = Self(text.to_owned());
        if now >= this.end() {
            return Err(NotRecognised::Expired(ExpiredRelayState(this)));
        }
        Ok(this)
    }

    /// Returns the handle as it travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what the names of its cookies end in.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::of(&self.0)
    }

    /// Returns when the login ends.
    #[must_use]
    pub fn end(&self) -> Time {
        let bytes = from_base64url(&self.0).unwrap_or_default();
        let mut seconds = [0; 8];
        if let Some(end) = bytes.get(RANDOM..BODY) {
            seconds[8 - SECONDS..].copy_from_slice(end);
        }
        Time::from_second(i64::from_be_bytes(seconds)).unwrap_or(Time::UNIX_EPOCH)
    }

    /// Returns the secret that leads to one thing that belongs to the login. None leads to another.
    pub(super) fn secret(&self, thing: Thing) -> String {
        format!("{}\0{}", thing.name(), self.0)
    }

    /// Returns the key for one thing that belongs to the login, and the secret that leads to it. No
    /// thing stands for another.
    pub(super) fn key(&self, thing: Thing) -> (Key, String) {
        let secret = self.secret(thing);
        let digest: Digest = sha256(secret.as_bytes());
        (Key { kind: Kind::Login, digest }, secret)
    }
}

/// Why what came back is no handle of a login that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRecognised {
    /// We made no such handle.
    Unknown,
    /// The login took too long.
    Expired(ExpiredRelayState),
}

impl From<NotRecognised> for LoginRefusal {
    fn from(not_recognised: NotRecognised) -> Self {
        match not_recognised {
            NotRecognised::Unknown => Self::Unknown,
            NotRecognised::Expired(_) => Self::Expired,
        }
    }
}

/// The handle of a login that took too long. It finishes nothing; it only leads to what the browser
/// that began it remembers, so that a citizen who is late begins again where they wanted to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiredRelayState(RelayState);

impl ExpiredRelayState {
    /// Returns the handle as it travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns what the names of its cookies end in.
    #[must_use]
    pub fn tag(&self) -> Tag {
        self.0.tag()
    }

    /// Returns the handle, for what the browser remembers.
    pub(super) fn handle(&self) -> &RelayState {
        &self.0
    }
}

/// What belongs to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    /// What was remembered at the beginning, in the cookie of the browser that began it.
    Beginning,
    /// What was delivered, in the hands of the browser that delivered it.
    Delivery,
    /// What became of it, in the store.
    Outcome,
}

impl Thing {
    fn name(self) -> &'static str {
        match self {
            Self::Beginning => "beginning",
            Self::Delivery => "delivery",
            Self::Outcome => "outcome",
        }
    }
}

/// 128 bits, which cannot be guessed.
const RANDOM: usize = 16;
/// The bytes of a second: enough for 34,000 years.
const SECONDS: usize = 5;
const LAST_SECOND: i64 = (1 << (8 * SECONDS)) - 1;
const BODY: usize = RANDOM + SECONDS;
/// 96 bits of a mark, which cannot be invented.
const MARK: usize = 12;
/// What 33 bytes have in base64url.
const LENGTH: usize = 44;
const PURPOSE: &str = "relay state";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_second(second).unwrap()
    }

    #[test]
    fn ours_is_recognised_until_its_end() {
        let sealer = Sealer::default();
        let issued = RelayState::issue(&sealer, at(2_000_000_000));
        assert!(issued.as_str().len() <= 80, "SAML bindings 3.4.3");
        assert_eq!(issued.end(), at(2_000_000_000));
        let recognise = |now| RelayState::recognise(issued.as_str(), &sealer, now);
        assert_eq!(recognise(at(1_999_999_999)), Ok(issued.clone()));
        let late = NotRecognised::Expired(ExpiredRelayState(issued.clone()));
        assert_eq!(recognise(at(2_000_000_000)), Err(late));
        assert_ne!(RelayState::issue(&sealer, at(2_000_000_000)), issued);
    }

    #[test]
    fn nobody_else_makes_one_or_prolongs_it() {
        let sealer = Sealer::default();
        let issued = RelayState::issue(&sealer, at(100));
        let recognise = |text: &str| RelayState::recognise(text, &sealer, at(0));
        let bytes = from_base64url(issued.as_str()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(recognise(&base64url(&changed)), Err(NotRecognised::Unknown), "byte {at}");
        }
        let foreign = RelayState::issue(&Sealer::default(), at(100));
        let longer = format!("{}A", issued.as_str());
        for text in ["", "x", &issued.as_str()[1..], &longer, foreign.as_str(), &"ż".repeat(22)] {
            assert_eq!(recognise(text), Err(NotRecognised::Unknown), "{text}");
        }
    }

    #[test]
    fn no_thing_stands_for_another() {
        let issued = RelayState::issue(&Sealer::default(), at(100));
        let keys =
            [Thing::Beginning, Thing::Delivery, Thing::Outcome].map(|thing| issued.key(thing));
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    }
}
