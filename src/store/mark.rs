//! A mark in an id that only we can make, so that an invention is told apart without asking the
//! store.
//!
//! An id has 43 letters of base64url, as 256 random bits have: 192 random bits, and 64 bits of a
//! mark of them ([`Sealer::mark`]), another one for each kind of id. What an id leads to is still
//! found by its hash alone: a good mark opens nothing, and a client that could make one would have
//! to guess 192 bits all the same.
//!
//! Secrets of the servers rotate: the first makes marks, all of them are tried. When one is taken
//! out of the list, ids of its time are worth nothing, as what was sealed with it does not open.

use super::Kind;
use super::seal::Sealer;
use crate::base::encoding::{base64url, from_base64url};
use crate::base::random;

/// Makes and knows ids of one kind.
#[derive(Clone)]
pub struct Marker {
    sealer: Sealer,
    purpose: String,
}

impl Marker {
    /// Makes a marker of ids of a kind, by the secrets of the servers.
    #[must_use]
    pub fn new(sealer: Sealer, kind: Kind) -> Self {
        Self { sealer, purpose: format!("id of {}", kind.name()) }
    }

    /// Makes an id that was never made before.
    #[must_use]
    pub fn make(&self) -> String {
        let mut id = [0; RANDOM + MARK];
        let (chosen, mark) = id.split_at_mut(RANDOM);
        chosen.copy_from_slice(&random::bytes::<RANDOM>());
        mark.copy_from_slice(&self.sealer.mark(&self.purpose, chosen)[..MARK]);
        base64url(&id)
    }

    /// Tells whether we made an id. It may be over for long.
    #[must_use]
    pub fn is_ours(&self, id: &str) -> bool {
        let bytes = Some(id).filter(|id| random::is_long_handle(id)).and_then(from_base64url);
        let parts = bytes.as_deref().and_then(|bytes| bytes.split_at_checked(RANDOM));
        parts.is_some_and(|(chosen, mark)| self.sealer.is_marked(&self.purpose, chosen, mark))
    }
}

const RANDOM: usize = 24;
const MARK: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;

    fn sealer(secrets: &[&str]) -> Sealer {
        Sealer::new(secrets.iter().map(|text| Secret::new(text.as_bytes().to_vec())).collect())
    }

    fn marker(secrets: &[&str]) -> Marker {
        Marker::new(sealer(secrets), Kind::Session)
    }

    #[test]
    fn an_id_of_ours_is_known_and_no_other() {
        let ours = marker(&["server"]);
        let id = ours.make();
        assert!(random::is_long_handle(&id) && ours.is_ours(&id));
        assert_ne!(ours.make(), id);
        assert!(!marker(&["other"]).is_ours(&id));
        assert!(
            !Marker::new(sealer(&["server"]), Kind::LinkedSession).is_ours(&id),
            "another kind of id"
        );
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
