//! Randomness from the operating system, as bytes and as tokens.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::encoding::base64url;

/// Fills a new array with random bytes.
///
/// # Panics
/// When the operating system has no randomness to give: nothing safe could be done then.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Fills what is there with random bytes.
///
/// # Panics
/// As [`bytes()`] does.
pub fn fill(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
}

/// Returns 128 random bits as 22 base64url characters: an unguessable handle.
#[must_use]
pub fn handle() -> String {
    base64url(&bytes::<16>())
}

/// Tells whether a text could be a [`handle`].
#[must_use]
pub fn is_handle(text: &str) -> bool {
    is_base64url(text, 22)
}

/// Returns 256 random bits as 43 base64url characters: a secret by itself.
#[must_use]
pub fn long_handle() -> String {
    base64url(&bytes::<32>())
}

/// Tells whether a text could be a [`long_handle`].
#[must_use]
pub fn is_long_handle(text: &str) -> bool {
    is_base64url(text, 43)
}

/// Tells whether a text has so many letters of base64url.
#[must_use]
pub fn is_base64url(text: &str, length: usize) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == length && text.bytes().all(is_letter)
}

/// Returns a name that nothing else has, as 22 base64url characters: for requests in logs. It can
/// be guessed, so it must not guard anything; in return it costs a counter and no randomness.
#[must_use]
pub fn unique_name() -> String {
    static START: LazyLock<(String, u64)> =
        LazyLock::new(|| (base64url(&bytes::<8>()), u64::from_le_bytes(bytes())));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (start, mask) = &*START;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // An odd factor maps different numbers to different numbers, far apart.
    let mut spread = count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ mask;
    let mut name = String::with_capacity(2 * start.len());
    name.push_str(start);
    // Eleven times six bits are more than 64.
    for _ in 0..11 {
        name.push(char::from(LETTERS[(spread & 63) as usize]));
        spread >>= 6;
    }
    name
}

/// RFC 4648 section 5.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns a fresh identifier for a SAML message: `ID-` and a UUID, as the node's own are.
///
/// SAML core 1.3.4 asks for at least 128 bits of unlikelihood and an NCName.
#[must_use]
pub fn message_id() -> String {
    message_id_of(uuid::Builder::from_random_bytes(bytes()).into_uuid().into_bytes())
}

/// Returns the identifier that has those bytes.
#[must_use]
pub fn message_id_of(bytes: [u8; 16]) -> String {
    format!("ID-{}", uuid::Uuid::from_bytes(bytes))
}

/// Returns the bytes of an identifier that [`message_id`] made.
#[must_use]
pub fn message_id_bytes(id: &str) -> Option<[u8; 16]> {
    let id = uuid::Uuid::try_parse(id.strip_prefix("ID-")?).ok()?;
    Some(id.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn unique_names_are_all_different_and_of_one_length() {
        let names: HashSet<_> = (0..10_000).map(|_| unique_name()).collect();
        assert_eq!(names.len(), 10_000);
        assert!(names.iter().all(|name| name.len() == 22));
    }
}
