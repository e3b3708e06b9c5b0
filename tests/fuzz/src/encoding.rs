//! Base64, hexadecimal, and the artifact that a browser brings.
//!
//! What is written is read as it was. Where one spelling is promised there is no second one.

use crate::product::artifact::MAXIMUM_LENGTH;
use crate::product::encoding::{
    base64, base64url, from_base64, from_base64url, from_hex, hex_lower, hex_upper, sha256,
};
use crate::product::{Artifact, Tag};
use crate::within;

/// Looks at one input, as bytes and as text.
pub fn run(bytes: &[u8]) {
    within(64 * 1024 + 64 * bytes.len(), || {
        assert_eq!(from_base64(&base64(bytes)).as_deref(), Some(bytes));
        assert_eq!(from_base64url(&base64url(bytes)).as_deref(), Some(bytes));
        for text in [hex_lower(bytes), hex_upper(bytes)] {
            assert_eq!(from_hex(&text).as_deref(), Some(bytes));
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            look_at(text);
        }
    });
}

fn look_at(text: &str) {
    if let Some(bytes) = from_base64url(text) {
        assert_eq!(base64url(&bytes), text, "a second spelling");
    }
    if let Some(bytes) = from_base64(text) {
        let dense: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        assert_eq!(base64(&bytes), dense, "a second spelling");
    }
    if let Some(bytes) = from_hex(text) {
        assert_eq!(hex_lower(&bytes), text.to_ascii_lowercase());
    }
    if Tag::is_one(text) {
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
    if let Ok(artifact) = Artifact::parse(text) {
        assert!(artifact.as_str().len() <= MAXIMUM_LENGTH);
        let bytes = from_base64(artifact.as_str()).expect("it is base64");
        assert!(bytes.len() >= 16);
        assert_eq!(artifact.fingerprint(), sha256(&bytes));
        // However it is broken into lines, it is used once.
        let dense = Artifact::parse(&base64(&bytes)).expect("it is the same without white space");
        assert_eq!(dense.fingerprint(), artifact.fingerprint());
    }
}
