//! Randomness from the operating system, as bytes and as tokens.

use super::encoding::base64url;

/// Fills a new array with random bytes.
///
/// # Panics
/// When the operating system has no randomness to give: nothing safe could be done then.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Returns 128 random bits as 22 base64url characters: an unguessable handle.
#[must_use]
pub fn handle() -> String {
    base64url(&bytes::<16>())
}

/// Returns a fresh identifier for a SAML message: `ID-` and a UUID, as the node's own are.
///
/// SAML core 1.3.4 asks for at least 128 bits of unlikelihood and an NCName.
#[must_use]
pub fn message_id() -> String {
    let id = uuid::Builder::from_random_bytes(bytes()).into_uuid();
    format!("ID-{id}")
}
