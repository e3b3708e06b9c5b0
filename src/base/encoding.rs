//! Base64, hexadecimal and SHA-256, each in the one form that we use.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Encodes as padded base64 on one line (RFC 4648 section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Encodes as base64url without padding (RFC 4648 section 5).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding, in the one spelling that [`base64url`] gives.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes padded base64 that may be broken by white space, as XML Schema's `base64Binary` may.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    // Most texts have none, and white space is no base64 to the decoder.
    STANDARD.decode(text).ok().or_else(|| {
        let dense: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        STANDARD.decode(dense).ok()
    })
}

/// Decodes hexadecimal of either case.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes
        .chunks_exact(2)
        .map(|pair| Some((hex_digit(pair[0])? << 4) | hex_digit(pair[1])?))
        .collect()
}

/// Encodes as upper-case hexadecimal.
#[must_use]
pub fn hex_upper(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Encodes as lower-case hexadecimal.
#[must_use]
pub fn hex_lower(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the SHA-256 digest.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hexadecimal_of_either_case_and_nothing_else() {
        assert_eq!(from_hex("00aFfe"), Some(vec![0, 0xaf, 0xfe]));
        for wrong in ["0", "0g", "é", " 00"] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn reads_base64_broken_by_white_space_but_not_by_other_characters() {
        assert_eq!(from_base64("aGVs\n bG8="), Some(b"hello".to_vec()));
        assert_eq!(from_base64("aGVs-bG8="), None);
    }
}
