//! Answers of the node that an operator wants to look at, sealed to the service's own key.
//!
//! 1. It is off. An operator puts it on, for so many answers and so long, and then it is off by
//!    itself: no key of the configuration does it, and a new process begins without.
//! 2. What is captured is sealed at once to the service's decryption key, as the node seals an
//!    assertion ([`crate::xml::encryption`]). Whoever has that key could read what the node sends
//!    anyhow, so nothing else has to be guarded. Who asked for it reads nothing without that key.
//! 3. It is in the memory of this process alone, in bounded number and bytes, until it is fetched,
//!    once, or an hour has passed. Nothing is written to a disk, so nothing stays in a backup.
//! 4. With an answer goes what the login expected of it, so that `brama explain` examines it as the
//!    login did.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::clock::{Time, later};
use crate::base::random;
use crate::saml::namespaces::SAML2;
use crate::xml::algorithms::{DS, DSIG11, XENC, XENC11};
use crate::xml::decryption::{self, Parties};
use crate::xml::encryption::{Envelope, encrypt};
use crate::xml::keys::DecryptionKey;
use crate::xml::scan::Limits;
use crate::xml::tree::Document;
use crate::xml::writer::Writer;

/// What an operator wants captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// How many answers, at most [`MOST_ANSWERS`].
    pub answers: usize,
    /// For how long, at most [`LONGEST`].
    pub time: Duration,
}

/// What a login expected of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// When the answer was examined.
    pub at: Time,
    /// The `ID` of our `AuthnRequest`.
    pub request_id: String,
    /// The `ID` of our `ArtifactResolve`.
    pub resolve_id: String,
    /// The least level of assurance, by its name.
    pub assurance: String,
    /// The earliest moment at which the citizen may have identified.
    pub fresh_since: Option<Time>,
}

/// A captured answer, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// By which it is fetched.
    pub name: String,
    /// When it came.
    pub at: Time,
    /// The `ID` of the `AuthnRequest` of its login.
    pub login: String,
    /// The sealed answer, as XML.
    pub sealed: String,
}

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Until when answers are captured; `None` when none is.
    pub until: Option<Time>,
    /// How many more.
    pub left: usize,
    /// What waits to be fetched: name, time and login of each.
    pub kept: Vec<Captured>,
}

/// What is captured. Shared by all workers, and kept when the configuration changes.
#[derive(Debug, Default)]
pub struct Captures {
    is_on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    wanted: Option<(Time, usize)>,
    kept: VecDeque<Captured>,
    bytes: usize,
}

/// The most answers that are captured at once, and kept.
pub const MOST_ANSWERS: usize = 20;
/// The longest that answers are captured.
pub const LONGEST: Duration = Duration::from_secs(60 * 60);

impl Captures {
    /// Captures from now on what an operator wants, in the place of what was wanted before.
    pub fn begin(&self, wish: Wish, now: Time) {
        let (answers, time) = (wish.answers.min(MOST_ANSWERS), wish.time.min(LONGEST));
        self.with(now, |state| state.wanted = Some((later(now, time), answers)));
    }

    /// Captures nothing any more, and forgets what is kept.
    pub fn end(&self, now: Time) {
        self.with(now, |state| *state = State::default());
    }

    /// Captures an answer, when one is wanted; says whether it did. `keys` are those of the service,
    /// of which the first one is to read it.
    pub fn offer(
        &self,
        answer: &[u8],
        about: &About,
        keys: &[DecryptionKey],
        service: &str,
    ) -> bool {
        // Nearly always there is nothing to do.
        if !self.is_on.load(Ordering::Relaxed) {
            return false;
        }
        let now = about.at;
        // Its turn is taken before it is sealed, so that not one too many is.
        let is_wanted = self.with(now, |state| match &mut state.wanted {
            Some((_, left)) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        });
        if !is_wanted {
            return false;
        }
        let Some(sealed) = keys.first().and_then(|key| seal(answer, about, key, service)) else {
            tracing::warn!("an answer of the node was to be captured, and could not be sealed");
            return false;
        };
        let (name, login) = (random::unique_name(), about.request_id.clone());
        self.with(now, |state| {
            if state.bytes + sealed.len() > MOST_BYTES {
                tracing::warn!("an answer of the node was to be captured, and there is no room");
                return false;
            }
            state.bytes += sealed.len();
            state.kept.push_back(Captured { name, at: now, login, sealed });
            true
        })
    }

