//! Two rings that were the same once, and were changed apart: after a failover of the store, from a
//! record that was put back, or by a replica that could not reach it.
//!
//! 1. Whatever one of them may have signed is published by both, as long as a token of it may live,
//!    also when both went on for long.
//! 2. What one of them retired is retired.
//! 3. What was joined already changes nothing.

use std::time::Duration;

use super::{CLOCKS, KEPT, Key, KeyRing};
use crate::base::clock::{Time, earlier, later};
use crate::identity::signing_key::Algorithm;

impl KeyRing {
    /// Takes over what another ring knows besides. `other` is the ring that signs here; whoever has
    /// this one signs by it, unless it is one of before.
    pub fn join(&mut self, other: &Self, now: Time) {
        let this = self.clone();
        self.unite(other, now);
        if !this.is_due(earlier(now, LATE)) {
            self.publish_still(&this, now);
        }
        self.publish_still(other, now);
    }

    fn unite(&mut self, other: &Self, now: Time) {
        let mut came = Vec::new();
        let has = |key: &Key| other.keys.iter().any(|known| known.key.id() == key.key.id());
        self.keys.retain(|key| has(key) || !other.retired.may_have_forgotten(key.since));
        for key in &other.keys {
            let may_come = self.may_take_back(key);
            let is_retired = self.is_retired(key.key.id()) || other.is_retired(key.key.id());
            match self.keys.iter_mut().find(|own| own.key.id() == key.key.id()) {
                Some(own) => own.join(key, is_retired),
                None if may_come => {
                    came.push(key.key.id().to_owned());
                    self.keys.push(key.clone());
                }
                None => {}
            }
        }
        self.retired.join(&other.retired);
        self.taken_in.join(&other.taken_in);
        let retired = &self.retired;
        self.keys.retain(|key| key.withdrawn_from.is_some() || !retired.has(key.key.id()));
        self.sort();
        // One that others have just dropped does not come back by a clock that is behind theirs.
        let soon = later(now, CLOCKS);
        let over: Vec<_> = (0..self.keys.len()).map(|at| self.is_over(at, soon)).collect();
        let mut over = over.into_iter();
        self.keys.retain(|key| {
            let is_over = over.next().unwrap_or(false);
            !(is_over && came.iter().any(|name| name == key.key.id()))
        });
    }

    /// Goes on publishing what another ring signs with at `now`, or did until a moment ago, until all
    /// of that has expired: in a ring that was joined another key may sign, and the order of its keys
    /// says nothing of when this one gave way.
    fn publish_still(&mut self, other: &Self, now: Time) {
        for algorithm in Algorithm::ALL {
            let Some(current) = other.current_index(algorithm, now) else { continue };
            let mut gave_way = now;
            let signed = other.signing(algorithm).rev().skip_while(|(at, _)| *at > current);
            for (_, key) in signed {
                let until = later(gave_way, KEPT);
                if until <= later(now, CLOCKS) {
                    break;
                }
                self.publish_until(key, until);
                gave_way = key.active_from.min(now);
            }
        }
    }

    fn publish_until(&mut self, key: &Key, until: Time) {
        if !self.may_take_back(key) {
            return;
        }
        let place = |ring: &Self| ring.keys.iter().position(|own| own.key.id() == key.key.id());
        if place(self).is_none() {
            self.keys.push(key.clone());
            self.sort();
        }
        let Some(at) = place(self) else { return };
        match self.keys[at].withdrawn_from {
            Some(end) => self.keys[at].withdrawn_from = Some(until.max(end)),
            None if self.is_over(at, until) => self.keys[at].withdrawn_from = Some(until),
            None => {}
        }
    }

    /// Remembers that a key was retired that is not here, so that it never comes.
    pub fn refuse(&mut self, id: &str, now: Time) {
        if !self.keys.iter().any(|key| key.key.id() == id) {
            self.retired.note(id, now);
        }
    }

    /// Tells whether the other ring was the same as this one at some time: a key, or the name of one,
    /// is in both.
    #[must_use]
    pub fn is_kin(&self, other: &Self) -> bool {
        let theirs: Vec<_> = other.names().collect();
        self.names().any(|name| theirs.contains(&name))
    }

    /// Tells whether a key of that name was retired.
    #[must_use]
    pub fn is_retired(&self, id: &str) -> bool {
        self.retired.has(id)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let remembered = self.retired.all().chain(self.taken_in.all());
        self.keys.iter().map(|key| key.key.id()).chain(remembered.map(String::as_str))
    }

