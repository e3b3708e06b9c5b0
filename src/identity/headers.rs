//! The names under which an identity travels to a backend, and how a forged one is recognised.
//!
//! Names are compared folded: lower case, every character that is no letter or digit as `-`.
//! Servers that hand headers to a program as variables (CGI, WSGI, PHP) fold them alike, so
//! `X_Brama_Assertion` would reach the program as `X-Brama-Assertion`.

use http::HeaderName;

/// The header that carries the signed identity to a backend.
pub const ASSERTION: HeaderName = HeaderName::from_static("x-brama-assertion");
/// The header that carries it encrypted to one backend.
pub const ENCRYPTED_ASSERTION: HeaderName = HeaderName::from_static("x-brama-encrypted-assertion");
/// Says beside a signature for which backend a request is.
pub const AUDIENCE: HeaderName = HeaderName::from_static("x-brama-audience");
/// Sent by a page's script with a request that is no sign of life.
pub const BACKGROUND: HeaderName = HeaderName::from_static("x-brama-background");
/// Brings the name of a probe ([`crate::request::probes`]). It is of ours, so it goes no further.
pub const PROBE: HeaderName = HeaderName::from_static("x-brama-probe");

/// What a header name is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityHeader {
    /// None of ours: it goes on.
    Foreign,
    /// One of ours by its own spelling: removed from a request.
    Ours,
    /// Folds to one of ours but is spelled otherwise: the request is refused.
    Alias,
}

/// Every name of ours begins with this, folded.
const PREFIX: &str = "x-brama-";

/// Tells what a name is to us.
#[must_use]
pub fn identity_header(name: &str) -> IdentityHeader {
    if !folds_to_start(name, PREFIX) {
        return IdentityHeader::Foreign;
    }
    let is_plain = |byte: u8| byte == b'-' || byte.is_ascii_alphanumeric();
    if name.bytes().all(is_plain) { IdentityHeader::Ours } else { IdentityHeader::Alias }
}

/// Tells whether a name begins, folded, with `prefix`, which is folded already.
#[must_use]
pub fn folds_to_start(name: &str, prefix: &str) -> bool {
    name.len() >= prefix.len() && name.bytes().map(fold).zip(prefix.bytes()).all(|(a, b)| a == b)
}

/// Folds one byte of a name.
#[must_use]
pub fn fold(byte: u8) -> u8 {
    FOLDED[usize::from(byte)]
}

/// Every byte, folded. They are looked up: names are folded in every request.
static FOLDED: [u8; 256] = {
    let mut folded = [b'-'; 256];
    let mut byte = u8::MAX;
    while byte > 0 {
        if byte.is_ascii_alphanumeric() {
            folded[byte as usize] = byte.to_ascii_lowercase();
        }
        byte -= 1;
    }
    folded
};

/// Names of the operator's choice under which routes tell an identity (`identity_headers`). No
/// client may send them, on any route: a portal cannot see by which route a request came.
#[derive(Debug, Default)]
pub struct ToldNames(Box<[String]>);

impl ToldNames {
    /// Takes names as they are sent. Those that no client may send anyway need not be among them.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n HeaderName>) -> Self {
        let folded = |name: &HeaderName| name.as_str().bytes().map(fold).map(char::from).collect();
        let mut names: Vec<String> = names.into_iter().map(folded).collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }

    /// Tells whether a name is one of them, folded.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|told| told.len() == name.len() && folds_to_start(name, told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_told_name_is_known_in_every_folding_and_whole() {
        let told = ToldNames::new([&HeaderName::from_static("x-citizen_id")]);
        for name in ["x-citizen-id", "X_Citizen.ID", "x-citizen_id"] {
            assert!(told.has(name), "{name}");
        }
        for name in ["x-citizen", "x-citizen-id-2", "y-citizen-id", ""] {
            assert!(!told.has(name), "{name}");
        }
        assert!(!ToldNames::default().has("x-citizen-id"));
    }

    #[test]
    fn recognises_our_names_and_every_alias_of_them() {
        assert_eq!(identity_header("X-Brama-Assertion"), IdentityHeader::Ours);
        assert_eq!(identity_header("x-brama-anything"), IdentityHeader::Ours);
        for alias in
            ["X_Brama_Assertion", "x.brama.assertion", "X-Brama_Subject", "x~brama-Subject"]
        {
            assert_eq!(identity_header(alias), IdentityHeader::Alias, "{alias}");
        }
        for foreign in ["x-bram", "accept", "x-bramass-assertion", "brama-assertion"] {
            assert_eq!(identity_header(foreign), IdentityHeader::Foreign, "{foreign}");
        }
    }

    #[test]
    fn every_byte_of_a_name_folds_to_a_refusal_or_a_removal() {
        // Every byte that HTTP allows in a name (RFC 9110 5.6.2), at each separator.
        for byte in (0x21_u8..0x7f).filter(|byte| HeaderName::from_bytes(&[*byte]).is_ok()) {
            let separator = char::from(byte);
            let name = format!("x{separator}brama{separator}assertion");
            let expected = match byte {
                b'-' => IdentityHeader::Ours,
                byte if byte.is_ascii_alphanumeric() => IdentityHeader::Foreign,
                _ => IdentityHeader::Alias,
            };
            assert_eq!(identity_header(&name), expected, "{name}");
        }
    }
}
