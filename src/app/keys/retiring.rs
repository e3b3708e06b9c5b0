//! Keys that are retired here and, as far as is known, nowhere else yet.
//!
//! A key that leaked is retired while the store is away as well: from that moment on nothing is
//! signed with it here, whatever the record says, and the record is told as soon as it can be.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::clock::Time;
use crate::identity::keyring::{KeyRing, Refusal};
use crate::identity::keys::SigningKeys;

/// Names of keys that are still to be retired where keys are kept. Only those that there are come
/// in, so there are few.
#[derive(Debug, Default)]
pub(super) struct Retiring(Mutex<Vec<String>>);

impl Retiring {
    /// Retires a key here, at once.
    pub(super) fn withdraw(&self, keys: &SigningKeys, id: &str, now: Time) -> Result<(), Refusal> {
        let mut owed = self.owed();
        let mut ring = keys.ring().clone();
        ring.withdraw(id, now)?;
        if !owed.iter().any(|known| known == id) {
            owed.push(id.to_owned());
        }
        keys.replace(ring);
        Ok(())
    }

    /// Goes on with a ring that is kept, less what it does not know yet of.
    pub(super) fn go_on_with(&self, keys: &SigningKeys, mut ring: KeyRing, now: Time) {
        let mut owed = self.owed();
        owed.retain(|id| !ring.is_retired(id));
        for id in &*owed {
            // There may be no such key in it any more.
            let _ = ring.withdraw(id, now);
        }
        keys.replace(ring);
    }

    /// Tells a ring that is to be kept what it does not know yet, also of keys that it never had.
    pub(super) fn tell(&self, ring: &mut KeyRing, now: Time) {
        for id in &*self.owed() {
            ring.refuse(id, now);
        }
    }

    /// Tells whether something is still to be retired where keys are kept.
    pub(super) fn is_owed(&self) -> bool {
        !self.owed().is_empty()
    }

    fn owed(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::identity::signing_key::Algorithm;

    #[test]
    fn what_is_retired_here_stays_so_until_it_is_kept_whatever_ring_comes() {
        let (now, es256) = (Time::UNIX_EPOCH, [Algorithm::Es256]);
        let mut ring = KeyRing::generate(Duration::from_secs(1000), &es256, now);
        let keys = SigningKeys::new(ring.clone());
        let signs = || keys.ring().current(Algorithm::Es256, now).unwrap().id().to_owned();
        let (first, retiring) = (signs(), Retiring::default());
        assert_eq!(retiring.withdraw(&keys, "another", now), Err(Refusal::NoSuchKey));
        assert!(!retiring.is_owed());
        retiring.withdraw(&keys, &first, now).unwrap();
        let second = signs();
        assert!(second != first && retiring.is_owed());
        // One that was read before.
        retiring.go_on_with(&keys, ring.clone(), now);
        assert_eq!(signs(), second);
        assert!(retiring.is_owed());
        ring.retire(&first, now).unwrap();
        retiring.go_on_with(&keys, ring, now);
        assert_eq!(signs(), second);
        assert!(!retiring.is_owed());
    }

    #[test]
    fn a_ring_that_never_had_the_key_is_told_of_it_too() {
        let (now, es256) = (Time::UNIX_EPOCH, [Algorithm::Es256]);
        let ring = || KeyRing::generate(Duration::from_secs(1000), &es256, now);
        let (keys, retiring) = (SigningKeys::new(ring()), Retiring::default());
        let first = keys.ring().current(Algorithm::Es256, now).unwrap().id().to_owned();
        retiring.withdraw(&keys, &first, now).unwrap();
        let mut other = ring();
        retiring.go_on_with(&keys, other.clone(), now);
        assert!(retiring.is_owed(), "it is kept nowhere");
        retiring.tell(&mut other, now);
        retiring.go_on_with(&keys, other, now);
        assert!(!retiring.is_owed());
    }
}