    /// Returns how things stand, without what is sealed.
    #[must_use]
    pub fn standing(&self, now: Time) -> Standing {
        self.with(now, |state| {
            let without =
                |captured: &Captured| Captured { sealed: String::new(), ..captured.clone() };
            let (until, left) = state.wanted.map_or((None, 0), |(until, left)| (Some(until), left));
            Standing { until, left, kept: state.kept.iter().map(without).collect() }
        })
    }

    /// Takes what was captured under a name, once.
    #[must_use]
    pub fn take(&self, name: &str, now: Time) -> Option<Captured> {
        self.with(now, |state| {
            let place = state.kept.iter().position(|captured| captured.name == name)?;
            let taken = state.kept.remove(place)?;
            state.bytes -= taken.sealed.len();
            Some(taken)
        })
    }

    fn with<T>(&self, now: Time, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tidy(now);
        let done = act(&mut state);
        state.tidy(now);
        self.is_on.store(state.wanted.is_some(), Ordering::Relaxed);
        done
    }
}

impl State {
    /// Ends what is over, and forgets what nobody fetched.
    fn tidy(&mut self, now: Time) {
        self.wanted = self.wanted.filter(|(until, left)| now < *until && *left > 0);
        while let Some(first) = self.kept.front()
            && (now >= later(first.at, FETCHED_WITHIN) || self.kept.len() > MOST_ANSWERS)
        {
            self.bytes -= first.sealed.len();
            self.kept.pop_front();
        }
    }
}

/// A captured answer that was opened.
#[derive(Debug)]
pub struct Opened {
    /// What the login expected.
    pub about: About,
    /// The answer, as it came.
    pub answer: Vec<u8>,
}

/// Tells whether bytes are those of a captured answer.
#[must_use]
pub fn is_captured(bytes: &[u8]) -> bool {
    memchr::memmem::find(&bytes[..bytes.len().min(256)], NAMESPACE.as_bytes()).is_some()
}

/// Opens a captured answer with the service's keys; none when they do not open it.
#[must_use]
pub fn open(bytes: &[u8], keys: &[DecryptionKey]) -> Option<Opened> {
    let document = Document::parse(bytes, &Limits::message(bytes.len())).ok()?;
    let root = document.root();
    if !root.is(NAMESPACE, "capture") {
        return None;
    }
    let sealed = root.child(SAML2, "EncryptedAssertion").ok()?;
    let parties = Parties { node: Some(SEALED_BY), service: None };
    let plain = decryption::decrypt(sealed, keys, parties).ok()?;
    let end = memchr::memchr(b'\n', &plain)?;
    let about = serde_json::from_slice(&plain[..end]).ok()?;
    Some(Opened { about, answer: plain[end + 1..].to_vec() })
}

fn seal(answer: &[u8], about: &About, key: &DecryptionKey, service: &str) -> Option<String> {
    let mut plain = zeroize::Zeroizing::new(serde_json::to_vec(about).ok()?);
    plain.push(b'\n');
    plain.extend_from_slice(answer);
    let recipient = key.public_point()?;
    let envelope = Envelope::new(&recipient, SEALED_BY, service);
    let mut writer = Writer::new();
    let mut sealed = Ok(());
    let names = [
        ("xmlns", NAMESPACE),
        ("xmlns:saml2", SAML2),
        ("xmlns:ds", DS),
        ("xmlns:xenc", XENC),
        ("xmlns:xenc11", XENC11),
        ("xmlns:dsig11", DSIG11),
    ];
    writer.element("capture", &names, |w| sealed = encrypt(w, &plain, &envelope));
    sealed.ok()?;
    Some(writer.finish())
}

