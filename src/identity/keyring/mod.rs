//! The keys that sign identities: of each algorithm in use the previous ones, the current and the
//! next, changed by the clock or by an operator.
//!
//! 1. The next key is published a whole period before it signs, so every backend knows it by then.
//!    A key that an operator has sign sooner signs no sooner than every replica publishes it
//!    ([`SPREAD`]).
//! 2. A previous key stays published until everything that it signed has expired.
//! 3. A key that is retired signs nothing any more, from that moment on. It is published a little
//!    longer ([`WITHDRAWAL`]), until no replica sends a token of it: a backend that fetches the keys
//!    meanwhile refuses nobody. A ring remembers which keys were retired, and takes none of them
//!    back. Beyond as many names as it remembers it takes back no key of before.
//! 4. The ring is kept between runs as one small JSON text ([`KeyRing::to_text`]); keeping it is
//!    the caller's business.

mod join;
mod listed;
mod names;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

pub use self::listed::{Listed, Standing};
use self::names::Names;
pub use self::stored::Unreadable;
use super::signing_key::{Algorithm, SigningKey};
use crate::base::clock::{Time, later};

/// A key of the ring and its times.
#[derive(Debug, Clone)]
struct Key {
    key: Arc<SigningKey>,
    /// When it came into the ring.
    since: Time,
    /// From when it signs.
    active_from: Time,
    /// From when it is not published any more and signs nothing until then: it was retired, or gave
    /// way when rings were joined.
    withdrawn_from: Option<Time>,
}

/// The ring. The keys of each algorithm are ordered by time.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: Vec<Key>,
    /// Names of keys that were retired, or given up before they signed anything.
    retired: Names,
    /// Names of keys that were taken in. Each is taken in once.
    taken_in: Names,
    period: Duration,
    algorithms: Vec<Algorithm>,
}

/// Why a ring is not changed as an operator wants it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no key of that name.
    #[error("no key has that name: brama keys list has them")]
    NoSuchKey,
    /// No key of that algorithm is in the ring.
    #[error("no audience has identities that are signed with {0}")]
    NotInUse(&'static str),
    /// The last change is not long ago, and its keys are still needed.
    #[error(
        "keys were changed {MOST_KEYS} times within minutes: wait until tokens of the first expire"
    )]
    TooOften,
}

impl KeyRing {
    /// Makes a ring without a key, which signs nothing.
    #[must_use]
    pub fn empty(period: Duration, algorithms: &[Algorithm]) -> Self {
        Self {
            keys: Vec::new(),
            retired: Names::default(),
            taken_in: Names::default(),
            period,
            algorithms: algorithms.to_vec(),
        }
    }

    /// Makes a new ring whose first keys sign from `now`.
    #[must_use]
    pub fn generate(period: Duration, algorithms: &[Algorithm], now: Time) -> Self {
        let mut ring = Self::empty(period, algorithms);
        ring.advance(now);
        ring
    }

    /// Makes and drops keys as the clock demands; tells whether the ring changed.
    pub fn advance(&mut self, now: Time) -> bool {
        let mut has_changed = false;
        while let Some((algorithm, from)) = self.missing(now) {
            self.add(SigningKey::generate(algorithm), from, now);
            has_changed = true;
        }
        let superfluous: Vec<_> = (0..self.keys.len()).map(|at| self.is_over(at, now)).collect();
        let mut superfluous = superfluous.into_iter();
        let before = self.keys.len();
        self.keys.retain(|_| !superfluous.next().unwrap_or(false));
        has_changed || self.keys.len() < before
    }

    /// Tells whether [`Self::advance`] would change anything.
    #[must_use]
    pub fn is_due(&self, now: Time) -> bool {
        self.missing(now).is_some() || (0..self.keys.len()).any(|at| self.is_over(at, now))
    }

