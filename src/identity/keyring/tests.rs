use super::*;
use crate::base::encoding::base64;

pub(super) const PERIOD: Duration = Duration::from_secs(1000);
pub(super) const ES256: &[Algorithm] = &[Algorithm::Es256];

pub(super) fn at(second: i64) -> Time {
    Time::from_second(second).unwrap()
}

pub(super) fn signing_at(ring: &KeyRing, now: Time) -> String {
    ring.current(Algorithm::Es256, now).unwrap().id().to_owned()
}

pub(super) fn published(ring: &KeyRing) -> Vec<String> {
    published_at(ring, at(0))
}

pub(super) fn published_at(ring: &KeyRing, now: Time) -> Vec<String> {
    let jwks: serde_json::Value = serde_json::from_str(&ring.jwks(now)).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_key_is_published_before_it_signs_and_after_it_stopped() {
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    let mut known = published(&ring);
    for second in (0..10_000).step_by(100) {
        ring.advance(at(second));
        let signing = signing_at(&ring, at(second));
        assert!(known.contains(&signing), "at {second} a key signs that nobody knows");
        assert!(published(&ring).contains(&signing));
        assert!(published(&ring).len() <= 3);
        known = published(&ring);
    }
}

#[test]
fn a_ring_outlives_a_restart_even_a_long_one() {
    let ring = KeyRing::generate(PERIOD, ES256, at(0));
    let mut restored = KeyRing::restore(ring.to_text().expose(), PERIOD, ES256).unwrap();
    assert_eq!(published(&restored), published(&ring));
    assert!(restored.advance(at(100_000)));
    let signing = signing_at(&restored, at(100_000));
    assert!(published(&ring).contains(&signing), "a key that was published before signs");
}

#[test]
fn after_a_long_stop_the_next_key_is_known_for_a_whole_period_before_it_signs() {
    let kept = KeyRing::generate(PERIOD, ES256, at(0)).to_text();
    let mut ring = KeyRing::restore(kept.expose(), PERIOD, ES256).unwrap();
    assert!(ring.advance(at(100_000)));
    assert!(!ring.advance(at(100_000)), "nothing is left to be done");
    let [_, signing, next] = published(&ring).try_into().unwrap();
    for (second, signs) in [(100_000, &signing), (100_999, &signing), (101_000, &next)] {
        assert_eq!(signing_at(&ring, at(second)), *signs, "at {second}");
    }
    // Each is followed by one that is made when it begins to sign, and the first is dropped.
    assert!(!ring.advance(at(100_999)));
    assert!(ring.advance(at(101_000)));
    let [previous, current, last] = published(&ring).try_into().unwrap();
    assert_eq!((previous, current), (signing, next));
    assert_eq!(signing_at(&ring, at(102_000)), last);
}

#[test]
fn a_ring_that_is_looked_at_late_keeps_its_times_unless_a_key_would_be_unknown() {
    // The second key has signed for a while before somebody looks: its successor is not late.
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    assert!(ring.advance(at(1_400)));
    let [_, second, third] = published(&ring).try_into().unwrap();
    assert_eq!(signing_at(&ring, at(1_999)), second);
    assert_eq!(signing_at(&ring, at(2_000)), third);
    // In the very second in which its successor was due there is none yet, so it is given time.
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    let known = published(&ring);
    assert!(ring.advance(at(2_000)));
    let signing = signing_at(&ring, at(2_000));
    assert!(known.contains(&signing), "a key signs that nobody knows");
    let [_, second, third] = published(&ring).try_into().unwrap();
    assert_eq!(signing_at(&ring, at(2_999)), second);
    assert_eq!(signing_at(&ring, at(3_000)), third);
}

#[test]
fn a_kept_ring_is_read_in_whatever_order_it_is_written() {
    let ring = KeyRing::generate(PERIOD, ES256, at(0));
    let mut kept: serde_json::Value = serde_json::from_str(ring.to_text().expose()).unwrap();
    kept["keys"].as_array_mut().unwrap().reverse();
    let text = serde_json::to_string(&kept).unwrap();
    let restored = KeyRing::restore(&text, PERIOD, ES256).unwrap();
    assert_eq!(published(&restored), published(&ring));
    assert_eq!(signing_at(&restored, at(0)), signing_at(&ring, at(0)));
}

#[test]
fn a_ring_of_a_version_that_knew_one_algorithm_is_read_and_gets_keys_of_the_others() {
    let pkcs8 = |second| {
        let key = SigningKey::generate(Algorithm::Es256);
        (
            key.id().to_owned(),
            json!({ "pkcs8": base64(key.pkcs8().expose()), "active_from": second }),
        )
    };
    let ((first, one), (second, two)) = (pkcs8(0), pkcs8(1000));
    let text = json!([one, two]).to_string();
    let algorithms = [Algorithm::Es256, Algorithm::EdDsa];
    let mut ring = KeyRing::restore(&text, PERIOD, &algorithms).unwrap();
    assert_eq!(published(&ring), [first.clone(), second]);
    assert!(ring.advance(at(10)));
    assert_eq!(signing_at(&ring, at(10)), first, "what signed goes on");
    assert_eq!(published(&ring).len(), 4);
    assert!(ring.current(Algorithm::EdDsa, at(10)).is_some());
    assert!(ring.current(Algorithm::Rs256, at(10)).is_none(), "it is not in use");
    let restored = KeyRing::restore(ring.to_text().expose(), PERIOD, &algorithms).unwrap();
    assert_eq!(published(&restored), published(&ring));
    // When no audience has it any more, its keys go when nobody made a successor.
    ring.require(ES256);
    ring.advance(at(1_300));
    assert_eq!(published(&ring).len(), 5);
    ring.advance(at(3_000));
    assert!(ring.list(at(3_000)).iter().all(|key| key.algorithm == Algorithm::Es256));
}

#[test]
fn a_key_that_an_operator_has_sign_is_known_everywhere_by_then() {
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    let [first, second] = published(&ring).try_into().unwrap();
    // It has been published for long enough.
    ring.rotate(Algorithm::Es256, at(100)).unwrap();
    assert_eq!(signing_at(&ring, at(100)), second);
    let third = published(&ring).pop().unwrap();
    assert_eq!(published(&ring), [first, second.clone(), third.clone()]);
    // The next has not.
    ring.rotate(Algorithm::Es256, at(101)).unwrap();
    assert_eq!(signing_at(&ring, at(104)), second);
    assert_eq!(signing_at(&ring, at(105)), third);
    assert_eq!(ring.rotate(Algorithm::Rs256, at(105)), Err(Refusal::NotInUse("RS256")));
}

#[test]
fn what_was_signed_by_keys_that_were_changed_in_a_hurry_stays_good() {
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    let mut signed = Vec::new();
    let (mut refused, mut most) = (0, 0);
    for second in (10..600).step_by(10) {
        ring.advance(at(second));
        refused += u32::from(ring.rotate(Algorithm::Es256, at(second)).is_err());
        signed.push((second, signing_at(&ring, at(second))));
        let published = published(&ring);
        let good = signed.iter().filter(|(at, _)| second - at <= 300);
        assert!(good.clone().all(|(_, key)| published.contains(key)), "at {second}");
        most = most.max(published.len());
    }
    assert!(refused > 0, "keys do not change without end");
    assert_eq!(most, MOST_KEYS);
}

#[test]
fn a_retired_key_signs_nothing_from_then_on_and_is_withdrawn_and_never_comes_back() {
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    let kept = ring.to_text();
    let [first, second] = published(&ring).try_into().unwrap();
    ring.retire(&first, at(100)).unwrap();
    assert_eq!(signing_at(&ring, at(100)), second);
    assert!(published_at(&ring, at(102)).contains(&first), "tokens of it are on their way");
    assert!(!published_at(&ring, at(103)).contains(&first));
    assert_eq!(ring.list(at(101))[0].standing, Standing::Retired);
    assert!(ring.advance(at(103)));
    assert!(!ring.to_text().expose().contains("withdrawn"));
    assert_eq!(ring.retire(&first, at(104)), Ok(()), "it is retired");
    assert_eq!(ring.retire("another", at(104)), Err(Refusal::NoSuchKey));
    // Another ring that has it.
    let mut other = KeyRing::restore(kept.expose(), PERIOD, ES256).unwrap();
    assert!(!ring.still_has(&other));
    assert!(other.still_has(&other.clone()));
    other.join(&ring, at(104));
    other.advance(at(104));
    assert_eq!(published(&other), published(&ring));
    assert!(!published(&other).contains(&first));
    assert_eq!(signing_at(&other, at(104)), second);
}

#[test]
fn keys_of_an_operators_own_sign_in_their_turn_and_once() {
    let own: Vec<_> = (0..3).map(|_| Arc::new(SigningKey::generate(Algorithm::Es256))).collect();
    let names: Vec<_> = own.iter().map(|key| key.id().to_owned()).collect();
    // There is none yet, so the first signs at once and the second follows by the clock.
    let mut ring = KeyRing::empty(PERIOD, ES256);
    ring.take_in(&own[..2], at(0));
    ring.advance(at(0));
    assert_eq!(published(&ring), names[..2]);
    for (second, signs) in [(0, 0), (999, 0), (1_000, 1), (1_999, 1)] {
        ring.advance(at(second));
        ring.take_in(&own[..2], at(second));
        assert_eq!(signing_at(&ring, at(second)), names[signs], "at {second}");
    }
    // Then one is made here, unless there is another one in its place.
    assert_eq!(published(&ring).len(), 3);
    let restored = ring.to_text();
    let mut ring = KeyRing::restore(restored.expose(), PERIOD, ES256).unwrap();
    let mut late = ring.clone();
    ring.take_in(&own, at(1_969));
    assert_eq!(published(&ring), names);
    assert_eq!(signing_at(&ring, at(1_999)), names[1]);
    assert_eq!(signing_at(&ring, at(2_000)), names[2]);
    // One that may sign elsewhere already, where the clock is ahead, is not given up.
    let made = published(&late)[2].clone();
    late.take_in(&own, at(1_970));
    assert_eq!(signing_at(&late, at(2_000)), made);
    assert_eq!(signing_at(&late, at(3_000)), names[2]);
    // It is retired, and its file is still there.
    ring.advance(at(2_100));
    ring.retire(&names[2], at(2_100)).unwrap();
    ring.take_in(&own, at(2_200));
    ring.advance(at(2_200));
    assert!(!published_at(&ring, at(2_200)).contains(&names[2]));
}

#[test]
fn each_key_can_be_retired_and_one_always_signs() {
    for place in 0..3 {
        let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
        ring.advance(at(1_400));
        let keys = published(&ring);
        let signing = signing_at(&ring, at(1_400));
        ring.retire(&keys[place], at(1_400)).unwrap();
        let signs = signing_at(&ring, at(1_400));
        assert_ne!(signs, keys[place]);
        assert!(keys.contains(&signs), "every backend may know it");
        assert_eq!(place != 1, signs == signing);
        // When the one that signs is retired, the next one does as soon as all know it.
        let signs = signing_at(&ring, at(1_405));
        assert_eq!(signs, if place == 1 { keys[2].clone() } else { signing });
        assert!(ring.list(at(1_400)).iter().any(|key| key.standing == Standing::Next));
    }
    // All of them at once: a new one signs, for there is no other.
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    for id in published(&ring) {
        ring.retire(&id, at(100)).unwrap();
    }
    ring.advance(at(200));
    assert!(published(&ring).contains(&signing_at(&ring, at(200))));
}

#[test]
fn refuses_a_text_that_is_no_ring() {
    for text in ["", "[]", "{}", "[{\"pkcs8\":\"AAAA\",\"active_from\":0}]"] {
        assert!(KeyRing::restore(text, PERIOD, ES256).is_err(), "{text}");
    }
    // ES256 is for keys of P-256.
    let ring = |kind| {
        let pair = rcgen::KeyPair::generate_for(kind).unwrap();
        let pkcs8 = base64(pair.serialized_der());
        KeyRing::restore(&format!("[{{\"pkcs8\":\"{pkcs8}\",\"active_from\":0}}]"), PERIOD, ES256)
    };
    assert!(ring(&rcgen::PKCS_ECDSA_P256_SHA256).is_ok());
    assert!(ring(&rcgen::PKCS_ECDSA_P384_SHA384).is_err());
}

#[test]
fn the_public_set_holds_no_private_part() {
    let ring = KeyRing::generate(PERIOD, ES256, at(0));
    assert!(!ring.jwks(at(0)).contains("\"d\""));
}

#[test]
fn a_ring_says_of_what_it_has_keys_and_whether_any_is_on_its_way_out() {
    let empty = KeyRing::generate(PERIOD, &[], at(0));
    assert!(empty.is_empty() && empty.is_settled());
    assert_eq!(empty.algorithms().count(), 0);
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    assert!(!ring.is_empty() && ring.is_settled());
    assert_eq!(ring.algorithms().collect::<Vec<_>>(), ES256);
    let first = published(&ring).remove(0);
    ring.retire(&first, at(100)).unwrap();
    assert!(!ring.is_settled() && !ring.is_due(at(102)));
    assert!(ring.is_due(at(103)), "what was retired goes");
    ring.advance(at(103));
    assert!(ring.is_settled() && !ring.is_due(at(103)));
}

#[test]
fn a_key_of_an_operators_own_that_has_gone_does_not_come_back() {
    let own = [Arc::new(SigningKey::generate(Algorithm::Es256))];
    let id = own[0].id().to_owned();
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    let before = ring.to_text();
    ring.take_in(&own, at(0));
    assert!(published(&ring).contains(&id));
    for second in (0..10_000).step_by(100) {
        ring.advance(at(second));
    }
    let now = at(10_000);
    assert!(!published_at(&ring, now).contains(&id), "its time is over");
    ring.take_in(&own, now);
    assert!(!published_at(&ring, now).contains(&id));
    let mut restored = KeyRing::restore(ring.to_text().expose(), PERIOD, ES256).unwrap();
    restored.take_in(&own, now);
    assert!(!published_at(&restored, now).contains(&id));
    // Nor where it was never taken in, once that is heard of.
    let mut other = KeyRing::restore(before.expose(), PERIOD, ES256).unwrap();
    other.join(&ring, now);
    other.take_in(&own, now);
    assert!(!published_at(&other, now).contains(&id));
}

#[test]
fn a_key_that_gave_way_is_dropped_when_nothing_that_it_signed_lives_but_for_the_last_one() {
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    ring.rotate(Algorithm::Es256, at(100)).unwrap();
    ring.rotate(Algorithm::Es256, at(300)).unwrap();
    let [first, second, third, next] = published(&ring).try_into().unwrap();
    // The first gave way at 100, the second at 300.
    assert!(!ring.is_due(at(459)) && !ring.advance(at(459)));
    assert!(published(&ring).contains(&first));
    assert!(ring.is_due(at(460)) && ring.advance(at(460)));
    let left = [second, third, next];
    assert_eq!(published(&ring), left);
    // Where a clock is behind, the one before may sign still.
    assert!(!ring.advance(at(1_299)));
    assert_eq!(published(&ring), left);
}

#[test]
fn keys_of_an_algorithm_that_is_not_used_any_more_go_when_the_last_could_have_signed_nothing() {
    let of = |ring: &KeyRing, second| {
        let of_it = |key: &Listed| key.algorithm == Algorithm::EdDsa;
        ring.list(at(second)).iter().filter(|key| of_it(key)).count()
    };
    let mut ring = KeyRing::generate(PERIOD, &[Algorithm::Es256, Algorithm::EdDsa], at(0));
    ring.require(ES256);
    // The last one would have signed from 1,000 to 2,000.
    for (second, left) in [(1_000, 2), (2_000, 2), (2_359, 2), (2_360, 0)] {
        ring.advance(at(second));
        assert_eq!(of(&ring, second), left, "at {second}");
    }
}

#[test]
fn the_next_key_of_an_algorithm_is_the_one_that_is_hastened() {
    // In the very second in which one begins to sign, the one behind it is next.
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    ring.rotate(Algorithm::Es256, at(1_000)).unwrap();
    let [_, second, third] = published(&ring).try_into().unwrap();
    assert_eq!(signing_at(&ring, at(1_004)), second);
    assert_eq!(signing_at(&ring, at(1_005)), third);
    // One that was retired is not.
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    let [first, second] = published(&ring).try_into().unwrap();
    ring.retire(&second, at(100)).unwrap();
    let third = published(&ring).into_iter().find(|id| ![&first, &second].contains(&id)).unwrap();
    ring.rotate(Algorithm::Es256, at(101)).unwrap();
    assert_eq!(signing_at(&ring, at(104)), first);
    assert_eq!(signing_at(&ring, at(105)), third);
    // Nor one of another algorithm, whichever stands first.
    let both = [Algorithm::Es256, Algorithm::EdDsa];
    for (rotated, other) in [(both[0], both[1]), (both[1], both[0])] {
        let mut ring = KeyRing::generate(PERIOD, &both, at(0));
        let signs =
            |ring: &KeyRing, algorithm| ring.current(algorithm, at(100)).unwrap().id().to_owned();
        let before = [signs(&ring, rotated), signs(&ring, other)];
        ring.rotate(rotated, at(100)).unwrap();
        assert_ne!(signs(&ring, rotated), before[0]);
        assert_eq!(signs(&ring, other), before[1]);
    }
}

#[test]
fn keys_of_an_operators_own_sign_by_time_in_whichever_order_they_come() {
    let own: Vec<_> = (0..2).map(|_| Arc::new(SigningKey::generate(Algorithm::Es256))).collect();
    let names: Vec<_> = own.iter().map(|key| key.id().to_owned()).collect();
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    // The next one may sign already elsewhere; by a clock that is behind it may not.
    ring.take_in(&own[..1], at(980));
    ring.take_in(&own, at(960));
    assert_eq!(published(&ring)[1..], [names[1].clone(), names[0].clone()]);
    assert_eq!(signing_at(&ring, at(1_999)), names[1]);
    assert_eq!(signing_at(&ring, at(2_000)), names[0]);
}

#[test]
fn a_key_of_an_operators_own_is_not_taken_in_twice_nor_after_it_was_retired() {
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    let before = published(&ring);
    // It is in the ring, whoever brought it there.
    let known = Arc::clone(&ring.keys[1].key);
    ring.take_in(&[known], at(10));
    assert_eq!(published(&ring), before);
    // It was retired elsewhere, before it came here.
    let refused = Arc::new(SigningKey::generate(Algorithm::Es256));
    ring.refuse(refused.id(), at(20));
    ring.take_in(&[refused], at(30));
    assert_eq!(published(&ring), before);
}

#[test]
fn what_an_operators_own_key_took_the_place_of_does_not_come_back() {
    let before = KeyRing::generate(PERIOD, ES256, at(0));
    let given_up = published(&before)[1].clone();
    let mut ring = before.clone();
    ring.take_in(&[Arc::new(SigningKey::generate(Algorithm::Es256))], at(10));
    assert!(!published(&ring).contains(&given_up));
    let with_it = published(&ring);
    ring.join(&before, at(20));
    assert_eq!(published(&ring), with_it);
}

#[test]
fn operators_see_what_each_key_does() {
    use Standing::{Current, Next, Previous, Retired};
    let standing = |ring: &KeyRing, second| -> Vec<_> {
        ring.list(at(second)).iter().map(|key| key.standing).collect()
    };
    let mut ring = KeyRing::generate(PERIOD, ES256, at(0));
    assert_eq!(standing(&ring, 0), [Current, Next]);
    ring.advance(at(1_000));
    assert_eq!(standing(&ring, 999), [Current, Next, Next]);
    assert_eq!(standing(&ring, 1_000), [Previous, Current, Next]);
    // Of two that sign from one moment on, one does.
    ring.keys[0].active_from = at(1_000);
    assert_eq!(standing(&ring, 1_000), [Previous, Current, Next]);
    // What gave way signed, and nobody retired it.
    ring.keys[2].withdrawn_from = Some(at(1_500));
    assert_eq!(standing(&ring, 1_000), [Previous, Current, Previous]);
    let name = ring.keys[1].key.id().to_owned();
    ring.withdraw(&name, at(1_001)).unwrap();
    assert_eq!(standing(&ring, 1_001), [Current, Retired, Previous]);
}