/// The namespace of the element around a sealed answer.
const NAMESPACE: &str = "urn:brama:capture:1";
/// The party of the key derivation in the node's place.
const SEALED_BY: &str = "brama capture";
/// How many bytes are kept together.
const MOST_BYTES: usize = 8 << 20;
/// How long one waits to be fetched.
const FETCHED_WITHIN: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::keys::PrivateKey;

    fn key() -> DecryptionKey {
        let pair = rcgen::KeyPair::generate().unwrap();
        let key = PrivateKey::from_der(pair.serialized_der()).unwrap();
        DecryptionKey::try_from(&key).unwrap()
    }

    fn at(second: i64) -> Time {
        Time::from_second(second).unwrap()
    }

    fn about(second: i64) -> About {
        About {
            at: at(second),
            request_id: "ID-1".to_owned(),
            resolve_id: "ID-2".to_owned(),
            assurance: "high".to_owned(),
            fresh_since: None,
        }
    }

    fn wish(answers: usize, seconds: u64) -> Wish {
        Wish { answers, time: Duration::from_secs(seconds) }
    }

    #[test]
    fn what_is_captured_is_read_with_the_services_key_and_with_no_other() {
        let (captures, keys) = (Captures::default(), [key()]);
        let answer = b"<soap>Anna \xff</soap>";
        captures.begin(wish(1, 60), at(0));
        assert!(captures.offer(answer, &about(1), &keys, "service"));
        let name = captures.standing(at(1)).kept[0].name.clone();
        let captured = captures.take(&name, at(1)).unwrap();
        assert!(is_captured(captured.sealed.as_bytes()) && !captured.sealed.contains("Anna"));
        let opened = open(captured.sealed.as_bytes(), &keys).unwrap();
        assert_eq!((opened.answer.as_slice(), opened.about), (&answer[..], about(1)));
        assert!(open(captured.sealed.as_bytes(), &[key()]).is_none());
        assert!(captures.take(&name, at(1)).is_none(), "it is fetched once");
        assert!(open(b"<capture/>", &keys).is_none() && !is_captured(b"<soap/>"));
    }

    #[test]
    fn it_is_off_until_it_is_wanted_and_off_by_itself_afterwards() {
        let (captures, keys) = (Captures::default(), [key()]);
        let offer = |second| captures.offer(b"<a/>", &about(second), &keys, "service");
        assert!(!offer(0));
        // So many.
        captures.begin(wish(2, 60), at(0));
        assert_eq!([1, 2, 3].map(offer), [true, true, false]);
        // So long.
        captures.begin(wish(2, 60), at(10));
        assert_eq!([11, 70].map(offer), [true, false]);
        assert_eq!(captures.standing(at(70)).until, None);
        // Until it is ended.
        captures.begin(wish(2, 60), at(100));
        captures.end(at(101));
        assert!(!offer(102));
        assert!(captures.standing(at(102)).kept.is_empty());
        // Never more and longer than there may be.
        captures.begin(wish(1000, 1_000_000), at(200));
        let standing = captures.standing(at(200));
        assert_eq!((standing.left, standing.until), (MOST_ANSWERS, Some(at(200 + 3600))));
    }

    #[test]
    fn what_nobody_fetches_is_forgotten_and_there_is_never_too_much() {
        let (captures, keys) = (Captures::default(), [key()]);
        captures.begin(wish(1, 60), at(0));
        assert!(captures.offer(b"<a/>", &about(1), &keys, "service"));
        assert_eq!(captures.standing(at(3600)).kept.len(), 1);
        assert_eq!(captures.standing(at(3601)).kept.len(), 0);
        let large = vec![b'x'; MOST_BYTES / 3];
        captures.begin(wish(20, 600), at(4000));
        let done = [4001, 4002, 4003].map(|at| captures.offer(&large, &about(at), &keys, "s"));
        assert_eq!(done, [true, true, false], "base64 makes them longer by a third");
        for second in 5000..5003 {
            captures.begin(wish(20, 600), at(second));
            for _ in 0..15 {
                captures.offer(b"<a/>", &about(second), &keys, "s");
            }
        }
        assert_eq!(captures.standing(at(5003)).kept.len(), MOST_ANSWERS);
    }

    #[test]
    fn without_a_key_nothing_is_kept() {
        let captures = Captures::default();
        captures.begin(wish(1, 60), at(0));
        assert!(!captures.offer(b"<a/>", &about(1), &[], "service"));
        assert!(captures.standing(at(1)).kept.is_empty());
    }
}
