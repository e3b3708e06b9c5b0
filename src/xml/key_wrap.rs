//! AES key wrap (RFC 3394) with 128, 192 and 256-bit keys.
//!
//! aws-lc-rs wraps with 128 and 256-bit keys; for 192 bits the algorithm of RFC 3394 section 2.2
//! is written out over its block cipher, because a sender may choose kw-aes192.

use aws_lc_rs::cipher::{
    AES_192, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};
use zeroize::Zeroizing;

/// RFC 3394 section 2.2.3.1.
const INITIAL_VALUE: [u8; 8] = [0xa6; 8];
/// The longest key that we wrap or unwrap.
const LONGEST: usize = 64;

/// Wraps `key` with the key-encryption key `kek`.
pub(super) fn wrap(kek: &[u8], key: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let mut out = vec![0; key.len() + 8];
    match kek.len() {
        16 => AesKek::new(&AES_128, kek)?.wrap(key, &mut out)?.len(),
        32 => AesKek::new(&AES_256, kek)?.wrap(key, &mut out)?.len(),
        _ => return wrap_192(kek, key),
    };
    Ok(out)
}

/// Unwraps what was wrapped with the key-encryption key `kek`, checking its integrity.
pub(super) fn unwrap(kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    if !(24..=LONGEST + 8).contains(&wrapped.len()) || !wrapped.len().is_multiple_of(8) {
        return Err(Unspecified);
    }
    let mut out = Zeroizing::new(vec![0; wrapped.len() - 8]);
    match kek.len() {
        16 => AesKek::new(&AES_128, kek)?.unwrap(wrapped, &mut out)?.len(),
        32 => AesKek::new(&AES_256, kek)?.unwrap(wrapped, &mut out)?.len(),
        _ => return unwrap_192(kek, wrapped),
    };
    Ok(out)
}

fn wrap_192(kek: &[u8], key: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let cipher = EncryptingKey::ecb(UnboundCipherKey::new(&AES_192, kek)?)?;
    let mut blocks = [&INITIAL_VALUE[..], key].concat();
    let count = key.len() / 8;
    for step in 0..6 * count {
        let at = 8 * (1 + step % count);
        let mut block = block(&blocks, at);
        cipher.encrypt(&mut block)?;
        put(&mut blocks, at, &block, step + 1);
    }
    Ok(blocks)
}

fn unwrap_192(kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let cipher = DecryptingKey::ecb(UnboundCipherKey::new(&AES_192, kek)?)?;
    let mut blocks = Zeroizing::new(wrapped.to_vec());
    let count = wrapped.len() / 8 - 1;
    for step in (0..6 * count).rev() {
        let at = 8 * (1 + step % count);
        let mut block = block(&blocks, at);
        xor_counter(&mut block, step + 1);
        cipher.decrypt(&mut block, DecryptionContext::None)?;
        put(&mut blocks, at, &block, 0);
    }
    verify_slices_are_equal(&blocks[..8], &INITIAL_VALUE)?;
    Ok(Zeroizing::new(blocks[8..].to_vec()))
}

/// The integrity register and one register, as one block of the cipher.
fn block(blocks: &[u8], at: usize) -> [u8; 16] {
    let mut block = [0; 16];
    block[..8].copy_from_slice(&blocks[..8]);
    block[8..].copy_from_slice(&blocks[at..at + 8]);
    block
}

fn put(blocks: &mut [u8], at: usize, block: &[u8; 16], counter: usize) {
    let mut block = *block;
    xor_counter(&mut block, counter);
    blocks[..8].copy_from_slice(&block[..8]);
    blocks[at..at + 8].copy_from_slice(&block[8..]);
}

fn xor_counter(block: &mut [u8; 16], counter: usize) {
    for (byte, counter) in block[..8].iter_mut().zip((counter as u64).to_be_bytes()) {
        *byte ^= counter;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::{from_hex, hex_upper};

    /// RFC 3394 sections 4.1 to 4.6.
    const VECTORS: [(&str, &str, &str); 6] = [
        (
            "000102030405060708090A0B0C0D0E0F",
            "00112233445566778899AABBCCDDEEFF",
            "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5",
        ),
        (
            "000102030405060708090A0B0C0D0E0F1011121314151617",
            "00112233445566778899AABBCCDDEEFF",
            "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D",
        ),
        (
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00112233445566778899AABBCCDDEEFF",
            "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7",
        ),
        (
            "000102030405060708090A0B0C0D0E0F1011121314151617",
            "00112233445566778899AABBCCDDEEFF0001020304050607",
            "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2",
        ),
        (
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00112233445566778899AABBCCDDEEFF0001020304050607",
            "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1",
        ),
        (
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
            "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
        ),
    ];

    #[test]
    fn agrees_with_the_vectors_of_rfc_3394() {
        for (kek, key, wrapped) in VECTORS {
            let [kek, key] = [kek, key].map(|hex| from_hex(hex).unwrap());
            assert_eq!(hex_upper(&wrap(&kek, &key).unwrap()), wrapped);
            assert_eq!(unwrap(&kek, &from_hex(wrapped).unwrap()).unwrap()[..], key);
        }
    }

    #[test]
    fn refuses_a_changed_byte_and_odd_lengths() {
        for (kek, _, wrapped) in VECTORS {
            let kek = from_hex(kek).unwrap();
            let mut wrapped = from_hex(wrapped).unwrap();
            for length in 0..24 {
                assert!(unwrap(&kek, &wrapped[..length]).is_err());
            }
            wrapped[3] ^= 1;
            assert!(unwrap(&kek, &wrapped).is_err());
        }
        assert!(unwrap(&[0; 16], &[0; 1024]).is_err());
    }

    #[test]
    fn a_key_is_as_long_as_it_may_be_and_nothing_is_left_behind_it() {
        for kek in [&[7; 16][..], &[7; 24], &[7; 32]] {
            let longest = wrap(kek, &[1; LONGEST]).unwrap();
            assert_eq!(unwrap(kek, &longest).unwrap()[..], [1; LONGEST]);
            let longer = wrap(kek, &[1; LONGEST + 8]).unwrap();
            assert!(unwrap(kek, &longer).is_err(), "{}", kek.len());
            for behind in 1..8 {
                let odd = [wrap(kek, &[1; 16]).unwrap(), vec![0; behind]].concat();
                assert!(unwrap(kek, &odd).is_err(), "{} and {behind}", kek.len());
            }
        }
    }
}
