//! A hasher for keys that are digests already: nothing is gained by hashing them again.
//!
//! Only for keys that no client can choose, such as the hashes of our own random ids. Then the
//! first bytes are as good as random, and no client can bring many keys into one place.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds a [`DigestHasher`] for each look-up in a map.
pub type BuildDigestHasher = BuildHasherDefault<DigestHasher>;

/// Takes eight bytes of a digest as they are, and mixes small numbers in.
#[derive(Debug, Default, Clone, Copy)]
pub struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        } else {
            for &byte in bytes {
                self.write_usize(usize::from(byte));
            }
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = self.0.rotate_left(23) ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    #[test]
    fn different_keys_are_spread() {
        let builder = BuildDigestHasher::default();
        let keys = (0..1000_u64).map(|n| crate::base::encoding::sha256(&n.to_le_bytes()));
        let hashes: HashSet<_> = keys
            .flat_map(|key| (0..3_usize).map(move |n| (key, n)))
            .map(|k| builder.hash_one(k))
            .collect();
        assert_eq!(hashes.len(), 3000);
    }
}