    /// Takes in keys of an operator's own, in their order, each once. One signs at once when there is
    /// no key of its algorithm yet; otherwise in the place of the next one that was made here, which
    /// signed nothing.
    pub fn take_in(&mut self, own: &[Arc<SigningKey>], now: Time) {
        for key in own {
            if self.taken_in.has(key.id()) || self.retired.has(key.id()) {
                continue;
            }
            self.taken_in.note(key.id(), now);
            if self.keys.iter().any(|known| known.key.id() == key.id()) {
                continue;
            }
            let algorithm = key.algorithm();
            let is_own = |known: &Key| self.taken_in.has(known.key.id());
            // One that is about to sign may sign already where the clock is ahead.
            let soon = later(now, CLOCKS);
            let next = self.signing(algorithm).find(|(_, next)| next.active_from > soon);
            let from = match next.filter(|(_, next)| !is_own(next)) {
                Some((at, next)) => {
                    let from = next.active_from;
                    // It does not come back from a ring of before.
                    let given_up = self.keys.remove(at);
                    self.retired.note(given_up.key.id(), now);
                    Some(from)
                }
                None => self
                    .signing(algorithm)
                    .next_back()
                    .map(|(_, last)| later(last.active_from, self.period)),
            };
            let active_from = from.map_or(now, |from| from.max(later(now, SPREAD)));
            let key = Arc::clone(key);
            self.keys.push(Key { key, since: now, active_from, withdrawn_from: None });
            self.sort();
        }
    }

    /// Has the ring hold keys of these algorithms from its next change on.
    pub fn require(&mut self, algorithms: &[Algorithm]) {
        self.algorithms = algorithms.to_vec();
    }

    /// Returns the key that signs at `now`; `None` when there is none of that algorithm.
    #[must_use]
    pub fn current(&self, algorithm: Algorithm, now: Time) -> Option<&SigningKey> {
        self.current_index(algorithm, now).map(|at| &*self.keys[at].key)
    }

    /// Returns the public keys (RFC 7517), as JSON.
    #[must_use]
    pub fn jwks(&self, now: Time) -> String {
        let published =
            self.keys.iter().filter(|key| key.withdrawn_from.is_none_or(|from| now < from));
        let keys: Vec<_> = published.map(|key| key.key.jwk()).collect();
        json!({ "keys": keys }).to_string()
    }

