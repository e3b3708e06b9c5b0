//! A checksum, to compare what was sent with what arrived without keeping either.

use std::fmt::Write as _;

use aws_lc_rs::digest;

/// Returns the SHA-256 of bytes in lower-case hexadecimal, as `sha256sum` and Node print it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