    /// Tells whether a key that is not here may come: it was not retired, as far as that is
    /// remembered.
    fn may_take_back(&self, key: &Key) -> bool {
        !self.retired.has(key.key.id()) && !self.retired.may_have_forgotten(key.since)
    }
}

impl Key {
    /// Both say when: the earlier time holds, but for the end of one that is published for what it
    /// signed.
    fn join(&mut self, other: &Self, is_retired: bool) {
        self.since = self.since.min(other.since);
        self.active_from = self.active_from.min(other.active_from);
        self.withdrawn_from = match (self.withdrawn_from, other.withdrawn_from) {
            (Some(one), Some(other)) if is_retired => Some(one.min(other)),
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
    }
}

/// How far behind the clock a ring may be that somebody keeps.
const LATE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::super::tests::{ES256, PERIOD, at, published, published_at, signing_at};
    use super::*;
    use crate::identity::keyring::Standing;

    fn joined(one: &KeyRing, other: &KeyRing, now: i64) -> KeyRing {
        let mut joined = one.clone();
        joined.join(other, at(now));
        joined
    }

    fn text(ring: &KeyRing) -> String {
        ring.to_text().expose().clone()
    }

    #[test]
    fn rings_that_were_changed_apart_lose_no_key_and_bring_back_none_that_was_retired() {
        let ring = KeyRing::generate(PERIOD, ES256, at(0));
        let [first, second] = published(&ring).try_into().unwrap();
        // One side retires, and so has another key sign; the other one rotates twice.
        let (mut one, mut two) = (ring.clone(), ring);
        one.retire(&first, at(100)).unwrap();
        two.rotate(Algorithm::Es256, at(101)).unwrap();
        two.rotate(Algorithm::Es256, at(110)).unwrap();
        let signs = signing_at(&two, at(120));
        assert_ne!(signs, second);
        for both in [joined(&one, &two, 120), joined(&two, &one, 120)] {
            let names = published_at(&both, at(120));
            assert!(!names.contains(&first), "it is retired");
            for name in published(&one).iter().chain(&published(&two)) {
                assert_eq!(names.contains(name), *name != first);
            }
            assert_eq!(signing_at(&both, at(120)), signs);
            for known in [&one, &two, &both] {
                assert_eq!(text(&joined(&both, known, 120)), text(&both), "nothing is new");
            }
        }
    }

    #[test]
    fn an_older_ring_brings_nothing_back_and_takes_nothing_away() {
        let old = KeyRing::generate(PERIOD, ES256, at(0));
        let mut ring = old.clone();
        for second in (0..20_000).step_by(100) {
            ring.advance(at(second));
        }
        // No change is due here, or the two would each make a key of its own.
        assert!(!ring.is_due(at(19_950)));
        // Somebody may have signed by it until now, with its last key.
        let mut brought = joined(&ring, &old, 19_950);
        assert_eq!(signing_at(&brought, at(19_950)), signing_at(&ring, at(19_950)));
        assert_eq!(published(&brought).len(), published(&ring).len() + 1);
        assert!(published(&brought).contains(&published(&old)[1]));
        let mut both = ring.clone();
        for ring in [&mut brought, &mut both] {
            ring.advance(at(19_950 + 360));
        }
        assert_eq!(published(&brought)[..2], published(&both)[..2]);
        let mut back = joined(&old, &ring, 19_950);
        back.advance(at(19_950));
        assert_eq!(published(&back), published(&ring));
        // What is on its way out stays published until then.
        let current = signing_at(&ring, at(19_950));
        let before = ring.clone();
        ring.retire(&current, at(19_950)).unwrap();
        let back = joined(&before, &ring, 19_951);
        assert!(published_at(&back, at(19_951)).contains(&current));
        assert!(!published_at(&back, at(19_953)).contains(&current));
        let listed = back.list(at(19_951));
        assert!(listed.iter().any(|key| key.id == current && key.standing == Standing::Retired));
    }