    /// Tells whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Tells whether no key is on its way out of what is published.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.keys.iter().all(|key| key.withdrawn_from.is_none())
    }

    /// Returns the algorithms of which there are keys.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        let has =
            |algorithm: &Algorithm| self.keys.iter().any(|key| key.key.algorithm() == *algorithm);
        Algorithm::ALL.into_iter().filter(has)
    }

    /// Has the next key of an algorithm sign as soon as every replica publishes it.
    ///
    /// # Errors
    /// When there is no such algorithm here, or keys change too often.
    pub fn rotate(&mut self, algorithm: Algorithm, now: Time) -> Result<(), Refusal> {
        self.advance(now);
        if !self.algorithms.contains(&algorithm) {
            return Err(Refusal::NotInUse(algorithm.name()));
        }
        let of_it = self.keys.iter().filter(|key| key.key.algorithm() == algorithm);
        if of_it.count() >= MOST_KEYS {
            return Err(Refusal::TooOften);
        }
        self.hasten(algorithm, now);
        self.advance(now);
        Ok(())
    }

    /// Has a key sign nothing any more, and withdraws it from what is published. When it signed,
    /// the next one does. One that was retired already stays so.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn retire(&mut self, id: &str, now: Time) -> Result<(), Refusal> {
        self.withdraw(id, now)?;
        self.advance(now);
        Ok(())
    }

    /// Does the same with the keys that there are, and makes none: one that is made where nobody
    /// else learns of it would sign what nobody knows.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn withdraw(&mut self, id: &str, now: Time) -> Result<(), Refusal> {
        if self.retired.has(id) {
            return Ok(());
        }
        let at = self.keys.iter().position(|key| key.key.id() == id).ok_or(Refusal::NoSuchKey)?;
        let algorithm = self.keys[at].key.algorithm();
        let was_current = self.current_index(algorithm, now) == Some(at);
        self.keys[at].withdrawn_from = Some(later(now, WITHDRAWAL));
        self.retired.note(id, now);
        if was_current {
            self.hasten(algorithm, now);
        }
        Ok(())
    }

    /// Tells whether everything that another ring signed may still be published by this one: none
    /// of its keys was retired, gave way, or has gone.
    #[must_use]
    pub fn still_has(&self, other: &Self) -> bool {
        let may_sign = |key: &&Key| key.withdrawn_from.is_none();
        let has =
            |key: &Key| self.keys.iter().filter(may_sign).any(|own| own.key.id() == key.key.id());
        other.keys.iter().filter(may_sign).all(has)
    }

    /// Has the next key of an algorithm sign now, or as soon as every replica publishes it.
    fn hasten(&mut self, algorithm: Algorithm, now: Time) {
        let next = self.keys.iter_mut().find(|key| {
            key.key.algorithm() == algorithm
                && key.active_from > now
                && key.withdrawn_from.is_none()
        });
        if let Some(next) = next {
            next.active_from = next.active_from.min(now.max(later(next.since, SPREAD)));
        }
    }

    fn add(&mut self, key: SigningKey, active_from: Time, now: Time) {
        self.keys.push(Key { key: Arc::new(key), since: now, active_from, withdrawn_from: None });
        self.sort();
    }

    fn sort(&mut self) {
        self.keys.sort_by_key(|key| (key.key.algorithm(), key.active_from));
    }

    /// Returns of which algorithm there should be another key, and from when it should sign.
    fn missing(&self, now: Time) -> Option<(Algorithm, Time)> {
        self.algorithms.iter().find_map(|&algorithm| {
            let last = self.signing(algorithm).next_back();
            let Some((at, last)) = last else { return Some((algorithm, now)) };
            // A key that has been current for a whole period should have had a successor by then.
            if self.current_index(algorithm, now) != Some(at) {
                return None;
            }
            // After a long stop the next key still gets a whole period to become known.
            let due = later(last.active_from, self.period);
            Some((algorithm, if due > now { due } else { later(now, self.period) }))
        })
    }

    /// Tells whether nothing that a key signed can be good any more.
    fn is_over(&self, at: usize, now: Time) -> bool {
        let key = &self.keys[at];
        if let Some(from) = key.withdrawn_from {
            return from <= now;
        }
        let algorithm = key.key.algorithm();
        if !self.algorithms.contains(&algorithm) {
            // Here it is not used. Another replica that uses it would have made a successor.
            let last = self.signing(algorithm).next_back();
            let period = self.period + KEPT;
            return last.is_some_and(|(_, last)| later(last.active_from, period) <= now);
        }
        let Some(current) = self.current_index(algorithm, now) else { return false };
        let before_current: Vec<_> =
            self.signing(algorithm).take_while(|(at, _)| *at < current).collect();
        let is_last_before = before_current.last().is_some_and(|(last, _)| *last == at);
        let successor = self.signing(algorithm).find(|(other, _)| *other > at);
        at < current
            && !is_last_before
            && successor.is_some_and(|(_, next)| later(next.active_from, KEPT) <= now)
    }

    /// The keys of an algorithm that sign, did, or will, by time.
    fn signing(&self, algorithm: Algorithm) -> impl DoubleEndedIterator<Item = (usize, &Key)> {
        let is_of_it =
            move |key: &Key| key.key.algorithm() == algorithm && key.withdrawn_from.is_none();
        self.keys.iter().enumerate().filter(move |(_, key)| is_of_it(key))
    }

    fn current_index(&self, algorithm: Algorithm, now: Time) -> Option<usize> {
        let active = self.signing(algorithm).rfind(|(_, key)| key.active_from <= now);
        active.or_else(|| self.signing(algorithm).next()).map(|(at, _)| at)
    }
}

/// How long after it came into the ring a key signs at the earliest, while there is another one: by
/// then every replica has read the ring again, and publishes it.
pub const SPREAD: Duration = Duration::from_secs(5);
/// How long a retired key is published that signs nothing any more: by then every replica has read
/// the ring again and forgot the tokens of that key.
pub const WITHDRAWAL: Duration = Duration::from_secs(3);
/// How long a key is kept after another one took its place: the life of a token, and a minute for
/// clocks that differ.
pub(super) const KEPT: Duration = Duration::from_secs(6 * 60);
/// By how much clocks of replicas may differ. What a key signed is over by then: it is kept for a
/// minute longer than a token lives.
const CLOCKS: Duration = Duration::from_secs(30);
/// The most keys of an algorithm.
const MOST_KEYS: usize = 8;

#[cfg(test)]
mod tests;
