//! A mark in an id that only we can make, so that an invention is told apart without asking anybody.
//!
//! An id has 43 letters of base64url, as 256 random bits have: 192 random bits, and 64 bits of a MAC of
//! them (HMAC-SHA256). The key comes from a secret of the servers (HKDF-SHA256, RFC 5869) and is another
//! one for each kind of id. What an id leads to is still found by its hash alone: a good mark opens
//! nothing, and whoever could make one would have to guess 192 bits all the same.
//!
//! Secrets of the servers rotate: the first makes marks, all of them are tried. When one is taken out of
//! the list, ids of its time are worth nothing, as what was sealed with it does not open.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{hkdf, hmac};

use super::Kind;
use crate::base::encoding::{base64url, from_base64url};
use crate::base::random;

/// Makes and knows ids of one kind.
#[derive(Clone)]
pub struct Marker {
    keys: Vec<hmac::Key>,
}

impl Marker {
    /// Makes a marker from the secrets of the servers, newest first. Without any, ids are random alone
    /// and whatever has their form could be one.
    pub(super) fn new<'s>(secrets: impl Iterator<Item = &'s [u8]>, kind: Kind) -> Self {
        let key = |secret: &[u8]| {
            let info = [b"brama id mark 1\0", kind.name().as_bytes()];
            let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret);
            let key =
                key.expand(&info, hmac::HMAC_SHA256).expect("32 bytes are less than HKDF can give");
            hmac::Key::from(key)
        };
        Self { keys: secrets.map(key).collect() }
    }

    /// Makes an id that nobody has.
    #[must_use]
    pub fn make(&self) -> String {
        let Some(key) = self.keys.first() else { return random::long_handle() };
        let mut id = [0; RANDOM + MARK];
        let (chosen, mark) = id.split_at_mut(RANDOM);
        chosen.copy_from_slice(&random::bytes::<RANDOM>());
        mark.copy_from_slice(&hmac::sign(key, chosen).as_ref()[..MARK]);
        base64url(&id)
    }

    /// Tells whether we made an id. It may be over for long.
    #[must_use]
    pub fn is_ours(&self, id: &str) -> bool {
        if !random::is_long_handle(id) {
            return false;
        }
        if self.keys.is_empty() {
            return true;
        }
        let Some(bytes) = from_base64url(id) else { return false };
        let Some((chosen, mark)) = bytes.split_at_checked(RANDOM) else { return false };
        self.keys.iter().any(|key| {
            let made = hmac::sign(key, chosen);
            verify_slices_are_equal(&made.as_ref()[..MARK], mark).is_ok()
        })
    }
}

const RANDOM: usize = 24;
const MARK: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::store::seal::Sealer;

    fn sealer(secrets: &[&str]) -> Sealer {
        Sealer::new(secrets.iter().map(|text| Secret::new(text.as_bytes().to_vec())).collect())
    }

    fn marker(secrets: &[&str]) -> Marker {
        sealer(secrets).marker(Kind::Session)
    }

    #[test]
    fn an_id_of_ours_is_known_and_no_other() {
        let ours = marker(&["server"]);
        let id = ours.make();
        assert!(random::is_long_handle(&id) && ours.is_ours(&id));
        assert_ne!(ours.make(), id);
        assert!(!marker(&["other"]).is_ours(&id));
        assert!(!sealer(&["server"]).marker(Kind::Branch).is_ours(&id), "another kind of id");
        for _ in 0..1000 {
            assert!(!ours.is_ours(&random::long_handle()));
        }
        for (at, letter) in id.char_indices() {
            let other = if letter == 'A' { "B" } else { "A" };
            let mut changed = id.clone();
            changed.replace_range(at..=at, other);
            assert!(!ours.is_ours(&changed), "letter {at}");
        }
        for wrong in ["", &id[..42], &format!("{id}A"), &format!("{}=", &id[..42])] {
            assert!(!ours.is_ours(wrong), "{wrong}");
        }
    }

    #[test]
    fn one_id_is_written_in_one_way() {
        let ours = marker(&["server"]);
        let id = ours.make();
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let known = letters.chars().filter(|last| ours.is_ours(&format!("{}{last}", &id[..42])));
        assert_eq!(known.count(), 1, "two bits of the last letter stand for nothing");
    }

    #[test]
    fn secrets_rotate_and_ids_of_the_old_one_are_known() {
        let (old, both, new) = (marker(&["old"]), marker(&["new", "old"]), marker(&["new"]));
        assert!(both.is_ours(&old.make()) && !new.is_ours(&old.make()));
        assert!(new.is_ours(&both.make()) && !old.is_ours(&both.make()));
    }
}