    #[test]
    fn a_key_that_was_dropped_by_a_clock_ahead_does_not_come_back_and_one_that_is_needed_does() {
        let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
        // Changed on command: the first one is over six minutes after its successor signed.
        ring.rotate(Algorithm::Es256, at(100)).unwrap();
        ring.rotate(Algorithm::Es256, at(200)).unwrap();
        let first = published(&ring)[0].clone();
        let mut ahead = ring.clone();
        ahead.advance(at(460));
        assert!(!published(&ahead).contains(&first));
        assert_eq!(text(&joined(&ahead, &ring, 435)), text(&ahead), "here it is not over yet");
        assert!(published(&joined(&ahead, &ring, 400)).contains(&first), "tokens of it live");
    }

    #[test]
    fn beyond_the_names_that_are_remembered_no_key_of_before_comes_back() {
        let old = KeyRing::generate(PERIOD, ES256, at(0));
        let first = published(&old)[0].clone();
        let mut ring = old.clone();
        for second in 1..=70 {
            let current = signing_at(&ring, at(second * 10));
            ring.retire(&current, at(second * 10)).unwrap();
        }
        assert!(!ring.is_retired(&first), "its name is forgotten");
        assert!(!published_at(&joined(&ring, &old, 701), at(710)).contains(&first));
        assert!(!published_at(&joined(&old, &ring, 701), at(710)).contains(&first));
        // A key that came into another ring later does.
        let mut other = ring.clone();
        let current = signing_at(&ring, at(720));
        other.retire(&current, at(720)).unwrap();
        let new = other.list(at(720)).pop().unwrap().id;
        assert!(published(&joined(&ring, &other, 721)).contains(&new));
        assert!(published_at(&ring, at(721)).contains(&current));
        assert!(!published_at(&joined(&ring, &other, 721), at(724)).contains(&current));
    }

    #[test]
    fn what_each_signed_while_they_were_apart_for_long_is_published_until_it_expires() {
        let ring = KeyRing::generate(PERIOD, ES256, at(0));
        let apart = |mut ring: KeyRing, rotated: i64| {
            for second in (100..10_000).step_by(10) {
                ring.advance(at(second));
                if second == rotated {
                    ring.rotate(Algorithm::Es256, at(second)).unwrap();
                }
            }
            ring
        };
        // The clock of one goes by its own change.
        let (one, two) = (apart(ring.clone(), 5_000), apart(ring, 9_200));
        let signed = [signing_at(&one, at(9_999)), signing_at(&two, at(9_999))];
        assert_ne!(signed[0], signed[1]);
        for (own, other) in [(&one, &two), (&two, &one)] {
            let mut both = joined(own, other, 10_000);
            let signs = signing_at(&both, at(10_000));
            assert!(signed.contains(&signs));
            for second in (10_000..10_300).step_by(10) {
                both.advance(at(second));
                let names = published_at(&both, at(second));
                assert!(signed.iter().all(|name| names.contains(name)), "at {second}");
            }
            let names = both.list(at(10_001));
            let before = names.iter().find(|key| signed.contains(&key.id) && key.id != signs);
            assert_eq!(before.unwrap().standing, Standing::Previous, "nobody retired it");
            // Again says nothing new; and later, that it signed until then.
            let both = joined(own, other, 10_000);
            assert_eq!(text(&joined(&both, other, 10_000)), text(&both));
            let mut later = joined(&both, &two, 10_100);
            later.advance(at(10_450));
            assert!(published_at(&later, at(10_450)).contains(&signed[1]));
        }
    }

    #[test]
    fn what_gave_way_a_moment_before_a_join_is_published_for_what_it_signed() {
        let ring = KeyRing::generate(PERIOD, ES256, at(0));
        let advanced = |mut ring: KeyRing, rotated: &[i64]| {
            for second in (100..9_960).step_by(10) {
                ring.advance(at(second));
                if rotated.contains(&second) {
                    ring.rotate(Algorithm::Es256, at(second)).unwrap();
                }
            }
            ring
        };
        // Here p signs from 8,950 to 9,950; there another one does from 9,000 on.
        let (ours, theirs) = (advanced(ring.clone(), &[8_950]), advanced(ring, &[]));
        let p = signing_at(&ours, at(9_949));
        assert!(p != signing_at(&ours, at(9_950)) && p == signing_at(&ours, at(8_950)));
        for mut both in [joined(&theirs, &ours, 9_960), joined(&ours, &theirs, 9_960)] {
            for second in [9_960, 10_100, 10_290] {
                both.advance(at(second));
                assert!(published_at(&both, at(second)).contains(&p), "at {second}");
            }
            both.advance(at(10_400));
            assert!(!published_at(&both, at(10_400)).contains(&p));
        }
    }

    #[test]
    fn a_key_that_was_retired_elsewhere_is_not_published_for_what_it_signs_and_never_comes() {
        let ring = KeyRing::generate(PERIOD, ES256, at(0));
        let first = signing_at(&ring, at(100));
        let mut other = KeyRing::generate(PERIOD, ES256, at(0));
        other.refuse(&first, at(100));
        assert!(other.is_retired(&first));
        other.join(&ring, at(100));
        assert!(!published_at(&other, at(100)).contains(&first));
        // One that is here is for `retire`.
        let own = signing_at(&other, at(100));
        other.refuse(&own, at(100));
        assert!(!other.is_retired(&own));
    }

    #[test]
    fn rings_are_kin_when_they_have_a_key_or_a_name_in_common() {
        let ring = KeyRing::generate(PERIOD, ES256, at(0));
        let mut later = ring.clone();
        for name in published(&ring) {
            later.retire(&name, at(1)).unwrap();
        }
        later.advance(at(10));
        assert!(ring.is_kin(&later) && later.is_kin(&ring));
        assert!(!ring.is_kin(&KeyRing::generate(PERIOD, ES256, at(0))));
    }

    #[test]
    fn what_both_rings_have_stays_however_many_names_were_forgotten() {
        let both = [Algorithm::Es256, Algorithm::EdDsa];
        let mut ring = KeyRing::generate(PERIOD, &both, at(0));
        let first = signing_at(&ring, at(0));
        for second in 1..=70 {
            let now = at(second * 10);
            let current = ring.current(Algorithm::EdDsa, now).unwrap().id().to_owned();
            ring.retire(&current, now).unwrap();
        }
        assert!(ring.retired.may_have_forgotten(at(0)));
        let joined = joined(&ring, &ring, 701);
        assert_eq!(text(&joined), text(&ring));
        assert!(published_at(&joined, at(701)).contains(&first));
    }

    #[test]
    fn of_two_times_of_a_key_the_earlier_one_holds() {
        let ring = KeyRing::generate(PERIOD, ES256, at(0));
        let second = published(&ring)[1].clone();
        let mut other = ring.clone();
        other.rotate(Algorithm::Es256, at(100)).unwrap();
        other.keys[1].since = at(-7);
        for both in [joined(&ring, &other, 120), joined(&other, &ring, 120)] {
            assert_eq!(signing_at(&both, at(120)), second);
            let listed = both.list(at(120)).into_iter().find(|key| key.id == second).unwrap();
            assert_eq!((listed.since, listed.active_from), (at(-7), at(100)));
        }
    }

    #[test]
    fn what_was_retired_goes_at_the_earlier_end_and_what_gave_way_at_the_later_one() {
        let ring = KeyRing::generate(PERIOD, ES256, at(0));
        let first = published(&ring)[0].clone();
        let ends_at = |second| {
            let mut ring = ring.clone();
            ring.keys[0].withdrawn_from = Some(at(second));
            ring
        };
        let mut retired = ring.clone();
        retired.withdraw(&first, at(100)).unwrap();
        for (one, other, end) in [
            (&ends_at(300), &ends_at(400), 400),
            (&ends_at(400), &ends_at(300), 400),
            (&retired, &ends_at(400), 103),
            (&ends_at(400), &retired, 103),
        ] {
            let mut own = one.keys[0].clone();
            let is_retired = one.is_retired(&first) || other.is_retired(&first);
            own.join(&other.keys[0], is_retired);
            assert_eq!(own.withdrawn_from, Some(at(end)));
            let mut both = one.clone();
            both.unite(other, at(100));
            assert_eq!(both.keys[0].withdrawn_from, Some(at(end)));
        }
    }

    #[test]
    fn what_gave_way_is_published_until_clocks_that_are_behind_see_it_expired() {
        let mut theirs = KeyRing::generate(PERIOD, ES256, at(0));
        theirs.advance(at(1_000));
        let first = published(&theirs)[0].clone();
        // Its last tokens expire at 1,360.
        for (second, is_published) in [(1_329, true), (1_330, false)] {
            let ours = KeyRing::generate(PERIOD, ES256, at(second));
            let names = published_at(&joined(&ours, &theirs, second), at(second));
            assert_eq!(names.contains(&first), is_published, "at {second}");
        }
    }
}
